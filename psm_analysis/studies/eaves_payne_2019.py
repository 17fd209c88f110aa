"""Eaves & Payne (2019): stress and resilience behind burnout and intention to quit of student midwives."""

from __future__ import annotations

from functools import partial

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.tables import Table
from psm_analysis.studies.correlation_regressions import compare_regression, left_out_table, regressions_table
from psm_analysis.studies.spec import Study

ID = "eaves_payne_2019"
NOBS = 150
OUTCOMES = ("exhaustion", "disengagement", "quit")
NAMES: dict[str, tuple[str, str]] = {
    "stress": ("Perceived stress", "知觉压力"),
    "resilience": ("Resilience", "心理韧性"),
    "exhaustion": ("Exhaustion", "耗竭"),
    "disengagement": ("Disengagement", "疏离"),
    "quit": ("Intention to quit", "离职意向"),
    "year 2": ("Second year of study", "二年级"),
    "year 3": ("Third year of study", "三年级"),
    "stress x resilience": ("Stress × resilience", "压力 × 韧性"),
}
WHY: dict[Language, str] = {
    "en": (
        "Why they differ: the printed regressions also have two dummies for the year of study and the product of "
        "stress and "
        "resilience. Neither is in the printed correlations, so two predictors are used instead of five: R² must "
        "come out "
        "lower, and the betas move with what was left out. 'differs' is the expected verdict here, not a doubt "
        "about the article."
    ),
    "zh": (
        "为何不一致：原文回归还包含两个年级虚拟变量以及压力与韧性的乘积项，而它们不在所印相关矩阵中。"
        "这里只用两个预测变量而非五个，故 R² 必然偏低，系数也随之改变。此处“不一致”在意料之中，并非质疑原文。"
    ),
}


def regression(outcome: str) -> pd.DataFrame:
    """Compare one regression on stress and resilience with the printed one."""
    return compare_regression(ID, outcome, predictors=["stress", "resilience"], nobs=NOBS)


def _regressions_table(lang: Language) -> Table:
    title = "由相关矩阵重算的回归" if lang == "zh" else "Regressions From the Printed Correlations"
    comparisons = {outcome: regression(outcome) for outcome in OUTCOMES}
    return regressions_table(comparisons, title=title, lang=lang, names=NAMES, note=WHY[lang])


def _left_out_table(lang: Language) -> Table:
    return left_out_table(ID, lang=lang, names=NAMES, reason_zh="所印相关矩阵不含年级虚拟变量及压力与韧性的乘积项。")


STUDY = Study(
    id=ID,
    title="Resilience, stress and burnout in student midwives",
    citation=(
        "Eaves, J. L., & Payne, N. (2019). Resilience, stress and burnout in student midwives. Nurse Education Today."
    ),
    doi="10.1016/j.nedt.2019.05.012",
    source="Tables 1 and 2 of the article, read in the repository namakala/resilience-scoping-review.",
    licence="Printed statistics of a published article (copyright Elsevier), as facts.",
    tables={"regressions": _regressions_table, "not_recomputed": _left_out_table},
    comparisons={outcome: partial(regression, outcome) for outcome in OUTCOMES},
    why=WHY,
)
