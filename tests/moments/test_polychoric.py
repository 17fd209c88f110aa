"""Polychoric correlations: known values, standard errors by simulation, zero cells, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

import psm_analysis as psm
from psm_analysis.errors import DataError, PsmAnalysisWarning
from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf
from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.polychoric import ordinal_moments


def draw(n: int, rho: float, *, cuts: tuple[float, ...], p: int = 3, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    z = np.sqrt(rho) * rng.standard_normal((n, 1)) + np.sqrt(1 - rho) * rng.standard_normal((n, p))
    return np.searchsorted(cuts, z)


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.5, 0.999])
def test_bivariate_normal_cdf_agrees_with_integration(rho: float) -> None:
    points = [(0.0, 0.0), (1.0, -0.5), (-2.0, -1.5), (0.0, 1.3), (2.5, 0.0), (3.0, 3.0), (-0.7, 0.7)]
    reference = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    got = bivariate_normal_cdf(*(np.array(x) for x in zip(*points, strict=True)), rho=np.full(len(points), rho))
    np.testing.assert_allclose(got, [reference.cdf(x) for x in points], atol=1e-6)


def test_median_splits_have_the_sine_solution() -> None:
    """With both thresholds 0, P(both high) = 1/4 + asin(rho) / (2 pi)."""
    for high in (20, 35, 45):
        codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [high, 50 - high, 50 - high, high], axis=0)
        moments = ordinal_moments(codes, np.array([2, 2]))
        assert moments.correlations[0, 1] == pytest.approx(np.sin(2 * np.pi * (high / 100 - 0.25)), abs=1e-9)
        np.testing.assert_allclose(moments.thresholds, 0.0, atol=1e-12)


def test_thresholds_are_normal_quantiles_of_each_items_own_answers() -> None:
    frame = pd.DataFrame({"a": [1, 1, 2, 3, None], "b": [1, 2, 2, 1, 1]})
    thresholds = psm.polychoric(frame, std_errors=False).thresholds
    np.testing.assert_allclose(thresholds.loc["a"], [0.0, 0.6744897502], atol=1e-9)
    assert np.isnan(thresholds.loc["b", "t2"])


def test_standard_errors_match_the_spread_over_samples() -> None:
    cuts, estimates, std_errors = (-1.0, 0.0, 0.8), [], []
    for seed in range(300):
        moments = ordinal_moments(draw(300, 0.5, cuts=cuts, seed=seed), np.array([4, 4, 4]))
        estimates.append(moments.estimates)
        std_errors.append(np.sqrt(np.diagonal(moments.gamma) / moments.n_rows))
    spread = np.std(estimates, axis=0, ddof=1)
    np.testing.assert_allclose(np.mean(std_errors, axis=0), spread, rtol=0.12)
    centre = np.mean(estimates, axis=0)
    np.testing.assert_allclose(centre, [*cuts * 3, 0.5, 0.5, 0.5], atol=0.02)


def test_influence_functions_sum_to_zero_and_cover_mixed_numbers_of_categories() -> None:
    codes = draw(400, 0.4, cuts=(-0.5, 0.5), p=4)
    codes[:, 1] = np.minimum(codes[:, 1], 1)
    codes[::7, 2] = -1
    moments = ordinal_moments(codes, np.array([3, 2, 3, 3]))
    assert moments.influence is not None
    assert moments.influence.shape == (400, 7 + 6)
    np.testing.assert_allclose(moments.influence.mean(axis=0), 0.0, atol=1e-8)
    assert moments.threshold_item.tolist() == [0, 0, 1, 2, 2, 3, 3]
    row, column = pair_indices(4)
    assert list(zip(row.tolist(), column.tolist(), strict=True)) == [(1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (3, 2)]


def test_padding_by_other_items_changes_nothing() -> None:
    codes = draw(300, 0.5, cuts=(0.2,), p=2)
    alone = ordinal_moments(codes, np.array([2, 2]))
    wide = np.column_stack([codes, draw(300, 0.5, cuts=(-1.0, -0.2, 0.4, 1.2), p=1, seed=9)])
    padded = ordinal_moments(wide, np.array([2, 2, 5]))
    assert padded.correlations[0, 1] == pytest.approx(alone.correlations[0, 1], abs=1e-10)
    np.testing.assert_allclose(padded.gamma[:2, :2], alone.gamma[:2, :2], rtol=1e-8)
    assert padded.gamma[6, 6] == pytest.approx(alone.gamma[2, 2], rel=1e-8)


def test_empty_cell_of_a_two_by_two_table_gets_a_half_and_keeps_margins() -> None:
    codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 0, 20, 40], axis=0)
    filled = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [79, 1, 41, 79], axis=0)
    by_hand = ordinal_moments(filled, np.array([2, 2])).correlations[0, 1]
    assert ordinal_moments(codes, np.array([2, 2])).correlations[0, 1] == pytest.approx(by_hand, abs=1e-9)
    frame = pd.DataFrame({"a": [0, 0, 1, 1, 2, 2], "b": [0, 0, 1, 1, 2, 2]})
    with pytest.warns(PsmAnalysisWarning, match="at its bound"):
        assert psm.polychoric(frame).correlations.loc["a", "b"] == pytest.approx(0.9999)


def test_result_shows_standard_errors_and_intervals_inside_minus_one_and_one() -> None:
    frame = pd.DataFrame(draw(200, 0.8, cuts=(-0.5, 0.5)), columns=["奉献", "同情", "参与"])
    result = psm.polychoric(frame)
    tidy = result.tidy()
    assert tidy["op"].value_counts().to_dict() == {"|": 6, "~~": 3}
    assert result.acov is not None
    assert list(result.acov.columns[-3:]) == ["同情~~奉献", "参与~~奉献", "参与~~同情"]
    rho = tidy[tidy["op"] == "~~"]
    assert ((rho["ci_low"] < rho["estimate"]) & (rho["estimate"] < rho["ci_high"]) & (rho["ci_high"] < 1)).all()
    assert "同情" in result.summary()


def test_smoothing_happens_only_on_request() -> None:
    same, opposite = [[0, 0]] * 9 + [[1, 1]] * 9 + [[0, 1], [1, 0]], [[0, 1]] * 9 + [[1, 0]] * 9 + [[0, 0], [1, 1]]
    parts = [pd.DataFrame(rows, columns=pair) for rows, pair in ((same, ["a", "b"]), (same, ["b", "c"]))]
    frame = pd.concat([*parts, pd.DataFrame(opposite, columns=["a", "c"])], ignore_index=True)
    with pytest.warns(PsmAnalysisWarning, match="not positive definite"):
        raw = psm.polychoric(frame, std_errors=False)
    assert np.linalg.eigvalsh(raw.correlations)[0] < 0
    with pytest.warns(PsmAnalysisWarning, match="was smoothed"):
        smooth = psm.polychoric(frame, std_errors=False, smooth=True)
    assert np.linalg.eigvalsh(smooth.correlations)[0] > 0
    assert smooth.smoothed
    assert not raw.smoothed


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, 2.5, 1.0, 2.0], "non-integer value 2.5"),
        ([3, 3, 3, 3], "single category"),
        ([None] * 4, "no answers at all"),
        (["often", "never", "often", "never"], "holds 'often'"),
    ],
)
def test_bad_items_are_named(column: list, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        psm.polychoric(pd.DataFrame({"好": [1, 2, 1, 2], "坏": column}))
    assert "坏" in caught.value.where


def test_too_many_categories_and_non_binary_tetrachorics() -> None:
    with pytest.raises(DataError, match="25 categories"):
        psm.polychoric(pd.DataFrame({"a": range(25), "b": [0, 1] * 12 + [0]}))
    with pytest.raises(DataError, match="more than two categories"):
        psm.tetrachoric(pd.DataFrame({"a": [0, 1, 2, 1], "b": [0, 1, 1, 0]}))
    with pytest.raises(DataError, match="A category is empty"):
        ordinal_moments(np.array([[0, 0], [2, 1]]), np.array([3, 2]))


def test_items_never_asked_together_are_named() -> None:
    frame = pd.DataFrame({"a": [1, 2, 1, 2, None, None], "b": [None, None, None, None, 1, 2]})
    with pytest.raises(DataError, match="0 case") as caught:
        psm.polychoric(frame)
    assert "'a'" in caught.value.where
    assert "'b'" in caught.value.where


@pytest.mark.parametrize("weighted", [False, True])
def test_the_asymptotic_covariance_is_made_from_the_influences(weighted: bool) -> None:
    rng = np.random.default_rng(12)
    frame = pd.DataFrame(np.digitize(rng.normal(size=(300, 3)), [-0.5, 0.5]), columns=["a", "b", "c"], dtype=float)
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    result = psm.polychoric(frame, weights=rng.uniform(0.5, 2.0, 300) if weighted else None)
    assert result.acov is not None
    assert result.influence is not None
    np.testing.assert_allclose(result.acov, result.influence.T @ result.influence / 300**2)
    np.testing.assert_allclose(result.tidy()["std_error"], np.sqrt(np.diagonal(result.acov)))
    assert list(result.acov.index[:2]) == ["a|t1", "a|t2"]
    bare = psm.polychoric(frame, std_errors=False)
    assert bare.acov is None
    assert bare.std_errors is None
