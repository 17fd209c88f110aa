"""Finds the minimum: Fisher scoring with damping and line search, then quasi-Newton, then other starts.

Linear equality constraints are eliminated (``x = origin + basis z``); bounds and nonlinear constraints go through
sequential quadratic programming (scipy) and are polished by Newton steps on the conditions of Kuhn and Tucker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import dposv

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.feasibility import check_feasible
from psm_analysis.sem.problem import ConstraintSystem, Problem

TOLERANCE, SQUARED = 1e-9, 3e-6
NEWTON = 0.2
MAX_ITERATIONS = 300
STALL, PATIENCE = 0.01, 50
"""A search that gains less than this share of the discrepancy in so many iterations is given up."""
SHORT = 0.1
"""Of a step: where less is taken of it, the information is nearly singular and the next one is damped."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lower and upper bounds of the free parameters."""

    lower: Array
    upper: Array

    @property
    def any(self) -> bool:
        """Tell whether any bound is finite."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())


@dataclass(frozen=True, slots=True)
class Solution:
    """Where the search ended.

    ``jacobian`` holds one row per constraint that is active at the solution: equalities, and inequalities and bounds
    that are met with equality.
    """

    x: Array
    value: float
    iterations: int
    converged: bool
    jacobian: Array
    gradient: Array


def minimise(problem: Problem, starts: Array, *, constraints: ConstraintSystem, bounds: Bounds) -> Solution:
    """Return the minimum from the best of several starts.

    First come the `starts`, shape ``(n, n_free)``; on failure a quasi-Newton search and three jittered starts (fixed
    seed) follow; one only under inequality constraints, which fail together rather than from a bad start.
    """
    check_feasible(problem, starts[0], constraints=constraints, lower=bounds.lower, upper=bounds.upper)
    best: Solution | None = None
    for start in _with_jittered(starts, 1 if constraints.inequalities else 3):
        found = _search(problem, start, constraints=constraints, bounds=bounds)
        if found.converged:
            return found
        if best is None or found.value < best.value:
            best = found
    assert best is not None
    return best


def _with_jittered(starts: Array, n: int) -> Iterator[Array]:
    yield from starts
    yield from starts[0] * np.random.default_rng(20120524).normal(1.0, 0.3, size=(n, starts.shape[1]))


def solution_at(problem: Problem, x: Array, *, constraints: ConstraintSystem) -> Solution:
    """Return the solution of a problem whose minimum is known."""
    jacobian = constraints.equal(problem, x)[1]
    return Solution(x, problem.value(x), 0, True, jacobian, gradient_at(problem, x))


def _search(problem: Problem, start: Array, *, constraints: ConstraintSystem, bounds: Bounds) -> Solution:
    if constraints.inequalities or bounds.any or not is_linear(problem, constraints, start):
        return _constrained(problem, start, constraints, bounds)
    value, jacobian = constraints.equal(problem, start)
    origin, basis = affine(start, value, jacobian, units=_units(problem, start))
    z, iterations, converged = fisher_scoring(problem, origin, basis)
    x = origin + basis @ z
    if not converged:
        x, converged = _quasi_newton(problem, x, basis)
        z, more, scored = fisher_scoring(problem, x, basis)
        x, converged, iterations = x + basis @ z, converged or scored, iterations + more
    return Solution(x, problem.value(x), iterations, converged, jacobian, gradient_at(problem, x))


def is_linear(problem: Problem, constraints: ConstraintSystem, start: Array) -> bool:
    """Tell whether the equality constraints are linear."""
    if not constraints.equalities:
        return True
    _, here = constraints.equal(problem, start)
    _, there = constraints.equal(problem, start * 1.7 + 0.3)
    return bool(np.allclose(here, there, rtol=1e-10, atol=1e-12))


def _units(problem: Problem, x: Array) -> Array:
    """Return the standard deviation of each parameter in one observation: what makes variables of any scale alike."""
    if not np.isfinite(problem.value(x)):
        return np.ones(x.size)
    return 1.0 / _roots(problem.derivatives(x)[1])


def _roots(information: Array) -> Array:
    """Return square roots of the diagonal, 1 where it is not positive."""
    diagonal = np.diagonal(information)
    good = np.isfinite(diagonal) & (diagonal > 0)
    return np.sqrt(np.where(good, diagonal, 1.0))


def affine(start: Array, value: Array, jacobian: Array, *, units: Array) -> tuple[Array, Array]:
    """Return the point nearest to the start that meets linear constraints, and a basis of the directions they leave."""
    if not len(value):
        return start, np.diag(units)
    scaled = jacobian * units
    step = units * np.linalg.lstsq(scaled, -value, rcond=None)[0]
    if not np.allclose(jacobian @ step, -value, atol=1e-8):
        raise ModelError(
            "The equality constraints contradict each other.",
            where="the '==' lines of the model",
            remedy="Remove one of them.",
        )
    return start + step, units[:, None] * scipy.linalg.null_space(scaled)


def fisher_scoring(problem: Problem, origin: Array, basis: Array) -> tuple[Array, int, bool]:
    """Minimise over ``z`` in ``x = origin + basis z`` by damped Fisher scoring with step halving.

    The Hessian of the discrepancy is on average twice the information of one observation, so the full step is
    ``-(1/2) information^-1 gradient``; near the minimum the Hessian itself takes its place (Newton), if it is known.
    Converged when no parameter moves by more than 1e-9 of its standard deviation in one observation, or, by a Newton
    step, by more than 3e-6: what is left after such a step is of the order of its square.
    """
    z = np.zeros(basis.shape[1])
    if not z.size:
        return z, 0, True
    units = np.diagonal(basis) if _is_diagonal(basis) else None
    exact = all(part.curved for part in problem.discrepancies)
    x, value, damping, near, scale = origin, problem.value(origin), 0.0, False, np.ones(z.size)
    passed = value
    for iteration in range(1, MAX_ITERATIONS + 1):
        gradient = basis.T @ problem.derivatives(x, information=False)[0]
        step = _step(gradient, _along(problem.hessian(x), basis, units) / 2.0) if near else None
        newton = step is not None
        if step is None:
            information = _along(problem.derivatives(x)[1], basis, units)
            if not np.isfinite(value) or not np.isfinite(information).all():
                return z, iteration, False
            scale = _roots(information)
            step = _step(gradient, information + damping * np.diag(scale**2))
        size = np.inf if step is None else float(np.abs(step * scale).max())
        if step is not None and size < (SQUARED if newton else TOLERANCE) and damping == 0.0:
            return z + step, iteration, True
        length, trial, end = _line_search(problem, x, basis, step, value, gradient)
        if step is None or length == 0.0:
            if np.abs(gradient / scale).max() < 1e-7:
                return z, iteration, True
            damping, near = max(4.0 * damping, 1e-3), False
            if damping > 1e6:
                return z, iteration, False
            continue
        z, x, value = z + length * step, end, trial
        if iteration % PATIENCE == 0:
            if iteration > PATIENCE and passed - value < STALL * abs(value):
                return z, iteration, False
            passed = value
        eased = 0.0 if damping < 1e-4 else damping / 8.0
        damping = max(4.0 * damping, 1e-3) if length < SHORT else eased
        near = exact and damping == 0.0 and size < NEWTON
    return z, MAX_ITERATIONS, False


def _is_diagonal(basis: Array) -> bool:
    square = basis.shape[0] == basis.shape[1]
    return bool(square and np.count_nonzero(basis) == np.count_nonzero(np.diagonal(basis)))


def _along(matrix: Array, basis: Array, units: Array | None) -> Array:
    """Return ``basis' matrix basis``; without constraints the basis is diagonal, and many groups have much of it."""
    return basis.T @ matrix @ basis if units is None else matrix * units * units[:, None]


def _step(gradient: Array, information: Array) -> Array | None:
    _, solved, failed = dposv(information, gradient)
    return None if failed else np.asarray(-0.5 * solved)


def _line_search(
    problem: Problem, x: Array, basis: Array, step: Array | None, value: float, gradient: Array
) -> tuple[float, float, Array]:
    """Return the step length of sufficient decrease (Armijo), the value and the point; length 0 if there is none."""
    if step is None:
        return 0.0, value, x
    slope = float(gradient @ step)
    length = 1.0
    for _ in range(25):
        end = x + basis @ (length * step)
        trial = problem.value(end)
        if trial <= value + 1e-4 * length * slope + 1e-13 * (1.0 + abs(value)):
            return length, trial, end
        length /= 2.0
    return 0.0, value, x


def _quasi_newton(problem: Problem, x: Array, basis: Array) -> tuple[Array, bool]:
    from scipy.optimize import minimize

    def objective(z: Array) -> tuple[float, Array]:
        point = x + basis @ z
        value = problem.value(point)
        if not np.isfinite(value):
            return 1e10, np.zeros(z.size)
        return value, basis.T @ problem.derivatives(point, information=False)[0]

    found = minimize(
        objective, np.zeros(basis.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": MAX_ITERATIONS}
    )
    end = x + basis @ found.x
    return end, bool(np.isfinite(problem.value(end)) and np.abs(np.asarray(found.jac)).max() < 1e-5)


def _constrained(problem: Problem, start: Array, constraints: ConstraintSystem, bounds: Bounds) -> Solution:
    """Minimise under nonlinear or inequality constraints: SLSQP, then Newton steps on the active set.

    The search sets out from the minimum without constraints, if there is one: products of parameters that start at 0
    have no slope to follow.
    """
    from scipy.optimize import minimize

    if constraints.equalities:
        move, _, found_free = fisher_scoring(problem, start, np.eye(start.size))
        start = start + move if found_free else start
    start = np.clip(start, bounds.lower, bounds.upper)
    units = _units(problem, start)

    def objective(y: Array) -> tuple[float, Array]:
        value = problem.value(units * y)
        if not np.isfinite(value):
            return 1e10, np.zeros(y.size)
        return value, units * problem.derivatives(units * y, information=False)[0]

    rules: list[Any] = []
    if constraints.equalities:
        rules.append(_rule("eq", problem, constraints, units))
    if constraints.inequalities:
        rules.append(_rule("ineq", problem, constraints, units))
    found = minimize(
        objective,
        start / units,
        jac=True,
        method="SLSQP",
        bounds=list(zip(bounds.lower / units, bounds.upper / units, strict=True)),
        constraints=rules,
        options={"ftol": 1e-13, "maxiter": MAX_ITERATIONS},
    )
    x = units * found.x
    if not _feasible(problem, x, constraints, tolerance=0.1):
        _, jacobian = active_constraints(problem, x, constraints, bounds)
        return Solution(x, problem.value(x), int(found.nit), False, jacobian, gradient_at(problem, x))
    return _polished(problem, x, constraints, bounds, iterations=int(found.nit))


def _feasible(problem: Problem, x: Array, constraints: ConstraintSystem, *, tolerance: float) -> bool:
    """Tell whether all constraints hold at ``x``."""
    equal, unequal = constraints.equal(problem, x)[0], constraints.unequal(problem, x)[0]
    return bool((np.abs(equal) < tolerance).all() and (unequal > -tolerance).all())


def _rule(kind: str, problem: Problem, constraints: ConstraintSystem, units: Array) -> dict[str, Any]:
    function = constraints.equal if kind == "eq" else constraints.unequal
    return {
        "type": kind,
        "fun": lambda y: function(problem, units * y)[0],
        "jac": lambda y: function(problem, units * y)[1] * units,
    }


def active_constraints(
    problem: Problem, x: Array, constraints: ConstraintSystem, bounds: Bounds
) -> tuple[Array, Array]:
    """Return value and Jacobian of equalities and of the inequalities and bounds that hold with equality at ``x``."""
    equal, equal_slope = constraints.equal(problem, x)
    unequal, unequal_slope = constraints.unequal(problem, x)
    touching = unequal < 1e-6
    low, high = x - bounds.lower, bounds.upper - x
    at_bound = np.flatnonzero((low < 1e-7) | (high < 1e-7))
    unit = np.eye(x.size)[at_bound]
    gap = np.where(low[at_bound] < high[at_bound], low[at_bound], -high[at_bound])
    value = np.concatenate([equal, unequal[touching], gap])
    return value, np.vstack([equal_slope, unequal_slope[touching], unit])


def _polished(
    problem: Problem, x: Array, constraints: ConstraintSystem, bounds: Bounds, *, iterations: int
) -> Solution:
    """Iterate Newton steps on the Lagrangian with the expected Hessian until nothing moves."""
    converged = False
    value, jacobian = active_constraints(problem, x, constraints, bounds)
    for step_number in range(MAX_ITERATIONS):
        if not np.isfinite(problem.value(x)):
            break
        gradient, information = problem.derivatives(x)
        k = len(value)
        scale = _roots(information)
        slopes = jacobian / scale
        system = np.block([[2.0 * information / np.outer(scale, scale), slopes.T], [slopes, np.zeros((k, k))]])
        if not np.isfinite(system).all():
            break
        step = np.linalg.lstsq(system, -np.concatenate([gradient / scale, value]), rcond=None)[0][: x.size] / scale
        x = x + step
        value, jacobian = active_constraints(problem, x, constraints, bounds)
        if np.abs(step * scale).max() < TOLERANCE:
            converged, iterations = True, iterations + step_number + 1
            break
    converged = converged and _feasible(problem, x, constraints, tolerance=1e-6)
    return Solution(x, problem.value(x), iterations, converged, jacobian, gradient_at(problem, x))


def gradient_at(problem: Problem, x: Array) -> Array:
    """Return the gradient, or nan where the discrepancy is not defined."""
    if not np.isfinite(problem.value(x)):
        return np.full(x.size, np.nan)
    return problem.derivatives(x, information=False)[0]
