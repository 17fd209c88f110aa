"""P values of many items at once."""

from __future__ import annotations

import numpy as np

from psm_analysis.moments.sample import FloatArray


def holm(p: FloatArray) -> FloatArray:
    """Return Holm's adjusted p values; those that are NaN stay so and do not count.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, np.nan])).round(3).tolist()
    [0.02, 0.04, nan]
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted
