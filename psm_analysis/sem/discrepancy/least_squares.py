"""Least squares on the sample moments: unweighted, generalised, weighted (ADF), diagonally weighted.

``F = (s - sigma)' W (s - sigma)``. ``W`` is the inverse of the normal-theory covariance matrix of ``s`` for GLS
(Browne, 1974), of the distribution-free one for WLS (Browne, 1984), its diagonal only for DWLS, and for ULS 1 for
means and off-diagonal elements, 1/2 for variances (1 throughout with ordinal variables).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array, symmetric
from psm_analysis.sem.implied import Directions, Implied
from psm_analysis.sem.moment_maps import ContinuousMoments, MomentMap


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """The discrepancy of one group: sample moments ``s`` and their weights ``W`` (a matrix, or its diagonal)."""

    s: Array
    W: Array
    moments: MomentMap

    @property
    def curved(self) -> bool:
        """Second derivatives of the moments enter the Hessian for continuous variables only."""
        return isinstance(self.moments, ContinuousMoments)

    def spreads(self) -> Array:
        """Return the units of the moments."""
        return self.moments.units(self.s)

    def value(self, implied: Implied) -> float:
        """Return the discrepancy."""
        with np.errstate(invalid="ignore"):
            gap = self.s - self.moments.vector(implied)
        return float(gap @ self._weighted(gap))

    def slopes(self, implied: Implied) -> tuple[Array, Array]:
        """Return ``-W (s - sigma)`` as a symmetric matrix of covariances, doubled for variances and for means."""
        p, weighted = len(implied.Sigma), self._weighted(self.s - self.moments.vector(implied))
        size = p * (p + 1) // 2
        g = -2.0 * weighted[:p] if len(weighted) > size else np.zeros(p)
        G = symmetric(-weighted[-size:], p)
        np.fill_diagonal(G, 2.0 * G.diagonal())
        return G, g

    def gradient(self, implied: Implied, d: Directions) -> Array:
        """Return ``-2 Delta' W (s - sigma)``."""
        gap = self.s - self.moments.vector(implied)
        return np.asarray(-2.0 * self._jacobian(implied, d).T @ self._weighted(gap))

    def information(self, implied: Implied, d: Directions) -> Array:
        """Return ``Delta' W Delta``, half the expected Hessian."""
        delta = self._jacobian(implied, d)
        return np.asarray(delta.T @ self._weighted(delta))

    def bend(self, implied: Implied, d: Directions) -> Array:
        """Return ``2 Delta' W Delta``."""
        return 2.0 * self.information(implied, d)

    def _jacobian(self, implied: Implied, d: Directions) -> Array:
        """Return the derivatives of the moments, worked out once for gradient and information."""
        if "jacobian" not in implied.memo:
            implied.memo["jacobian"] = self.moments.jacobian(implied, d)
        found: Array = implied.memo["jacobian"]
        return found

    def _weighted(self, x: Array) -> Array:
        return np.asarray(self.W @ x if self.W.ndim == 2 else (self.W * x.T).T)
