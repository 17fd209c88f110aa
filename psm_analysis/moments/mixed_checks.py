"""What two-step moments cannot be computed from, refused with the item named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from psm_analysis.errors import DataError, OptionError
from psm_analysis.moments.covariates import Covariates, check_collinear
from psm_analysis.moments.newton import BOUND
from psm_analysis.moments.ordinal import MAX_CATEGORIES, pair_indices
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray

PERFECT_POLYSERIAL = 0.995


def check_values(values: FloatArray, names: Sequence[str]) -> None:
    """Raise a DataError if a variable has infinite values or fewer than two answers, or a pair no common case.

    Examples
    --------
    >>> check_values(np.array([[1.0, 2.0], [2.0, 3.0]]), ["a", "b"])
    """
    if len(names) != values.shape[1]:
        raise OptionError(
            f"There are {len(names)} names for {values.shape[1]} columns.",
            where="argument 'names'",
            remedy="Give one name per column.",
        )
    for name, column in zip(names, values.T, strict=True):
        if np.isinf(column).any():
            raise DataError("The item has infinite values.", where=f"item {name!r}", remedy="Make them missing.")
        if np.count_nonzero(~np.isnan(column)) < 2:
            raise DataError("The item has fewer than two answers.", where=f"item {name!r}", remedy="Leave it out.")
    answered = (~np.isnan(values)).astype(np.float64)
    row, column = pair_indices(len(names))
    apart = np.flatnonzero((answered.T @ answered)[row, column] < 2)
    if apart.size:
        raise DataError(
            "Two items have fewer than two respondents in common, so their correlation cannot be estimated.",
            where=f"items {names[column[apart[0]]]!r} and {names[row[apart[0]]]!r}",
            remedy="Leave one of them out.",
        )


def category_counts(
    values: FloatArray, ordinal: BoolArray, *, n_categories: IntArray | None, names: Sequence[str]
) -> IntArray:
    """Return (p,) numbers of categories, 0 for continuous columns; every code 0 ... K-1 must occur.

    Examples
    --------
    >>> answers = np.array([[0.0, 1.5], [1.0, 2.5]])
    >>> category_counts(answers, np.array([True, False]), n_categories=None, names=["a", "b"]).tolist()
    [2, 0]
    """
    counts = np.zeros(len(names), dtype=np.int64)
    for j in np.flatnonzero(ordinal).tolist():
        seen = values[~np.isnan(values[:, j]), j]
        place = f"item {names[j]!r}"
        if (seen != np.round(seen)).any() or seen.min() < 0:
            raise DataError(
                "An ordinal item must hold the category numbers 0 ... K-1.",
                where=place,
                remedy="Number the categories, or treat the item as continuous.",
            )
        frequency = np.bincount(seen.astype(np.int64), minlength=0 if n_categories is None else int(n_categories[j]))
        counts[j] = len(frequency)
        _check_frequencies(frequency, place=place, expected=None if n_categories is None else int(n_categories[j]))
    return counts


def _check_frequencies(frequency: IntArray, *, place: str, expected: int | None) -> None:
    text = " ".join(str(count) for count in frequency[:MAX_CATEGORIES])
    if expected is not None and len(frequency) > expected:
        raise DataError(
            f"The item has the code {len(frequency) - 1}, beyond its last category {expected - 1}.",
            where=place,
            remedy="Correct the number of categories or the code.",
        )
    if np.count_nonzero(frequency) < 2:
        raise DataError("The item has a single category.", where=place, remedy="Leave it out.")
    if (frequency == 0).any():
        raise DataError(
            f"A category of the item is empty: the frequencies are {text}.",
            where=place,
            remedy="Merge it with a neighbour, or renumber the categories.",
        )
    if len(frequency) > MAX_CATEGORIES:
        raise DataError(
            f"The item has {len(frequency)} categories, more than {MAX_CATEGORIES}.",
            where=place,
            remedy="Treat it as continuous, or merge categories.",
        )


def case_weights(weights: FloatArray | None, *, n_rows: int) -> FloatArray:
    """Return weights with the mean 1.

    Examples
    --------
    >>> case_weights(np.array([1.0, 3.0]), n_rows=2).tolist()
    [0.5, 1.5]
    """
    if weights is None:
        return np.ones(n_rows)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (n_rows,) or not np.isfinite(w).all() or (w <= 0.0).any():
        raise DataError(
            "Sampling weights must be positive numbers, one per row.",
            where="argument 'weights'",
            remedy="Leave out the rows with a weight that is missing, zero or negative.",
        )
    return np.asarray(w * (n_rows / w.sum()))


def check_covariates(
    values: FloatArray, covariates: Covariates, *, names: Sequence[str], x_names: Sequence[str] | None
) -> None:
    """Raise a DataError if covariates are collinear among the rows that answered an item.

    Examples
    --------
    >>> from psm_analysis.moments.covariates import read_covariates
    >>> x = read_covariates(np.array([[0.0], [1.0], [2.0]]), n_rows=3)
    >>> check_covariates(np.array([[1.0], [2.0], [np.nan]]), x, names=["a"], x_names=None)
    """
    labels = [f"x{j + 1}" for j in range(covariates.count)] if x_names is None else list(x_names)
    for name, column in zip(names, values.T, strict=True):
        missing = np.isnan(column)
        if covariates.count and missing.any():
            check_collinear(covariates.values[~missing], labels, rows_of=name)


def check_correlations(correlations: FloatArray, ordinal: BoolArray, *, names: Sequence[str]) -> None:
    """Raise a DataError that names a pair with a continuous member that is perfectly correlated.

    For a product-moment correlation this is the bound of the estimation, +-0.9999, for a polyserial one +-0.995, where
    lavaan stops: with thresholds held fixed, even an item that was cut from the other does not reach 1.

    Examples
    --------
    >>> check_correlations(np.eye(2), np.array([True, False]), names=["a", "b"])
    """
    row, column = pair_indices(len(names))
    size = np.abs(correlations[row, column])
    polyserial = ordinal[row] != ordinal[column]
    limit = np.where(polyserial, PERFECT_POLYSERIAL, np.where(ordinal[row], np.inf, BOUND))
    perfect = np.flatnonzero(size >= limit)
    if perfect.size:
        i, j = int(column[perfect[0]]), int(row[perfect[0]])
        raise DataError(
            f"The {'polyserial' if polyserial[perfect[0]] else 'product-moment'} correlation of two items is perfect: "
            f"{correlations[i, j]:.4f}.",
            where=f"items {names[i]!r} and {names[j]!r}",
            remedy="Leave one of them out: they measure the same thing.",
        )
