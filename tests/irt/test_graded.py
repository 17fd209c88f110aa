"""Graded response model: recovery, EM, the two-category case against direct maximisation, scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit

import psm_analysis as psm
from psm_analysis.irt.expectation_maximisation import estimate, information_matrix
from psm_analysis.irt.graded_kernel import category_probabilities, probability_slopes, quadrature
from psm_analysis.irt.patterns import read_patterns

SLOPES = np.linspace(1.0, 2.2, 10)
THRESHOLDS = np.array([-1.5, -0.5, 0.5, 1.5]) + np.linspace(-0.3, 0.3, 10)[:, None]


def survey(n: int, *, seed: int, slopes: np.ndarray = SLOPES, thresholds: np.ndarray = THRESHOLDS) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    trait = rng.standard_normal(n)
    latent = trait[:, None] * slopes + rng.logistic(size=(n, len(slopes)))
    above = latent[:, :, None] >= (slopes[:, None] * thresholds)[None]
    return pd.DataFrame(above.sum(2) + 1.0, columns=[f"i{j}" for j in range(len(slopes))]).assign(trait=trait)


@pytest.fixture(scope="module")
def fitted() -> tuple[pd.DataFrame, psm.GradedResponseResult]:
    data = survey(2000, seed=1)
    return data, psm.graded_response(data.drop(columns="trait"), n_nodes=31, tolerance=1e-3)


def test_derivatives_of_category_probabilities() -> None:
    theta, d, h = np.array([-1.0, 0.3]), np.array([1.0, 0.2, -0.8]), 1e-6
    found = probability_slopes(1.4, d, theta=theta)
    by_slope = (category_probabilities(1.4 + h, d, theta=theta) - category_probabilities(1.4 - h, d, theta=theta)) / (
        2 * h
    )
    np.testing.assert_allclose(found[:, :, 0], by_slope, atol=1e-8)
    for k in range(3):
        e = h * np.eye(3)[k]
        up, down = (category_probabilities(1.4, d + s * e, theta=theta) for s in (1, -1))
        np.testing.assert_allclose(found[:, :, k + 1], (up - down) / (2 * h), atol=1e-8)


def test_recovery_and_rising_likelihood(fitted: tuple[pd.DataFrame, psm.GradedResponseResult]) -> None:
    _, fit = fitted
    assert fit.converged
    assert (np.diff(fit.history) >= -1e-8).all()
    rows = fit.tidy()
    slopes = rows[rows["parameter"] == "slope"]
    cuts = rows[rows["parameter"] == "threshold"]
    assert abs((slopes["estimate"] - SLOPES).mean()) < 0.05
    assert abs((cuts["estimate"] - THRESHOLDS.ravel()).mean()) < 0.05
    inside = (cuts["ci_low"] < THRESHOLDS.ravel()) & (THRESHOLDS.ravel() < cuts["ci_high"])
    assert inside.mean() > 0.85
    assert slopes["std_error"].between(0.04, 0.13).all()


@pytest.mark.slow
def test_every_slope_and_threshold_is_recovered() -> None:
    """Over 60 samples of 2,000 and 10 items no parameter is biased by 0.05; the likelihood rises at every step."""
    errors = []
    for seed in range(60):
        fit = psm.graded_response(survey(2000, seed=1000 + seed).drop(columns="trait"), n_nodes=31, tolerance=1e-3)
        assert fit.converged
        assert (np.diff(fit.history) > 0.0).all()
        found = fit.tidy().groupby("parameter")["estimate"]
        slopes, cuts = found.get_group("slope"), found.get_group("threshold")
        errors.append(np.concatenate([slopes - SLOPES, cuts - THRESHOLDS.ravel()]))
    bias = np.mean(errors, axis=0)
    assert bias.shape == (50,)
    assert np.abs(bias).max() < 0.05


def test_scores(fitted: tuple[pd.DataFrame, psm.GradedResponseResult]) -> None:
    data, fit = fitted
    eap, mode = fit.person_scores(), fit.person_scores(method="map")
    error = eap["estimate"] - data["trait"]
    assert np.corrcoef(eap["estimate"], data["trait"])[0, 1] > 0.93
    assert np.sqrt((error**2).mean()) == pytest.approx(np.sqrt((eap["std_error"] ** 2).mean()), rel=0.06)
    assert np.corrcoef(eap["estimate"], mode["estimate"])[0, 1] > 0.999
    new = data.drop(columns="trait").iloc[:3].copy()
    pd.testing.assert_frame_equal(fit.person_scores(new), eap.iloc[:3])
    new.iloc[0, :9] = np.nan
    assert fit.person_scores(new).iloc[0]["std_error"] > 0.6
    new.iloc[1, 0] = 7.0
    with pytest.raises(psm.PsmAnalysisError, match="none of the categories"):
        fit.person_scores(new)


def test_curves(fitted: tuple[pd.DataFrame, psm.GradedResponseResult]) -> None:
    _, fit = fitted
    curves = fit.category_curves([0.0, 1.0])
    np.testing.assert_allclose(curves.groupby(["item", "theta"])["probability"].sum(), 1.0)
    information = fit.information_curves([0.0])
    P = category_probabilities(float(fit.slopes.iloc[0]), fit.intercepts[0], theta=np.array([-1e-5, 0.0, 1e-5]))
    by_hand = (((P[2] - P[0]) / 2e-5) ** 2 / P[1]).sum()
    assert information.loc[0, "i0"] == pytest.approx(by_hand, rel=1e-6)
    assert information.loc[0, "std_error"] == pytest.approx(1 / np.sqrt(information.loc[0, "test"]))


def two_categories() -> pd.DataFrame:
    slopes = np.array([0.8, 1.2, 1.6, 2.0])
    return survey(600, seed=2, slopes=slopes, thresholds=np.array([[-0.5], [0.0], [0.3], [0.8]])).drop(columns="trait")


def test_two_categories_are_the_logistic_model_maximised_directly() -> None:
    data = two_categories()
    fit = psm.graded_response(data, tolerance=1e-10)
    theta, weights = quadrature(41)
    x = data.to_numpy() - 1.0

    def loss(parameters: np.ndarray) -> float:
        z = parameters[:4] * theta[:, None] + parameters[4:]
        return -float(np.log(np.exp(x @ log_expit(z).T + (1 - x) @ log_expit(-z).T) @ weights).sum())

    direct = minimize(loss, np.concatenate([np.ones(4), np.zeros(4)]), method="BFGS", options={"gtol": 1e-6})
    assert fit.loglik == pytest.approx(-direct.fun, abs=1e-6)
    np.testing.assert_allclose(fit.slopes, direct.x[:4], atol=1e-3)
    np.testing.assert_allclose(np.concatenate(fit.intercepts), direct.x[4:], atol=1e-3)
    steps = 1e-3 * np.eye(8)
    observed = np.array(
        [
            [
                (loss(direct.x + a + b) - loss(direct.x + a - b) - loss(direct.x - a + b) + loss(direct.x - a - b))
                for b in steps
            ]
            for a in steps
        ]
    )
    error = np.sqrt(np.diagonal(np.linalg.inv(observed / 4e-6)))[:4]
    slopes = fit.tidy().query("parameter == 'slope'")["std_error"]
    np.testing.assert_allclose(slopes, error, rtol=0.15)


def test_information_is_the_outer_product_of_numerical_scores() -> None:
    patterns = read_patterns(two_categories())
    found = estimate(patterns, n_nodes=21, max_iterations=30, tolerance=1e-3)
    theta, weights = quadrature(21)
    x = patterns.codes

    def logs(parameters: np.ndarray) -> np.ndarray:
        P = expit(parameters[0::2] * theta[:, None] + parameters[1::2])
        return np.log(np.exp(x @ np.log(P).T + (1 - x) @ np.log1p(-P).T) @ weights)

    at = np.column_stack([found.slopes, np.concatenate(found.intercepts)]).ravel()
    scores = np.column_stack([(logs(at + e) - logs(at - e)) / 2e-5 for e in 1e-5 * np.eye(8)])
    expected = (scores * patterns.counts[:, None]).T @ scores
    np.testing.assert_allclose(information_matrix(patterns, found, n_nodes=21), expected, rtol=1e-5, atol=1e-5)


def test_missing_answers_and_doubts() -> None:
    data = survey(400, seed=3).drop(columns="trait").iloc[:, :4]
    data.iloc[::5, 0] = np.nan
    data.iloc[0] = np.nan
    fit = psm.graded_response(data, n_nodes=21, tolerance=1e-2)
    assert fit.nobs == 399
    assert fit.person_scores().index[0] == 1
    data["i1"] = 6 - data["i1"]
    with pytest.warns(psm.PsmAnalysisWarning, match="slope of i1 is negative"):
        psm.graded_response(data, n_nodes=21, tolerance=1e-2)


def test_bad_answers_are_refused() -> None:
    data = survey(50, seed=1).iloc[:, :4]
    with pytest.raises(psm.PsmAnalysisError, match="fraction"):
        psm.graded_response(data.assign(i0=data["i0"] + 0.5))
    with pytest.raises(psm.PsmAnalysisError, match="constant"):
        psm.graded_response(data.assign(i0=1))
    with pytest.raises(psm.PsmAnalysisError, match="at least 3"):
        psm.graded_response(data[["i0", "i1"]])
    with pytest.raises(psm.PsmAnalysisError, match="n_nodes"):
        psm.graded_response(data, n_nodes=3)
