"""Tables of conditional effects, of robustness to omitted variables and of common method bias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.catalogue import known_column, number_column
from psm_analysis.report.columns import Column, RowGroup
from psm_analysis.report.fit_notes import scaled_note
from psm_analysis.report.frames import Tidied, require_frame
from psm_analysis.report.tables import Table
from psm_analysis.report.words import WORDS, join_notes, word

EFFECT = ("effect", "kind", "moderator", "moderator_value", "estimate", "std_error", "ci_low", "ci_high")
BIAS = ("model", "df", "chisq", "cfi", "rmsea", "srmr", "share", "compared_with", "statistic", "df_diff", "p_value")
ROBUST = ("outcome", "predictor", "estimate", "std_error", "statistic", "df", "partial_r_squared", "robustness")
INDEX = "index of moderated mediation"
DIFFERENCE_TESTS = {
    "satorra.bentler.2001": "Satorra & Bentler, 2001",
    "satorra.bentler.2010": "Satorra & Bentler, 2010",
    "satorra.2000": "Satorra, 2000",
}


def conditional_effects_table(
    tidy: pd.DataFrame | Tidied,
    *,
    labels: Mapping[str, str] | None = None,
    level: float = 0.95,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of effects at values of a moderator, one group of rows per path.

    Parameters
    ----------
    tidy
        The tidy() frame of :func:`conditional_effects`.
    labels
        Printed name of a variable.
    level
        Level of the intervals, for their heading.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> row = {"effect": "x -> m -> y", "kind": "indirect", "moderator": "w", "moderator_value": -1.0}
    >>> numbers = {"estimate": 0.2, "std_error": 0.05, "ci_low": 0.1, "ci_high": 0.3}
    >>> print(conditional_effects_table(pd.DataFrame([row | numbers])).to_text())
    Conditional Effects
    ───────────────────────────────────────────────
    Effect          w  Estimate    SE        95% CI
    ───────────────────────────────────────────────
    x → m → y
      Indirect  -1.00      0.20  0.05  [0.10, 0.30]
    ───────────────────────────────────────────────
    Note. Effects at values of the moderator w; SE = standard
    error; CI = confidence interval.
    """
    rows = require_frame(tidy, EFFECT, what="the tidy frame").reset_index(drop=True)
    names = labels or {}
    moderator = names.get(str(rows["moderator"].iloc[0]), str(rows["moderator"].iloc[0]))
    rows = rows.assign(heading=_headings(rows, names))
    rows = rows.sort_values("heading", kind="stable", key=_first_seen, ignore_index=True)
    headings = list(rows["heading"])
    rows = rows.assign(effect=[_known("kind", str(kind), lang) for kind in rows["kind"]])
    inference = [name for name in ("estimate", "std_error", "statistic", "p_value") if name in rows]
    heading = word("ci", lang).replace("95", f"{100 * level:g}")
    note_index = word("note_index", lang).format(moderator=moderator) if (rows["kind"] == INDEX).any() else ""
    return Table.from_frame(
        rows,
        columns=[
            Column("effect", word("effect", lang)),
            Column("moderator_value", moderator, "decimal"),
            *(known_column(name, lang=lang) for name in inference),
            Column("ci_low", heading, "ci", upper="ci_high"),
        ],
        groups=[RowGroup(name, row) for row, name in enumerate(headings) if row == 0 or name != headings[row - 1]],
        title=title or word("title_conditional", lang),
        note=join_notes(note, word("note_conditional", lang).format(moderator=moderator), note_index, lang=lang),
        number=str(number),
        lang=lang,
    )


def _first_seen(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the place at which each value appears first."""
    return pd.Series(pd.factorize(values)[0], index=values.index)


def _headings(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return the path of every row, after the group where there are several."""
    paths = [
        " → ".join(labels.get(name, name) for name in str(effect).split(": ")[0].split(" -> "))
        for effect in rows["effect"]
    ]
    if "group" not in rows or rows["group"].nunique() < 2:
        return paths
    return [f"{group}: {path}" for group, path in zip(rows["group"], paths, strict=True)]


def effect_name(row: pd.Series[Any], labels: Mapping[str, str], *, lang: Language) -> str:
    """Return the printed name of an effect, its path with arrows, then its kind if it is not one indirect effect.

    Examples
    --------
    >>> row = pd.Series({"effect": "x -> y: total [f]", "kind": "total", "group": "f"})
    >>> effect_name(row, {"x": "Burden"}, lang="en"), effect_name(row, {}, lang="zh")
    ('Burden → y: total [f]', 'x → y：总效应 [f]')
    """
    name, kind, group = (str(row.get(key, "")) for key in ("effect", "kind", "group"))
    if name in labels or not kind:
        return labels.get(name, name)
    tail = f" [{group}]" if group else ""
    whole = name.removesuffix(tail)
    path = whole.removesuffix(f": {kind}")
    printed = " → ".join(labels.get(part, part) for part in path.split(" -> "))
    if path != whole:
        known = _known("kind", kind, lang)
        printed += f"：{known}" if lang == "zh" else f": {known.lower()}"
    return printed + (tail if name.endswith(tail) else "")


def robustness_table(
    tidy: pd.DataFrame | Tidied,
    *,
    labels: Mapping[str, str] | None = None,
    share: float = 1.0,
    level: float = 0.95,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of robustness values of regression paths, one group of rows per outcome.

    It holds what Cinelli and Hazlett (2020) ask a report to hold at least: the estimate, its standard error and t, the
    partial R² of predictor and outcome, and both robustness values.

    Parameters
    ----------
    tidy
        The tidy() frame of :func:`omitted_variable_robustness`.
    labels
        Printed name of a variable.
    share, level
        As given to :func:`omitted_variable_robustness`, for the note.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> row = {"predictor": "harm", "outcome": "peace", "estimate": 0.0973, "std_error": 0.0233, "statistic": 4.184}
    >>> row |= {"df": 783, "partial_r_squared": 0.0219, "robustness": 0.1388, "robustness_significance": 0.0763}
    >>> print(robustness_table(pd.DataFrame([row])).to_text().splitlines()[2])
    Path    Estimate    SE     t   df  Partial R²    RV  RV (sig.)
    """
    rows = require_frame(tidy, (*ROBUST, "robustness_significance"), what="the tidy frame").reset_index(drop=True)
    names = labels or {}
    outcomes = [names.get(str(name), str(name)) for name in rows["outcome"]]
    if "group" in rows and rows["group"].nunique() > 1:
        outcomes = [f"{group}: {name}" for group, name in zip(rows["group"], outcomes, strict=True)]
    rows = rows.assign(heading=outcomes, path=[names.get(str(name), str(name)) for name in rows["predictor"]])
    rows = rows.sort_values("heading", kind="stable", key=_first_seen, ignore_index=True)
    headings = [f"→ {name}" for name in rows["heading"]]
    values = ("partial_r_squared", "robustness", "robustness_significance")
    return Table.from_frame(
        rows,
        columns=[
            Column("path", word("path", lang)),
            *(known_column(name, lang=lang) for name in ("estimate", "std_error")),
            Column("statistic", "t", "decimal", italic=True),
            known_column("df", lang=lang),
            *(Column(name, word(name, lang), "coefficient", 3) for name in values),
        ],
        groups=[RowGroup(name, row) for row, name in enumerate(headings) if row == 0 or name != headings[row - 1]],
        title=title or word("title_robustness", lang),
        note=join_notes(
            note, word("note_robustness", lang).format(share=f"{100 * share:g}", alpha=f"{1 - level:g}"), lang=lang
        ),
        number=str(number),
        lang=lang,
    )


def method_bias_table(
    tidy: pd.DataFrame | Tidied,
    *,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of tests of common method bias, one row per model.

    Parameters
    ----------
    tidy
        The tidy() frame of :func:`method_bias`.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> row = dict.fromkeys(["df", "chisq", "cfi", "rmsea", "srmr", "statistic", "df_diff", "p_value", "delta_cfi"])
    >>> row |= {"model": "Harman", "share": 0.42, "compared_with": "", "decision": "not one factor"}
    >>> print(method_bias_table(pd.DataFrame([row]), lang="zh").title)
    共同方法偏差检验
    """
    rows = require_frame(tidy, (*BIAS, "delta_cfi", "decision"), what="the tidy frame").reset_index(drop=True)
    marked = rows["model"].eq("Baseline").any()
    rows = rows.rename(columns={"statistic": "chisq_diff", "p_value": "p_diff", "delta_cfi": "cfi_diff"})
    rows["decision"] = [_known("decision", str(name), lang) for name in rows["decision"]]
    for name in ("model", "compared_with"):
        rows[name] = [_known("bias", str(value), lang) for value in rows[name]]
    notes = [
        word("note_method_bias", lang),
        word("note_marker_models", lang) if marked else "",
        scaled_note(rows[rows["chisq"].notna()], lang=lang, tli=False),
        _difference_note(rows, lang),
    ]
    return Table.from_frame(
        rows,
        columns=[
            Column("model", word("model", lang)),
            *(number_column(name, rows, lang=lang) for name in ("chisq", "df", "cfi", "rmsea", "srmr", "share")),
            Column("compared_with", word("compared_with", lang)),
            *(number_column(name, rows, lang=lang) for name in ("chisq_diff", "df_diff")),
            Column("p_diff", "p", "p", italic=True),
            known_column("cfi_diff", lang=lang),
            Column("decision", word("decision", lang)),
        ],
        title=title or word("title_method_bias", lang),
        note=join_notes(note, *notes, lang=lang),
        number=str(number),
        lang=lang,
    )


def _difference_note(rows: pd.DataFrame, lang: Language) -> str:
    if "difference_test" not in rows:
        return ""
    used = rows["difference_test"].value_counts()
    scalings = [name for name in used.index if name in DIFFERENCE_TESTS]
    notes = []
    for place, name in enumerate(scalings):
        mine = ("、" if lang == "zh" else ", ").join(rows.loc[rows["difference_test"] == name, "model"])
        of = word("of_models", lang).format(names=mine) if place else ""
        notes.append(word("note_difference", lang).format(of=of, scaling=DIFFERENCE_TESTS[name]))
    return join_notes(*notes, lang=lang)


def _known(kind: str, name: str, lang: Language) -> str:
    """Return the word for a name of a result, or the name itself."""
    return word(f"{kind}_{name}", lang) if f"{kind}_{name}" in WORDS else name
