"""What the well-known columns of results mean in print: label, kind, decimals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from psm_analysis._options import ColumnKind, Language
from psm_analysis.report.columns import Column
from psm_analysis.report.words import WORDS, word


@dataclass(frozen=True, slots=True)
class Known:
    """How a column of this name is printed; `label` is a word of the dictionary or a symbol."""

    label: str
    kind: ColumnKind
    decimals: int = 2
    italic: bool = False
    leading_zero: bool = True


KNOWN: dict[str, Known] = {
    "model": Known("model", "text"),
    "estimator": Known("estimator", "text"),
    "variable": Known("variable", "text"),
    "item": Known("item", "text"),
    "scale": Known("scale", "text"),
    "factor": Known("factor", "text"),
    "group": Known("group", "text"),
    "term": Known("term", "text"),
    "index": Known("index", "text"),
    "indicator": Known("indicator", "text"),
    "source": Known("source", "text"),
    "check": Known("check", "text"),
    "flags": Known("flags", "text"),
    "label": Known("label", "text"),
    "description": Known("description", "text"),
    "computed": Known("computed", "integer"),
    "share": Known("share", "coefficient", 3),
    "column": Known("column", "text"),
    "rule": Known("rule", "text"),
    "count": Known("count", "integer"),
    "flagged": Known("flagged", "integer"),
    "percent": Known("percent", "decimal", 1),
    "threshold": Known("threshold", "decimal"),
    "estimate": Known("estimate", "decimal"),
    "std_error": Known("std_error", "decimal", italic=True),
    "statistic": Known("statistic", "decimal", italic=True),
    "p_value": Known("p", "p", italic=True),
    "pvalue": Known("p", "p", italic=True),
    "p": Known("p", "p", italic=True),
    "std_all": Known("β", "decimal"),
    "mean": Known("mean", "decimal", italic=True),
    "sd": Known("sd", "decimal", italic=True),
    "std": Known("sd", "decimal", italic=True),
    "n": Known("n", "integer", italic=True),
    "nobs": Known("nobs", "integer", italic=True),
    "npar": Known("k", "integer", italic=True),
    "se": Known("std_error", "decimal", italic=True),
    "trimmed": Known("trimmed", "decimal"),
    "mad": Known("MAD", "decimal"),
    "range": Known("range", "decimal"),
    "missing": Known("missing", "integer"),
    "median": Known("median", "decimal"),
    "min": Known("minimum", "decimal"),
    "minimum": Known("minimum", "decimal"),
    "max": Known("maximum", "decimal"),
    "maximum": Known("maximum", "decimal"),
    "skew": Known("skewness", "decimal"),
    "skewness": Known("skewness", "decimal"),
    "kurtosis": Known("kurtosis", "decimal"),
    "item_rest_r": Known("item_rest_r", "coefficient"),
    "alpha_if_dropped": Known("alpha_if_dropped", "coefficient"),
    "n_items": Known("n_items", "integer"),
    "alpha": Known("α", "coefficient"),
    "alpha_standardized": Known("α (std.)", "coefficient"),
    "average_r": Known("average_r", "coefficient"),
    "omega": Known("ω", "coefficient"),
    "omega_total": Known("ω (total)", "coefficient"),
    "omega_hierarchical": Known("ω (h)", "coefficient"),
    "ave": Known("AVE", "coefficient"),
    "cr": Known("CR", "coefficient"),
    "communality": Known("communality", "coefficient"),
    "chisq": Known("χ²", "decimal"),
    "df": Known("df", "integer", italic=True),
    "cfi": Known("CFI", "coefficient", 3),
    "tli": Known("TLI", "decimal", 3, leading_zero=False),
    "rmsea": Known("RMSEA", "coefficient", 3),
    "srmr": Known("SRMR", "coefficient", 3),
    "aic": Known("AIC", "decimal"),
    "bic": Known("BIC", "decimal"),
    "logl": Known("log_likelihood", "decimal"),
    "chisq_diff": Known("Δχ²", "decimal"),
    "df_diff": Known("Δdf", "integer"),
    "cfi_diff": Known("ΔCFI", "coefficient", 3),
    "rmsea_diff": Known("ΔRMSEA", "coefficient", 3),
    "srmr_diff": Known("ΔSRMR", "coefficient", 3),
    "r_squared": Known("R²", "coefficient"),
    "adj_r_squared": Known("R² (adj.)", "coefficient"),
    "printed": Known("printed", "decimal", 3),
    "recomputed": Known("recomputed", "decimal", 3),
    "difference": Known("difference", "decimal", 3),
    "verdict": Known("verdict", "text"),
    "converged": Known("converged", "text"),
}
SCALE_POINTS = ("min", "minimum", "max", "maximum", "range", "median", "threshold")


def known_column(key: str, *, lang: Language, label: str = "", decimals: int | None = None) -> Column:
    """Return the column of a well-known name, in the language asked for.

    Examples
    --------
    >>> known_column("mean", lang="en").label, known_column("item", lang="zh").label
    ('M', '题项')
    """
    known = KNOWN[key]
    text = label or (word(known.label, lang) if known.label in WORDS else known.label)
    return Column(
        key,
        text,
        known.kind,
        decimals=known.decimals if decimals is None else decimals,
        leading_zero=known.leading_zero,
        italic=known.italic and not label,
    )


def number_column(name: str, rows: pd.DataFrame, *, lang: Language) -> Column:
    """Return the column of a number; adjusted tests have degrees of freedom with decimals.

    Examples
    --------
    >>> number_column("df", pd.DataFrame({"df": [4.73]}), lang="en").kind
    'decimal'
    """
    column = known_column(name, lang=lang)
    fractional = column.kind == "integer" and (rows[name].astype(float).dropna() % 1 > 0).any()
    return replace(column, kind="decimal") if fractional else column


def guess_columns(
    frame: pd.DataFrame, *, lang: Language, labels: Mapping[str, str], decimals: Mapping[str, int]
) -> list[Column]:
    """Return a column for each of a frame: known names as they are known, the others by the type of their values.

    Limits `ci_low` and `ci_high` become one interval, `rmsea_ci_low` and `rmsea_ci_high` too.
    """
    columns = []
    for name in map(str, frame.columns):
        if name.endswith("ci_high") and name.replace("high", "low") in frame:
            continue
        columns.append(_guess(frame[name], lang=lang, label=labels.get(name, ""), decimals=decimals.get(name)))
    return columns


def _guess(values: pd.Series[Any], *, lang: Language, label: str, decimals: int | None) -> Column:
    name = str(values.name)
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if name.endswith("ci_low"):
        text = label or word("ci90" if name.startswith("rmsea") else "ci", lang)
        bounded = name.startswith("rmsea")
        places = (3 if bounded else 2) if decimals is None else decimals
        return Column(name, text, "ci", upper=name.replace("low", "high"), decimals=places, leading_zero=not bounded)
    if name in SCALE_POINTS and numeric and decimals is None and not (values.dropna() % 1).any():
        return replace(known_column(name, lang=lang, label=label), kind="integer")
    if name in KNOWN and (KNOWN[name].kind == "text" or numeric):
        return known_column(name, lang=lang, label=label, decimals=decimals)
    if not numeric:
        return Column(name, label or name, "text")
    whole = pd.api.types.is_integer_dtype(values) and decimals is None
    return Column(name, label or name, "integer" if whole else "decimal", decimals=2 if decimals is None else decimals)
