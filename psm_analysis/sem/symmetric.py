"""Small symmetric matrices by LAPACK directly: a fit takes many of them, and the checks around each cost more than it.

Only the lower triangle is read.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dsyevd

from psm_analysis.sem.arrays import Array


def eigen(matrix: Array) -> tuple[Array, Array]:
    """Return eigenvalues, rising, and eigenvectors, in columns.

    Examples
    --------
    >>> eigen(np.array([[2.0, 1.0], [1.0, 2.0]]))[0].tolist()
    [1.0, 3.0]
    """
    values, vectors, failed = dsyevd(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("The eigenvalues of a matrix were not found.")
    return values, vectors


def least_eigenvalue(matrix: Array) -> float:
    """Return the smallest eigenvalue.

    Examples
    --------
    >>> round(least_eigenvalue(np.array([[2.0, 1.0], [1.0, 2.0]])), 12)
    1.0
    """
    values, _, failed = dsyevd(matrix, compute_v=0, lower=1)
    if failed:
        raise np.linalg.LinAlgError("The eigenvalues of a matrix were not found.")
    return float(values[0])


def positive_inverse(matrix: Array) -> tuple[Array, float]:
    """Return inverse and log-determinant by Cholesky factors; nan and inf of a matrix that is not positive definite.

    Examples
    --------
    >>> inverse, log_determinant = positive_inverse(np.array([[4.0, 0.0], [0.0, 16.0]]))
    >>> inverse.tolist(), round(log_determinant, 6)
    ([[0.25, 0.0], [0.0, 0.0625]], 4.158883)
    """
    factor, failed = dpotrf(matrix, lower=1)
    if failed:
        return np.full_like(matrix, np.nan), math.inf
    half, _ = dpotri(factor, lower=1)
    inverse = half + half.T
    np.fill_diagonal(inverse, half.diagonal())
    return inverse, 2.0 * float(np.log(factor.diagonal()).sum())


def log_determinant(matrix: Array) -> float:
    """Return the logarithm of the absolute determinant.

    Examples
    --------
    >>> round(log_determinant(np.array([[2.0, 0.0], [0.0, 4.0]])), 6)
    2.079442
    """
    factor, failed = dpotrf(matrix, lower=1)
    return float(np.linalg.slogdet(matrix)[1]) if failed else 2.0 * float(np.log(factor.diagonal()).sum())
