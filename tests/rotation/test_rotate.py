"""Rotations keep what they must keep, find simple structure, and say what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from psm_analysis.errors import DataError, OptionError
from psm_analysis.rotation import ROTATIONS, congruence, is_oblique, procrustes, random_orthogonal, rotate
from psm_analysis.rotation.rotate import count_minima

SIMPLE = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.5]]))
TURN = random_orthogonal(3, count=1, seed=4)[0]
PLAIN = [name for name in ROTATIONS if not name.startswith(("target", "pst"))]


def noisy(seed: int = 3) -> np.ndarray:
    return (SIMPLE + np.random.default_rng(seed).normal(scale=0.08, size=SIMPLE.shape)) @ TURN


def options(method: str) -> dict[str, np.ndarray]:
    if method.startswith("target"):
        return {"target": SIMPLE}
    if method.startswith("pst"):
        return {"target": SIMPLE, "weights": (SIMPLE == 0).astype(float)}
    return {}


@pytest.mark.parametrize("method", ROTATIONS)
def test_common_part_is_kept(method):
    unrotated = noisy()
    found = rotate(unrotated, method=method, **options(method))
    phi = np.eye(3) if found.factor_correlations is None else found.factor_correlations
    np.testing.assert_allclose(found.loadings @ phi @ found.loadings.T, unrotated @ unrotated.T, atol=1e-10)
    np.testing.assert_allclose(np.diag(phi), 1, atol=1e-12)
    assert (found.factor_correlations is not None) == is_oblique(method)


@pytest.mark.parametrize("method", ROTATIONS)
def test_rotation_matrix_gives_the_loadings(method):
    unrotated = noisy()
    found = rotate(unrotated, method=method, **options(method))
    T = found.rotation_matrix
    expected = unrotated @ (np.linalg.inv(T).T if is_oblique(method) else T)
    np.testing.assert_allclose(found.loadings, expected, atol=1e-10)
    np.testing.assert_allclose(np.diag(T.T @ T), 1, atol=1e-10)
    if not is_oblique(method):
        np.testing.assert_allclose(T.T @ T, np.eye(3), atol=1e-10)


@pytest.mark.parametrize(
    "method", [name for name in PLAIN if name not in ("none", "parsimony", "oblimax", "simplimax", "biquartimin")]
)
def test_simple_structure_is_found(method):
    target = SIMPLE
    if method in ("bifactor", "biquartimin"):
        target = np.column_stack([np.full(12, 0.6), SIMPLE])
    turn = random_orthogonal(target.shape[1], count=1, seed=4)[0]
    found = rotate(target @ turn, method=method, n_starts=20, seed=1, tolerance=1e-7)
    best = congruence(target, found.loadings).abs().max(axis=1)
    assert best.min() > 0.999
    assert found.converged


def test_simplimax_finds_the_zeros():
    found = rotate(SIMPLE @ TURN, method="simplimax", n_zeros=24, n_starts=30, seed=1)
    assert congruence(SIMPLE, found.loadings).abs().max(axis=1).min() > 0.999


def test_symmetric_loadings_do_not_stop_on_a_saddle():
    loadings = np.array([[0.64, 0.47], [0.56, 0.41], [0.64, -0.47], [0.56, -0.41]])
    found = rotate(loadings, method="oblimin")
    assert np.sort(np.abs(found.loadings), axis=1)[:, 0].max() < 0.01


def test_random_starts_find_a_better_minimum_and_count_them():
    unrotated = np.random.default_rng(8).normal(scale=0.4, size=(15, 4))
    one = rotate(unrotated, method="geominQ")
    many = rotate(unrotated, method="geominQ", n_starts=30, seed=5)
    assert many.criterion <= one.criterion + 1e-9
    assert many.n_local_minima > 1
    assert len(many.criterion_values) == 30
    np.testing.assert_array_equal(many.loadings, rotate(unrotated, method="geominQ", n_starts=30, seed=5).loadings)
    assert many.glance()["n_local_minima"].item() == many.n_local_minima
    assert len(many.tidy()) == 60


def test_batch_of_starts_ends_where_single_starts_end():
    unrotated = noisy()
    many = rotate(unrotated, method="quartimin", n_starts=5, seed=2, tolerance=1e-8)
    assert many.criterion_values[0] == pytest.approx(rotate(unrotated, method="quartimin", tolerance=1e-8).criterion)


def test_varimax_and_promax_normalise_by_default():
    unrotated = noisy()
    by_default = rotate(unrotated, method="varimax").loadings
    np.testing.assert_allclose(by_default, rotate(unrotated, method="varimax", normalize=True).loadings)
    assert np.abs(by_default - rotate(unrotated, method="varimax", normalize=False).loadings).max() > 1e-4


def test_crawford_ferguson_contains_quartimax_and_varimax():
    unrotated = noisy()
    for kappa, method in ((0.0, "quartimax"), (1 / 12, "varimax")):
        general = rotate(unrotated, method="cfT", kappa=kappa, tolerance=1e-9)
        special = rotate(unrotated, method=method, normalize=False, tolerance=1e-9)
        np.testing.assert_allclose(general.loadings, special.loadings, atol=1e-6)


def test_one_factor_is_left_alone():
    loadings = np.array([[0.5], [0.6], [0.7]])
    np.testing.assert_array_equal(rotate(loadings, method="oblimin").loadings, loadings)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "oblimini"}, "Did you mean 'oblimin'"),
        ({"method": "oblimin", "delta": 0.1}, "no parameter 'delta'"),
        ({"method": "targetQ"}, "needs a target"),
        ({"method": "targetQ", "target": np.eye(3)}, "shape"),
        ({"method": "targetT", "target": np.full((12, 3), np.nan)}, "pstT"),
        ({"method": "pstQ", "target": SIMPLE}, "needs a weights"),
        ({"method": "simplimax", "n_zeros": 0}, "n_zeros=0"),
        ({"method": "varimax", "n_starts": 0}, "n_starts=0"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(OptionError, match=message):
        rotate(noisy(), **options)


def test_loadings_must_be_finite():
    with pytest.raises(DataError, match="finite"):
        rotate(np.array([[0.5, np.nan], [0.4, 0.2]]), method="varimax")


def test_procrustes_recovers_a_turned_matrix():
    turned, phi = procrustes(SIMPLE @ TURN, SIMPLE)
    np.testing.assert_allclose(turned, SIMPLE, atol=1e-12)
    np.testing.assert_array_equal(phi, np.eye(3))
    correlations = np.array([[1, 0.3, 0.2], [0.3, 1, 0.4], [0.2, 0.4, 1]])
    root = np.linalg.cholesky(correlations)
    pattern, phi = procrustes(SIMPLE @ root @ TURN, SIMPLE, oblique=True)
    np.testing.assert_allclose(pattern, SIMPLE, atol=1e-10)
    np.testing.assert_allclose(phi, correlations, atol=1e-10)


def test_congruence_matches_items_by_name():
    left = pd.DataFrame(SIMPLE, index=[f"i{j}" for j in range(12)], columns=["A", "B", "C"])
    found = congruence(left, left.iloc[::-1])
    np.testing.assert_allclose(found.to_numpy(), np.eye(3), atol=1e-12)
    assert list(found.index) == ["A", "B", "C"]
    with pytest.raises(DataError, match="i0"):
        congruence(left, left.drop(index="i0"))
    with pytest.raises(DataError, match="factors"):
        procrustes(left, left[["A"]])


def test_minima_are_counted_with_a_tolerance():
    assert count_minima(np.array([])) == 0
    assert count_minima(np.array([0.2, 0.2 + 1e-8, 0.3])) == 2


def test_the_lowest_start_is_kept_even_if_it_has_not_settled() -> None:
    from psm_analysis.rotation.gradient_projection import GradientProjection
    from psm_analysis.rotation.rotate import _best

    def search(criterion: list[float], converged: list[bool]) -> GradientProjection:
        return GradientProjection(np.zeros((3, 2, 2)), np.array(criterion), np.array(converged), 9)

    assert _best(search([0.5, 0.1, 0.3], [True, False, True])) == 1
    assert _best(search([0.5, 0.1, 0.1 + 1e-7], [True, False, True])) == 2
