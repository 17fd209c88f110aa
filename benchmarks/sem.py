"""Confirmatory factor analysis timed here and in the peers, side by side in one run: ``python benchmarks/sem.py``.

Each engine fits the same data to full results (estimates, standard errors, fit measures); the median of several
repetitions is printed, and its ratio to ours. Imports and the first fit are not timed. R's lavaan takes part if Rscript
and lavaan are installed. Set OPENBLAS_NUM_THREADS=1 for the matrices are small.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import psm_analysis as psm

ROOT = Path(__file__).resolve().parents[1]
HOLZINGER = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
LAVAAN = """
suppressMessages(library(lavaan))
data <- read.csv("{data}"); model <- "{model}"
run <- function() {{ fit <- cfa(model, data); fitMeasures(fit); invisible(parameterEstimates(fit)) }}
run()
cat(median(replicate({repeats}, system.time(run())[["elapsed"]])))
"""


def eight_by_five(n: int = 1000, seed: int = 1) -> tuple[str, pd.DataFrame]:
    """Return a model of eight correlated factors with five items each, and data for it."""
    rng = np.random.default_rng(seed)
    correlations = np.full((8, 8), 0.4) + 0.6 * np.eye(8)
    factors = rng.normal(size=(n, 8)) @ np.linalg.cholesky(correlations).T
    loadings = np.kron(np.eye(8), np.linspace(0.8, 0.6, 5))
    rows = factors @ loadings + rng.normal(size=(n, 40)) * 0.7
    names = [f"i{k + 1}" for k in range(40)]
    model = "\n".join(f"f{f + 1} =~ " + " + ".join(names[5 * f : 5 * f + 5]) for f in range(8))
    return model, pd.DataFrame(rows, columns=names)


def median_time(run: Callable[[], object], repeats: int) -> float:
    """Return the median seconds of a call after one that is not counted."""
    run()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def ours(model: str, data: pd.DataFrame) -> object:
    fit = psm.cfa(model, data)
    return fit.tidy(), fit.fit_measures


def semopy_alone(model: str, data: pd.DataFrame) -> object:
    """semopy as its own manual calls it: default tolerance, estimates with standard errors, and its statistics."""
    import semopy

    fitted = semopy.Model(model)
    fitted.fit(data)
    return fitted.inspect(), semopy.calc_stats(fitted)


def lavaan_time(model: str, data: pd.DataFrame, repeats: int) -> float | None:
    """Return lavaan's median seconds, or None if Rscript or lavaan is not there."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        code = LAVAAN.format(data=path.as_posix(), model=model.replace("\n", "\\n"), repeats=repeats)
        done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def compare(title: str, model: str, data: pd.DataFrame, repeats: int) -> None:
    """Print the times of all engines for one model."""
    print(f"\n{title}: {data.shape[0]} rows, {repeats} repetitions")
    base = median_time(lambda: ours(model, data), repeats)
    rows: list[tuple[str, float | None]] = [
        ("psm_analysis", base),
        ("semopy", median_time(lambda: semopy_alone(model, data), max(3, repeats // 4))),
        ("psm_analysis, engine='semopy'", median_time(lambda: psm.cfa(model, data, engine="semopy"), 3)),
        ("lavaan (R)", lavaan_time(model, data, repeats)),
    ]
    for name, seconds in rows:
        if seconds is None:
            print(f"  {name:<32} skipped: Rscript with lavaan is not installed")
        else:
            print(f"  {name:<32} {1000 * seconds:10.1f} ms   {seconds / base:8.1f} x")


def main() -> None:
    warnings.simplefilter("ignore")
    holzinger = pd.read_csv(ROOT / "tests" / "golden" / "data" / "holzinger.csv")
    compare("Holzinger and Swineford, 3 factors x 3 items", HOLZINGER, holzinger.filter(regex=r"^x\d$"), 21)
    compare("8 factors x 5 items", *eight_by_five(), 7)


if __name__ == "__main__":
    main()
