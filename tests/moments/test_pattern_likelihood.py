"""The likelihood of incomplete rows by patterns: brute force over rows, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from psm_analysis.moments import pattern_likelihood
from psm_analysis.moments.pattern_likelihood import pattern_fit, pattern_inverses, pattern_weights
from psm_analysis.moments.patterns import find_patterns


@pytest.fixture(params=[0.1, 0.5, 0.8])
def rows(request: pytest.FixtureRequest) -> np.ndarray:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(80, 6)) @ rng.normal(size=(6, 6))
    values[rng.random(values.shape) < request.param] = np.nan
    return values[~np.isnan(values).all(axis=1)]


def point() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    root = rng.normal(size=(6, 6))
    return rng.normal(size=6), root @ root.T + np.eye(6)


def test_value_is_the_likelihood_of_the_rows_one_by_one(rows: np.ndarray) -> None:
    mean, covariance = point()
    total = 0.0
    for row in rows:
        o = ~np.isnan(row)
        total += multivariate_normal(mean[o], covariance[np.ix_(o, o)]).logpdf(row[o])
    constant = (~np.isnan(rows)).sum() * np.log(2 * np.pi)
    fit = pattern_fit(find_patterns(rows), mean, covariance=covariance)
    assert fit.value == pytest.approx((-2.0 * total - constant) / len(rows), rel=1e-12)


def test_slopes_are_those_of_finite_differences(rows: np.ndarray) -> None:
    mean, covariance = point()
    patterns, h = find_patterns(rows), 1e-5
    fit = pattern_fit(patterns, mean, covariance=covariance)
    rng = np.random.default_rng(6)
    direction = rng.normal(size=(6, 6))
    direction = direction + direction.T
    shift = rng.normal(size=6)
    ends = [pattern_fit(patterns, mean + s * h * shift, covariance=covariance + s * h * direction) for s in (1, -1)]
    slope = (ends[0].value - ends[1].value) / (2 * h)
    assert np.sum(fit.G * direction) + fit.g @ shift == pytest.approx(slope, rel=1e-7)


def test_inverses_are_those_of_the_observed_blocks(rows: np.ndarray) -> None:
    _, covariance = point()
    patterns = find_patterns(rows)
    weight, log_determinant = pattern_inverses(patterns, covariance)
    for o, W, value in zip(patterns.observed, weight, log_determinant, strict=True):
        block = covariance[np.ix_(o, o)]
        np.testing.assert_allclose(W[np.ix_(o, o)], np.linalg.inv(block), rtol=1e-9, atol=1e-12)
        assert not W[~o].any()
        assert not W[:, ~o].any()
        assert value == pytest.approx(np.linalg.slogdet(block)[1], abs=1e-10)


def test_patterns_in_parts_give_the_same(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    mean, covariance = point()
    patterns = find_patterns(rows)
    whole = pattern_fit(patterns, mean, covariance=covariance)
    monkeypatch.setattr(pattern_likelihood, "CELLS", 36 * 7)
    parts = pattern_fit(patterns, mean, covariance=covariance)
    assert parts.inner is None
    assert parts.value == pytest.approx(whole.value, rel=1e-13)
    np.testing.assert_allclose(parts.G, whole.G, atol=1e-13)
    np.testing.assert_allclose(parts.g, whole.g, atol=1e-13)
    assert whole.inner is not None
    np.testing.assert_allclose(pattern_weights(patterns, mean, covariance=covariance)[1], whole.inner[1], atol=1e-12)
