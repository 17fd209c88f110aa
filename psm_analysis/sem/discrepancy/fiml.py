"""Full-information maximum likelihood of incomplete rows, by missing-data patterns.

``F = sum_p (n_p / n) [log|Sigma_p| + tr(T_p Sigma_p^-1)] - constant`` over patterns p with the observed blocks of the
implied moments, ``T_p = S_p + (m_p - mu_p)(m_p - mu_p)'`` (Arbuckle, 1996, eq. 2), so that ``n F`` is the
likelihood-ratio statistic against the saturated model. All sums over patterns are matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import DataError
from psm_analysis.moments.missing import pattern_inverses
from psm_analysis.moments.patterns import MissingPatterns
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.base import chain
from psm_analysis.sem.implied import Directions, Implied, moment_jacobian


@dataclass(frozen=True, slots=True)
class FullInformation:
    """The discrepancy of one group; ``constant`` is -2/n times the saturated log-likelihood without ``log 2 pi``."""

    patterns: MissingPatterns
    constant: float

    def value(self, implied: Implied) -> float:
        """Return the discrepancy; infinite where ``Sigma`` is not positive definite."""
        try:
            W, log_determinant = self._inverses(implied)
        except DataError:
            return float("inf")
        fit = log_determinant + np.einsum("pij,pij->p", W, self._moments(implied))
        return float(self._shares @ fit - self.constant)

    def slopes(self, implied: Implied) -> tuple[Array, Array]:
        """Return ``G`` and ``g``, the sums over patterns of those of complete data."""
        W, _ = self._inverses(implied)
        G = W - W @ self._moments(implied) @ W
        g = -2.0 * np.einsum("pij,pj->pi", W, self._distance(implied))
        return np.asarray(np.tensordot(self._shares, G, axes=1)), np.asarray(self._shares @ g)

    @property
    def curved(self) -> bool:
        """Second derivatives of the moments enter the Hessian."""
        return True

    def gradient(self, implied: Implied, d: Directions) -> Array:
        """Return the gradient with respect to the parameters."""
        return chain(d, *self.slopes(implied))

    def information(self, implied: Implied, d: Directions) -> Array:
        """Return the expected information if data are missing completely at random."""
        W, _ = self._inverses(implied)
        return self._project(0.5 * self._pairs(W, W), None, W, d)

    def bend(self, implied: Implied, d: Directions) -> Array:
        """Return the part of the Hessian that comes from first derivatives of the moments."""
        return 2.0 * self._project(*self.observed_weight(implied), d)

    def observed_weight(self, implied: Implied) -> tuple[Array, Array, Array]:
        """Return half the second derivatives of F: by ``vech Sigma`` twice, by ``mu`` with it; and W by pattern."""
        W, _ = self._inverses(implied)
        residual = 2.0 * W @ self._moments(implied) @ W - W
        w = np.einsum("pij,pj->pi", W, self._distance(implied))
        return 0.5 * self._pairs(W, residual), self._cross(W, w), W

    def saturated_information(self, implied: Implied) -> Array:
        """Return the observed information of one row about ``(mu, vech Sigma)``, as if these were the parameters."""
        covariances, cross, W = self.observed_weight(implied)
        return np.block([[np.tensordot(self._shares, W, axes=1), cross], [cross.T, covariances]])

    def _inverses(self, implied: Implied) -> tuple[Array, Array]:
        """Return inverses and log-determinants by pattern, worked out once for every set of moments."""
        if "patterns" not in implied.memo:
            implied.memo["patterns"] = pattern_inverses(self.patterns, implied.Sigma)
        found: tuple[Array, Array] = implied.memo["patterns"]
        return found

    @property
    def _shares(self) -> Array:
        return np.asarray(self.patterns.counts / self.patterns.counts.sum())

    def _distance(self, implied: Implied) -> Array:
        return np.where(self.patterns.observed, self.patterns.means - implied.mu, 0.0)

    def _moments(self, implied: Implied) -> Array:
        distance = self._distance(implied)
        return np.asarray(self.patterns.scatters + distance[:, :, None] * distance[:, None, :])

    def _pairs(self, P: Array, Q: Array) -> Array:
        """Return ``sum_p share_p tr(P_p E_k Q_p E_l)`` for unit matrices E of the lower triangle."""
        p = self.patterns.n_items
        weighted = (P * self._shares[:, None, None]).reshape(-1, p * p)
        T = (weighted.T @ Q.reshape(-1, p * p)).reshape(p, p, p, p)
        c, r = np.triu_indices(p)
        half = np.where(r == c, 0.5, 1.0)
        k, m = np.ix_(np.arange(len(r)), np.arange(len(r)))
        found = T[c[k], r[m], c[m], r[k]] + T[c[k], c[m], r[m], r[k]]
        found += T[r[k], r[m], c[m], c[k]] + T[r[k], c[m], r[m], c[k]]
        return np.asarray(found * np.outer(half, half))

    def _cross(self, W: Array, w: Array) -> Array:
        """Return ``sum_p share_p m' W_p E_k w_p`` for unit vectors m and unit matrices E."""
        T = np.einsum("p,pir,pc->irc", self._shares, W, w)
        c, r = np.triu_indices(self.patterns.n_items)
        half = np.where(r == c, 0.5, 1.0)
        return np.asarray((T[:, r, c] + T[:, c, r]) * half)

    def _project(self, covariances: Array, cross: Array | None, W: Array, d: Directions) -> Array:
        delta = moment_jacobian(d, means=False)
        found = delta.T @ covariances @ delta + d.M.T @ np.tensordot(self._shares, W, axes=1) @ d.M
        if cross is not None:
            mixed = d.M.T @ cross @ delta
            found += mixed + mixed.T
        return np.asarray(found)
