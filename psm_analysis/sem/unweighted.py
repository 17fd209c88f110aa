"""The search for the minimum of least squares with a weight for each moment, whatever the units of the variables.

It goes in stages, from equal weights of the correlations to the weights asked for (continuation); each stage takes the
steps of Newton, or of Gauss and Newton, through orthogonal factors. Heavy moments make narrow curved valleys: a step
that leaves one is led back by the same factors and the residuals where it ended (second-order correction: Fletcher,
R. (1987). Practical methods of optimization. Wiley, section 14.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.far_apart import LIKE, moment_parts, raised, relative_weights, weight_ratio, weighted_slopes
from psm_analysis.sem.graded import ROUNDING, GradedFactor
from psm_analysis.sem.optimize import TOLERANCE, Bounds, Solution, affine, gradient_at, is_linear, minimise
from psm_analysis.sem.problem import ConstraintSystem, Problem

MOST = 100
"""Iterations of a stage."""
NEAR = 0.3
"""Below this length, in units of the correlations, a step asks for second derivatives."""
LOST = 1e-3
"""A solution that rounding errors may move by more is none."""


def minimise_weighted(problem: Problem, starts: Array, *, constraints: ConstraintSystem, bounds: Bounds) -> Solution:
    """Return the minimum, by stages if the weights are far apart."""
    ratio, weights = weight_ratio(problem), relative_weights(problem)
    if ratio <= LIKE:
        stages = [raised(problem, power=1.0, unit=float(weights.mean()))]
    else:
        unit, n = float(weights[weights > 0].min()), math.ceil(math.log(ratio, LIKE))
        stages = [raised(problem, power=k / n, unit=unit) for k in range(n + 1)]
    found = minimise(stages[0], starts, constraints=constraints, bounds=bounds)
    iterations = found.iterations
    for stage in stages[1:]:
        found = _next(stage, found.x, constraints=constraints, bounds=bounds)
        iterations += found.iterations
    x = found.x
    return replace(found, value=problem.value(x), iterations=iterations, gradient=gradient_at(problem, x))


def _next(stage: Problem, start: Array, *, constraints: ConstraintSystem, bounds: Bounds) -> Solution:
    """Return the minimum of a stage from that of the one before."""
    if is_linear(stage, constraints, start):
        found = _search(stage, start, constraints)
        inside = (found.x > bounds.lower).all() and (found.x < bounds.upper).all()
        if inside and (constraints.unequal(stage, found.x)[0] > 0.0).all():
            return found
    return minimise(stage, start[None, :], constraints=constraints, bounds=bounds)


@dataclass(frozen=True, slots=True)
class _Point:
    """Where a search stands: parameters, weighted residuals and their rounding errors, discrepancy."""

    x: Array
    rho: Array
    error: Array
    value: float

    @classmethod
    def at(cls, problem: Problem, x: Array) -> _Point:
        rho, error = [], []
        for part, share, implied in zip(moment_parts(problem), problem.weights, problem.implied(x), strict=True):
            root, sigma = np.sqrt(share * part.W), part.moments.vector(implied)
            rho.append(root * (part.s - sigma))
            error.append(ROUNDING * root * (np.abs(part.s) + np.abs(sigma)))
        joined = np.concatenate(rho)
        return cls(x, joined, np.concatenate(error), float(joined @ joined))

    @property
    def noise(self) -> float:
        """What rounding does to the discrepancy."""
        return float((2.0 * np.abs(self.rho) + self.error) @ self.error)


@dataclass(frozen=True, slots=True)
class _Local:
    """The least-squares problem at a point: directions in units of the correlations, factors of the slopes, damping."""

    here: _Point
    along: Array
    factor: GradedFactor
    damping: float

    @classmethod
    def at(cls, problem: Problem, here: _Point, *, basis: Array, damping: float) -> _Local:
        slopes, norms = weighted_slopes(problem, here.x, basis=basis)
        J = slopes / norms
        if damping:
            J = np.vstack([J, math.sqrt(damping) * np.eye(J.shape[1])])
        return cls(here, basis / norms, GradedFactor.of(J), damping)

    @property
    def y(self) -> Array:
        """The residuals, and zeros that damping is measured from."""
        return self.padded(self.here.rho)

    def padded(self, rho: Array) -> Array:
        """Return residuals with the zeros of damping."""
        return np.pad(rho, (0, len(self.factor.J) - len(rho)))

    def step(self, problem: Problem) -> Array | None:
        """Return the step of Newton where it is short, otherwise that of Gauss and Newton; None if there is none."""
        if not self.factor.regular:
            return None
        step = self.factor.solve(self.y)
        if not np.isfinite(step).all():
            return None
        if not self.damping and np.abs(step).max(initial=0.0) < NEAR:
            bend = 0.5 * self.along.T @ problem.curvature(self.here.x) @ self.along
            newton = self.factor.bent(self.y, bend)
            if newton is not None and np.abs(newton).max(initial=0.0) < 2.0 * NEAR:
                return newton
        return step

    def is_last(self, step: Array) -> bool:
        """Tell whether a step counts as none: within the tolerance, or what rounding errors make."""
        if self.damping:
            return False
        reach = np.minimum(self.factor.reach(self.here.rho, error=self.here.error), LOST)
        return bool((np.abs(step) <= np.maximum(TOLERANCE, reach)).all())

    def move(self, problem: Problem, step: Array) -> tuple[_Point, float]:
        """Return the point after a step of sufficient decrease and its length, 0 if there is none."""
        fall = self.factor.J @ step
        rise, length = -2.0 * float(self.y @ fall), 1.0
        for _ in range(12):
            target, moved = self.y - length * fall, length * step
            for _ in range(4):
                there = _Point.at(problem, self.here.x + self.along @ moved)
                if there.value <= self.here.value + 1e-4 * length * rise + self.here.noise:
                    return there, length
                correction = self.factor.solve(self.padded(there.rho) - target)
                if not np.abs(correction).max() <= np.abs(length * step).max():
                    break
                moved = moved + correction
            length /= 2.0
        return self.here, 0.0


def _search(problem: Problem, start: Array, constraints: ConstraintSystem) -> Solution:
    """Return the minimum near a point, under linear constraints."""
    value, jacobian = constraints.equal(problem, start)
    _, norms = weighted_slopes(problem, start, basis=np.eye(start.size))
    origin, basis = affine(start, value, jacobian, units=1.0 / norms)
    here, damping, converged, iterations = _Point.at(problem, origin), 0.0, False, 0
    while iterations < MOST and damping < 1e8 and not converged:
        iterations += 1
        local = _Local.at(problem, here, basis=basis, damping=damping)
        step = local.step(problem)
        if step is not None and local.is_last(step):
            here, converged = _Point.at(problem, here.x + local.along @ step), True
            continue
        here, length = (here, 0.0) if step is None else local.move(problem, step)
        damping = _damped(damping, length)
    return Solution(here.x, here.value, iterations, converged, jacobian, gradient_at(problem, here.x))


def _damped(damping: float, length: float) -> float:
    """Return the damping after a step of a length: more where less was taken of it, less where all was."""
    if length == 0.0:
        return max(10.0 * damping, 1e-6)
    if length < 0.1:
        return max(4.0 * damping, 1e-3)
    return 0.0 if damping < 1e-5 else damping / 10.0
