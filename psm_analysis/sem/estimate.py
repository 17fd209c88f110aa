"""One estimation: from a parameter table and a sample to a solution, its counts and its weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from psm_analysis.errors import DataError, ModelError
from psm_analysis.sem.arrays import Array, lower_triangle
from psm_analysis.sem.discrepancy.base import Discrepancy
from psm_analysis.sem.discrepancy.fiml import FullInformation
from psm_analysis.sem.discrepancy.generalised import GeneralisedLeastSquares
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.estimators import EstimatorSpec
from psm_analysis.sem.far_apart import weighs_moments
from psm_analysis.sem.gamma import casewise_moments, normal_variances
from psm_analysis.sem.implied import stacked
from psm_analysis.sem.matrices import Layout, find_layouts
from psm_analysis.sem.moment_maps import moment_map
from psm_analysis.sem.optimize import Bounds, Solution, minimise, solution_at
from psm_analysis.sem.partable import ParameterTable
from psm_analysis.sem.problem import ConstraintSystem, Problem, constraint_system, positions
from psm_analysis.sem.sample import GroupSample, Sample
from psm_analysis.sem.start import starting_values
from psm_analysis.sem.start_structure import structured_values
from psm_analysis.sem.unweighted import minimise_weighted


@dataclass(frozen=True, slots=True)
class Estimation:
    """A solution of an estimation problem and what it was made of."""

    table: ParameterTable
    sample: Sample
    spec: EstimatorSpec
    problem: Problem
    constraints: ConstraintSystem
    solution: Solution
    npar: int
    df: int

    @property
    def means(self) -> bool:
        """Whether means are modelled."""
        return self.table.options.meanstructure

    @property
    def ordinal(self) -> bool:
        """Whether there are ordinal variables."""
        return self.sample.groups[0].ordinal is not None

    @property
    def scale(self) -> int:
        """What the discrepancy is multiplied by to become a chi-square: N, or N - G for least squares."""
        return self.sample.nobs if self.spec.likelihood else self.sample.nobs - len(self.sample.groups)

    @property
    def by_size(self) -> Problem:
        """The problem with the groups weighted by their size, as precision weights them (least squares: size - 1)."""
        if self.spec.likelihood or len(self.sample.groups) == 1:
            return self.problem
        return replace(self.problem, weights=self.sample.weights)

    @property
    def exogenous(self) -> list[int]:
        """Places of the observed variables whose moments are given."""
        return fixed_exogenous(self.table, self.sample)


def estimate(
    table: ParameterTable, sample: Sample, spec: EstimatorSpec, *, prepared: bool = False, known: Array | None = None
) -> Estimation:
    """Minimise the discrepancy of a table over its free parameters.

    A `prepared` sample has its final divisor; a `known` minimum is not searched for.
    """
    ordinal = sample.groups[0].ordinal is not None
    sample = sample if spec.likelihood or prepared or ordinal else sample.unbiased()
    problem, values = formulate(table, sample, spec)
    constraints = constraint_system(table)
    moments = count_moments(table, sample)
    equalities = sum(constraint.op == "==" for constraint in table.constraints)
    if moments - problem.n_free + equalities < 0:
        raise ModelError(
            f"The model is not identified: it has {problem.n_free} free parameters for {moments} moments.",
            where="argument 'model'",
            remedy="Fix parameters, or measure factors by more indicators (three or more each).",
        )
    if known is None:
        starts, bounds = _starts(problem, table, sample, values), parameter_bounds(table, problem)
        search = minimise_weighted if weighs_moments(problem) else minimise
        solution = search(problem, starts, constraints=constraints, bounds=bounds)
    else:
        solution = solution_at(problem, known, constraints=constraints)
    rank = np.linalg.matrix_rank(constraints.equal(problem, solution.x)[1]) if equalities else 0
    npar = problem.n_free - int(rank)
    return Estimation(table, sample, spec, problem, constraints, solution, npar, moments - npar)


def assemble(table: ParameterTable, sample: Sample, spec: EstimatorSpec) -> tuple[Problem, Array]:
    """Return the estimation problem of a table and starting values of its free parameters, the better ones first."""
    problem, values = formulate(table, sample, spec)
    return problem, _starts(problem, table, sample, values)


def formulate(table: ParameterTable, sample: Sample, spec: EstimatorSpec) -> tuple[Problem, Array]:
    """Return the estimation problem of a table, and simple starting values of all its parameters."""
    layouts = find_layouts(table, sample.names)
    values = starting_values(table, sample)
    position = positions(table.parameters)
    exogenous = fixed_exogenous(table, sample)
    problem = Problem(
        layouts=layouts,
        discrepancies=tuple(
            discrepancy(group, spec, layout=layout, means=table.options.meanstructure, exogenous=exogenous)
            for group, layout in zip(sample.groups, layouts, strict=True)
        ),
        weights=sample.weights if spec.likelihood else _less_one(sample),
        base=np.where(position >= 0, 0.0, values),
        position=position,
    )
    if problem.n_free == 0:
        raise ModelError("The model has no free parameter.", where="argument 'model'", remedy="Free one with NA*.")
    return problem, values


def _starts(problem: Problem, table: ParameterTable, sample: Sample, values: Array) -> Array:
    """Return starting values of the free parameters, those of the smaller discrepancy first."""
    structured = values
    open_ = np.array([p.free and math.isnan(p.start) for p in table.parameters])
    for layout, group in zip(problem.layouts, sample.groups, strict=True):
        if layout.eta and not layout.given.size:
            mean = group.mean if table.options.meanstructure and group.ordinal is None else None
            structured = structured_values(layout, structured, cov=group.cov, mean=mean, open_=open_)
    starts = np.zeros((2, problem.n_free))
    free = np.flatnonzero(problem.position >= 0)[::-1]
    starts[:, problem.position[free]] = np.stack([structured, values])[:, free]
    if (starts[0] == starts[1]).all():
        return starts[:1]
    return starts if problem.value(starts[1]) > problem.value(starts[0]) else starts[::-1]


def _less_one(sample: Sample) -> tuple[float, ...]:
    """Return the shares of the groups by ``n - 1``, as least squares weights them."""
    sizes = [group.mass - 1.0 for group in sample.groups]
    return tuple(size / sum(sizes) for size in sizes)


def discrepancy(
    group: GroupSample, spec: EstimatorSpec, *, layout: Layout, means: bool, exogenous: Sequence[int]
) -> Discrepancy:
    """Return the discrepancy function of one group."""
    if spec.function == "ML":
        return MaximumLikelihood.of(group.cov, group.mean if means else None)
    if spec.function == "FIML":
        assert group.patterns is not None
        return FullInformation(group.patterns, group.saturated)
    if spec.function == "GLS" and group.ordinal is None:
        return GeneralisedLeastSquares.of(group.cov, group.mean if means else None)
    moments = moment_map(layout, means=means)
    if group.ordinal is not None:
        return LeastSquares(group.ordinal.moments, _ordinal_weight(group, spec), moments)
    s = stacked(group.mean if means else None, group.cov)
    return LeastSquares(s, _weight(group, spec, means=means, exogenous=exogenous), moments)


def _ordinal_weight(group: GroupSample, spec: EstimatorSpec) -> Array:
    assert group.ordinal is not None
    parts = group.ordinal.influence
    if spec.function == "ULS":
        return np.ones(parts.shape[1])
    if spec.function == "DWLS":
        return np.asarray(group.mass / np.einsum("ij,ij->j", parts, parts))
    return _inverse_gamma(parts, spec, group)


def _weight(group: GroupSample, spec: EstimatorSpec, *, means: bool, exogenous: Sequence[int]) -> Array:
    column, row = lower_triangle(len(group.cov))
    if spec.function == "ULS":
        weight = np.where(row == column, 0.5, 1.0)
        return np.concatenate([np.ones(len(group.cov)), weight]) if means else weight
    if spec.function == "DWLS" and spec.se == "standard":
        return 1.0 / normal_variances(group.cov, means=means)
    rows = complete_rows(group, spec.name)
    parts = casewise_moments(rows, means=means, exogenous=list(exogenous), weights=group.weights)
    parts = parts if group.weights is None else parts * group.weights[:, None]
    if spec.function == "DWLS":
        spread = np.einsum("ij,ij->j", parts, parts) / group.mass
        moving = np.ptp(parts, axis=0) > 0
        return np.where(moving, 1.0 / np.where(moving, spread, 1.0), 0.0)
    return _inverse_gamma(parts, spec, group)


def _inverse_gamma(parts: Array, spec: EstimatorSpec, group: GroupSample) -> Array:
    moving = np.ptp(parts, axis=0) > 0
    n = len(complete_rows(group, spec.name))
    if n <= moving.sum():
        raise DataError(
            f"{spec.name} needs more rows than moments: there are {n} rows and {moving.sum()} moments.",
            where=f"group {group.label!r}" if group.label else "the data",
            remedy="Use estimator='MLR' (ordinal: 'WLSMV'), or fewer variables.",
        )
    gamma = parts[:, moving].T @ parts[:, moving] / group.mass
    scale = np.sqrt(np.diagonal(gamma))
    if np.linalg.eigvalsh(gamma / np.outer(scale, scale))[0] < SINGULAR:
        raise DataError(
            f"The covariance matrix of the moments, whose inverse {spec.name} needs, is singular.",
            where=f"group {group.label!r}" if group.label else "the data",
            remedy="Variables of two values do that (their variance follows from their mean): use estimator='MLR'.",
        )
    weight = np.zeros((len(moving), len(moving)))
    weight[np.ix_(moving, moving)] = np.linalg.inv(gamma)
    return weight


SINGULAR = 1e-12


def complete_rows(group: GroupSample, estimator: str) -> Array:
    """Return the rows of a group, or raise if only moments were given."""
    if group.rows is None:
        raise DataError(
            f"estimator={estimator!r} needs the rows of the data, but a covariance matrix was given.",
            where="argument 'sample_cov'",
            remedy="Use estimator='ML', 'GLS' or 'ULS', or give data.",
        )
    return group.rows


def count_moments(table: ParameterTable, sample: Sample) -> int:
    """Return the number of sample moments that the model explains; those of exogenous variables are given."""
    if sample.groups[0].ordinal is not None:
        return len(sample.groups) * len(sample.groups[0].ordinal.moments)
    p, x = len(sample.names), len(fixed_exogenous(table, sample))
    means = p - x if table.options.meanstructure else 0
    return len(sample.groups) * (p * (p + 1) // 2 - x * (x + 1) // 2 + means)


def fixed_exogenous(table: ParameterTable, sample: Sample) -> list[int]:
    """Return the places of the observed variables that keep their sample moments."""
    fixed = table.roles.exogenous_observed if table.options.fixed_x else ()
    return [sample.names.index(name) for name in fixed]


UNBOUNDED = (-math.inf, math.inf)


def parameter_bounds(table: ParameterTable, problem: Problem) -> Bounds:
    """Return the bounds of the free parameters; those of parameters that are one are combined."""
    lower, upper = np.full(problem.n_free, -math.inf), np.full(problem.n_free, math.inf)
    for parameter, place in zip(table.parameters, problem.position, strict=True):
        if place >= 0 and (parameter.lower, parameter.upper) != UNBOUNDED:
            lower[place] = max(lower[place], parameter.lower)
            upper[place] = min(upper[place], parameter.upper)
            if lower[place] > upper[place]:
                name = f"{parameter.lhs} {parameter.op} {parameter.rhs}"
                raise ModelError(
                    f"The bounds of '{name}' contradict each other.", remedy="Correct lower() and upper()."
                )
    return Bounds(lower, upper)
