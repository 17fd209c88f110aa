"""The measurement model between reference and new wave: with all parameters fixed, and step by step in both.

References
----------
Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
Modeling, 14, 464-504.
Byrne, B. M., Shavelson, R. J., & Muthén, B. (1989). Psychological Bulletin, 105, 456-466 (partial invariance).
Nye, C. D., & Drasgow, F. (2011). Journal of Applied Psychology, 96, 966-980 (dMACS).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._model_names import quoted
from psm_analysis.errors import PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.invariance.blocks import group_blocks
from psm_analysis.invariance.effect_sizes import dmacs
from psm_analysis.invariance.rules import holds
from psm_analysis.report.drift_words import Pair, no_model, too_few
from psm_analysis.scoring.model import ScoringModel
from psm_analysis.sem.fit import cfa
from psm_analysis.sem.formulas import chisq_p_value
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.score_tests import score_tests
from psm_analysis.workflows.measurement import fixed_text

Array = NDArray[np.float64]
FEWEST_ROWS = 200
ALPHA = 0.01
FEWEST_EQUAL = 2
STEPS = {"configural": (), "metric": ("loadings",), "scalar": ("loadings", "intercepts")}
MEASURES = ("chisq", "df", "cfi", "rmsea", "srmr")


@dataclass(frozen=True, slots=True)
class Structure:
    """Fit with all parameters fixed, steps of invariance, effect sizes by item; or why there are none.

    `noise` is what sampling alone adds to the square of SRMR; see `residual_variance`.
    """

    fixed: dict[str, float]
    steps: pd.DataFrame
    dmacs: dict[str, float]
    problem: Pair | None
    noise: float = 0.0


def structure_of(model: ScoringModel, complete: Array) -> Structure:
    """Hold the frozen measurement model against the complete rows of a new wave."""
    frozen = model.measurement
    empty = pd.DataFrame(columns=["step", *MEASURES, "delta_cfi", "delta_rmsea", "delta_srmr", "released", "decision"])
    if frozen.problem:
        return Structure({}, empty, {}, no_model(frozen.problem))
    if min(len(complete), frozen.nobs) < FEWEST_ROWS:
        return Structure({}, empty, {}, too_few(min(len(complete), frozen.nobs), FEWEST_ROWS))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsmAnalysisWarning)
            fixed = _fixed(model, complete)
            steps, fit = _invariance(model, complete)
    except PsmAnalysisError as error:
        return Structure({}, empty, {}, no_model(error.what))
    sizes = dmacs(fit, group_blocks(fit)).groupby("item")["dmacs"].max()
    noise = residual_variance(np.array(model.reference.covariance), n_old=frozen.nobs, n_new=len(complete))
    return Structure(fixed, steps, {str(item): float(size) for item, size in sizes.items()}, None, noise)


def residual_variance(S: Array, *, n_old: int, n_new: int) -> float:
    """Return the mean sampling variance of the standardized residuals of means and covariances without change.

    Under normality a covariance has the variance ``(1 + r^2) / n`` in units of the standard deviations (a variance 2/n,
    a mean 1/n); both waves have it. It is the bias of the square of SRMR: Maydeu-Olivares, A. (2017). Psychometrika,
    82, 533-558.

    Examples
    --------
    >>> round(residual_variance(np.eye(2), n_old=100, n_new=100), 6)
    0.028
    """
    R = S / np.sqrt(np.outer(S.diagonal(), S.diagonal()))
    p = len(R)
    whole = float(np.tril(1 + R**2).sum()) + p
    return whole / (p * (p + 3) / 2) * (1 / n_old + 1 / n_new)


def _fixed(model: ScoringModel, complete: Array) -> dict[str, float]:
    S, mean = _moments(model, np.cov(complete, rowvar=False), complete.mean(axis=0))
    fit = cfa(
        fixed_text(model.measurement), sample_cov=S, sample_mean=mean, sample_nobs=len(complete), meanstructure=True
    )
    names = ("chisq", "df", "pvalue", "cfi", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "srmr")
    return {name: float(fit.fit_measures[name]) for name in names}


def _moments(model: ScoringModel, S: Array, mean: Array) -> tuple[pd.DataFrame, pd.Series]:
    names = list(model.item_ids)
    return pd.DataFrame(S, index=names, columns=names), pd.Series(mean, index=names)


def _invariance(model: ScoringModel, complete: Array) -> tuple[pd.DataFrame, SemResult]:
    """Return the steps, and the last fit; equalities are given up one by one while a score test asks for it."""
    reference = model.reference
    old = _moments(model, np.array(reference.covariance), np.array(reference.complete_means))
    new = _moments(model, np.cov(complete, rowvar=False), complete.mean(axis=0))
    given: dict[str, Any] = {
        "sample_cov": {"reference": old[0], "new": new[0]},
        "sample_mean": {"reference": old[1], "new": new[1]},
        "sample_nobs": {"reference": reference.complete_n, "new": len(complete)},
        "meanstructure": True,
    }
    rows: list[dict[str, Any]] = []
    freed: list[str] = []
    before: SemResult | None = None
    for step, equal in STEPS.items():
        fit = plain = cfa(model.measurement.model, group_equal=equal, group_partial=tuple(freed), **given)
        mine: list[str] = []
        while step != "configural" and (found := _release(fit, step, items=len(model.items))):
            mine.append(found)
            fit = cfa(model.measurement.model, group_equal=equal, group_partial=(*freed, *mine), **given)
        freed += mine
        rows.append(_step(step, plain, before, released=mine))
        before = fit
    assert before is not None
    return pd.DataFrame(rows), before


def _release(fit: SemResult, step: str, *, items: int) -> str | None:
    """Return the equality that the largest score test asks to give up, if two stay equal in every factor."""
    tests = score_tests(fit).tidy()
    op = "=~" if step == "metric" else "~1"
    latent = set(fit.table.roles.latent)
    item = tests["rhs"] if op == "=~" else tests["lhs"]
    mine = tests[(tests["op"] == op) & ~item.isin(latent)].assign(item=item)
    rows: list[dict[Any, Any]] = mine.sort_values("statistic", ascending=False, kind="stable").to_dict("records")
    for row in rows:
        if row["p_value"] >= ALPHA / items:
            return None
        if _keeps_enough(fit, row["item"], set(mine["item"])):
            return f"{quoted(row['lhs'])} " + (f"=~ {quoted(row['rhs'])}" if op == "=~" else "~ 1")
    return None


def _keeps_enough(fit: SemResult, item: str, equal: set[str]) -> bool:
    loadings = [p for p in fit.table.parameters if p.op == "=~" and p.group == 1]
    for factor in (p.lhs for p in loadings if p.rhs == item):
        others = [p for p in loadings if p.lhs == factor and p.rhs != item]
        if sum(p.rhs in equal or not p.free for p in others) < FEWEST_EQUAL:
            return False
    return True


def _step(step: str, fit: SemResult, before: SemResult | None, *, released: list[str]) -> dict[str, Any]:
    """Return the fit of a step before anything is released in it, and whether it holds against the step before."""
    now = {name: float(fit.fit_measures[name]) for name in MEASURES}
    row: dict[str, Any] = {"step": step, **now}
    names = ("cfi", "rmsea", "srmr")
    if before is None:
        return (
            row | {f"delta_{name}": np.nan for name in names} | {"p_value": np.nan, "released": "", "decision": "holds"}
        )
    change = {name: now[name] - float(before.fit_measures[name]) for name in names}
    chisq, df = (now[name] - float(before.fit_measures[name]) for name in ("chisq", "df"))
    kept = holds("chen2007", change, step=step, nobs=fit.nobs)
    return (
        row
        | {f"delta_{name}": value for name, value in change.items()}
        | {
            "p_value": chisq_p_value(chisq, df),
            "released": ", ".join(released),
            "decision": "fails" if not kept else "partial" if released else "holds",
        }
    )
