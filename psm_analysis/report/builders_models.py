"""Tables of structural equation models: fit of several models, parameters of one, its indirect effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis.errors import DataError, OptionError, require
from psm_analysis.report.builders_effects import effect_name
from psm_analysis.report.catalogue import known_column
from psm_analysis.report.columns import Column, RowGroup
from psm_analysis.report.fit_notes import scaled_note
from psm_analysis.report.frames import (
    PARAMETER,
    Tidied,
    check_names,
    column_or_missing,
    groups_of,
    require_frame,
    require_models,
)
from psm_analysis.report.tables import Table
from psm_analysis.report.words import join_notes, word

Section = Literal[
    "loadings", "regressions", "covariances", "variances", "intercepts", "thresholds", "scales", "defined"
]
SECTIONS: dict[str, Section] = {
    "=~": "loadings", "~": "regressions", "~~": "covariances", "~1": "intercepts",
    "|": "thresholds", "~*~": "scales", ":=": "defined",
}  # fmt: skip
ORDER = ("loadings", "regressions", "covariances", "variances", "intercepts", "thresholds", "scales", "defined")
FIT_COLUMNS = ("chisq", "df", "p_value", "cfi", "tli", "rmsea", "rmsea_ci_low", "srmr", "aic", "bic")
SIMPLE_ESTIMATORS = ("ML", "GLS", "WLS")


def fit_table(
    glances: Mapping[str, pd.DataFrame | Tidied],
    *,
    differences: pd.DataFrame | Literal["previous"] | None = None,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of the fit of models, one row each.

    Parameters
    ----------
    glances
        Name of the model -> its glance(): chisq, df, p_value, cfi, tli, rmsea, rmsea_ci_low, rmsea_ci_high, srmr, aic,
        bic (those that any model has are printed); estimator and nobs are printed where they differ. Where ``test`` and
        ``measures`` say that they are scaled or robust, the note says so too.
    differences
        "previous" for the plain chi-square difference from the model above, valid for nested models fitted by ML, GLS
        or WLS on the same data; or a frame indexed by model with chisq_diff, df_diff, p_value of a scaled test.

    Raises
    ------
    DataError
        If a glance has no chisq and df.
    OptionError
        If "previous" is asked for estimators whose differences are not chi-square distributed.

    Examples
    --------
    >>> one = pd.DataFrame({"chisq": [85.306], "df": [24], "p_value": [0.0], "cfi": [0.9306]})
    >>> print(fit_table({"Three factors": one}, number=1).to_text().splitlines()[5])
    Three factors  85.31  24  < .001  .931
    """
    models = require_models(glances, ("chisq", "df"), what="glances")
    rows = pd.concat([frame.head(1) for frame in models.values()], ignore_index=True)
    rows["model"] = list(models)
    shown = ["model", *(name for name in ("estimator", "nobs") if name in rows and rows[name].nunique() > 1)]
    shown += [name for name in FIT_COLUMNS if name in rows and rows[name].notna().any()]
    columns = [_fit_column(name, rows, lang) for name in shown]
    if differences is not None:
        rows = _with_differences(rows, differences)
        columns += [
            known_column("chisq_diff", lang=lang),
            known_column("df_diff", lang=lang),
            Column("p_diff", "p", "p", italic=True),
        ]
    return Table.from_frame(
        rows,
        columns=columns,
        title=title or word("title_fit", lang),
        note=join_notes(
            note,
            word("note_fit", lang),
            scaled_note(rows, lang=lang),
            word("note_delta", lang) if isinstance(differences, str) else "",
            _not_converged(rows, lang),
            lang=lang,
        ),
        number=str(number),
        lang=lang,
    )


def _fit_column(name: str, rows: pd.DataFrame, lang: Language) -> Column:
    if name == "df" and (rows["df"].astype(float) % 1 > 0).any():
        return replace(known_column(name, lang=lang), kind="decimal")
    if name == "rmsea_ci_low":
        return Column(name, word("ci90", lang), "ci", upper="rmsea_ci_high", decimals=3, leading_zero=False)
    return known_column(name, lang=lang)


def _not_converged(rows: pd.DataFrame, lang: Language) -> str:
    if "converged" not in rows:
        return ""
    names = [name for name, ok in zip(rows["model"], rows["converged"], strict=True) if ok is not None and not bool(ok)]
    return word("note_not_converged", lang).format(names=", ".join(names)) if names else ""


def _with_differences(rows: pd.DataFrame, differences: pd.DataFrame | str) -> pd.DataFrame:
    if isinstance(differences, pd.DataFrame):
        require_frame(differences, ("chisq_diff", "df_diff", "p_value"), what="differences")
        check_names([str(name) for name in differences.index], list(rows["model"]), what="differences")
        aligned = differences.rename(columns={"p_value": "p_diff"})[["chisq_diff", "df_diff", "p_diff"]]
        return rows.join(aligned, on="model")
    if differences != "previous":
        raise OptionError("differences is 'previous', a frame, or nothing.", where="argument 'differences'")
    scaled = sorted(set(rows["estimator"].astype(str)) - set(SIMPLE_ESTIMATORS)) if "estimator" in rows else []
    scaled = scaled or sorted(set(rows["test"].astype(str)) - {"standard"} if "test" in rows else ())
    if scaled:
        raise OptionError(
            f"The difference of two {' or '.join(scaled)} chi-squares is not a chi-square.",
            where="argument 'differences'",
            remedy="Compare the fits with psm.compare and give its table as differences=.",
        )
    special = require("scipy.special")
    chisq, df = rows["chisq"].astype(float).diff().abs(), rows["df"].astype(float).diff().abs()
    p_value = pd.Series(special.chdtrc(df.where(df > 0), chisq), index=rows.index)
    return rows.assign(chisq_diff=chisq, df_diff=df, p_diff=p_value)


def parameter_table(
    tidy: pd.DataFrame | Tidied,
    *,
    sections: Sequence[Section] | None = None,
    labels: Mapping[str, str] | None = None,
    standardized: bool = True,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of the parameters of a model, in sections (and by group if there are several).

    Parameters
    ----------
    tidy
        lhs, op, rhs, estimate; std_error, statistic, p_value, ci_low, ci_high, std_all, group and level if there are.
    sections
        Any of loadings, regressions, covariances, variances, intercepts, thresholds, scales, defined; by default all.
    labels
        Printed name of a variable.
    standardized
        Whether std_all is printed as β.

    Raises
    ------
    DataError
        If nothing is left to print.

    Examples
    --------
    >>> tidy = pd.DataFrame({"lhs": ["ei"], "op": ["=~"], "rhs": ["ei1"], "estimate": [0.91], "std_error": [0.05]})
    >>> print(parameter_table(tidy).to_text())
    Parameter Estimates
    ──────────────────────────
    Parameter   Estimate    SE
    ──────────────────────────
    Factor loadings
      ei → ei1      0.91  0.05
    ──────────────────────────
    """
    tidy = require_frame(tidy, PARAMETER, what="the tidy frame")
    wanted = ORDER if sections is None else tuple(check_option(name, Section, name="sections") for name in sections)
    rows = _sectioned(tidy, wanted, labels=labels or {})
    if rows.empty:
        raise DataError(
            "No parameter belongs to these sections.",
            where=", ".join(wanted),
            remedy=f"The frame has: {', '.join(sorted(set(_sections(tidy))))}.",
        )
    columns = [Column("parameter", word("parameter", lang)), *_inference(rows, lang=lang, standardized=standardized)]
    beta = columns[-1].key == "std_all"
    return Table.from_frame(
        rows,
        columns=columns,
        title=title or word("title_parameters", lang),
        groups=_section_groups(rows, lang),
        note=join_notes(
            note,
            word("note_beta", lang) if beta else "",
            word("note_fixed", lang) if rows["std_error"].isna().any() else "",
            lang=lang,
        ),
        number=str(number),
        lang=lang,
    )


def _sections(tidy: pd.DataFrame) -> list[str]:
    return [
        "variances" if op == "~~" and lhs == rhs else SECTIONS.get(str(op), "")
        for lhs, op, rhs in zip(tidy["lhs"], tidy["op"], tidy["rhs"], strict=True)
    ]


def _sectioned(tidy: pd.DataFrame, wanted: Sequence[str], *, labels: Mapping[str, str]) -> pd.DataFrame:
    error = pd.to_numeric(column_or_missing(tidy, "std_error"))
    free = error.notna() & (error > 0)
    rows = tidy.assign(section=_sections(tidy), std_error=error.where(free))
    for name in ("statistic", "p_value", "ci_low", "ci_high"):
        if name in rows:
            rows[name] = pd.to_numeric(rows[name]).where(free)
    rows["parameter"] = [_parameter(row, labels) for row in rows[["lhs", "op", "rhs"]].itertuples(index=False)]
    rows["block"] = _blocks(tidy)
    rows = rows[rows["section"].isin(wanted)]
    order = {name: place for place, name in enumerate(ORDER)}
    named = [name for name in dict.fromkeys(rows["block"]) if name]
    blocks = {name: place for place, name in enumerate([*named, ""])}
    keys = [blocks[block] * 100 + order[section] for block, section in zip(rows["block"], rows["section"], strict=True)]
    return rows.assign(_order=keys).sort_values("_order", kind="stable", ignore_index=True).drop(columns="_order")


def _blocks(tidy: pd.DataFrame) -> list[str]:
    parts = []
    if len(groups_of(tidy)) > 1:
        parts.append(column_or_missing(tidy, "group").fillna("").astype(str))
    if "level" in tidy and tidy["level"].nunique() > 1:
        parts.append(tidy["level"].astype(str))
    if not parts:
        return [""] * len(tidy)
    return [", ".join(part for part in row if part) for row in zip(*parts, strict=True)]


def _parameter(row: object, labels: Mapping[str, str]) -> str:
    lhs, op, rhs = (str(value) for value in row)  # type: ignore[attr-defined]
    left, right = labels.get(lhs, lhs), labels.get(rhs, rhs)
    match op:
        case "=~":
            return f"{left} → {right}"
        case "~":
            return f"{right} → {left}"
        case "~~":
            return left if lhs == rhs else f"{left} ↔ {right}"
        case "|":
            return f"{left} | {right}"
    return left


def _inference(rows: pd.DataFrame, *, lang: Language, standardized: bool) -> list[Column]:
    names = ["estimate", "std_error", "statistic", "p_value"]
    columns = [known_column(name, lang=lang) for name in names if name in rows]
    if {"ci_low", "ci_high"} <= set(rows.columns):
        columns.append(Column("ci_low", word("ci", lang), "ci", upper="ci_high"))
    if standardized and "std_all" in rows and rows["std_all"].notna().any():
        columns.append(known_column("std_all", lang=lang))
    return columns


def _section_groups(rows: pd.DataFrame, lang: Language) -> list[RowGroup]:
    names = [
        f"{block}: {word(section, lang)}" if block else word(section, lang)
        for block, section in zip(rows["block"], rows["section"], strict=True)
    ]
    return [RowGroup(name, row) for row, name in enumerate(names) if row == 0 or name != names[row - 1]]


def effects_table(
    tidy: pd.DataFrame | Tidied,
    *,
    effects: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of defined effects (direct, indirect, total) with their intervals.

    Parameters
    ----------
    tidy
        A fit or its tidy() frame, of which the rows with op ":=" are taken; or the result of :func:`indirect_effects`,
        or any frame with `effect`, estimate, ci_low, ci_high.
    effects
        Which effects, in which order; by default all. `labels` maps their names, or those of the variables on the
        way, to what is printed.

    Raises
    ------
    DataError
        If the model defines no effect.
    OptionError
        If `effects` names one that is not there.

    Examples
    --------
    >>> tidy = pd.DataFrame({"lhs": ["ab"], "op": [":="], "rhs": ["a*b"], "estimate": [0.2], "std_error": [0.05],
    ...                      "ci_low": [0.1], "ci_high": [0.3]})
    >>> print(effects_table(tidy, labels={"ab": "Indirect"}).to_text().splitlines()[-2])
    Indirect      0.20  0.05  [0.10, 0.30]
    """
    rows = require_frame(tidy, ("estimate",), what="the tidy frame")
    if "effect" not in rows:
        rows = require_frame(rows, PARAMETER, what="the tidy frame")
        rows = rows[rows["op"] == ":="].assign(effect=lambda frame: frame["lhs"])
    if rows.empty:
        raise DataError(
            "The model defines no effect.",
            where="rows with op ':='",
            remedy="Define one in the model text, such as 'indirect := a * b'.",
        )
    if effects is not None:
        check_names(effects, list(rows["effect"]), what="effects")
        rows = rows.set_index("effect", drop=False).loc[list(effects)]
    rows = rows.assign(effect=[effect_name(row, labels or {}, lang=lang) for _, row in rows.iterrows()])
    return Table.from_frame(
        rows,
        columns=[Column("effect", word("effect", lang)), *_inference(rows, lang=lang, standardized=True)],
        title=title or word("title_effects", lang),
        note=join_notes(note, word("note_beta", lang) if rows.get("std_all") is not None else "", lang=lang),
        number=str(number),
        lang=lang,
    )
