"""The two studies of which only a few correlations are printed; by hand from two-predictor formulas."""

from __future__ import annotations

import pytest

import psm_analysis as psm
from psm_analysis._options import Language
from psm_analysis.studies.consistency import DIFFERS, EQUAL


def test_grala() -> None:
    frame = psm.get_study("grala_2023").comparison("burnout").set_index("quantity")
    assert frame.loc["stress", "recomputed"] == pytest.approx((0.61 - 0.12 * 0.19) / (1 - 0.12**2))
    assert frame.loc["resiliency", "recomputed"] == pytest.approx((-0.19 + 0.12 * 0.61) / (1 - 0.12**2))
    assert frame["verdict"].tolist() == [EQUAL, DIFFERS, EQUAL]


def test_eaves_and_payne_explain_less_with_two_predictors() -> None:
    study = psm.get_study("eaves_payne_2019")
    expected = {
        "quit": (0.351, -0.191, 0.201),
        "disengagement": (0.445, -0.112, 0.242),
        "exhaustion": (0.388, -0.040, 0.161),
    }
    for outcome, figures in expected.items():
        frame = study.comparison(outcome)
        assert frame["recomputed"].tolist() == pytest.approx(figures, abs=5.1e-4)
        assert frame["difference"].iloc[2] < 0


@pytest.mark.parametrize("study_id", ["grala_2023", "eaves_payne_2019"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_explain_the_verdict(study_id: str, lang: Language) -> None:
    study = psm.get_study(study_id)
    first, second = (study.table(table, lang=lang) for table in study.tables)
    assert first.note == study.why[lang]
    assert second.number == "2"
