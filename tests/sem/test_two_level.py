"""Two-level models: the likelihood against its definition, lavaan's figures, known solutions, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, ModelError, OptionError, PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.sem.twolevel.clusters import cluster_statistics
from psm_analysis.sem.twolevel.saturated import crude_moments, factored_maximum, moment_values, two_level_problem

ONE = "level: 1\nfw =~ y1 + y2 + y3\nlevel: 2\nfb =~ y1 + y2 + y3"
MIXED = """
level: 1
fw =~ y1 + y2 + y3 + y4
y5 ~ fw + x1
level: 2
fb =~ y1 + y2 + y3
y4 ~ fb + w1
"""
# lavaan 0.6-14, MLR, every seventh row left out
MIXED_MEASURES = {
    "chisq": 415.251775,
    "df": 14,
    "npar": 25,
    "chisq_scaled": 407.127118,
    "scaling_factor_h0": 1.357088,
    "scaling_factor_h1": 1.236066,
    "baseline_chisq": 1858.42066,
    "baseline_df": 25,
    "baseline_chisq_scaled": 1742.834,
    "cfi": 0.781145819,
    "rmsea": 0.115673728,
    "logl": -17833.5589,
    "srmr_within": 0.1275821,
    "srmr_between": 0.07687396,
}
MIXED_PARAMETERS = {
    ("fw", "=~", "y4", 1): (0.3578799, 0.0339534),
    ("y5", "~", "fw", 1): (0.5242869, 0.0526129),
    ("y5", "~", "x1", 1): (-0.1814019, 0.0349003),
    ("y5", "~1", "", 1): (0.0771893, 0.0731924),
    ("fw", "~~", "fw", 1): (1.1490194, 0.0823651),
    ("fb", "=~", "y3", 2): (0.5934428, 0.0570661),
    ("y4", "~", "fb", 2): (-0.2218294, 0.0826009),
    ("y1", "~~", "y1", 2): (0.0666344, 0.0512754),
    ("y4", "~1", "", 2): (0.0230725, 0.0810637),
}


@pytest.fixture(scope="module")
def units(golden_data) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return golden_data("twolevel.csv")


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    """Forty clusters of 2 to 7 rows; u varies within clusters only, w between them only."""
    rng = np.random.default_rng(8)
    unit = np.repeat(np.arange(40), rng.integers(2, 8, 40))
    b, n = rng.normal(size=(40, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]]), len(unit)
    y = 0.8 * b[unit] + rng.normal(size=(n, 2)) + rng.normal(size=(n, 1))
    frame = pd.DataFrame(y, columns=["y", "x"]).assign(unit=unit, w=b[unit, 0] + rng.normal(size=40)[unit])
    return frame.assign(u=rng.normal(size=n) + 0.4 * frame["y"])


def fit_mixed(units: pd.DataFrame) -> Any:
    return psm.sem(MIXED, units.drop(index=units.index[::7]), cluster="cluster", estimator="MLR")


def rows_of(fit: Any) -> dict[tuple[str, str, str, int], Any]:
    return {(r.lhs, r.op, r.rhs, r.level): r for r in fit.tidy().itertuples(index=False)}


def test_variables_of_one_and_of_both_levels_as_in_lavaan(units: pd.DataFrame) -> None:
    fit = fit_mixed(units)
    for name, value in MIXED_MEASURES.items():
        loose = "scal" in name or "srmr" in name  # lavaan stops the EM of the saturated model early
        assert fit.fit_measures[name] == pytest.approx(value, rel=5e-4 if loose else 1e-5), name
    rows = rows_of(fit)
    for key, (estimate, error) in MIXED_PARAMETERS.items():
        assert rows[key].estimate == pytest.approx(estimate, abs=2e-4), key
        assert rows[key].std_error == pytest.approx(error, rel=1e-3), key


def test_the_likelihood_is_that_of_whole_clusters(small: pd.DataFrame) -> None:
    model = "level: 1\ny ~ u\nx ~~ y\nlevel: 2\ny ~ w\nx ~~ y"
    fit = psm.sem(model, small, cluster="unit", fixed_x=False)
    within, between = fit.implied()["within"], fit.implied()["between"]
    total = 0.0
    for _, rows in small.groupby("unit"):
        n, names = len(rows), ["y", "x", "u"]
        Sw = within["cov"].loc[names, names].to_numpy()
        Sb, mu = np.zeros((3, 3)), within["mean"][names].to_numpy(copy=True)
        Sb[:2, :2] = between["cov"].loc[["y", "x"], ["y", "x"]]
        mu[:2] += between["mean"][["y", "x"]]
        cross = np.append(between["cov"].loc[["y", "x"], "w"].to_numpy(), 0.0)
        V = np.block(
            [
                [np.kron(np.eye(n), Sw) + np.kron(np.ones((n, n)), Sb), np.tile(cross, n)[:, None]],
                [np.tile(cross, n)[None], between["cov"].loc[["w"], ["w"]].to_numpy()],
            ]
        )
        value = np.append(rows[names].to_numpy().ravel(), rows["w"].iloc[0])
        d = value - np.append(np.tile(mu, n), between["mean"]["w"])
        total -= 0.5 * (len(d) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + d @ np.linalg.solve(V, d))
    assert fit.fit_measures["logl"] == pytest.approx(total, abs=1e-8)


def test_derivatives_equal_finite_differences(units: pd.DataFrame) -> None:
    problem = fit_mixed(units).problem
    x = fit_mixed(units).solution.x + 0.05 * np.random.default_rng(2).normal(size=problem.n_free)
    step = 1e-6 * np.eye(len(x))
    gradient = [(problem.value(x + h) - problem.value(x - h)) / 2e-6 for h in step]
    hessian = [(problem.derivatives(x + h)[0] - problem.derivatives(x - h)[0]) / 2e-6 for h in step]
    np.testing.assert_allclose(problem.derivatives(x)[0], gradient, atol=1e-6)
    np.testing.assert_allclose(problem.hessian(x), hessian, atol=1e-6)
    nobs = problem.likelihood.statistics.nobs
    np.testing.assert_allclose(-2.0 * problem.scores(x).sum(axis=0) / nobs, problem.derivatives(x)[0], atol=1e-10)


def test_equal_clusters_have_the_solution_of_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=(30, 1)) + rng.normal(size=(30, 5))
    data = pd.DataFrame({"y": y.ravel(), "unit": np.repeat(np.arange(30), 5)})
    fit = psm.sem("level: 1\ny ~~ y\nlevel: 2\ny ~~ y", data, cluster="unit")
    inside = ((y - y.mean(1, keepdims=True)) ** 2).sum() / (30 * 4)
    outside = y.mean(1).var() - inside / 5
    rows = rows_of(fit)
    assert rows["y", "~~", "y", 1].estimate == pytest.approx(inside)
    assert rows["y", "~~", "y", 2].estimate == pytest.approx(outside)
    assert rows["y", "~1", "", 2].std_error == pytest.approx(np.sqrt(y.mean(1).var() / 30))
    assert fit.intraclass_correlations["y"] == pytest.approx(outside / (inside + outside))
    assert fit.fit_measures["df"] == 0


def test_order_of_rows_and_units_of_measurement(units: pd.DataFrame) -> None:
    fit = psm.sem(ONE, units, cluster="cluster")
    turned = units.sample(frac=1.0, random_state=1)
    moved = psm.sem(ONE, turned.assign(y2=1000 * turned["y2"]), cluster="cluster")
    assert moved.fit_measures["chisq"] == pytest.approx(fit.fit_measures["chisq"], abs=1e-6)
    a, b = rows_of(fit), rows_of(moved)
    assert b["fb", "=~", "y2", 2].estimate == pytest.approx(1000 * a["fb", "=~", "y2", 2].estimate)
    assert b["fw", "=~", "y3", 1].std_error == pytest.approx(a["fw", "=~", "y3", 1].std_error)


def test_one_label_at_both_levels_and_definitions(small: pd.DataFrame) -> None:
    model = "level: within\ny ~ a*x\nlevel: between\ny ~ b*x\ncontext := b - a"
    free = psm.sem(model, small, cluster="unit")
    equal = psm.sem(model.replace("b*x", "a*x").replace("context := b - a", ""), small, cluster="unit")
    rows = rows_of(free)
    difference = rows["y", "~", "x", 2].estimate - rows["y", "~", "x", 1].estimate
    assert rows["context", ":=", "b-a", ""].estimate == pytest.approx(difference)
    both = rows_of(equal)
    assert both["y", "~", "x", 1].estimate == both["y", "~", "x", 2].estimate
    compared = psm.compare(free, equal)
    assert compared.tidy()["df_diff"].iloc[1] == 1


def test_without_variance_between_clusters_the_saturated_model_stays_admissible() -> None:
    rng = np.random.default_rng(11)
    common = rng.normal(size=(200, 1))
    data = pd.DataFrame(common + rng.normal(size=(200, 3)), columns=["y1", "y2", "y3"])
    data["unit"] = np.repeat(np.arange(50), 4)
    better = pytest.warns(PsmAnalysisWarning, match="better than the saturated")
    with better, pytest.warns(PsmAnalysisWarning, match="Level 2"):
        fit = psm.cfa(ONE, data, cluster="unit")
    between = fit.sample.groups[1].cov
    assert np.linalg.eigvalsh(between)[0] > -1e-9
    assert fit.converged


def test_the_factored_maximum_is_the_free_one_inside(units: pd.DataFrame) -> None:
    fit = psm.sem(ONE, units, cluster="cluster")
    from psm_analysis.sem.twolevel.tables import moment_levels

    statistics = fit.sample.statistics
    levels = moment_levels(fit.levels, correlated=True)
    problem, start = two_level_problem(levels, moment_values(levels, crude_moments(statistics)), fit.problem.likelihood)
    assert problem.value(factored_maximum(levels, problem, start)) == pytest.approx(0.0, abs=1e-10)


def test_what_a_result_shows(units: pd.DataFrame) -> None:
    fit = psm.sem(ONE, units, cluster="cluster")
    text = fit.summary()
    assert "Clusters" in text
    assert text.index("Level 1 (within clusters)") < text.index("Level 2 (between clusters)")
    assert set(fit.r_squared) == set(fit.residuals("cor")) == {"within", "between"}
    assert fit.group_labels == [""]
    assert {"fb=~y2.l2", "fw=~y2"} <= set(fit.vcov.columns)
    assert (fit.standardized()["level"] == fit.tidy()["level"]).all()
    assert fit.fit_measures["nclusters"] == units["cluster"].nunique()
    with pytest.raises(OptionError, match="two-level"):
        psm.crosscheck(fit)
    for call in (fit.factor_scores, fit.modification_indices, lambda: fit.bootstrap(10, seed=1)):
        with pytest.raises(OptionError, match="two-level"):
            call()


@pytest.mark.parametrize(
    ("model", "options", "error", "what"),
    [
        (ONE, {}, OptionError, "no cluster variable is named"),
        (ONE, {"cluster": "unti"}, DataError, "'unti' is not in the data"),
        (ONE, {"cluster": "cluster", "group": "w1"}, OptionError, "group="),
        (ONE, {"cluster": "cluster", "missing": "fiml"}, OptionError, "missing="),
        (ONE, {"cluster": "cluster", "estimator": "MLM"}, OptionError, "estimator='MLM'"),
        (ONE, {"cluster": "cluster", "engine": "semopy"}, OptionError, "engine="),
        (ONE + "\ny6 ~~ y6", {"cluster": "cluster"}, DataError, "'y6' is used at level 2 only"),
        (
            ONE.replace("y3\nlevel", "y3 + w1\nlevel"),
            {"cluster": "cluster"},
            DataError,
            "'w1' of level 1 does not vary",
        ),
        (ONE, {"cluster": "row"}, DataError, "another value in every row"),
        (ONE, {"cluster": "one"}, DataError, "1 value"),
        ("y1 ~~ y1\n" + ONE, {"cluster": "cluster"}, ModelError, "before the first level"),
        (ONE.split("level: 2")[0], {"cluster": "cluster"}, ModelError, "no relation at level 2"),
        (ONE.replace("level: 2", "level: 3"), {"cluster": "cluster"}, ModelError, "'3' is not known"),
        (ONE.replace("level: 2", "group: 2"), {"cluster": "cluster"}, ModelError, "block 'group: 2'"),
        ("level: 1\nfw =~ y1 + y2\nlevel: 2\nfb =~ y1 + y2", {"cluster": "cluster"}, ModelError, "not identified"),
    ],
)
def test_what_cannot_be_fitted(
    units: pd.DataFrame, model: str, options: dict[str, Any], error: type[PsmAnalysisError], what: str
) -> None:
    data = units.assign(row=range(len(units)), one=1)
    with pytest.raises(error, match=what) as caught:
        psm.sem(model, data, **options)
    assert caught.value.where
    assert caught.value.remedy


def test_rows_without_a_cluster_or_a_value_are_left_out(units: pd.DataFrame) -> None:
    data = units.copy()
    data.loc[data.index[:10], "cluster"] = np.nan
    data.loc[data.index[10:15], "y1"] = np.nan
    statistics = cluster_statistics(data, within=["y1"], between=["y1", "w1"], cluster="cluster")
    assert statistics.nobs == len(units) - 15
    assert statistics.index[0] == data.index[15]


def test_a_variable_explained_at_one_level_is_random_at_the_other(units: pd.DataFrame) -> None:
    text = "level: 1\ny1 ~ x1\ny5 ~ y1\nlevel: 2\ny5 ~ y1"
    plain, written = (psm.sem(t, units, cluster="cluster") for t in (text, text + "\ny1 ~~ y1"))
    assert plain.fit_measures["npar"] == written.fit_measures["npar"] == 9
    np.testing.assert_allclose(plain.fit_measures["chisq"], written.fit_measures["chisq"], atol=1e-8)
    row = plain.tidy().query("lhs == 'y1' and op == '~~' and level == 2")
    assert row["std_error"].item() > 0
