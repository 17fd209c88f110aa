"""Standardized residuals and residual fit measures of ordinal fits and of fits to incomplete rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

TWO = "a =~ psm1 + psm2 + psm3 + psm4\nb =~ psm5 + psm6 + psm7 + psm8"
# lavResiduals(fit)$cov.z of lavaan 0.6-14, first column
WLSMV = {"psm1": [0, 1.46363, -0.1994, -0.69959, -0.29727, -0.68293, 0.28513, -0.85035]}
ULSMV = {"psm1": [0, 1.63873, 0.34871, -0.9486, -0.58611, -0.70368, 0.25008, -0.85901]}
LOADINGS = np.array([0.8, 0.7, 0.6, 0.7])


def _answers(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=(n, 1)) * LOADINGS + rng.normal(size=(n, 4)) * np.sqrt(1 - LOADINGS**2)


def _spread(fits: list[psm.SemResult], group: str | None = None) -> np.ndarray:
    tables = [fit.residuals("standardized") for fit in fits]
    chosen = [table if group is None else table[group] for table in tables]
    return np.std([table.to_numpy()[np.tril_indices(4, -1)] for table in chosen], axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_incomplete_rows_have_residuals_of_unit_spread(estimator: str) -> None:
    """Those of lavaan 0.6-14 rest on the structured information and differ by some 5 %."""
    rng = np.random.default_rng(5)
    fits = []
    for _ in range(200):
        rows = _answers(rng, 300)
        rows[rng.uniform(size=rows.shape) < 0.15] = np.nan
        frame = pd.DataFrame(rows, columns=list("abcd"))
        fits.append(psm.cfa("f =~ a + b + c + d", frame, std_lv=True, missing="fiml", estimator=estimator))
    np.testing.assert_allclose(_spread(fits), 1.0, atol=0.17)


@pytest.mark.slow
def test_groups_of_ordinal_answers_have_residuals_of_unit_spread() -> None:
    """Unequal groups with equal loadings; those of lavaan 0.6-14 are too large, as if each group had all rows."""
    rng = np.random.default_rng(6)
    fits = []
    for _ in range(100):
        frame = pd.DataFrame(np.digitize(_answers(rng, 600), [-0.7, 0.3]), columns=list("abcd"))
        frame["g"] = np.repeat(["x", "y"], [200, 400])
        fits.append(psm.cfa("f =~ a + b + c + d", frame, ordered=True, group="g", group_equal=["loadings"]))
    for group in ("x", "y"):
        np.testing.assert_allclose(_spread(fits, group), 1.0, atol=0.22)


@pytest.fixture(scope="module")
def survey(golden_data) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return golden_data("survey.csv")


def test_standardized_residuals_agree_with_lavaan(survey: pd.DataFrame) -> None:
    fit = psm.cfa(TWO, survey, ordered=True)
    np.testing.assert_allclose(fit.residuals("standardized")["psm1"], WLSMV["psm1"], atol=2e-4)
    other = psm.cfa(TWO, survey, ordered=True, estimator="ULSMV", missing="pairwise", parameterization="theta")
    np.testing.assert_allclose(other.residuals("standardized")["psm1"], ULSMV["psm1"], atol=2e-4)


def test_residuals_given_exogenous_variables_and_mixed(survey: pd.DataFrame) -> None:
    fit = psm.sem("a =~ psm1 + psm2 + bo1\na ~ gender", survey, ordered=["psm1", "psm2"])
    z = fit.residuals("standardized")
    assert (z.to_numpy() == z.to_numpy().T).all()
    assert z.loc["gender", "gender"] == z.loc["psm1", "psm1"] == 0.0
    assert abs(z.loc["psm1", "gender"]) > 0.0


def test_root_mean_square_residuals_of_ordinal_fits(survey: pd.DataFrame) -> None:
    """fitMeasures() of lavaan 0.7-2: the cases psm-wlsmv, mixed-ordinal-continuous and psm-mg-ordinal-configural."""
    text = "\n".join(
        f"{name} =~ " + " + ".join(f"psm{4 * k + i}" for i in range(1, 5))
        for k, name in enumerate(("aps", "cpv", "com", "ss"))
    )
    one = psm.cfa(text, survey, ordered=True).fit_measures
    assert one["rmr"] == pytest.approx(0.015536481844, rel=1e-5)
    assert one["rmr_nomean"] == pytest.approx(0.018840751675, rel=1e-5)
    assert one["wrmr"] == pytest.approx(0.51050043133, rel=1e-5)
    groups = psm.cfa(text, survey, ordered=True, group="gender").fit_measures
    assert groups["rmr"] == pytest.approx(0.024353810273, rel=1e-5)
    assert groups["wrmr"] == pytest.approx(0.7982015721, rel=1e-5)
    mixed = psm.sem(
        "PSM =~ psm1 + psm2 + psm3 + psm4\nBO =~ bo1 + bo2 + bo3\nBO ~ PSM + gender\nti1 ~ BO + PSM",
        survey,
        ordered=["psm1", "psm2", "psm3", "psm4", "ti1"],
    ).fit_measures
    assert mixed["rmr"] == pytest.approx(0.032761611859, rel=1e-5)
    assert mixed["rmr_nomean"] == pytest.approx(0.022872232995, rel=1e-5)
    assert mixed["wrmr"] == pytest.approx(0.49715953548, rel=1e-5)


def test_correlated_ordinal_variables_without_factors(survey: pd.DataFrame) -> None:
    fit = psm.cfa("psm1 ~~ psm2 + psm3\npsm2 ~~ psm3", survey, ordered=True)
    expected = psm.polychoric(survey[["psm1", "psm2", "psm3"]].dropna()).correlations
    found = fit.tidy().query("op == '~~' and lhs != rhs")
    for row in found.itertuples():
        assert row.estimate == pytest.approx(expected.loc[row.lhs, row.rhs], abs=1e-7)


def test_a_single_ordinal_outcome_has_no_residual_correlations(survey: pd.DataFrame) -> None:
    fit = psm.sem("ti1 ~ bo1 + gender", survey, ordered=["ti1"])
    assert fit.fit_measures["crmr_nomean"] == 0.0
    assert fit.converged


def test_robust_measures_of_incomplete_rows_with_many_gaps(survey: pd.DataFrame) -> None:
    """fitMeasures(cfa(..., missing = "fiml")) of lavaan 0.6-14: residuals follow the weights of the incomplete rows."""
    rows = survey[[f"psm{i}" for i in range(1, 9)]].astype(float).copy()
    for k, name in enumerate(rows.columns):
        rows.loc[(rows.index * 7 + 3 * k) % 5 < 2, name] = np.nan
    rows["gender"] = survey["gender"]
    one = "a =~ psm1 + psm2 + psm3 + psm4 + psm5 + psm6 + psm7"
    for model, estimator, cfi, rmsea in (
        (one + " + psm8", "ML", 0.7710528, 0.1502700),
        (one + " + psm8", "MLR", 0.7701057, 0.1507022),
        (one + "\na ~ gender", "ML", 0.7763167, 0.1413921),
        (one + "\na ~ gender", "MLR", 0.7753037, 0.1418242),
    ):
        fit = psm.sem(model, rows, missing="fiml", estimator=estimator)  # type: ignore[arg-type]
        assert fit.fit_measures["cfi_robust"] == pytest.approx(cfi, abs=2e-4)
        assert fit.fit_measures["rmsea_robust"] == pytest.approx(rmsea, abs=2e-4)
