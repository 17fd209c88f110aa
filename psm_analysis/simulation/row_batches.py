"""Samples of rows that are fitted in batches: ML with robust errors, least squares, FIML, ordinal variables.

The search is that of all replicates together; standard errors and tests are those of an ordinary fit whose solution is
known.
"""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.moments.patterns import find_patterns
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_batch import BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_gradient import BatchSample
from psm_analysis.sem.bootstrap_gradient import Moments as SampleMoments
from psm_analysis.sem.bootstrap_incomplete import IncompleteSample
from psm_analysis.sem.bootstrap_incomplete_rows import IncompleteRows
from psm_analysis.sem.bootstrap_inference import free_values
from psm_analysis.sem.bootstrap_moments import has_weights, moments_and_weights
from psm_analysis.sem.bootstrap_refit import resampled
from psm_analysis.sem.bootstrap_samples import normal_sample
from psm_analysis.sem.bootstrap_saturated import Saturated, incomplete_sample
from psm_analysis.sem.estimators import EstimatorSpec
from psm_analysis.sem.fit import fit_table
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import GroupSample, Sample

Rows = Sequence[Array]


@dataclass(frozen=True, slots=True)
class RowBatches:
    """Fits replicates that are given by the rows of each group."""

    problem: BatchProblem
    spec: EstimatorSpec

    def fits(self, replicates: Sequence[Rows]) -> list[SemResult | None]:
        """Return the fit of each replicate, None where the batch found no solution."""
        weighted = has_weights(self.problem.result, self.spec)
        drawn, parts = self._weighted(replicates) if weighted else self._unweighted(replicates)
        solved = fit_batch(self.problem, parts)
        x = free_values(self.problem, solved.values)
        found = zip(drawn, solved.converged, x, strict=True)
        return [self._fit(here, sample) if sample is not None and good else None for sample, good, here in found]

    def _weighted(self, replicates: Sequence[Rows]) -> tuple[list[Sample | None], list[BatchSample]]:
        """Return samples whose moments have weights of their own."""
        result = self.problem.result
        drawn = [self._resampled(rows) for rows in replicates]
        parts: list[BatchSample] = [
            moments_and_weights(
                result, self.spec, [None if sample is None else sample.groups[g] for sample in drawn], group=g
            )
            for g in range(len(result.sample.groups))
        ]
        return drawn, parts

    def _resampled(self, rows: Rows) -> Sample | None:
        try:
            return resampled(self.problem.result, rows)
        except (PsmAnalysisError, np.linalg.LinAlgError):
            return None

    def _unweighted(self, replicates: Sequence[Rows]) -> tuple[list[Sample | None], list[BatchSample]]:
        of = self.problem.result.sample
        parts = [[rows[g] for rows in replicates] for g in range(len(of.groups))]
        moments = [self._moments(group, rows) for group, rows in zip(of.groups, parts, strict=True)]
        drawn: list[Sample | None] = []
        for i, rows in enumerate(replicates):
            groups = tuple(group_sample(*part, i) for part in zip(of.groups, rows, moments, strict=True))
            drawn.append(Sample(of.names, groups, sum(group.nobs for group in groups), of.group))
        return drawn, [self._sample(known, len(rows[0])) for known, rows in zip(moments, parts, strict=True)]

    def _moments(self, group: GroupSample, rows: Rows) -> SampleMoments | IncompleteSample:
        if self.spec.function == "FIML":
            return _incomplete(group, rows)
        mean = np.array([y.mean(axis=0) for y in rows])
        centred = [y - m for y, m in zip(rows, mean, strict=True)]
        cov = np.array([y.T @ y / len(y) for y in centred])
        return SampleMoments(cov, mean, np.array([len(y) for y in rows], dtype=float))

    def _sample(self, known: SampleMoments | IncompleteSample, nobs: int) -> BatchSample:
        return known if isinstance(known, IncompleteSample) else normal_sample(known, self.spec.function, nobs=nobs)

    def _fit(self, x: Array, sample: Sample) -> SemResult | None:
        start = self.problem.result
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore", PsmAnalysisWarning)
            try:
                return fit_table(start.table, sample, model=start.model, spec=self.spec, known=x)
            except (PsmAnalysisError, np.linalg.LinAlgError):
                return None


def group_sample(group: GroupSample, rows: Array, known: SampleMoments | IncompleteSample, i: int) -> GroupSample:
    """Return one group of replicate `i` as an ordinary fit knows it."""
    if isinstance(known, SampleMoments):
        return GroupSample(group.label, len(rows), known.cov[i], known.mean[i], rows, None)
    mean, cov = known.saturated_moments(i)
    patterns = find_patterns(rows)
    return GroupSample(group.label, len(rows), cov, mean, rows, None, patterns, float(known.saturated[i]))


def _incomplete(group: GroupSample, rows: Rows) -> IncompleteSample:
    assert group.mean is not None
    table = IncompleteRows.of(np.vstack(rows), group.mean)
    replicate = np.repeat(np.arange(len(rows)), [len(y) for y in rows])
    search = Saturated.of_moments(group.mean, group.cov)
    count = len(replicate)
    return incomplete_sample(table, search, replicate=replicate, row=np.arange(count), times=np.ones(count))
