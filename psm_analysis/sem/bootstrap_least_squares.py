"""Unweighted and generalised least squares in many samples at once: arrays with a leading replicate axis.

``F = 1/2 tr (V (S - Sigma))^2 + (m - mu)' V (m - mu)`` with divisor N - 1 and ``V = I`` or ``S^-1`` (Browne, 1974), so
that ``G = -V (S - Sigma) V`` and ``g = -2 V (m - mu)``.

References
----------
Browne, M. W. (1974). Generalized least squares estimators in the analysis of covariance structures. South African
Statistical Journal, 8, 1-24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_gradient import Moments, gathered, log_determinants, normal_information, pieces
from psm_analysis.sem.implied import imply
from psm_analysis.sem.matrices import Layout


@dataclass(frozen=True, slots=True)
class LeastSquaresMoments:
    """Moments of one group in every replicate, ``cov`` with divisor N - 1, and their weights ``V`` (None: identity)."""

    cov: Array
    mean: Array
    nobs: Array
    V: Array | None

    @classmethod
    def of_moments(cls, moments: Moments, *, nobs: int, generalised: bool) -> Self:
        """Return them of moments with divisor N of `nobs` rows (where the moments do not say otherwise)."""
        size = np.full(moments.count, float(nobs)) if moments.nobs is None else moments.nobs
        cov = moments.cov * (size / (size - 1.0))[:, None, None]
        V = None
        if generalised:
            good = np.isfinite(log_determinants(cov))
            V = np.full(cov.shape, np.nan)
            V[good] = np.linalg.inv(cov[good])
        return cls(cov, moments.mean, size, V)

    @property
    def count(self) -> int:
        """The number of replicates."""
        return len(self.cov)

    @property
    def usable(self) -> Mask:
        """Which replicates have a covariance matrix that is positive definite."""
        return np.asarray(np.isfinite(log_determinants(self.cov)))

    def of(self, which: Mask | Index) -> Self:
        """Return the moments of some replicates."""
        V = None if self.V is None else self.V[which]
        return type(self)(self.cov[which], self.mean[which], self.nobs[which], V)

    def exogenous(self, first: Index, second: Index) -> Array:
        """Return covariances of variables, or means where `second` is -1."""
        return np.where(second < 0, self.mean[:, first], self.cov[:, first, second])

    def gradient(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the gradient by the free parameters of the group, shape ``(R, q)``, at all, ``(R, n)``."""
        implied = imply(layout, values)
        G, g = implied.Sigma - self.cov, None
        if self.V is not None:
            G = self.V @ G @ self.V
        if means:
            g = -2.0 * self._weighted(self.mean - implied.mu)
        return gathered(free, pieces(implied, G, g))

    def value(self, layout: Layout, values: Array, *, means: bool) -> Array:
        """Return the discrepancy."""
        implied = imply(layout, values)
        gap = self.cov - implied.Sigma
        part = gap if self.V is None else self.V @ gap
        found = 0.5 * np.einsum("rij,rji->r", part, part)
        if means:
            d = self.mean - implied.mu
            found = found + (d * self._weighted(d)).sum(axis=1)
        return np.asarray(found)

    def information(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return half the expected Hessian of the discrepancy."""
        identity = np.eye(self.cov.shape[-1])
        return normal_information(free, imply(layout, values), identity if self.V is None else self.V, means=means)

    def _weighted(self, d: Array) -> Array:
        return d if self.V is None else np.asarray((self.V @ d[..., None])[..., 0])
