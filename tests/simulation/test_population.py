"""Populations against matrices by hand, and their data against what they should be like."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats
from simulation.models import MEDIATION, TRUE_MEDIATION

import psm_analysis as psm
from psm_analysis.simulation.missingness import logit_intercept
from psm_analysis.simulation.vale_maurelli import fleishman


def test_moments_by_hand() -> None:
    people = psm.population(TRUE_MEDIATION)
    loadings = np.kron(np.eye(3), np.array([[1.0], [0.9], [0.8], [0.85]]))
    m_x, y_x = 0.5, 0.2 + 0.4 * 0.5
    m, y_m = 0.25 + 0.64, 0.4 * (0.25 + 0.64) + 0.2 * 0.5
    y = 0.4 * y_m + 0.2 * y_x + 0.64
    factors = np.array([[1.0, m_x, y_x], [m_x, m, y_m], [y_x, y_m, y]])
    np.testing.assert_allclose(people.moments[0].cov, loadings @ factors @ loadings.T + 0.36 * np.eye(12), atol=1e-12)
    np.testing.assert_array_equal(people.moments[0].mean, 0.0)


def test_standardized_variances_are_filled_in() -> None:
    people = psm.population("f =~ 0.8*a + 0.7*b; g =~ 0.6*c + 0.9*d; g ~ 0.5*f; f ~~ 1*f; d ~ 0.2*a", standardized=True)
    np.testing.assert_allclose(np.diagonal(people.moments[0].cov), 1.0, atol=1e-12)
    values = people.tidy().query("op == '~~' and lhs == 'g'")["estimate"]
    assert values.iloc[0] == pytest.approx(0.75)


def test_a_fit_can_be_the_population(golden_data) -> None:  # type: ignore[no-untyped-def]
    fit = psm.cfa("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6", golden_data("holzinger.csv"))
    people = psm.population(fit)
    np.testing.assert_allclose(people.moments[0].cov, fit.implied()["cov"].to_numpy())
    study = psm.monte_carlo(people, fit.model, nobs=301, seed=1, replicates=20)
    expected = fit.tidy()["estimate"].to_numpy()
    np.testing.assert_allclose(study.target.values, expected, atol=1e-6)


def test_data_have_the_moments_of_the_population() -> None:
    people = psm.population(TRUE_MEDIATION + "\nx1 ~ 2*1\nM ~ 1*1")
    data = people.generate(200_000, seed=1)
    np.testing.assert_allclose(data.cov(), people.moments[0].cov, atol=0.02)
    np.testing.assert_allclose(data.mean(), people.moments[0].mean, atol=0.01)
    assert people.moments[0].mean[:5].tolist() == [2.0, 0.0, 0.0, 0.0, 1.0]
    again = people.generate(200_000, seed=1)
    np.testing.assert_array_equal(data, again)
    assert not np.allclose(data.iloc[:5], people.generate(200_000, seed=1, replicate=1).iloc[:5])


def test_fleishman_by_its_own_moments() -> None:
    b, c, d = fleishman(1.5, 3.0)
    z, weights = special.roots_hermitenorm(64)
    y = -c + b * z + c * z**2 + d * z**3
    moments = [float(weights @ y**k / weights.sum()) for k in (1, 2, 3, 4)]
    assert moments == pytest.approx([0.0, 1.0, 1.5, 6.0], abs=1e-9)


def test_skewed_variables_keep_their_correlations() -> None:
    people = psm.population(TRUE_MEDIATION, skewness={"x1": 1.5, "y1": -1.0}, kurtosis={"x1": 3.5, "y1": 2.0})
    data = people.generate(400_000, seed=2)
    sd = people.moments[0].deviations
    np.testing.assert_allclose(data.corr(), people.moments[0].cov / np.outer(sd, sd), atol=0.01)
    assert stats.skew(data[["x1", "x2", "y1"]]) == pytest.approx([1.5, 0.0, -1.0], abs=0.05)
    assert stats.kurtosis(data[["x1", "x2", "y1"]]) == pytest.approx([3.5, 0.0, 2.0], abs=0.3)


def test_categories_have_the_shares_of_the_normal_distribution() -> None:
    text = "f =~ 0.8*a + 0.7*b + 0.6*c; f ~~ 1*f; a | -1*t1 + 0.5*t2"
    data = psm.population(text, standardized=True).generate(100_000, seed=3)
    shares = data["a"].value_counts(normalize=True).sort_index()
    expected = np.diff([0.0, *special.ndtr([-1.0, 0.5]), 1.0])
    assert shares.index.tolist() == [1.0, 2.0, 3.0]
    assert shares.to_numpy() == pytest.approx(expected, abs=0.006)


def test_missing_completely_at_random_and_at_random() -> None:
    chance = psm.population(TRUE_MEDIATION, missing={"y1": 0.2}).generate(100_000, seed=4)
    assert chance["y1"].isna().mean() == pytest.approx(0.2, abs=0.005)
    assert chance.isna().sum().sum() == chance["y1"].isna().sum()
    assert abs(np.corrcoef(chance["y1"].isna(), chance["x1"])[0, 1]) < 0.01
    by_x = psm.population(TRUE_MEDIATION, missing={"y1": 0.2}, missing_by="x1", missing_slope=1.0, kurtosis={"x1": 3.0})
    data = by_x.generate(100_000, seed=4)
    assert data["y1"].isna().mean() == pytest.approx(0.2, abs=0.005)
    z = data["x1"] / by_x.moments[0].deviations[0]
    slope = np.polyfit(z, data["y1"].isna(), 1)[0]
    assert slope > 0.1


def test_logit_intercept_by_numerical_integration() -> None:
    a = logit_intercept(0.3, 1.4)
    share, _ = integrate.quad(lambda z: special.expit(a + 1.4 * z) * stats.norm.pdf(z), -12, 12)
    assert share == pytest.approx(0.3, abs=1e-8)


def test_clusters_share_what_the_intraclass_correlation_says() -> None:
    people = psm.population(TRUE_MEDIATION, icc=0.2, cluster_size=20)
    data = people.generate(60_000, seed=5)
    np.testing.assert_allclose(data.drop(columns="cluster").cov(), people.moments[0].cov, atol=0.05)
    groups = data.groupby("cluster")["x1"]
    between, within = groups.mean().var(), groups.var().mean()
    component = between - within / 20
    assert component / (component + within) == pytest.approx(0.2, abs=0.015)


def test_groups_have_their_own_values_and_labels() -> None:
    text = "f =~ 1*a + c(0.8, 0.6)*b + 0.7*c; f ~ c(0, 0.5)*1"
    people = psm.population(text, groups=["女", "男"])
    assert people.moments[1].mean.tolist() == [0.5, 0.3, 0.35]
    data = people.generate([30, 50], seed=1)
    assert data["group"].value_counts(sort=False).to_dict() == {"女": 30, "男": 50}
    assert psm.population(text).groups == ("1", "2")


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("f =~ a + b + c", {}, "'f =~ b' has no population value"),
        ("f =~ 0.8*a + 0.7*b; a | 1*t1 + 0*t2", {}, "thresholds of 'a' are not increasing"),
        ("f =~ 0.8*a + 0.7*b; a | 0*t2", {}, "thresholds of 'a'"),
        ("f =~ 1.2*a + 0.7*b; f ~~ 1*f", {"standardized": True}, "variance of 'a' is -0.440"),
        ("a ~~ 1*a; b ~~ 1*b; a ~~ 1.2*b", {}, "not positive definite"),
        ("a ~~ 1*a; b ~~ 1*b", {"skewness": 3.0}, "No cubic"),
        ("a ~~ 1*a; b ~~ 1*b", {"missing": 1.0}, "not possible"),
        ("a ~~ 1*a; b ~~ 1*b", {"missing": {"aa": 0.1}}, "Did you mean 'a'"),
        ("a ~~ 1*a; b ~~ 1*b", {"missing": {"a": 0.1}, "missing_by": "a"}, "always answered"),
        ("a ~~ 1*a; b ~~ 1*b", {"icc": 1.0}, "icc=1.0"),
        ("a ~~ 1*a; b ~~ 1*b", {"groups": ["x"]}, "groups="),
        ("level: 1\na ~~ 1*a\nlevel: 2\na ~~ 1*a", {}, "no blocks"),
    ],
)
def test_what_is_no_population_is_refused(model: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=message):
        psm.population(model, **options)  # type: ignore[arg-type]


def test_shapes_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(psm.PsmAnalysisError, match="cannot have the correlations"):
        psm.population("a ~~ 1*a; b ~~ 1*b; a ~~ 0.97*b", skewness={"a": 2.5, "b": -2.5}, kurtosis=9.0)


def test_sizes_and_seeds_are_checked() -> None:
    people = psm.population(TRUE_MEDIATION)
    with pytest.raises(psm.PsmAnalysisError, match="nobs=1 "):
        people.generate(1, seed=1)
    with pytest.raises(psm.PsmAnalysisError, match=r"nobs=10\.5 "):
        people.generate(10.5, seed=1)  # type: ignore[arg-type]
    assert len(people.generate(10.0, seed=1)) == 10  # type: ignore[arg-type]
    with pytest.raises(psm.PsmAnalysisError, match="The population is str"):
        psm.monte_carlo(TRUE_MEDIATION, MEDIATION, nobs=200, seed=1)  # type: ignore[arg-type]
    with pytest.raises(psm.PsmAnalysisError, match="not lists with something in them"):
        psm.power_curve(people, MEDIATION, nobs=[], parameters=["ab"], seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="seed=None"):
        people.generate(10, seed=None)  # type: ignore[arg-type]
    with pytest.raises(psm.PsmAnalysisError, match="replicates=1,"):
        psm.monte_carlo(people, MEDIATION, nobs=200, seed=1, replicates=1)
