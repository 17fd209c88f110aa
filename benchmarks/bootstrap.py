"""The bootstrap of a mediation model timed here and in R's lavaan, in one run: ``python benchmarks/bootstrap.py``.

12 indicators, 3 factors, 500 rows, an indirect effect. Times are wall-clock seconds of one call after a small one that
is not counted. Then, by estimator, seconds per replicate in batches, one by one, and in lavaan. R takes part if Rscript
and lavaan are installed. Set OPENBLAS_NUM_THREADS=1: the matrices are small.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import psm_analysis as psm
from psm_analysis.sem.bootstrap import make_job
from psm_analysis.sem.bootstrap_job import BootstrapJob

MODEL = """
X =~ x1 + x2 + x3 + x4
M =~ m1 + m2 + m3 + m4
Y =~ y1 + y2 + y3 + y4
M ~ a*X
Y ~ b*M + c*X
ab := a*b
"""
LAVAAN = """
suppressMessages(library(lavaan))
data <- read.csv("{data}"); model <- "{model}"
fit <- sem(model, data{arguments}); set.seed(1); invisible(bootstrapLavaan(fit, R = 2, FUN = coef))
cat(system.time(bootstrapLavaan(fit, R = {n}, FUN = coef))[["elapsed"]])
"""


def mediation(n: int = 500, seed: int = 6) -> pd.DataFrame:
    """Return rows of three factors with four items each, the first acting on the last through the second."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.5 * x + rng.normal(size=n) * 0.8
    y = 0.4 * m + 0.2 * x + rng.normal(size=n) * 0.8
    columns = {}
    for name, factor in zip("xmy", (x, m, y), strict=True):
        for i, loading in enumerate((1.0, 0.9, 0.8, 0.85), start=1):
            columns[f"{name}{i}"] = loading * factor + rng.normal(size=n) * 0.6
    return pd.DataFrame(columns)


def our_time(fit: psm.SemResult, n: int, *, repeats: int) -> float:
    """Return the median seconds of `n` replicates."""
    fit.bootstrap(10, seed=1)
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        fit.bootstrap(n, seed=1)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def lavaan_time(data: pd.DataFrame, n: int, arguments: str = "") -> float | None:
    """Return lavaan's seconds, or None if Rscript or lavaan is not there."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        code = LAVAAN.format(data=path.as_posix(), model=MODEL.replace("\n", "\\n"), n=n, arguments=arguments)
        done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def by_estimator() -> None:
    """Print milliseconds per replicate of every estimator that has batches."""
    data, rng = mediation(), np.random.default_rng(1)
    codes = data.apply(lambda column: np.digitize(column, column.quantile([0.1, 0.35, 0.7, 0.9])).astype(float))
    holes = data.mask(rng.uniform(size=data.shape) < 0.05)
    ordinal = [name for name in data if name[0] != "y"]
    mixed = data.assign(**{name: codes[name] for name in ordinal})
    cases: list[tuple[str, pd.DataFrame, dict[str, Any], str]] = [
        ("ML", data, {}, ""),
        ("ULS", data, {"estimator": "ULS"}, ', estimator = "ULS"'),
        ("GLS", data, {"estimator": "GLS"}, ', estimator = "GLS"'),
        ("FIML", holes, {"missing": "fiml"}, ', missing = "fiml"'),
        ("WLSMV", codes, {"ordered": True}, ", ordered = TRUE"),
        ("WLSMV, Y continuous", mixed, {"ordered": ordinal}, f", ordered = c({str(ordinal)[1:-1]})"),
        ("WLS", data, {"estimator": "WLS"}, ', estimator = "WLS"'),
        ("DWLS", data, {"estimator": "DWLS"}, ', estimator = "DWLS"'),
    ]
    print("milliseconds per replicate   batch  one by one      lavaan")
    for name, frame, options, arguments in cases:
        fit = psm.sem(MODEL, frame, **options)
        job = make_job(fit, kind="ordinary", seed=1, errors=False)
        batch = _per_replicate(job, 100)
        single = _per_replicate(replace(job, problem=None, samplers=()), 5)
        theirs = lavaan_time(frame, 10, arguments)
        ratio = "" if theirs is None else f"{100.0 * theirs:10.1f} ({100.0 * theirs / batch:5.0f} x)"
        print(f"{name:25s} {batch:8.2f} {single:7.1f} ({single / batch:3.0f} x) {ratio}")


def _per_replicate(job: BootstrapJob, n: int) -> float:
    job.run(0, 2)
    begin = time.perf_counter()
    job.run(0, n)
    return 1e3 * (time.perf_counter() - begin) / n


def main() -> None:
    data = mediation()
    fit = psm.sem(MODEL, data)
    ours = our_time(fit, 200, repeats=7)
    print(f"psm_analysis,   200 replicates {ours:9.3f} s")
    print(f"psm_analysis, 5,000 replicates {our_time(fit, 5000, repeats=3):9.3f} s")
    theirs = lavaan_time(data, 200)
    if theirs is None:
        print("lavaan (R) skipped: Rscript with lavaan is not installed")
    else:
        print(f"lavaan (R),     200 replicates {theirs:9.3f} s   {theirs / ours:6.1f} x")
    by_estimator()


if __name__ == "__main__":
    main()
