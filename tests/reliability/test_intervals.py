"""Bootstrap intervals, the greatest lower bound, test-retest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.reliability.greatest_lower_bound import largest_error_trace
from psm_analysis.reliability.resampling import bootstrap_covariances

LOADINGS = np.array([0.8, 0.7, 0.6, 0.5])
OMEGA = LOADINGS.sum() ** 2 / (LOADINGS.sum() ** 2 + (1 - LOADINGS**2).sum())


def one_factor(n: int, *, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 1)) * LOADINGS + rng.standard_normal((n, 4)) * np.sqrt(1 - LOADINGS**2)
    return pd.DataFrame(x, columns=list("abcd"))


def test_bootstrap_interval_of_alpha() -> None:
    data = one_factor(400, seed=1)
    found = psm.alpha(data, interval="bootstrap", seed=7, n_replicates=500)
    feldt = psm.alpha(data)
    assert found.alpha == feldt.alpha
    assert (found.ci_low, found.ci_high) == pytest.approx((feldt.ci_low, feldt.ci_high), abs=0.015)
    again = psm.alpha(data, interval="bootstrap", seed=7, n_replicates=500)
    assert (found.ci_low, found.ci_high) == (again.ci_low, again.ci_high)
    drawn = bootstrap_covariances(data.to_numpy(), 500, seed=7)
    by_hand = [4 / 3 * (1 - np.trace(C) / C.sum()) for C in drawn]
    assert found.ci_low == pytest.approx(np.quantile(by_hand, 0.025))
    with pytest.raises(psm.PsmAnalysisError, match="seed"):
        psm.alpha(data, interval="bootstrap")
    with pytest.raises(psm.PsmAnalysisError, match="100"):
        psm.alpha(data, interval="bootstrap", seed=1, n_replicates=5)


def test_interval_of_omega() -> None:
    data = one_factor(400, seed=2)
    found = psm.omega_interval(data, n_replicates=200, seed=1).set_index("term")
    assert found.loc["omega_total", "estimate"] == pytest.approx(psm.omega(data, 1).omega_total, rel=1e-6)
    assert found.loc["omega_total", "ci_low"] < OMEGA < found.loc["omega_total", "ci_high"]
    groups = pd.concat([one_factor(300, seed=k).add_prefix(f"g{k}") for k in (3, 4, 5)], axis=1)
    groups += np.random.default_rng(6).standard_normal((300, 1))
    several = psm.omega_interval(groups, 3, n_replicates=100, seed=1).set_index("term")
    reference = psm.omega(groups, 3)
    expected = [reference.omega_total, reference.omega_hierarchical, reference.explained_common_variance]
    assert several["estimate"].to_numpy() == pytest.approx(expected, rel=1e-5)
    assert (several["ci_low"] < several["estimate"]).all()
    with pytest.raises(psm.PsmAnalysisError, match="not identified"):
        psm.omega_interval(data, 2, seed=1)


def test_greatest_lower_bound_is_the_reliability_of_a_one_factor_population() -> None:
    C = np.outer(LOADINGS, LOADINGS)
    np.fill_diagonal(C, 1.0)
    errors = largest_error_trace(C)
    assert errors == pytest.approx(1 - LOADINGS**2, abs=1e-4)
    assert 1 - errors.sum() / C.sum() == pytest.approx(OMEGA, abs=1e-7)


def test_greatest_lower_bound_is_above_guttmans_bounds_and_feasible() -> None:
    data = one_factor(150, seed=3)
    found, bounds = psm.greatest_lower_bound(data), psm.guttman(data)
    assert max(bounds.tidy()["estimate"]) <= found < 1
    C = np.cov(data.to_numpy(), rowvar=False)
    psi = largest_error_trace(C)
    assert np.linalg.eigvalsh(C - np.diag(psi))[0] == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(psm.PsmAnalysisError, match="singular"):
        psm.greatest_lower_bound(data.assign(e=data["a"] + data["b"]))


def test_retest() -> None:
    rng = np.random.default_rng(1)
    true = rng.standard_normal(4000)
    frames = [pd.DataFrame({"psm": true + shift + 0.5 * rng.standard_normal(4000)}) for shift in (0.0, 0.2)]
    row = psm.retest(frames[0], frames[1].sample(frac=1, random_state=1)).scores.loc["psm"]
    assert row["estimate"] == pytest.approx(0.8, abs=0.02)
    assert row["icc_consistency"] == pytest.approx(0.8, abs=0.02)
    assert row["icc_agreement"] == pytest.approx(1 / (1.25 + 0.02), abs=0.02)
    assert row["mean_change"] == pytest.approx(0.2, abs=0.04)
    assert row["standard_error_of_measurement"] == pytest.approx(np.sqrt(0.25 + 0.02), abs=0.02)
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert psm.retest(*frames).glance().loc[0, "n"] == 4000


def test_retest_refuses_what_cannot_be_matched() -> None:
    frame = pd.DataFrame({"psm": [1.0, 2.0, 3.0, 5.0]})
    with pytest.raises(psm.PsmAnalysisError, match="share no column"):
        psm.retest(frame, frame.rename(columns={"psm": "ei"}))
    with pytest.raises(psm.PsmAnalysisError, match="occurs twice"):
        psm.retest(frame, frame.set_axis([0, 0, 1, 2]))
    with pytest.raises(psm.PsmAnalysisError, match="0 people"):
        psm.retest(frame, frame.set_axis([10, 11, 12, 13]))


@pytest.mark.slow
def test_intervals_cover() -> None:
    """95 % intervals of alpha, omega and HTMT hold the population value in 93 to 97 % of 1000 samples."""
    R = np.outer(LOADINGS, LOADINGS)
    np.fill_diagonal(R, 1.0)
    true_alpha = 4 / 3 * (1 - 4 / R.sum())
    hits = np.zeros(3)
    cross = 0.5 * np.outer(LOADINGS, LOADINGS)
    block = np.block([[R, cross], [cross, R]])
    root = np.linalg.cholesky(block)
    model = {"first": list("abcd"), "second": list("efgh")}
    true_htmt = cross.mean() / ((R.sum() - 4) / 12)
    for seed in range(1000):
        x = np.random.default_rng(seed).standard_normal((400, 8)) @ root.T
        data = pd.DataFrame(x, columns=list("abcdefgh"))
        alpha = psm.alpha(data[list("abcd")], interval="bootstrap", n_replicates=500, seed=seed)
        omega = psm.omega_interval(data[list("abcd")], n_replicates=300, seed=seed).iloc[0]
        htmt = psm.htmt_interval(model, data, n_replicates=500, seed=seed).iloc[0]
        hits += [
            alpha.ci_low < true_alpha < alpha.ci_high,
            omega["ci_low"] < OMEGA < omega["ci_high"],
            htmt["ci_low"] < true_htmt < htmt["ci_high"],
        ]
    assert (hits >= 930).all()
    assert (hits <= 970).all()
