"""What studies share that print correlations and regressions: betas and R² recomputed from the correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.regression.correlations import regression_from_correlations
from psm_analysis.report.tables import Table
from psm_analysis.studies.consistency import compare_printed
from psm_analysis.studies.printed_table import not_recomputed_table, printed_table
from psm_analysis.studies.published import printed_of, read_matrix, read_printed

Names = Mapping[str, tuple[str, str]]


def compare_regression(study_id: str, outcome: str, *, predictors: Sequence[str], nobs: int) -> pd.DataFrame:
    """Compare the printed standardized betas and R² of one outcome with those that the printed correlations give."""
    result = regression_from_correlations(
        read_matrix(study_id, "correlations"), outcome, predictors=predictors, nobs=nobs
    )
    recomputed = dict(zip(result.tidy()["term"], result.tidy()["beta"], strict=True))
    return compare_printed(printed_of(study_id, outcome), {**recomputed, "R2": result.r_squared})


def regressions_table(
    comparisons: Mapping[str, pd.DataFrame], *, title: str, lang: Language, names: Names, note: str
) -> Table:
    """Make one table of the comparisons of several outcomes, each under its name."""
    labels = {key: pair[lang == "zh"] for key, pair in names.items()} | {"R2": "R²"}
    parts = [frame.assign(outcome=labels[outcome]) for outcome, frame in comparisons.items()]
    frame = pd.concat(parts, ignore_index=True)
    return printed_table(frame, title=title, lang=lang, labels=labels, group_by="outcome", note=note)


def left_out_table(study_id: str, *, lang: Language, names: Names, reason_zh: str) -> Table:
    """List the printed coefficients of predictors that the printed correlations do not include."""
    title = "不能由相关矩阵重算的数值" if lang == "zh" else "Printed Figures That the Correlations Cannot Give"
    reasons_zh = dict.fromkeys(read_printed(study_id)["not_recomputed"], reason_zh)
    labels = {key: pair[lang == "zh"] for key, pair in names.items()}
    return not_recomputed_table(study_id, title=title, lang=lang, groups=labels, labels=labels, reasons_zh=reasons_zh)
