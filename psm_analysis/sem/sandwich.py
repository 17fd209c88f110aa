"""Standard errors: from the information, or robust to non-normality (sandwich)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.casewise import row_scores
from psm_analysis.sem.design import aggregated
from psm_analysis.sem.discrepancy.generalised import GeneralisedLeastSquares
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.estimate import Estimation, complete_rows
from psm_analysis.sem.far_apart import are_far_apart, moment_inverse, plain_information
from psm_analysis.sem.gamma import casewise_moments, normal_products, normal_weight
from psm_analysis.sem.implied import directions
from psm_analysis.sem.inference import covariance, free_directions
from psm_analysis.sem.moment_maps import moment_map


def information(e: Estimation) -> Array:
    """Return the information of one observation, expected or observed, about the free parameters."""
    if e.spec.information == "observed":
        return e.by_size.hessian(e.solution.x) / 2.0
    return e.by_size.derivatives(e.solution.x)[1]


def parameter_covariance(e: Estimation, names: Sequence[str]) -> Array:
    """Return the covariance matrix of the free parameters.

    ``standard``: inverse information; ``first.order``: inverse of the mean outer product of the row scores;
    ``robust.huber.white``: ``A^-1 B A^-1`` with these two (Huber, 1967; White, 1982); ``robust.sem``: the same with
    ``B = Delta'V Gamma V Delta`` (Browne, 1984; Satorra & Bentler, 1994). ULS and DWLS, whose weights are not the
    inverse of any covariance matrix of the moments, have ``standard`` errors of this form too, with Gamma of normal
    theory.
    """
    A = information(e)
    if e.spec.se == "none":
        return np.zeros_like(A)
    if e.spec.se == "first.order":
        return covariance(first_order(e), e.solution.jacobian, nobs=e.scale, names=names)
    if are_far_apart(e.problem):
        covariance(plain_information(e.problem, e.solution.x), e.solution.jacobian, nobs=1, names=names)
        return moment_covariance(e)
    plain = covariance(A, e.solution.jacobian, nobs=1, names=names)
    if e.spec.se == "standard" and (e.ordinal or e.spec.function not in ("ULS", "DWLS")):
        return plain / e.scale
    meat = first_order(e) if e.spec.se == "robust.huber.white" else moment_meat(e)
    return np.asarray(plain @ meat @ plain / e.scale)


def moment_covariance(e: Estimation) -> Array:
    """Return ``sum B Gamma B' / N`` over groups with ``B = (Delta'W Delta)^-1 Delta'W``: the same in another order."""
    total = np.zeros((e.problem.n_free, e.problem.n_free))
    inverses = moment_inverse(e.by_size, e.solution.x, basis=free_directions(e.solution.jacobian))
    for g, (B, share) in enumerate(zip(inverses, e.by_size.weights, strict=True)):
        if e.spec.se == "standard":
            total += normal_products(B.T, e.sample.groups[g].cov) / share
        else:
            scores = group_moments(e, g)[2] @ B.T
            total += scores.T @ scores / (share * e.sample.groups[g].mass)
    return total / e.scale


def first_order(e: Estimation) -> Array:
    """Return the mean outer product of the row scores of the free parameters."""
    total = np.zeros((e.problem.n_free, e.problem.n_free))
    for free, implied, group, weight in zip(
        e.problem.free_layouts, e.problem.implied(e.solution.x), e.sample.groups, e.problem.weights, strict=True
    ):
        centred = complete_rows(group, e.spec.name) - (implied.mu if e.means else group.mean)
        scores = row_scores(directions(free, implied), implied, centred, group.patterns)
        position = e.problem.position[free.rows]
        sums = aggregated(scores, group)
        np.add.at(total, np.ix_(position, position), weight * (sums.T @ sums) / group.mass)
    return total


def group_moments(e: Estimation, g: int) -> tuple[Array, Array, Array]:
    """Return of one group the Jacobian of its moments, their weights, and what each row (or cluster) adds to them.

    The weights are a matrix, or its diagonal: see :func:`weighed`.
    """
    group, delta, weight = e.sample.groups[g], moment_slopes(e, g), moment_weights(e, g)
    if group.ordinal is not None:
        return delta, weight, aggregated(group.ordinal.influence, group, weighted=True)
    return delta, weight, aggregated(row_moments(e, g), group)


def moment_weights(e: Estimation, g: int) -> Array:
    """Return the weights of one group's moments: those of least squares, or of normal theory at the implied moments.

    A matrix, or its diagonal.
    """
    function = e.problem.discrepancies[g]
    if isinstance(function, LeastSquares):
        return function.W
    if isinstance(function, GeneralisedLeastSquares):
        return normal_weight(function.S, means=e.means)
    return normal_weight(e.problem.implied(e.solution.x)[g].Sigma, means=e.means)


def weighed(weight: Array, x: Array) -> Array:
    """Return ``W x`` for weights that are a matrix or its diagonal."""
    return np.asarray(weight @ x if weight.ndim == 2 else weight[:, None] * x)


def row_moments(e: Estimation, g: int) -> Array:
    """Return what each row of a group of continuous variables adds to its moments."""
    group = e.sample.groups[g]
    rows = complete_rows(group, e.spec.name)
    return casewise_moments(rows, means=e.means, exogenous=e.exogenous, weights=group.weights)


def moment_slopes(e: Estimation, g: int) -> Array:
    """Return the derivatives of one group's implied moments by the free parameters, shape ``(p*, n_free)``."""
    layout, free = e.problem.layouts[g], e.problem.free_layouts[g]
    implied = e.problem.implied(e.solution.x)[g]
    if "moment slopes" not in implied.memo:
        jacobian = moment_map(layout, means=e.means).jacobian(implied, directions(free, implied))
        slopes = np.zeros((e.problem.n_free, len(jacobian)))
        np.add.at(slopes, e.problem.position[free.rows], jacobian.T)
        implied.memo["moment slopes"] = np.ascontiguousarray(slopes.T)
    found: Array = implied.memo["moment slopes"]
    return found


def moment_meat(e: Estimation) -> Array:
    """Return ``Delta'V Gamma V Delta``, summed over groups by their share."""
    total = np.zeros((e.problem.n_free, e.problem.n_free))
    for g, share in enumerate(e.by_size.weights):
        if e.spec.se == "standard":
            slopes = weighed(moment_weights(e, g), moment_slopes(e, g))
            total += share * normal_products(slopes, e.sample.groups[g].cov)
        else:
            delta, weight, parts = group_moments(e, g)
            scores = parts @ weighed(weight, delta)
            total += share * (scores.T @ scores) / e.sample.groups[g].mass
    return total


def projector(e: Estimation, A: Array) -> Array:
    """Return ``Z (Z'A Z)^-1 Z'`` for the directions that the constraints leave free.

    Raises
    ------
    ModelError
        If the information is singular in these directions.
    """
    Z = free_directions(e.solution.jacobian)
    try:
        return np.asarray(Z @ np.linalg.inv(Z.T @ A @ Z) @ Z.T)
    except np.linalg.LinAlgError as error:
        raise ModelError(
            "The information is singular at the solution: these data do not identify the model, and its test is not "
            "defined.",
            remedy="Leave out a factor that explains nothing, or fix one of its parameters.",
        ) from error
