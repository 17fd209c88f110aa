from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.studies.rounding import rounding_range

NAMES = ["x", "y", "z"]
R = pd.DataFrame([[1, 0.61, -0.12], [0.61, 1, -0.19], [-0.12, -0.19, 1]], NAMES, NAMES)


def test_every_draw_would_be_printed_alike() -> None:
    seen: list[pd.DataFrame] = []

    def keep(matrix: pd.DataFrame) -> dict[str, float]:
        seen.append(matrix)
        return {"r": matrix.loc["x", "y"]}

    table = rounding_range(R, keep, decimals=2, draws=100, seed=3)
    assert all(np.allclose(matrix.round(2), R) and np.array_equal(matrix, matrix.T) for matrix in seen)
    assert all((np.diag(matrix) == 1).all() for matrix in seen)
    row = table.iloc[0]
    assert row["from_printed"] == 0.61
    assert 0.605 < row["lowest"] < 0.606
    assert 0.614 < row["highest"] < 0.615


def test_the_same_seed_gives_the_same_range() -> None:
    def recompute(matrix: pd.DataFrame) -> dict[str, float]:
        fit = psm.regression_from_correlations(matrix, "y", predictors=["x", "z"], nobs=139)
        return {"R2": fit.r_squared}

    first, second = (rounding_range(R, recompute, decimals=2, draws=20, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert 0.002 < first["half_range"].iloc[0] < 0.008


def test_variances_of_a_covariance_matrix_are_drawn_too() -> None:
    table = rounding_range(4 * R, lambda S: {"var": S.loc["x", "x"]}, decimals=1, draws=20, seed=1)
    assert table["half_range"].iloc[0] > 0.01


def test_too_few_decimals_or_draws() -> None:
    nearly = pd.DataFrame([[1.0, 0.99], [0.99, 1.0]], ["x", "y"], ["x", "y"])
    with pytest.raises(psm.PsmAnalysisError, match="not positive definite"):
        rounding_range(nearly, lambda m: {}, decimals=1, draws=200, seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="draws=1"):
        rounding_range(R, lambda m: {}, decimals=2, draws=1, seed=1)
