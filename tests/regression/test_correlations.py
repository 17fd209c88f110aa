from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

NAMES = ["stress", "resilience", "quit"]
LOWER = pd.DataFrame([[1, np.nan, np.nan], [-0.31, 1, np.nan], [0.41, -0.30, 1]], NAMES, NAMES)


def test_two_predictors_by_hand() -> None:
    fit = psm.regression_from_correlations(LOWER, "quit", predictors=["stress", "resilience"], nobs=150)
    betas = [(0.41 - 0.31 * 0.30) / (1 - 0.31**2), (-0.30 + 0.31 * 0.41) / (1 - 0.31**2)]
    assert fit.tidy()["beta"].tolist() == pytest.approx(betas)
    assert fit.r_squared == pytest.approx(betas[0] * 0.41 - betas[1] * 0.30)
    assert fit.tidy()["estimate"].tolist() == fit.tidy()["beta"].tolist()


def test_raw_data_and_their_correlations_agree(survey: pd.DataFrame) -> None:
    names = ["age", "psm", "burnout"]
    raw = psm.hierarchical_regression(survey, "stay", blocks=[names]).models[0]
    numbers = survey[[*names, "stay"]]
    fit = psm.regression_from_correlations(
        numbers.corr(), "stay", predictors=names, nobs=240, sds=numbers.std().to_dict()
    )
    ours, theirs = fit.tidy(), raw.tidy().iloc[1:]
    for column in ("estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high", "beta"):
        assert ours[column].to_numpy() == pytest.approx(theirs[column].to_numpy(), rel=1e-8)
    for column in ("r_squared", "adj_r_squared", "statistic", "p_value", "df2"):
        assert fit.glance()[column].iloc[0] == pytest.approx(raw.glance()[column].iloc[0], rel=1e-8)


@pytest.mark.parametrize(
    ("cell", "value", "words"),
    [((2, 0), 1.41, "not a correlation matrix"), ((2, 0), np.nan, "missing"), ((1, 0), -1.0, "not positive definite")],
)
def test_impossible_matrices(cell: tuple[int, int], value: float, words: str) -> None:
    corr = LOWER.copy()
    corr.iloc[cell] = value
    with pytest.raises(psm.PsmAnalysisError, match=words):
        psm.regression_from_correlations(corr, "quit", predictors=["stress", "resilience"], nobs=150)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"predictors": ["stres"]}, "Did you mean 'stress'"),
        ({"predictors": []}, "non-empty"),
        ({"predictors": ["quit"]}, "used twice"),
        ({"predictors": ["stress"], "nobs": 2}, "2 respondents"),
        ({"predictors": ["stress"], "sds": {"stress": 0.0, "quit": 1.0}}, "not positive"),
        ({"predictors": ["stress"], "sds": {"stress": 1.0}}, "'quit'"),
    ],
)
def test_impossible_requests(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=words):
        psm.regression_from_correlations(LOWER, "quit", **{"nobs": 150, **arguments})  # type: ignore[arg-type]
