"""``invariance``: the ladder over groups."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from psm_analysis._options import InvarianceRule
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.invariance.blocks import group_blocks
from psm_analysis.invariance.climb import Plan, climb, higher_order_means
from psm_analysis.invariance.ladder import Step, ladder
from psm_analysis.invariance.result import InvarianceResult
from psm_analysis.invariance.rules import check_rule
from psm_analysis.sem.fit import cfa, fit_table
from psm_analysis.sem.ordered_columns import ordinal_with_columns
from psm_analysis.sem.partable import build_table
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.roles import find_roles
from psm_analysis.sem.syntax import parse_model


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
        If the first step has no solution; one of a later step is a row ``no solution``, told in ``warnings``.

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
    options["ordered"] = ordinal_with_columns(options.get("ordered", ()), find_roles(parse_model(model).terms), data)
    rungs = ladder(steps, ordinal=bool(options.get("ordered")), theta=options.get("parameterization") == "theta")

    def fit(step: Step, freed: Sequence[str], before: SemResult | None) -> SemResult:
        return _fitted(model, data, step, group=group, freed=freed, options=options, before=before)

    return climb(Plan(rungs, fit, group_blocks, rule, partial, tuple(release)))


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
    text = model + (higher_order_means(model, step, data[group].nunique()) if group in data else "")
    arguments = {"meanstructure": True} | dict(options)
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", PsmAnalysisWarning)
        if before is not None and (before.spec.likelihood or before.sample.groups[0].ordinal is not None):
            chosen = replace(before.table.options, group_equal=step.equal, group_partial=tuple(freed))
            return fit_table(build_table(parse_model(text), chosen), before.sample, model=text, spec=before.spec)
        kept = list(freed) if step.equal else []
        return cfa(text, data, group=group, group_equal=list(step.equal), group_partial=kept, **arguments)
