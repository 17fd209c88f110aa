"""Matrices that are given, of loadings or their target: numbers of items by factors, or a named error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from psm_analysis.errors import DataError

FloatArray = NDArray[np.float64]


def read_matrix(value: Any, *, argument: str, remedy: str) -> FloatArray:
    """Return a table of numbers as an array; NaN may stand in it.

    Raises
    ------
    DataError
        If something in it is no number.

    Examples
    --------
    >>> read_matrix([[0.8, None]], argument="target", remedy="").tolist()
    [[0.8, nan]]
    """
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{argument} holds something that is no number: {error}.", where=f"argument {argument!r}", remedy=remedy
        ) from error


def read_loadings(loadings: Any, *, argument: str = "loadings") -> FloatArray:
    """Return loadings as an array of shape ``(items, factors)``.

    Raises
    ------
    DataError
        If they are not numbers, or not a finite matrix.

    Examples
    --------
    >>> read_loadings([[0.8, 0.0], [0.7, 0.1]]).shape
    (2, 2)
    """
    remedy = "Give a table of items by factors, such as efa(...).loadings."
    A = read_matrix(loadings, argument=argument, remedy=remedy)
    if A.ndim != 2 or not A.size or not np.isfinite(A).all():
        raise DataError(
            "Loadings must be a finite matrix of items by factors.",
            where=f"argument {argument!r}",
            remedy=f"Its shape is {A.shape}; look for missing or infinite values.",
        )
    return A
