"""The normal likelihood of rows in clusters, by cluster size, with its derivatives.

The vector of a cluster of n rows splits into deviations from the cluster mean, with covariance matrix ``Sigma_w``, and
the cluster mean with ``V_n = Sigma_b + Sigma_w / n`` (variables of level 2 only have no part in ``Sigma_w``, those of
level 1 only none in ``Sigma_b``), so that, but for constants,

``-2 log L = (N - J) [log|Sigma_w| + tr(S Sigma_w^-1)] + sum_n J_n [log|V_n| + tr(T_n V_n^-1)]``

with ``T_n = C_n + (m_n - mu)(m_n - mu)'`` over the ``J_n`` clusters of size n.

References
----------
McDonald, R. P., & Goldstein, H. (1989). Balanced versus unbalanced designs for linear structural relations in two-level
data. British Journal of Mathematical and Statistical Psychology, 42, 215-232.

Muthén, B. (1990). Mean and covariance structure analysis of hierarchical data. UCLA Statistics Series, 62.

Rosseel, Y. (2021). Evaluating the observed log-likelihood function in two-level structural equation modeling with
missing data: From formulas to R code. Psych, 3, 197-232.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.implied import Directions, Implied
from psm_analysis.sem.twolevel.clusters import ClusterStatistics

CHUNK = 4_000_000
Slopes = tuple[tuple[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True, slots=True)
class TwoLevelLikelihood:
    """``-2 log L / N`` less a constant, as a function of the implied moments of the two levels."""

    statistics: ClusterStatistics
    constant: float = 0.0

    @property
    def within(self) -> MaximumLikelihood:
        """The part of the deviations from cluster means."""
        return MaximumLikelihood(self.statistics.pooled, None, 0.0)

    @property
    def share_within(self) -> float:
        """Weight of the within part: ``(N - J) / N``."""
        return 1.0 - self.statistics.n_clusters / self.statistics.nobs

    @property
    def shares(self) -> Array:
        """Weight of each cluster size: ``J_n / N``."""
        return np.asarray(self.statistics.counts / self.statistics.nobs)

    def value(self, within: Implied, between: Implied) -> float:
        """Return the value; infinite where a covariance matrix is not positive definite."""
        V = self.covariances(within, between)
        try:
            factor = np.linalg.cholesky(V)
            trace = np.einsum("nii->n", np.linalg.solve(V, self._moments(within, between)))
        except np.linalg.LinAlgError:
            return math.inf
        fit = 2.0 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1) + trace
        return float(self.share_within * self.within.value(within) + self.shares @ fit - self.constant)

    def slopes(self, within: Implied, between: Implied) -> Slopes:
        """Return for each level ``G`` and ``g`` with ``dF = tr(G dSigma) + g' dmu``."""
        W = np.linalg.inv(self.covariances(within, between))
        G = W - W @ self._moments(within, between) @ W
        g = -2.0 * np.einsum("nij,nj->ni", W, self._distance(within, between))
        w, b = self.statistics.at_within, self.statistics.at_between
        inside = self.share_within * self.within.slopes(within)[0]
        inside = inside + np.tensordot(self.shares / self.statistics.sizes, G, axes=1)[np.ix_(w, w)]
        outside = np.tensordot(self.shares, G, axes=1)[np.ix_(b, b)]
        mean = self.shares @ g
        return (inside, mean[w]), (outside, mean[b])

    def information(self, implied: tuple[Implied, Implied], d: tuple[Directions, Directions]) -> Array:
        """Return the expected information of one row about the parameters of level 1, then of level 2."""
        W = np.linalg.inv(self.covariances(*implied))
        k = d[0].U.shape[1]
        total = np.zeros((k + d[1].U.shape[1],) * 2)
        for n in self._chunks(len(total)):
            U, V, M = self.joint_directions(*d, sizes=n)
            WU, WV = W[n] @ U, W[n] @ V
            cross = _t(U) @ WV
            each = (_t(U) @ WU) * (_t(V) @ WV) + cross * _t(cross) + _t(M) @ (W[n] @ M)
            total += np.tensordot(self.shares[n], each, axes=1)
        total[:k, :k] += self.share_within * self.within.information(implied[0], d[0])
        return total

    def bend(self, implied: tuple[Implied, Implied], d: tuple[Directions, Directions]) -> Array:
        """Return the Hessian less what the second derivatives of the moments contribute."""
        W = np.linalg.inv(self.covariances(*implied))
        Q = 2.0 * W @ self._moments(*implied) @ W - W
        w = np.einsum("nij,nj->ni", W, self._distance(*implied))[:, None, :]
        k = d[0].U.shape[1]
        total = np.zeros((k + d[1].U.shape[1],) * 2)
        for n in self._chunks(len(total)):
            U, V, M = self.joint_directions(*d, sizes=n)
            PU, PV, QU, QV = W[n] @ U, W[n] @ V, Q[n] @ U, Q[n] @ V
            UPV, UQV = _t(U) @ PV, _t(U) @ QV
            each = UPV * _t(UQV) + (_t(V) @ PV) * (_t(U) @ QU) + (_t(U) @ PU) * (_t(V) @ QV) + _t(UPV) * UQV
            cross = _t(U * (w[n] @ V) + V * (w[n] @ U)) @ W[n] @ M
            each = each + 2.0 * (cross + _t(cross) + _t(M) @ W[n] @ M)
            total += np.tensordot(self.shares[n], each, axes=1)
        total[:k, :k] += self.share_within * self.within.bend(implied[0], d[0])
        return total

    def covariances(self, within: Implied, between: Implied) -> Array:
        """Return ``V_n`` of every cluster size, shape ``(sizes, p, p)``."""
        s = self.statistics
        p = len(s.names)
        V = np.zeros((len(s.sizes), p, p))
        V[:, s.at_between[:, None], s.at_between] += between.Sigma
        V[:, s.at_within[:, None], s.at_within] += within.Sigma / s.sizes[:, None, None]
        return V

    def mean(self, within: Implied, between: Implied) -> Array:
        """Return the implied means of all variables: those of both levels add up."""
        mu = np.zeros(len(self.statistics.names))
        mu[self.statistics.at_within] += within.mu
        mu[self.statistics.at_between] += between.mu
        return mu

    def joint_directions(
        self, within: Directions, between: Directions, *, sizes: slice = slice(None)
    ) -> tuple[Array, Array, Array]:
        """Return ``U, V, M`` of ``V_n`` and ``mu`` for the parameters of level 1, then of level 2."""
        s = self.statistics
        n = s.sizes[sizes]
        shape = (len(n), len(s.names), within.U.shape[1] + between.U.shape[1])
        U, V, M = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        k = within.U.shape[1]
        U[:, s.at_within, :k] = within.U / n[:, None, None]
        V[:, s.at_within, :k], M[:, s.at_within, :k] = within.V, within.M
        U[:, s.at_between, k:], V[:, s.at_between, k:], M[:, s.at_between, k:] = between.U, between.V, between.M
        return U, V, M

    def cluster_scores(self, implied: tuple[Implied, Implied], d: tuple[Directions, Directions]) -> Array:
        """Return the derivatives of each cluster's log-likelihood, shape ``(clusters, parameters)``."""
        s = self.statistics
        group = np.searchsorted(s.sizes, s.cluster_sizes)
        W = np.linalg.inv(self.covariances(*implied))
        U, V, M = self.joint_directions(*d)
        constant = np.einsum("nik,nik->nk", U, W @ V)
        scores = np.empty((s.n_clusters, U.shape[2]))
        distance = s.cluster_means - self.mean(*implied)
        for n in range(len(s.sizes)):
            mine = group == n
            a = distance[mine] @ W[n]
            scores[mine] = (a @ U[n]) * (a @ V[n]) - constant[n] + a @ M[n]
        scores[:, : d[0].U.shape[1]] += self._inside_scores(implied[0], d[0])
        return scores

    def _inside_scores(self, within: Implied, d: Directions) -> Array:
        s = self.statistics
        deviations = s.rows[:, s.at_within] - s.cluster_means[s.codes][:, s.at_within]
        W = np.linalg.inv(within.Sigma)
        a = deviations @ W
        products = (a @ d.U) * (a @ d.V)
        sums = np.stack([np.bincount(s.codes, weights=column) for column in products.T], axis=1)
        return np.asarray(sums - np.outer(s.cluster_sizes - 1.0, np.einsum("ik,ik->k", d.U, W @ d.V)))

    def _chunks(self, q: int) -> list[slice]:
        """Return parts of the cluster sizes for which matrices of all pairs of parameters fit into memory."""
        step = max(1, CHUNK // max(q * q, 1))
        return [slice(i, i + step) for i in range(0, len(self.statistics.sizes), step)]

    def _distance(self, within: Implied, between: Implied) -> Array:
        return np.asarray(self.statistics.means - self.mean(within, between))

    def _moments(self, within: Implied, between: Implied) -> Array:
        distance = self._distance(within, between)
        return np.asarray(self.statistics.scatters + distance[:, :, None] * distance[:, None, :])


def _t(stack: Array) -> Array:
    return np.swapaxes(stack, -1, -2)
