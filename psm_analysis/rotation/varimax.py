"""Varimax by singular value decompositions, stopped where R's ``varimax`` stops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def alternating_varimax(
    loadings: FloatArray, *, tolerance: float = 1e-5, max_iterations: int = 1000
) -> tuple[FloatArray, int]:
    r"""Return the orthogonal matrix that varimax by fixed-point iteration ends at, and the number of steps.

    T starts at the identity. With :math:`Z = AT`, the next :math:`T` is :math:`UV'` of the singular value decomposition
    :math:`A'\left(Z^3 - Z\,\mathrm{diag}(Z'Z)/p\right) = UDV'`. It stops when :math:`\mathrm{tr}\,D` grows by less than
    `tolerance` of itself.

    Parameters
    ----------
    loadings
        Unrotated loadings A, (items, factors).
    tolerance, max_iterations
        Of the relative growth, and of the steps.

    References
    ----------
    Horst (1965), Factor analysis of data matrices, chapter 18; the stopping rule is that of ``help(varimax)`` in R.

    Examples
    --------
    >>> A = np.array([[0.7, 0.4], [0.6, 0.4], [0.5, -0.5], [0.6, -0.5]])
    >>> (A @ alternating_varimax(A)[0]).round(2).tolist()
    [[0.79, -0.14], [0.72, -0.08], [0.06, -0.7], [0.14, -0.77]]
    """
    T, size = np.eye(loadings.shape[1]), 0.0
    iterations = 0
    while iterations < max_iterations:
        iterations += 1
        Z = loadings @ T
        left, singular, right = np.linalg.svd(loadings.T @ (Z**3 - Z * (Z**2).mean(0)))
        T, before, size = left @ right, size, float(singular.sum())
        if size < before * (1 + tolerance):
            break
    return np.asarray(T, dtype=float), iterations
