"""Drift on the synthetic survey, whose drifting item is known."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.cli import main

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"


def read(name: str):
    return psm.read_survey(WAVES / f"{name}.csv", instruments="psm16")


@pytest.mark.parametrize("method", ["mean", "regression"])
def test_the_drifting_item_is_found_and_no_other(method: str) -> None:
    model = psm.calibrate(read("wave1"), "psm16", method=method)
    planted = json.loads((WAVES / "population.json").read_text("utf-8"))["drift"]
    assert psm.drift(model, read("wave1")).drifting == ()
    assert psm.drift(model, read("wave2")).drifting == ()
    assert psm.drift(model, read(f"wave{planted['wave']}")).drifting == (planted["item"],)


def test_the_reference_itself_has_no_distance() -> None:
    items = psm.drift(psm.calibrate(read("wave1"), "psm16"), read("wave1")).tidy()
    assert items[["psi", "jensen_shannon", "shift"]].abs().max().max() < 1e-10


def test_the_command_ends_with_3_only_when_asked(tmp_path: Path) -> None:
    stored = str(tmp_path / "model.json")
    assert main(["calibrate", str(WAVES / "wave1.csv"), "--instrument", "psm16", "--out", stored]) == 0
    call = ["--model", stored, "--fail-on-drift"]
    assert main(["drift", str(WAVES / "wave2.csv"), *call]) == 0
    assert main(["drift", str(WAVES / "wave3.csv"), *call]) == 3
    assert main(["drift", str(WAVES / "wave3.csv"), *call[:2]]) == 0


def test_an_item_that_was_not_asked_needs_an_empty_column(tmp_path: Path) -> None:
    model, file = psm.calibrate(read("wave1"), "psm16"), tmp_path / "wave.csv"
    frame = pd.read_csv(WAVES / "wave2.csv").drop(columns="psm5")
    frame.to_csv(file, index=False)
    with pytest.raises(psm.PsmAnalysisError, match="'psm5' is missing") as refusal:
        psm.drift(model, psm.read_survey(file, instruments="psm16"))
    assert "add an empty column" in refusal.value.remedy
    assert "bad_values" not in refusal.value.remedy
    frame.assign(psm5="").to_csv(file, index=False)
    assert psm.drift(model, psm.read_survey(file, instruments="psm16")).drifting == ("psm5",)
