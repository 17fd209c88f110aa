"""One Literal alias per option and the one function that checks a value against it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Literal, TypeVar, get_args

from psm_analysis.errors import OptionError

Estimator = Literal[
    "ML", "MLM", "MLMV", "MLMVS", "MLF", "MLR", "GLS", "WLS", "DWLS", "WLSM", "WLSMV", "ULS", "ULSM", "ULSMV"
]
Missing = Literal["listwise", "pairwise", "fiml"]
Parameterization = Literal["delta", "theta"]
Information = Literal["expected", "observed"]
StandardErrors = Literal["standard", "robust.sem", "robust.huber.white", "first.order", "bootstrap", "none"]
TestStatistic = Literal[
    "standard",
    "satorra.bentler",
    "mean.var.adjusted",
    "scaled.shifted",
    "yuan.bentler",
    "yuan.bentler.mplus",
    "bollen.stine",
]
Engine = Literal["native", "semopy"]
DifferenceMethod = Literal["standard", "satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000"]
RestrictionMethod = Literal["delta", "exact"]
BootstrapInterval = Literal["percentile", "bca", "normal", "basic", "studentized"]
EffectInterval = Literal["delta", "monte-carlo", "bootstrap"]
ModeratorValues = Literal["sd", "percentiles"]
ProductMethod = Literal["double", "mean", "residual", "none"]
ProductPairs = Literal["matched", "all"]
Region = Literal["outside", "between", "above", "below", "everywhere", "nowhere"]
InvarianceRule = Literal["chen2007", "cheung_rensvold2002"]
AlignmentMethod = Literal["fixed", "free"]
AlignmentMetric = Literal["reference", "product"]
BootstrapKind = Literal["ordinary", "bollen-stine", "cluster"]
ScoreMethod = Literal["regression", "bartlett", "ebm", "eap"]
ResidualKind = Literal["raw", "cor", "standardized"]
Correlation = Literal["pearson", "spearman", "polychoric"]
Extraction = Literal["minres", "uls", "ml", "pa", "gls", "wls"]
Simulate = Literal["normal", "permuted"]
LoadingErrors = Literal["delta", "bootstrap"]
PersonScore = Literal["eap", "map"]
EfaEngine = Literal["native", "factor_analyzer"]
EfaScoreMethod = Literal["regression", "bartlett", "tenberge", "anderson_rubin"]
CorrelationMethod = Literal["pearson", "spearman", "kendall", "polychoric"]
PairMissing = Literal["pairwise", "listwise"]
Language = Literal["en", "zh"]
Severity = Literal["error", "warning", "note"]
ReportFormat = Literal["text", "csv", "json"]
ColumnRole = Literal["id", "wave", "weight", "group", "cluster", "covariate", "response_time", "attention"]
ScreeKind = Literal["component", "factor"]
ColumnKind = Literal["text", "integer", "decimal", "coefficient", "p", "ci", "stars"]
ModelKind = Literal["one-factor", "correlated", "second-order", "bifactor"]
ScoringRule = Literal["mean", "sum"]
MissingKind = Literal["proportion", "count"]
LinkMethod = Literal["mean-sigma", "mean-mean", "haebara", "stocking-lord"]
SqlDialect = Literal["duckdb", "spark"]
BadValues = Literal["refuse", "missing", "drop"]
ScoringMethod = Literal["mean", "sum", "pomp", "prorated", "regression", "bartlett", "tenberge", "eap"]
ScoreColumns = Literal["all", "scores"]

T = TypeVar("T")


def check_option(value: T, alias: Any, *, name: str) -> T:
    """Return `value` if it is one of the values of the Literal `alias`, else raise with the nearest one.

    Examples
    --------
    >>> check_option("ML", Estimator, name="estimator")
    'ML'
    """
    return check_choice(value, get_args(alias), name=name)


def check_choice(value: T, choices: Iterable[Any], *, name: str) -> T:
    """Return `value` if it is among `choices`, else raise an OptionError that names the choices.

    Examples
    --------
    >>> check_choice("a", ("a", "b"), name="letter")
    'a'
    """
    known = list(choices)
    if value in known:
        return value
    remedy = nearest(value, known)
    raise OptionError(
        f"{name}={value!r} is not known.",
        where=f"argument {name!r}",
        remedy=f"{remedy}It can be: {', '.join(map(str, known))}.",
    )


def nearest(value: object, known: Iterable[object]) -> str:
    """Return "Did you mean 'x'? " for the nearest of `known`, or nothing.

    Examples
    --------
    >>> nearest("psm_1", ["psm1", "ei1"])
    "Did you mean 'psm1'? "
    """
    texts = {str(item).lower(): str(item) for item in known}
    hit = difflib.get_close_matches(str(value).lower(), list(texts), n=1)
    return f"Did you mean {texts[hit[0]]!r}? " if hit else ""
