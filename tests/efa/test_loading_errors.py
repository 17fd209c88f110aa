"""Standard errors of rotated loadings: against the confirmatory model, the bootstrap and a simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

PATTERN = np.array([[0.8, 0.0], [0.7, 0.1], [0.6, 0.0], [0.0, 0.8], [0.1, 0.6], [0.0, 0.7]])
PHI = np.array([[1.0, 0.4], [0.4, 1.0]])


def population():
    R = PATTERN @ PHI @ PATTERN.T
    np.fill_diagonal(R, 1.0)
    return R


def answers(n, seed):
    x = np.random.default_rng(seed).standard_normal((n, 6)) @ np.linalg.cholesky(population()).T
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(1, 7)])


def test_one_factor_agrees_with_the_confirmatory_model():
    L = np.array([[0.8], [0.7], [0.6], [0.5]])
    R = L @ L.T
    np.fill_diagonal(R, 1.0)
    names = ["a", "b", "c", "d"]
    frame = pd.DataFrame(R, names, names)
    found = psm.loading_errors(psm.efa(frame, 1, extraction="ml", nobs=400))
    fit = psm.cfa("f =~ a + b + c + d", sample_cov=frame, sample_nobs=400, std_lv=True).standardized()
    expected = fit.loc[fit["op"] == "=~", "std_error"].to_numpy()
    np.testing.assert_allclose(found["std_error"], expected, rtol=2e-3)


@pytest.mark.parametrize("rotation", ["oblimin", "varimax"])
def test_delta_and_bootstrap_agree_for_normal_answers(rotation):
    result = psm.efa(answers(600, 1), 2, extraction="ml", rotation=rotation)
    delta = psm.loading_errors(result)
    bootstrap = psm.loading_errors(result, method="bootstrap", n_replicates=300, seed=1)
    assert delta["estimate"].tolist() == bootstrap["estimate"].tolist()
    ratio = delta["std_error"] / bootstrap["std_error"]
    assert ratio.between(0.75, 1.3).all()
    assert ratio.mean() == pytest.approx(1.0, abs=0.1)
    assert len(delta) == (13 if rotation == "oblimin" else 12)


def test_delta_errors_are_the_spread_of_estimates_in_repeated_samples():
    frame = pd.DataFrame(population(), columns=[f"x{i}" for i in range(1, 7)])
    base = psm.efa(frame, 2, extraction="ml", nobs=500)
    error = psm.loading_errors(base).query("kind == 'loading'")["std_error"].to_numpy().reshape(6, 2)
    drawn = []
    for seed in range(200):
        L = psm.efa(answers(500, seed), 2, extraction="ml").loadings.to_numpy()
        drawn.append(L if abs(L[0, 0]) > abs(L[0, 1]) else L[:, ::-1])
    spread = np.std(drawn, axis=0)
    target = error if base.loadings.iloc[0, 0] > 0.5 else error[:, ::-1]
    np.testing.assert_allclose(spread, target, rtol=0.25)


def test_what_cannot_be_done_is_said():
    matrix = psm.efa(population(), 2, nobs=300)
    with pytest.raises(psm.PsmAnalysisError, match="draws rows"):
        psm.loading_errors(matrix, method="bootstrap", seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="number of cases"):
        psm.loading_errors(psm.efa(population(), 2))
    ranks = psm.efa(answers(200, 1), 2, correlation="spearman")
    with pytest.raises(psm.PsmAnalysisError, match="bootstrap"):
        psm.loading_errors(ranks)
    with pytest.raises(psm.PsmAnalysisError, match="seed"):
        psm.loading_errors(ranks, method="bootstrap")
    with pytest.raises(psm.PsmAnalysisError, match="pa"):
        psm.loading_errors(psm.efa(population(), 2, nobs=300, extraction="pa"))
