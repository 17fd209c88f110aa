"""Casewise influence functions of thresholds and polychoric correlations (Muthén 1984)."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from psm_analysis.moments.ordinal import category_indicators, pair_indices
from psm_analysis.moments.pair_likelihood import cell_probabilities
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray


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

    The estimating equations are the scores of each item's margin over its thresholds and of each pair's table over its
    correlation, with the block-triangular derivative ``A = [[A11, 0], [A21, A22]]`` estimated by sums of
    products of casewise scores, as lavaan does. Row n is ``N * A^-1 s_n``. A missing answer contributes 0.

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
    n_rows = len(codes)
    own = np.arange(thresholds.shape[1]) < (n_categories - 1)[:, None]
    weight = np.ones(n_rows) if weights is None else weights
    margin_part = _threshold_influence(codes, thresholds, own=own, weights=weight)
    probability, slope = cell_probabilities(*_pair_thresholds(thresholds), rho=rho)
    score = slope / probability
    a22 = (tables * score**2).sum(axis=(1, 2))
    a21 = _cross_derivatives(thresholds, own, rho=rho, weight=tables * score / probability)
    pair_part = _casewise_scores(codes, score)
    pair_part *= weight[:, None]
    row, column = pair_indices(len(thresholds))
    for item in range(len(thresholds)):
        for side, cross in zip((row, column), a21, strict=True):
            here = np.flatnonzero(side == item)
            pair_part[:, here] -= margin_part[:, item] @ cross[here].T
    pair_part /= np.where(a22 > 0.0, a22, np.inf)
    return np.asarray(n_rows * np.hstack([margin_part[:, own], pair_part]))


def _pair_thresholds(thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
    row, column = pair_indices(len(thresholds))
    return thresholds[row], thresholds[column]


def _threshold_influence(codes: IntArray, thresholds: FloatArray, *, own: BoolArray, weights: FloatArray) -> FloatArray:
    """(N, p, K-1): scores of the margins times A11^-1."""
    p, inner = thresholds.shape
    edges = np.hstack([np.zeros((p, 1)), ndtr(thresholds), np.ones((p, 1))])
    proportion = np.diff(edges, axis=1)
    density = np.where(own, np.exp(-0.5 * thresholds**2) / np.sqrt(2.0 * np.pi), 0.0)
    inverse = 1.0 / np.where(proportion > 0.0, proportion, np.inf)
    table = np.zeros((p, inner + 1, inner))
    k = np.arange(inner)
    table[:, k, k] = density * inverse[:, :-1]
    table[:, k + 1, k] = -density * inverse[:, 1:]
    indicators = category_indicators(codes, inner + 1) * weights[:, None, None]
    a11 = np.einsum("jc,jck,jcl->jkl", indicators.sum(axis=0), table, table)
    a11[:, k, k] += ~own
    return np.asarray(np.matmul(indicators.transpose(1, 0, 2), table @ np.linalg.inv(a11)).transpose(1, 0, 2))


def _cross_derivatives(
    thresholds: FloatArray, own: BoolArray, *, rho: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(pairs, K-1) twice: A21, sums over cases of correlation score times threshold scores of row and column item."""
    row, column = pair_indices(len(thresholds))
    by_row = _one_side(thresholds[row], thresholds[column], rho=rho, weight=weight)
    by_column = _one_side(thresholds[column], thresholds[row], rho=rho, weight=weight.transpose(0, 2, 1))
    return by_row * own[row], by_column * own[column]


def _one_side(a: FloatArray, b: FloatArray, *, rho: FloatArray, weight: FloatArray) -> FloatArray:
    """d(cell probability)/d(threshold a) summed over the cells on either side, weighted by n * score / probability."""
    r = rho[:, None, None]
    conditional = ndtr((b[:, None, :] - r * a[:, :, None]) / np.sqrt((1.0 - r) * (1.0 + r)))
    ends = (*a.shape, 1)
    edges = np.concatenate([np.zeros(ends), conditional, np.ones(ends)], axis=2)
    density = np.exp(-0.5 * a**2)[:, :, None] / np.sqrt(2.0 * np.pi)
    change = density * np.diff(edges, axis=2)
    return np.asarray((change * (weight[:, :-1] - weight[:, 1:])).sum(axis=2))


def _casewise_scores(codes: IntArray, score: FloatArray) -> FloatArray:
    """(N, pairs): the score of the cell that each case is in, 0 where an answer is missing."""
    count, width, _ = score.shape
    row, column = pair_indices(codes.shape[1])
    lookup = np.zeros((count, width + 1, width + 1))
    lookup[:, :width, :width] = score
    filled = np.where(codes < 0, width, codes)
    start = np.arange(count) * (width + 1) ** 2
    return np.asarray(lookup.ravel()[start + filled[:, row] * (width + 1) + filled[:, column]])
