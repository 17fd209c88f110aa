"""Reading a table of items into a numeric matrix, with errors that name the column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from psm_analysis.errors import DataError
from psm_analysis.moments.ordered_categories import categories_as_numbers, is_ordered

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Answers as a matrix: rows are respondents, columns are items, NaN is a missing answer."""

    names: tuple[str, ...]
    values: FloatArray
    index: pd.Index

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    @property
    def n_items(self) -> int:
        """Number of items."""
        return int(self.values.shape[1])

    @property
    def observed(self) -> BoolArray:
        """True where an answer is present."""
        return ~np.isnan(self.values)

    @property
    def is_complete(self) -> bool:
        """Whether no answer is missing."""
        return bool(self.observed.all())

    def complete(self) -> Sample:
        """Return the rows without a missing answer."""
        keep: BoolArray = np.asarray(self.observed.all(axis=1))
        return Sample(self.names, self.values[keep], self.index[keep])

    def position(self, name: object, *, argument: str) -> int:
        """Return the column of an item, or raise an error that names the argument it was asked in."""
        if str(name) not in self.names:
            raise DataError(
                f"The item {name!r} is not among the columns.",
                where=f"argument {argument!r}",
                remedy=f"The columns are: {', '.join(self.names[:12])}.",
            )
        return self.names.index(str(name))


def read_sample(
    data: pd.DataFrame | pd.Series | FloatArray, *, min_items: int = 1, allow_constant: bool = False
) -> Sample:
    """Check a table of items and return it as a matrix of floats.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; NaN is missing. An ordered Categorical counts by its categories: by
        their own numbers if these rise, otherwise 1, 2, 3, ...
    min_items
        The least number of items that the caller can use.
    allow_constant
        Whether an item on which everybody gave the same answer is accepted.

    Raises
    ------
    DataError
        Naming the column that holds text, infinite values, no value at all, or only one value; or
        when there are no rows, too few items, two columns of one name, or correlations instead of answers.

    Examples
    --------
    >>> sample = read_sample(pd.DataFrame({"a": [1, 2, None], "b": [3, 1, 2]}))
    >>> sample.names, sample.n_rows, sample.is_complete
    (('a', 'b'), 3, False)
    """
    frame = as_frame(data)
    names = tuple(str(column) for column in frame.columns)
    _check_shape(frame, names, min_items=min_items)
    values = np.column_stack([_numbers(frame.iloc[:, j], name) for j, name in enumerate(names)])
    for j, name in enumerate(names):
        _check_values(values[:, j], name, allow_constant=allow_constant)
    if is_moment_matrix(values):
        raise DataError(
            "The table is a matrix of correlations or covariances, and rows of answers are needed.",
            where="argument 'data'",
            remedy="Pass the answers; efa(), retention() and sampling_adequacy() take a matrix with nobs=.",
        )
    return Sample(names, values, frame.index)


def is_moment_matrix(values: FloatArray) -> bool:
    """Tell whether numbers are a matrix of correlations or covariances of three items or more, not answers.

    Examples
    --------
    >>> is_moment_matrix(np.eye(3)), is_moment_matrix(np.ones((4, 2)))
    (True, False)
    """
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) < 3 or not np.isfinite(values).all():
        return False
    variances = np.diag(values)
    if variances.min() <= 0.0 or not np.allclose(values, values.T, rtol=1e-6, atol=1e-6):
        return False
    limit = np.sqrt(np.outer(variances, variances))
    return bool((np.abs(values) <= limit * (1 + 1e-6)).all())


def as_frame(data: object, *, argument: str = "data") -> pd.DataFrame:
    """Return a table as a DataFrame; the columns of an array are named x1, x2, ...

    Raises
    ------
    DataError
        If it is no table of rows and columns.

    Examples
    --------
    >>> as_frame(np.zeros((2, 3))).columns.tolist()
    ['x1', 'x2', 'x3']
    """
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, pd.Series):
        return data.to_frame(name="x" if data.name is None else data.name)
    array = np.asarray(data) if isinstance(data, np.ndarray) else np.array(data, dtype=object)
    if array.ndim != 2:
        raise DataError(
            "The data are not a table of rows and columns.",
            where=f"argument {argument!r}",
            remedy="Pass a DataFrame of items.",
        )
    return pd.DataFrame(array, columns=[f"x{j + 1}" for j in range(array.shape[1])])


def check_columns(frame: pd.DataFrame) -> None:
    """Raise if two columns have the same name.

    Examples
    --------
    >>> check_columns(pd.DataFrame(columns=["a", "b"]))
    """
    names = [str(column) for column in frame.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            "Two columns have the same name.", where=f"column {repeated[0]!r}", remedy="Rename or drop one of them."
        )


def _check_shape(frame: pd.DataFrame, names: tuple[str, ...], *, min_items: int) -> None:
    check_columns(frame)
    if len(names) < min_items:
        raise DataError(
            f"{len(names)} item(s) are given, at least {min_items} are needed.",
            where=f"columns {', '.join(names) or 'none'}",
            remedy="Add items.",
        )
    if len(frame) == 0:
        raise DataError("The table has no rows.", where="argument 'data'", remedy="Check how it was read or filtered.")


def _numbers(column: pd.Series, name: str) -> FloatArray:
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    if isinstance(column.dtype, pd.CategoricalDtype):
        if is_ordered(column) or not pd.api.types.is_numeric_dtype(column.cat.categories):
            return categories_as_numbers(column, name)
        column = column.astype(object)
    numbers = pd.to_numeric(column, errors="coerce") if column.dtype == object else None
    present = column.notna()
    if numbers is not None and not column[present].map(lambda value: isinstance(value, str)).any():
        if bool(numbers[present].notna().all()):
            return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
        present &= numbers.isna()
    if not bool(present.any()):
        return np.full(len(column), np.nan)
    row = int(np.flatnonzero(present.to_numpy())[0])
    raise DataError(
        f"The item is not numeric: it holds {column.iloc[row]!r}.",
        where=f"column {name!r}, row {column.index[row]!r}",
        remedy="Code the answers as numbers and missing answers as NaN, or give an ordered pd.Categorical.",
    )


def _check_values(column: FloatArray, name: str, *, allow_constant: bool) -> None:
    present = column[~np.isnan(column)]
    if present.size == 0:
        raise DataError("The item has no answers at all.", where=f"column {name!r}", remedy="Leave it out.")
    if np.isinf(present).any():
        raise DataError("The item holds an infinite value.", where=f"column {name!r}", remedy="Code it as missing.")
    if not allow_constant and present.min() == present.max():
        raise DataError(
            f"The item is constant: every answer is {present[0]:g}.",
            where=f"column {name!r}",
            remedy="Leave it out; it carries no information about differences.",
        )
