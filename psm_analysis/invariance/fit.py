"""``invariance``: the ladder of fits, the decisions, the partial release."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from psm_analysis._options import InvarianceRule
from psm_analysis.errors import DataError, ModelError, OptionError, PsmAnalysisWarning
from psm_analysis.invariance.ladder import Step, ladder
from psm_analysis.invariance.partial import Release, next_release
from psm_analysis.invariance.result import InvarianceResult
from psm_analysis.invariance.rules import check_rule, holds
from psm_analysis.sem.compare import measure_kind, measures_of
from psm_analysis.sem.difference_test import DifferenceTest, difference_test
from psm_analysis.sem.fit import cfa, fit_table
from psm_analysis.sem.nesting import estimation_of
from psm_analysis.sem.partable import build_table
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.roles import find_roles
from psm_analysis.sem.syntax import parse_model

MEASURES = ("cfi", "rmsea", "srmr")


def invariance(
    model: str,
    data: pd.DataFrame,
    *,
    group: str,
    steps: Sequence[str] | None = None,
    rule: InvarianceRule | Mapping[str, float] = "chen2007",
    partial: bool = False,
    release: Sequence[str] = (),
    **options: Any,
) -> InvarianceResult:
    """Test measurement invariance over groups: a ladder of models, each with more that is equal.

    Parameters
    ----------
    model, data
        As :func:`cfa`.
    group
        Column of the groups.
    steps
        Any of ``configural, thresholds, metric, scalar, strict, residual_covariances, variances, covariances, means,
        regressions``, in order; each keeps what the steps before made equal. By default configural, metric, scalar,
        strict; for ordinal indicators configural, thresholds, metric, scalar (Wu & Estabrook, 2016).
    rule
        When a step holds: ``chen2007``, ``cheung_rensvold2002``, or limits that all have to be met, such as ``{"cfi":
        -0.01, "rmsea": 0.015, "p": 0.05}``.
    partial
        Whether a step that fails is repaired: the equality with the largest score statistic (joint over groups) is
        given up and the step fitted anew, until the step holds, or no statistic is significant at .05 divided by the
        number of candidates, or a factor would keep fewer than two indicators with an equal parameter.
    release
        Parameters that stay free at every step, such as ``"x3 ~ 1"``.
    **options
        Every other argument of :func:`cfa`, such as ``estimator``, ``missing``, ``ordered``, ``parameterization``.

    Returns
    -------
    InvarianceResult
        ``.steps`` holds one fit per step, ``.table`` their fit, differences and decisions.

    Raises
    ------
    OptionError
        For unknown steps or rules, or arguments that the ladder itself sets.
    ModelError
        If a step has no solution.

    References
    ----------
    Meredith, W. (1993). Measurement invariance, factor analysis and factorial invariance. Psychometrika, 58, 525-543.
    Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
    Modeling, 14, 464-504.
    Wu, H., & Estabrook, R. (2016). Identification of confirmatory factor analysis models of different levels of
    invariance for ordered categorical outcomes. Psychometrika, 81, 1014-1045.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=(600, 1))
    >>> rows = pd.DataFrame(f * [1, 0.8, 0.9, 0.7] + rng.normal(size=(600, 4)) * 0.6, columns=["a", "b", "c", "d"])
    >>> rows["site"] = np.repeat(["north", "south"], 300)
    >>> rows.loc[rows["site"] == "south", "d"] += 0.5
    >>> found = psm.invariance("f =~ a + b + c + d", rows, group="site", steps=("configural", "metric", "scalar"),
    ...                        partial=True)
    >>> found.table[["step", "decision", "released"]].values.tolist()
    [['configural', 'holds', ''], ['metric', 'holds', ''], ['scalar', 'partial', 'd ~ 1']]
    """
    check_rule(rule)
    _check_options(data, options)
    ordinal = bool(options.get("ordered"))
    rungs = ladder(steps, ordinal=ordinal, theta=options.get("parameterization") == "theta")
    fits: dict[str, SemResult] = {}
    rows: list[dict[str, Any]] = []
    releases: list[Release] = []
    notes: list[str] = []
    for step in rungs:
        before = next(reversed(fits.values()), None)
        freed = [*release, *(r.parameter for r in releases)]
        fit = _fitted(model, data, step, group=group, freed=freed, options=options, before=before)
        row = _row(step, fit, before, rule)
        while partial and row["decision"] == "fails":
            found = next_release(fit, step=step.name, added=step.added)
            if found is None:
                break
            releases.append(found)
            freed = [*freed, found.parameter]
            fit = _fitted(model, data, step, group=group, freed=freed, options=options, before=fit)
            row = _row(step, fit, before, rule)
        mine = [r.parameter for r in releases if r.step == step.name]
        row["released"] = ", ".join(mine)
        row["decision"] = "partial" if mine and row["decision"] == "holds" else row["decision"]
        fits[step.name] = fit
        rows.append(row)
        notes += [f"{step.name}: {note}" for note in fit.warnings]
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    text = rule if isinstance(rule, str) else ", ".join(f"{name} {limit:g}" for name, limit in rule.items())
    return InvarianceResult(fits, pd.DataFrame(rows), tuple(releases), text, tuple(notes))


def _check_options(data: pd.DataFrame, options: Mapping[str, Any]) -> None:
    for name in ("group_equal", "group_partial"):
        if name in options:
            raise OptionError(
                f"{name} is set by the steps.", where=f"argument {name!r}", remedy="Use steps= and release=."
            )
    if options.get("se") == "bootstrap" or options.get("test") == "bollen.stine":
        raise OptionError(
            "The steps are not bootstrapped.",
            where="arguments 'se' and 'test'",
            remedy="Use estimator='MLR', or bootstrap the fit of one step.",
        )
    if not isinstance(data, pd.DataFrame):
        raise DataError("The data are not a DataFrame.", where="argument 'data'", remedy="Give rows with the groups.")


def _fitted(
    model: str,
    data: pd.DataFrame,
    step: Step,
    *,
    group: str,
    freed: Sequence[str],
    options: Mapping[str, Any],
    before: SemResult | None,
) -> SemResult:
    """Fit a step; what is known of the sample from the step before is used again."""
    text = model + _higher_order_means(model, data, step, group)
    arguments = {"meanstructure": True} | dict(options)
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", PsmAnalysisWarning)
        if before is not None and (before.spec.likelihood or before.sample.groups[0].ordinal is not None):
            chosen = replace(before.table.options, group_equal=step.equal, group_partial=tuple(freed))
            fit = fit_table(build_table(parse_model(text), chosen), before.sample, model=text, spec=before.spec)
        else:
            fit = cfa(text, data, group=group, group_equal=list(step.equal), group_partial=list(freed), **arguments)
    if not fit.converged:
        raise ModelError(
            f"The step {step.name!r} has no solution.",
            where="invariance",
            remedy="Look at the fit of each group alone; merge small groups, or simplify the model.",
        )
    return fit


def _higher_order_means(model: str, data: pd.DataFrame, step: Step, group: str) -> str:
    """Return lines that keep the means of higher-order factors at 0 where those of the first order become free.

    Both are not identified together; the means of first-order factors carry all differences of level.
    """
    if "intercepts" not in step.equal or "means" in step.equal or group not in data:
        return ""
    terms = parse_model(model).terms
    latent = set(find_roles(terms).latent)
    written = {term.lhs for term in terms if term.op == "~1"}
    higher = dict.fromkeys(t.lhs for t in terms if t.op == "=~" and t.rhs in latent and t.lhs not in written)
    zeros = ", ".join(["0"] * data[group].nunique())
    return "".join(f"\n{name} ~ c({zeros})*1" for name in higher)


def _row(
    step: Step, fit: SemResult, before: SemResult | None, rule: InvarianceRule | Mapping[str, float]
) -> dict[str, Any]:
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
