"""Polychoric correlations timed here and in psych, on the same data in one run.

    python benchmarks/polychoric.py [--items 50 100 200] [--cases 2000] [--slowest-peer 50]

Five answers per item. The peer is psych::polychoric (correct = 0), if Rscript and psych are installed, for up to
``--slowest-peer`` items. Prints seconds, the ratio to this package, and the largest difference of correlations.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import psm_analysis as psm

R_SCRIPT = """
suppressMessages(library(psych))
x <- read.csv(commandArgs(TRUE)[1])
took <- system.time(R <- suppressWarnings(suppressMessages(polychoric(x, correct = 0)$rho)))["elapsed"]
write.csv(R, commandArgs(TRUE)[2], row.names = FALSE)
cat(took, "\\n")
"""


def survey(items: int, *, cases: int) -> pd.DataFrame:
    """Draw five-category answers of one common factor."""
    rng = np.random.default_rng(1)
    latent = 0.6 * rng.standard_normal((cases, 1)) + 0.8 * rng.standard_normal((cases, items))
    return pd.DataFrame(np.digitize(latent, [-1.5, -0.5, 0.5, 1.5]) + 1).add_prefix("q")


def in_r(data: pd.DataFrame) -> tuple[float, np.ndarray] | None:
    """Return the seconds and the correlations of psych::polychoric; None without it."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "data.csv", Path(folder) / "rho.csv"
        data.to_csv(given, index=False)
        run = subprocess.run(
            ["Rscript", "-e", R_SCRIPT, str(given), str(made)], capture_output=True, text=True, check=False
        )
        return (float(run.stdout.split()[-1]), pd.read_csv(made).to_numpy()) if run.returncode == 0 else None


def main() -> None:
    """Time each number of items here, and in the peer where it is not too slow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--items", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--slowest-peer", type=int, default=50)
    given = parser.parse_args()
    psm.polychoric(survey(4, cases=200))
    for items in given.items:
        data = survey(items, cases=given.cases)
        start = time.perf_counter()
        found = psm.polychoric(data, std_errors=False).correlations.to_numpy()
        own = time.perf_counter() - start
        peer = in_r(data) if items <= given.slowest_peer else None
        beside = "" if peer is None else f"; psych {peer[0]:8.2f} s, ratio {peer[0] / own:6.1f}, "
        apart = "" if peer is None else f"largest difference {np.abs(peer[1] - found).max():.1e}"
        print(f"{items:4d} items of {given.cases} cases: {own:6.2f} s{beside}{apart}")


if __name__ == "__main__":
    main()
