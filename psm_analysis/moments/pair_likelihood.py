"""The likelihood of a two-way table of ordered categories over its correlation, for many tables at once."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf, bivariate_normal_pdf
from psm_analysis.moments.newton import maximise_correlations
from psm_analysis.moments.sample import FloatArray, IntArray

MIN_PROBABILITY = float(np.finfo(np.float64).eps)


def fill_empty_cell(tables: FloatArray, categories: tuple[IntArray, IntArray]) -> FloatArray:
    """Add 0.5 to the single empty cell of a 2 x 2 table, keeping its margins; leave other tables alone.

    `categories` are the numbers of categories of the row and the column item of every table.

    Examples
    --------
    >>> fill_empty_cell(np.array([[[4.0, 0.0], [3.0, 5.0]]]), (np.array([2]), np.array([2]))).tolist()
    [[[3.5, 0.5], [3.5, 4.5]]]
    """
    corner = tables[:, :2, :2]
    single = (categories[0] == 2) & (categories[1] == 2) & ((corner == 0).sum(axis=(1, 2)) == 1)
    if not single.any():
        return tables
    sign = np.array([[1.0, -1.0], [-1.0, 1.0]])
    on_diagonal = (corner[:, 0, 0] == 0) | (corner[:, 1, 1] == 0)
    shift = np.where(on_diagonal, 0.5, -0.5)[:, None, None] * sign
    filled = tables.copy()
    filled[:, :2, :2] += np.where(single[:, None, None], shift, 0.0)
    return filled


def fit_correlations(tables: FloatArray, thresholds: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Maximise each table's likelihood over its correlation: Fisher scoring, bisection where a step overshoots.

    Parameters
    ----------
    tables
        (M, K, K) frequencies.
    thresholds
        (M, K-1) thresholds of the row items and of the column items, padded above.

    Examples
    --------
    >>> table = np.array([[[30.0, 10.0], [10.0, 30.0]]])
    >>> fit_correlations(table, (np.zeros((1, 1)), np.zeros((1, 1)))).round(6).tolist()
    [0.707107]
    """

    def score(rho: FloatArray, active: IntArray) -> tuple[FloatArray, FloatArray]:
        return _rho_score(tables[active], (thresholds[0][active], thresholds[1][active]), rho=rho)

    return maximise_correlations(score, len(tables))


def cell_probabilities(
    row_thresholds: FloatArray, column_thresholds: FloatArray, *, rho: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (M, K, K) cell probabilities and their derivatives with respect to the correlations.

    Examples
    --------
    >>> probability, slope = cell_probabilities(np.zeros((1, 1)), np.zeros((1, 1)), rho=np.zeros(1))
    >>> probability.tolist()
    [[[0.25, 0.25], [0.25, 0.25]]]
    """
    count, inner = row_thresholds.shape
    a, b, r = row_thresholds[:, :, None], column_thresholds[:, None, :], rho[:, None, None]
    corners = np.zeros((count, inner + 2, inner + 2))
    corners[:, 1:-1, 1:-1] = bivariate_normal_cdf(a, b, rho=r)
    corners[:, 1:-1, -1] = ndtr(row_thresholds)
    corners[:, -1, 1:-1] = ndtr(column_thresholds)
    corners[:, -1, -1] = 1.0
    density = np.zeros_like(corners)
    density[:, 1:-1, 1:-1] = bivariate_normal_pdf(a, b, rho=r)
    probability, slope = (np.diff(np.diff(x, axis=1), axis=2) for x in (corners, density))
    return np.maximum(probability, MIN_PROBABILITY), slope


def _rho_score(
    tables: FloatArray, thresholds: tuple[FloatArray, FloatArray], *, rho: FloatArray
) -> tuple[FloatArray, FloatArray]:
    probability, slope = cell_probabilities(*thresholds, rho=rho)
    ratio = slope / probability
    gradient = (tables * ratio).sum(axis=(1, 2))
    information = tables.sum(axis=(1, 2)) * (slope * ratio).sum(axis=(1, 2))
    return gradient, information
