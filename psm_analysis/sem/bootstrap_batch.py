"""Complete-data maximum likelihood fitted to many samples at once: arrays with a leading replicate axis.

Every replicate starts at the full-sample solution and moves by a limited-memory quasi-Newton method (BFGS, two-loop
recursion) whose first metric is the full-sample Hessian: it needs gradients only. What does not converge is tried once
more by damped Fisher scoring.

References
----------
Nocedal, J. (1980). Updating quasi-Newton matrices with limited storage. Mathematics of Computation, 35, 773-782.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_gradient import Moments, group_gradient
from psm_analysis.sem.bootstrap_scoring import scored
from psm_analysis.sem.implied import directions, imply
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.matrices import Layout
from psm_analysis.sem.optimize import TOLERANCE
from psm_analysis.sem.result import SemResult

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

    def values(self, z: Array, moments: list[Moments]) -> Array:
        """Return all parameters of the table; exogenous moments are those of each replicate."""
        problem = self.result.problem
        x = self.origin + z @ self.basis.T
        found = np.repeat(problem.base[None], len(z), axis=0)
        free = problem.position >= 0
        found[:, free] = x[:, problem.position[free]]
        for (rows, first, second), sample in zip(self.fixed, moments, strict=True):
            mean = second < 0
            found[:, rows[~mean]] = sample.cov[:, first[~mean], second[~mean]]
            found[:, rows[mean]] = sample.mean[:, first[mean]]
        return found

    def gradient(self, z: Array, moments: list[Moments]) -> Array:
        """Return the gradient of the discrepancy by ``z``, shape ``(R, k)``."""
        problem, values = self.result.problem, self.values(z, moments)
        means = self.result.table.options.meanstructure
        total = np.zeros((len(z), problem.n_free))
        for layout, free, sample, weight in zip(
            problem.layouts, self.free, moments, self.weights(moments), strict=True
        ):
            position = problem.position[free.rows]
            slopes = weight * group_gradient(layout, free, values, sample=sample, means=means)
            if len(np.unique(position)) == len(position):
                total[:, position] += slopes
            else:
                total += slopes @ np.equal.outer(position, np.arange(problem.n_free)).astype(float)
        return total @ self.basis

    def chisq(self, values: Array, moments: list[Moments]) -> Array:
        """Return ``N F``; nan where an implied matrix is not positive definite."""
        found = np.zeros(len(values))
        means = self.result.table.options.meanstructure
        for g, (layout, sample) in enumerate(zip(self.result.problem.layouts, moments, strict=True)):
            implied = imply(layout, values)
            T = sample.cov
            if means:
                d = sample.mean - implied.mu
                T = T + d[:, :, None] * d[:, None, :]
            value = log_determinants(implied.Sigma) - log_determinants(sample.cov) - T.shape[-1]
            value += np.einsum("rij,rji->r", np.linalg.inv(implied.Sigma), T)
            found += (self.result.sample.groups[g].nobs if sample.nobs is None else sample.nobs) * value
        return found

    def weights(self, moments: list[Moments]) -> list[Any]:
        """Return each group's share of the rows, of every replicate where these differ in size."""
        sizes = [m.nobs for m in moments]
        if any(size is None for size in sizes):
            return list(self.result.problem.weights)
        total = sum(size for size in sizes if size is not None)
        return [(size / total)[:, None] for size in sizes if size is not None]

    def information(self, z: Array, moments: list[Moments]) -> Array:
        """Return the expected information of one observation about ``z``, shape ``(R, k, k)``."""
        return np.asarray(self.basis.T @ self.free_information(self.values(z, moments)) @ self.basis)

    def free_information(self, values: Array) -> Array:
        """Return the expected information about the free parameters, shape ``(R, n_free, n_free)``.

        As :func:`normal_information`, with a leading replicate axis.
        """
        problem = self.result.problem
        total = np.zeros((len(values), problem.n_free, problem.n_free))
        for layout, free, weight in zip(problem.layouts, self.free, problem.weights, strict=True):
            implied = imply(layout, values)
            d, W = directions(free, implied), np.linalg.inv(implied.Sigma)
            UT, VT, MT = (np.swapaxes(part, -1, -2) for part in (d.U, d.V, d.M))
            WV = W @ d.V
            cross = UT @ WV
            block = (UT @ W @ d.U) * (VT @ WV) + cross * np.swapaxes(cross, -1, -2)
            if self.result.table.options.meanstructure:
                block += MT @ W @ d.M
            pick = np.equal.outer(problem.position[free.rows], np.arange(problem.n_free)).astype(float)
            total += weight * (pick.T @ block @ pick)
        return total


def log_determinants(matrices: Array) -> Array:
    """Return log determinants; nan where a matrix is not positive definite."""
    try:
        diagonals = np.diagonal(np.linalg.cholesky(matrices), axis1=-2, axis2=-1)
    except np.linalg.LinAlgError:
        return np.asarray(np.log(np.linalg.eigvalsh(matrices)).sum(axis=-1))
    return np.asarray(2.0 * np.log(diagonals).sum(axis=-1))


def fit_batch(problem: BatchProblem, moments: list[Moments]) -> BatchFit:
    """Fit every replicate; those that do not converge have ``converged`` False."""
    count, size = len(moments[0].cov), problem.basis.shape[1]
    z, done = np.zeros((count, size)), np.zeros(count, dtype=bool)
    with np.errstate(all="ignore"):
        _descend(problem, moments, z, done)
        left = np.flatnonzero(~done)
        if left.size:
            z[left], done[left] = scored(problem, [m.of(left) for m in moments])
        values = problem.values(z, moments)
        chisq = np.full(count, np.nan)
        chisq[done] = problem.chisq(values[done], [m.of(done) for m in moments])
    return BatchFit(values, chisq, done & np.isfinite(chisq))


def _descend(problem: BatchProblem, moments: list[Moments], z: Array, done: Mask) -> None:
    """Move ``z`` to the minima, in place; replicates leave the batch when they are done."""
    active = np.arange(len(z))
    part = moments
    g = problem.gradient(z, part)
    steps: list[Array] = []
    bends: list[Array] = []
    for _ in range(MAX_STEPS):
        step = -_metric_product(problem.metric, g, steps, bends)
        size = np.abs(step * problem.scale).max(axis=1)
        step *= np.minimum(1.0, REACH / np.maximum(size, 1e-300))[:, None]
        z[active] += step
        ready, lost = size < TOLERANCE, ~np.isfinite(size)
        done[active[ready]] = True
        keep = ~(ready | lost)
        if not keep.any():
            return
        if not keep.all():
            active, part = active[keep], [m.of(keep) for m in part]
            g, step = g[keep], step[keep]
            steps, bends = [s[keep] for s in steps], [y[keep] for y in bends]
        new = problem.gradient(z[active], part)
        steps, bends = [*steps, step][-MEMORY:], [*bends, new - g][-MEMORY:]
        g = new


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
