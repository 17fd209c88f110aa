"""Indices of careless answering against hand-worked values and direct formulas; flags that drop nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError
from psm_analysis.survey import screen_indices as index
from psm_analysis.survey.codebook_toml import codebook_from_table
from psm_analysis.survey.wave import SurveyWave

WLEIS = [f"wleis{i}" for i in range(1, 17)]
PSM = [f"psm{i}" for i in range(1, 17)]


@pytest.fixture
def wave() -> SurveyWave:
    """Two hundred careful people, one who ticks 3 throughout (row 0), one at random (row 1), and one twice (2, 3)."""
    rng = np.random.default_rng(11)
    factors = rng.normal(size=(200, 8)).repeat(4, axis=1)
    raw = 1.6 * factors + 0.5 * rng.normal(size=(200, 32))
    codes = np.column_stack([np.clip(np.round(3 + raw[:, :16]), 1, 5), np.clip(np.round(4 + raw[:, 16:]), 1, 7)])
    codes[0] = 3
    codes[1] = np.where((np.arange(32) + np.arange(32) // 4) % 2, 5, 1)
    codes[3] = codes[2]
    frame = pd.DataFrame(codes, columns=[*PSM, *WLEIS])
    frame["seconds"] = 200.0
    frame.loc[[0, 1], "seconds"] = [40.0, np.nan]
    frame["check"] = 2.0
    frame.loc[1, "check"] = 4.0
    table = {
        "name": "screening",
        "instruments": ["psm16", "wleis16"],
        "variables": {"seconds": {"role": "response_time"}, "check": {"role": "attention", "correct": [2]}},
    }
    return psm.wave_from_frame(frame, codebook=codebook_from_table(table, source="test", folder=Path()))


def test_every_check_flags_what_it_is_for(wave: SurveyWave) -> None:
    report = psm.screen(wave)
    flags = report.flags
    assert flags.columns.tolist() == [
        "long_string",
        "variability",
        "even_odd",
        "synonyms",
        "mahalanobis",
        "seconds_per_item",
        "duplicate",
        "attention",
    ]
    assert flags.loc[0, "long_string"]
    assert flags.loc[0, "seconds_per_item"]
    assert flags.loc[1, ["even_odd", "synonyms", "mahalanobis", "attention"]].all()
    assert np.flatnonzero(flags["duplicate"]).tolist() == [2, 3]
    assert report.indices.loc[0, "seconds_per_item"] == 40 / 32
    assert not flags.loc[1, "seconds_per_item"]
    assert "antonyms" in report.skipped


def test_no_row_is_dropped_and_the_mask_is_for_the_reader(wave: SurveyWave) -> None:
    report = psm.screen(wave)
    assert len(report.indices) == len(wave)
    keep = report.keep(max_flags=1)
    assert keep.dtype == bool
    assert not keep[1]
    assert (keep == (report.flags.sum(axis=1) <= 1)).all()
    assert report.flagged(at_least=4).index.tolist() == [1]
    assert report.flagged()["record"].iloc[0] == 2


def test_the_table_states_thresholds_and_sources(wave: SurveyWave) -> None:
    table = psm.screen(wave).tidy().set_index("check")
    assert table.loc["seconds_per_item", "threshold"] == 2
    assert "Huang" in table.loc["seconds_per_item", "source"]
    assert table.loc["long_string", "threshold"] == 8
    assert "Curran" in table.loc["long_string", "source"]
    assert table.loc["antonyms", "note"]
    assert "not computed" in psm.screen(wave).summary()


def test_answers_outside_the_scale_are_left_out_with_a_warning(wave: SurveyWave) -> None:
    frame = wave.data.drop(columns=["seconds", "check"])
    frame.loc[[4, 5], "psm1"] = [99, -1e300]
    report = psm.screen(psm.wave_from_frame(frame, instruments=["psm16", "wleis16"]))
    assert report.warnings == ("2 answers outside the scale were left out; validate the file first.",)
    assert not report.flags.loc[[4, 5], "mahalanobis"].any()


def test_thresholds_are_the_readers_choice(wave: SurveyWave) -> None:
    assert psm.screen(wave, thresholds={"seconds_per_item": 100}).flags["seconds_per_item"].sum() == 199
    with pytest.raises(OptionError, match="long_string"):
        psm.screen(wave, thresholds={"longstring": 3})


def test_a_wave_without_items_cannot_be_screened() -> None:
    with pytest.raises(DataError, match="no items"):
        psm.screen(psm.wave_from_frame(pd.DataFrame({"a": [1]})))


def test_long_string_passes_over_missing_answers() -> None:
    rows = np.array([[3, 3, np.nan, 3, 2], [1, 2, 3, 4, 5], [np.nan] * 5, [np.nan, 4, 4, 1, 1]])
    assert index.long_string(rows).tolist() == [3, 1, 0, 2]


def test_variability_is_the_standard_deviation_of_the_row() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(1, 6, (20, 9)).astype(float)
    np.testing.assert_allclose(index.response_variability(rows), rows.std(axis=1, ddof=1))
    rows[3, :8] = np.nan
    assert np.isnan(index.response_variability(rows)[3])


def test_row_correlation_is_pearsons() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 15, 7))
    expected = [stats.pearsonr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(index.row_correlation(a, b), expected, atol=1e-12)
    b[0] = 1
    assert np.isnan(index.row_correlation(a, b)[0])


def test_even_odd_by_hand() -> None:
    rows = np.array([[1, 2, 3, 4, 5, 3.0], [2, 2, 4, 4, 1, 1]])
    scales = [(0, 1), (2, 3), (4, 5)]
    r = stats.pearsonr([1, 3, 5], [2, 4, 3]).statistic
    np.testing.assert_allclose(index.even_odd(rows, scales), [2 * r / (1 + r), 1.0])


def test_pairwise_moments_agree_with_pandas() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(80, 5))
    values[rng.random(values.shape) < 0.2] = np.nan
    mean, covariance = index.pairwise_moments(values)
    frame = pd.DataFrame(values)
    np.testing.assert_allclose(mean, frame.mean())
    n = frame.notna().astype(float).T @ frame.notna().astype(float)
    np.testing.assert_allclose(covariance, frame.cov() * (n - 1) / n)


def test_extreme_pairs_are_synonyms_or_antonyms() -> None:
    r = np.array([[1, 0.7, -0.65], [0.7, 1, 0.1], [-0.65, 0.1, 1]])
    assert index.extreme_pairs(r, threshold=0.6) == [(0, 1)]
    assert index.extreme_pairs(r, threshold=0.6, negative=True) == [(0, 2)]


def test_mahalanobis_uses_the_answered_columns_only() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6))
    center, covariance = values.mean(axis=0), np.cov(values.T)
    holes = values.copy()
    holes[rng.random(values.shape) < 0.3] = np.nan
    d2, df = index.mahalanobis(holes, center=center, covariance=covariance)
    for row, distance, count in zip(holes, d2, df, strict=True):
        seen = np.isfinite(row)
        d = (row - center)[seen]
        assert count == seen.sum()
        expected = d @ np.linalg.solve(covariance[np.ix_(seen, seen)], d) if seen.any() else 0.0
        assert distance == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_repeated_rows_match_pandas() -> None:
    rng = np.random.default_rng(8)
    rows = rng.integers(1, 3, (300, 7)).astype(float)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    varied = np.array([len(set(row[np.isfinite(row)])) > 1 for row in rows])
    expected = pd.DataFrame(rows).duplicated(keep=False).to_numpy() & varied
    assert index.repeated_rows(rows).tolist() == expected.tolist()


def test_progress_names_every_check(wave: SurveyWave) -> None:
    names: list[str] = []
    psm.screen(wave, progress=names.append)
    assert names[0] == "long_string"
    assert len(names) == 9
