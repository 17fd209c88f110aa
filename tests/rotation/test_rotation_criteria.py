"""Gradients against finite differences, batches against single matrices, values against hand computation."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from psm_analysis.rotation import criteria

RNG = np.random.default_rng(20240)
TARGET = RNG.normal(size=(7, 3))
WEIGHTS = (RNG.random((7, 3)) > 0.4).astype(float)
CRITERIA = {
    "cf": partial(criteria.crawford_ferguson, kappa=0.3),
    "quartimax": criteria.quartimax,
    "varimax": criteria.varimax,
    "oblimin": partial(criteria.oblimin, gam=0.4),
    "quartimin": criteria.oblimin,
    "geomin": criteria.geomin,
    "bentler": criteria.bentler,
    "simplimax": partial(criteria.simplimax, n_zeros=9),
    "bifactor": criteria.bifactor,
    "infomax": criteria.infomax,
    "entropy": criteria.entropy,
    "oblimax": criteria.oblimax,
    "target": partial(criteria.target, target=TARGET),
    "pst": partial(criteria.partially_specified_target, target=TARGET, weights=WEIGHTS),
}


@pytest.mark.parametrize("name", CRITERIA)
def test_gradient_agrees_with_finite_differences(name):
    criterion = CRITERIA[name]
    loadings = RNG.normal(scale=0.5, size=(7, 3))
    _, gradient = criterion(loadings)
    numeric = np.empty_like(loadings)
    for index in np.ndindex(loadings.shape):
        step = np.zeros_like(loadings)
        step[index] = 1e-6
        numeric[index] = (criterion(loadings + step)[0] - criterion(loadings - step)[0]) / 2e-6
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)


@pytest.mark.parametrize("name", CRITERIA)
def test_batch_equals_one_by_one(name):
    criterion = CRITERIA[name]
    batch = RNG.normal(size=(4, 7, 3))
    values, gradients = criterion(batch)
    assert values.shape == (4,)
    for one, value, gradient in zip(batch, values, gradients, strict=True):
        np.testing.assert_allclose(criterion(one)[0], value)
        np.testing.assert_allclose(criterion(one)[1], gradient)


def test_values_by_hand():
    loadings = np.array([[0.8, 0.2], [0.1, 0.7]])
    complexity = 0.64 * 0.04 + 0.01 * 0.49
    assert criteria.oblimin(loadings)[0] == pytest.approx(complexity / 2)
    assert criteria.crawford_ferguson(loadings, kappa=0.0)[0] == pytest.approx(complexity / 2)
    assert criteria.quartimax(loadings)[0] == pytest.approx(-(0.64**2 + 0.04**2 + 0.01**2 + 0.49**2) / 4)
    assert criteria.geomin(loadings, delta=0.01)[0] == pytest.approx(np.sqrt(0.65 * 0.05) + np.sqrt(0.02 * 0.5))
    assert criteria.simplimax(loadings, n_zeros=2)[0] == pytest.approx(0.05)


def test_perfect_structure_has_no_complexity():
    perfect = np.kron(np.eye(3), np.full((3, 1), 0.7))
    assert criteria.oblimin(perfect)[0] == 0
    assert criteria.infomax(perfect)[0] == pytest.approx(0, abs=1e-12)
    assert criteria.bentler(perfect)[0] == pytest.approx(0, abs=1e-12)
