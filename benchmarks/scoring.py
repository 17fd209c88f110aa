"""Scoring of a large file, parquet to parquet: ``python benchmarks/scoring.py [--rows N] [--large]``.

Sixteen items, 2 % missing, method ``mean``. Ours is the command ``score`` (checks, scores, norms, flags, report of the
run); the bare query is what DuckDB needs for the scores alone; `sql` is DuckDB with our statement but without checks.
Each runs in a process of its own; wall time and peak memory of the process are printed, the best of three runs.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import psm_analysis as psm
from psm_analysis.cli import main as command

ROOT = Path(__file__).resolve().parents[1]
ITEMS = [f"psm{j}" for j in range(1, 17)]
ENGINES = ("ours", "sql", "bare", "pandas")
BLOCK = 500_000


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


def bare_query(model: psm.ScoringModel, source: Path) -> str:
    """Return what somebody would write by hand: means of the answered items, NULL if too few."""
    parts = []
    for scale in model.scales:
        total = " + ".join(f"coalesce({item}, 0)" for item in scale.items)
        given = " + ".join(f"({item} IS NOT NULL)::INT" for item in scale.items)
        parts.append(f"CASE WHEN {given} >= {scale.required} THEN ({total}) / ({given})::DOUBLE END AS {scale.id}")
    return f"SELECT id, {', '.join(parts)} FROM read_parquet('{source}')"


def run(engine: str, folder: Path) -> None:
    """Score once and print seconds and megabytes."""
    source, stored, out = folder / "wave.parquet", folder / "model.json", folder / f"{engine}.parquet"
    model = psm.load_scoring_model(stored)
    begin = time.perf_counter()
    if engine == "ours":
        sys.stdout, kept = sys.stderr, sys.stdout
        call = ["score", str(source), "--model", str(stored), "--out", str(out), "--id", "id", "--overwrite"]
        assert command(call) == 0
        sys.stdout = kept
    elif engine == "pandas":
        model.score(pd.read_parquet(source), id="id").to_parquet(out, index=False)
    else:
        with duckdb.connect() as base:
            base.execute("SET memory_limit = '400MB'")
            base.execute(f"CREATE VIEW wave AS SELECT * FROM read_parquet('{source}')")
            query = bare_query(model, source) if engine == "bare" else model.to_sql(id="id")
            base.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet)")
    print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Print a line per engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--large", action="store_true", help="10 million rows, without pandas")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        run(arguments.engine, arguments.folder)
        return
    rows = 10**7 if arguments.large else arguments.rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_wave(folder / "wave.parquet", rows)
        reference = psm.read_survey(ROOT / "data" / "synthetic" / "wave1.csv", instruments="psm16")
        psm.calibrate(reference, "psm16").save(folder / "model.json")
        print(f"{rows} rows, {len(ITEMS)} items\n{'engine':8}{'seconds':>9}{'MB':>8}")
        for engine in ENGINES[:-1] if arguments.large else ENGINES:
            call = [sys.executable, __file__, "--engine", engine, "--folder", name]
            lines = [subprocess.run(call, check=True, capture_output=True, text=True).stdout for _ in range(3)]
            seconds, megabytes = min(tuple(map(float, line.split()[-2:])) for line in lines)
            print(f"{engine:8}{seconds:9.2f}{megabytes:8.0f}", flush=True)


if __name__ == "__main__":
    main()
