"""Whether constraints and bounds can be met at all."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.optimize import Bounds
from psm_analysis.sem.problem import ConstraintSystem, Problem


def check_feasible(problem: Problem, x: Array, *, constraints: ConstraintSystem, bounds: Bounds) -> None:
    """Raise a ModelError if a least-squares search from `x` finds no parameters that meet all constraints.

    Raises
    ------
    ModelError
        With the first constraint that is violated where the violations together are smallest.
    """
    texts = [f"{c.lhs} {c.op} {c.rhs}" for c in (*constraints.equalities, *constraints.inequalities)]
    if not texts:
        return

    def violations(x: Array) -> Array:
        equal, unequal = constraints.equal(problem, x)[0], constraints.unequal(problem, x)[0]
        outside = np.minimum(x - bounds.lower, 0.0) + np.maximum(x - bounds.upper, 0.0)
        return np.concatenate([equal, np.minimum(unequal, 0.0), outside])

    gaps = violations(optimize.least_squares(violations, np.asarray(x, float)).x)
    if not np.isfinite(gaps).all() or np.abs(gaps).max() < TOLERANCE:
        return
    worst = texts[int(np.abs(gaps[: len(texts)]).argmax())]
    raise ModelError(
        "The constraints contradict each other: no parameters were found that meet all of them.",
        where=f"'{worst}' and the others of {'; '.join(texts[:6])}",
        remedy="Correct or remove one of them (and look at lower() and upper()).",
    )


TOLERANCE = 1e-4
