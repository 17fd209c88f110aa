"""Hom & Kinicki (2001): how dissatisfaction drives turnover; nine constructs from printed correlations."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.builders import data_table
from psm_analysis.report.columns import Column
from psm_analysis.report.tables import Table
from psm_analysis.sem.fit import sem
from psm_analysis.sem.result import SemResult
from psm_analysis.studies.consistency import compare_printed
from psm_analysis.studies.printed_table import paths_table
from psm_analysis.studies.published import covariance_from, printed_of, read_matrix, read_values
from psm_analysis.studies.spec import Study

ID = "hom_kinicki_2001"
NOBS = 410
MODEL = """
JSat     =~ FACES + Duty + Team
IC       =~ Family + Personal + Community
JAvoid   =~ Quality + Absent + Effort + Sick
WC       =~ QI + Thoughts + SI
WEU      =~ Stress + Benefits + Impact + Jobs
JSearch  =~ Prepare + Look + Intensity
CA       =~ V1 + V2
Turnover =~ Resign
UR       =~ Unemployed
Resign     ~~ 0*Resign
Unemployed ~~ 0*Unemployed

JSat     ~ IC
JAvoid   ~ JSat
WC       ~ JAvoid + JSat + IC
WEU      ~ WC + JSat + UR
JSearch  ~ WEU
CA       ~ JSearch
Turnover ~ CA + WC + UR
"""
CONSTRUCTS: dict[str, tuple[str, str]] = {
    "IC": ("interrole conflict", "角色间冲突"),
    "JSat": ("job satisfaction", "工作满意度"),
    "JAvoid": ("job avoidance", "工作回避"),
    "WC": ("withdrawal cognitions", "退缩认知"),
    "WEU": ("withdrawal expected utility", "离职预期效用"),
    "UR": ("unemployment rate", "失业率"),
    "CA": ("comparison of alternatives", "备选工作比较"),
    "JSearch": ("job search", "求职行为"),
    "Turnover": ("turnover", "离职"),
}
WHY: dict[Language, str] = {
    "en": (
        "Why they agree: the printed figures were themselves computed from this two-decimal matrix (SEMsens vignette), "
        "so the same model and estimator must give them back. They are not the figures of the article, which its "
        "authors "
        "computed from the answers. The p values are those of the standardized paths (delta method); those of the "
        "unstandardized paths are slightly different. The standard deviations of FACES and Unemployed were entered "
        "as 1; "
        "standardized paths do not depend on them."
    ),
    "zh": (
        "为何一致：原文数值（SEMsens 软件包说明文档）本身即由这一保留两位小数的相关矩阵算得，"
        "相同模型与估计方法必然得到相同结果；"
        "它们并非论文作者由原始数据算得的数值。p 值为标准化路径的 p 值（delta 法），与非标准化路径的 p 值略有差别。"
        "FACES 与 Unemployed 的标准差按 1 录入，不影响标准化路径。"
    ),
}


def correlations() -> pd.DataFrame:
    """Return the printed correlations, 29 x 29."""
    return read_matrix(ID, "correlations")


def fit_to(matrix: pd.DataFrame) -> SemResult:
    """Fit the model by maximum likelihood to the covariances that correlations and printed deviations give."""
    return sem(MODEL, sample_cov=covariance_from(matrix, read_values(ID, "sds")), sample_nobs=NOBS)


@cache
def fit() -> SemResult:
    """Fit the model to the printed correlations."""
    return fit_to(correlations())


def paths_from(matrix: pd.DataFrame) -> dict[str, float]:
    """Return the 13 standardized paths that some correlations give."""
    tidy = fit_to(matrix).tidy()
    rows = tidy[tidy["op"] == "~"]
    return dict(zip(rows["lhs"] + " ~ " + rows["rhs"], rows["std_all"].astype(float), strict=True))


def paths() -> pd.DataFrame:
    """Compare the 13 standardized paths with the printed ones."""
    return compare_printed(printed_of(ID, "paths"), _standardized("estimate"))


def p_values() -> pd.DataFrame:
    """Compare the p values of the standardized paths with the printed ones."""
    return compare_printed(printed_of(ID, "p_values"), _standardized("p_value"))


def _standardized(column: str) -> dict[str, float]:
    table = fit().standardized()
    rows = table[table["op"] == "~"]
    return dict(zip(rows["lhs"] + " ~ " + rows["rhs"], rows[column].astype(float), strict=True))


def _name(construct: str, lang: Language) -> str:
    return CONSTRUCTS[construct][lang == "zh"]


def _paths_table(lang: Language) -> Table:
    def label(path: str) -> str:
        outcome, predictor = path.split(" ~ ")
        text = f"{_name(predictor, lang)} → {_name(outcome, lang)}"
        return text[0].upper() + text[1:]

    compared = paths()
    titles = {
        "en": "Standardized Paths of the Turnover Model: Printed and Recomputed",
        "zh": "离职模型的标准化路径：原文与重算",
    }
    notes = {
        "en": f"Maximum likelihood from the printed correlations and standard deviations, N = {NOBS}.",
        "zh": f"由印刷的相关系数与标准差作极大似然估计，N = {NOBS}。",
    }
    labels = {path: label(path) for path in compared["quantity"]}
    return paths_table(compared, p_values(), title=titles[lang], lang=lang, labels=labels, note=notes[lang])


def _fit_table(lang: Language) -> Table:
    from psm_analysis.report.builders_models import fit_table

    title = "离职模型的拟合指标" if lang == "zh" else "Fit of the Turnover Model"
    return fit_table({"Hom & Kinicki (2001)": fit().glance()}, title=title, lang=lang)


def _measurement_table(lang: Language) -> Table:
    from psm_analysis.report.builders_models import parameter_table

    tidy = fit().tidy()
    titles = {"en": "Measurement Part of the Turnover Model", "zh": "离职模型的测量部分"}
    return parameter_table(tidy[tidy["op"] == "=~"], title=titles[lang], lang=lang)


def _explained_table(lang: Language) -> Table:
    explained = fit().r_squared
    outcomes = [name for name in CONSTRUCTS if name in explained]
    frame = pd.DataFrame(
        {"construct": [_name(n, lang).capitalize() for n in outcomes], "r_squared": [explained[n] for n in outcomes]}
    )
    columns = [
        Column("construct", "潜变量" if lang == "zh" else "Construct"),
        Column("r_squared", "R²", "coefficient", decimals=3),
    ]
    title = "结构模型的解释方差" if lang == "zh" else "Explained Variance of the Constructs"
    return data_table(frame, title=title, columns=columns, lang=lang)


def _path_diagram(lang: Language) -> Any:
    return _diagram(lang, indicators=False)


def _full_diagram(lang: Language) -> Any:
    return _diagram(lang, indicators=True)


def _diagram(lang: Language, *, indicators: bool) -> Any:
    from psm_analysis.report.path_diagram import path_diagram

    labels = {name: _name(name, lang).replace(" ", "\n") for name in CONSTRUCTS}
    return path_diagram(fit().tidy(), labels=labels, indicators=indicators, lang=lang)


def _heatmap(lang: Language) -> Any:
    from psm_analysis.report.plot_heatmap import correlation_heatmap

    return correlation_heatmap(correlations(), lang=lang)


STUDY = Study(
    id=ID,
    title="Toward a greater understanding of how dissatisfaction drives employee turnover",
    citation=(
        "Hom, P. W., & Kinicki, A. J. (2001). Toward a greater understanding of how dissatisfaction drives employee "
        "turnover. Academy of Management Journal, 44(5), 975-987."
    ),
    source="Matrix, model and printed paths: vignette 'Hom-vignette' of the R package SEMsens (Wright & Nazari 2022).",
    licence="Printed statistics of a published article, as facts; the R package that carries them is GPL-3.",
    tables={
        "paths": _paths_table,
        "fit": _fit_table,
        "explained_variance": _explained_table,
        "measurement": _measurement_table,
    },
    figures={"path_diagram": _path_diagram, "full_diagram": _full_diagram, "correlations": _heatmap},
    comparisons={"paths": paths, "p_values": p_values},
    why=WHY,
)
