"""The bootstrap against a naive loop over the same resamples, formulas by hand, and large-sample theory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sem.models import HOLZINGER

import psm_analysis as psm
from psm_analysis.sem.bootstrap import bootstrap
from psm_analysis.sem.bootstrap_batch import BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_gradient import Moments
from psm_analysis.sem.bootstrap_resample import drawn_moments, resample_indices
from psm_analysis.sem.bootstrap_samples import can_batch

PATHS = HOLZINGER + "speed ~ a*visual + textual + ageyr\ntextual ~ b*visual + ageyr\nab := a*b"
MEDIATION = "m ~ a*x\ny ~ b*m + c*x\nab := a*b\ntotal := c + ab"


def mediation(n: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.5 * x + rng.normal(size=n)
    return pd.DataFrame({"x": x, "m": m, "y": 0.4 * m + 0.2 * x + rng.normal(size=n)})


@pytest.fixture(scope="module")
def two_schools(holzinger: pd.DataFrame):  # type: ignore[no-untyped-def]
    return psm.sem(PATHS, holzinger, group="school", group_equal=["loadings", "regressions"])


def test_equal_to_a_naive_loop(holzinger: pd.DataFrame, two_schools) -> None:  # type: ignore[no-untyped-def]
    found = bootstrap(two_schools, 4, seed=3)
    indices = next(resample_indices([g.nobs for g in two_schools.sample.groups], 4, seed=3))
    for i in range(4):
        parts = [
            holzinger[holzinger["school"] == label].iloc[drawn[i]]
            for label, drawn in zip(two_schools.group_labels, indices, strict=True)
        ]
        again = psm.sem(PATHS, pd.concat(parts), group="school", group_equal=["loadings", "regressions"])
        np.testing.assert_allclose(found.values[i], again.estimates, atol=1e-8)
        assert found.chisq[i] == pytest.approx(again.fit_measures["chisq"], abs=1e-8)


@pytest.mark.filterwarnings("ignore:.*inadmissible:psm_analysis.PsmAnalysisWarning")
def test_numbers_do_not_depend_on_the_batch(two_schools) -> None:  # type: ignore[no-untyped-def]
    whole, parts = bootstrap(two_schools, 20, seed=5), bootstrap(two_schools, 20, seed=5, batch=7)
    np.testing.assert_allclose(whole.values, parts.values, atol=1e-10)
    other = bootstrap(two_schools, 20, seed=6)
    assert np.abs(whole.values - other.values).max() > 0.01


def test_batched_gradient_equals_that_of_the_engine(two_schools) -> None:  # type: ignore[no-untyped-def]
    problem = BatchProblem.of(two_schools)
    moments = [Moments(g.cov[None], g.mean[None]) for g in two_schools.sample.groups]
    z = np.random.default_rng(1).normal(size=(1, problem.basis.shape[1])) * 0.02
    expected = two_schools.problem.derivatives((problem.origin + z @ problem.basis.T)[0])[0] @ problem.basis
    np.testing.assert_allclose(problem.gradient(z, moments)[0], expected, atol=1e-12)
    fitted = fit_batch(problem, moments)
    np.testing.assert_allclose(fitted.values[0], two_schools.estimates, atol=1e-8)
    assert fitted.chisq[0] == pytest.approx(two_schools.fit_measures["chisq"], abs=1e-8)


def test_drawn_moments_are_those_of_the_drawn_rows() -> None:
    rows = np.random.default_rng(1).normal(5.0, 2.0, size=(30, 3))
    indices = next(resample_indices([30], 2, seed=9))[0]
    found = drawn_moments(rows, indices)
    for i in range(2):
        np.testing.assert_allclose(found.mean[i], rows[indices[i]].mean(axis=0))
        np.testing.assert_allclose(found.cov[i], np.cov(rows[indices[i]].T, bias=True))


def test_intervals_by_hand() -> None:
    data = mediation(80)
    fit = psm.sem(MEDIATION, data)
    draws = fit.bootstrap(499, seed=1).replicates["ab := a*b"].to_numpy()
    estimate = float(fit.tidy().set_index("lhs").loc["ab", "estimate"])

    def row(ci: str) -> pd.Series:
        return fit.bootstrap(499, seed=1, ci=ci).tidy().set_index("lhs").loc["ab"]  # type: ignore[arg-type]

    ranked = np.sort(draws)
    assert row("percentile")["ci_low"] == pytest.approx(0.5 * (ranked[11] + ranked[12]), abs=1e-12)
    percentile, basic, normal = row("percentile"), row("basic"), row("normal")
    assert basic["ci_low"] == pytest.approx(2 * estimate - percentile["ci_high"], abs=1e-12)
    assert percentile["std_error"] == pytest.approx(draws.std(ddof=1), abs=1e-12)
    assert normal["ci_high"] == pytest.approx(2 * estimate - draws.mean() + 1.959963985 * draws.std(ddof=1), abs=1e-8)
    jackknife = []
    for i in range(80):
        m = data.drop(index=i)
        slope = np.polyfit(m["x"], m["m"], 1)[0]
        second = np.linalg.lstsq(np.column_stack([m["m"], m["x"], np.ones(79)]), m["y"], rcond=None)[0][0]
        jackknife.append(slope * second)
    gap = np.mean(jackknife) - np.array(jackknife)
    a = (gap**3).sum() / (6 * (gap**2).sum() ** 1.5)
    z0 = stats.norm.ppf((draws < estimate).mean())
    shares = [stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in (-1.959963985, 1.959963985)]
    expected = np.quantile(draws, shares, method="weibull")
    assert row("bca")[["ci_low", "ci_high"]].to_list() == pytest.approx(expected.tolist(), abs=1e-8)


def test_errors_equal_the_delta_method_in_a_large_normal_sample() -> None:
    fit = psm.sem(MEDIATION, mediation(3000))
    found = fit.bootstrap(2000, seed=2).tidy()
    free = found["std_error"] > 0
    ratio = found.loc[free, "std_error"] / fit.tidy().loc[free, "std_error"]
    exogenous = (found["lhs"] == "x") & (found["op"] == "~~")
    assert ratio[~exogenous[free]].between(0.9, 1.1).all()
    assert found.loc[exogenous, "std_error"].iloc[0] > 0, "moments of fixed variables are those of each replicate"


@pytest.mark.filterwarnings("ignore:.*inadmissible:psm_analysis.PsmAnalysisWarning")
def test_bollen_stine_p_value(holzinger: pd.DataFrame) -> None:
    bad = psm.cfa(HOLZINGER, holzinger).bootstrap(300, seed=1, kind="bollen-stine")
    assert bad.p_value < 0.01
    assert bad.chisq.mean() == pytest.approx(24, rel=0.15)
    good = psm.sem("m ~ x\ny ~ m", mediation(400).assign(y=lambda d: d["y"] - 0.2 * d["x"]))
    assert good.bootstrap(300, seed=1, kind="bollen-stine").p_value > 0.05


def test_inadmissible_replicates_are_counted() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(60, 1)) * [1.0, 0.6, 0.5] + rng.normal(size=(60, 3)) * 0.6
    fit = psm.cfa("f =~ a + b + c", pd.DataFrame(rows, columns=["a", "b", "c"]))
    with pytest.warns(psm.PsmAnalysisWarning, match="inadmissible"):
        found = fit.bootstrap(100, seed=1)
    row = found.glance().iloc[0]
    assert row["inadmissible"] == int((~found.admissible).sum()) > 0
    assert row["used"] + row["failed"] == row["n"] == 100


def test_an_ordinal_outcome_of_continuous_variables_is_fitted_in_batches() -> None:
    data = mediation(120)
    data["y"] = np.digitize(data["y"], [-0.5, 0.5])
    fit = psm.sem(MEDIATION, data, ordered=["y"])
    assert can_batch(fit)
    found = fit.bootstrap(5, seed=1)
    drawn = next(resample_indices([120], 5, seed=1))[0]
    again = psm.sem(MEDIATION, data.iloc[drawn[2]].reset_index(drop=True), ordered=["y"])
    np.testing.assert_allclose(found.values[2], again.estimates, atol=1e-6)


def test_constraints_that_are_not_linear_are_fitted_one_by_one() -> None:
    fit = psm.sem("m ~ a*x\ny ~ b*m + x\na == exp(b) - 1", mediation(200))
    assert not can_batch(fit)
    values = fit.bootstrap(3, seed=1).replicates
    np.testing.assert_allclose(values["m ~ x"], np.exp(values["y ~ m"]) - 1, atol=1e-6)
    assert can_batch(psm.sem("m ~ a*x\ny ~ b*m + x\na == b", mediation(200)))


def test_refusals(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, holzinger)
    with pytest.raises(psm.PsmAnalysisError, match="ci='percentil' is not known"):
        fit.bootstrap(10, seed=1, ci="percentil")  # type: ignore[arg-type]
    with pytest.raises(psm.PsmAnalysisError, match="n=1"):
        fit.bootstrap(1, seed=1)
    names = [f"x{i}" for i in range(1, 10)]
    with pytest.raises(psm.PsmAnalysisError, match="needs rows"):
        psm.cfa(HOLZINGER, sample_cov=holzinger[names].cov(), sample_nobs=301).bootstrap(10, seed=1)
