"""Full-information maximum likelihood of incomplete rows, by missing-data patterns.

``F = sum_p (n_p / n) [log|Sigma_p| + tr(T_p Sigma_p^-1)] - constant`` over patterns p with the observed blocks of the
implied moments, ``T_p = S_p + (m_p - mu_p)(m_p - mu_p)'`` (Arbuckle, 1996, eq. 2), so that ``n F`` is the
likelihood-ratio statistic against the saturated model. All sums over patterns are matrix products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import DataError
from psm_analysis.moments.pattern_likelihood import PatternFit, pattern_fit, pattern_parts, pattern_weights
from psm_analysis.moments.patterns import MissingPatterns
from psm_analysis.sem.arrays import Array, Index, lower_triangle
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
            return self._fit(implied).value - self.constant
        except DataError:
            return float("inf")

    def slopes(self, implied: Implied) -> tuple[Array, Array]:
        """Return ``G`` and ``g``, the sums over patterns of those of complete data."""
        fit = self._fit(implied)
        return fit.G, fit.g

    @property
    def curved(self) -> bool:
        """Second derivatives of the moments enter the Hessian."""
        return True

    def gradient(self, implied: Implied, d: Directions) -> Array:
        """Return the gradient with respect to the parameters."""
        return chain(d, *self.slopes(implied))

    def information(self, implied: Implied, d: Directions) -> Array:
        """Return the expected information if data are missing completely at random."""
        covariances, mean = self.expected_weight(implied)
        return self._project(covariances, None, mean, d)

    def expected_weight(self, implied: Implied) -> tuple[Array, Array]:
        """Return half the expected second derivatives of F: by ``vech Sigma`` twice, and by ``mu`` twice."""
        p = self.patterns.n_items
        pairs, mean, (c, r) = np.zeros((p * (p + 1) // 2,) * 2), np.zeros((p, p)), lower_triangle(p)
        for _, share, W, _ in self._parts(implied):
            lower = W[:, r, c]
            pairs += (share * lower.T) @ lower
            mean += np.tensordot(share, W, axes=1)
        return 0.5 * _by_triangle(pairs, p), mean

    def bend(self, implied: Implied, d: Directions) -> Array:
        """Return the part of the Hessian that comes from first derivatives of the moments."""
        return 2.0 * self._project(*self.observed_weight(implied), d)

    def observed_weight(self, implied: Implied) -> tuple[Array, Array, Array]:
        """Return half the second derivatives of F: by ``vech Sigma`` twice, by ``mu`` with it, by ``mu`` twice."""
        p = self.patterns.n_items
        pairs, mean, (c, r) = np.zeros((p * (p + 1) // 2,) * 2), np.zeros((p, p)), lower_triangle(p)
        cross = np.zeros((p, len(c)))
        for part, share, W, WTW in self._parts(implied):
            lower = W[:, r, c]
            heavy = share * lower.T
            pairs += heavy @ (2.0 * WTW[:, r, c] - lower)
            cross += (heavy @ np.einsum("pij,pj->pi", W, part.distance(implied.mu))).T
            mean += np.tensordot(share, W, axes=1)
        return 0.5 * _by_triangle(pairs, p), _by_mean(cross), mean

    def saturated_information(self, implied: Implied, *, expected: bool = False) -> Array:
        """Return the information of one row about ``(mu, vech Sigma)``, as if these were the parameters.

        The observed one, or that `expected` if data are missing completely at random.
        """
        if expected:
            covariances, mean = self.expected_weight(implied)
            cross = np.zeros((len(mean), len(covariances)))
        else:
            covariances, cross, mean = self.observed_weight(implied)
        return np.block([[mean, cross], [cross.T, covariances]])

    def _fit(self, implied: Implied) -> PatternFit:
        """Return likelihood and slopes, worked out once for every set of moments."""
        if "patterns" not in implied.memo:
            implied.memo["patterns"] = pattern_fit(self.patterns, implied.mu, covariance=implied.Sigma)
        found: PatternFit = implied.memo["patterns"]
        return found

    def _parts(self, implied: Implied) -> Iterator[tuple[MissingPatterns, Array, Array, Array]]:
        """Yield the patterns in parts, their shares, ``W`` and ``W T W``."""
        known = self._fit(implied).inner
        for part in pattern_parts(self.patterns):
            W, WTW = known or pattern_weights(part, implied.mu, covariance=implied.Sigma)
            yield part, part.counts / self.patterns.mass, W, WTW

    def _project(self, covariances: Array, cross: Array | None, mean: Array, d: Directions) -> Array:
        delta = moment_jacobian(d, means=False)
        found = delta.T @ covariances @ delta + d.M.T @ mean @ d.M
        if cross is not None:
            mixed = d.M.T @ cross @ delta
            found += mixed + mixed.T
        return np.asarray(found)


def _by_triangle(pairs: Array, p: int) -> Array:
    """Return ``sum tr(P E_k Q E_l)`` for unit matrices E of the lower triangle, from ``sum vech(P) vech(Q)'``."""
    at, (c, r) = _places(p), lower_triangle(p)
    half, found = np.where(r == c, 0.5, 1.0), np.empty_like(pairs)
    for start in range(0, len(c), ROWS):
        k = slice(start, start + ROWS)
        ck, rk = at[c[k]], at[r[k]]
        found[k] = pairs[ck[:, r], rk[:, c]] + pairs[ck[:, c], rk[:, r]] + pairs[rk[:, r], ck[:, c]]
        found[k] += pairs[rk[:, c], ck[:, r]]
    return np.asarray(found * np.outer(half, half))


ROWS = 256
"""Rows at a time."""


def _by_mean(cross: Array) -> Array:
    """Return ``sum m' W E_k w`` for unit vectors m and unit matrices E, from ``sum w vech(W)'``."""
    at, (c, r) = _places(len(cross)), lower_triangle(len(cross))
    return np.asarray((cross[c, at[:, r]] + cross[r, at[:, c]]) * np.where(r == c, 0.5, 1.0))


def _places(p: int) -> Index:
    """Return the place of every entry of a symmetric matrix in its lower triangle by columns, shape ``(p, p)``."""
    at = np.empty((p, p), dtype=np.intp)
    c, r = lower_triangle(p)
    at[c, r] = at[r, c] = np.arange(len(c))
    return at
