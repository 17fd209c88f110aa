"""Tables of the structural model: fit, paths, effects, and the same link as regressions."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.builders import data_table
from psm_analysis.report.builders_models import effects_table, fit_table, parameter_table
from psm_analysis.report.builders_regression import regression_table
from psm_analysis.report.columns import Column, RowGroup
from psm_analysis.report.tables import Table
from psm_analysis.studies.model_project_models import BLOCKS, hierarchical, ordinal, structure
from psm_analysis.studies.model_project_sample import ProjectSample
from psm_analysis.studies.model_project_words import NAMES, names, noted, pick, titled

STRUCTURE_NAMES: dict[str, tuple[str, str]] = {
    "measurement": ("Measurement model: constructs correlate freely", "测量模型：构念自由相关"),
    "partial": ("Direct paths, and paths through burnout", "直接路径与经由倦怠的路径"),
    "full": ("Paths through burnout only", "仅经由倦怠的路径"),
}
EFFECT_KINDS: dict[str, tuple[str, str]] = {
    "indirect": ("{name}, through burnout", "{name}：经由倦怠"),
    "total": ("{name}, total", "{name}：总效应"),
}
OUTCOMES = ("burnout", "turnover")
BLOCK_NAMES: dict[str, tuple[str, str]] = {
    "controls": ("Controls", "控制变量"),
    "resources": ("+ PSM, EI", "+ PSM、EI"),
    "conditions": ("+ Conditions", "+ 工作条件"),
    "burnout": ("+ Burnout", "+ 倦怠"),
}
MEASURED = (
    "PSM and EI are measured by their four subscale scores, burnout by its two, the other constructs by their items.",
    "PSM 与 EI 以四个分量表得分测量，倦怠以两个分量表得分测量，其余构念以题项测量。",
)


def structure_fit(sample: ProjectSample, lang: Language) -> Table:
    """Return the fit of the measurement model and of the two structural models."""
    fits = {name: structure(sample, name) for name in STRUCTURE_NAMES}
    note = (
        f"Maximum likelihood, N = {fits['partial'].nobs} complete rows. Each model is nested in the one above it.",
        f"极大似然估计，完整作答 N = {fits['partial'].nobs}。各模型嵌套于其上一模型。",
    )
    return fit_table(
        {pick(STRUCTURE_NAMES[name], lang): fit.glance() for name, fit in fits.items()},
        differences="previous",
        title=titled(("Fit of the Structural Models", "结构模型的拟合指标"), lang),
        note=noted(lang, note, MEASURED),
        lang=lang,
    )


def paths(sample: ProjectSample, lang: Language) -> Table:
    """Return the paths of the structural model."""
    fit = structure(sample, "partial")
    shares = pick(("; ", "；"), lang).join(
        f"{names(lang)[name]} R² = {_coefficient(fit.r_squared[name])}" for name in OUTCOMES
    )
    return parameter_table(
        fit.tidy(),
        sections=["regressions"],
        labels=names(lang),
        title=titled(("Paths of the Structural Model", "结构模型的路径系数"), lang),
        note=noted(lang, (f"N = {fit.nobs}. {shares}.", f"N = {fit.nobs}。{shares}。")),
        lang=lang,
    )


def _coefficient(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def effects(sample: ProjectSample, lang: Language) -> Table:
    """Return the indirect and total effects on turnover intention, with intervals by the delta method."""
    fit = structure(sample, "partial")
    defined = fit.tidy().query("op == ':='")["lhs"].tolist()
    labels = {effect: effect_name(effect, lang) for effect in defined}
    note = (
        f"Effects on turnover intention, N = {fit.nobs}. Intervals by the delta method.",
        f"对离职意向的效应，N = {fit.nobs}。区间由 delta 法得到。",
    )
    return effects_table(
        fit.tidy(),
        labels=labels,
        title=titled(("Indirect and Total Effects on Turnover Intention", "对离职意向的间接效应与总效应"), lang),
        note=noted(lang, note),
        lang=lang,
    )


def effect_name(effect: str, lang: Language) -> str:
    """Return the printed name of a defined effect.

    Examples
    --------
    >>> effect_name("indirect_psm", "en")
    'Public service motivation, through burnout'
    """
    kind, construct = effect.split("_", 1)
    return pick(EFFECT_KINDS[kind], lang).format(name=pick(NAMES[construct], lang))


def regressions(sample: ProjectSample, lang: Language) -> Table:
    """Return the hierarchical regressions of turnover intention, errors clustered by township."""
    fit = hierarchical(sample)
    headings = {name: pick(pair, lang) for name, pair in BLOCK_NAMES.items()}
    tidy = fit.tidy()
    tidy = tidy[tidy["term"] != "(constant)"]
    note = (
        "Outcome: turnover intention. All variables are z-scores, so that coefficients are standardized. Errors are "
        "clustered by township.",
        "因变量：离职意向。所有变量均为 z 分数，系数为标准化系数。标准误按乡镇聚类。",
    )
    return regression_table(
        tidy.assign(model=tidy["model"].map(headings)),
        fit.steps.assign(model=fit.steps["model"].map(headings)),
        labels=_kept(names(lang), tidy["term"]),
        title=titled(("Hierarchical Regression of Turnover Intention", "离职意向的层次回归"), lang),
        note=noted(lang, note),
        lang=lang,
    )


def _kept(labels: dict[str, str], terms: pd.Series) -> dict[str, str]:
    return {name: label for name, label in labels.items() if name in set(terms)}


def ordered(sample: ProjectSample, lang: Language) -> Table:
    """Return the ordered logit of one item of turnover intention, errors clustered by township."""
    fit = ordinal(sample)
    rows = fit.tidy().query("kind == 'predictor'").reset_index(drop=True)
    row = fit.glance().iloc[0]
    blocks = [name for name, block in BLOCKS.items() for term in rows["term"] if term in block]
    frame = rows.assign(term=rows["term"].map(names(lang)))
    note = (
        f"Outcome: the first item of turnover intention, five ordered answers; N = {row['nobs']}, {row['n_clusters']} "
        f"townships, McFadden R² = {_coefficient(row['pseudo_r_squared'])}. Scales are z-scores: an odds ratio is for "
        "one standard deviation more; for age, grade and the two categories it is for one unit.",
        f"因变量：离职意向第 1 题，五个有序选项；N = {row['nobs']}，{row['n_clusters']} 个乡镇，"
        f"McFadden R² = {_coefficient(row['pseudo_r_squared'])}。量表得分为 z 分数，优势比对应增加一个标准差；"
        "年龄、职级与两个分类变量对应增加一个单位。",
    )
    table = data_table(
        frame,
        columns=[
            Column("term", pick(("Predictor", "预测变量"), lang)),
            Column("estimate", "b", "decimal", italic=True),
            Column("std_error", "SE", "decimal", italic=True),
            Column("p_value", "p", "p", italic=True),
            Column("odds_ratio", pick(("Odds ratio", "优势比"), lang), "decimal"),
            Column("odds_ratio_low", "95% CI", "ci", upper="odds_ratio_high"),
        ],
        title=titled(("Ordered Logit of One Item of Turnover Intention", "离职意向单题的有序 logit 回归"), lang),
        note=noted(lang, note),
        lang=lang,
    )
    first = [RowGroup("", row) for row in range(1, len(blocks)) if blocks[row] != blocks[row - 1]]
    return replace(table, groups=tuple(first)) if first else table
