"""Complete-data maximum likelihood fitted to many samples at once: arrays with a leading replicate axis.

Every replicate starts at the full-sample solution and moves by a limited-memory quasi-Newton method (BFGS, two-loop
recursion) whose first metric is the full-sample Hessian; near the start this converges superlinearly and needs only
gradients, which with ``G = Sigma^-1 - Sigma^-1 T Sigma^-1`` are entries of ``G D``, ``L'G D`` and ``L'G L``.

References
----------
Nocedal, J. (1980). Updating quasi-Newton matrices with limited storage. Mathematics of Computation, 35, 773-782.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.implied import Implied, imply
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.matrices import ALPHA, BETA, LAMBDA, NU, PSI, Layout
from psm_analysis.sem.optimize import TOLERANCE
from psm_analysis.sem.result import SemResult

MEMORY = 10
MAX_STEPS = 60
REACH = 0.5


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of one group in every replicate: ``cov`` of shape ``(R, p, p)`` and divisor N, ``mean`` ``(R, p)``."""

    cov: Array
    mean: Array


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
        total = np.zeros((len(z), problem.n_free))
        for layout, free, sample, weight in zip(problem.layouts, self.free, moments, problem.weights, strict=True):
            position = problem.position[free.rows]
            slopes = weight * self._group_gradient(free, imply(layout, values), sample)
            if len(np.unique(position)) == len(position):
                total[:, position] += slopes
            else:
                total += slopes @ np.equal.outer(position, np.arange(problem.n_free)).astype(float)
        return total @ self.basis

    def chisq(self, values: Array, moments: list[Moments]) -> Array:
        """Return ``N F``; nan where an implied matrix is not positive definite."""
        found = np.zeros(len(values))
        for g, (layout, sample) in enumerate(zip(self.result.problem.layouts, moments, strict=True)):
            implied = imply(layout, values)
            sign, size = np.linalg.slogdet(implied.Sigma)
            good = np.linalg.eigvalsh(implied.Sigma)[:, 0] > 0
            T = self._compared(implied, sample)
            trace = np.trace(np.linalg.solve(implied.Sigma, T), axis1=-2, axis2=-1)
            value = size + trace - np.linalg.slogdet(sample.cov)[1] - T.shape[-1]
            found += self.result.sample.groups[g].nobs * np.where(good & (sign > 0), value, np.nan)
        return found

    def _compared(self, implied: Implied, sample: Moments) -> Array:
        if not self.result.table.options.meanstructure:
            return sample.cov
        d = sample.mean - implied.mu
        return np.asarray(sample.cov + d[:, :, None] * d[:, None, :])

    def _group_gradient(self, layout: Layout, implied: Implied, sample: Moments) -> Array:
        W = np.linalg.inv(implied.Sigma)
        G = W - W @ self._compared(implied, sample) @ W
        GD, LT = G @ implied.D, np.swapaxes(implied.L, -1, -2)
        LGD, LGL = LT @ GD, LT @ G @ implied.L
        found = np.zeros((len(G), len(layout.rows)))
        means = self.result.table.options.meanstructure
        g = -2.0 * (W @ (sample.mean - implied.mu)[..., None])[..., 0] if means else np.zeros(G.shape[:-1])
        Lg = (LT @ g[..., None])[..., 0]
        for code in np.unique(layout.matrix):
            here = np.flatnonzero(layout.matrix == code)
            row, column = layout.row[here], layout.column[here]
            half = np.where(row == column, 0.5, 1.0)
            if code == LAMBDA:
                found[:, here] = 2.0 * GD[:, row, column] + g[:, row] * implied.eta_mean[:, column]
            elif code == BETA:
                found[:, here] = 2.0 * LGD[:, row, column] + Lg[:, row] * implied.eta_mean[:, column]
            elif code == PSI:
                found[:, here] = 2.0 * half * LGL[:, row, column]
            elif code in (NU, ALPHA):
                found[:, here] = (g if code == NU else Lg)[:, row]
            else:
                found[:, here] = 2.0 * half * G[:, row, column]
        return found


def fit_batch(problem: BatchProblem, moments: list[Moments]) -> BatchFit:
    """Fit every replicate; those that do not converge have ``converged`` False."""
    count, size = len(moments[0].cov), problem.basis.shape[1]
    z, done = np.zeros((count, size)), np.zeros(count, dtype=bool)
    with np.errstate(all="ignore"):
        _descend(problem, moments, z, done)
        values = problem.values(z, moments)
        chisq = np.full(count, np.nan)
        chisq[done] = problem.chisq(values[done], [Moments(m.cov[done], m.mean[done]) for m in moments])
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
            active, part = active[keep], [Moments(m.cov[keep], m.mean[keep]) for m in part]
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
