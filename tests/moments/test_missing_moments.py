"""EM moments: closed forms, stationarity, patterns, and Little's test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError
from psm_analysis.moments.missing import em_moments, normal_loglik
from psm_analysis.moments.patterns import find_patterns


def incomplete(n: int, p: int, *, share: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) + 0.8 * rng.standard_normal((n, 1)) + np.arange(p)
    x[rng.random((n, p)) < share] = np.nan
    return x


def test_complete_data_give_the_sample_moments_in_closed_form() -> None:
    x = incomplete(50, 3, share=0.0, seed=1)
    moments = em_moments(x)
    np.testing.assert_allclose(moments.mean, x.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(x.T, ddof=0), atol=1e-12)
    n, p = x.shape
    expected = -n / 2 * (p * np.log(2 * np.pi) + np.linalg.slogdet(np.cov(x.T, ddof=0))[1] + p)
    assert moments.loglik == pytest.approx(expected, abs=1e-9)


def test_monotone_missingness_has_the_factored_likelihood_solution() -> None:
    """Anderson (1957): y2 regressed on y1 among the complete cases, combined with all of y1."""
    rng = np.random.default_rng(2)
    y1 = rng.normal(2.0, 1.5, 200)
    y2 = 1.0 + 0.6 * y1 + rng.standard_normal(200)
    y2[y1 > 2.5] = np.nan
    seen = ~np.isnan(y2)
    slope, intercept = np.polyfit(y1[seen], y2[seen], 1)
    residual = np.mean((y2[seen] - intercept - slope * y1[seen]) ** 2)
    mean, variance = y1.mean(), y1.var()
    moments = em_moments(np.column_stack([y1, y2]))
    np.testing.assert_allclose(moments.mean, [mean, intercept + slope * mean], atol=1e-6)
    expected = [[variance, slope * variance], [slope * variance, residual + slope**2 * variance]]
    np.testing.assert_allclose(moments.covariance, expected, atol=1e-6)


def test_solution_is_a_stationary_point_and_beats_its_neighbours() -> None:
    patterns = find_patterns(incomplete(300, 5, share=0.35, seed=3))
    moments = em_moments(patterns)
    rng = np.random.default_rng(4)
    for _ in range(20):
        shift, twist = rng.standard_normal(5), rng.standard_normal((5, 5))
        for sign in (-1e-3, 1e-3):
            near = moments.covariance + sign * (twist + twist.T)
            assert normal_loglik(patterns, moments.mean + sign * shift, covariance=near) < moments.loglik


def test_patterns_reproduce_the_rows() -> None:
    x = incomplete(120, 4, share=0.3, seed=5)
    x[7] = np.nan
    patterns = find_patterns(x)
    assert patterns.row_pattern[7] == -1
    assert patterns.n_rows == (~np.isnan(x)).any(axis=1).sum()
    assert (np.diff(patterns.counts) <= 0).all()
    for k, seen in enumerate(patterns.observed):
        rows = x[patterns.row_pattern == k]
        assert np.array_equal(~np.isnan(rows), np.tile(seen, (len(rows), 1)))
        np.testing.assert_allclose(patterns.means[k][seen], rows[:, seen].mean(axis=0))
        expected = np.cov(rows[:, seen].T, ddof=0).reshape(seen.sum(), seen.sum())
        np.testing.assert_allclose(patterns.scatters[k][np.ix_(seen, seen)], expected, atol=1e-12)


def test_little_separates_random_from_dependent_missingness() -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((600, 3)) + rng.standard_normal((600, 1))
    at_random, dependent = x.copy(), x.copy()
    at_random[rng.random(600) < 0.3, 1] = np.nan
    dependent[(x[:, 0] > 0.3), 1] = np.nan
    assert psm.little_mcar(pd.DataFrame(at_random)).p_value > 0.05
    assert psm.little_mcar(pd.DataFrame(dependent)).p_value < 1e-6


def test_little_has_the_nominal_size() -> None:
    rng = np.random.default_rng(7)
    p_values = []
    for _ in range(120):
        x = rng.standard_normal((200, 4)) + rng.standard_normal((200, 1))
        x[rng.random(x.shape) < 0.1] = np.nan
        p_values.append(psm.little_mcar(pd.DataFrame(x)).p_value)
    assert 0.40 < np.mean(p_values) < 0.60


def test_nothing_missing_is_a_clear_error() -> None:
    with pytest.raises(DataError, match="same missing-data pattern"):
        psm.little_mcar(pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 1, 3]}))


def test_a_copied_item_is_a_clear_error() -> None:
    x = incomplete(60, 2, share=0.0, seed=8)
    x = np.column_stack([x, x[:, 0]])
    x[:10, 1] = np.nan
    with pytest.raises(DataError, match="singular"):
        em_moments(x)
