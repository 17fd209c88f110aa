"""Samples of incomplete rows, measured against their saturated models, which are searched for in batches too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.bootstrap_batch import descend
from psm_analysis.sem.bootstrap_gradient import BatchSample
from psm_analysis.sem.bootstrap_incomplete import IncompleteSample
from psm_analysis.sem.bootstrap_incomplete_rows import IncompleteRows
from psm_analysis.sem.bootstrap_scoring import scored
from psm_analysis.sem.discrepancy.fiml import FullInformation
from psm_analysis.sem.gamma import normal_weight
from psm_analysis.sem.implied import Implied, moment_vector
from psm_analysis.sem.matrices import Layout
from psm_analysis.sem.sample import GroupSample
from psm_analysis.sem.saturated import saturated_implied, saturated_layout

CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Saturated:
    """The saturated model, searched from its solution in the full sample."""

    layout: Layout
    origin: Array
    metric: Array
    scale: Array
    basis: Array

    @classmethod
    def of(cls, group: GroupSample) -> Self:
        """Return the search of one group."""
        assert group.patterns is not None
        implied = saturated_implied(group)
        return cls._at(implied, FullInformation(group.patterns, 0.0).saturated_information(implied))

    @classmethod
    def of_moments(cls, mean: Array, cov: Array) -> Self:
        """Return the search from the moments of a population, with the information of complete rows."""
        group = GroupSample("", 0, cov, mean, None, None)
        return cls._at(saturated_implied(group), normal_weight(cov, means=True))

    @classmethod
    def _at(cls, implied: Implied, information: Array) -> Self:
        origin, scale = moment_vector(implied, means=True), np.sqrt(np.diagonal(information))
        layout = saturated_layout(len(implied.mu))
        return cls(layout, origin, 0.5 * np.linalg.inv(information), scale, np.eye(len(origin)))

    def values(self, z: Array, samples: Sequence[BatchSample]) -> Array:
        """Return means and covariances."""
        return self.origin + z

    def gradient(self, z: Array, samples: Sequence[BatchSample]) -> Array:
        """Return the gradient, shape ``(R, k)``."""
        return samples[0].gradient(self.layout, self.layout, self.values(z, samples), means=True)

    def information(self, z: Array, samples: Sequence[BatchSample]) -> Array:
        """Return the expected information of complete rows, shape ``(R, k, k)``."""
        return samples[0].information(self.layout, self.layout, self.values(z, samples), means=True)

    def chisq(self, values: Array, samples: Sequence[BatchSample]) -> Array:
        """Return the value of each sample, nan where it is not defined."""
        return samples[0].value(self.layout, values, means=True)


def with_saturated(sample: IncompleteSample, search: Saturated) -> IncompleteSample:
    """Return a sample that knows its saturated model; nan where that has no solution."""
    values, at = np.full(sample.count, np.nan), np.full((sample.count, len(search.origin)), np.nan)
    here = np.flatnonzero(sample.usable)
    with np.errstate(all="ignore"):
        part = [sample.of(here)]
        z, done = descend(search, part)
        left = np.flatnonzero(~done)
        if left.size:
            z[left], done[left] = scored(search, [m.of(left) for m in part])
        at[here[done]] = search.values(z[done], part)
        values[here[done]] = search.chisq(at[here[done]], [m.of(done) for m in part])
    return sample.against(values, at)


@dataclass(frozen=True, slots=True)
class IncompleteSampler:
    """The rows of one group, with nan where they are missing, and the search of their saturated model."""

    table: IncompleteRows
    search: Saturated

    @property
    def batch(self) -> int:
        """How many replicates are best fitted at once."""
        return max(10, CELLS // max(1, self.table.rows.size))

    def draw(self, frequencies: Array) -> IncompleteSample:
        """Return the samples that have each row so often."""
        replicate, row = np.nonzero(frequencies)
        times = frequencies[replicate, row]
        return incomplete_sample(self.table, self.search, replicate=replicate, row=row, times=times)


def incomplete_sample(
    table: IncompleteRows, search: Saturated, *, replicate: Index, row: Index, times: Array
) -> IncompleteSample:
    """Return samples that are listed by replicate (rising), row of a table, and how often it is in it."""
    count = int(replicate.max()) + 1
    blocks, complete = table.listed(replicate, row, times, count=count)
    nobs, usable, x = table.checked(replicate, row, times, count=count)
    bare = IncompleteSample(blocks, complete, table.centre, nobs, usable, x, np.zeros(count), np.zeros((count, 0)))
    return with_saturated(bare, search)
