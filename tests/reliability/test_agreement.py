"""Intraclass correlations, agreement within units, item analysis and discriminant validity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, ModelError, PsmAnalysisWarning

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_shrout_and_fleiss_example() -> None:
    """Table 4 and the worked intervals of Shrout & Fleiss (1979)."""
    table = psm.icc(pd.DataFrame(SHROUT_FLEISS)).set_index("type")
    assert table["icc"].round(2).tolist() == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    assert table.loc["ICC1", ["ci_low", "ci_high"]].round(2).tolist() == [-0.13, 0.72]
    assert table.loc["ICC2", ["ci_low", "ci_high"]].round(2).tolist() == [0.02, 0.76]
    assert table.loc["ICC3", ["ci_low", "ci_high"]].round(2).tolist() == [0.34, 0.95]
    assert table.loc["ICC3k", "icc"] == pytest.approx(psm.alpha(pd.DataFrame(SHROUT_FLEISS)).alpha)


def test_icc_uses_complete_rows_and_refuses_degenerate_ratings() -> None:
    frame = pd.DataFrame(SHROUT_FLEISS, dtype=float)
    extended = pd.concat([frame, pd.DataFrame([[np.nan, 1, 2, 3]])])
    pd.testing.assert_frame_equal(psm.icc(extended), psm.icc(frame))
    with pytest.raises(DataError, match="F ratio is undefined"):
        psm.icc(pd.DataFrame({"a": [1, 2, 3], "b": [2, 3, 4]}))
    with pytest.raises(DataError, match="without a missing rating"):
        psm.icc(pd.DataFrame({"a": [1, np.nan], "b": [np.nan, 4]}))


def test_unit_agreement_by_hand() -> None:
    frame = pd.DataFrame({"a": [3, 3, 3, 1, 5, 3], "b": [4, 4, 4, 1, 5, 3]})
    result = psm.unit_agreement(frame, ["甲", "甲", "甲", "乙", "乙", "丙"], n_categories=5)
    assert result.units.loc["甲", "rwg"] == 1.0
    assert result.units.loc["乙", "rwg"] == 0.0  # variance 8 exceeds the 2 of equally likely answers
    assert np.isnan(result.units.loc["丙", "rwg"])
    assert (result.n, result.n_units, result.rwg_mean) == (6, 3, 0.5)


def test_icc1_recovers_the_share_of_variance_between_units() -> None:
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(400), rng.integers(3, 12, 400))
    effect = rng.standard_normal(400)[units] * 0.5
    frame = pd.DataFrame({"a": effect + rng.standard_normal(len(units)) * np.sqrt(0.75)})
    result = psm.unit_agreement(frame, units, n_categories=5)
    assert result.icc1 == pytest.approx(0.25, abs=0.04)
    assert result.p_value < 1e-10
    with pytest.raises(DataError, match="unit labels"):
        psm.unit_agreement(frame, units[:5], n_categories=5)
    with pytest.raises(DataError, match="agreement is undefined"):
        psm.unit_agreement(frame.iloc[:4], [1, 2, 3, 4], n_categories=5)


@pytest.fixture
def two_factors() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    f = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 4000)
    x = np.repeat(f, 3, axis=1) * 0.8 + 0.6 * rng.standard_normal((4000, 6))
    return pd.DataFrame(x, columns=["a1", "a2", "a3", "b1", "b2", "b3"])


MODEL = "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3"


def test_htmt_recovers_the_factor_correlation(two_factors: pd.DataFrame) -> None:
    mapping = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}
    arithmetic = psm.htmt(MODEL, two_factors)
    assert arithmetic.loc["a", "b"] == pytest.approx(0.6, abs=0.03)
    pd.testing.assert_frame_equal(arithmetic, psm.htmt(mapping, two_factors))
    R = two_factors.corr().to_numpy()
    within = [R[np.triu_indices(3, 1)].mean(), R[3:, 3:][np.triu_indices(3, 1)].mean()]
    assert arithmetic.loc["a", "b"] == pytest.approx(R[:3, 3:].mean() / np.sqrt(np.prod(within)), abs=1e-12)


def test_htmt_interval_covers_the_truth_and_repeats_with_its_seed(two_factors: pd.DataFrame) -> None:
    one, two = (psm.htmt_interval(MODEL, two_factors, n_replicates=300, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    row = one.iloc[0]
    assert row["ci_low"] < 0.6 < row["ci_high"]
    assert row["ci_high"] - row["ci_low"] < 0.08


def test_htmt_errors(two_factors: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match="at least 2"):
        psm.htmt("a =~ a1 + a2", two_factors)
    with pytest.raises(ModelError, match="'b' has 1 item"):
        psm.htmt("a =~ a1 + a2\nb =~ b1", two_factors)
    with pytest.raises(DataError, match="'zz'"):
        psm.htmt("a =~ a1 + a2\nb =~ b1 + zz", two_factors)


def test_item_analysis_by_subscale(two_factors: pd.DataFrame) -> None:
    frame = np.round(two_factors + 3).clip(1, 5)
    frame["b3"] = 6 - frame["b3"]
    subscales = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}
    with pytest.warns(PsmAnalysisWarning, match="b3"):
        psm.item_analysis(frame, subscales=subscales, response_range=(1, 5))
    result = psm.item_analysis(frame, ["b3"], subscales=subscales, response_range=(1, 5))
    assert result.subscales.loc["a", "alpha"] == pytest.approx(psm.alpha(frame[subscales["a"]]).alpha)
    assert result.items["reversed"].tolist() == [False] * 5 + [True]
    assert result.items.loc["a1", "floor"] == pytest.approx((frame["a1"] == 1).mean())
    np.testing.assert_allclose(result.frequencies.sum(axis=1), 1.0)
    assert result.items["discrimination"].between(0.2, 0.7).all()
    with pytest.raises(DataError, match="subscale"):
        psm.item_analysis(frame, subscales={"a": ["a1"]})


def test_redundant_items_are_reported_once(two_factors: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    frame = two_factors.assign(copy=two_factors["a1"] + 0.1 * rng.standard_normal(len(two_factors)))
    with pytest.warns(PsmAnalysisWarning, match="redundant") as caught:
        result = psm.item_analysis(frame)
    assert len(caught) == 1
    assert result.items.loc["copy", "redundant_with"] == "a1"
