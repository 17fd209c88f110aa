"""Expected values: R 4.2, MASS::polr (numerical Hessian, hence 1e-3 on the errors) and sandwich::vcovCL."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

PREDICTORS = ["age", "grade", "psm", "burnout"]


def test_estimates_are_those_of_polr(survey: pd.DataFrame) -> None:
    tidy = psm.ordered_logit(survey, "quit", predictors=PREDICTORS).tidy()
    expected = [
        0.0126017872,
        -0.0205269164,
        -0.3688633577,
        -0.6029018159,
        0.9619671194,
        -1.027723124,
        0.535892042,
        1.677961103,
    ]
    assert tidy["estimate"].to_numpy() == pytest.approx(expected, abs=2e-9)
    errors = [
        0.0114042761,
        0.3056788345,
        0.3091536533,
        0.1350194612,
        0.1307780838,
        0.543514792,
        0.545611107,
        0.556807902,
    ]
    assert tidy["std_error"].to_numpy() == pytest.approx(errors, rel=1e-3)
    assert tidy["term"].tolist()[-3:] == ["1|2", "2|3", "3|4"]
    assert tidy["kind"].tolist() == ["predictor"] * 5 + ["threshold"] * 3


def test_fit_row(survey: pd.DataFrame) -> None:
    glance = psm.ordered_logit(survey, "quit", predictors=PREDICTORS).glance().iloc[0]
    assert glance["logl"] == pytest.approx(-284.128864868, rel=1e-10)
    assert glance["aic"] == pytest.approx(584.257729737, rel=1e-10)
    assert glance["statistic"] == pytest.approx(2 * (glance["logl"] - glance["logl_null"]))
    assert (glance["test"], glance["df1"], glance["nobs"]) == ("likelihood ratio", 5, 240)


def test_clustered_errors(survey: pd.DataFrame) -> None:
    fit = psm.ordered_logit(survey, "quit", predictors=PREDICTORS, cluster="township")
    errors = [
        0.00864503697,
        0.27982656515,
        0.32919852548,
        0.13300915595,
        0.12392554639,
        0.42175923095,
        0.4613328759,
        0.5024344636,
    ]
    assert fit.tidy()["std_error"].to_numpy() == pytest.approx(errors, rel=1e-3)
    assert fit.glance()["test"].iloc[0] == "Wald"
    assert fit.glance()["n_clusters"].iloc[0] == 24


def test_errors_are_the_curvature_of_the_likelihood(survey: pd.DataFrame) -> None:
    from psm_analysis.regression.ordinal import _derivatives, _probabilities

    codes = survey["quit"].to_numpy() - 1
    X = survey[["psm", "burnout"]].to_numpy()
    point = np.array([-0.4, 0.7, -1.2, 0.1, 1.5])
    scores, hessian = _derivatives(point, codes, X=X)

    def logl(params: np.ndarray) -> float:
        return float(np.log(_probabilities(params, codes, X=X)[2]).sum())

    step = 1e-6 * np.eye(5)
    gradient = [(logl(point + h) - logl(point - h)) / 2e-6 for h in step]
    assert scores.sum(axis=0) == pytest.approx(gradient, rel=1e-6)
    columns = [
        (_derivatives(point + h, codes, X=X)[0] - _derivatives(point - h, codes, X=X)[0]).sum(0) / 2e-6 for h in step
    ]
    assert hessian == pytest.approx(np.array(columns), rel=1e-5, abs=1e-5)


def test_odds_ratios(survey: pd.DataFrame) -> None:
    tidy = psm.ordered_logit(survey, "quit", predictors=["psm"]).tidy()
    first = tidy.iloc[0]
    assert first["odds_ratio"] == pytest.approx(np.exp(first["estimate"]))
    assert first["odds_ratio_low"] == pytest.approx(np.exp(first["ci_low"]))
    assert tidy.loc[tidy["kind"] == "threshold", "odds_ratio"].isna().all()


def test_reversing_the_outcome_reverses_the_signs(survey: pd.DataFrame) -> None:
    up = psm.ordered_logit(survey, "quit", predictors=["psm", "burnout"]).tidy()["estimate"].to_numpy()
    down = psm.ordered_logit(survey.assign(quit=5 - survey["quit"]), "quit", predictors=["psm", "burnout"])
    assert down.tidy()["estimate"].to_numpy() == pytest.approx([-up[0], -up[1], -up[4], -up[3], -up[2]], abs=1e-8)


def test_two_categories_are_a_logit(survey: pd.DataFrame) -> None:
    from statsmodels.discrete.discrete_model import Logit

    data = survey.assign(leave=(survey["quit"] > 2).astype(int))
    ours = psm.ordered_logit(data, "leave", predictors=["psm"]).tidy()
    logit = Logit(data["leave"], np.column_stack([np.ones(240), data["psm"]])).fit(disp=0)
    assert ours["estimate"].to_numpy() == pytest.approx([logit.params.iloc[1], -logit.params.iloc[0]], abs=1e-6)
    assert ours["std_error"].iloc[0] == pytest.approx(logit.bse.iloc[1], rel=1e-5)


def test_separation_is_said(survey: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="separates the categories"):
        psm.ordered_logit(survey.assign(copy=survey["quit"] * 1.0), "quit", predictors=["copy"])


@pytest.mark.parametrize(
    ("outcome", "words"), [("quits", "Did you mean 'quit'"), ("stay", "240 different values"), ("flat", "same value 1")]
)
def test_unusable_outcomes(survey: pd.DataFrame, outcome: str, words: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=words):
        psm.ordered_logit(survey.assign(flat=1), outcome, predictors=["psm"])
