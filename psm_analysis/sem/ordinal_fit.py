"""Fit of an ordinal solution to the polychoric correlations by the ML function, for robust CFI and RMSEA.

References
----------
Savalei, V. (2021). Improving fit indices in structural equation modeling with categorical data. Multivariate Behavioral
Research, 56, 390-407.
"""

from __future__ import annotations

import math

import numpy as np

from psm_analysis.sem.arrays import Array, lower_triangle
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.implied import Implied, imply
from psm_analysis.sem.sandwich import group_moments, moment_meat, projector, weighed
from psm_analysis.sem.saturated import saturated_layout

CELLS = 2_000_000


def correlation_fit(e: Estimation) -> tuple[float, float]:
    """Return ``N F_ML(R, P)`` at the least-squares solution, and its expectation under the model.

    The residual correlations are ``(I - Delta E^-1 Delta'W)(s - sigma)``, so the expectation is the trace of the
    normal-theory weights V at the implied correlations P times the covariance matrix of these residuals. Both are nan
    where the polychoric matrix of a group is not positive definite, or continuous or exogenous variables take part.
    """
    inverse = projector(e, e.by_size.derivatives(e.solution.x)[1])
    spread = inverse @ moment_meat(e) @ inverse
    chisq = offset = 0.0
    for g, share in enumerate(e.by_size.weights):
        group, function = e.sample.groups[g], e.problem.discrepancies[g]
        assert isinstance(function, LeastSquares)
        if len(e.table.roles.ordered) < len(e.sample.names) or np.linalg.eigvalsh(group.cov)[0] <= 0:
            return math.nan, math.nan
        p = len(group.cov)
        off = p * (p - 1) // 2
        implied = _correlations(function.moments.vector(e.problem.implied(e.solution.x)[g])[-off:], p)
        chisq += group.mass * MaximumLikelihood.of(group.cov, None).value(implied)
        delta, weight, parts = group_moments(e, g)
        scores, own, last = parts @ (weighed(weight, delta) @ inverse), parts[:, -off:], delta[-off:]
        heavy = _weighed_correlations(implied.Sigma, last)
        mixed = float(np.sum((own @ heavy) * scores)) / group.mass
        fitted = float(np.sum((heavy.T @ last) * spread.T))
        offset += _weighed_trace(implied.Sigma, own) / group.mass - share * (2.0 * mixed - fitted)
    return chisq, offset


def _correlations(lower: Array, p: int) -> Implied:
    """Return a correlation matrix, from its lower triangle by columns, as implied moments."""
    column, row = lower_triangle(p)
    values = np.ones(len(row))
    values[row != column] = lower
    return imply(saturated_layout(p), np.concatenate([np.zeros(p), values]))


def _weighed_trace(P: Array, parts: Array) -> float:
    """Return the trace of V times the cross-product of the rows of `parts`, shape ``(n, correlations)``."""
    if len(parts) > parts.shape[1]:
        return float(np.trace(_weighed_correlations(P, parts.T @ parts)))
    return float(np.sum(_weighed_correlations(P, parts.T) * parts.T))


def _weighed_correlations(P: Array, x: Array) -> Array:
    """Return ``V x`` for columns of correlations (lower triangle, by columns).

    As a symmetric matrix X with a diagonal of 0 a column becomes ``P^-1 X P^-1``, because ``x'V x`` is half the trace
    of ``P^-1 X P^-1 X``; V, whose size is that of all pairs of correlations, is never made.
    """
    p, inverse = len(P), np.linalg.inv(P)
    column, row = np.triu_indices(p, 1)
    found = np.empty_like(x)
    size = max(1, CELLS // p**2)
    for start in range(0, x.shape[1], size):
        part = x[:, start : start + size].T
        square = np.zeros((len(part), p, p))
        square[:, row, column] = square[:, column, row] = part
        found[:, start : start + size] = (inverse @ square @ inverse)[:, row, column].T
    return found
