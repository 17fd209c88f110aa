"""Scores by the instruments' own rules, against sums done by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, InstrumentError, PsmAnalysisWarning
from psm_analysis.instruments.model import MissingRule
from psm_analysis.instruments.registry import get_instrument
from psm_analysis.scoring.rules import score_scales


def answers(name: str, value: float, *, rows: int = 1) -> pd.DataFrame:
    return pd.DataFrame({item: [value] * rows for item in get_instrument(name).item_ids}, index=range(5, 5 + rows))


def test_olbi_recodes_the_negative_items() -> None:
    burnt = answers("olbi", 4.0)
    burnt[list(get_instrument("olbi").reverse_items)] = 1.0
    scores = psm.score_scales(burnt, "olbi")
    assert scores.loc[5].to_dict() == {"exhaustion": 4.0, "disengagement": 4.0, "burnout": 4.0}
    assert psm.score_scales(answers("olbi", 1.0), "olbi")["exhaustion"].item() == (4 * 4 + 4 * 1) / 8


def test_reversed_already_leaves_the_codes_alone() -> None:
    assert score_scales(answers("olbi", 4.0), "olbi", reversed_already=True)["burnout"].item() == 4.0


def test_cbi_item_13_and_no_total() -> None:
    frame = answers("cbi", 100)
    scores = score_scales(frame, get_instrument("cbi"))
    assert list(scores.columns) == ["personal_burnout", "work_burnout", "client_burnout"]
    assert scores["work_burnout"].item() == pytest.approx(600 / 7)


def test_mbi_sums_are_prorated() -> None:
    frame = answers("mbi22", 3)
    frame["mbi1"] = np.nan
    scores = score_scales(frame, "mbi22")
    assert scores["emotional_exhaustion"].item() == pytest.approx(27)
    assert scores["depersonalization"].item() == 15
    assert "burnout" not in scores


def test_missing_rule_by_proportion_and_count() -> None:
    frame = answers("psm16", 4.0, rows=3)
    frame.loc[6, ["psm1", "psm2"]] = np.nan
    frame.loc[7, ["psm1", "psm2", "psm3"]] = np.nan
    scores = score_scales(frame, "psm16")
    assert scores["aps"].tolist()[:2] == [4.0, 4.0]
    assert np.isnan(scores.loc[7, "aps"])
    assert scores.loc[7, "psm"] == 4.0
    strict = replace(get_instrument("psm16"), missing_rule=MissingRule("count", 4))
    assert score_scales(frame, strict)["aps"].notna().tolist() == [True, False, False]


def test_index_is_kept_and_other_columns_are_ignored() -> None:
    frame = answers("turnover3", 2, rows=2).assign(name="x")
    scores = score_scales(frame, "turnover3")
    assert scores.index.tolist() == [5, 6]
    assert list(scores.columns) == ["turnover"]


def test_nullable_integers_are_numbers() -> None:
    frame = answers("turnover3", 2, rows=2).astype("Int64")
    frame.loc[5, "turnover1"] = pd.NA
    assert score_scales(frame, "turnover3")["turnover"].tolist() == [2.0, 2.0]


def test_missing_columns_are_named() -> None:
    frame = answers("turnover3", 2).rename(columns={"turnover2": "turnover_2"})
    with pytest.raises(DataError, match=r"turnover2\..*Did you mean 'turnover_2'"):
        score_scales(frame, "turnover3")


def test_codes_outside_the_scale_are_named_with_rows() -> None:
    frame = answers("cbi", 50, rows=2)
    frame.loc[6, "cbi3"] = 3
    with pytest.raises(DataError, match=r"0/25/50/75/100: 3 \(rows 6\).*column 'cbi3'"):
        score_scales(frame, "cbi")
    with pytest.raises(DataError, match="codes of 1-7: 0"):
        score_scales(answers("wleis16", 0), "wleis16")


def test_changed_response_format_is_respected() -> None:
    five = get_instrument("wleis16").with_response(1, 5)
    with pytest.raises(DataError, match="codes of 1-5: 7"):
        score_scales(answers("wleis16", 7), five)


def test_text_and_double_columns_are_refused() -> None:
    frame = answers("turnover3", 2)
    with pytest.raises(DataError, match="not numbers"):
        score_scales(frame.assign(turnover1="agree"), "turnover3")
    with pytest.raises(DataError, match="more than once"):
        score_scales(pd.concat([frame, frame[["turnover1"]]], axis=1), "turnover3")


def test_structure_only_cannot_be_scored() -> None:
    with pytest.raises(InstrumentError, match="cannot be scored"):
        score_scales(answers("psm24", 3), "psm24")


def test_unverified_key_warns() -> None:
    with pytest.warns(PsmAnalysisWarning, match="tis6"):
        scores = score_scales(answers("tis6", 1), "tis6")
    assert scores["turnover"].item() == 4 * 1 + 2 * 5
