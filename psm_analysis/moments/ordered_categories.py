"""Columns of pandas' ordered ``Categorical`` as numbers: answers in words whose order is known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from psm_analysis.errors import DataError

FloatArray = npt.NDArray[np.float64]


def is_ordered(column: pd.Series) -> bool:
    """Tell whether a column is a Categorical whose categories have an order.

    Examples
    --------
    >>> is_ordered(pd.Series(pd.Categorical(["low", "high"], categories=["low", "high"], ordered=True)))
    True
    """
    return isinstance(column.dtype, pd.CategoricalDtype) and bool(column.dtype.ordered)


def ordered_columns(data: object, names: Iterable[str]) -> tuple[str, ...]:
    """Return which of some columns are ordered Categoricals."""
    if not isinstance(data, pd.DataFrame) or not any(isinstance(kind, pd.CategoricalDtype) for kind in data.dtypes):
        return ()
    return tuple(n for n in names if n in data.columns and data[n].ndim == 1 and is_ordered(data[n]))


def category_numbers(answers: pd.Index) -> FloatArray:
    """Return the number of each category: its own if they are rising numbers, otherwise its place, from 1.

    Examples
    --------
    >>> category_numbers(pd.Index([0, 1, 4])).tolist(), category_numbers(pd.Index(["never", "always"])).tolist()
    ([0.0, 1.0, 4.0], [1.0, 2.0])
    """
    if pd.api.types.is_numeric_dtype(answers) and answers.is_monotonic_increasing:
        return np.asarray(answers, dtype=np.float64)
    return np.arange(1.0, len(answers) + 1.0)


def category_text(column: pd.Series, number: float) -> str:
    """Return a category as the data have it: in words, or as a number."""
    if not is_ordered(column):
        return f"{number:g}"
    answers = column.cat.categories
    return str(answers[int(np.flatnonzero(category_numbers(answers) == number)[0])])


def categories_as_numbers(column: pd.Series, name: str) -> FloatArray:
    """Return the answers of an ordered Categorical as numbers, nan where missing.

    Raises
    ------
    DataError
        If the categories have no order.

    Examples
    --------
    >>> answers = pd.Series(pd.Categorical(["是", None], categories=["否", "是"], ordered=True))
    >>> categories_as_numbers(answers, "a").tolist()
    [2.0, nan]
    """
    if not is_ordered(column):
        raise DataError(
            f"The categories of {name!r} have no order.",
            where=f"column {name!r}, with {', '.join(repr(a) for a in column.cat.categories[:4])}",
            remedy=f"If they have one, say it: pd.Categorical(data[{name!r}], categories=[...], ordered=True); "
            "if they are names, use 0/1 indicators (pd.get_dummies).",
        )
    codes = np.asarray(column.cat.codes)
    numbers = np.append(category_numbers(column.cat.categories), np.nan)
    return np.asarray(numbers[codes])
