"""Monte Carlo studies against a naive loop, and against what theory says of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulation.models import MEDIATION, SIMPLE, TRUE_MEDIATION, TRUE_SIMPLE

import psm_analysis as psm
from psm_analysis.simulation.codes import code_moments


@pytest.fixture(scope="module")
def people():  # type: ignore[no-untyped-def]
    return psm.population(TRUE_MEDIATION)


@pytest.fixture(scope="module")
def study(people):  # type: ignore[no-untyped-def]
    return psm.monte_carlo(people, MEDIATION, nobs=300, seed=7, replicates=400)


def test_equal_to_a_naive_loop(people, study) -> None:  # type: ignore[no-untyped-def]
    for number in (0, 17, 399):
        fit = psm.sem(MEDIATION, people.generate(300, seed=7, replicate=number))
        frame, found = fit.tidy(), study.replicates
        np.testing.assert_allclose(found.estimates[number], frame["estimate"], atol=1e-8)
        np.testing.assert_allclose(found.errors[number], frame["std_error"], atol=1e-8)
        for name in ("chisq", "df", "pvalue", "cfi", "rmsea"):
            assert found.measure(name)[number] == pytest.approx(fit.fit_measures[name], abs=1e-7)


def test_numbers_do_not_depend_on_batch_or_processes(people, study) -> None:  # type: ignore[no-untyped-def]
    parts = psm.monte_carlo(people, MEDIATION, nobs=300, seed=7, replicates=40, batch=7)
    np.testing.assert_allclose(parts.replicates.estimates, study.replicates.estimates[:40], atol=1e-9)
    several = psm.monte_carlo(people, MEDIATION, nobs=300, seed=7, replicates=40, batch=7, processes=2)
    np.testing.assert_array_equal(several.replicates.estimates, parts.replicates.estimates)
    np.testing.assert_array_equal(several.replicates.errors, parts.replicates.errors)


def test_the_right_model_is_unbiased_with_right_errors(study) -> None:  # type: ignore[no-untyped-def]
    table = study.tidy()
    assert len(table) == 28
    error = table["sd"] / np.sqrt(400)
    assert ((table["bias"]).abs() < 4.5 * error).all()
    assert table["se_ratio"].between(0.86, 1.14).all()
    assert table["coverage"].between(0.91, 0.985).all()
    paths = table.set_index("label").loc[["a", "b", "c", "ab"]]
    assert paths["true"].tolist() == pytest.approx([0.5, 0.4, 0.2, 0.2], abs=1e-7)
    row = study.glance().iloc[0]
    assert row["converged"] == 400
    assert 0.02 < row["rejected"] < 0.10
    assert row["df"] == 51


def test_table_by_hand(study) -> None:  # type: ignore[no-untyped-def]
    row = study.tidy().set_index("label").loc["c"]
    place = int(np.flatnonzero(study.target.names["label"] == "c")[0])
    draws, errors = study.replicates.estimates[:, place], study.replicates.errors[:, place]
    assert row["power"] == pytest.approx((np.abs(draws / errors) > 1.959964).mean())
    covered = (draws - 1.959964 * errors < 0.2) & (draws + 1.959964 * errors > 0.2)
    assert row["coverage"] == pytest.approx(covered.mean())
    assert row["relative_bias"] == pytest.approx(draws.mean() / 0.2 - 1.0, abs=1e-6)
    assert study.estimates["ab := a*b"].mean() == pytest.approx(study.tidy().set_index("label").loc["ab", "estimate"])


def test_true_values_are_in_the_units_of_the_analysis() -> None:
    people = psm.population("f =~ 0.8*a + 0.6*b + 0.4*c; f ~~ 1*f", standardized=True)
    table = psm.monte_carlo(people, "f =~ a + b + c", nobs=400, seed=1, replicates=20).tidy()
    assert table["true"].tolist() == pytest.approx([0.75, 0.5, 0.36, 0.64, 0.84, 0.64], abs=1e-6)
    own = psm.monte_carlo(people, "f =~ a + l*b + c", nobs=400, seed=1, replicates=20, truth={"l": 0.7}).tidy()
    assert own.set_index("label").loc["l", "true"] == 0.7
    with pytest.raises(psm.PsmAnalysisError, match="no parameter 'k'"):
        psm.monte_carlo(people, "f =~ a + l*b + c", nobs=400, seed=1, replicates=20, truth={"k": 0.7})


def test_a_model_that_does_not_hold_is_told_of(people) -> None:  # type: ignore[no-untyped-def]
    with pytest.warns(psm.PsmAnalysisWarning, match="does not hold in the population"):
        found = psm.monte_carlo(people, MEDIATION.replace("+ c*X", ""), nobs=300, seed=1, replicates=20)
    assert found.warnings


@pytest.mark.filterwarnings("ignore:.*does not hold:psm_analysis.PsmAnalysisWarning")
def test_groups_and_pooled_groups() -> None:
    text = "f =~ 1*a + c(0.8, 0.6)*b + 0.7*c + 0.9*d; f ~ c(0, 0.5)*1"
    people = psm.population(text, groups=["A", "B"])
    model = "f =~ a + b + c + d"
    study = psm.monte_carlo(people, model, nobs=[150, 250], seed=3, replicates=6, group="group")
    fit = psm.sem(model, people.generate([150, 250], seed=3, replicate=4), group="group")
    np.testing.assert_allclose(study.replicates.estimates[4], fit.tidy()["estimate"], atol=1e-8)
    assert study.tidy()["group"].unique().tolist() == ["A", "B"]
    equal = psm.monte_carlo(
        people, model, nobs=400, seed=3, replicates=6, group="group", group_equal=["loadings", "intercepts"]
    )
    one = psm.sem(
        model,
        people.generate(400, seed=3, replicate=5),
        group="group",
        group_equal=["loadings", "intercepts"],
    )
    np.testing.assert_allclose(equal.replicates.errors[5], one.tidy()["std_error"], atol=1e-8)
    together = psm.monte_carlo(people, model, nobs=[150, 250], seed=3, replicates=6)
    pooled = psm.sem(model, people.generate([150, 250], seed=3, replicate=2))
    np.testing.assert_allclose(together.replicates.estimates[2], pooled.tidy()["estimate"], atol=1e-8)


def test_exogenous_variables_are_fixed() -> None:
    people = psm.population(TRUE_SIMPLE, standardized=True)
    study = psm.monte_carlo(people, SIMPLE, nobs=100, seed=2, replicates=10)
    fit = psm.sem(SIMPLE, people.generate(100, seed=2, replicate=9))
    np.testing.assert_allclose(study.replicates.estimates[9], fit.tidy()["estimate"], atol=1e-8)
    np.testing.assert_allclose(study.replicates.errors[9], fit.tidy()["std_error"], atol=1e-8)


def test_incomplete_data_by_fiml() -> None:
    people = psm.population(TRUE_SIMPLE, standardized=True, missing={"m": 0.2, "y": 0.3}, missing_by="x")
    study = psm.monte_carlo(people, SIMPLE, nobs=200, seed=2, replicates=30, missing="fiml")
    fit = psm.sem(SIMPLE, people.generate(200, seed=2, replicate=3), missing="fiml")
    np.testing.assert_allclose(study.replicates.estimates[3], fit.tidy()["estimate"], atol=1e-8)
    table = study.tidy().set_index("label").loc[["a", "b"]]
    assert (table["bias"].abs() < 4 * table["sd"] / np.sqrt(30)).all()


def test_ordinal_analysis_knows_its_true_values() -> None:
    cuts = "".join(f"{name} | -0.8*t1 + 0.4*t2\n" for name in "abc")
    people = psm.population("f =~ 0.8*a + 0.7*b + 0.6*c + 0.7*d; f ~~ 1*f\n" + cuts, standardized=True)
    model = "f =~ a + b + c + d"
    study = psm.monte_carlo(people, model, nobs=400, seed=1, replicates=12, ordered=["a", "b", "c"])
    frame = study.target.names.assign(true=study.target.values)
    loadings = frame.query("op == '=~'")["true"].tolist()
    assert loadings == pytest.approx([1.0, 0.7 / 0.8, 0.6 / 0.8, 0.7 / 0.8], abs=1e-6)
    assert frame.query("op == '|'")["true"].tolist() == pytest.approx([-0.8, 0.4] * 3, abs=1e-6)
    table = study.tidy()
    assert (table["bias"].abs() < 5 * table["sd"] / np.sqrt(12)).all()


def test_moments_of_codes_against_a_large_sample() -> None:
    text = "f =~ 0.8*a + 0.7*b + 0.6*c; f ~~ 1*f; f ~ 0.3*1; a | -1*t1 + 0.5*t2; b | 0*t1 + 0.7*t2 + 1.4*t3"
    people = psm.population(text, standardized=True)
    exact, data = code_moments(people, 0), people.generate(400_000, seed=8)
    np.testing.assert_allclose(exact.mean, data.mean(), atol=0.006)
    np.testing.assert_allclose(exact.cov, data.cov(), atol=0.008)


def test_inadmissible_and_failed_replicates_are_counted() -> None:
    people = psm.population("f =~ 0.9*a + 0.5*b + 0.3*c; f ~~ 1*f", standardized=True)
    with pytest.warns(psm.PsmAnalysisWarning) as caught:
        study = psm.monte_carlo(people, "f =~ a + b + c", nobs=60, seed=1, replicates=100)
    row = study.glance().iloc[0]
    assert row["inadmissible"] > 5
    assert row["failed"] > 0
    assert [str(one.message).split(" replicates ")[1][:8] for one in caught] == ["have no ", "have an "]
    assert row["converged"] + row["failed"] == 100


def test_options_that_do_not_fit_are_refused(people) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(psm.PsmAnalysisError, match="no column 'school'"):
        psm.monte_carlo(people, MEDIATION, nobs=300, seed=1, group="school")
    with pytest.raises(psm.PsmAnalysisError, match="sample_nobs does not belong"):
        psm.monte_carlo(people, MEDIATION, nobs=300, seed=1, sample_nobs=3)
    with pytest.raises(psm.PsmAnalysisError, match="no argument 'estimater'"):
        psm.monte_carlo(people, MEDIATION, nobs=300, seed=1, estimater="ML")  # type: ignore[call-arg]
    with pytest.raises(psm.PsmAnalysisError, match="Only 0 of 3"):
        psm.monte_carlo(people, MEDIATION, nobs=10, seed=1, replicates=3, estimator="MLM")


@pytest.mark.slow
def test_cluster_robust_errors_are_right_where_plain_ones_are_too_small() -> None:
    people = psm.population(TRUE_SIMPLE, standardized=True, icc=0.3, cluster_size=10)
    robust = psm.monte_carlo(people, SIMPLE, nobs=500, seed=1, replicates=300, cluster="cluster").tidy()
    plain = psm.monte_carlo(people, SIMPLE, nobs=500, seed=1, replicates=300).tidy()
    good, bad = (table.set_index("label").loc[["a", "b"], "se_ratio"] for table in (robust, plain))
    assert good.between(0.9, 1.1).all()
    assert (bad < 0.92).all()


@pytest.mark.slow
def test_robust_tests_hold_their_level_with_skewed_data() -> None:
    people = psm.population("f =~ 0.8*a + 0.7*b + 0.6*c + 0.7*d + 0.6*e; f ~~ 1*f", standardized=True, kurtosis=6.0)
    model = "f =~ a + b + c + d + e"
    robust = psm.monte_carlo(people, model, nobs=500, seed=1, replicates=400, estimator="MLM")
    assert robust.glance()["rejected"].iloc[0] < 0.10
    assert robust.tidy()["se_ratio"].between(0.85, 1.15).all()


def test_frames_are_complete(study) -> None:  # type: ignore[no-untyped-def]
    assert not study.tidy().drop(columns=["group", "label"]).isna().any().any()
    assert isinstance(study.summary(), str)
    assert isinstance(study.glance(), pd.DataFrame)
