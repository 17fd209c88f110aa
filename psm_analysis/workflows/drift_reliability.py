"""Alpha of every scale in a new wave against the reference.

Feldt's (1969) test of two alphas assumes parallel items, which a total over several subscales does not have. The
standard error here holds for any covariance matrix of normal answers:

    var(alpha) = 2 k^2 / ((k - 1)^2 t^3 n) [t (tr S^2 + tr^2 S) - 2 tr S (1' S^2 1)],  t = 1' S 1

References
----------
Van Zyl, J. M., Neudecker, H., & Nel, D. G. (2000). On the distribution of the maximum likelihood estimator of
Cronbach's alpha. Psychometrika, 65, 271-280, eq. 21.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.scoring.model import ScoringModel

Array = NDArray[np.float64]
COLUMNS = ["scale", "items", "alpha_reference", "alpha", "statistic", "p_value"]


def scale_rows(model: ScoringModel, complete: Array) -> pd.DataFrame:
    """Return alpha of every scale of two or more items by the complete rows, and the one-sided test of its fall."""
    from scipy.special import ndtr

    S = np.array(model.reference.covariance)
    S_new = np.full_like(S, np.nan) if len(complete) < 2 else np.atleast_2d(np.cov(complete, rowvar=False))
    sizes = model.reference.complete_n, len(complete)
    rows = []
    for scale in (scale for scale in model.scales if len(scale.items) > 1):
        places = [model.item_ids.index(item) for item in scale.items]
        pair = [matrix[np.ix_(places, places)] for matrix in (S, S_new)]
        before, now = map(alpha, pair)
        error = sqrt(sum(alpha_variance(block) / n for block, n in zip(pair, sizes, strict=True) if n))
        z = (before - now) / error if error > 0 else np.nan
        rows.append((scale.id, len(places), before, now, z, float(ndtr(-z))))
    return pd.DataFrame(rows, columns=COLUMNS)


def alpha(S: Array) -> float:
    """Return coefficient alpha of a covariance matrix; NaN if the sum of the items does not vary."""
    k, total = len(S), float(S.sum())
    return k / (k - 1) * (1 - float(np.trace(S)) / total) if total > 0 else float("nan")


def alpha_variance(S: Array) -> float:
    """Return n times the sampling variance of alpha.

    Examples
    --------
    >>> k, r = 4, 0.5
    >>> S = np.full((k, k), r) + (1 - r) * np.eye(k)
    >>> a = alpha(S)
    >>> round(alpha_variance(S), 9) == round(2 * k * (1 - a) ** 2 / (k - 1), 9)
    True
    """
    k, total, trace = len(S), float(S.sum()), float(np.trace(S))
    square = S @ S
    inner = total * (float(np.trace(square)) + trace**2) - 2 * trace * float(square.sum())
    return 2 * k**2 / ((k - 1) ** 2 * total**3) * inner if total > 0 else float("nan")
