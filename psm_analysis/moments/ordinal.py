"""Ordered categories as arrays: codes, thresholds, and all two-way tables at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from psm_analysis.errors import DataError
from psm_analysis.moments.bivariate_normal import LIMIT
from psm_analysis.moments.sample import FloatArray, IntArray, Sample

MAX_CATEGORIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalCodes:
    """Answers as category numbers.

    Attributes
    ----------
    codes
        (N, p) category 0 ... K-1 of every answer, -1 where missing.
    n_categories
        (p,) number of categories K of every item.
    categories
        The answers that the numbers stand for, one tuple per item.
    """

    codes: IntArray
    n_categories: IntArray
    categories: tuple[tuple[float, ...], ...]


def ordinal_codes(sample: Sample) -> OrdinalCodes:
    """Number the categories that occur in each item from 0 upwards.

    Raises
    ------
    DataError
        If an item holds non-integer values, one category only, or more than 20.

    Examples
    --------
    >>> from psm_analysis.moments.sample import read_sample
    >>> ordinal_codes(read_sample(np.array([[1.0], [5.0], [np.nan], [3.0]]))).codes.ravel().tolist()
    [0, 2, -1, 1]
    """
    codes = np.full(sample.values.shape, -1, dtype=np.int64)
    categories = []
    for j, name in enumerate(sample.names):
        seen = sample.observed[:, j]
        levels, codes[seen, j] = np.unique(sample.values[seen, j], return_inverse=True)
        _check_levels(levels, name)
        categories.append(tuple(float(level) for level in levels))
    counts = np.array([len(levels) for levels in categories], dtype=np.int64)
    return OrdinalCodes(codes, counts, tuple(categories))


def _check_levels(levels: FloatArray, name: str) -> None:
    place = f"column {name!r}"
    if (levels != np.round(levels)).any():
        value = float(levels[levels != np.round(levels)][0])
        raise DataError(
            f"The item is not ordinal: it holds the non-integer value {value:g}.",
            where=place,
            remedy="Use integer category codes, or a Pearson correlation for a continuous score.",
        )
    if len(levels) < 2:
        raise DataError(
            f"The item has a single category: every answer is {levels[0]:g}.", where=place, remedy="Leave it out."
        )
    if len(levels) > MAX_CATEGORIES:
        raise DataError(
            f"The item has {len(levels)} categories, more than {MAX_CATEGORIES}.",
            where=place,
            remedy="Treat it as continuous, or merge categories.",
        )


def check_codes(codes: IntArray, n_categories: IntArray) -> None:
    """Raise a DataError if a category of a plain code matrix is empty or out of range.

    Examples
    --------
    >>> check_codes(np.array([[0, 1], [1, 0]]), np.array([2, 2]))
    """
    for j, k in enumerate(n_categories):
        counts = np.bincount(codes[codes[:, j] >= 0, j], minlength=int(k))
        if len(counts) > k or (counts == 0).any():
            raise DataError(
                f"{'A code is beyond the last category' if len(counts) > k else 'A category is empty'}.",
                where=f"column number {j + 1}",
                remedy="Merge or renumber the categories so that each of 0 ... K-1 occurs.",
            )


def category_indicators(codes: IntArray, width: int) -> FloatArray:
    """Return (N, p, width) indicators of the category chosen; all 0 where missing.

    Examples
    --------
    >>> category_indicators(np.array([[0], [-1]]), 2).tolist()
    [[[1.0, 0.0]], [[0.0, 0.0]]]
    """
    return np.asarray(codes[:, :, None] == np.arange(width), dtype=np.float64)


def thresholds_of(counts: FloatArray, n_categories: IntArray) -> FloatArray:
    """Return (..., p, K-1) thresholds from the (..., p, K) answers in each category.

    They are normal quantiles of the cumulative proportions, padded with the upper limit.

    Examples
    --------
    >>> thresholds_of(np.array([[1.0, 1.0, 2.0]]), np.array([3])).round(3).tolist()
    [[-0.674, 0.0]]
    """
    cumulative = np.cumsum(counts, axis=-1)[..., :-1] / counts.sum(axis=-1, keepdims=True)
    padded = np.arange(1, counts.shape[-1]) >= n_categories[:, None]
    return np.where(padded, LIMIT, np.clip(ndtri(cumulative), -LIMIT, LIMIT))


def pair_indices(p: int) -> tuple[IntArray, IntArray]:
    """Return rows and columns of the lower triangle, column by column: (1,0), (2,0), ..., (2,1), ...

    Examples
    --------
    >>> [a.tolist() for a in pair_indices(3)]
    [[1, 2, 2], [0, 0, 1]]
    """
    column, row = np.triu_indices(p, 1)
    return row.astype(np.int64), column.astype(np.int64)


def count_answers(codes: IntArray, width: int, *, weights: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return (p, width) answers in each category and the tables of `pair_tables`, cases weighted, rows span by span.

    Examples
    --------
    >>> counts, tables = count_answers(np.array([[0, 1], [1, 1], [1, -1]]), 2, weights=None)
    >>> counts.tolist(), tables.tolist()
    ([[1.0, 2.0], [0.0, 2.0]], [[[0.0, 0.0], [1.0, 1.0]]])
    """
    p = codes.shape[1]
    counts, tables = np.zeros((p, width)), np.zeros((p * (p - 1) // 2, width, width))
    for start in range(0, len(codes), ROWS):
        indicators = category_indicators(codes[start : start + ROWS], width)
        w = None if weights is None else weights[start : start + ROWS]
        counts += (indicators if w is None else indicators * w[:, None, None]).sum(axis=0)
        tables += pair_tables(indicators, w)
    return counts, tables


ROWS = 8192
"""Rows at a time."""


def pair_tables(indicators: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return (pairs, K, K) two-way tables of the pairs of `pair_indices`: row item by column item, cases weighted.

    Examples
    --------
    >>> pair_tables(category_indicators(np.array([[0, 1], [1, 1], [1, -1]]), 2)).tolist()
    [[[0.0, 0.0], [1.0, 1.0]]]
    """
    n, p, width = indicators.shape
    flat = indicators.reshape(n, p * width)
    weighted = flat if weights is None else flat * weights[:, None]
    tables = (flat.T @ weighted).reshape(p, width, p, width)
    row, column = pair_indices(p)
    return np.asarray(tables[row, :, column, :])
