"""Pooling against semTools 0.5-6 with lavaan 0.6-14, and against the formulas by hand.

The completed data sets are made here from the data of Holzinger and Swineford (a seed each), rounded to six decimals,
and were given to semTools as they are: ``cfa.mi(model, data = list)``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import psm_analysis as psm

MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
NAMES = [f"x{i}" for i in range(1, 10)]


@pytest.fixture(scope="module")
def frames(golden_data) -> list[pd.DataFrame]:  # type: ignore[no-untyped-def]
    data = golden_data("holzinger.csv")
    X = data[NAMES]
    gaps = np.random.default_rng(7).random(X.shape) < 0.12
    found = []
    for k in range(5):
        Y, rng = X.copy(), np.random.default_rng(100 + k)
        for j, name in enumerate(NAMES):
            others = np.column_stack([np.ones(len(X)), X.drop(columns=name)])
            slopes = np.linalg.lstsq(others, X[name], rcond=None)[0]
            spread = (X[name] - others @ slopes).std()
            Y.loc[gaps[:, j], name] = (others @ slopes + rng.normal(size=len(X)) * spread)[gaps[:, j]]
        found.append(Y.round(6).assign(school=data["school"]))
    return found


@pytest.fixture(scope="module")
def pooled(frames: list[pd.DataFrame]) -> psm.PooledResult:
    return psm.pool(MODEL, frames, complete_df=math.inf)


def test_estimates_and_fractions_of_missing_information_equal_semtools(pooled: psm.PooledResult) -> None:
    """summary(fit, fmi = TRUE): est, fmi, riv and df; its standard errors are sqrt((1 + ARIV) W), not Rubin's."""
    table = pooled.tidy().set_index(["lhs", "op", "rhs"])
    rows = {
        ("visual", "=~", "x2"): (0.5024099282, 0.33974369757, 0.51456335415, 34.65430338),
        ("textual", "=~", "x5"): (1.1025360535, 0.02667401239, 0.02740501407, 5621.90230308),
        ("x1", "~~", "x1"): (0.5401185511, 0.26337833227, 0.35754898859, 57.66335467),
        ("textual", "~~", "speed"): (0.1542763742, 0.03101576383, 0.03200853293, 4158.10095271),
    }
    for name, (estimate, fmi, riv, df) in rows.items():
        row = table.loc[name]
        assert row["estimate"] == pytest.approx(estimate, abs=1e-6)
        assert row["fmi"] == pytest.approx(fmi, abs=1e-5)
        assert row["riv"] == pytest.approx(riv, abs=1e-5)
        assert row["df"] == pytest.approx(df, rel=1e-4), "as far as lavaan iterates"
    errors = [table.loc[name, "std_error"] for name in (("visual", "=~", "x2"), ("textual", "=~", "x5"))]
    within = np.array(errors) / np.sqrt([1.51456335415, 1.02740501407])
    ratios = np.array([0.10397304040, 0.07236016842]) / within
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-4)


def test_pooled_tests_and_fit_measures_equal_semtools(frames: list[pd.DataFrame], pooled: psm.PooledResult) -> None:
    """lavTestLRT.mi(fit, test = "D2" | "D3"), fitMeasures(fit, test = ...)."""
    d2 = psm.pool(MODEL, frames, statistic="D2")
    for result, expected in (
        (d2, (3.04939377366, 12.65445844987, 0.02138892571, 0.27663862802)),
        (pooled, (3.247541084, 1962.915595, 1.909827622e-07, 0.2709081400)),
    ):
        test = result.chisq
        assert test is not None
        found = (test.statistic, test.df2, test.p_value, test.increase)
        assert found == pytest.approx(expected, rel=1e-5)
    names = ("chisq", "baseline_chisq", "cfi", "tli", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "srmr")
    expected_d2 = (73.18545057, 875.00151947, 0.94137621, 0.91206431, 0.08251435, 0.06132917, 0.10445760, 0.06606393)
    expected_d3 = (77.94098602, 730.76497813, 0.92236082, 0.88354122, 0.08641131, 0.06544490, 0.10818546, 0.06606393)
    assert [d2.fit_measures[name] for name in names] == pytest.approx(expected_d2, abs=1e-5)
    assert [pooled.fit_measures[name] for name in names] == pytest.approx(expected_d3, abs=1e-5)
    logl = pooled.fit_measures["logl"], pooled.fit_measures["unrestricted_logl"], pooled.fit_measures["bic"]
    assert logl == pytest.approx((-3740.328942, -3690.801026, 7600.507200), abs=1e-4)


def test_groups_equal_semtools(frames: list[pd.DataFrame]) -> None:
    """cfa.mi(model, group = "school", group.equal = "loadings"), whose meanstructure is saturated."""
    found = psm.pool(MODEL, frames, group="school", group_equal=["loadings"])
    test = found.chisq
    assert test is not None
    assert (test.statistic, test.df2) == pytest.approx((1.71379973, 3119.02954732), rel=1e-5)
    measures = [found.fit_measures[name] for name in ("chisq", "cfi", "rmsea", "srmr", "logl")]
    assert measures == pytest.approx([92.54518564, 0.93893203, 0.06886839, 0.06868514, -3697.09897501], abs=1e-4)


def test_robust_statistics_equal_semtools(frames: list[pd.DataFrame]) -> None:
    """lavTestLRT.mi(fit, test = "D2", asymptotic = TRUE) with estimator = "MLR"."""
    found = psm.pool(MODEL, frames, estimator="MLR", statistic="D2")
    assert found.fit_measures["chisq_scaled"] == pytest.approx(78.12481842, abs=1e-4)
    assert found.fit_measures["chisq_scaling_factor"] == pytest.approx(0.93677594, abs=1e-6)
    row = found.tidy().set_index("rhs").loc["x2"].iloc[0]
    assert row["fmi"] == pytest.approx(0.2405753327, abs=1e-5)


def test_nested_models_equal_semtools(frames: list[pd.DataFrame], pooled: psm.PooledResult) -> None:
    """lavTestLRT.mi(fit, equal, test = "D2" | "D3")."""
    equal = MODEL.replace("x2 + x3", "a*x2 + a*x3")
    d3 = psm.compare_pooled(pooled, psm.pool(equal, frames))
    assert (d3.statistic, d3.df2, d3.increase) == pytest.approx((2.65075135, 128.52112092, 0.21420809), rel=2e-5)
    d2 = psm.compare_pooled(*(psm.pool(model, frames, statistic="D2") for model in (equal, MODEL)))
    assert (d2.statistic, d2.df2, d2.p_value) == pytest.approx((2.54320086, 141.21861228, 0.11300564), rel=1e-5)
    with pytest.raises(psm.PsmAnalysisError, match="nested models"):
        psm.compare_pooled(pooled, pooled)


def test_wald_by_hand(frames: list[pd.DataFrame]) -> None:
    """Li, Raghunathan and Rubin (1991); semTools has the same r and df2 but divides by the r of all parameters."""
    found = psm.pool(MODEL.replace("x2 + x3", "a*x2 + b*x3"), frames)
    test = found.wald("a == b\na == 0.8")
    R = np.array([[1.0, -1.0], [1.0, 0.0]])
    places = [list(fit.vcov.index).index(name) for fit in found.fits[:1] for name in ("a", "b")]
    values = np.array([R @ fit.solution.x[places] for fit in found.fits]) - [0.0, 0.8]
    W = np.mean([R @ fit.free_vcov[np.ix_(places, places)] @ R.T for fit in found.fits], axis=0)
    r = 1.2 * np.trace(np.cov(values.T) @ np.linalg.inv(W)) / 2
    mean = values.mean(axis=0)
    assert test.statistic == pytest.approx(mean @ np.linalg.inv(W) @ mean / 2 / (1 + r))
    assert (test.increase, test.df2) == pytest.approx((0.41931196, 35.10615095), rel=1e-5)


def test_rubins_rules_by_hand(frames: list[pd.DataFrame]) -> None:
    found = psm.pool(MODEL.replace("x2", "a*x2") + "\ntwice := 2*a", frames)
    rows = [psm.cfa(MODEL.replace("x2", "a*x2"), f).tidy().set_index("label").loc["a"] for f in frames]
    estimates, errors = np.array([row["estimate"] for row in rows]), np.array([row["std_error"] for row in rows])
    total = (errors**2).mean() + 1.2 * estimates.var(ddof=1)
    share = 1.2 * estimates.var(ddof=1) / total
    nu = 301 - 21
    df = 1 / (share**2 / 4 + 1 / ((nu + 1) / (nu + 3) * nu * (1 - share)))
    table = found.tidy().set_index("label")
    row = table.loc["a"]
    assert row["std_error"] == pytest.approx(math.sqrt(total), rel=1e-7)
    assert row["df"] == pytest.approx(df, rel=1e-6)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(row["estimate"] / math.sqrt(total), df), rel=1e-6)
    reach = stats.t.ppf(0.975, df) * math.sqrt(total)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((row["estimate"] - reach, row["estimate"] + reach))
    assert table.loc["twice", "std_error"] == pytest.approx(2 * row["std_error"])
    assert table.loc["twice", "df"] == pytest.approx(row["df"])


def test_reliability_and_what_the_combined_fit_gives(frames: list[pd.DataFrame], pooled: psm.PooledResult) -> None:
    """semTools: reliability(fit), from the pooled estimates and mean moments: omega3 and AVE as compRelSEM and AVE."""
    omega = psm.reliability(pooled.combined)["omega"].tolist()
    assert omega == pytest.approx([0.6103998819, 0.8836703875, 0.6680238251], abs=1e-5)
    mean = sum(psm.reliability(psm.cfa(MODEL, frame)) for frame in frames) / 5
    pd.testing.assert_frame_equal(pooled.reliability(), mean)
    model = MODEL + "\ntextual ~ visual\nspeed ~ textual"
    effects = psm.indirect_effects(psm.pool(model, frames).combined).tidy().set_index("effect")
    row = effects.loc["visual -> textual -> speed"]
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert isinstance(pooled.summary(), str)


def test_without_gaps_nothing_changes(golden_data) -> None:  # type: ignore[no-untyped-def]
    data = golden_data("holzinger.csv")
    found, plain = psm.pool(MODEL, [data, data, data]), psm.cfa(MODEL, data)
    assert found.tidy()["std_error"].to_numpy() == pytest.approx(plain.tidy()["std_error"].to_numpy())
    assert found.tidy()["ci_low"].to_numpy() == pytest.approx(plain.tidy()["ci_low"].to_numpy(), abs=0.01)
    for name in ("chisq", "pvalue", "cfi", "rmsea", "srmr", "logl"):
        assert found.fit_measures[name] == pytest.approx(plain.fit_measures[name], abs=1e-7), name
    row = found.glance().iloc[0]
    assert row["p_value"] == pytest.approx(plain.fit_measures["pvalue"])


def test_ordinal_and_incomplete_frames(frames: list[pd.DataFrame]) -> None:
    ordinal = [frame[NAMES[:3]].rank().apply(lambda c: pd.cut(c, [0, 80, 200, 301], labels=False)) for frame in frames]
    found = psm.pool("f =~ x1 + x2 + x3", ordinal, ordered=True)
    assert found.test == "D2"
    table = found.tidy()
    assert table.loc[table["op"] == "|", "std_error"].gt(0).all()
    holes = [frame.assign(x1=frame["x1"].mask(frame.index % 7 == 0)) for frame in frames]
    incomplete = psm.pool(MODEL, holes, missing="fiml")
    assert incomplete.fit_measures["chisq"] > 0
    with pytest.raises(psm.PsmAnalysisError, match="D3 needs a likelihood"):
        psm.pool("f =~ x1 + x2 + x3", ordinal, ordered=True, statistic="D3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda fs: fs[0], "not a list of DataFrames"),
        (lambda fs: fs[:1], "1 imputation cannot"),
        (lambda fs: [fs[0], fs[1].drop(columns="x3")], "column 'x3' is not in both"),
        (lambda fs: [fs[0], fs[1].iloc[:100]], "has 100 rows"),
        (lambda fs: [fs[0], 3], "not a list of DataFrames"),
    ],
)
def test_frames_that_do_not_fit_are_refused(frames: list[pd.DataFrame], change: Any, message: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=message):
        psm.pool(MODEL, change(frames))


def test_moments_and_unlike_gaps_are_refused(frames: list[pd.DataFrame]) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="rows, not moments"):
        psm.pool(MODEL, frames, sample_nobs=100)
    other = [frames[0], frames[1].mask(frames[1]["x1"] < 3)]
    with pytest.raises(psm.PsmAnalysisError, match="numbers of complete rows"):
        psm.pool(MODEL, other)
