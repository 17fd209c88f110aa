"""Does inference keep its word? Coverage of intervals and rejection of a true model, on simulated (synthetic) data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

pytestmark = pytest.mark.slow

NAMES = [f"x{i}" for i in range(1, 9)]
MODEL = "f =~ x1 + x2 + x3 + x4\ng =~ x5 + x6 + x7 + x8"
# Equal loadings: only then does the model also hold for numbers given to categories.
LOADINGS = np.full(8, 0.7)
CORRELATION = 0.4
SKEWED = np.array([-0.6, 0.2, 0.9, 1.6])  # skewness about 0.5
REPLICATES, ROWS = 500, 500


def responses(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return standardized answers of two correlated factors."""
    cov = np.array([[1.0, CORRELATION], [CORRELATION, 1.0]])
    factors = rng.multivariate_normal(np.zeros(2), cov, rows)
    errors = rng.normal(size=(rows, 8)) * np.sqrt(1 - LOADINGS**2)
    return np.repeat(factors, 4, axis=1) * LOADINGS + errors


def normal(rng: np.random.Generator, rows: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(responses(rng, rows), columns=NAMES)


def five_points(rng: np.random.Generator, rows: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(np.digitize(responses(rng, rows), SKEWED) + 1.0, columns=NAMES)


CASES: dict[str, tuple[Callable[[np.random.Generator], pd.DataFrame], dict[str, Any], str]] = {
    "ML on normal data": (normal, {}, "pvalue"),
    "MLR on skewed five-point items": (five_points, {"estimator": "MLR"}, "pvalue_scaled"),
    "WLSMV on skewed five-point items": (five_points, {"ordered": True}, "pvalue_scaled"),
}


def parameters(fit: psm.SemResult) -> pd.DataFrame:
    """Return loadings and the factor correlation."""
    frame = fit.tidy()
    return frame[(frame["op"] == "=~") | ((frame["lhs"] == "f") & (frame["rhs"] == "g"))]


@pytest.mark.parametrize("case", CASES)
def test_coverage_and_rejection(case: str) -> None:
    make, options, p_value = CASES[case]
    rng = np.random.default_rng(20261123)
    truth = parameters(psm.cfa(MODEL, make(rng, 1_000_000), std_lv=True, **options))["estimate"].to_numpy()
    if "MLR" not in case:  # numbers for categories have no parameters that could be written down; the others have
        np.testing.assert_allclose(truth, [*LOADINGS, CORRELATION], atol=0.01)
        truth = np.array([*LOADINGS, CORRELATION])
    covered, rejected, used = np.zeros(len(truth)), 0, 0
    for _ in range(REPLICATES):
        data = make(rng)
        if options.get("ordered") and data.nunique().min() < 5:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", psm.PsmAnalysisWarning)
            fit = psm.cfa(MODEL, data, std_lv=True, **options)
        assert fit.converged
        chosen = parameters(fit)
        covered += (chosen["ci_low"].to_numpy() <= truth) & (truth <= chosen["ci_high"].to_numpy())
        rejected += fit.fit_measures[p_value] < 0.05
        used += 1
    print(f"{case}: coverage {covered.mean() / used:.3f}, rejection {rejected / used:.3f}")
    assert used >= 0.98 * REPLICATES
    assert 0.92 <= covered.mean() / used <= 0.97
    assert 0.03 <= rejected / used <= 0.07
