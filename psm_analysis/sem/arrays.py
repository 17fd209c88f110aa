"""The array types of the engine: real (or, for complex steps, complex) numbers, and places; the lower triangle."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]


@lru_cache(maxsize=64)
def lower_triangle(p: int) -> tuple[Index, Index]:
    """Return columns and rows of the lower triangle of a p x p matrix, by columns, the diagonal included."""
    column, row = np.triu_indices(p)
    column.flags.writeable = row.flags.writeable = False
    return column, row


def symmetric(lower: Array, p: int) -> Array:
    """Return the symmetric p x p matrix of a lower triangle by columns.

    Examples
    --------
    >>> symmetric(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    column, row = lower_triangle(p)
    found = np.empty((p, p))
    found[row, column] = found[column, row] = lower
    return found
