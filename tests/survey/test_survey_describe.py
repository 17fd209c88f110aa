"""Patterns of missing answers, coverage, and frequencies with labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError


@pytest.fixture
def frame() -> pd.DataFrame:
    nan = np.nan
    return pd.DataFrame({"psm1": [5, 4, nan, 4, nan], "psm2": [1, 2, 3, nan, nan], "psm3": [1, 1, 1, 1, 7]})


def test_patterns_are_counted_and_named(frame: pd.DataFrame) -> None:
    result = psm.missing_patterns(frame)
    assert result.patterns[["pattern", "n", "missing"]].to_numpy().tolist() == [
        ["xxx", 2, 0],
        [".xx", 1, 1],
        ["x.x", 1, 1],
        ["..x", 1, 2],
    ]
    assert result.patterns["columns"].tolist() == ["", "psm1", "psm2", "psm1, psm2"]
    assert result.patterns["share"].sum() == pytest.approx(1)
    assert result.coverage.loc["psm1", "psm2"] == pytest.approx(0.4)
    assert result.columns["missing"].tolist() == [2, 2, 0]
    assert result.glance()[["rows", "complete", "patterns", "lowest_coverage"]].to_numpy().tolist() == [[5, 2, 4, 0.4]]


def test_a_wave_gives_its_items(frame: pd.DataFrame) -> None:
    wave = psm.wave_from_frame(frame.assign(other=np.nan), instruments="psm16")
    assert psm.missing_patterns(wave).coverage.columns.tolist() == ["psm1", "psm2", "psm3"]
    with pytest.raises(DataError, match="no cells"):
        psm.missing_patterns(pd.DataFrame())


def test_frequencies_count_every_option_and_the_missing(frame: pd.DataFrame) -> None:
    wave = psm.wave_from_frame(frame, instruments="psm16")
    table = psm.describe_wave(wave, lang="zh").frequencies.set_index(["item", "code"])
    assert table.loc[("psm1", 4.0), "n"] == 2
    assert table.loc[("psm1", 4.0), "valid_share"] == pytest.approx(2 / 3)
    assert table.loc[("psm1", 4.0), "option"] == "同意"
    assert table.loc[("psm1", 1.0), "n"] == 0
    assert table.loc[("psm3", 7.0), "option"] == ""
    rows = psm.describe_wave(wave).frequencies
    assert rows.loc[rows["code"].isna(), "n"].tolist() == [2, 2, 0]
    assert rows.loc[rows["code"].isna(), "option"].unique().tolist() == ["missing"]
    assert (rows.groupby("item")["n"].sum() == 5).all()


def test_items_are_described_as_answered(frame: pd.DataFrame) -> None:
    result = psm.describe_wave(psm.wave_from_frame(frame, instruments="psm16"), instrument="psm16")
    assert result.items.set_index("item").loc["psm2", ["n", "missing", "mean", "sd"]].tolist() == [3, 2, 2.0, 1.0]
    assert result.glance()["missing_share"].item() == pytest.approx(4 / 15)
    with pytest.raises(OptionError, match="en, zh"):
        psm.describe_wave(psm.wave_from_frame(frame, instruments="psm16"), lang="de")  # type: ignore[arg-type]
