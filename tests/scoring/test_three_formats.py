"""One model for years: calibrated on wave 1, waves 2 and 3 scored from csv, parquet and sav, and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.scoring.encode import encode

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"
METHODS = ["mean", "pomp", "regression", "eap"]


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("waves")
    for name in ("wave2", "wave3"):
        frame = pd.read_csv(WAVES / f"{name}.csv")
        for kind in (".parquet", ".sav"):
            (folder / f"{name}{kind}").write_bytes(encode(frame, kind))
        (folder / f"{name}.csv").write_bytes((WAVES / f"{name}.csv").read_bytes())
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_waves_of_three_formats_have_identical_scores(waves: Path, tmp_path: Path, method: str) -> None:
    stored = str(tmp_path / "m.json")
    call = ["calibrate", str(WAVES / "wave1.csv"), "--instrument", "psm16", "--method", method, "--out", stored]
    assert main([*call, "--groups", "gender", "establishment"]) == 0
    for wave in ("wave2", "wave3"):
        found = []
        for kind in ("csv", "parquet", "sav"):
            out = tmp_path / f"{wave}.{kind}.csv"
            call = ["score", str(waves / f"{wave}.{kind}"), "--model", stored, "--id", "person_id", "--out", str(out)]
            assert main(call) == 0
            found.append(out.read_bytes())
        assert found[0] == found[1] == found[2]
        streamed = tmp_path / f"{wave}.parquet"
        call = ["score", str(waves / f"{wave}.csv"), "--model", stored, "--id", "person_id", "--out", str(streamed)]
        assert main(call) == 0
        expected = psm.load_scoring_model(stored).score(pd.read_csv(waves / f"{wave}.csv"), id="person_id")
        pd.testing.assert_frame_equal(pd.read_parquet(streamed), expected, check_dtype=False, check_exact=True)


def test_norms_of_the_wave_and_of_its_groups() -> None:
    wave = psm.read_survey(WAVES / "wave1.csv", instruments="psm16")
    model = psm.calibrate(wave, "psm16", groups=["gender"])
    reference = psm.score_scales(wave.data, "psm16")["psm"]
    norms = next(scale for scale in model.scales if scale.id == "psm").norms
    assert [(entry.variable, entry.group) for entry in norms] == [("", ""), ("gender", "1"), ("gender", "2")]
    for entry in norms:
        mine = reference if not entry.group else reference[wave.data["gender"] == int(entry.group)]
        assert (entry.n, entry.mean) == (mine.count(), pytest.approx(mine.mean()))
        np.testing.assert_allclose(entry.quantiles, np.nanpercentile(mine, range(1, 100)))
    low, middle, high = (reference.quantile(q) for q in (0.005, 0.5, 0.995))
    rows = wave.data.iloc[[int((reference - value).abs().argmin()) for value in (low, middle, high)]]
    scored = model.score(rows)
    assert scored["psm_stanine"].tolist() == [1.0, 5.0, 9.0]
    np.testing.assert_allclose(scored["psm_t"], 50 + 10 * (reference.loc[rows.index] - norms[0].mean) / norms[0].sd)
    assert scored["psm_percentile"].is_monotonic_increasing


def test_one_respondent_of_each_kind_by_hand() -> None:
    """OLBI: codes 1-4, items 2, 3, 4, 6, 8, 9, 11, 12 turned round as 5 - x; half of a scale must be answered."""
    wave = psm.read_survey(WAVES / "wave1.csv", instruments="olbi")
    rows = pd.DataFrame(
        [[1, 4, 4, 4, 2, 3, 1, 4, 3, 2, 4, 4, 3, 1, 2, 2]] * 3, columns=[f"olbi{j}" for j in range(1, 17)]
    )
    rows = rows.astype(float)
    rows.loc[1, "olbi2"] = np.nan
    rows.loc[2] = np.nan
    turned = [1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 3, 1, 2, 2]
    exhaustion = [turned[j - 1] for j in (2, 4, 5, 8, 10, 12, 14, 16)]
    assert exhaustion == [1, 1, 2, 1, 2, 1, 1, 2]
    by_hand = {
        "mean": (11 / 8, 10 / 7),
        "sum": (11.0, np.nan),
        "prorated": (11.0, 80 / 7),
        "pomp": (100 * 3 / 24, 100 * 3 / 21),
    }
    for method, (complete, one_missing) in by_hand.items():
        scores = psm.calibrate(wave, "olbi", method=method).score(rows)
        np.testing.assert_allclose(scores["exhaustion"], [complete, one_missing, np.nan], rtol=1e-15)
        assert scores["exhaustion_n"].tolist() == [8, 7, 0]
        assert scores["flags"].iloc[2] == "all_missing"
        assert scores["exhaustion_se"].notna().tolist() == [True, False, False]
