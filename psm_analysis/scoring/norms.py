"""Where a score lies in the reference wave: percentile, T, stanine.

References
----------
Stanines hold 4, 7, 12, 17, 20, 17, 12, 7 and 4 percent: Crocker, L., & Algina, J. (1986). Introduction to classical
and modern test theory. Holt, Rinehart & Winston, chapter 19.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from psm_analysis.scoring.model import Norms

Array = NDArray[np.float64]
STANINE_CUTS = (4, 11, 23, 40, 60, 77, 89, 96)


def norm_columns(norms: Norms, scores: Array) -> tuple[Array, Array, Array]:
    """Return percentile, T and stanine of each score; NaN where there is no score.

    The percentile is the mid-rank among the 99 percentiles of the reference, so 0.5 to 99.5; ``T = 50 + 10 (x - mean) /
    sd``; the stanine follows from the percentile.
    """
    quantiles = np.array(norms.quantiles)
    below, upto = (np.searchsorted(quantiles, scores, side=side) for side in ("left", "right"))
    known = ~np.isnan(scores)
    percentile = np.where(known, (below + upto) / 2 + 0.5, np.nan)
    stanine = np.where(known, 1.0 + np.searchsorted(STANINE_CUTS, np.nan_to_num(percentile), side="right"), np.nan)
    t = 50 + 10 * (scores - norms.mean) / norms.sd if norms.sd else np.full(len(scores), np.nan)
    return percentile, t, stanine
