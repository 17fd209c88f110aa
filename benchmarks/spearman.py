"""Spearman correlations with missing answers timed here and in pandas, on the same data in one run.

    python benchmarks/spearman.py [--items 60] [--cases 10000]

Five answers per item, 2 % missing. Prints seconds of the processor, the ratio, and the largest difference.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

import psm_analysis as psm


def main() -> None:
    """Time both once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--cases", type=int, default=10_000)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    answers = rng.integers(1, 6, (given.cases, given.items)).astype(float)
    data = pd.DataFrame(np.where(rng.random(answers.shape) < 0.02, np.nan, answers)).add_prefix("q")
    psm.correlations(data.iloc[:100, :4], method="spearman")
    start = time.process_time()
    found = psm.correlations(data, method="spearman").matrix.to_numpy()
    own = time.process_time() - start
    start = time.process_time()
    peer = data.corr(method="spearman").to_numpy()
    beside = time.process_time() - start
    apart = np.abs(found - peer).max()
    print(f"here {own:.2f} s, pandas {beside:.2f} s, ratio {beside / own:.1f}, largest difference {apart:.1e}")


if __name__ == "__main__":
    main()
