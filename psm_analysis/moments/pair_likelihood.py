"""The likelihood of a two-way table of ordered categories over its correlation, for many tables at once."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf, bivariate_normal_pdf
from psm_analysis.moments.corner_probabilities import Corners
from psm_analysis.moments.newton import maximise_correlations
from psm_analysis.moments.sample import FloatArray, IntArray

MIN_PROBABILITY = float(np.finfo(np.float64).eps)
BLOCK = 2_000
CURVED, LAST_STEP = 0.3, 1e-9
"""Share of the expected curvature from which the observed one makes a Newton step; the error after the last one is of
the order of its square."""


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


def fit_correlations(
    tables: FloatArray, thresholds: tuple[FloatArray, FloatArray], *, start: FloatArray | None = None
) -> FloatArray:
    """Maximise each table's likelihood over its correlation: Newton steps, bisection where one overshoots.

    Where the likelihood is not concave the expected curvature takes the place of the observed one (Fisher scoring).

    Parameters
    ----------
    tables
        (M, K, K) frequencies.
    thresholds
        (M, K-1) thresholds of the row items and of the column items, padded above.
    start
        (M,) correlations to start at, 0 if not given.

    Examples
    --------
    >>> table = np.array([[[30.0, 10.0], [10.0, 30.0]]])
    >>> fit_correlations(table, (np.zeros((1, 1)), np.zeros((1, 1)))).round(6).tolist()
    [0.707107]
    """

    parts = []
    for first in range(0, len(tables), BLOCK):
        part = slice(first, first + BLOCK)
        begin = None if start is None else start[part]
        parts.append(_fit(tables[part], (thresholds[0][part], thresholds[1][part]), start=begin))
    return np.concatenate(parts)


def _fit(tables: FloatArray, thresholds: tuple[FloatArray, FloatArray], *, start: FloatArray | None) -> FloatArray:
    corners, total = Corners.of(*thresholds), tables.sum(axis=(1, 2))
    margins = ndtr(thresholds[0]), ndtr(thresholds[1])

    def score(rho: FloatArray, active: IntArray) -> tuple[FloatArray, FloatArray]:
        corners.move(rho, active)
        density = corners.density(rho, active)
        probability = _cells(corners.cdf[active], (margins[0][active], margins[1][active]))
        slope = _inner_cells(density)
        bend = _inner_cells(density * corners.bend(rho, active))
        ratio, counts = slope / probability, tables[active]
        expected = total[active] * (slope * ratio).sum(axis=(1, 2))
        observed = (counts * (ratio * ratio - bend / probability)).sum(axis=(1, 2))
        curvature = np.where(observed > CURVED * expected, observed, expected)
        return (counts * ratio).sum(axis=(1, 2)), curvature

    return maximise_correlations(score, len(tables), last_step=LAST_STEP, start=start)


def _cells(inner: FloatArray, margins: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Return (M, K, K) cell probabilities from the cumulative ones at the inner corners and on the margins."""
    corners = _framed(inner)
    corners[:, 1:-1, -1], corners[:, -1, 1:-1] = margins
    corners[:, -1, -1] = 1.0
    return np.maximum(_differences(corners), MIN_PROBABILITY)


def _inner_cells(inner: FloatArray) -> FloatArray:
    """Return (M, K, K) differences of what is 0 on the margins."""
    return _differences(_framed(inner))


def _framed(inner: FloatArray) -> FloatArray:
    count, rows, columns = inner.shape
    framed = np.zeros((count, rows + 2, columns + 2))
    framed[:, 1:-1, 1:-1] = inner
    return framed


def _differences(corners: FloatArray) -> FloatArray:
    lines = corners[:, 1:] - corners[:, :-1]
    return np.asarray(lines[:, :, 1:] - lines[:, :, :-1])


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
    a, b, r = row_thresholds[:, :, None], column_thresholds[:, None, :], rho[:, None, None]
    margins = ndtr(row_thresholds), ndtr(column_thresholds)
    probability = _cells(bivariate_normal_cdf(a, b, rho=r), margins)
    return probability, _inner_cells(bivariate_normal_pdf(a, b, rho=r))
