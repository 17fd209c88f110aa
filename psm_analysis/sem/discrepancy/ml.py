"""Normal-theory maximum likelihood from sample moments.

``F = log|Sigma| + tr(S Sigma^-1) + (m - mu)' Sigma^-1 (m - mu) - log|S| - p`` (Jöreskog, 1967; Bollen, 1989, eq. 4.67),
with ``S`` of divisor N, so that ``N F`` is the likelihood-ratio statistic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.base import bilinear, chain, normal_information
from psm_analysis.sem.implied import Directions, Implied
from psm_analysis.sem.symmetric import log_determinant, positive_inverse


@dataclass(frozen=True, slots=True)
class MaximumLikelihood:
    """The discrepancy of one group; ``mean`` is None without a mean structure, ``constant`` is ``log|S| + p``."""

    S: Array
    mean: Array | None
    constant: float

    @classmethod
    def of(cls, S: Array, mean: Array | None) -> MaximumLikelihood:
        """Return the discrepancy of a sample covariance matrix (divisor N) and mean."""
        return cls(S, mean, log_determinant(S) + len(S))

    def value(self, implied: Implied) -> float:
        """Return the discrepancy; infinite where ``Sigma`` is not positive definite."""
        W, level = _inverse(implied)
        return level + float(np.vdot(W, self._moments(implied))) - self.constant

    def slopes(self, implied: Implied) -> tuple[Array, Array]:
        """Return ``Sigma^-1 - Sigma^-1 (S + dd') Sigma^-1`` and ``-2 Sigma^-1 d`` with ``d = m - mu``."""
        if "slopes" not in implied.memo:
            implied.memo["slopes"] = self._slopes(implied)
        found: tuple[Array, Array] = implied.memo["slopes"]
        return found

    def _slopes(self, implied: Implied) -> tuple[Array, Array]:
        W = implied_inverse(implied)
        G = W - W @ self._moments(implied) @ W
        if self.mean is None:
            return G, np.zeros(len(W))
        return G, -2.0 * W @ (self.mean - implied.mu)

    @property
    def curved(self) -> bool:
        """Second derivatives of the moments enter the Hessian."""
        return True

    def gradient(self, implied: Implied, d: Directions) -> Array:
        """Return the gradient with respect to the parameters."""
        return chain(d, *self.slopes(implied))

    def information(self, implied: Implied, d: Directions) -> Array:
        """Return the expected information at the implied moments."""
        return normal_information(d, implied_inverse(implied), means=self.mean is not None)

    def bend(self, implied: Implied, d: Directions) -> Array:
        """Return ``2 tr(W E_l W T W E_k) - tr(W E_l W E_k)`` and the terms of the means.

        With ``W = Sigma^-1``, ``T = S + ee'``, ``E_k = dSigma_k`` and ``e = m - mu`` the latter are
        ``2 e'W E_k W m_l + 2 m_k'W E_l W e + 2 m_k'W m_l``.
        """
        W = implied_inverse(implied)
        found = bilinear(d, W, W - 2.0 * self.slopes(implied)[0])
        if self.mean is not None:
            w = W @ (self.mean - implied.mu)
            cross = (d.U * (w @ d.V) + d.V * (w @ d.U)).T @ W @ d.M
            found += 2.0 * (cross + cross.T + d.M.T @ W @ d.M)
        return found

    def _moments(self, implied: Implied) -> Array:
        if self.mean is None:
            return self.S
        distance = self.mean - implied.mu
        return self.S + np.outer(distance, distance)


def implied_inverse(implied: Implied) -> Array:
    """Return ``Sigma^-1``; nan where ``Sigma`` is not positive definite."""
    return _inverse(implied)[0]


def _inverse(implied: Implied) -> tuple[Array, float]:
    """Return ``Sigma^-1`` and ``log|Sigma|``, worked out once for every set of moments.

    The determinant is infinite where ``Sigma`` is not positive definite.
    """
    if "inverse" not in implied.memo:
        implied.memo["inverse"] = positive_inverse(implied.Sigma)
    found: tuple[Array, float] = implied.memo["inverse"]
    return found
