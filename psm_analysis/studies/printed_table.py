"""The table printed | recomputed | difference | verdict, in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.builders import comparison_table, data_table
from psm_analysis.report.columns import CellStyle, Column, Spanner
from psm_analysis.report.tables import Table
from psm_analysis.report.words import join_notes, word
from psm_analysis.studies.consistency import DIFFERS, EQUAL, LAST_DIGIT, printed_decimals
from psm_analysis.studies.published import read_printed

VERDICTS_ZH = {EQUAL: "与原文小数位一致", LAST_DIGIT: "末位不同", DIFFERS: "不一致"}
SPANNERS = {"en": ("Standardized path", "p value"), "zh": ("标准化路径系数", "p 值")}
MEASURES: dict[str, tuple[str, str]] = {
    "chisq": ("χ²", "χ²"),
    "df": ("df", "df"),
    "baseline_chisq": ("χ² (baseline)", "χ²（基线模型）"),
    "baseline_df": ("df (baseline)", "df（基线模型）"),
    "cfi": ("CFI", "CFI"),
    "tli": ("TLI", "TLI"),
    "rmsea": ("RMSEA", "RMSEA"),
    "rmsea_ci_lower": ("RMSEA, 90% CI lower", "RMSEA 90% CI 下限"),
    "rmsea_ci_upper": ("RMSEA, 90% CI upper", "RMSEA 90% CI 上限"),
    "srmr": ("SRMR", "SRMR"),
    "logl": ("Log-likelihood", "对数似然"),
    "aic": ("AIC", "AIC"),
    "bic": ("BIC", "BIC"),
    "bic2": ("BIC (sample-size adjusted)", "BIC（样本量校正）"),
    "chisq_scaled": ("χ² (Satorra–Bentler)", "χ²（Satorra–Bentler）"),
    "chisq_scaling_factor": ("Scaling factor", "校正因子"),
    "baseline_chisq_scaled": ("χ² (baseline, scaled)", "χ²（基线模型，校正）"),
    "cfi_robust": ("CFI (robust)", "CFI（稳健）"),
    "tli_robust": ("TLI (robust)", "TLI（稳健）"),
    "rmsea_scaled": ("RMSEA (scaled)", "RMSEA（校正）"),
    "rmsea_robust": ("RMSEA (robust)", "RMSEA（稳健）"),
}


def printed_table(
    comparison: pd.DataFrame,
    *,
    title: str,
    lang: Language,
    labels: Mapping[str, str] | None = None,
    group_by: str | None = None,
    note: str = "",
) -> Table:
    """Make the report table of a comparison; every row has the decimals that were printed.

    Parameters
    ----------
    comparison
        As :func:`~psm_analysis.studies.consistency.compare_printed` returns it, and the column `group_by`.
    labels
        What is printed for a quantity.
    """
    table = comparison_table(
        _shown(comparison, labels or {}, lang=lang), title=title, group_by=group_by, note=note, lang=lang
    )
    return replace(table, styles=tuple(part for style in table.styles for part in _finer_difference(style)))


def _finer_difference(style: CellStyle) -> tuple[CellStyle, ...]:
    """Give the difference one decimal more than was printed, so that it is not zero when the verdict is 'equal'."""
    if not style.decimals:
        return (style,)
    finer = replace(style, keys=("difference",), decimals=style.decimals + 1)
    return replace(style, keys=("printed", "recomputed")), finer


def paths_table(
    paths: pd.DataFrame,
    p_values: pd.DataFrame,
    *,
    title: str,
    lang: Language,
    labels: Mapping[str, str],
    note: str = "",
) -> Table:
    """Make one table of two comparisons of the same quantities: the paths, and their p values beside them."""
    frame = _shown(paths, labels, lang=lang)
    beside = p_values.set_index("quantity").loc[paths["quantity"]].reset_index()
    frame["p_printed"] = pd.to_numeric(beside["printed"])
    frame["p_recomputed"] = beside["recomputed"]

    columns = [
        Column("quantity", "路径" if lang == "zh" else "Path"),
        Column("printed", word("printed", lang), "coefficient", decimals=3),
        Column("recomputed", word("recomputed", lang), "coefficient", decimals=3),
        Column("difference", word("difference", lang), "coefficient", decimals=4),
        Column("verdict", word("verdict", lang)),
        Column("p_printed", word("printed", lang), "coefficient", decimals=3),
        Column("p_recomputed", word("recomputed", lang), "p"),
    ]
    path, p = SPANNERS[lang]
    return Table.from_frame(
        frame.drop(columns="decimals"),
        columns=columns,
        title=title,
        spanners=(
            Spanner(path, ("printed", "recomputed", "difference", "verdict")),
            Spanner(p, ("p_printed", "p_recomputed")),
        ),
        note=note,
        lang=lang,
    )


def not_recomputed_table(
    study_id: str,
    *,
    title: str,
    lang: Language,
    groups: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    reasons_zh: Mapping[str, str] | None = None,
) -> Table:
    """List the printed figures that do not follow from the published matrix, by table of the source, and say why.

    `groups` and `labels` name the tables and quantities in the language; `reasons_zh` translates the reasons.
    """
    frame = read_printed(study_id)
    frame = frame[frame["not_recomputed"] != ""].reset_index(drop=True)
    names = _names(labels or {}, lang)
    shown = pd.DataFrame(
        {
            "table": [groups[table] for table in frame["table"]],
            "quantity": [names.get(quantity, quantity) for quantity in frame["quantity"]],
            "printed": pd.to_numeric(frame["printed"]),
        }
    )
    columns = [Column("quantity", word("quantity", lang)), Column("printed", word("printed", lang), "decimal")]
    reasons = list(dict.fromkeys(frame["not_recomputed"]))
    note = join_notes(*((reasons_zh or {})[reason] if lang == "zh" else reason for reason in reasons), lang=lang)
    table = data_table(shown, title=title, columns=columns, group_by="table", note=note, lang=lang)
    places = map(printed_decimals, frame["printed"])
    return replace(table, styles=tuple(CellStyle((row,), ("printed",), decimals=n) for row, n in enumerate(places)))


def _shown(comparison: pd.DataFrame, labels: Mapping[str, str], *, lang: Language) -> pd.DataFrame:
    names = _names(labels, lang)
    return comparison.assign(
        decimals=[printed_decimals(text) for text in comparison["printed"]],
        quantity=[names.get(name, name) for name in comparison["quantity"]],
        printed=pd.to_numeric(comparison["printed"]),
        verdict=[VERDICTS_ZH[text] if lang == "zh" else text for text in comparison["verdict"]],
    )


def _names(labels: Mapping[str, str], lang: Language) -> dict[str, str]:
    return {name: pair[lang == "zh"] for name, pair in MEASURES.items()} | dict(labels)
