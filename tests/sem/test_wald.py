"""Wald tests: equal to hand calculations, and to lavaan's lavTestWald."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

MODEL = "visual =~ x1 + b1*x2 + b2*x3\ntextual =~ x4 + b3*x5 + b4*x6\nspeed =~ x7 + b5*x8 + b6*x9\nd := b1 - b2"


@pytest.fixture(scope="module")
def fit(golden_data):  # type: ignore[no-untyped-def]
    return psm.cfa(MODEL, golden_data("holzinger.csv"))


def test_one_hypothesis_is_the_squared_z_of_a_definition(fit: psm.SemResult) -> None:
    test = psm.wald_test(fit, "b1 == b2")
    defined = fit.tidy().query("lhs == 'd'").iloc[0]
    assert test.statistic == pytest.approx(defined["statistic"] ** 2, rel=1e-10)
    assert test.p_value == pytest.approx(defined["p_value"], rel=1e-8)
    assert psm.wald_test(fit, "d == 0").statistic == pytest.approx(test.statistic, rel=1e-10)


def test_joint_hypotheses_against_lavaan(fit: psm.SemResult) -> None:
    """lavTestWald(fit, "2*b1 == b3; b2 - b3 == 0") of lavaan 0.6-14 gives 11.87321 on 2 df, p = .00264."""
    test = psm.wald_test(fit, "2*b1 == b3\nb2 - b3 == 0")
    assert test.statistic == pytest.approx(11.87321, abs=2e-3)
    assert test.df == 2
    assert len(test.tidy()) == 2


def test_robust_fits_use_their_own_covariance_matrix(golden_data) -> None:  # type: ignore[no-untyped-def]
    robust = psm.cfa(MODEL, golden_data("holzinger.csv"), estimator="MLR")
    J = np.zeros(len(robust.vcov))
    J[list(robust.vcov.index).index("b1")] = 1.0
    estimate = robust.tidy().query("label == 'b1'")["estimate"].iloc[0]
    expected = (estimate - 0.5) ** 2 / (J @ robust.vcov.to_numpy() @ J)
    assert psm.wald_test(robust, "b1 == 0.5").statistic == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("b1 == b9", "not in the model"),
        ("b1 > b2", "needs equalities"),
        ("b1 == b2; b2 == b1", "repeat each other"),
        ("b1 ~ b2", "not a constraint"),
        ("", "no constraint"),
    ],
)
def test_wrong_hypotheses(fit: psm.SemResult, text: str, message: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=message):
        psm.wald_test(fit, text)


def test_the_summary_names_the_hypotheses(fit: psm.SemResult) -> None:
    assert "b1 == b2" in psm.wald_test(fit, "b1 == b2").summary()
    assert isinstance(psm.wald_test(fit, "b1 == b2").glance(), pd.DataFrame)
