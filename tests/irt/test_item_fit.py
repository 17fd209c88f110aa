"""S-X2: expected proportions against all answers enumerated, its level under the model, and its power."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.irt.graded_kernel import category_probabilities, quadrature
from psm_analysis.irt.item_fit import expected_proportions

SLOPES = np.array([0.9, 1.2, 1.5, 1.8, 1.1, 1.4])


def answers(n: int, *, seed: int, folded: bool = False) -> pd.DataFrame:
    """Six graded items; if `folded`, the last is agreed to by people in the middle of the trait."""
    rng = np.random.default_rng(seed)
    trait = rng.standard_normal((n, 1))
    latent = SLOPES * trait + rng.logistic(size=(n, 6))
    if folded:
        latent[:, 5] = 2.0 - 2.0 * np.abs(trait[:, 0] - 0.7) + rng.logistic(size=n)
    return pd.DataFrame(np.digitize(latent, [-1.2, 0.0, 1.2]) + 1.0, columns=list("abcdef"))


def test_expected_proportions_against_enumeration() -> None:
    theta, weights = quadrature(15)
    intercepts = [np.array([1.0, -0.5]), np.array([0.3]), np.array([0.8, 0.0, -1.0])]
    P = [category_probabilities(a, d, theta=theta) for a, d in zip((1.2, 0.7, 2.0), intercepts, strict=True)]
    table = np.zeros((7, 4))
    for codes in itertools.product(range(3), range(2), range(4)):
        table[sum(codes), codes[2]] += weights @ np.prod([P[j][:, c] for j, c in enumerate(codes)], axis=0)
    np.testing.assert_allclose(
        expected_proportions(P, weights, item=2), table / table.sum(axis=1, keepdims=True), atol=1e-12
    )


def test_columns_and_missing_answers() -> None:
    data = answers(500, seed=1)
    data.iloc[:50, 0] = np.nan
    found = psm.graded_response(data, n_nodes=21, tolerance=1e-2).item_fit()
    assert list(found.columns) == ["n", "statistic", "df", "p_value", "rmsea", "p_adjusted"]
    assert found["n"].tolist() == [450] * 6
    assert (found["p_adjusted"] >= found["p_value"]).all()
    data.iloc[:250, 0], data.iloc[250:, 1] = np.nan, np.nan
    with pytest.raises(psm.PsmAnalysisError, match="answered all items"):
        psm.graded_response(data, n_nodes=21, tolerance=1e-2).item_fit()


def test_an_item_that_people_in_the_middle_agree_to_does_not_fit() -> None:
    found = psm.graded_response(answers(1500, seed=4, folded=True), n_nodes=21, tolerance=1e-2).item_fit()
    assert found["rmsea"].idxmax() == "f"
    assert found.loc["f", "p_value"] < 1e-6


@pytest.mark.slow
def test_level_under_the_model() -> None:
    """The statistic has the mean of its chi-square and rejects about 5 % of fitting items."""
    fits = [psm.graded_response(answers(1000, seed=seed), n_nodes=21, tolerance=1e-2).item_fit() for seed in range(100)]
    p = np.concatenate([fit["p_value"] for fit in fits])
    ratio = np.concatenate([fit["statistic"] / fit["df"] for fit in fits])
    assert 0.95 < ratio.mean() < 1.05
    assert 0.03 < (p < 0.05).mean() < 0.08
