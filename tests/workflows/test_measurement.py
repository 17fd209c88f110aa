"""The measurement model frozen with a scoring model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.workflows.measurement import fixed_text, frozen_measurement

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"


def test_frozen_parameters_reproduce_the_fit_of_the_reference() -> None:
    answers = psm.read_survey(WAVES / "wave1.csv", instruments="psm16").items("psm16").dropna()
    model = psm.get_instrument("psm16").model()
    frozen, fit = frozen_measurement(answers, model), psm.cfa(model, answers, meanstructure=True)
    again = psm.cfa(
        fixed_text(frozen),
        meanstructure=True,
        sample_cov=answers.cov(),
        sample_mean=answers.mean(),
        sample_nobs=len(answers),
    )
    assert again.fit_measures["chisq"] == pytest.approx(fit.fit_measures["chisq"], rel=1e-9)
    assert again.fit_measures["df"] == 16 * 19 / 2
    assert again.fit_measures["srmr"] == pytest.approx(frozen.srmr, rel=1e-9)
    assert (frozen.nobs, frozen.df, frozen.problem) == (len(answers), 98, "")


def test_the_fixed_model_has_the_likelihood_ratio_of_its_formula() -> None:
    rng = np.random.default_rng(4)
    loadings, n = np.array([1.0, 0.8, 0.9, 0.7]), 400
    old, new = (rng.normal(size=(n, 1)) * loadings + rng.normal(size=(n, 4)) for _ in range(2))
    columns = list("abcd")
    frozen = frozen_measurement(pd.DataFrame(old, columns=columns), "f =~ a + b + c + d")
    value = {(c.lhs, c.op, c.rhs): c.value for c in frozen.coefficients}
    slopes = np.array([value["f", "=~", name] for name in columns])
    Sigma = np.outer(slopes, slopes) * value["f", "~~", "f"] + np.diag([value[x, "~~", x] for x in columns])
    S, gap = np.cov(new.T, bias=True), new.mean(axis=0) - np.array([value[x, "~1", ""] for x in columns])
    inverse = np.linalg.inv(Sigma)
    chisq = np.linalg.slogdet(Sigma)[1] - np.linalg.slogdet(S)[1] + np.trace(S @ inverse) - 4 + gap @ inverse @ gap
    frame = pd.DataFrame(new, columns=columns)
    fit = psm.cfa(
        fixed_text(frozen), meanstructure=True, sample_cov=frame.cov(), sample_mean=frame.mean(), sample_nobs=n
    )
    assert fit.fit_measures["chisq"] == pytest.approx(n * chisq, rel=1e-9)


def test_a_model_that_cannot_be_fitted_is_kept_as_the_reason() -> None:
    wave = psm.wave_from_frame(
        pd.DataFrame({f"turnover{j}": [1, 2, 4, 5, 3, 3] for j in (1, 2, 3)}), instruments="turnover3"
    )
    frozen = psm.calibrate(wave, "turnover3").measurement
    assert frozen.model == ""
    assert "singular" in frozen.problem
