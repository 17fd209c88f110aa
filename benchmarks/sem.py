"""Confirmatory factor analysis timed here and in the peers, side by side in one run: ``python benchmarks/sem.py``.

Complete rows by ML (from a model text read before, and never read before), incomplete rows by FIML, five-point items by
WLSMV. ``--large`` adds 60 and 120 five-point items (lavaan at 60 takes minutes).

Each engine fits the same data to full results (estimates, standard errors, fit measures); the median of several
repetitions is printed, and its ratio to ours. Imports and the first fit are not timed. R's lavaan takes part if Rscript
and lavaan are installed. Set OPENBLAS_NUM_THREADS=1 for the matrices are small.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import psm_analysis as psm

ROOT = Path(__file__).resolve().parents[1]
HOLZINGER = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
LAVAAN = """
suppressMessages(library(lavaan))
data <- read.csv("{data}"); model <- "{model}"
run <- function() {{ fit <- cfa(model, data{options}); fitMeasures(fit); invisible(parameterEstimates(fit)) }}
run()
cat(median(replicate({repeats}, system.time(run())[["elapsed"]])))
"""


def simulated(k: int, size: int, *, n: int = 1000, seed: int = 1) -> tuple[str, pd.DataFrame]:
    """Return a model of k correlated factors of `size` items each, and data for it."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, k)) @ np.linalg.cholesky(np.full((k, k), 0.4) + 0.6 * np.eye(k)).T
    rows = factors @ np.kron(np.eye(k), np.linspace(0.8, 0.6, size)) + rng.normal(size=(n, k * size)) * 0.7
    names = [f"i{j + 1}" for j in range(k * size)]
    model = "\n".join(f"f{f + 1} =~ " + " + ".join(names[size * f : size * (f + 1)]) for f in range(k))
    return model, pd.DataFrame(rows, columns=names)


def with_gaps(data: pd.DataFrame, share: float, *, seed: int = 2) -> pd.DataFrame:
    return data.mask(np.random.default_rng(seed).random(data.shape) < share)


def in_points(data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as answers on a five-point scale."""
    return data.apply(lambda column: np.digitize(column, [-1.2, -0.4, 0.3, 1.1]) + 1)


def median_time(run: Callable[[], object], repeats: int) -> float:
    """Return the median seconds of a call after one that is not counted."""
    run()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def ours(model: str, data: pd.DataFrame, **options: Any) -> object:
    fit = psm.cfa(model, data, **options)
    return fit.tidy(), fit.fit_measures


def never_read(model: str, data: pd.DataFrame) -> Callable[[], object]:
    """Return a fit of which each call has a model text that was not read before."""
    numbers = count()
    return lambda: ours(f"{model}\n# {next(numbers)}", data)


def semopy_alone(model: str, data: pd.DataFrame) -> object:
    """semopy as its own manual calls it: default tolerance, estimates with standard errors, and its statistics."""
    import semopy

    fitted = semopy.Model(model)
    fitted.fit(data)
    return fitted.inspect(), semopy.calc_stats(fitted)


def lavaan_time(model: str, data: pd.DataFrame, repeats: int, options: str = "") -> float | None:
    """Return lavaan's median seconds, or None if Rscript or lavaan is not there."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        code = LAVAAN.format(data=path.as_posix(), model=model.replace("\n", "\\n"), repeats=repeats, options=options)
        done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def compare(title: str, model: str, data: pd.DataFrame, repeats: int) -> None:
    """Print the times of all engines for one model."""
    print(f"\n{title}: {data.shape[0]} rows, {repeats} repetitions")
    base = median_time(lambda: ours(model, data), repeats)
    rows: list[tuple[str, float | None]] = [
        ("psm_analysis", base),
        ("psm_analysis, new model text", median_time(never_read(model, data), repeats)),
        ("semopy", median_time(lambda: semopy_alone(model, data), max(3, repeats // 4))),
        ("psm_analysis, engine='semopy'", median_time(lambda: psm.cfa(model, data, engine="semopy"), 3)),
        ("lavaan (R)", lavaan_time(model, data, repeats)),
    ]
    show(rows, base)


def compare_with_lavaan(
    title: str, model: str, data: pd.DataFrame, *, repeats: int, options: dict[str, Any], in_r: str, peer: bool = True
) -> None:
    """Print the times of ours and of lavaan, the one peer that can fit these data."""
    print(f"\n{title}: {data.shape[0]} rows, {repeats} repetitions")
    base = median_time(lambda: ours(model, data, **options), repeats)
    rows: list[tuple[str, float | None]] = [("psm_analysis", base)]
    if peer:
        rows.append(("lavaan (R)", lavaan_time(model, data, 1, in_r)))
    show(rows, base)


def show(rows: list[tuple[str, float | None]], base: float) -> None:
    for name, seconds in rows:
        if seconds is None:
            print(f"  {name:<32} skipped: Rscript with lavaan is not installed")
        else:
            print(f"  {name:<32} {1000 * seconds:10.1f} ms   {seconds / base:8.1f} x")


def main() -> None:
    warnings.simplefilter("ignore")
    holzinger = pd.read_csv(ROOT / "tests" / "golden" / "data" / "holzinger.csv")
    compare("Holzinger and Swineford, 3 factors x 3 items", HOLZINGER, holzinger.filter(regex=r"^x\d$"), 21)
    compare("8 factors x 5 items", *simulated(8, 5), 7)
    model, rows = simulated(4, 4)
    fiml = {"missing": "fiml"}, ', missing = "fiml"'
    wlsmv = {"ordered": True}, ", ordered = TRUE"
    gaps = with_gaps(rows, 0.15)
    compare_with_lavaan("16 items, 15 % missing, FIML", model, gaps, repeats=9, options=fiml[0], in_r=fiml[1])
    points = in_points(rows)
    compare_with_lavaan("16 five-point items, WLSMV", model, points, repeats=9, options=wlsmv[0], in_r=wlsmv[1])
    if "--large" in sys.argv:
        for factors, peer in ((6, True), (12, False)):
            model, rows = simulated(factors, 10)
            title = f"{10 * factors} five-point items, WLSMV"
            points = in_points(rows)
            compare_with_lavaan(title, model, points, repeats=1, options=wlsmv[0], in_r=wlsmv[1], peer=peer)


if __name__ == "__main__":
    main()
