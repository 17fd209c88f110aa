"""Expected: the printed paths, and fit measures of R's lavaan 0.6 on the same matrix."""

from __future__ import annotations

import pytest

import psm_analysis as psm
from psm_analysis.studies import hom_kinicki_2001 as hom
from psm_analysis.studies.consistency import EQUAL


def test_thirteen_paths_equal_the_printed_three_decimals() -> None:
    frame = hom.paths()
    assert len(frame) == 13
    assert (frame["verdict"] == EQUAL).all()
    assert set(frame["printed"].str.len()) <= {5, 6}


def test_p_values_are_those_of_the_standardized_paths() -> None:
    frame = hom.p_values()
    assert (frame["verdict"] == EQUAL).all()
    tidy = hom.fit().tidy()
    raw = tidy[(tidy["lhs"] == "WC") & (tidy["rhs"] == "JAvoid")]["p_value"].iloc[0]
    assert raw == pytest.approx(0.039, abs=5e-4)
    assert frame.set_index("quantity").loc["WC ~ JAvoid", "printed"] == "0.034"


def test_fit_is_that_of_lavaan() -> None:
    measures = hom.fit().fit_measures
    expected = {"chisq": 581.878, "cfi": 0.906, "tli": 0.892, "rmsea": 0.059, "srmr": 0.057, "logl": -7968.739}
    for name, value in expected.items():
        assert measures[name] == pytest.approx(value, abs=5.1e-4), name
    assert (measures["df"], measures["npar"]) == (240, 60)
    assert measures["aic"] == pytest.approx(16057.478, abs=1e-3)


def test_explained_variance() -> None:
    explained = hom.fit().r_squared
    for name, value in {"Turnover": 0.144, "WC": 0.621, "JSat": 0.161, "JSearch": 0.780, "CA": 0.271}.items():
        assert explained[name] == pytest.approx(value, abs=5.1e-4)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_text_shows_the_paths_and_why(lang: str) -> None:
    study = psm.get_study("hom_kinicki_2001")
    text = study.text(lang)  # type: ignore[arg-type]
    assert text.count(EQUAL if lang == "en" else "与原文小数位一致") == 13
    assert ("job satisfaction → withdrawal cognitions" if lang == "en" else "工作满意度 → 退缩认知") in text.lower()
    assert "Why they agree" in text or "为何一致" in text
