"""Samples of rows that are fitted in batches, by ML with robust errors, least squares or FIML.

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
        groups = self.problem.result.sample.groups
        parts = [[rows[g] for rows in replicates] for g in range(len(groups))]
        moments = [self._moments(group, rows) for group, rows in zip(groups, parts, strict=True)]
        samples = [self._sample(known, len(rows[0])) for known, rows in zip(moments, parts, strict=True)]
        solved = fit_batch(self.problem, samples)
        x = free_values(self.problem, solved.values)
        found: list[SemResult | None] = []
        for i, rows in enumerate(replicates):
            own = [group_sample(*part, i) for part in zip(groups, rows, moments, strict=True)]
            found.append(self._fit(x[i], own) if solved.converged[i] else None)
        return found

    def _moments(self, group: GroupSample, rows: Rows) -> SampleMoments | IncompleteSample:
        if self.spec.function == "FIML":
            return _incomplete(group, rows)
        mean = np.array([y.mean(axis=0) for y in rows])
        centred = [y - m for y, m in zip(rows, mean, strict=True)]
        cov = np.array([y.T @ y / len(y) for y in centred])
        return SampleMoments(cov, mean, np.array([len(y) for y in rows], dtype=float))

    def _sample(self, known: SampleMoments | IncompleteSample, nobs: int) -> BatchSample:
        return known if isinstance(known, IncompleteSample) else normal_sample(known, self.spec.function, nobs=nobs)

    def _fit(self, x: Array, groups: Sequence[GroupSample]) -> SemResult | None:
        start = self.problem.result
        sample = Sample(start.sample.names, tuple(groups), sum(group.nobs for group in groups), start.sample.group)
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
