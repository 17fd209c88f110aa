"""Climbing the ladder: one fit per step, a decision by the rule, repairs by partial release."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from psm_analysis._model_names import quoted
from psm_analysis._options import InvarianceRule
from psm_analysis.errors import ConvergenceError, DataError, ModelError, PsmAnalysisWarning
from psm_analysis.invariance.blocks import Blocks
from psm_analysis.invariance.ladder import Step
from psm_analysis.invariance.partial import Release, next_release
from psm_analysis.invariance.result import InvarianceResult
from psm_analysis.invariance.rules import holds
from psm_analysis.sem.difference_test import DifferenceTest, difference_test
from psm_analysis.sem.idle_options import idle_releases
from psm_analysis.sem.nesting import estimation_of
from psm_analysis.sem.reported import measure_kind, measures_of
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.roles import find_roles
from psm_analysis.sem.syntax import parse_model

MEASURES = ("cfi", "rmsea", "srmr")
NO_SOLUTION = (ConvergenceError, DataError, ModelError)
Rule = InvarianceRule | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is climbed: the steps, how one is fitted (with what is released, and the fit before), what is compared."""

    rungs: tuple[Step, ...]
    fit: Callable[[Step, Sequence[str], SemResult | None], SemResult]
    blocks: Callable[[SemResult], Blocks]
    rule: Rule
    partial: bool
    release: tuple[str, ...]


def climb(plan: Plan) -> InvarianceResult:
    """Fit all steps and decide on each; the first without a solution ends the ladder, which keeps the steps below."""
    fits: dict[str, SemResult] = {}
    rows: list[dict[str, Any]] = []
    releases: list[Release] = []
    told: list[str] = []
    for step in plan.rungs:
        before = next(reversed(fits.values()), None)
        try:
            fit, row, found, doubts = _take(plan, step, before, releases)
        except NO_SOLUTION as error:
            if before is None:
                raise
            rows.append(_unsolved(step, rows[-1]))
            told.append(f"{step.name}: {error.what} {_left(plan.rungs, step)}".rstrip())
            break
        releases += found
        told += doubts
        fits[step.name] = fit
        rows.append(row)
    # what is to be released at a later step is not yet equal: only the last step tells what is released in vain
    early = {name: idle_releases(fit.table) for name, fit in fits.items() if name != plan.rungs[-1].name}
    notes = [f"{k}: {note}" for k, fit in fits.items() for note in fit.warnings if note not in early.get(k, ())]
    notes += told
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=3)
    rule = plan.rule
    text = rule if isinstance(rule, str) else ", ".join(f"{name} {limit:g}" for name, limit in rule.items())
    blocks = plan.blocks(next(iter(fits.values())))
    return InvarianceResult(fits, pd.DataFrame(rows), tuple(releases), text, blocks, tuple(notes))


def _unsolved(step: Step, above: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a step that has no solution."""
    told = {"step": step.name, "equal": ", ".join(step.equal), "released": "", "decision": "no solution"}
    return {name: told.get(name, math.nan) for name in above}


def _left(rungs: Sequence[Step], step: Step) -> str:
    names = ", ".join(rung.name for rung in rungs[rungs.index(step) + 1 :])
    return f"Steps above are not fitted: {names}." if names else ""


def _take(
    plan: Plan, step: Step, before: SemResult | None, releases: Sequence[Release]
) -> tuple[SemResult, dict[str, Any], list[Release], list[str]]:
    """Fit a step; while it fails and may be repaired, release one parameter and fit it anew.

    A release after which there is no solution is not made; the reason is the last that is returned.
    """
    freed = [*plan.release, *(r.parameter for r in releases)]
    fit = _converged(plan.fit(step, freed, before), step)
    row = _row(step, fit, before, plan.rule)
    mine: list[Release] = []
    told: list[str] = []
    while plan.partial and row["decision"] == "fails":
        try:
            found = next_release(fit, plan.blocks(fit), step=step.name, added=step.added)
            if found is None:
                break
            again = _converged(plan.fit(step, [*freed, found.parameter], fit), step)
        except NO_SOLUTION as error:
            told.append(f"{step.name}: no parameter more could be released. {error.what}")
            break
        mine.append(found)
        freed.append(found.parameter)
        fit, row = again, _row(step, again, before, plan.rule)
    row["released"] = ", ".join(r.parameter for r in mine)
    row["decision"] = "partial" if mine and row["decision"] == "holds" else row["decision"]
    return fit, row, mine, told


def _converged(fit: SemResult, step: Step) -> SemResult:
    if not fit.converged:
        raise ModelError(
            f"The step {step.name!r} has no solution.",
            where="invariance",
            remedy="Look at the fit of each group (or wave) alone; merge small groups, or simplify the model.",
        )
    return fit


def higher_order_means(model: str, step: Step, n_blocks: int) -> str:
    """Return lines that keep the means of higher-order factors at 0 where those of the first order become free.

    Both are not identified together; the means of first-order factors carry all differences of level.
    """
    if "intercepts" not in step.equal or "means" in step.equal:
        return ""
    terms = parse_model(model).terms
    latent = set(find_roles(terms).latent)
    written = {term.lhs for term in terms if term.op == "~1"}
    higher = dict.fromkeys(t.lhs for t in terms if t.op == "=~" and t.rhs in latent and t.lhs not in written)
    zeros = ", ".join(["0"] * n_blocks)
    return "".join(f"\n{quoted(name)} ~ c({zeros})*1" for name in higher)


def _row(step: Step, fit: SemResult, before: SemResult | None, rule: Rule) -> dict[str, Any]:
    m = fit.fit_measures
    kind = measure_kind([fit] if before is None else [before, fit])
    now = measures_of(fit, kind)
    scaled = math.isfinite(m.get("chisq_scaled", math.nan))
    row: dict[str, Any] = {"step": step.name, "equal": ", ".join(step.equal), "released": ""}
    row |= {"chisq": m["chisq_scaled" if scaled else "chisq"], "df": m["df"]}
    row |= {"p": m["pvalue_scaled" if scaled else "pvalue"]} | {name: now[name] for name in MEASURES}
    if before is None:
        empty = ("statistic", "df_diff", "p_value", *(f"delta_{name}" for name in MEASURES))
        return row | dict.fromkeys(empty, math.nan) | {"decision": "holds"}
    then, test = measures_of(before, kind), _difference(before, fit)
    change = {name: now[name] - then[name] for name in MEASURES}
    row |= {"statistic": test.statistic, "df_diff": test.df, "p_value": test.p_value}
    row |= {f"delta_{name}": value for name, value in change.items()}
    kept = holds(rule, change | {"p": test.p_value}, step=step.name, nobs=fit.nobs)
    return row | {"decision": "holds" if kept else "fails"}


def _difference(before: SemResult, fit: SemResult) -> DifferenceTest:
    """Return the difference test; undefined where the step costs no degree of freedom (items with few categories)."""
    df = fit.fit_measures["df"] - before.fit_measures["df"]
    if df <= 0:
        return DifferenceTest(math.nan, df, "standard")
    chisq = fit.fit_measures["chisq"] - before.fit_measures["chisq"]
    return difference_test(estimation_of(before), estimation_of(fit), chisq=chisq)
