"""Fit of an ordinal solution to the polychoric correlations by the ML function, for robust CFI and RMSEA.

References
----------
Savalei, V. (2021). Improving fit indices in structural equation modeling with categorical data. Multivariate Behavioral
Research, 56, 390-407.
"""

from __future__ import annotations

import math

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.gamma import normal_weight
from psm_analysis.sem.implied import Implied, imply
from psm_analysis.sem.sandwich import group_moments, moment_meat, projector
from psm_analysis.sem.saturated import saturated_layout


def correlation_fit(e: Estimation) -> tuple[float, float]:
    """Return ``N F_ML(R, P)`` at the least-squares solution, and its expectation under the model.

    The residual correlations are ``(I - Delta E^-1 Delta'W)(s - sigma)``, so the expectation is the trace of the
    normal-theory weights at the implied correlations P times the covariance matrix of these residuals. Both are nan
    where the polychoric matrix of a group is not positive definite, or continuous or exogenous variables take part.
    """
    inverse = projector(e, e.problem.derivatives(e.solution.x)[1])
    spread = inverse @ moment_meat(e) @ inverse
    chisq = offset = 0.0
    for g, share in enumerate(e.problem.weights):
        group, function = e.sample.groups[g], e.problem.discrepancies[g]
        assert isinstance(function, LeastSquares)
        if len(e.table.roles.ordered) < len(e.sample.names) or np.linalg.eigvalsh(group.cov)[0] <= 0:
            return math.nan, math.nan
        p = len(group.cov)
        off = p * (p - 1) // 2
        implied = _correlations(function.moments.vector(e.problem.implied(e.solution.x)[g])[-off:], p)
        chisq += group.mass * MaximumLikelihood.of(group.cov, None).value(implied)
        delta, weight, parts = group_moments(e, g)
        scores, last = parts @ (weight @ delta @ inverse), delta[-off:]
        gamma = parts[:, -off:].T @ parts[:, -off:] / group.mass
        mixed = parts[:, -off:].T @ scores @ last.T / group.mass
        residual = gamma - share * (mixed + mixed.T) + share * (last @ spread @ last.T)
        offset += float(np.sum(_off_diagonal_weight(implied.Sigma) * residual))
    return chisq, offset


def _correlations(lower: Array, p: int) -> Implied:
    """Return a correlation matrix, from its lower triangle by columns, as implied moments."""
    column, row = np.triu_indices(p)
    values = np.ones(len(row))
    values[row != column] = lower
    return imply(saturated_layout(p), np.concatenate([np.zeros(p), values]))


def _off_diagonal_weight(P: Array) -> Array:
    column, row = np.triu_indices(len(P))
    keep = row != column
    return normal_weight(P, means=False)[np.ix_(keep, keep)]
