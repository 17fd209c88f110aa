"""One two-level estimation: the solution, its counts, and the saturated and baseline models beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import parameter_bounds
from psm_analysis.sem.estimators import EstimatorSpec
from psm_analysis.sem.inference import covariance, free_directions, parameter_names
from psm_analysis.sem.optimize import Bounds, Solution, minimise
from psm_analysis.sem.problem import ConstraintSystem, constraint_system
from psm_analysis.sem.sample import GroupSample, Sample
from psm_analysis.sem.start import starting_values
from psm_analysis.sem.teststat import ModelTest
from psm_analysis.sem.twolevel.clusters import ClusterStatistics
from psm_analysis.sem.twolevel.likelihood import TwoLevelLikelihood
from psm_analysis.sem.twolevel.problem import TwoLevelProblem
from psm_analysis.sem.twolevel.saturated import (
    Moments,
    crude_moments,
    exogenous_moments,
    moment_values,
    saturate,
    two_level_problem,
)
from psm_analysis.sem.twolevel.tables import Levels, moment_levels


@dataclass(frozen=True, slots=True)
class Reference:
    """What every model of the same variables is compared with: the saturated model, given the exogenous variables.

    ``value`` is its ``-2 log L / N`` but for constants, ``given`` that of the exogenous variables alone.
    """

    statistics: ClusterStatistics
    levels: Levels
    moments: Moments
    value: float
    given: float

    @property
    def likelihood(self) -> TwoLevelLikelihood:
        """The likelihood as a discrepancy that is 0 at the saturated model."""
        return TwoLevelLikelihood(self.statistics, self.value)

    @property
    def solution(self) -> tuple[TwoLevelProblem, Array]:
        """The saturated model as a problem, and its solution."""
        return two_level_problem(self.levels, moment_values(self.levels, self.moments), self.likelihood)


@dataclass(frozen=True, slots=True)
class TwoLevelEstimation:
    """A solution of a two-level problem."""

    levels: Levels
    reference: Reference
    spec: EstimatorSpec
    problem: TwoLevelProblem
    constraints: ConstraintSystem
    solution: Solution
    npar: int
    df: int

    @property
    def nobs(self) -> int:
        """The number of rows."""
        return self.reference.statistics.nobs


def find_reference(levels: Levels, statistics: ClusterStatistics) -> Reference:
    """Estimate the saturated model of the variables of a model."""
    full = moment_levels(levels, correlated=True)
    start, given = exogenous_moments(levels, statistics, crude_moments(statistics))
    moments, value = saturate(full, statistics, start)
    return Reference(statistics, full, moments, value, given)


def estimate_levels(levels: Levels, reference: Reference, spec: EstimatorSpec) -> TwoLevelEstimation:
    """Minimise the discrepancy of a joined table.

    Raises
    ------
    ModelError
        If the model has more parameters than there are moments, or none.
    """
    problem, start = two_level_problem(levels, _start(levels, reference), reference.likelihood)
    if problem.n_free == 0:
        raise ModelError("The model has no free parameter.", where="argument 'model'", remedy="Free one with NA*.")
    constraints = constraint_system(levels.table)
    count = reference.solution[0].n_free
    bounds = parameter_bounds(levels.table, problem)
    solution = minimise(problem, start[None], constraints=constraints, bounds=bounds)
    rank = np.linalg.matrix_rank(constraints.equal(problem, solution.x)[1]) if constraints.equalities else 0
    npar = problem.n_free - int(rank)
    if count < npar:
        raise ModelError(
            f"The model is not identified: it has {npar} free parameters for {count} moments of two levels.",
            where="argument 'model'",
            remedy="Fix parameters, or measure factors by more indicators (three or more each).",
        )
    return TwoLevelEstimation(levels, reference, spec, problem, constraints, solution, npar, count - npar)


def _start(levels: Levels, reference: Reference) -> Array:
    values = np.zeros(len(levels.table.parameters))
    for level in (1, 2):
        mean, cov = reference.moments.level(level)
        group = GroupSample("", reference.statistics.nobs, _sound(cov), mean, None, None)
        sample = Sample(levels.names(level), (group,), n_rows=0)
        mine = [i for i, p in enumerate(levels.table.parameters) if p.group == level]
        values[mine] = starting_values(levels.single(level), sample)
    return values


def _sound(cov: Array) -> Array:
    """Return a covariance matrix whose variances are not nearly 0."""
    floor = 1e-3 * np.diagonal(cov).max(initial=0.0)
    return np.asarray(cov + np.diag(np.maximum(floor - np.diagonal(cov), 0.0)))


def information(e: TwoLevelEstimation) -> Array:
    """Return the information of one row, observed or expected."""
    if e.spec.information == "observed":
        return e.problem.hessian(e.solution.x) / 2.0
    return e.problem.derivatives(e.solution.x)[1]


def outer_scores(problem: TwoLevelProblem, x: Array) -> Array:
    """Return the outer product of the scores of the clusters, by row."""
    scores = problem.scores(x)
    return np.asarray(scores.T @ scores / problem.likelihood.statistics.nobs)


def parameter_covariance(e: TwoLevelEstimation) -> Array:
    """Return the covariance matrix of the free parameters: inverse information, or the sandwich over clusters."""
    names = parameter_names(e.levels.table, e.problem)
    A = information(e)
    if e.spec.se == "none":
        return np.zeros_like(A)
    if e.spec.se == "first.order":
        return covariance(outer_scores(e.problem, e.solution.x), e.solution.jacobian, nobs=e.nobs, names=names)
    plain = covariance(A, e.solution.jacobian, nobs=1, names=names)
    if e.spec.se == "robust.huber.white":
        plain = plain @ outer_scores(e.problem, e.solution.x) @ plain
    return np.asarray(plain / e.nobs)


def level_test(e: TwoLevelEstimation) -> ModelTest:
    """Return chi-square against the saturated model; with MLR also that of Yuan and Bentler as Mplus has it."""
    chisq = max(e.nobs * e.solution.value, 0.0)
    if e.df == 0:
        return ModelTest(chisq, 0, robust_chisq=0.0, robust_offset=0.0)
    if e.spec.test == "standard":
        return ModelTest(chisq, e.df)
    Z = free_directions(e.solution.jacobian)
    A, B = (Z.T @ matrix @ Z for matrix in (information(e), outer_scores(e.problem, e.solution.x)))
    h0 = _trace(A, B)
    problem, x = e.reference.solution
    h1 = _trace(problem.hessian(x) / 2.0, outer_scores(problem, x))
    scaling = (h1 - h0) / e.df
    return ModelTest(
        chisq,
        e.df,
        scaled=chisq / scaling,
        scaled_df=float(e.df),
        scaling=scaling,
        h0=h0 / e.npar,
        h1=h1 / (e.npar + e.df),
        robust_chisq=chisq,
        robust_offset=h1 - h0,
    )


def _trace(A: Array, B: Array) -> float:
    return float(np.trace(np.linalg.lstsq(A, B, rcond=None)[0]))


def baseline(e: TwoLevelEstimation) -> ModelTest:
    """Return the test of uncorrelated variables at both levels (but for exogenous ones)."""
    levels = moment_levels(e.levels, correlated=False)
    problem, start = two_level_problem(levels, moment_values(levels, e.reference.moments), e.reference.likelihood)
    count = e.reference.solution[0].n_free
    constraints = ConstraintSystem({}, (), (), ())
    if problem.n_free:
        free = np.full(problem.n_free, math.inf)
        solution = minimise(problem, start[None], constraints=constraints, bounds=Bounds(-free, free))
    else:
        solution = Solution(start, problem.value(start), 0, True, np.zeros((0, 0)), start)
    df = count - problem.n_free
    return level_test(
        replace(
            e, levels=levels, problem=problem, constraints=constraints, solution=solution, npar=problem.n_free, df=df
        )
    )
