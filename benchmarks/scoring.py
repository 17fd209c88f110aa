"""Scoring of a large file, parquet to parquet: ``python benchmarks/scoring.py [--large] [--spark] [--kills]``.

Sixteen items in five scales, 2 % missing, method ``mean``. What each does and writes:

========== ============================================================================================== =======
engine     work                                                                                           columns
========== ============================================================================================== =======
bare       the query somebody would write by hand for the scores, in DuckDB; nothing is checked                 6
scores     ``psm-analysis score --columns scores``: the same scores, flags, checks of every answer and id,
           hash of the input, report of the run                                                                 7
bare all   the query by hand for all columns (errors, counts, percentiles, T, stanines), in DuckDB; nothing
           is checked                                                                                          31
all        ``psm-analysis score``: all columns, flags, checks, hash, report                                    32
eap        ``psm-analysis score --columns scores`` with trait scores of graded response models, by patterns     7
eap wide   the same with one trait of all sixteen items: hardly any two persons answer alike                    3
pandas     ``ScoringModel.score`` of the whole file in memory                                                  32
spark      ``psm_analysis.scoring.spark`` in a local cluster of two workers (1 GB each), scores and flags       7
========== ============================================================================================== =======

Each runs in a process of its own that imports what it needs before the clock starts. Printed are wall time and
processor time of the best of three runs, and the peak memory of the process (of Spark: driver and workers together).
The hand-written queries get the memory that ours gets. ``--large`` runs pandas and Spark once.
``--kills`` kills twenty runs at random moments and looks at what they left.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import psm_analysis as psm
from psm_analysis.scoring.stream_memory import MEMORY

ROOT = Path(__file__).resolve().parents[1]
ITEMS = [f"psm{j}" for j in range(1, 17)]
ENGINES = ("bare", "scores", "bare all", "all", "eap", "eap wide", "pandas", "spark")
SLOW = ("pandas", "spark")
BLOCK = 500_000
HOTSPOT = "8000"
"""Longer methods of generated code are never compiled by Java: Spark then takes five times as long."""


def write_wave(path: Path, rows: int) -> None:
    """Write invented answers in blocks."""
    rng = np.random.default_rng(1)
    schema = pa.schema([("id", pa.int64()), *((item, pa.int8()) for item in ITEMS)])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, BLOCK):
            n = min(BLOCK, rows - first)
            columns = [pa.array(np.arange(first, first + n))]
            columns += [pa.array(rng.integers(1, 6, n, dtype=np.int8), mask=rng.random(n) < 0.02) for _ in ITEMS]
            writer.write_table(pa.table(columns, schema=schema))


def bare_query(model: psm.ScoringModel, source: Path, *, all_columns: bool) -> str:
    """Return what somebody would write by hand: means of the answered items, NULL if too few."""
    scores, rest = [], []
    for scale in model.scales:
        name, norms = scale.id, scale.norms[0]
        total = " + ".join(f"coalesce({item}, 0)" for item in scale.items)
        given = " + ".join(f"({item} IS NOT NULL)::INT" for item in scale.items)
        score = f"CASE WHEN {given} >= {scale.required} THEN ({total}) / ({given})::DOUBLE END AS {name}"
        scores.append(f"{score}, {given} AS {name}_n" if all_columns else score)
        below = " ".join(f"WHEN {name} < {value!r} THEN {p}.5" for p, value in enumerate(norms.quantiles))
        rank = f"CASE WHEN {name} IS NULL THEN NULL {below} ELSE 99.5 END"
        cuts = " + ".join(f"({name}_percentile >= {cut})::INT" for cut in (4, 11, 23, 40, 60, 77, 89, 96))
        rest.append(f"{name}, CASE WHEN {name}_n = {len(scale.items)} THEN {scale.std_error} END AS {name}_se")
        rest.append(f"{name}_n, {rank} AS {name}_percentile, 1 + {cuts} AS {name}_stanine")
        rest.append(f"50 + 10 * ({name} - {norms.mean!r}) / {norms.sd!r} AS {name}_t")
    query = f"SELECT id, {', '.join(scores)} FROM read_parquet('{source}')"
    return f"SELECT id, {', '.join(rest)} FROM ({query})" if all_columns else query


def run_duckdb(folder: Path, out: Path, *, all_columns: bool) -> None:
    """Run the query that is written by hand."""
    query = bare_query(psm.load_scoring_model(folder / "model.json"), folder / "wave.parquet", all_columns=all_columns)
    with duckdb.connect() as base:
        base.execute(f"SET memory_limit = '{MEMORY}'")
        base.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet)")


def run_ours(folder: Path, out: Path, *, columns: str, model: str = "model") -> None:
    """Do what the command ``score`` does."""
    frozen = psm.load_scoring_model(folder / f"{model}.json")
    psm.score_file(frozen, folder / "wave.parquet", out=out, id="id", columns=columns, overwrite=True)


def run_pandas(folder: Path, out: Path) -> None:
    """Score the whole file in memory."""
    model = psm.load_scoring_model(folder / "model.json")
    model.score(pd.read_parquet(folder / "wave.parquet"), id="id").to_parquet(out, index=False)


def run_spark(folder: Path, out: Path) -> None:
    """Score in a local cluster of two workers; starting the cluster is not part of the time."""
    from psm_analysis.scoring.spark import score

    given = spark_session().read.parquet(str(folder / "wave.parquet"))
    found = score(given, psm.load_scoring_model(folder / "model.json"), id="id", columns="scores")
    found.write.mode("overwrite").parquet(str(out))


def spark_session() -> object:
    """Return the session of a driver and two workers, 1 GB and one core each."""
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.executorEnv.PYTHONPATH", str(ROOT)).config("spark.driver.memory", "1g")
    found = builder.config("spark.sql.codegen.hugeMethodLimit", HOTSPOT).getOrCreate()
    found.sparkContext.setLogLevel("ERROR")
    return found


RUNS: dict[str, Callable[[Path, Path], None]] = {
    "bare": lambda folder, out: run_duckdb(folder, out, all_columns=False),
    "scores": lambda folder, out: run_ours(folder, out, columns="scores"),
    "bare all": lambda folder, out: run_duckdb(folder, out, all_columns=True),
    "all": lambda folder, out: run_ours(folder, out, columns="all"),
    "eap": lambda folder, out: run_ours(folder, out, columns="scores", model="eap"),
    "eap wide": lambda folder, out: run_ours(folder, out, columns="scores", model="wide"),
    "pandas": run_pandas,
    "spark": run_spark,
}


def measure(engine: str, folder: Path) -> None:
    """Score once and print seconds, seconds of the processor, and megabytes."""
    import psm_analysis.scoring.score_file  # noqa: F401

    out = folder / f"{engine.replace(' ', '_')}.parquet"
    if engine == "spark":
        spark_session()
    peak = PeakMemory()
    begin, before = time.perf_counter(), processor_seconds()
    RUNS[engine](folder, out)
    spent = (time.perf_counter() - begin, processor_seconds() - before)
    print(*spent, peak.stop())


class PeakMemory:
    """The largest memory of this process and its descendants together, looked at ten times a second."""

    def __init__(self) -> None:
        self.most, self.running = 0.0, True
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while self.running:
            self.most = max(self.most, sum(map(resident_megabytes, descendants(os.getpid()))))
            time.sleep(0.1)

    def stop(self) -> float:
        """Return megabytes."""
        self.running = False
        self.thread.join()
        return max(self.most, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def descendants(pid: int) -> list[int]:
    """Return a process and all that it started (Linux)."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:  # it has ended
            continue
        parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += parents.get(found[-1], [])
    return found


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process, 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return 0.0


def processor_seconds() -> float:
    """Return user and system time of this process (not of Spark's workers)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def kill_runs(folder: Path, *, runs: int = 20) -> None:
    """Kill runs at random moments; what stands under the name of the output is nothing, or whole."""
    out = folder / "killed.parquet"
    stored = ["--model", str(folder / "model.json"), "--out", str(out), "--id", "id", "--overwrite"]
    call = [sys.executable, "-m", "psm_analysis", "score", str(folder / "wave.parquet"), *stored]
    begin = time.monotonic()
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    needed, whole = time.monotonic() - begin, out.read_bytes()
    chance, found = random.Random(1), {"nothing": 0, "whole": 0, "partial": 0}
    for _ in range(runs):
        out.unlink(missing_ok=True)
        run = subprocess.Popen(call, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, 1.05) * needed)
        run.kill()
        run.wait()
        found["nothing" if not out.exists() else "whole" if out.read_bytes() == whole else "partial"] += 1
    print(f"{runs} runs killed at random moments left: {found}")


def main() -> None:
    """Print a line per engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--large", action="store_true", help="10 million rows")
    parser.add_argument("--spark", action="store_true", help="the Spark run too (extra spark, Java 17)")
    parser.add_argument("--kills", action="store_true", help="kill twenty runs")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        measure(arguments.engine, arguments.folder)
        return
    rows = 10**7 if arguments.large else arguments.rows
    left_out = set() if arguments.spark else {"spark"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_wave(folder / "wave.parquet", rows)
        reference = psm.read_survey(ROOT / "data" / "synthetic" / "wave1.csv", instruments="psm16")
        psm.calibrate(reference, "psm16").save(folder / "model.json")
        psm.calibrate(reference, "psm16", method="eap").save(folder / "eap.json")
        wide = f"g =~ {' + '.join(ITEMS)}"
        psm.calibrate(reference, "psm16", method="eap", model=wide).save(folder / "wide.json")
        if arguments.kills:
            kill_runs(folder)
            return
        print(f"{rows} rows, {len(ITEMS)} items\n{'engine':9}{'seconds':>9}{'processor':>11}{'MB':>7}")
        for engine in (engine for engine in ENGINES if engine not in left_out):
            call = [sys.executable, __file__, "--engine", engine, "--folder", name]
            lines = [
                subprocess.run(call, check=True, capture_output=True, text=True).stdout
                for _ in range(1 if arguments.large and engine in SLOW else arguments.repeats)
            ]
            seconds, processor, megabytes = min(tuple(map(float, line.split()[-3:])) for line in lines)
            print(f"{engine:9}{seconds:9.2f}{processor:11.2f}{megabytes:7.0f}", flush=True)


if __name__ == "__main__":
    main()
