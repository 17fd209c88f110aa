"""Alpha, its intervals, lower bounds, keying and plain coefficients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning


def scale(n: int, k: int, *, loading: float = 1.0, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = loading * rng.standard_normal((n, 1)) + rng.standard_normal((n, k))
    return pd.DataFrame(x, columns=[f"题{j + 1}" for j in range(k)])


def test_alpha_of_parallel_items_is_spearman_brown_of_their_correlation() -> None:
    result = psm.alpha(scale(200_000, 4))
    assert result.alpha == pytest.approx(psm.spearman_brown(0.5, 4), abs=0.004)
    assert result.alpha_standardized == pytest.approx(psm.spearman_brown(result.average_r, 4), abs=1e-12)


def test_reversing_the_reversed_item_restores_alpha_and_is_recorded() -> None:
    frame = scale(300, 4).clip(-3, 3)
    turned = frame.assign(题3=-frame["题3"])
    with pytest.warns(PsmAnalysisWarning, match="题3"):
        wrong = psm.alpha(turned)
    assert wrong.reversed == ()
    assert wrong.warnings
    right = psm.alpha(turned, ["题3"], response_range=(-3, 3))
    assert right.alpha == pytest.approx(psm.alpha(frame).alpha, abs=1e-12)
    assert right.items.loc["题3", "mean"] == pytest.approx(frame["题3"].mean())
    assert right.reversed == ("题3",)
    assert "题3" in right.summary()


@pytest.mark.parametrize("interval", ["feldt", "bonett"])
def test_intervals_cover(interval: str) -> None:
    truth = psm.spearman_brown(0.5, 5)
    hits = 0
    for seed in range(400):
        result = psm.alpha(scale(80, 5, seed=seed), interval=interval)
        hits += result.ci_low < truth < result.ci_high
    assert 0.925 <= hits / 400 <= 0.975


def test_ordinal_alpha_is_alpha_of_the_polychoric_matrix() -> None:
    frame = np.round(scale(400, 3) / 1.2).clip(-2, 2)
    R = psm.polychoric(frame, std_errors=False).correlations.to_numpy()
    result = psm.alpha(frame, correlation="polychoric")
    assert result.alpha == pytest.approx(1.5 * (1 - 3 / R.sum()))
    assert result.alpha > psm.alpha(frame).alpha


def test_guttman_order_and_alpha_as_the_mean_of_all_split_halves() -> None:
    frame = scale(150, 6, seed=3)
    bounds, halves = psm.guttman(frame), psm.split_half(frame)
    assert bounds.lambda3 == pytest.approx(psm.alpha(frame).alpha)
    assert bounds.lambda1 < bounds.lambda3 < bounds.lambda2 < bounds.lambda4
    assert halves.mean == pytest.approx(bounds.lambda3)
    assert halves.maximum == pytest.approx(bounds.lambda4)
    assert halves.n_splits == 10
    C = frame.cov().to_numpy()
    a, b = [0, 2, 4], [1, 3, 5]
    r = C[np.ix_(a, b)].sum() / np.sqrt(C[np.ix_(a, a)].sum() * C[np.ix_(b, b)].sum())
    assert halves.odd_even == pytest.approx(2 * r / (1 + r))


def test_random_splits_are_reproducible() -> None:
    frame = scale(60, 20)
    one, two = (psm.split_half(frame, n_splits=300, seed=5) for _ in range(2))
    assert one == two
    assert not one.exact
    assert one.n_splits == 300


def test_two_items_are_answered_with_a_warning() -> None:
    frame = scale(100, 2)
    with pytest.warns(PsmAnalysisWarning, match="two items"):
        result = psm.alpha(frame)
    assert result.alpha_standardized == pytest.approx(psm.spearman_brown(frame.corr().iloc[0, 1], 2))
    assert result.items["alpha_if_dropped"].isna().all()


@pytest.mark.parametrize(
    ("column", "message"),
    [([3, 3, 3, 3], "constant"), ([None] * 4, "no answers"), (["a", "b", "a", "b"], "not numeric")],
)
def test_bad_items_are_named(column: list, message: str) -> None:
    frame = pd.DataFrame({"好": [1, 2, 4, 3], "也好": [1, 3, 3, 2], "坏": column})
    for function in (psm.alpha, psm.guttman, psm.split_half, psm.item_analysis):
        with pytest.raises(DataError, match=message) as caught:
            function(frame)
        assert "'坏'" in caught.value.where


def test_other_bad_input() -> None:
    frame = scale(50, 3)
    with pytest.raises(DataError, match="at least 2"):
        psm.alpha(frame[["题1"]])
    with pytest.raises(DataError, match="not among the columns"):
        psm.alpha(frame, ["题9"])
    with pytest.raises(OptionError, match="outside the response scale"):
        psm.alpha(frame, ["题1"], response_range=(0, 1))
    with pytest.raises(OptionError, match="interval="):
        psm.alpha(frame, interval="exact")
    with pytest.raises(DataError, match="cancel"):
        psm.alpha(pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]}))
    with pytest.raises(DataError, match="singular"):
        psm.guttman(frame.assign(copy=frame["题1"]))


def test_collinear_items_leave_alpha_but_no_corrected_correlation() -> None:
    frame = scale(50, 3)
    with pytest.warns(PsmAnalysisWarning, match="combination"):
        result = psm.alpha(frame.assign(copy=frame["题1"]))
    assert np.isnan(result.lambda6)
    assert result.items["item_corrected_r"].isna().all()
    assert 0 < result.alpha < 1
    assert any("combination" in note for note in result.warnings)


def test_plain_coefficients() -> None:
    assert psm.standard_error_of_measurement(15, 0.91) == pytest.approx(4.5)
    assert psm.reliable_change(50, 40, sd=15, reliability=0.91) == pytest.approx(-10 / (np.sqrt(2) * 4.5))
    with pytest.raises(OptionError, match="between 0 and 1"):
        psm.standard_error_of_measurement(15, 1.2)
    with pytest.raises(OptionError, match="above 0"):
        psm.spearman_brown(0.5, 0)
