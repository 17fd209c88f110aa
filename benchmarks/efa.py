"""Exploratory factor analysis timed here and in the peers, on the same data in one run.

    python benchmarks/efa.py [--items 40] [--factors 5] [--cases 1000] [--repeats 15]

Peers: factor_analyzer's Rotator (oblimin of the same unrotated loadings), and psych::fa with GPArotation if Rscript and
both packages are installed. Prints milliseconds (median) and the ratio to this package.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

import psm_analysis as psm
from psm_analysis.efa.extraction import extract
from psm_analysis.rotation import rotate

R_SCRIPT = """
suppressMessages({library(psych); library(GPArotation)})
x <- read.csv(commandArgs(TRUE)[1]); k <- as.integer(commandArgs(TRUE)[2]); n <- as.integer(commandArgs(TRUE)[3])
invisible(fa(x, k)); L <- fa(x, k, rotate = "none")$loadings; R <- cor(x)
ms <- function(f) median(sapply(1:n, function(i) system.time(f())["elapsed"])) * 1000
cat(ms(function() fa(x, k)), ms(function() fa(R, k, n.obs = nrow(x))), ms(function() oblimin(L)), "\\n")
"""


def survey(items: int, factors: int, *, cases: int) -> pd.DataFrame:
    """Draw answers of correlated factors with simple structure."""
    rng = np.random.default_rng(1)
    L = np.kron(np.eye(factors), np.full((items // factors, 1), 0.65)) + rng.normal(scale=0.07, size=(items, factors))
    R = L @ (np.full((factors, factors), 0.3) + 0.7 * np.eye(factors)) @ L.T
    np.fill_diagonal(R, 1.0)
    return pd.DataFrame(rng.standard_normal((cases, items)) @ np.linalg.cholesky(R).T).add_prefix("q")


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of one call after a first one."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def in_r(data: pd.DataFrame, factors: int, *, repeats: int) -> list[float] | None:
    """Time psych::fa from answers and from the matrix, and GPArotation::oblimin; None without them."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        answers, script = Path(folder) / "answers.csv", Path(folder) / "peer.R"
        data.to_csv(answers, index=False)
        script.write_text(R_SCRIPT)
        command = ["Rscript", str(script), str(answers), str(factors), str(repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [float(word) for word in done.stdout.split()] if done.returncode == 0 else None


def main() -> None:
    """Time everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("items", 40), ("factors", 5), ("cases", 1000), ("repeats", 15)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    data = survey(given.items, given.factors, cases=given.cases)
    R = data.corr()
    unrotated = extract(R.to_numpy(), given.factors).loadings
    here = {
        "minres + oblimin, answers": milliseconds(lambda: psm.efa(data, given.factors), given.repeats),
        "minres + oblimin, matrix": milliseconds(lambda: psm.efa(R, given.factors, nobs=given.cases), given.repeats),
        "oblimin alone": milliseconds(lambda: rotate(unrotated, method="oblimin"), given.repeats),
        "oblimin, 30 starts": milliseconds(lambda: rotate(unrotated, method="oblimin", n_starts=30), given.repeats),
        "retention, 100 replicates": milliseconds(lambda: psm.retention(data, seed=1), given.repeats),
    }
    table = pd.DataFrame({"psm_analysis": here})
    peer = in_r(data, given.factors, repeats=given.repeats)
    if peer:
        table["psych"] = pd.Series(dict(zip(here, peer, strict=False)))
    if find_spec("factor_analyzer"):
        from factor_analyzer import Rotator

        table.loc["oblimin alone", "factor_analyzer"] = milliseconds(
            lambda: Rotator(method="oblimin").fit_transform(unrotated), given.repeats
        )
    for name in table.columns[1:]:
        table[f"{name} / here"] = table[name] / table["psm_analysis"]
    print(table.to_string(float_format="{:.1f}".format, na_rep=""))


if __name__ == "__main__":
    main()
