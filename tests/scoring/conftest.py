"""A frozen scoring model that the tests of files and runs share."""

from __future__ import annotations

from pathlib import Path

import pytest

import psm_analysis as psm

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wave = psm.read_survey(WAVES / "wave1.csv", instruments="org_support")
    return psm.calibrate(wave, "org_support").save(tmp_path_factory.mktemp("m") / "m.json")
