"""Weights, clusters and mixtures against lavaan 0.6-14 on R 4.2.2 (figures printed by it), and wrong input."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

MODEL = "X =~ psm1 + psm2 + psm3 + psm4\nM =~ bo1 + bo2 + bo3\nM ~ X"


@pytest.fixture(scope="module")
def survey(golden_data):  # type: ignore[no-untyped-def]
    return golden_data("survey.csv")


def standard_errors(result: psm.SemResult, n: int) -> np.ndarray:
    return result.tidy()["std_error"].to_numpy()[:n]


def test_clusters_with_incomplete_rows(survey: pd.DataFrame) -> None:
    result = psm.sem(MODEL, survey, cluster="unit", missing="fiml", estimator="MLR")
    assert result.fit_measures["chisq"] == pytest.approx(9.3563668, abs=1e-5)
    assert result.fit_measures["chisq_scaled"] == pytest.approx(9.1254063, abs=1e-5)
    assert result.fit_measures["baseline_chisq_scaled"] == pytest.approx(2435.2264, abs=0.01)
    expected = [0, 0.048, 0.044, 0.046, 0, 0.046, 0.043, 0.078, 0.020, 0.027]
    np.testing.assert_allclose(standard_errors(result, 10), expected, atol=6e-4)


def test_weights_in_two_groups(survey: pd.DataFrame) -> None:
    result = psm.sem(MODEL, survey, sampling_weights="weight", group="gender", estimator="MLR")
    assert result.fit_measures["chisq"] == pytest.approx(35.7923442, abs=1e-5)
    assert result.fit_measures["chisq_scaled"] == pytest.approx(31.2537023, abs=1e-4)
    expected = [0, 0.066, 0.068, 0.075, 0, 0.060, 0.053, 0.109, 0.040, 0.040]
    np.testing.assert_allclose(standard_errors(result, 10), expected, atol=6e-4)


def test_weights_of_one_change_nothing(survey: pd.DataFrame) -> None:
    plain = psm.sem(MODEL, survey, estimator="MLR")
    weighted = psm.sem(MODEL, survey.assign(w=3.0), estimator="MLR", sampling_weights="w")
    pd.testing.assert_frame_equal(plain.tidy(), weighted.tidy())


def test_doubled_rows_as_clusters_have_the_precision_of_single_ones(survey: pd.DataFrame) -> None:
    rows = survey.dropna().head(400).reset_index(drop=True)
    once = psm.sem(MODEL, rows, estimator="MLR", meanstructure=True)
    twice = pd.concat([rows, rows], ignore_index=True)
    result = psm.sem(MODEL, twice.assign(person=np.tile(np.arange(400), 2)), cluster="person")
    correction = np.sqrt(400 / 399)
    np.testing.assert_allclose(result.tidy()["std_error"], once.tidy()["std_error"] * correction, rtol=1e-6)


def test_a_mixture_without_covariates(survey: pd.DataFrame) -> None:
    model = "X =~ psm1 + psm2 + psm3 + psm4\nM =~ bo1 + bo2 + bo3\nti1 ~ X + M"
    result = psm.sem(model, survey, ordered=["psm1", "psm2", "psm3", "psm4", "ti1"])
    fit = result.fit_measures
    assert fit["chisq"] == pytest.approx(8.6980224, rel=1e-4)
    assert fit["chisq_scaled"] == pytest.approx(17.075364, rel=1e-4)
    assert fit["baseline_chisq_scaled"] == pytest.approx(2154.6024, rel=1e-4)
    assert fit["srmr"] == pytest.approx(0.015144438, rel=1e-4)
    expected = [0, 0.041, 0.040, 0.040, 0, 0.055, 0.054, 0.041, 0.024]
    np.testing.assert_allclose(standard_errors(result, 9), expected, atol=6e-4)


@pytest.mark.parametrize(
    ("options", "chisq", "scaled"),
    [({"parameterization": "theta"}, 14.837773, 24.756868), ({"missing": "pairwise"}, 14.364266, 23.894187)],
)
def test_ordinal_outcomes_given_covariates(
    survey: pd.DataFrame, options: dict[str, str], chisq: float, scaled: float
) -> None:
    rows = survey.assign(lev=survey["level"].astype("category").cat.codes.where(survey["level"].notna()) + 1.0)
    model = "X =~ psm1 + psm2 + psm3 + psm4\nX ~ gender + lev\nti1 ~ X + gender"
    result = psm.sem(model, rows, ordered=["psm1", "psm2", "psm3", "psm4", "ti1"], **options)
    assert result.fit_measures["chisq"] == pytest.approx(chisq, rel=1e-5)
    assert result.fit_measures["chisq_scaled"] == pytest.approx(scaled, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cluster": "unti"}, "Did you mean 'unit'"),
        ({"cluster": "same"}, "has one value"),
        ({"cluster": "row"}, "another value in every row"),
        ({"cluster": "gap"}, "have no value of 'gap'"),
        ({"sampling_weights": "negative"}, "not all positive"),
        ({"sampling_weights": "text"}, "not numbers"),
        ({"sampling_weights": "weight", "estimator": "ML"}, "no standard errors and test"),
        ({"sampling_weights": "weight", "missing": "fiml", "estimator": "ML"}, "no standard errors and test"),
        ({"sampling_weights": "gap", "ordered": ["psm1"]}, "have no value of 'gap'"),
        ({"sampling_weights": "negative", "missing": "fiml"}, "not all positive"),
        ({"cluster": "unit", "ordered": ["psm1"], "estimator": "WLS"}, "no standard errors and test"),
        ({"ordered": ["psm9"]}, "not in the model"),
        ({"ordered": ["psm1"], "estimator": "MLR"}, "cannot be used with ordinal"),
        ({"missing": "pairwise"}, "for ordinal variables"),
        ({"ordered": ["psm1"], "missing": "fiml"}, "Use missing='pairwise'"),
        ({"ordered": "psm1"}, "ordered is a text"),
    ],
)
def test_wrong_input_is_named(survey: pd.DataFrame, options: dict[str, str], message: str) -> None:
    data = survey.assign(
        same=1, row=np.arange(len(survey)), negative=-1.0, text="a", gap=survey["unit"].where(survey.index > 5)
    )
    with pytest.raises(psm.PsmAnalysisError, match=message):
        psm.sem(MODEL, data, **options)


def test_ordinal_data_that_cannot_be_used_are_named(survey: pd.DataFrame) -> None:
    model = "X =~ psm1 + psm2 + psm3"
    half = survey.index < 600
    apart = survey.assign(psm1=survey["psm1"].where(half), psm2=survey["psm2"].where(~half))
    cases = [
        (survey.assign(psm3=3), {}, "'psm3' has a single category"),
        (survey.assign(psm3=np.nan), {}, "'psm3' has no answers"),
        (survey.assign(psm3=np.arange(len(survey)) % 30), {}, "'psm3' has 30 categories"),
        (survey.assign(psm3=survey["psm3"] + 0.5), {}, "'psm3' has decimals"),
        (apart, {"missing": "pairwise"}, "items 'psm1' and 'psm2'"),
        (survey.assign(g=np.where(survey.index == 0, "x", "y")), {"group": "g"}, "There is 1 row .* group 'x'"),
    ]
    for data, options, message in cases:
        with pytest.raises(psm.PsmAnalysisError, match=message):
            psm.cfa(model, data, ordered=True, **options)  # type: ignore[arg-type]


def test_doubtful_polychoric_correlations_are_warned_of(survey: pd.DataFrame) -> None:
    data = survey.assign(copy=6 - survey["psm1"])
    with pytest.warns(psm.PsmAnalysisWarning, match="'psm1' and 'copy' is at its bound"):
        fit = psm.cfa("X =~ psm1 + psm2 + psm3 + copy", data, ordered=True)
    assert any("at its bound" in text for text in fit.warnings)
    binary = survey.assign(high=survey["psm2"] > 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", psm.PsmAnalysisWarning)
        texts = psm.cfa("X =~ psm1 + psm2 + high", binary, ordered=True).warnings
    assert any("matrix of polychoric correlations is not positive definite" in text for text in texts)
    assert any("'psm2' and 'high' is at its bound" in text for text in texts)


def test_an_unused_category_in_a_group_is_named(survey: pd.DataFrame) -> None:
    data = survey.copy()
    data.loc[(data["gender"] == 1) & (data["psm2"] == 5), "psm2"] = 4
    with pytest.raises(psm.PsmAnalysisError, match="chose category 5 of 'psm2'"):
        psm.cfa("X =~ psm1 + psm2 + psm3", data, ordered=True, group="gender")


def test_auxiliary_variables(survey: pd.DataFrame) -> None:
    """Figures of semTools 0.5-6 with lavaan 0.6-14: sem.auxiliary(model, data, aux = c("psm1", "ei1"))."""
    model = "M =~ bo1 + bo2 + bo3\nY =~ ti1 + ti2 + ti3\nY ~ M"
    result = psm.sem(model, survey, missing="fiml", auxiliary=["psm1", "ei1"])
    fit = result.fit_measures
    assert (fit["npar"], fit["df"], fit["baseline_df"]) == (36, 8, 15)
    assert fit["chisq"] == pytest.approx(4.479, abs=1e-3)
    assert fit["baseline_chisq"] == pytest.approx(2500.758, abs=1e-3)
    assert fit["logl"] == pytest.approx(-14467.962, abs=1e-3)
    expected = [0, 0.039, 0.037, 0, 0.047, 0.044, 0.020]
    np.testing.assert_allclose(standard_errors(result, 7), expected, atol=6e-4)
    candidates = result.modification_indices()
    assert not candidates[["lhs", "rhs"]].isin(["psm1", "ei1"]).any().any()


def test_auxiliary_variables_that_cannot_help_are_refused(survey: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="is in the model"):
        psm.sem(MODEL, survey, missing="fiml", auxiliary=["bo1"])
    with pytest.raises(psm.PsmAnalysisError, match="likelihood of incomplete rows"):
        psm.sem(MODEL, survey, auxiliary=["ei1"])
    with pytest.raises(psm.PsmAnalysisError, match="auxiliary is a text"):
        psm.sem(MODEL, survey, missing="fiml", auxiliary="ei1")
