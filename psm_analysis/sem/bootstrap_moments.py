"""Moments of many samples with weights of their own: WLS, DWLS, and ordinal variables beside continuous ones.

The moments and weights of a sample are those of an ordinary fit to its rows; the search is that of all samples at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from psm_analysis.errors import PsmAnalysisError
from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_refit import resampled
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.estimate import discrepancy, fixed_exogenous
from psm_analysis.sem.estimators import EstimatorSpec
from psm_analysis.sem.implied import directions, imply
from psm_analysis.sem.matrices import Layout
from psm_analysis.sem.moment_maps import moment_map
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import GroupSample

CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class WeightedMoments:
    """Moments of one group in every replicate, ``s`` of shape ``(R, k)``, and their weights.

    ``W`` has the shape ``(R, k)`` or ``(R, k, k)``; ``cov`` and ``mean`` are those of all variables.
    """

    s: Array
    W: Array
    cov: Array
    mean: Array
    nobs: Array
    usable: Mask

    @property
    def count(self) -> int:
        """The number of replicates."""
        return len(self.s)

    def of(self, which: Mask | Index) -> Self:
        """Return some replicates."""
        parts = (self.s, self.W, self.cov, self.mean, self.nobs, self.usable)
        return type(self)(*(part[which] for part in parts))

    def exogenous(self, first: Index, second: Index) -> Array:
        """Return covariances of variables, or means where `second` is -1."""
        return np.where(second < 0, self.mean[:, first], self.cov[:, first, second])

    def gradient(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return ``-2 Delta' W (s - sigma)``, shape ``(R, q)``, at all, ``(R, n)``."""
        implied, moments = imply(layout, values), moment_map(layout, means=means)
        delta = moments.jacobian(implied, directions(free, implied))
        weighted = self._weighted((self.s - moments.vector(implied))[..., None])
        return np.asarray(-2.0 * (np.swapaxes(delta, 1, 2) @ weighted)[..., 0])

    def value(self, layout: Layout, values: Array, *, means: bool) -> Array:
        """Return the discrepancy."""
        gap = self.s - moment_map(layout, means=means).vector(imply(layout, values))
        return np.asarray((gap * self._weighted(gap[..., None])[..., 0]).sum(axis=1))

    def information(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return ``Delta' W Delta``."""
        implied = imply(layout, values)
        delta = moment_map(layout, means=means).jacobian(implied, directions(free, implied))
        return np.asarray(np.swapaxes(delta, 1, 2) @ self._weighted(delta))

    def _weighted(self, x: Array) -> Array:
        return np.asarray(self.W @ x if self.W.ndim == 3 else self.W[..., None] * x)


@dataclass(frozen=True, slots=True)
class MomentSampler:
    """The rows of one group of a fit by least squares."""

    result: SemResult
    group: int
    rows: Array

    @property
    def batch(self) -> int:
        """How many replicates are best fitted at once."""
        return max(10, min(200, CELLS // self._own().W.size // max(1, self.result.problem.n_free)))

    def draw(self, frequencies: Array) -> WeightedMoments:
        """Return the samples that have each row so often; one that a fit would refuse is not usable."""
        samples = [self._sample(np.repeat(self.rows, times.astype(np.intp), axis=0)) for times in frequencies]
        return moments_and_weights(self.result, self.result.spec, samples, group=self.group)

    def _sample(self, rows: Array) -> GroupSample | None:
        try:
            return resampled(self.result, [rows]).groups[0]
        except (PsmAnalysisError, np.linalg.LinAlgError):
            return None

    def _own(self) -> LeastSquares:
        found = self.result.problem.discrepancies[self.group]
        assert isinstance(found, LeastSquares)
        return found


def has_weights(result: SemResult, spec: EstimatorSpec) -> bool:
    """Tell whether the moments of a sample have weights that only its rows can give, or are no covariances."""
    return bool(result.table.roles.ordered) or spec.function in ("WLS", "DWLS")


def moments_and_weights(
    result: SemResult, spec: EstimatorSpec, samples: Sequence[GroupSample | None], *, group: int
) -> WeightedMoments:
    """Return the moments of one group in every replicate, with the weights of an estimator.

    What a fit would refuse (None, or a singular weight matrix) is not usable.
    """
    found = [None if sample is None else _weighted(result, spec, sample, group=group) for sample in samples]
    moments = moment_map(result.problem.layouts[group], means=result.table.options.meanstructure)
    k, size = len(moments.vector(result.problem.implied(result.solution.x)[group])), len(result.sample.names)
    usable = np.array([part is not None for part in found])
    shapes = ((k,), (k, k) if spec.function == "WLS" else (k,), (size, size), (size,))
    parts = [np.full((len(found), *shape), np.nan) for shape in shapes]
    for i in np.flatnonzero(usable):
        for part, value in zip(parts, found[i] or (), strict=True):
            part[i] = value
    nobs = np.array([np.nan if sample is None else sample.nobs for sample in samples])
    s, W, cov, mean = parts
    return WeightedMoments(s, W, cov, mean, nobs, usable)


def _weighted(
    result: SemResult, spec: EstimatorSpec, sample: GroupSample, *, group: int
) -> tuple[Array, Array, Array, Array] | None:
    """Return moments and weights of a sample, and covariances and means of all variables."""
    table = result.table
    if not table.roles.ordered:
        sample = replace(sample, cov=sample.cov * sample.nobs / (sample.nobs - 1))
    exogenous, means = fixed_exogenous(table, result.sample), table.options.meanstructure
    try:
        found = discrepancy(sample, spec, layout=result.problem.layouts[group], means=means, exogenous=exogenous)
    except (PsmAnalysisError, np.linalg.LinAlgError):
        return None
    assert isinstance(found, LeastSquares)
    assert sample.mean is not None
    return found.s, found.W, sample.cov, sample.mean
