"""The imputations as one fit: mean moments, mean estimates, total covariance matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from psm_analysis.imputation.rubin import total_variance
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.base import Discrepancy
from psm_analysis.sem.discrepancy.generalised import GeneralisedLeastSquares
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.estimate import Estimation, estimate
from psm_analysis.sem.independence import independence_table
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import GroupSample, Sample
from psm_analysis.sem.saturated import saturated_implied


def combined_fit(fits: Sequence[SemResult]) -> SemResult:
    """Return a fit with pooled estimates and their total covariance matrix, and the mean moments of the imputations.

    It has no rows: what needs single respondents is done with the fits of the imputations.
    """
    mean, total, _ = total_variance(
        np.array([fit.solution.x for fit in fits]), np.array([fit.free_vcov for fit in fits])
    )
    first, sample = fits[0], mean_sample(fits)
    discrepancies = tuple(
        _mean_discrepancy([fit.problem.discrepancies[g] for fit in fits], group)
        for g, group in enumerate(sample.groups)
    )
    base = np.mean([fit.problem.base for fit in fits], axis=0)
    problem = replace(first.problem, base=base, discrepancies=discrepancies)
    solution = replace(first.solution, x=mean, value=problem.value(mean))
    return replace(first, sample=sample, problem=problem, solution=solution, free_vcov=total)


def _mean_discrepancy(parts: Sequence[Discrepancy], group: GroupSample) -> Discrepancy:
    """Return the discrepancy from mean moments: of least squares with mean weights, else with those of the moments."""
    squares = [part for part in parts if isinstance(part, LeastSquares)]
    if squares:
        s, W = (np.mean([getattr(part, name) for part in squares], axis=0) for name in ("s", "W"))
        return replace(squares[0], s=s, W=W)
    plain = isinstance(parts[0], MaximumLikelihood | GeneralisedLeastSquares) and parts[0].mean is None
    kind = GeneralisedLeastSquares if isinstance(parts[0], GeneralisedLeastSquares) else MaximumLikelihood
    return kind.of(group.cov, None if plain else group.mean)


def mean_sample(fits: Sequence[SemResult]) -> Sample:
    """Return the sample whose moments are the means over imputations, without rows."""
    groups = []
    for g, group in enumerate(fits[0].sample.groups):
        mine = [fit.sample.groups[g] for fit in fits]
        cov = np.mean([one.cov for one in mine], axis=0)
        known = [one.mean for one in mine if one.mean is not None]
        mean = np.mean(known, axis=0) if known else None
        ordinal = group.ordinal
        if ordinal is not None:
            parts = [one.ordinal for one in mine if one.ordinal is not None]
            thresholds = tuple(np.mean(cuts, axis=0) for cuts in zip(*(p.thresholds for p in parts), strict=True))
            ordinal = replace(ordinal, moments=np.mean([p.moments for p in parts], axis=0), thresholds=thresholds)
        groups.append(replace(group, cov=cov, mean=mean, rows=None, index=None, ordinal=ordinal))
    return replace(fits[0].sample, groups=tuple(groups))


def pooled_discrepancy(problems: Sequence[Problem], x: Array) -> float:
    """Return the mean discrepancy of the imputations at pooled estimates; exogenous moments are those of each."""
    return float(np.mean([problem.value(x) for problem in problems]))


def saturated_discrepancy(fits: Sequence[SemResult]) -> float:
    """Return the mean discrepancy of the imputations at their mean moments."""
    groups = mean_sample(fits).groups
    return float(np.mean([_at_moments(fit.problem, groups) for fit in fits]))


def _at_moments(problem: Problem, groups: Sequence[GroupSample]) -> float:
    return sum(
        weight * function.value(saturated_implied(group))
        for weight, function, group in zip(problem.weights, problem.discrepancies, groups, strict=True)
    )


def independence_fits(fits: Sequence[SemResult]) -> list[Estimation]:
    """Return the fits of the independence model to the imputations."""
    return [estimate(independence_table(fit.table, fit.sample), fit.sample, fit.spec, prepared=True) for fit in fits]
