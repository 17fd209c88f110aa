"""Newton's method within bounds, for smooth functions of a few dozen variables with an analytic Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray, Callable[[], FloatArray]]]


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where a minimisation ended."""

    x: FloatArray
    value: float
    converged: bool
    iterations: int


def minimise_in_box(
    objective: Objective,
    start: FloatArray,
    *,
    lower: float,
    upper: float,
    tolerance: float = 1e-7,
    max_iterations: int = 200,
) -> Minimum:
    """Minimise by projected Newton steps (Bertsekas, 1982, SIAM Journal on Control and Optimization 20, 221-246).

    Variables at a bound with the gradient pointing outwards are held; the others take a Newton step with a Hessian made
    positive definite, halved until the value falls.

    Parameters
    ----------
    objective
        Returns value, gradient, and a function that computes the Hessian.
    start
        First point; it is moved inside the bounds.
    lower, upper
        Bounds, the same for all variables.
    tolerance
        Of the largest element of the projected gradient.

    Examples
    --------
    >>> def bowl(x):
    ...     return float(((x - 2) ** 2).sum()), 2 * (x - 2), lambda: 2 * np.eye(x.size)
    >>> minimise_in_box(bowl, np.zeros(2), lower=0.0, upper=1.0).x.tolist()
    [1.0, 1.0]
    """
    x = np.clip(start, lower, upper)
    value, gradient, hessian = objective(x)
    for iteration in range(max_iterations):
        free = ~(((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0)))
        if not free.any() or np.abs(gradient[free]).max() < tolerance:
            return Minimum(x, value, True, iteration)
        step = np.zeros_like(x)
        step[free] = -solve_positive(hessian()[np.ix_(free, free)], gradient[free])
        size = 1.0
        while True:
            trial = np.clip(x + size * step, lower, upper)
            new = objective(trial)
            if new[0] <= value + 1e-4 * float(gradient @ (trial - x)):
                break
            size /= 2
            if size < 1e-10:
                return Minimum(x, value, bool(np.abs(gradient[free]).max() < 1e3 * tolerance), iteration)
        x, (value, gradient, hessian) = trial, new
    return Minimum(x, value, False, max_iterations)


def solve_positive(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a symmetric system after making the matrix positive definite through its eigenvalues if it is not.

    Examples
    --------
    >>> solve_positive(np.array([[2.0, 0.0], [0.0, -4.0]]), np.array([2.0, 4.0])).tolist()
    [1.0, 1.0]
    """
    values, vectors = np.linalg.eigh(matrix)
    safe = np.maximum(np.abs(values), 1e-6 * np.abs(values).max())
    return np.asarray(vectors @ ((vectors.T @ right) / safe), dtype=float)
