"""Answers as category numbers, equal rows counted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._equal_rows import equal_rows
from psm_analysis.errors import DataError
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray, read_sample

MOST_CATEGORIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class ResponsePatterns:
    """Distinct rows of answers.

    Attributes
    ----------
    names, categories
        Items, and for each its categories in order.
    codes
        (P, p) category numbers from 0, -1 where missing.
    counts
        (P,) how many people gave each pattern.
    row_pattern
        (N,) pattern of each row of the data that has an answer.
    index
        Of these rows.
    """

    names: tuple[str, ...]
    categories: tuple[FloatArray, ...]
    codes: IntArray
    counts: FloatArray
    row_pattern: IntArray
    index: pd.Index

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of categories of each item."""
        return tuple(len(own) for own in self.categories)

    def indicators(self) -> NDArray[np.float64]:
        """Return (P, sum of categories) 0/1 columns, item after item; a missing answer has none."""
        return np.hstack([(self.codes[:, [j]] == np.arange(m)).astype(float) for j, m in enumerate(self.sizes)])


def read_patterns(
    data: pd.DataFrame, *, categories: tuple[FloatArray, ...] | None = None, min_items: int = 3
) -> ResponsePatterns:
    """Read integer answers; a row without any answer is left out.

    Parameters
    ----------
    data
        Items in columns, NaN missing.
    categories
        Those of a fitted model, for new answers; otherwise the values that occur.
    min_items
        Fewest items that will do.

    Raises
    ------
    DataError
        If an item is not numeric, constant, has fractions or more than twenty values, or, for new answers, a value
        that the model does not know.

    Examples
    --------
    >>> found = read_patterns(pd.DataFrame({"a": [1, 2, 2], "b": [3, 5, 5], "c": [1, None, None]}, dtype=float),
    ...     categories=(np.array([1.0, 2.0]), np.array([3.0, 5.0]), np.array([0.0, 1.0])))
    >>> found.codes.tolist(), found.counts.tolist()
    ([[0, 0, 1], [1, 1, -1]], [1.0, 2.0])
    """
    sample = read_sample(data, min_items=min_items, allow_constant=categories is not None)
    known = categories or tuple(_categories(column, name) for column, name in _columns(sample.values, sample.names))
    codes = np.full(sample.values.shape, -1, dtype=np.int64)
    for j, (own, (column, name)) in enumerate(zip(known, _columns(sample.values, sample.names), strict=True)):
        seen = ~np.isnan(column)
        place = np.minimum(np.searchsorted(own, column[seen]), len(own) - 1)
        wrong = own[place] != column[seen]
        if wrong.any():
            raise DataError(
                f"The answer {column[seen][wrong][0]:g} is none of the categories {own.tolist()} of the model.",
                where=f"column {name!r}",
                remedy="Recode it, or fit the model to answers in which it occurs.",
            )
        codes[seen, j] = place
    kept: BoolArray = np.asarray((codes >= 0).any(axis=1))
    first, kind = equal_rows(codes[kept].T)
    counts = np.bincount(kind).astype(float)
    return ResponsePatterns(sample.names, known, codes[kept][first], counts, kind, sample.index[kept])


def _columns(values: FloatArray, names: tuple[str, ...]) -> list[tuple[FloatArray, str]]:
    return [(values[:, j], name) for j, name in enumerate(names)]


def _categories(column: FloatArray, name: str) -> FloatArray:
    found = np.unique(column[~np.isnan(column)])
    if (found != np.round(found)).any():
        raise DataError(
            f"The item holds the fraction {found[found != np.round(found)][0]:g}.",
            where=f"column {name!r}",
            remedy="A graded response model is for answers in whole categories.",
        )
    if len(found) > MOST_CATEGORIES:
        raise DataError(
            f"The item has {len(found)} different values.",
            where=f"column {name!r}",
            remedy=f"Merge them into at most {MOST_CATEGORIES} categories.",
        )
    return np.asarray(found, dtype=float)
