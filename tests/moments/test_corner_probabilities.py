"""Probabilities that follow moving correlations against those computed anew."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal

from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf
from psm_analysis.moments.corner_probabilities import Corners


def test_corners_follow_the_correlations() -> None:
    rng = np.random.default_rng(1)
    a, b = np.sort(rng.normal(size=(40, 3)), axis=1), np.sort(rng.normal(size=(40, 4)), axis=1)
    corners, rho = Corners.of(a, b), rng.uniform(-0.95, 0.95, size=40)
    everyone = np.arange(40)
    corners.move(rho, everyone)
    for share in (0.14, -0.09, 0.009, 0.5, 1e-5):
        rho = rho + share * (1.0 - np.abs(rho))
        corners.move(rho, everyone)
        expected = bivariate_normal_cdf(a[:, :, None], b[:, None, :], rho=rho[:, None, None])
        np.testing.assert_allclose(corners.cdf, expected, atol=3e-15)
    one = multivariate_normal([0, 0], [[1, rho[7]], [rho[7], 1]]).cdf([a[7, 2], b[7, 1]])
    assert abs(corners.cdf[7, 2, 1] - one) < 1e-6


def test_only_the_active_tables_move() -> None:
    corners = Corners.of(np.zeros((2, 1)), np.zeros((2, 1)))
    corners.move(np.array([0.5, 0.5]), np.array([0, 1]))
    corners.move(np.array([0.55]), np.array([1]))
    np.testing.assert_allclose(corners.cdf.ravel(), 0.25 + np.arcsin([0.5, 0.55]) / (2 * np.pi), atol=1e-14)


def test_density_and_its_slope() -> None:
    a, b = np.array([[-0.4]]), np.array([[1.1]])
    corners, h = Corners.of(a, b), 1e-5
    place = np.array([0])
    ends = [corners.density(np.array([0.3 + sign * h]), place)[0, 0, 0] for sign in (1, -1)]
    middle = corners.density(np.array([0.3]), place)[0, 0, 0]
    assert abs(middle - multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]]).pdf([-0.4, 1.1])) < 1e-15
    slope = middle * corners.bend(np.array([0.3]), place)[0, 0, 0]
    assert abs(slope - (ends[0] - ends[1]) / (2 * h)) < 1e-9
