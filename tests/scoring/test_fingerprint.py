"""A model is refused where its instrument is defined otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import psm_analysis as psm
from psm_analysis.errors import FileError

WAVE = Path(__file__).resolve().parents[2] / "data" / "synthetic" / "wave1.csv"


@pytest.fixture(scope="module")
def model() -> psm.ScoringModel:
    return psm.calibrate(psm.read_survey(WAVE, instruments="turnover3"), "turnover3")


def test_another_definition_is_refused_with_the_reason(model, tmp_path: Path) -> None:
    path = model.save(tmp_path / "m.json")
    known = psm.get_instrument("turnover3")
    items = (replace(known.items[0], reverse=True), *known.items[1:])
    with pytest.raises(FileError, match=r"keys, codes or rules of 'turnover3' .* differ"):
        psm.load_scoring_model(path, instrument=replace(known, items=items))
    with pytest.raises(FileError, match="scores 'turnover3', not 'olbi'"):
        psm.load_scoring_model(path, instrument="olbi")
    assert psm.load_scoring_model(path, instrument=known) == model


def test_the_installed_definition_is_compared_unless_another_is_given(model, tmp_path: Path) -> None:
    older = replace(model, version="0", instrument_hash="0" * 64)
    with pytest.raises(FileError, match="0 in the model"):
        psm.load_scoring_model(older.save(tmp_path / "older.json"))


def test_an_instrument_that_is_not_shipped_is_not_compared(model, tmp_path: Path) -> None:
    own = replace(model, instrument="own")
    assert psm.load_scoring_model(own.save(tmp_path / "own.json")) == own
