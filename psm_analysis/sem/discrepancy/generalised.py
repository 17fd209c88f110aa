"""Generalised least squares: normal-theory weights at the sample moments, without the matrix of these weights.

``F = 1/2 tr [W (S - Sigma)]^2 + (m - mu)' W (m - mu)`` with ``W = S^-1`` (Browne, 1974, eq. 18), the divisor of S being
N - 1. With 120 variables the weights of the moments would be a matrix of 7,260 rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.base import chain, normal_information
from psm_analysis.sem.implied import Directions, Implied
from psm_analysis.sem.symmetric import positive_inverse


@dataclass(frozen=True, slots=True)
class GeneralisedLeastSquares:
    """The discrepancy of one group; ``mean`` is None without a mean structure, ``W`` is the inverse of S."""

    S: Array
    mean: Array | None
    W: Array

    @classmethod
    def of(cls, S: Array, mean: Array | None) -> GeneralisedLeastSquares:
        """Return the discrepancy of a sample covariance matrix and mean."""
        return cls(S, mean, positive_inverse(S)[0])

    @property
    def curved(self) -> bool:
        """Second derivatives of the moments enter the Hessian."""
        return True

    def value(self, implied: Implied) -> float:
        """Return the discrepancy."""
        part = self.W @ (self.S - implied.Sigma)
        found = 0.5 * float((part * part.T).sum())
        if self.mean is None:
            return found
        distance = self.mean - implied.mu
        return found + float(distance @ self.W @ distance)

    def slopes(self, implied: Implied) -> tuple[Array, Array]:
        """Return ``-W (S - Sigma) W`` and ``-2 W (m - mu)``."""
        G = -self.W @ (self.S - implied.Sigma) @ self.W
        return G, np.zeros(len(G)) if self.mean is None else -2.0 * self.W @ (self.mean - implied.mu)

    def gradient(self, implied: Implied, d: Directions) -> Array:
        """Return the gradient with respect to the parameters."""
        return chain(d, *self.slopes(implied))

    def information(self, implied: Implied, d: Directions) -> Array:
        """Return ``1/2 tr(W dSigma_k W dSigma_l) + dmu_k' W dmu_l``, half the expected Hessian."""
        return normal_information(d, self.W, means=self.mean is not None)

    def bend(self, implied: Implied, d: Directions) -> Array:
        """Return twice the information."""
        return 2.0 * self.information(implied, d)
