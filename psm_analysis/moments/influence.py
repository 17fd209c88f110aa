"""Casewise influence functions of thresholds and polychoric correlations (Muthén 1984)."""

from __future__ import annotations

import numpy as np

from psm_analysis.moments.cell_influence import margin_influence, pair_influence
from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.sample import FloatArray, IntArray


def influence_functions(
    codes: IntArray,
    n_categories: IntArray,
    *,
    thresholds: FloatArray,
    tables: FloatArray,
    rho: FloatArray,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Return (N, q) influence functions; their mean cross-product is Gamma, N times the asymptotic covariance.

    Row n is ``N * A^-1 s_n``, which depends on the answers only: see `margin_influence` and `pair_influence`. A missing
    answer contributes 0.

    Parameters
    ----------
    codes, n_categories
        As in `ordinal_moments`.
    thresholds
        (p, K-1) padded thresholds.
    tables
        (pairs, K, K) observed two-way tables.
    rho
        (pairs,) correlations.
    weights
        (N,) sampling weights that the tables were counted with, or None.

    Examples
    --------
    >>> codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 25, axis=0)
    >>> cells = np.full((1, 2, 2), 25.0)
    >>> phi = influence_functions(codes, np.array([2, 2]), thresholds=np.zeros((2, 1)), tables=cells, rho=np.zeros(1))
    >>> (phi.T @ phi / 100).round(4).diagonal().tolist()  # pi/2 for a median split, (pi/2)^2 for the correlation
    [1.5708, 1.5708, 2.4674]
    """
    n_rows, width = len(codes), thresholds.shape[1] + 1
    own = np.arange(width - 1) < (n_categories - 1)[:, None]
    weight = np.ones(n_rows) if weights is None else weights
    filled = np.where(codes < 0, width, codes)
    counts = np.array([np.bincount(column, weights=weight, minlength=width + 1)[:width] for column in filled.T])
    margins = margin_influence(thresholds, counts, own=own)
    row, column = pair_indices(len(thresholds))
    cells = pair_influence(
        tables, (thresholds[row], thresholds[column]), rho=rho, margins=(margins[row], margins[column])
    )
    padded = np.concatenate([margins, np.zeros((len(margins), 1, width - 1))], axis=1)
    margin_part = padded[np.arange(len(margins)), filled][:, own]
    start = np.arange(len(cells)) * (width + 1) ** 2
    pair_part = cells.ravel()[start + filled[:, row] * (width + 1) + filled[:, column]]
    return np.asarray((n_rows * weight)[:, None] * np.hstack([margin_part, pair_part]))
