"""Starting values: near the solution for models with paths, means and several groups, and never the worse of two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.sem.estimate import assemble
from psm_analysis.sem.estimators import SPECS
from psm_analysis.sem.gamma import (
    casewise_moments,
    normal_gamma,
    normal_products,
    normal_quadratic,
    normal_trace,
    normal_variances,
    normal_weight,
    normal_weight_products,
)
from psm_analysis.sem.implied import moment_vector, stacked

PATHS = """
f =~ x1 + x2 + x3
g =~ y1 + y2 + y3
h =~ z1 + z2 + z3
g ~ 0.5*f
h ~ 0.4*f + -0.3*g
"""


def chain() -> tuple[str, pd.DataFrame]:
    """Return a model of three factors on each other, and its covariance matrix at known values."""
    Lambda = np.kron(np.eye(3), np.array([[1.0], [0.8], [1.2]]))
    Beta = np.array([[0, 0, 0], [0.5, 0, 0], [0.4, -0.3, 0]], dtype=float)
    A = np.linalg.inv(np.eye(3) - Beta)
    Sigma = Lambda @ A @ np.diag([1.0, 0.7, 0.6]) @ A.T @ Lambda.T + np.diag(np.linspace(0.3, 0.9, 9))
    names = [f"{letter}{i}" for letter in "xyz" for i in (1, 2, 3)]
    return PATHS.replace("0.5*", "").replace("0.4*", "").replace("-0.3*", ""), pd.DataFrame(Sigma, names, names)


def test_starts_of_paths_are_near_the_solution() -> None:
    model, cov = chain()
    fit = psm.sem(model, sample_cov=cov, sample_nobs=500)
    problem, starts = assemble(fit.table, fit.sample, SPECS["ML"])
    assert problem.value(starts[0]) < 0.1 * problem.value(starts[1])
    slopes = fit.tidy().query("op == '~'")["estimate"]
    np.testing.assert_allclose(slopes, [0.5, 0.4, -0.3], atol=1e-8)


@pytest.mark.parametrize("means", [False, True])
def test_starts_with_observed_outcomes_and_means_are_near_the_solution(means: bool) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(50.0, 3.0, size=(400, 1))
    f = 0.3 * x + rng.normal(size=(400, 1))
    items = f * [1.0, 0.8, 1.2] + rng.normal(size=(400, 3))
    y = 2.0 * f + 0.5 * x + rng.normal(size=(400, 1)) + 1000.0
    data = pd.DataFrame(np.hstack([items, x, y]), columns=["i1", "i2", "i3", "x", "y"])
    fit = psm.sem("f =~ i1 + i2 + i3\nf ~ x\ny ~ f + x", data, meanstructure=means)
    problem, starts = assemble(fit.table, fit.sample, SPECS["ML"])
    assert fit.converged
    assert problem.value(starts[0]) < problem.value(starts[1])
    assert problem.value(starts[0]) < 0.5


def test_a_start_of_the_user_is_kept(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa("f =~ x1 + start(0.123)*x2 + x3\ng =~ x4 + x5 + x6\nf ~~ start(0.3)*g", holzinger)
    _, starts = assemble(fit.table, fit.sample, SPECS["ML"])
    for start in starts:
        assert 0.123 in start
        assert 0.3 in start


@pytest.mark.parametrize("means", [False, True])
def test_quadratic_form_of_normal_theory_without_its_matrix(means: bool) -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(5, 5))
    Sigma = root @ root.T + np.eye(5)
    x = rng.normal(size=15 + 5 * means)
    expected = x @ normal_weight(Sigma, means=means) @ x
    assert normal_quadratic(x, np.linalg.inv(Sigma)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("means", [False, True])
def test_trace_of_normal_theory_without_its_matrix(means: bool) -> None:
    rng = np.random.default_rng(4)
    rows = rng.exponential(size=(60, 4)) @ rng.normal(size=(4, 4))
    Sigma = np.cov(rows.T) + np.eye(4)
    x = casewise_moments(rows, means=means, exogenous=[])
    expected = np.einsum("ni,ij,nj->", x, normal_weight(Sigma, means=means), x) / 60
    assert normal_trace(rows, np.linalg.inv(Sigma), means=means) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("means", [False, True])
def test_products_of_normal_theory_without_its_matrix(means: bool) -> None:
    rng = np.random.default_rng(6)
    root = rng.normal(size=(5, 5))
    Sigma = root @ root.T + np.eye(5)
    B = rng.normal(size=(15 + 5 * means, 3))
    gamma, weight = normal_gamma(Sigma, means=means), normal_weight(Sigma, means=means)
    np.testing.assert_allclose(normal_products(B, Sigma), B.T @ gamma @ B, rtol=1e-10)
    np.testing.assert_allclose(normal_weight_products(B, np.linalg.inv(Sigma)), B.T @ weight @ B, rtol=1e-10)
    np.testing.assert_allclose(normal_variances(Sigma, means=means), np.diagonal(gamma), rtol=1e-12)


@pytest.mark.parametrize("means", [False, True])
def test_generalised_least_squares_without_the_matrix_of_its_weights(holzinger: pd.DataFrame, means: bool) -> None:
    fit = psm.cfa("f =~ x1 + x2 + x3 + x4", holzinger, estimator="GLS", meanstructure=means)
    group, problem = fit.sample.groups[0], fit.problem
    V = normal_weight(group.cov, means=means)
    rng = np.random.default_rng(7)
    for x in (fit.solution.x, fit.solution.x * rng.uniform(0.7, 1.3, size=problem.n_free)):
        gap = stacked(group.mean if means else None, group.cov) - moment_vector(problem.implied(x)[0], means=means)
        assert problem.value(x) == pytest.approx(gap @ V @ gap, rel=1e-9)
