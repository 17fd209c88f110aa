"""Which moments a model explains, as a vector, and their derivatives: of continuous and of ordinal variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.implied import Directions, Implied, moment_jacobian, moment_vector
from psm_analysis.sem.matrices import Layout


class MomentMap(Protocol):
    """From implied moments to the vector that is compared with that of the sample."""

    def vector(self, implied: Implied) -> Array:
        """Return the moments as one vector."""

    def jacobian(self, implied: Implied, d: Directions) -> Array:
        """Return their derivatives, shape ``(moments, parameters)``."""


@dataclass(frozen=True, slots=True)
class ContinuousMoments:
    """Means (if modelled) and the lower triangle of the covariance matrix, by columns."""

    means: bool

    def vector(self, implied: Implied) -> Array:
        """Return ``(mu, vech Sigma)``."""
        return moment_vector(implied, means=self.means)

    def jacobian(self, implied: Implied, d: Directions) -> Array:
        """Return the derivatives of ``(mu, vech Sigma)``."""
        return moment_jacobian(d, means=self.means)


@dataclass(frozen=True, slots=True)
class OrdinalMoments:
    """Thresholds or means by variable, variances of continuous variables, correlations (lower triangle, by columns).

    With the scaling factor ``delta_i`` (1 for continuous variables) the thresholds are ``delta_i (tau_i - mu_i)`` and
    the correlations ``delta_i delta_j sigma_ij`` (Muthén & Asparouhov, 2002); in the theta parameterization ``delta_i
    = sigma_ii^(-1/2)``.
    """

    ordinal: Mask
    threshold_item: Index
    theta: bool

    @classmethod
    def of(cls, layout: Layout) -> OrdinalMoments:
        """Return the map of a layout with ordinal variables."""
        return cls(layout.ordinal, layout.threshold_item, layout.theta)

    def levels(self) -> tuple[Index, Index]:
        """Return of each threshold or mean the variable, and the number of the threshold or -1."""
        items = np.concatenate([self.threshold_item, np.flatnonzero(~self.ordinal)])
        thresholds = np.concatenate([np.arange(len(self.threshold_item)), np.full((~self.ordinal).sum(), -1)])
        order = np.argsort(items, kind="stable")
        return items[order].astype(np.intp), thresholds[order].astype(np.intp)

    def vector(self, implied: Implied) -> Array:
        """Return the moments as one vector."""
        item, threshold = self.levels()
        delta, mu, Sigma = self._scaling(implied), implied.mu, implied.Sigma
        tau = np.concatenate([implied.matrices.tau, [0.0]])
        level = np.where(threshold >= 0, delta[item] * (tau[threshold] - mu[item]), mu[item])
        column, row = np.triu_indices(len(mu), 1)
        off = delta[row] * delta[column] * Sigma[row, column]
        return np.concatenate([level, np.diagonal(Sigma)[~self.ordinal], off])

    def jacobian(self, implied: Implied, d: Directions) -> Array:
        """Return the derivatives of the moments."""
        item, threshold = self.levels()
        delta, mu, Sigma = self._scaling(implied), implied.mu, implied.Sigma
        slopes = self._scaling_slopes(implied, d)
        tau = np.concatenate([implied.matrices.tau, [0.0]])
        assert d.tau is not None
        is_threshold = (threshold >= 0)[:, None]
        moved = delta[item][:, None] * (d.tau[threshold] - d.M[item])
        level = np.where(is_threshold, slopes[item] * (tau[threshold] - mu[item])[:, None] + moved, d.M[item])
        variances = 2.0 * d.U[~self.ordinal] * d.V[~self.ordinal]
        column, row = np.triu_indices(len(mu), 1)
        covariance = d.U[row] * d.V[column] + d.V[row] * d.U[column]
        off = (delta[row] * delta[column])[:, None] * covariance
        scaled = slopes[row] * delta[column][:, None] + slopes[column] * delta[row][:, None]
        return np.concatenate([level, variances, off + scaled * Sigma[row, column][:, None]])

    def _scaling(self, implied: Implied) -> Array:
        if not self.theta:
            return implied.matrices.delta
        return np.where(self.ordinal, 1.0 / np.sqrt(np.diagonal(implied.Sigma)), 1.0)

    def _scaling_slopes(self, implied: Implied, d: Directions) -> Array:
        if not self.theta:
            assert d.delta is not None
            return d.delta
        variance = np.diagonal(implied.Sigma)[:, None]
        return np.where(self.ordinal[:, None], -0.5 * variance**-1.5 * 2.0 * d.U * d.V, 0.0)


def moment_map(layout: Layout, *, means: bool) -> MomentMap:
    """Return the map that fits the variables of a layout."""
    return OrdinalMoments.of(layout) if layout.ordinal.any() else ContinuousMoments(means)
