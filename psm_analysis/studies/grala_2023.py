"""Grala (2023): work stress, ego-resiliency and burnout of public administration employees."""

from __future__ import annotations

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.tables import Table
from psm_analysis.studies.correlation_regressions import compare_regression, left_out_table, regressions_table
from psm_analysis.studies.spec import Study

ID = "grala_2023"
NOBS = 139
NAMES: dict[str, tuple[str, str]] = {
    "stress": ("Perceived stress at work", "工作压力"),
    "resiliency": ("Ego-resiliency", "自我韧性"),
    "stress x resiliency": ("Stress × ego-resiliency", "压力 × 自我韧性"),
    "burnout": ("Burnout (OLBI)", "职业倦怠（OLBI）"),
}
WHY: dict[Language, str] = {
    "en": (
        "Why some differ: the printed regression has 137 respondents and the product of stress and ego-resiliency; the "
        "correlations have 139 respondents and no product. As the printed effect of the product is 0.00, R² and the "
        "beta of "
        "stress agree all the same; the beta of ego-resiliency is a little lower."
    ),
    "zh": (
        "为何有差异：原文回归含 137 人及压力与自我韧性的乘积项，而相关矩阵为 139 人且不含乘积项。"
        "由于原文乘积项效应为 0.00，R² 与压力的系数仍然一致，自我韧性的系数略低。"
    ),
}


def regression() -> pd.DataFrame:
    """Compare the regression of burnout on stress and ego-resiliency with the printed one."""
    return compare_regression(ID, "burnout", predictors=["stress", "resiliency"], nobs=NOBS)


def _regression_table(lang: Language) -> Table:
    title = "由相关矩阵重算的回归" if lang == "zh" else "Regression From the Printed Correlations"
    return regressions_table({"burnout": regression()}, title=title, lang=lang, names=NAMES, note=WHY[lang])


def _left_out_table(lang: Language) -> Table:
    return left_out_table(ID, lang=lang, names=NAMES, reason_zh="所印相关矩阵不含压力与自我韧性的乘积项。")


STUDY = Study(
    id=ID,
    title="Perceived stress at work, occupational burnout and ego-resiliency in public administration employees",
    citation=(
        "Grala, K. (2023). Relationships between perceived stress at work, occupational burnout and ego-resiliency "
        "in a group "
        "of public administration employees. Int. J. Occup. Safety Ergonomics, 29(3), 1160-1168."
    ),
    doi="10.1080/10803548.2022.2156095",
    source="Tables 1 and 2 of the article, read in the repository namakala/resilience-scoping-review.",
    licence="Printed statistics of a published article (copyright CIOP-PIB / Taylor & Francis), as facts.",
    tables={"regression": _regression_table, "not_recomputed": _left_out_table},
    comparisons={"burnout": regression},
    why=WHY,
)
