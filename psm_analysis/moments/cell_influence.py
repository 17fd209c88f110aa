"""Influence functions of thresholds and polychoric correlations by category and by cell (Muthén 1984)."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from psm_analysis.moments.pair_likelihood import cell_probabilities
from psm_analysis.moments.sample import BoolArray, FloatArray


def margin_influence(thresholds: FloatArray, counts: FloatArray, *, own: BoolArray) -> FloatArray:
    """Return (M, K, K-1): what an answer in each category adds to each threshold of its item, ``A11^-1 s``.

    Parameters
    ----------
    thresholds, own
        (M, K-1) padded thresholds, and which of them the item has.
    counts
        (M, K) answers in each category.

    Examples
    --------
    >>> part = margin_influence(np.zeros((1, 1)), np.array([[50.0, 50.0]]), own=np.ones((1, 1), dtype=bool))
    >>> (100 * part[0, :, 0] ** 2).round(4).tolist()  # (pi/2) / 100 by case
    [0.0157, 0.0157]
    """
    m, inner = thresholds.shape
    edges = np.hstack([np.zeros((m, 1)), ndtr(thresholds), np.ones((m, 1))])
    proportion = np.diff(edges, axis=1)
    density = np.where(own, np.exp(-0.5 * thresholds**2) / np.sqrt(2.0 * np.pi), 0.0)
    inverse = 1.0 / np.where(proportion > 0.0, proportion, np.inf)
    score = np.zeros((m, inner + 1, inner))
    k = np.arange(inner)
    score[:, k, k] = density * inverse[:, :-1]
    score[:, k + 1, k] = -density * inverse[:, 1:]
    a11 = np.swapaxes(score, 1, 2) @ (counts[:, :, None] * score)
    a11[:, k, k] += ~own
    return np.asarray(score @ np.linalg.inv(a11))


def pair_influence(
    tables: FloatArray,
    thresholds: tuple[FloatArray, FloatArray],
    *,
    rho: FloatArray,
    margins: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Return (M, K+1, K+1): what a case in each cell adds to the correlation; the last row and column are missing.

    The estimating equations are the scores of each item's margin over its thresholds and of each pair's table over its
    correlation, with the block-triangular derivative ``A = [[A11, 0], [A21, A22]]`` estimated by sums of products of
    casewise scores, as lavaan does: ``(s - A21 A11^-1 s_margins) / A22``.

    Parameters
    ----------
    tables, thresholds, rho
        (M, K, K) frequencies, (M, K-1) thresholds of the row and of the column items, (M,) correlations.
    margins
        (M, K, K-1) `margin_influence` of the row and of the column items.

    Examples
    --------
    >>> cells = np.full((1, 2, 2), 25.0)
    >>> flat = np.zeros((1, 1))
    >>> margin = margin_influence(flat, np.array([[50.0, 50.0]]), own=np.ones((1, 1), dtype=bool))
    >>> phi = pair_influence(cells, (flat, flat), rho=np.zeros(1), margins=(margin, margin))
    >>> round(float(100 * (cells * phi[:, :2, :2] ** 2).sum()), 4)  # (pi/2)^2
    2.4674
    """
    count, width, _ = tables.shape
    probability, slope = cell_probabilities(*thresholds, rho=rho)
    score = slope / probability
    weight = tables * score / probability
    a22 = (tables * score**2).sum(axis=(1, 2))
    by_row = _one_side(*thresholds, rho=rho, weight=weight)
    by_column = _one_side(*thresholds[::-1], rho=rho, weight=weight.transpose(0, 2, 1))
    found = np.zeros((count, width + 1, width + 1))
    found[:, :width, :width] = score
    found[:, :width] -= margins[0] @ by_row[:, :, None]
    found[:, :, :width] -= (margins[1] @ by_column[:, :, None]).transpose(0, 2, 1)
    return np.asarray(found / np.where(a22 > 0.0, a22, np.inf)[:, None, None])


def _one_side(a: FloatArray, b: FloatArray, *, rho: FloatArray, weight: FloatArray) -> FloatArray:
    """d(cell probability)/d(threshold a) summed over the cells on either side, weighted by n * score / probability."""
    r = rho[:, None, None]
    conditional = ndtr((b[:, None, :] - r * a[:, :, None]) / np.sqrt((1.0 - r) * (1.0 + r)))
    ends = (*a.shape, 1)
    edges = np.concatenate([np.zeros(ends), conditional, np.ones(ends)], axis=2)
    density = np.exp(-0.5 * a**2)[:, :, None] / np.sqrt(2.0 * np.pi)
    change = density * np.diff(edges, axis=2)
    return np.asarray((change * (weight[:, :-1] - weight[:, 1:])).sum(axis=2))
