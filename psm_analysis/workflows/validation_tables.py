"""Tables of the dossier whose columns and rows have names of their own: items, number of factors, HTMT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from psm_analysis._options import Language
from psm_analysis.instruments.model import Instrument
from psm_analysis.report.builders import data_table
from psm_analysis.report.columns import Column
from psm_analysis.report.tables import Table

DESCRIBED = ("item", "subscale", "n", "mean", "sd", "skew", "kurtosis")
ITEM_COLUMNS = (*DESCRIBED, "floor", "ceiling", "item_rest_r", "alpha_if_dropped")
LABELS = {
    "subscale": ("Subscale", "分量表"),
    "floor": ("Lowest", "最低分占比"),
    "ceiling": ("Highest", "最高分占比"),
    "criterion": ("Criterion", "准则"),
    "n_factors": ("Factors", "因子数"),
}
CRITERIA = {
    "parallel_components": ("Parallel analysis, components (95th percentile)", "平行分析，主成分（第95百分位）"),
    "parallel_components_mean": ("Parallel analysis, components (mean)", "平行分析，主成分（均值）"),
    "parallel_factors": ("Parallel analysis, factors (95th percentile)", "平行分析，公因子（第95百分位）"),
    "parallel_factors_mean": ("Parallel analysis, factors (mean)", "平行分析，公因子（均值）"),
    "comparison_data": ("Comparison data", "比较数据法"),
    "map_1976": ("Minimum average partial (1976)", "最小平均偏相关（1976）"),
    "map_2000": ("Minimum average partial (2000)", "最小平均偏相关（2000）"),
    "empirical_kaiser": ("Empirical Kaiser criterion", "经验 Kaiser 准则"),
    "kaiser": ("Eigenvalues above one", "特征值大于1"),
    "very_simple_structure_1": ("Very simple structure, complexity 1", "极简结构，复杂度1"),
    "very_simple_structure_2": ("Very simple structure, complexity 2", "极简结构，复杂度2"),
    "hull": ("Hull method", "Hull 法"),
    "bic": ("Smallest BIC", "最小 BIC"),
}

KINDS = {
    "one-factor": ("One factor", "单因子"),
    "correlated": ("Correlated factors", "相关因子"),
    "second-order": ("Second-order factor", "二阶因子"),
    "bifactor": ("Bifactor", "双因子"),
}


def kind_name(kind: str, *, lang: Language) -> str:
    """Return the name of a kind of measurement model.

    Examples
    --------
    >>> kind_name("second-order", lang="zh")
    '二阶因子'
    """
    return KINDS[kind][lang == "zh"]


def part_names(instrument: Instrument, *, lang: Language) -> dict[str, str]:
    """Return the printed names of the subscales and of the general factor."""
    general = {instrument.factor: "总因子" if lang == "zh" else "General factor"}
    return general | {part.id: part.name.get(lang) for part in instrument.subscales}


def items_table(items: pd.DataFrame, *, names: Mapping[str, str], title: str, lang: Language) -> Table:
    """Make the table of an item analysis: the columns that a reader of an article needs."""
    shown = items[[name for name in ITEM_COLUMNS if name in items]]
    if "subscale" in shown:
        shown = shown.assign(subscale=[names.get(str(name), str(name)) for name in shown["subscale"]])
    labels = _labels(shown, lang=lang)
    return data_table(shown, title=title, labels=labels, lang=lang)


def retention_table(suggested: pd.DataFrame, *, title: str, lang: Language) -> Table:
    """Make the table of the number of factors by each criterion, with the criteria written out."""
    names = {name: texts[lang == "zh"] for name, texts in CRITERIA.items()}
    shown = suggested[["criterion", "n_factors"]]
    shown = shown.assign(criterion=[names.get(str(name), str(name)) for name in shown["criterion"]])
    return data_table(shown, title=title, labels=_labels(shown, lang=lang), lang=lang)


def htmt_table(ratios: pd.DataFrame, *, names: Mapping[str, str], title: str, lang: Language) -> Table:
    """Make the lower triangle of the ratios: factors are numbered, and the numbers head the columns."""
    lower = ratios.where(np.tril(np.ones(ratios.shape, dtype=bool), -1))
    lower.columns = pd.Index([str(k) for k in range(1, len(ratios) + 1)])
    printed = [f"{k}. {names.get(str(name), str(name))}" for k, name in enumerate(ratios.index, start=1)]
    factors = [Column(name, name, "coefficient") for name in lower.columns[:-1]]
    label = "因子" if lang == "zh" else "Factor"
    rows = lower.assign(factor=printed).reset_index(drop=True)
    return replace(data_table(rows, title=title, columns=[Column("factor", label), *factors], lang=lang), missing="")


def _labels(frame: pd.DataFrame, *, lang: Language) -> dict[str, str]:
    return {name: texts[lang == "zh"] for name, texts in LABELS.items() if name in frame}
