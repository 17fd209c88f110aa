"""The dossier on the synthetic survey, whose structure is known."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.workflows.validation_tables import CRITERIA


@pytest.fixture(scope="module")
def wave() -> object:
    frame = psm.make_public_service_survey(900, waves=1, seed=3).data
    return psm.wave_from_frame(frame, instruments="psm16")


@pytest.fixture(scope="module")
def dossier(wave: object) -> psm.ScaleValidation:
    return psm.validate_scale(wave, "psm16", seed=1, n_iterations=30)  # type: ignore[arg-type]


def test_the_known_structure_is_found(dossier: psm.ScaleValidation) -> None:
    row = dossier.glance().iloc[0]
    assert dossier.retention.suggested["parallel_factors"] == 4
    assert dossier.best_model in {"correlated", "second-order", "bifactor"}
    assert dossier.models["one-factor"].fit_measures["cfi"] < dossier.models["correlated"].fit_measures["cfi"]
    assert row["cfi"] > 0.95
    assert row["lowest_omega"] > 0.6
    assert row["n_used"] <= row["n_screened"] == 900
    assert set(dossier.tidy()["step"]) == {"screening", "suitability", "retention", "fit", "reliability", "htmt"}


def test_fit_is_that_of_the_printed_table(dossier: psm.ScaleValidation) -> None:
    printed = dossier.models[dossier.best_model].glance().iloc[0]
    assert printed["measures"] == "robust"
    assert dossier.glance().loc[0, ["cfi", "rmsea", "srmr"]].tolist() == printed[["cfi", "rmsea", "srmr"]].tolist()
    rows = dossier.tidy().set_index("quantity")["estimate"]
    assert rows[f"best ({dossier.best_model}): cfi"] == rows[f"{dossier.best_model}: cfi"] == printed["cfi"]


def test_a_subscale_that_runs_against_the_total_is_named(dossier: psm.ScaleValidation) -> None:
    frame = psm.make_public_service_survey(600, waves=1, seed=3).data
    turned = frame.assign(**{item: 6 - frame[item] for item in ("psm9", "psm10", "psm11", "psm12")})
    found = psm.validate_scale(psm.wave_from_frame(turned, instruments="psm16"), "psm16", seed=1, n_iterations=10)
    (told,) = [text for text in found.warnings if "falls where the rest" in text]
    assert told.startswith("The subscale 'com' falls")
    assert told in found.summary()
    assert not [text for text in dossier.warnings if "falls where the rest" in text]


def test_halves_are_disjoint_and_reproducible(dossier: psm.ScaleValidation, wave: object) -> None:
    assert dossier.exploratory.nobs + dossier.models["correlated"].nobs <= dossier.n_used
    again = psm.validate_scale(wave, "psm16", seed=1, n_iterations=30)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(again.tidy(), dossier.tidy())


def test_tables_and_figures(dossier: psm.ScaleValidation) -> None:
    assert list(dossier.tables) == ["items", "retention", "loadings", "fit", "reliability", "htmt"]
    assert "psm1" in dossier.tables["loadings"].to_html()
    assert set(dossier.figures()) == {"items", "scree", "scree_factors", "loadings"}


def test_too_few_respondents(wave: object) -> None:
    small = psm.wave_from_frame(psm.make_public_service_survey(150, waves=1, seed=1).data, instruments="psm16")
    with pytest.raises(psm.PsmAnalysisError, match="two halves"):
        psm.validate_scale(small, "psm16", seed=1)


def test_without_group_variables_there_is_no_table(dossier: psm.ScaleValidation) -> None:
    assert dossier.groups.empty
    assert "groups" not in dossier.tables


def test_every_name_in_the_chinese_tables_is_chinese(dossier: psm.ScaleValidation) -> None:
    tables = replace(dossier, lang="zh").tables
    assert "平行分析" in tables["retention"].to_text()
    for name in ("items", "retention"):
        assert not [c.label for c in tables[name].columns if "_" in c.label]
    assert "parallel_" not in tables["retention"].to_text()
    for name, words in (("items", "同情心"), ("reliability", "同情心"), ("htmt", "同情心"), ("fit", "二阶因子")):
        assert words in tables[name].to_text()
        assert not re.search(r"\b(aps|cpv|com|ss|correlated|bifactor)\b", tables[name].to_text())
    assert set(CRITERIA) >= set(dossier.retention.suggested.index)
