"""The table of invariance: one ladder or several, released parameters, both languages."""

from __future__ import annotations

import pandas as pd
import pytest

import psm_analysis as psm

FIRST = {
    "step": "configural",
    "released": "",
    "chisq": 115.851,
    "df": 48,
    "cfi": 0.9228,
    "rmsea": 0.0968,
    "srmr": 0.0676,
}
NOTHING = dict.fromkeys(("statistic", "df_diff", "p_value", "delta_cfi", "delta_rmsea", "delta_srmr"))
SECOND = {
    "step": "scalar",
    "released": "x3 ~ 1",
    "chisq": 144.58,
    "df": 59,
    "cfi": 0.9051,
    "rmsea": 0.0981,
    "srmr": 0.0771,
}
CHANGE = {"statistic": 20.54, "df_diff": 5, "p_value": 0.0004, "delta_cfi": -0.0182, "delta_rmsea": 0.005}
LADDER = pd.DataFrame(
    [FIRST | NOTHING | {"decision": "holds"}, SECOND | CHANGE | {"delta_srmr": 0.006, "decision": "partial"}]
)


def test_one_ladder() -> None:
    lines = psm.invariance_table(LADDER, number=2).to_text().splitlines()
    assert lines[:2] == ["Table 2", "Measurement Invariance"]
    assert lines[6].split() == [
        "Scalar", "144.58", "59", ".905", ".098", ".077", "20.54", "5", "<", ".001", "-.018", ".005", ".006",
        "partial", "x3", "~", "1",
    ]  # fmt: skip


def test_several_ladders_in_chinese() -> None:
    table = psm.invariance_table({"性别": LADDER, "职级": LADDER.assign(released="")}, lang="zh")
    text = table.to_text()
    assert [group.first for group in table.groups] == [0, 2]
    for word in ("测量等值性", "性别", "职级", "形态等值", "截距等值", "部分成立", "释放参数"):
        assert word in text


def test_degrees_of_freedom_of_adjusted_tests_keep_their_decimals() -> None:
    assert "4.73" in psm.invariance_table(LADDER.assign(df_diff=[None, 4.73])).to_text()


def test_refusals() -> None:
    with pytest.raises(psm.PsmAnalysisError, match="no column 'decision'"):
        psm.invariance_table(LADDER.drop(columns="decision"))
