r"""Discrepancies as functions of the uniquenesses alone, the loadings being the best for them.

For given uniquenesses the best loadings follow from the leading eigenvectors of a reduced matrix, and the discrepancy
is a sum over its other eigenvalues (Jöreskog, 1977, Factor analysis by least-squares and maximum-likelihood methods;
Jöreskog & Goldberger, 1972, Psychometrika 37, 243-260). Gradient and Hessian follow from the derivatives of eigenvalues
and eigenvectors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Evaluation = tuple[float, FloatArray, Callable[[], FloatArray]]


def uls_profile(psi: FloatArray, *, S: FloatArray, n_factors: int) -> Evaluation:
    r"""Unweighted least squares: :math:`\tfrac12\sum_{m>k}\lambda_m^2`, eigenvalues of :math:`S-\Psi`.

    The gradient is with respect to the uniquenesses.
    """
    values, vectors = np.linalg.eigh(S - np.diag(psi))
    drop, keep = values[:-n_factors], values[-n_factors:]
    W, K = vectors[:, :-n_factors], vectors[:, -n_factors:]

    def hessian() -> FloatArray:
        cross = 2 * drop[:, None] / np.minimum(drop[:, None] - keep, -1e-12)
        return np.asarray((W @ W.T) ** 2 + _cross_terms(W, K, weights=cross), dtype=float)

    return 0.5 * float(drop @ drop), -(W**2) @ drop, hessian


def ml_profile(log_psi: FloatArray, *, S: FloatArray, n_factors: int) -> Evaluation:
    r"""Maximum likelihood: :math:`\sum_{m>k}(\theta_m-\log\theta_m-1)`, eigenvalues of :math:`\Psi^{-1/2}S\Psi^{-1/2}`.

    The gradient is with respect to the logarithms of the uniquenesses.
    """
    scale = np.exp(-log_psi / 2)
    values, vectors = np.linalg.eigh(S * np.outer(scale, scale))
    drop, keep = values[:-n_factors], values[-n_factors:]
    W, K = vectors[:, :-n_factors], vectors[:, -n_factors:]

    def hessian() -> FloatArray:
        gap = np.maximum(keep - drop[:, None], 1e-12)
        cross = (1 - drop[:, None]) * (drop[:, None] + keep) / gap
        return np.asarray(((W * drop) @ W.T) * (W @ W.T) + _cross_terms(W, K, weights=cross), dtype=float)

    return float((drop - np.log(drop) - 1).sum()), (W**2) @ (1 - drop), hessian


def gls_profile(log_psi: FloatArray, *, inverse: FloatArray, n_factors: int) -> Evaluation:
    r"""Generalised least squares: :math:`\tfrac12\sum_{m>k}(\theta_m-1)^2`, eigenvalues of
    :math:`\Psi^{1/2}S^{-1}\Psi^{1/2}`, ascending.

    The gradient is with respect to the logarithms of the uniquenesses.
    """
    scale = np.exp(log_psi / 2)
    values, vectors = np.linalg.eigh(inverse * np.outer(scale, scale))
    keep, drop = values[:n_factors], values[n_factors:]
    K, W = vectors[:, :n_factors], vectors[:, n_factors:]
    slope = drop * (drop - 1)

    def hessian() -> FloatArray:
        zero, one, two = W @ W.T, (W * drop) @ W.T, (W * drop**2) @ W.T
        gap = np.maximum(drop[:, None] - keep, 1e-12)
        cross = slope[:, None] * (drop[:, None] + keep) / gap
        return np.asarray(two * zero + one**2 - one * zero + _cross_terms(W, K, weights=cross), dtype=float)

    return 0.5 * float(((drop - 1) ** 2).sum()), (W**2) @ slope, hessian


def _cross_terms(W: FloatArray, K: FloatArray, *, weights: FloatArray) -> FloatArray:
    """Sum of weights[m, n] (w_m * k_n)(w_m * k_n)' over dropped vectors m and kept vectors n."""
    products = (W[:, :, None] * K[:, None, :]).reshape(len(W), -1)
    return np.asarray((products * weights.ravel()) @ products.T, dtype=float)


def uls_loadings(psi: FloatArray, *, S: FloatArray, n_factors: int) -> FloatArray:
    """Return the least-squares loadings for given uniquenesses, largest factor first."""
    values, vectors = np.linalg.eigh(S - np.diag(psi))
    return np.asarray(vectors[:, : -n_factors - 1 : -1] * np.sqrt(np.maximum(values[: -n_factors - 1 : -1], 0)))


def ml_loadings(psi: FloatArray, *, S: FloatArray, n_factors: int) -> FloatArray:
    """Return the loadings that are best by maximum likelihood and by generalised least squares for given uniquenesses.

    Both criteria share them (Jöreskog & Goldberger, 1972); the largest factor comes first.
    """
    scale = np.sqrt(psi)
    values, vectors = np.linalg.eigh(S / np.outer(scale, scale))
    root = np.sqrt(np.maximum(values[: -n_factors - 1 : -1] - 1, 0))
    return np.asarray(scale[:, None] * vectors[:, : -n_factors - 1 : -1] * root)
