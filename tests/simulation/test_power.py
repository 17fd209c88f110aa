"""Power by simulation against power by distribution theory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from simulation.models import MEDIATION, SIMPLE, TRUE_MEDIATION, TRUE_SIMPLE

import psm_analysis as psm

CROSS = "f =~ 0.8*a + 0.7*b + 0.7*c + 0.25*d; g =~ 0.7*d + 0.8*e + 0.7*h; f ~~ 1*f; g ~~ 1*g; f ~~ 0.3*g"
CLEAN = "f =~ a + b + c; g =~ d + e + h"


@pytest.mark.filterwarnings("ignore:.*(does not hold|inadmissible):psm_analysis.PsmAnalysisWarning")
def test_simulated_power_is_that_of_the_noncentral_chi_square() -> None:
    people = psm.population(CROSS, standardized=True)
    theory = psm.likelihood_ratio_power(people, CLEAN, nobs=200)
    found = psm.monte_carlo(people, CLEAN, nobs=200, seed=1, replicates=2000).glance().iloc[0]
    error = math.sqrt(theory.power * (1 - theory.power) / 2000)
    assert found["rejected"] == pytest.approx(theory.power, abs=3 * error + 0.012)
    rmsea = math.sqrt(theory.misfit / theory.df)
    assert psm.rmsea_power(theory.df, 201, null=0.0, alternative=rmsea) == pytest.approx(theory.power, abs=1e-9)
    assert found["chisq"] == pytest.approx(theory.df + 200 * theory.misfit, rel=0.05)


def test_likelihood_ratio_power_by_hand() -> None:
    people = psm.population(TRUE_SIMPLE, standardized=True)
    found = psm.likelihood_ratio_power(people, SIMPLE.replace(" + c*x", ""), nobs=150)
    explained = 0.3 * (0.3 + 0.2 * 0.3) + 0.2 * (0.2 + 0.3 * 0.3)
    noncentrality = 150 * math.log((1 - (0.3 + 0.2 * 0.3) ** 2) / (1 - explained))
    assert found.power == pytest.approx(stats.ncx2.sf(3.841459, 1, noncentrality), abs=1e-6)
    at = [psm.likelihood_ratio_power(people, SIMPLE.replace(" + c*x", ""), nobs=n) for n in (found.nobs_needed,)]
    assert at[0].power >= 0.8
    restricted = psm.likelihood_ratio_power(people, SIMPLE, restricted=SIMPLE.replace("c*x", "0*x"), nobs=150)
    assert restricted.power == pytest.approx(found.power, abs=1e-6)


def test_nothing_to_find_is_said() -> None:
    people = psm.population(TRUE_SIMPLE, standardized=True)
    with pytest.raises(psm.PsmAnalysisError, match="nothing to find"):
        psm.likelihood_ratio_power(people, SIMPLE, nobs=100)
    with pytest.raises(psm.PsmAnalysisError, match="0 in the population"):
        psm.find_sample_size(people, SIMPLE + "\nzero := a - 0.3", parameter="zero", seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="is not possible"):
        psm.find_sample_size(people, SIMPLE, parameter="ab", power=1.0, seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="Give one of the two"):
        psm.find_sample_size(people, SIMPLE, seed=1)


def test_sample_size_of_a_regression_by_its_formula() -> None:
    people = psm.population("y ~ 0.2*x; x ~~ 1*x", standardized=True)
    found = psm.find_sample_size(people, "y ~ b*x", parameter="b", seed=4, replicates=1500)
    expected = (1.959964 + 0.841621) ** 2 * 0.96 / 0.04
    assert found.nobs == pytest.approx(expected, rel=0.06)
    assert found.ci_low <= found.nobs <= found.ci_high
    assert found.power == pytest.approx(0.80, abs=0.045)
    assert found.tidy()["nobs"].is_monotonic_increasing
    again = psm.find_sample_size(people, "y ~ b*x", parameter="b", seed=4, replicates=1500)
    assert again.nobs == found.nobs


def test_sample_size_of_an_indirect_effect_gives_its_power() -> None:
    people = psm.population(TRUE_MEDIATION.replace("M ~ 0.5*X", "M ~ 0.3*X").replace("0.4*M", "0.25*M"))
    found = psm.find_sample_size(people, MEDIATION, parameter="ab", seed=2, replicates=400)
    check = psm.monte_carlo(people, MEDIATION, nobs=found.nobs, seed=99, replicates=1000).tidy().set_index("label")
    assert check.loc["ab", "power"] == pytest.approx(0.80, abs=0.05)


def test_difference_of_nested_models() -> None:
    text = "f =~ 0.8*a + c(0.8, 0.5)*b + 0.7*c + 0.7*d; f ~~ 1*f"
    people = psm.population(text, standardized=True)
    model, equal = "f =~ a + b + c + d", {"group_equal": ["loadings"]}
    theory = psm.likelihood_ratio_power(people, model, restricted=equal, nobs=400, group="group")
    study = psm.monte_carlo_difference(people, model, restricted=equal, nobs=400, seed=5, replicates=800, group="group")
    table = study.tidy().set_index("criterion")
    error = math.sqrt(theory.power * (1 - theory.power) / 800)
    assert theory.df == study.df == 3
    assert table.loc["chisq", "power"] == pytest.approx(theory.power, abs=3 * error + 0.015)
    data = people.generate(400, seed=5, replicate=11)
    fits = [psm.cfa(model, data, group="group", **more) for more in ({}, equal)]  # type: ignore[arg-type]
    loss = fits[0].fit_measures["cfi"] - fits[1].fit_measures["cfi"]
    assert study.cfi[11] == pytest.approx(loss, abs=1e-7)
    assert table.loc["cfi", "power"] == pytest.approx((study.cfi > 0.01).mean())
    found = psm.find_sample_size(
        people, model, restricted=equal, criterion="chisq", seed=5, replicates=400, group="group"
    )
    assert found.nobs == pytest.approx(theory.nobs_needed, rel=0.12)
    with pytest.raises(psm.PsmAnalysisError, match="degrees of freedom"):
        psm.monte_carlo_difference(people, model, restricted=model, nobs=400, seed=5, group="group")


def test_a_criterion_that_never_sees_it_is_told() -> None:
    people = psm.population("f =~ 0.8*a + c(0.8, 0.75)*b + 0.7*c + 0.7*d; f ~~ 1*f", standardized=True)
    with pytest.raises(psm.PsmAnalysisError, match="No number of respondents"):
        psm.find_sample_size(
            people,
            "f =~ a + b + c + d",
            restricted={"group_equal": ["loadings"]},
            criterion="cfi",
            seed=5,
            replicates=50,
            group="group",
        )


def test_power_curve_is_that_of_the_studies_and_can_be_drawn() -> None:
    people = psm.population(TRUE_SIMPLE, standardized=True)
    curve = psm.power_curve(people, SIMPLE, nobs=[60, 120], parameters=["ab", "y ~ x"], seed=1, replicates=200)
    assert curve[["parameter", "nobs"]].to_numpy().tolist() == [["ab", 60], ["ab", 120], ["y ~ x", 60], ["y ~ x", 120]]
    table = psm.monte_carlo(people, SIMPLE, nobs=120, seed=1, replicates=200).tidy().set_index("label")
    assert curve["power"].iloc[1] == table.loc["ab", "power"]
    assert curve["power"].iloc[3] == table.loc["c", "power"]
    assert (curve["ci_low"] < curve["power"]).all()
    figure = psm.power_plot(curve, nobs=100, title="检验力", lang="zh")
    assert figure.axes[0].get_xlabel() == "样本量"
    assert np.isfinite(figure.get_size_inches()).all()


@pytest.mark.slow
def test_coverage_of_the_indirect_effect() -> None:
    people = psm.population(TRUE_MEDIATION)
    table = psm.monte_carlo(people, MEDIATION, nobs=300, seed=11, replicates=3000).tidy().set_index("label")
    assert 0.92 <= table.loc["ab", "coverage"] <= 0.97
