"""Extraction: population matrices are recovered, derivatives are right, optima are optima."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.optimize import minimize

from psm_analysis.efa.box_newton import minimise_in_box, solve_positive
from psm_analysis.efa.extraction import extract, squared_multiple_correlations
from psm_analysis.efa.fit_measures import discrepancy
from psm_analysis.efa.uniqueness import gls_profile, ml_profile, uls_profile
from psm_analysis.errors import DataError, OptionError

L = np.array([[0.8, 0.1], [0.7, 0.0], [0.6, 0.2], [0.1, 0.7], [0.0, 0.6], [0.2, 0.5], [0.4, 0.4]])
POPULATION = L @ L.T + np.diag(1 - (L**2).sum(1))


def sample_matrix(n=150, seed=2):
    answers = np.random.default_rng(seed).standard_normal((n, 7)) @ np.linalg.cholesky(POPULATION).T
    return np.corrcoef(answers, rowvar=False)


@pytest.mark.parametrize("method", ["minres", "uls", "ml", "gls", "wls"])
def test_population_is_recovered(method):
    found = extract(POPULATION, 2, method=method)
    assert found.converged
    np.testing.assert_allclose(found.loadings @ found.loadings.T, L @ L.T, atol=1e-5)
    assert (found.loadings.sum(0) >= 0).all()


@pytest.mark.parametrize("profile", ["uls", "ml", "gls"])
def test_gradient_and_hessian(profile):
    S = sample_matrix()
    function = {
        "uls": partial(uls_profile, S=S, n_factors=2),
        "ml": partial(ml_profile, S=S, n_factors=2),
        "gls": partial(gls_profile, inverse=np.linalg.inv(S), n_factors=2),
    }[profile]
    x = np.linspace(0.3, 0.7, 7) if profile == "uls" else np.log(np.linspace(0.3, 0.7, 7))
    _, gradient, hessian = function(x)
    steps = 1e-5 * np.eye(7)
    numeric = np.array([(function(x + h)[0] - function(x - h)[0]) / 2e-5 for h in steps])
    curvature = np.array([(function(x + h)[1] - function(x - h)[1]) / 2e-5 for h in steps])
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)
    np.testing.assert_allclose(hessian(), curvature, atol=1e-6)


def test_maximum_likelihood_is_the_minimum_of_its_discrepancy():
    S = sample_matrix()
    found = extract(S, 2, method="ml")

    def loss(parameters):
        A = parameters[:14].reshape(7, 2)
        return discrepancy(S, A @ A.T + np.diag(np.exp(parameters[14:])))

    start = np.concatenate([found.loadings.ravel(), np.log(1 - found.communalities)])
    assert loss(start) <= minimize(loss, start + 0.05, method="BFGS").fun + 1e-8


def test_minres_is_the_minimum_of_the_off_diagonal_residuals():
    S = sample_matrix()
    off = ~np.eye(7, dtype=bool)

    def loss(parameters):
        A = parameters.reshape(7, 2)
        return float(((S - A @ A.T)[off] ** 2).sum())

    start = extract(S, 2).loadings.ravel()
    assert loss(start) <= minimize(loss, start + 0.05, method="BFGS").fun + 1e-8


@pytest.mark.parametrize("method", ["gls", "wls"])
def test_weighted_extractions_are_minima_of_their_functions(method):
    S = sample_matrix()
    inverse = np.linalg.inv(S)
    unique = 1 / np.diag(inverse)

    def loss(parameters):
        A = parameters[:14].reshape(7, 2)
        residual = S - A @ A.T - np.diag(np.exp(parameters[14:]))
        if method == "wls":
            return float((residual**2 / np.outer(unique, unique)).sum() / 2)
        weighted = inverse @ residual
        return float(np.trace(weighted @ weighted) / 2)

    found = extract(S, 2, method=method)
    assert abs(found.loadings[:, 0] @ found.loadings[:, 1]) < 1e-10
    uniquenesses = minimize(lambda x: loss(np.concatenate([found.loadings.ravel(), x])), np.log(unique)).x
    start = np.concatenate([found.loadings.ravel(), uniquenesses])
    assert loss(start) <= minimize(loss, start + 0.05, method="BFGS").fun + 1e-8


def test_uniquenesses_stay_in_bounds():
    S = np.full((4, 4), 0.3) + 0.7 * np.eye(4)
    S[0, 1] = S[1, 0] = 0.85
    S[0, 2] = S[2, 0] = 0.6
    assert np.linalg.eigvalsh(S)[0] > 0
    found = extract(S, 1, method="ml")
    assert found.converged
    assert found.communalities[0] == pytest.approx(0.995, abs=1e-4)


def test_singular_matrix():
    answers = np.random.default_rng(1).standard_normal((50, 4))
    S = np.corrcoef(np.column_stack([answers, answers.sum(1)]), rowvar=False)
    for method in ("ml", "gls", "wls"):
        with pytest.raises(DataError, match="singular"):
            extract(S, 1, method=method)
    assert np.isfinite(extract(S, 1).loadings).all()
    assert (squared_multiple_correlations(S) <= 0.999).all()
    with pytest.raises(OptionError, match="minres"):
        extract(S, 1, method="minress")


def test_solver_uses_bounds_and_negative_curvature():
    def saddle(x):
        value = x[0] ** 2 - x[1] ** 2 + 0.1 * x[1]
        gradient = np.array([2 * x[0], -2 * x[1] + 0.1])
        return float(value), gradient, lambda: np.diag([2.0, -2.0])

    found = minimise_in_box(saddle, np.array([0.5, 0.0]), lower=-1.0, upper=1.0)
    np.testing.assert_allclose(found.x, [0, -1], atol=1e-8)
    assert found.converged
    np.testing.assert_allclose(solve_positive(np.diag([4.0, -2.0]), np.array([4.0, 2.0])), [1, 1])
