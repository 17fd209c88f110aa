"""Byrne's elementary school teachers: the Maslach Burnout Inventory, 22 items, three factors, three models."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import pandas as pd

from psm_analysis._options import Language, check_choice
from psm_analysis.report.tables import Table
from psm_analysis.sem.fit import cfa
from psm_analysis.sem.result import SemResult
from psm_analysis.studies.consistency import compare_printed
from psm_analysis.studies.printed_table import not_recomputed_table, printed_table
from psm_analysis.studies.published import printed_of, read_matrix, read_printed
from psm_analysis.studies.spec import Study

ID = "byrne_mbi"
NOBS = 580
HYPOTHESISED = """
EE =~ ITEM1 + ITEM2 + ITEM3 + ITEM6 + ITEM8 + ITEM13 + ITEM14 + ITEM16 + ITEM20
DP =~ ITEM5 + ITEM10 + ITEM11 + ITEM15 + ITEM22
PA =~ ITEM4 + ITEM7 + ITEM9 + ITEM12 + ITEM17 + ITEM18 + ITEM19 + ITEM21
"""
RELEASED = """
EE =~ ITEM12
ITEM6  ~~ ITEM16
ITEM10 ~~ ITEM11
ITEM1  ~~ ITEM2
"""
MODELS = {
    "model1": HYPOTHESISED,
    "model2": HYPOTHESISED + RELEASED,
    "model3": HYPOTHESISED + RELEASED + "ITEM4 ~~ ITEM7\n",
}
MODEL_NAMES: dict[str, tuple[str, str]] = {
    "model1": ("Model 1: hypothesised, three factors", "模型 1：假设的三因子模型"),
    "model2": (
        "Model 2: + item 12 on EE, residual covariances 6–16, 10–11, 1–2",
        "模型 2：增加题项 12 在 EE 上的载荷及残差协方差 6–16、10–11、1–2",
    ),
    "model3": ("Model 3: + residual covariance 4–7", "模型 3：再增加残差协方差 4–7"),
}
FACTORS: dict[str, tuple[str, str]] = {
    "EE": ("emotional exhaustion", "情绪衰竭"),
    "DP": ("depersonalization", "去人格化"),
    "PA": ("personal accomplishment", "个人成就感"),
}
ROBUST_ZH = "稳健统计量需要四阶矩，即原始作答；协方差矩阵不包含这些信息。"
WHY: dict[Language, str] = {
    "en": (
        "Why some differ: the covariances are given to six decimals, so figures that add up over 580 respondents "
        "(log-likelihood, information criteria) or over all elements of the matrix (chi-square) can be off in the "
        "third decimal. Covariances that round to the same six decimals move BIC by ± 0.002 (rounding_range), which is "
        "all of the difference. What cannot be recomputed: every Satorra-Bentler, scaled or robust figure needs the "
        "answers themselves. The covariances have the divisor n - 1; ML rescales them by (n - 1)/n. The "
        "models have no mean structure, as printed: with one, SRMR averages the means in and would be lower."
    ),
    "zh": (
        "为何有差异：协方差仅保留六位小数，因此对 580 名受访者累加的量（对数似然、信息准则）"
        "或对矩阵全部元素累加的量（χ²）在小数第三位上可能略有出入。舍入到相同六位小数的协方差矩阵可使 BIC "
        "变动 ±0.002（rounding_range），足以解释全部差异。"
        "无法重算的：所有 Satorra–Bentler、校正或稳健统计量都需要原始作答。"
        "协方差以 n - 1 为除数，极大似然将其乘以 (n - 1)/n。模型与原文一致，不含均值结构；"
        "若含均值结构，SRMR 会把均值计入而偏低。"
    ),
}


def covariance() -> pd.DataFrame:
    """Return the covariance matrix of the 22 items (divisor n - 1)."""
    return read_matrix(ID, "covariance")


@cache
def fit(model: str) -> SemResult:
    """Fit ``model1``, ``model2`` or ``model3`` by maximum likelihood.

    Raises
    ------
    OptionError
        For another name.
    """
    check_choice(model, MODELS, name="model")
    return cfa(MODELS[model], sample_cov=covariance(), sample_nobs=NOBS)


def likelihood_from(matrix: pd.DataFrame) -> dict[str, float]:
    """Return chi-square, log-likelihood, AIC and BIC of model 1 that some covariances give."""
    measures = cfa(HYPOTHESISED, sample_cov=matrix, sample_nobs=NOBS).fit_measures
    return {name: measures[name] for name in ("chisq", "baseline_chisq", "logl", "aic", "bic")}


def fit_measures(model: str) -> pd.DataFrame:
    """Compare the fit measures of one model with the printed ones."""
    return compare_printed(printed_of(ID, model), fit(model).fit_measures)


def loadings() -> pd.DataFrame:
    """Compare the standardized loadings and factor correlations of model 1 with the printed ones."""
    tidy = fit("model1").tidy()
    names = tidy["lhs"] + " " + tidy["op"] + " " + tidy["rhs"]
    return compare_printed(printed_of(ID, "loadings"), dict(zip(names, tidy["std_all"], strict=True)))


def _fit_comparison_table(lang: Language) -> Table:
    parts = [fit_measures(model).assign(model=names[lang == "zh"]) for model, names in MODEL_NAMES.items()]
    title = "三个模型的拟合指标：原文与重算" if lang == "zh" else "Fit of Three Models: Printed and Recomputed"
    note = f"N = {NOBS}." if lang == "en" else f"N = {NOBS}。"
    return printed_table(pd.concat(parts, ignore_index=True), title=title, lang=lang, group_by="model", note=note)


def _models_table(lang: Language) -> Table:
    from psm_analysis.report.builders_models import fit_table

    names = [pair[lang == "zh"] for pair in MODEL_NAMES.values()]
    short = [name.split("：" if lang == "zh" else ": ")[0] for name in names]
    glances = {name: fit(model).glance() for name, model in zip(short, MODELS, strict=True)}
    title = "三个模型的拟合指标" if lang == "zh" else "Fit of Three Models of the Maslach Burnout Inventory"
    note = "；".join(names) + "。" if lang == "zh" else "; ".join(names) + "."
    return fit_table(glances, differences="previous", title=title, note=note, lang=lang)


def _loadings_table(lang: Language) -> Table:
    compared = loadings()
    factor = compared["quantity"].str.split().str[0]
    correlated = compared["quantity"].str.contains("~~")
    other = "因子间相关" if lang == "zh" else "Factor correlations"
    names = {key: f"{pair[lang == 'zh'].capitalize()} ({key})" for key, pair in FACTORS.items()}
    group = factor.map(names).mask(correlated, other)
    labels = {q: _loading_label(q, lang) for q in compared["quantity"]}
    title = (
        "标准化载荷（模型 1）：原文与重算"
        if lang == "zh"
        else "Standardized Loadings (Model 1): Printed and Recomputed"
    )
    return printed_table(compared.assign(part=group), title=title, lang=lang, labels=labels, group_by="part")


def _loading_label(quantity: str, lang: Language) -> str:
    left, op, right = quantity.split()
    if op == "~~":
        return f"{left} – {right}"
    return right.replace("ITEM", "题项 " if lang == "zh" else "Item ")


def _not_recomputed_table(lang: Language) -> Table:
    title = "不能由协方差矩阵重算的数值" if lang == "zh" else "Printed Figures That a Covariance Matrix Cannot Give"
    groups = {model: names[lang == "zh"] for model, names in MODEL_NAMES.items()}
    reasons_zh = dict.fromkeys(read_printed(ID)["not_recomputed"], ROBUST_ZH)
    return not_recomputed_table(ID, title=title, lang=lang, groups=groups, reasons_zh=reasons_zh)


def _loadings_plot(lang: Language) -> Any:
    from psm_analysis.report.plot_loadings import loadings_plot

    keys = ["lhs", "op", "rhs"]
    limits = fit("model1").standardized()[[*keys, "ci_low", "ci_high"]]
    limits = limits.rename(columns={"ci_low": "std_ci_low", "ci_high": "std_ci_high"})
    return loadings_plot(fit("model1").tidy().merge(limits, on=keys), labels=_item_labels(lang), lang=lang)


def _path_diagram(lang: Language) -> Any:
    from psm_analysis.report.path_diagram import path_diagram

    return path_diagram(fit("model3").tidy(), labels=_item_labels(lang), lang=lang)


def _item_labels(lang: Language) -> dict[str, str]:
    return {name: name.replace("ITEM", "题项 " if lang == "zh" else "Item ") for name in covariance().columns}


STUDY = Study(
    id=ID,
    title="Factor structure of the Maslach Burnout Inventory in elementary school teachers (Byrne's data)",
    citation=(
        "Byrne, B. M.: MBI teacher data, elementary school teachers (N = 580), as analysed in the course COS-D419, "
        "University of Helsinki (2023), assignment 5, with lavaan 0.6."
    ),
    source="Covariances and printed results: course repository rg450318262/SEM, file Assignment5_Kristiina.html.",
    licence="No licence is stated; only aggregate statistics are given here, no answers and no item wording.",
    tables={
        "fit_comparison": _fit_comparison_table,
        "models": _models_table,
        "loadings": _loadings_table,
        "not_recomputed": _not_recomputed_table,
    },
    figures={"loadings": _loadings_plot, "path_diagram": _path_diagram},
    comparisons={
        **{model: partial(fit_measures, model) for model in MODELS},
        "loadings": loadings,
    },
    why=WHY,
)
