"""From how often each row was drawn to what is fitted: one kind of sample per discrepancy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_gradient import BatchSample, Moments
from psm_analysis.sem.bootstrap_incomplete_rows import IncompleteRows
from psm_analysis.sem.bootstrap_least_squares import LeastSquaresMoments
from psm_analysis.sem.bootstrap_moments import MomentSampler, has_weights
from psm_analysis.sem.bootstrap_ordinal import OrdinalSampler
from psm_analysis.sem.bootstrap_resample import Units, weighted_moments
from psm_analysis.sem.bootstrap_saturated import IncompleteSampler, Saturated
from psm_analysis.sem.discrepancy.generalised import GeneralisedLeastSquares
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.far_apart import are_far_apart
from psm_analysis.sem.matrices import BETA, PSI, Layout
from psm_analysis.sem.optimize import is_linear
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import GroupSample


class Sampler(Protocol):
    """The rows of one group, prepared."""

    @property
    def batch(self) -> int:
        """How many replicates are best fitted at once."""

    def draw(self, frequencies: Array) -> BatchSample:
        """Return the samples that have each row so often, shape ``(replicates, rows)``."""


@dataclass(frozen=True, slots=True)
class NormalSampler:
    """Complete rows of continuous variables, for ML (``function``) or least squares."""

    rows: Array
    function: str
    batch: int = 500

    def draw(self, frequencies: Array) -> BatchSample:
        """Return the samples that have each row so often."""
        return normal_sample(weighted_moments(self.rows, frequencies), self.function, nobs=len(self.rows))


def normal_sample(moments: Moments, function: str, *, nobs: int) -> BatchSample:
    """Return moments (divisor N) as what ML, GLS or ULS fits."""
    if function == "ML":
        return moments
    return LeastSquaresMoments.of_moments(moments, nobs=nobs, generalised=function == "GLS")


def make_samplers(result: SemResult, units: Sequence[Units]) -> tuple[Sampler, ...]:
    """Return the samplers of all groups of a fit for which :func:`can_batch` holds."""
    if result.spec.function == "FIML":
        return tuple(map(_incomplete_sampler, result.sample.groups, units))
    if all_ordinal(result) and result.spec.function != "WLS":
        return tuple(map(partial(_ordinal_sampler, result), result.sample.groups, units))
    if has_weights(result, result.spec):
        return tuple(MomentSampler(result, g, unit.rows) for g, unit in enumerate(units))
    return tuple(NormalSampler(unit.rows, result.spec.function) for unit in units)


def _incomplete_sampler(group: GroupSample, unit: Units) -> IncompleteSampler:
    assert group.mean is not None
    return IncompleteSampler(IncompleteRows.of(unit.rows, group.mean), Saturated.of(group))


def _ordinal_sampler(result: SemResult, group: GroupSample, unit: Units) -> OrdinalSampler:
    answers = dict(result.sample.categories)
    found = [np.searchsorted(answers[name], y) for name, y in zip(result.sample.names, unit.rows.T, strict=True)]
    codes = np.where(np.isnan(unit.rows), -1, np.column_stack(found)).astype(np.intp)
    counts = np.array([len(answers[name]) for name in result.sample.names], dtype=np.intp)
    row, column = pair_indices(len(counts))
    return OrdinalSampler(codes, counts, group.cov[row, column], result.spec.function == "DWLS")


def all_ordinal(result: SemResult) -> bool:
    """Tell whether all observed variables are ordinal."""
    return len(result.table.roles.ordered) == len(result.sample.names)


def can_batch(result: SemResult) -> bool:
    """Tell whether replicates can be fitted in batches: linear constraints at most, and a discrepancy made for it.

    These are ML and least squares of complete continuous rows, FIML, and least squares (WLSMV, ULSMV ...) of ordinal
    variables, alone or beside continuous ones, unless an ordinal variable is an observed mediator or units are far
    apart.
    """
    bounded = any(np.isfinite(p.lower) or np.isfinite(p.upper) for p in result.table.parameters if p.free)
    if bounded or result.constraints.inequalities or not _has_batches(result):
        return False
    return is_linear(result.problem, result.constraints, result.solution.x)


def _has_batches(result: SemResult) -> bool:
    parts = result.problem.discrepancies
    if all(isinstance(part, MaximumLikelihood | GeneralisedLeastSquares) for part in parts):
        return True
    if result.spec.function == "FIML":
        return result.sample.groups[0].weights is None and type(result) is SemResult
    if not all(isinstance(part, LeastSquares) for part in parts) or are_far_apart(result.problem):
        return False
    if not result.table.roles.ordered:
        return True
    return result.sample.groups[0].weights is None and not any(map(_passes_on, result.problem.layouts))


def _passes_on(layout: Layout) -> bool:
    """Tell whether a residual variance that follows from the other parameters acts on other variables."""
    derived = layout.row[layout.derived[layout.matrix[layout.derived] == PSI]]
    return bool(np.isin(layout.column[layout.matrix == BETA], derived).any())
