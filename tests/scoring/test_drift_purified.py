"""Drift with anchors: neighbours stay where they are; reliability and careless answering are compared too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

ITEMS = [f"psm{j}" for j in range(1, 17)]


def answers(n: int = 4000, *, seed: int, noise: float = 0.7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    factors = np.repeat(rng.normal(size=(n, 1)) * 0.5 + rng.normal(size=(n, 4)) * 0.8, 4, axis=1)
    values = np.clip(np.rint(3 + factors + noise * rng.normal(size=(n, 16))), 1, 5)
    return pd.DataFrame(values, columns=ITEMS)


def wave(frame: pd.DataFrame) -> psm.SurveyWave:
    return psm.wave_from_frame(frame, instruments="psm16")


@pytest.fixture(scope="module")
def model() -> psm.ScoringModel:
    return psm.calibrate(wave(answers(seed=1)), "psm16")


def test_neighbours_of_a_drifting_item_are_not_pulled_along(model) -> None:
    moved = answers(seed=2)
    moved["psm7"] = np.minimum(moved["psm7"] + 1, 5)
    report = psm.drift(model, wave(moved))
    assert report.drifting == ("psm7",)
    rows = report.tidy().set_index("item")
    assert rows.index[~rows["anchor"]].tolist() == ["psm7"]
    same = psm.drift(model, wave(answers(seed=2))).tidy().set_index("item")
    others = ["psm5", "psm6", "psm8"]
    assert rows.loc[others, "shift"].abs().max() < 0.06
    assert same.loc["psm7", "anchor"]
    assert rows.loc["psm7", "shift"] > 0.5


def test_two_anchors_remain_in_a_scale(model) -> None:
    moved = answers(seed=3)
    moved["psm1"] = np.minimum(moved["psm1"] + 1, 5)
    moved["psm2"] = np.maximum(moved["psm2"] - 1, 1)
    moved["psm3"] = np.minimum(moved["psm3"] + 2, 5)
    anchors = psm.drift(model, wave(moved)).tidy().set_index("item")["anchor"]
    assert anchors[["psm1", "psm2", "psm3", "psm4"]].sum() == 2


def test_reliability_of_the_wave_against_the_reference(model) -> None:
    new = answers(seed=4, noise=1.4)
    report = psm.drift(model, wave(new))
    scales = report.scales.set_index("scale")
    reference = answers(seed=1)
    assert scales.loc["aps", "alpha"] == pytest.approx(psm.alpha(new[ITEMS[:4]]).alpha, abs=1e-12)
    assert scales.loc["aps", "alpha_reference"] == pytest.approx(psm.alpha(reference[ITEMS[:4]]).alpha, abs=1e-12)
    assert set(scales["verdict"]) == {"less reliable than before"}
    assert "aps: less reliable than before" in report.breaches
    assert "less reliable" in report.summary()


def test_careless_rows_are_a_breach(model) -> None:
    new = answers(1000, seed=5)
    assert psm.drift(model, wave(new)).breaches == ()
    new.iloc[:300] = 1.0
    report = psm.drift(model, wave(new))
    flags = psm.screen(wave(new)).n_flags
    assert report.careless == (flags >= 2).mean()
    assert report.careless > 0.25
    assert any("careless" in text for text in report.breaches)
