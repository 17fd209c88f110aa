"""How many factors: the criteria one by one, and together on populations with a known number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.efa.comparison_data import population
from psm_analysis.efa.eigenvalue_rules import empirical_kaiser, minimum_average_partial
from psm_analysis.efa.factor_series import hull
from psm_analysis.efa.parallel import (
    component_eigenvalues,
    factor_eigenvalues,
    null_correlations,
    permuted_correlations,
)
from psm_analysis.errors import DataError, OptionError
from psm_analysis.moments.sample import read_sample

PATTERN = np.kron(np.eye(4), np.array([[0.7], [0.65], [0.75], [0.6]]))
PHI = np.full((4, 4), 0.4) + 0.6 * np.eye(4)
R = PATTERN @ PHI @ PATTERN.T
np.fill_diagonal(R, 1.0)


def answers(n=400, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).standard_normal((n, 16)) @ np.linalg.cholesky(R).T)


def test_triangular_factor_has_the_distribution_of_data():
    rng = np.random.default_rng(5)
    drawn = component_eigenvalues(null_correlations(60, 6, n_iterations=3000, rng=rng))
    data = rng.standard_normal((3000, 60, 6))
    direct = component_eigenvalues(np.stack([np.corrcoef(one, rowvar=False) for one in data]))
    np.testing.assert_allclose(drawn.mean(0), direct.mean(0), atol=0.012)
    np.testing.assert_allclose(drawn.std(0), direct.std(0), atol=0.01)


def test_fewer_cases_than_items_can_be_drawn():
    drawn = null_correlations(5, 8, n_iterations=2, rng=np.random.default_rng(1))
    assert (np.linalg.matrix_rank(drawn) == 4).all()


def test_permutation_keeps_margins_and_breaks_correlations():
    data = answers(300).mask(np.random.default_rng(2).random((300, 16)) < 0.05)
    drawn = permuted_correlations(read_sample(data), n_iterations=40, rng=np.random.default_rng(3))
    np.testing.assert_allclose(np.diagonal(drawn, axis1=1, axis2=2), 1, atol=1e-12)
    assert np.abs(drawn.mean(0) - np.eye(16)).max() < 0.05
    assert np.abs(drawn).max() <= 1 + 1e-12


def test_batched_pairwise_correlations_are_pandas():
    from psm_analysis.efa.parallel import _pairwise

    data = answers(100).mask(np.random.default_rng(2).random((100, 16)) < 0.1)
    np.testing.assert_allclose(_pairwise(data.to_numpy()[None])[0], data.corr(), atol=1e-12)


def test_reduced_eigenvalues_in_a_batch():
    batch = np.stack([R, np.eye(16)])
    np.testing.assert_allclose(factor_eigenvalues(batch)[0], factor_eigenvalues(R), atol=1e-12)
    np.testing.assert_allclose(factor_eigenvalues(batch)[1], 0, atol=1e-12)


@pytest.mark.parametrize("simulate", ["normal", "permuted"])
def test_parallel_analysis_recovers_the_number(simulate):
    found = psm.retention(answers(), seed=3, simulate=simulate, n_iterations=60)
    for name in ("parallel_components", "parallel_factors", "empirical_kaiser", "bic"):
        assert found.suggested[name] == 4, name


def test_parallel_analysis_recovers_four_of_four_in_many_samples():
    found = [psm.retention(answers(seed=seed), seed=seed, n_iterations=50, max_factors=6) for seed in range(20)]
    hits = pd.DataFrame([one.suggested for one in found]) == 4
    assert hits["parallel_components"].mean() >= 0.95
    assert hits["hull"].mean() > 0.5


def test_no_factors_in_noise():
    noise = pd.DataFrame(np.random.default_rng(4).standard_normal((500, 10)))
    suggested = psm.retention(noise, seed=1, n_iterations=200).suggested
    assert suggested["parallel_components"] <= 1
    assert suggested["map_1976"] == 0
    assert suggested["empirical_kaiser"] == 0


def test_average_partial_by_hand():
    two = np.array([[1, 0.5], [0.5, 1]])
    assert minimum_average_partial(two, max_components=0)[0] == pytest.approx(0.25)
    assert minimum_average_partial(two, max_components=0, power=4)[0] == pytest.approx(0.0625)


def test_empirical_kaiser_by_hand():
    count, reference = empirical_kaiser(np.array([2.4, 0.9, 0.4, 0.3]), 100)
    assert count == 1
    assert reference[0] == pytest.approx((1 + np.sqrt(0.04)) ** 2)
    assert reference[1] == pytest.approx(max(1.6 / 3 * 1.44, 1))


def test_hull_leaves_out_what_lies_below():
    fit = np.array([0.0, 0.3, 0.29, 0.9, 0.92])
    assert hull(fit, np.array([40.0, 30, 22, 15, 9])) == 3
    assert hull(np.array([0.0, 0.5]), np.array([3.0, 0.0])) is None


def test_matrix_needs_the_number_of_cases():
    with pytest.raises(OptionError, match="nobs"):
        psm.retention(R)
    with pytest.raises(OptionError, match="permute"):
        psm.retention(R, nobs=300, simulate="permuted")
    with pytest.raises(OptionError, match="max_factors=16"):
        psm.retention(R, nobs=300, max_factors=16)
    with pytest.raises(OptionError, match="replicates"):
        psm.retention(R, nobs=300, n_iterations=1)


def test_comparison_data_find_four_factors_of_skewed_answers():
    data = answers(400, seed=2).apply(lambda column: np.digitize(column, [-1.8, -1.2, -0.6, 0.3])).astype(float)
    data = data.mask(np.random.default_rng(3).random(data.shape) < 0.03)
    one, two = (psm.retention(data, seed=4, n_iterations=20, comparison=True) for _ in range(2))
    assert one.suggested["comparison_data"] == two.suggested["comparison_data"] == 4
    assert "comparison_data" in one.tidy()["criterion"].tolist()
    with pytest.raises(OptionError, match="Comparison data need"):
        psm.retention(R, nobs=300, comparison=True)


def test_comparison_population_keeps_margins_and_correlations():
    data = answers(800, seed=5).apply(lambda column: np.digitize(column, [-1.5, -0.5, 0.5])).astype(float).to_numpy()
    observed = np.corrcoef(data, rowvar=False)
    people = population(data, observed, n_factors=4, rng=np.random.default_rng(6))
    np.testing.assert_allclose(people.mean(axis=0), data.mean(axis=0), atol=0.05)
    assert set(np.unique(people)) == {0.0, 1.0, 2.0, 3.0}
    below = np.tril_indices(16, -1)
    assert np.sqrt(((np.corrcoef(people, rowvar=False) - observed)[below] ** 2).mean()) < 0.03


def test_same_seed_same_result():
    one, two = (psm.retention(R, nobs=300, seed=9) for _ in range(2))
    pd.testing.assert_frame_equal(one.parallel, two.parallel)
    assert list(one.parallel.columns[:3]) == ["component", "component_mean", "component_percentile"]
    assert one.glance().loc[0, "most_frequent"] == 4
    assert "parallel_components" in one.summary()


def test_polychoric_and_spearman_are_permuted():
    data = answers(300).apply(lambda column: np.digitize(column, [-1, 0, 1]))
    for kind in ("spearman", "polychoric"):
        found = psm.retention(data, correlation=kind, n_iterations=5, seed=1)
        assert found.simulate == "permuted"
        assert found.suggested["parallel_components"] == 4


def test_sampling_adequacy_of_a_matrix():
    found = psm.sampling_adequacy(R)
    assert found.bartlett_chisq is None
    assert found.glance().loc[0, "verdict"] == "meritorious"
    assert len(found.tidy()) == 16
    with pytest.raises(DataError, match="singular"):
        psm.sampling_adequacy(np.ones((3, 3)))


@pytest.mark.slow
def test_parallel_analysis_recovers_four_factors():
    """4 of 4 factors in at least 95 % of 200 samples of 400 of a population like that of the PSM scale."""
    L = np.kron(np.eye(4), np.array([[0.75], [0.7], [0.65], [0.6]]))
    phi = np.full((4, 4), 0.4) + 0.6 * np.eye(4)
    R = L @ phi @ L.T
    np.fill_diagonal(R, 1.0)
    root = np.linalg.cholesky(R)
    hits = 0
    for seed in range(200):
        latent = np.random.default_rng(seed).standard_normal((400, 16)) @ root.T
        answers = pd.DataFrame(np.digitize(latent, [-1.5, -0.5, 0.5, 1.5]) + 1.0)
        found = psm.retention(answers, max_factors=6, n_iterations=100, seed=seed)
        hits += found.suggested["parallel_components"] == 4 and found.suggested["parallel_factors"] == 4
    assert hits >= 190
