"""Least squares with weights far apart: what normal equations would lose, through orthogonal factors.

Unweighted least squares depends on units: with sample standard deviations ``d`` the residual of a covariance weighs
``w_ij (d_i d_j)^2`` beside that of a correlation, from one moment to another perhaps 10^24 times as much.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.graded import GradedFactor
from psm_analysis.sem.problem import Problem

LIKE = 1e4
"""Weights of correlations that differ by no more than this need neither stages nor orthogonal factors."""


def weighs_moments(problem: Problem) -> bool:
    """Tell whether the discrepancy is least squares with a weight for each moment.

    Those of moments of ordinal variables (DWLS) have no units to care for.
    """
    parts = moment_parts(problem)
    diagonal = all(part.W.ndim == 1 and (part.curved or bool((part.W == 1.0).all())) for part in parts)
    return diagonal and len(parts) == len(problem.discrepancies)


def are_far_apart(problem: Problem) -> bool:
    """Tell whether the weights of the correlations are so far apart that normal equations lose the light ones."""
    return weighs_moments(problem) and weight_ratio(problem) > LIKE


def moment_parts(problem: Problem) -> list[LeastSquares]:
    """Return the discrepancies of the groups that are least squares."""
    return [part for part in problem.discrepancies if isinstance(part, LeastSquares)]


def weight_ratio(problem: Problem) -> float:
    """Return the largest weight of a correlation divided by the smallest."""
    weights = relative_weights(problem)
    return float(weights.max() / weights[weights > 0].min())


def relative_weights(problem: Problem) -> Array:
    """Return the weights of the correlations of all groups."""
    return np.concatenate([part.W * part.spreads() ** 2 for part in moment_parts(problem)])


def raised(problem: Problem, *, power: float, unit: float) -> Problem:
    """Return the problem with the weights of the correlations, divided by a unit, raised to a power."""
    parts = []
    for part in moment_parts(problem):
        weight = part.W * part.spreads() ** 2 / unit
        some = np.where(weight > 0, weight, 1.0) ** power
        parts.append(replace(part, W=np.where(weight > 0, some, 0.0) / part.spreads() ** 2))
    return replace(problem, discrepancies=tuple(parts))


def weighted_slopes(problem: Problem, x: Array, *, basis: Array) -> tuple[Array, Array]:
    """Return the slopes of the weighted moments of all groups along a basis, and norms of those of the correlations.

    The first, shape ``(moments, k)``, has the square roots of weights and shares in it, so that its cross-product is
    the information; the second, of length k, has the units of the basis only.
    """
    parts, norms = [], np.zeros(basis.shape[1])
    jacobians = problem.moment_jacobians(x)
    for part, share, jacobian in zip(moment_parts(problem), problem.weights, jacobians, strict=True):
        along = jacobian @ basis
        norms += share * ((along / part.spreads()[:, None]) ** 2).sum(axis=0)
        parts.append(np.sqrt(share * part.W)[:, None] * along)
    return np.vstack(parts), np.sqrt(np.where(norms > 0, norms, 1.0))


def plain_information(problem: Problem, x: Array) -> Array:
    """Return the information with equal weights of the correlations, which tells whether a model is identified."""
    slopes, _ = weighted_slopes(raised(problem, power=0.0, unit=1.0), x, basis=np.eye(problem.n_free))
    return np.asarray(slopes.T @ slopes)


def information_inverse(problem: Problem, x: Array, *, basis: Array) -> Array:
    """Return the inverse of the information along a basis."""
    half = _inverse(problem, x, basis)
    return np.asarray(half @ half.T)


def moment_inverse(problem: Problem, x: Array, *, basis: Array) -> list[Array]:
    """Return of each group ``(Delta'W Delta)^-1 Delta'W`` along a basis: how parameters move with sample moments."""
    parts = moment_parts(problem)
    blocks = np.split(basis @ _inverse(problem, x, basis), np.cumsum([len(part.s) for part in parts])[:-1], axis=1)
    return [block * np.sqrt(share * part.W) for block, part, share in zip(blocks, parts, problem.weights, strict=True)]


def _inverse(problem: Problem, x: Array, basis: Array) -> Array:
    """Return ``(J'J)^-1 J'`` of the weighted slopes J along a basis."""
    slopes, norms = weighted_slopes(problem, x, basis=basis)
    return np.asarray(GradedFactor.of(slopes / norms).inverse() / norms[:, None])


def moment_remainders(problem: Problem, x: Array, *, basis: Array, moments: list[Array]) -> Array:
    """Return ``(I - Q Q') W^(1/2) y`` of moments y, one column each; the columns of Q span the weighted slopes."""
    slopes, norms = weighted_slopes(problem, x, basis=basis)
    whole = np.zeros((len(slopes), sum(y.shape[1] for y in moments)))
    row = column = 0
    for part, y in zip(moment_parts(problem), moments, strict=True):
        whole[row : row + y.shape[0], column : column + y.shape[1]] = np.sqrt(part.W)[:, None] * y
        row, column = row + y.shape[0], column + y.shape[1]
    return GradedFactor.of(slopes / norms).residual(whole)


def information_given(problem: Problem, x: Array, *, free: Array, tested: Array) -> Array:
    """Return the information along the directions `tested` given those that are `free`, both as columns."""
    slopes, norms = weighted_slopes(problem, x, basis=free)
    columns, _ = weighted_slopes(problem, x, basis=tested)
    left = GradedFactor.of(slopes / norms).residual(columns)
    return np.asarray(left.T @ left)
