"""Loadings that are given: a finite matrix of items by factors, or a named error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from psm_analysis.errors import DataError

FloatArray = NDArray[np.float64]


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
    try:
        A = np.asarray(loadings, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Loadings are not numbers: {error}.",
            where=f"argument {argument!r}",
            remedy="Give a table of items by factors, such as efa(...).loadings.",
        ) from error
    if A.ndim != 2 or not A.size or not np.isfinite(A).all():
        raise DataError(
            "Loadings must be a finite matrix of items by factors.",
            where=f"argument {argument!r}",
            remedy=f"Its shape is {A.shape}; look for missing or infinite values.",
        )
    return A
