"""Which moments a model explains, as a vector, and their derivatives: of continuous and of ordinal variables.

All of them may have a leading replicate axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask, lower_triangle
from psm_analysis.sem.implied import Directions, Implied, moment_jacobian, moment_vector
from psm_analysis.sem.matrices import Layout


class MomentMap(Protocol):
    """From implied moments to the vector that is compared with that of the sample."""

    def vector(self, implied: Implied) -> Array:
        """Return the moments as one vector."""

    def jacobian(self, implied: Implied, d: Directions) -> Array:
        """Return their derivatives, shape ``(moments, parameters)``."""

    def units(self, s: Array) -> Array:
        """Return of sample moments the standard deviations, or products of two, in which they are measured."""


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

    def units(self, s: Array) -> Array:
        """Return the standard deviation of each mean, and the product of two of each covariance."""
        n = len(s)
        p = (math.isqrt(8 * n + 9) - 3 if self.means else math.isqrt(8 * n + 1) - 1) // 2
        column, row = lower_triangle(p)
        deviation = np.sqrt(s[-len(row) :][row == column])
        products = deviation[row] * deviation[column]
        return np.concatenate([deviation, products]) if self.means else products


@dataclass(frozen=True, slots=True)
class OrdinalMoments:
    """Thresholds or means by variable, slopes, variances of continuous variables, correlations (lower triangle).

    Given exogenous variables all of them are conditional, and the slopes on them stand variable by variable.

    With the scaling factor ``delta_i`` (1 for continuous variables) the thresholds are ``delta_i (tau_i - mu_i)`` and
    the correlations ``delta_i delta_j sigma_ij`` (Muthén & Asparouhov, 2002); in the theta parameterization ``delta_i
    = sigma_ii^(-1/2)``.
    """

    ordinal: Mask
    threshold_item: Index
    theta: bool
    given: Index
    dependent: Index

    @classmethod
    def of(cls, layout: Layout) -> OrdinalMoments:
        """Return the map of a layout with ordinal variables."""
        exogenous = layout.dummies[layout.given]
        dependent = np.setdiff1d(np.arange(len(layout.observed)), exogenous).astype(np.intp)
        return cls(layout.ordinal, layout.threshold_item, layout.theta, layout.given, dependent)

    def levels(self) -> tuple[Index, Index]:
        """Return of each threshold or mean the variable, and the number of the threshold or -1."""
        continuous = self._continuous()
        items = np.concatenate([self.threshold_item, continuous])
        thresholds = np.concatenate([np.arange(len(self.threshold_item)), np.full(len(continuous), -1)])
        order = np.argsort(items, kind="stable")
        return items[order].astype(np.intp), thresholds[order].astype(np.intp)

    def vector(self, implied: Implied) -> Array:
        """Return the moments as one vector."""
        item, threshold = self.levels()
        delta, mu, Sigma, tau = self._scaling(implied), implied.mu, implied.Sigma, _with_zero(implied.matrices.tau)
        reach = delta[..., item] * (tau[..., threshold] - mu[..., item])
        level = np.where(threshold >= 0, reach, mu[..., item])
        slopes = (delta[..., None] * implied.L[..., self.given])[..., self.dependent, :]
        row, column = self._pairs()
        off = delta[..., row] * delta[..., column] * Sigma[..., row, column]
        variances = np.diagonal(Sigma, axis1=-2, axis2=-1)[..., self._continuous()]
        flat = slopes.reshape(*slopes.shape[:-2], -1)
        return np.concatenate([level, np.broadcast_to(flat, (*level.shape[:-1], flat.shape[-1])), variances, off], -1)

    def jacobian(self, implied: Implied, d: Directions) -> Array:
        """Return the derivatives of the moments."""
        item, threshold = self.levels()
        delta, mu, Sigma, tau = self._scaling(implied), implied.mu, implied.Sigma, _with_zero(implied.matrices.tau)
        slopes = np.broadcast_to(self._scaling_slopes(implied, d), d.U.shape)
        assert d.tau is not None
        is_threshold = (threshold >= 0)[:, None]
        moved = delta[..., item, None] * (d.tau[threshold] - d.M[..., item, :])
        reach = (tau[..., threshold] - mu[..., item])[..., None]
        level = np.where(is_threshold, slopes[..., item, :] * reach + moved, d.M[..., item, :])
        continuous = self._continuous()
        variances = 2.0 * d.U[..., continuous, :] * d.V[..., continuous, :]
        row, column = self._pairs()
        covariance = d.U[..., row, :] * d.V[..., column, :] + d.V[..., row, :] * d.U[..., column, :]
        off = (delta[..., row] * delta[..., column])[..., None] * covariance
        scaled = slopes[..., row, :] * delta[..., column, None] + slopes[..., column, :] * delta[..., row, None]
        assert d.slopes is not None
        given = implied.L[..., self.given][..., None]
        regressions = delta[..., None, None] * d.slopes + slopes[..., None, :] * given
        regressions = regressions[..., self.dependent, :, :]
        flat = regressions.reshape(*regressions.shape[:-3], -1, slopes.shape[-1])
        return np.concatenate([level, flat, variances, off + scaled * Sigma[..., row, column, None]], axis=-2)

    def units(self, s: Array) -> Array:
        """Return 1 of thresholds, standard deviations of means, variances, products of two deviations of the rest.

        Slopes on given variables have the unit of the dependent one.
        """
        (item, _), (row, column) = self.levels(), self._pairs()
        deviation = np.ones(len(self.ordinal))
        deviation[self._continuous()] = np.sqrt(self.split(s)[2])
        slopes = np.repeat(deviation[self.dependent], len(self.given))
        return np.concatenate(
            [deviation[item], slopes, self.split(s)[2], deviation[row] * deviation[column]],
        )

    def standardized_gaps(self, s: Array, implied: Implied, *, cov: Array) -> tuple[Array, Array, Array, Array]:
        """Return ``s`` minus the implied moments in units of standard deviations.

        Thresholds, slopes, variances and correlations; `cov` has the variances of the given variables.
        """
        _, threshold = self.levels()
        gap = self.split(s - self.vector(implied))
        variance = np.ones(len(self.ordinal))
        variance[self._continuous()] = self.split(s)[2]
        sd, implied_sd = np.sqrt(variance), np.sqrt(np.where(self.ordinal, 1.0, np.diagonal(implied.Sigma)))
        row, column = self._pairs()
        target = self.split(s)[3]
        off = target / (sd[row] * sd[column]) - (target - gap[3]) / (implied_sd[row] * implied_sd[column])
        exogenous = np.setdiff1d(np.arange(len(self.ordinal)), self.dependent)
        spread = np.sqrt(np.diagonal(cov)[exogenous])
        slopes = gap[1].reshape(len(self.dependent), -1) * spread / sd[self.dependent][:, None]
        return gap[0][threshold >= 0], slopes.ravel(), gap[2] / variance[self._continuous()], off

    def split(self, moments: Array) -> tuple[Array, Array, Array, Array]:
        """Return the parts of a vector of moments: thresholds or means, slopes, variances, correlations."""
        sizes = (len(self.levels()[0]), len(self.dependent) * len(self.given), len(self._continuous()))
        levels, slopes, variances, off = np.split(moments, np.cumsum(sizes))
        return levels, slopes, variances, off

    def square(self, moments: Array, p: int) -> Array:
        """Return variances, correlations and slopes on the given variables as a symmetric matrix of all p variables."""
        _, slopes, variances, off = self.split(moments)
        found = np.zeros((p, p))
        row, column = self._pairs()
        found[row, column] = off
        exogenous = np.setdiff1d(np.arange(p), self.dependent)
        found[np.ix_(self.dependent, exogenous)] = slopes.reshape(len(self.dependent), -1)
        found = found + found.T
        found[self._continuous(), self._continuous()] = variances
        return found

    def _continuous(self) -> Index:
        return self.dependent[~self.ordinal[self.dependent]]

    def _pairs(self) -> tuple[Index, Index]:
        column, row = np.triu_indices(len(self.dependent), 1)
        return self.dependent[row], self.dependent[column]

    def _scaling(self, implied: Implied) -> Array:
        if not self.theta:
            return implied.matrices.delta
        return np.asarray(1.0 / np.sqrt(np.where(self.ordinal, np.diagonal(implied.Sigma, axis1=-2, axis2=-1), 1.0)))

    def _scaling_slopes(self, implied: Implied, d: Directions) -> Array:
        if not self.theta:
            assert d.delta is not None
            return d.delta
        diagonal = np.diagonal(implied.Sigma, axis1=-2, axis2=-1)
        variance = np.where(self.ordinal, diagonal, 1.0)[..., None]
        return np.where(self.ordinal[:, None], -0.5 * variance**-1.5 * 2.0 * d.U * d.V, 0.0)


def _with_zero(tau: Array) -> Array:
    """Return thresholds with a 0 behind them, where means have their place."""
    return np.concatenate([tau, np.zeros((*tau.shape[:-1], 1))], axis=-1)


def moment_map(layout: Layout, *, means: bool) -> MomentMap:
    """Return the map that fits the variables of a layout."""
    return OrdinalMoments.of(layout) if layout.ordinal.any() else ContinuousMoments(means)
