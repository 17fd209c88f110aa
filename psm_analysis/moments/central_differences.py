"""Derivatives of a function that has none written down."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from psm_analysis.moments.sample import FloatArray


def central_differences(
    function: Callable[[FloatArray], FloatArray], at: FloatArray, *, step: float | FloatArray
) -> FloatArray:
    """Return the Jacobian ``(values, arguments)`` of a function of a vector, by steps of one size or one for each.

    Examples
    --------
    >>> def powers(x):
    ...     return np.array([x[0] ** 2, x[0] * x[1]])
    >>> central_differences(powers, np.array([3.0, 2.0]), step=1e-4).round(6).tolist()
    [[6.0, 0.0], [2.0, 3.0]]
    """
    sizes = np.broadcast_to(step, at.shape)
    ends = [(function(at + move), function(at - move)) for move in np.diag(sizes)]
    return np.stack([(up - down) / (2.0 * size) for (up, down), size in zip(ends, sizes, strict=True)], axis=1)
