"""The standard bivariate normal distribution, vectorised."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, owens_t

from psm_analysis.moments.sample import FloatArray

LIMIT = 10.0


def bivariate_normal_cdf(h: FloatArray, k: FloatArray, *, rho: FloatArray) -> FloatArray:
    """Return P(X <= h, Y <= k) for standard normal X, Y with correlation `rho`, elementwise.

    Through Owen's T (Owen 1956, equation 2.1):
    ``[Phi(h) + Phi(k)] / 2 - T(h, a_h) - T(k, a_k) - d`` with ``a_h = (k - rho h) / (h sqrt(1 - rho^2))``,
    ``a_k`` likewise, and ``d = 1/2`` if the signs of h and k differ, else 0.
    Limits beyond 10 in size are taken as 10; ``|rho| < 1``.

    References
    ----------
    Owen, D. B. (1956). Tables for computing bivariate normal probabilities.
    Annals of Mathematical Statistics, 27, 1075-1090.

    Examples
    --------
    >>> half = bivariate_normal_cdf(np.zeros(1), np.zeros(1), rho=np.array([0.5]))
    >>> round(float(half[0]), 12)  # 1/4 + asin(1/2) / (2 pi)
    0.333333333333
    """
    h, k, rho = np.broadcast_arrays(_away_from_zero(h), _away_from_zero(k), rho)
    root = np.sqrt((1.0 - rho) * (1.0 + rho))
    opposite = np.where(h * k < 0.0, 0.5, 0.0)
    t_h = owens_t(h, (k - rho * h) / (h * root))
    t_k = owens_t(k, (h - rho * k) / (k * root))
    return np.asarray(np.clip(0.5 * (ndtr(h) + ndtr(k)) - t_h - t_k - opposite, 0.0, 1.0))


def bivariate_normal_pdf(h: FloatArray, k: FloatArray, *, rho: FloatArray) -> FloatArray:
    """Return the standard bivariate normal density, which is also dP(X <= h, Y <= k) / d rho.

    Examples
    --------
    >>> density = bivariate_normal_pdf(np.zeros(1), np.zeros(1), rho=np.zeros(1))
    >>> round(float(density[0]) * 2 * np.pi, 12)
    1.0
    """
    rest = (1.0 - rho) * (1.0 + rho)
    return np.asarray(np.exp(-0.5 * (h * h - 2.0 * rho * h * k + k * k) / rest) / (2.0 * np.pi * np.sqrt(rest)))


def _away_from_zero(x: FloatArray) -> FloatArray:
    clipped = np.clip(x, -LIMIT, LIMIT)
    return np.where(np.abs(clipped) < 1e-150, 1e-150, clipped)
