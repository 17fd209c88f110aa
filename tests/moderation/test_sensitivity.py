"""Sensitivity to omitted confounders: against models with the residual correlation fixed, and printed values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

ASK = {"predictor": "x1", "mediator": "x4", "outcome": "x7"}


@pytest.fixture(scope="module")
def fit(holzinger: pd.DataFrame) -> psm.SemResult:
    return psm.sem("x4 ~ x1 + ageyr\nx7 ~ x4 + x1 + ageyr", holzinger)


@pytest.mark.parametrize("rho", [-0.6, 0.2, 0.5])
def test_curve_is_that_of_models_with_the_correlation_fixed(
    fit: psm.SemResult, holzinger: pd.DataFrame, rho: float
) -> None:
    """The same moments, fitted with ``psi_my = rho sqrt(psi_m psi_y)``: estimates and standard errors."""
    text = "x4 ~ a*x1 + ageyr\nx7 ~ b*x4 + x1 + ageyr\nx4 ~~ vm*x4\nx7 ~~ vy*x7\nx4 ~~ cmy*x7\nab := a*b\n"
    fixed = psm.sem(text + f"cmy == {rho}*sqrt(vm)*sqrt(vy)", holzinger)
    expected = fixed.tidy().query("lhs == 'ab'").iloc[0]
    row = psm.mediation_sensitivity(fit, **ASK, rho=[rho]).tidy().iloc[0]
    assert row["estimate"] == pytest.approx(expected["estimate"], rel=1e-5)
    assert row["std_error"] == pytest.approx(expected["std_error"], rel=1e-4)


def test_zero_of_the_curve(fit: psm.SemResult, holzinger: pd.DataFrame) -> None:
    """The effect vanishes at the residual correlation of mediator and outcome without the path between them."""
    found = psm.mediation_sensitivity(fit, **ASK)
    design = np.column_stack([np.ones(len(holzinger)), holzinger[["x1", "ageyr"]]])
    residuals = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (holzinger["x4"], holzinger["x7"])]
    assert found.rho_zero == pytest.approx(np.corrcoef(residuals)[0, 1], rel=1e-6)
    at = psm.mediation_sensitivity(fit, **ASK, rho=[found.rho_zero]).tidy()["estimate"].iloc[0]
    assert at == pytest.approx(0.0, abs=1e-12)
    middle = found.tidy().query("rho == 0").iloc[0]
    plain = psm.indirect_effects(fit, predictor="x1", outcome="x7").tidy().iloc[0]
    for column in ("estimate", "std_error", "ci_low", "ci_high"):
        assert middle[column] == pytest.approx(plain[column], rel=1e-10)
    explained = fit.r_squared
    share = found.rho_zero**2 * (1 - explained["x4"]) * (1 - explained["x7"])
    assert found.glance()["total_share"].iloc[0] == pytest.approx(share)


def test_a_confounded_population_is_recovered() -> None:
    rng = np.random.default_rng(4)
    n = 40_000
    x, u = rng.normal(size=n), rng.normal(size=n)
    m = 0.5 * x + 0.6 * u + 0.8 * rng.normal(size=n)
    y = 0.3 * m + 0.2 * x + 0.6 * u + 0.8 * rng.normal(size=n)
    fit = psm.sem("m ~ x\ny ~ m + x", pd.DataFrame({"x": x, "m": m, "y": y}))
    rho = 0.36
    found = psm.mediation_sensitivity(fit, predictor="x", mediator="m", outcome="y", rho=[0.0, rho]).tidy()
    assert found["estimate"].iloc[0] > 0.3
    assert found["estimate"].iloc[1] == pytest.approx(0.15, abs=0.01)


def test_robustness_values_are_the_printed_ones() -> None:
    """Cinelli and Hazlett (2020), Table 1 (Darfur): 0.097, 0.023, 783 df, 2.2 %, 13.9 %, 7.6 %.

    Five places: sensemakr prints 0.09732, 0.02326, t 4.18445, 0.02187, 0.13878, 0.07626 (its page of ``print``).
    """
    t, df = 0.09731582 / 0.02325654, 783
    assert psm.robustness_value(t, df) == pytest.approx(0.13878, abs=5e-6)
    assert psm.robustness_value(t, df, critical=1.962998) == pytest.approx(0.07626, abs=2e-5)
    assert t**2 / (t**2 + df) == pytest.approx(0.02187, abs=5e-6)
    assert psm.robustness_value(1.0, df, critical=1.963) == 0.0


def test_a_variable_of_that_strength_takes_the_estimate_away(holzinger: pd.DataFrame) -> None:
    """An omitted variable with partial R² = RV with predictor and outcome makes the coefficient 0, by construction."""
    fit = psm.sem("x7 ~ x4 + x1", holzinger)
    row = psm.omitted_variable_robustness(fit).tidy().set_index("path").loc["x4 -> x7"]
    rv = row["robustness"]
    design = np.column_stack([np.ones(len(holzinger)), holzinger["x1"]])

    def rest(v: np.ndarray) -> np.ndarray:
        found = v - design @ np.linalg.lstsq(design, v, rcond=None)[0]
        return found / np.linalg.norm(found)

    d = rest(holzinger["x4"].to_numpy())
    y = rest(holzinger["x7"].to_numpy())
    r = float(d @ y)
    bias = np.sqrt(rv * rv / (1 - rv)) * np.sqrt(1 - r**2)
    assert abs(r) == pytest.approx(bias, rel=1e-5)
    assert row["partial_r_squared"] == pytest.approx(r**2, rel=1e-5)


def test_refusals(fit: psm.SemResult, holzinger: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="no path from 'x2' to 'x4'"):
        psm.mediation_sensitivity(fit, predictor="x2", mediator="x4", outcome="x7")
    with pytest.raises(psm.PsmAnalysisError, match="between -1 and 1"):
        psm.mediation_sensitivity(fit, **ASK, rho=[1.0])
    two = psm.sem("x4 ~ x1\nx5 ~ x1\nx7 ~ x4 + x5 + x1", holzinger)
    with pytest.raises(psm.PsmAnalysisError, match="second mediator"):
        psm.mediation_sensitivity(two, **ASK)
    tied = psm.sem("x4 ~ x1\nx7 ~ x4\nx4 ~~ x7", holzinger)
    with pytest.raises(psm.PsmAnalysisError, match="correlated in the model already"):
        psm.mediation_sensitivity(tied, **ASK)
    groups = psm.sem("x4 ~ x1\nx7 ~ x4", holzinger, group="school")
    with pytest.raises(psm.PsmAnalysisError, match="several groups"):
        psm.mediation_sensitivity(groups, **ASK)
    with pytest.raises(psm.PsmAnalysisError, match="no free regressions"):
        psm.omitted_variable_robustness(psm.cfa("f =~ x1 + x2 + x3", holzinger))
    with pytest.raises(psm.PsmAnalysisError, match="cannot be used"):
        psm.robustness_value(2.0, 0)
