"""Whether the constraints of a model can hold together: asked before the search, which could only fail slowly.

Linear constraints and bounds are a linear programme: an infeasible one is thinned out to a smallest set that is still
infeasible (deletion filter; Chinneck & Dravnieks, 1991). Of nonlinear constraints the violation is minimised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.problem import ConstraintSystem, Problem

MET = 1e-6


@dataclass(frozen=True, slots=True)
class Rule:
    """One linear constraint, ``slope x >= level`` or ``slope x == level``, and what the user wrote."""

    text: str
    slope: Array
    level: float
    equal: bool


def check_feasible(
    problem: Problem, start: Array, *, constraints: ConstraintSystem, lower: Array, upper: Array
) -> None:
    """Raise a ModelError that names constraints and bounds which cannot hold together.

    Equalities that are linear and alone are left to the search, which eliminates them.
    """
    written = (*constraints.equalities, *constraints.inequalities)
    if not written:
        return
    values, slopes = _all(problem, constraints, start)
    _, elsewhere = _all(problem, constraints, start * 1.7 + 0.3)
    linear = np.isclose(slopes, elsewhere, rtol=1e-10, atol=1e-12).all(axis=1)
    if not constraints.inequalities and linear.all() and not np.isfinite((lower, upper)).any():
        return
    texts = [f"{c.lhs} {c.op} {c.rhs}" for c in written]
    rules = [
        Rule(texts[i], slopes[i], float(slopes[i] @ start - values[i]), bool(i < len(constraints.equalities)))
        for i in np.flatnonzero(linear)
    ]
    rules += _bound_rules(lower, upper, names=_labels(problem, constraints))
    if not _possible(rules):
        _refuse([rule.text for rule in _smallest(rules)], certain=True)
    if not linear.all():
        _check_nonlinear(problem, start, constraints, texts, lower=lower, upper=upper)


def _all(problem: Problem, constraints: ConstraintSystem, x: Array) -> tuple[Array, Array]:
    """Return equalities, then inequalities (what must not be negative), and their Jacobian."""
    (equal, equal_slope), (unequal, unequal_slope) = constraints.equal(problem, x), constraints.unequal(problem, x)
    return np.concatenate([equal, unequal]), np.vstack([equal_slope, unequal_slope])


def _labels(problem: Problem, constraints: ConstraintSystem) -> dict[int, str]:
    return {int(problem.position[row]): label for label, row in reversed(list(constraints.labels.items()))}


def _bound_rules(lower: Array, upper: Array, *, names: dict[int, str]) -> list[Rule]:
    unit = np.eye(len(lower))
    found = []
    for i, name in sorted(names.items()):
        if i >= 0 and np.isfinite(lower[i]):
            found.append(Rule(f"lower({lower[i]:g}) of {name}", unit[i], float(lower[i]), False))
        if i >= 0 and np.isfinite(upper[i]):
            found.append(Rule(f"upper({upper[i]:g}) of {name}", -unit[i], float(-upper[i]), False))
    return found


def _possible(rules: list[Rule]) -> bool:
    """Tell whether any point meets all rules."""
    from scipy.optimize import linprog

    slopes, levels = np.array([rule.slope for rule in rules]), np.array([rule.level for rule in rules])
    equal = np.array([rule.equal for rule in rules], dtype=bool)
    if not len(rules):
        return True
    used = slopes.any(axis=0)
    if not used.any():
        return bool((levels[~equal] <= MET).all() and (np.abs(levels[equal]) <= MET).all())
    found = linprog(
        np.zeros(int(used.sum())),
        A_ub=-slopes[np.ix_(~equal, used)] if (~equal).any() else None,
        b_ub=-levels[~equal] if (~equal).any() else None,
        A_eq=slopes[np.ix_(equal, used)] if equal.any() else None,
        b_eq=levels[equal] if equal.any() else None,
        bounds=(None, None),
    )
    return int(found.status) != INFEASIBLE


INFEASIBLE = 2


def _smallest(rules: list[Rule]) -> list[Rule]:
    """Return a smallest set of rules that cannot hold together: none of them can be left out."""
    kept = list(rules)
    for rule in rules:
        fewer = [other for other in kept if other is not rule]
        if not _possible(fewer):
            kept = fewer
    return kept


def _check_nonlinear(
    problem: Problem,
    start: Array,
    constraints: ConstraintSystem,
    texts: list[str],
    *,
    lower: Array,
    upper: Array,
) -> None:
    """Raise a ModelError if no point that meets all constraints is found from several places."""
    from scipy.optimize import least_squares

    n_equal = len(constraints.equalities)

    def violation(x: Array) -> Array:
        values = _all(problem, constraints, x)[0]
        return np.concatenate([values[:n_equal], np.minimum(values[n_equal:], 0.0)])

    def slope(x: Array) -> Array:
        values, slopes = _all(problem, constraints, x)
        slopes[n_equal:][values[n_equal:] >= 0.0] = 0.0
        return slopes

    upper = np.where(upper > lower, upper, lower + MET)
    rng = np.random.default_rng(20120524)
    size = np.maximum(np.abs(start), 1.0)
    least: Array | None = None
    for place in (start, *(start + size * rng.normal(size=(STARTS, start.size)))):
        inside = np.clip(place, lower, upper)
        if not np.isfinite(violation(inside)).all():
            continue
        found = least_squares(
            violation, inside, jac=slope, bounds=(lower, upper), max_nfev=100, ftol=EXACT, xtol=EXACT, gtol=EXACT
        )
        left = violation(found.x)
        if np.abs(left).max() < MET:
            return
        least = left if least is None or np.abs(left).max() < np.abs(least).max() else least
    if least is not None:
        _refuse([text for text, value in zip(texts, least, strict=True) if abs(value) >= MET], certain=False)


STARTS = 8
EXACT = 1e-15
"""Parameters of large variables do not end the search for values of others."""


def _refuse(texts: list[str], *, certain: bool) -> NoReturn:
    quoted = [f"'{text}'" for text in texts]
    listed = " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
    if not certain:
        message = f"No values were found at which {listed} {'holds' if len(texts) == 1 else 'hold together'}."
    elif len(texts) == 1:
        message = f"The constraint {listed} cannot hold."
    else:
        message = f"The constraints {listed} contradict each other."
    raise ModelError(message, where="the constraints of the model", remedy="Remove or correct one of them.")
