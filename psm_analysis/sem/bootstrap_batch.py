"""A model fitted to many samples at once: arrays with a leading replicate axis.

Every replicate starts at the full-sample solution and moves by a limited-memory quasi-Newton method (BFGS, two-loop
recursion) whose first metric is the full-sample Hessian: it needs gradients only, which are those of the samples' own
discrepancy. What does not converge is tried once more by damped Fisher scoring.

References
----------
Nocedal, J. (1980). Updating quasi-Newton matrices with limited storage. Mathematics of Computation, 35, 773-782.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_gradient import BatchSample
from psm_analysis.sem.bootstrap_scoring import scored
from psm_analysis.sem.implied import derive
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.matrices import Layout
from psm_analysis.sem.optimize import TOLERANCE
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import GroupSample

MEMORY = 10
MAX_STEPS = 60
REACH = 0.5


@dataclass(frozen=True, slots=True)
class BatchFit:
    """Values of all parameters of the table in every replicate, shape ``(R, n_parameters)``; N F; what converged."""

    values: Array
    chisq: Array
    converged: Mask


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """What all replicates share.

    ``free`` holds the places of the free parameters of each group; ``fixed`` lists, by group, the rows of the table
    that hold moments of exogenous variables, with their places.
    """

    result: SemResult
    free: tuple[Layout, ...]
    origin: Array
    basis: Array
    metric: Array
    scale: Array
    fixed: tuple[tuple[Index, Index, Index], ...]

    @classmethod
    def of(cls, result: SemResult) -> BatchProblem:
        """Return the batched problem of a fit, whose constraints must be linear."""
        problem, x = result.problem, result.solution.x
        Z = free_directions(result.solution.jacobian)
        information = Z.T @ problem.derivatives(x)[1] @ Z
        hessian = Z.T @ problem.hessian(x) @ Z
        metric = np.linalg.inv(hessian if np.linalg.eigvalsh(hessian)[0] > 0 else 2.0 * information)
        free = problem.free_layouts
        fixed = tuple(_exogenous_places(result, g) for g in range(len(problem.layouts)))
        return cls(result, free, x, Z, metric, np.sqrt(np.diagonal(information)), fixed)

    def values(self, z: Array, samples: Sequence[BatchSample]) -> Array:
        """Return all parameters of the table; exogenous moments are those of each replicate."""
        problem = self.result.problem
        x = self.origin + z @ self.basis.T
        found = np.repeat(problem.base[None], len(z), axis=0)
        found[:, problem.free] = x[:, problem.position[problem.free]]
        for (rows, first, second), sample in zip(self.fixed, samples, strict=True):
            if rows.size:
                found[:, rows] = sample.exogenous(first, second)
        return found

    def gradient(self, z: Array, samples: Sequence[BatchSample]) -> Array:
        """Return the gradient of the discrepancy by ``z``, shape ``(R, k)``."""
        problem, values = self.result.problem, self.values(z, samples)
        means = self.result.table.options.meanstructure
        total = np.zeros((len(z), problem.n_free))
        for layout, free, sample, weight in zip(
            problem.layouts, self.free, samples, self.weights(samples), strict=True
        ):
            position = problem.position[free.rows]
            slopes = weight * sample.gradient(layout, free, values, means=means)
            if len(np.unique(position)) == len(position):
                total[:, position] += slopes
            else:
                total += slopes @ np.equal.outer(position, np.arange(problem.n_free)).astype(float)
        return total @ self.basis

    def chisq(self, values: Array, samples: Sequence[BatchSample]) -> Array:
        """Return ``N F`` (least squares: ``(N - G) F``); nan where it is not defined."""
        found = np.zeros(len(values))
        means = self.result.table.options.meanstructure
        for layout, sample, size in zip(self.result.problem.layouts, samples, self.sizes(samples), strict=True):
            found += size * sample.value(layout, values, means=means)
        return found

    def sizes(self, samples: Sequence[BatchSample]) -> list[Any]:
        """Return what each group counts for: its rows, for least squares one less."""
        less = 0 if self.result.spec.likelihood else 1
        sizes = (group.nobs if m.nobs is None else m.nobs for group, m in zip(self.groups, samples, strict=True))
        return [size - less for size in sizes]

    def weights(self, samples: Sequence[BatchSample]) -> list[Any]:
        """Return each group's share of the rows, of every replicate where these differ in size."""
        if any(m.nobs is None for m in samples):
            return list(self.result.problem.weights)
        sizes = self.sizes(samples)
        return [(size / sum(sizes))[:, None] for size in sizes]

    @property
    def groups(self) -> tuple[GroupSample, ...]:
        """The groups of the full sample."""
        return self.result.sample.groups

    def information(self, z: Array, samples: Sequence[BatchSample]) -> Array:
        """Return the expected information of one observation about ``z``, shape ``(R, k, k)``."""
        total = self.free_information(self.values(z, samples), samples)
        return np.asarray(self.basis.T @ total @ self.basis)

    def free_information(self, values: Array, samples: Sequence[BatchSample]) -> Array:
        """Return the expected information about the free parameters, shape ``(R, n_free, n_free)``."""
        problem, means = self.result.problem, self.result.table.options.meanstructure
        total = np.zeros((len(values), problem.n_free, problem.n_free))
        for layout, free, sample, weight in zip(
            problem.layouts, self.free, samples, self.weights(samples), strict=True
        ):
            block = sample.information(layout, free, values, means=means)
            pick = np.equal.outer(problem.position[free.rows], np.arange(problem.n_free)).astype(float)
            total += np.asarray(weight)[..., None] * (pick.T @ block @ pick)
        return total


class Searchable(Protocol):
    """What :func:`descend` needs: an inverse Hessian to start with, units of the parameters, gradients."""

    @property
    def metric(self) -> Array:
        """The inverse of a Hessian, shape ``(k, k)``."""

    @property
    def scale(self) -> Array:
        """One over the standard deviation of each parameter in one observation."""

    def gradient(self, z: Array, samples: Sequence[BatchSample]) -> Array:
        """Return the gradient by ``z``, shape ``(R, k)``."""


def fit_batch(problem: BatchProblem, samples: Sequence[BatchSample]) -> BatchFit:
    """Fit every replicate; those that do not converge have ``converged`` False."""
    count = samples[0].count
    z = np.zeros((count, problem.basis.shape[1]))
    usable = np.logical_and.reduce([m.usable for m in samples])
    done = np.zeros(count, dtype=bool)
    with np.errstate(all="ignore"):
        here = np.flatnonzero(usable)
        z[here], done[here] = descend(problem, [m.of(here) for m in samples])
        left = np.flatnonzero(usable & ~done)
        if left.size:
            z[left], done[left] = scored(problem, [m.of(left) for m in samples])
        values = problem.values(z, samples)
        for layout in problem.result.problem.layouts:
            if layout.derived.size:
                derive(layout, values)
        chisq = np.full(count, np.nan)
        chisq[done] = problem.chisq(values[done], [m.of(done) for m in samples])
    return BatchFit(values, chisq, done & np.isfinite(chisq))


def descend(problem: Searchable, samples: Sequence[BatchSample]) -> tuple[Array, Mask]:
    """Return the minima from ``z = 0``, and which replicates reached one; those that did leave the batch."""
    z = np.zeros((samples[0].count, len(problem.metric)))
    done = np.zeros(len(z), dtype=bool)
    active, part = np.arange(len(z)), list(samples)
    g = problem.gradient(z, part)
    steps: list[Array] = []
    bends: list[Array] = []
    for _ in range(MAX_STEPS):
        step = -_metric_product(problem.metric, g, steps, bends)
        size = np.abs(step * problem.scale).max(axis=1, initial=0.0)
        step *= np.minimum(1.0, REACH / np.maximum(size, 1e-300))[:, None]
        z[active] += step
        ready, lost = size < TOLERANCE, ~np.isfinite(size)
        done[active[ready]] = True
        keep = ~(ready | lost)
        if not keep.any():
            break
        if not keep.all():
            active, part = active[keep], [m.of(keep) for m in part]
            g, step = g[keep], step[keep]
            steps, bends = [s[keep] for s in steps], [y[keep] for y in bends]
        new = problem.gradient(z[active], part)
        steps, bends = [*steps, step][-MEMORY:], [*bends, new - g][-MEMORY:]
        g = new
    return z, done


def _metric_product(metric: Array, g: Array, steps: list[Array], bends: list[Array]) -> Array:
    """Return the inverse Hessian of BFGS times the gradients; pairs without positive curvature are passed over."""
    q, weights = g.copy(), []
    for s, y in zip(reversed(steps), reversed(bends), strict=True):
        curvature = np.einsum("ij,ij->i", s, y)
        rho = np.where(curvature > 0, 1.0 / np.where(curvature > 0, curvature, 1.0), 0.0)
        alpha = rho * np.einsum("ij,ij->i", s, q)
        q -= alpha[:, None] * y
        weights.append((rho, alpha))
    r = q @ metric
    for (s, y), (rho, alpha) in zip(zip(steps, bends, strict=True), reversed(weights), strict=True):
        r += (alpha - rho * np.einsum("ij,ij->i", y, r))[:, None] * s
    return np.asarray(r)


def _exogenous_places(result: SemResult, g: int) -> tuple[Index, Index, Index]:
    """Return rows of the table with moments of exogenous variables, and their places (second is -1 for means)."""
    at = {name: i for i, name in enumerate(result.sample.names)}
    found = [
        (i, at[p.lhs], at[p.rhs] if p.op == "~~" else -1)
        for i, p in enumerate(result.table.parameters)
        if p.group == g + 1 and p.exogenous and not p.free
    ]
    rows, first, second = np.array(found, dtype=np.intp).reshape(-1, 3).T
    return rows, first, second
