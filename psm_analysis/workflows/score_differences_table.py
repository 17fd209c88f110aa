"""The table of group differences: tests written out, once per scale."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.builders import data_table
from psm_analysis.report.columns import Column
from psm_analysis.report.numbers import format_decimal
from psm_analysis.report.tables import Table

WORDS = {
    "scale": ("Scale", "量表"),
    "group": ("Group", "组别"),
    "test": ("Welch's test", "Welch 检验"),
    "effect": ("Effect size", "效应量"),
    "note": (
        "d is the first group minus the second in pooled standard deviations; ω² is from Welch's F. "
        "p values are not adjusted for the number of tests.",
        "d 为第一组减第二组之差除以合并标准差；ω² 由 Welch F 计算。p 值未作多重检验校正。",
    ),
}


def score_differences_table(differences: pd.DataFrame, *, title: str, lang: Language = "en") -> Table:
    """Make the table of :func:`psm_analysis.workflows.score_differences.score_differences`."""
    words = {name: texts[lang == "zh"] for name, texts in WORDS.items()}
    first = ~differences.duplicated(["variable", "scale"])
    rows = differences.assign(
        scale=differences["scale"].where(first, ""),
        tested=[_test(row) if shown else "" for (_, row), shown in zip(differences.iterrows(), first, strict=True)],
        p_value=differences["p_value"].where(first),
        sized=[_effect(row) if shown else "" for (_, row), shown in zip(differences.iterrows(), first, strict=True)],
    )
    columns = [
        Column("scale", words["scale"]),
        Column("group", words["group"]),
        Column("n", "n", "integer", italic=True),
        Column("mean", "M", "decimal", italic=True),
        Column("sd", "SD", "decimal", italic=True),
        Column("tested", words["test"]),
        Column("p_value", "p", "p", italic=True),
        Column("sized", words["effect"]),
    ]
    table = data_table(rows, title=title, columns=columns, group_by="variable", note=words["note"], lang=lang)
    return replace(table, missing="")


def _test(row: pd.Series) -> str:
    if not row["test"]:
        return "–"
    freedom = format_decimal(row["df2"], 1)
    freedom = freedom if row["test"] == "t" else f"{row['df1']:.0f}, {freedom}"
    return f"{row['test']}({freedom}) = {format_decimal(row['statistic'])}"


def _effect(row: pd.Series) -> str:
    if not row["effect_size"]:
        return "–"
    bounded = row["effect_size"] == "ω²"
    return f"{row['effect_size']} = {format_decimal(row['effect'], 3 if bounded else 2, leading_zero=not bounded)}"
