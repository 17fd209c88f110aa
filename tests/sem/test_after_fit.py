"""What a fit gives afterwards: indices, residuals, scores, effects, standardized values, the printed summary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sem.models import DEMOCRACY, HOLZINGER

import psm_analysis as psm
from psm_analysis.sem.standardize import standardized

STRUCTURE = HOLZINGER + "speed ~ visual + textual\ntextual ~ visual"


@pytest.fixture(scope="module")
def factors(holzinger: pd.DataFrame) -> psm.SemResult:
    return psm.cfa(HOLZINGER, holzinger)


@pytest.fixture(scope="module")
def political(democracy: pd.DataFrame) -> psm.SemResult:
    return psm.sem(DEMOCRACY, democracy)


def test_modification_indices_are_the_fall_of_chi_square_near_the_truth() -> None:
    names = [f"y{k}" for k in range(6)]
    loadings = np.zeros((6, 2))
    loadings[:3, 0], loadings[3:, 1] = [0.8, 0.7, 0.6], [0.9, 0.7, 0.5]
    S = loadings @ np.array([[1.0, 0.4], [0.4, 1.0]]) @ loadings.T + 0.5 * np.eye(6)
    S[0, 4] += 0.015
    S[4, 0] += 0.015
    moments = {"sample_cov": pd.DataFrame(S, names, names), "sample_nobs": 5000}
    model = "f =~ y0 + y1 + y2\ng =~ y3 + y4 + y5"
    fit = psm.cfa(model, **moments)
    indices = fit.modification_indices(minimum=1.0)
    assert indices.iloc[0][["lhs", "op", "rhs"]].tolist() == ["y0", "~~", "y4"]
    assert indices.iloc[0]["epc"] == pytest.approx(0.015, rel=0.02)
    for row in indices.itertuples():
        freed = psm.cfa(f"{model}\n{row.lhs} {row.op} {row.rhs}", **moments)
        fall = fit.fit_measures["chisq"] - freed.fit_measures["chisq"]
        change = freed.tidy().query("lhs == @row.lhs and op == @row.op and rhs == @row.rhs")["estimate"].item()
        assert fall == pytest.approx(row.mi, rel=0.03)
        assert change == pytest.approx(row.epc, rel=0.03)


def test_modification_indices_of_lavaan(factors: psm.SemResult) -> None:
    found = factors.modification_indices(minimum=9.0)
    assert [(r.lhs, r.op, r.rhs) for r in found.itertuples()] == [
        ("visual", "=~", "x9"),
        ("x7", "~~", "x8"),
        ("visual", "=~", "x7"),
        ("x8", "~~", "x9"),
        ("textual", "=~", "x3"),
    ]
    np.testing.assert_allclose(
        found["mi"], [36.411030652, 34.145089360, 18.630638464, 14.946391738, 9.150894796], rtol=1e-5
    )
    np.testing.assert_allclose(
        found["sepc_all"].iloc[[0, 2, 4]], [0.5152491098, -0.3489088012, -0.2380993264], rtol=1e-5
    )


def test_modification_index_of_a_fixed_parameter(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER + "visual ~~ 0*textual", holzinger)
    row = fit.modification_indices().query("lhs == 'visual' and op == '~~' and rhs == 'textual'")
    assert row["mi"].item() == pytest.approx(27.9926057988, rel=1e-5)
    assert row["epc"].item() == pytest.approx(0.294954201112, rel=1e-5)


def test_modification_indices_under_equality(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa("f =~ x1 + a*x2 + a*x3 + x4 + x5", holzinger)
    indices = fit.modification_indices()
    assert (indices["mi"] >= 0).all()
    assert indices["mi"].notna().all()


def test_residuals(factors: psm.SemResult, holzinger: pd.DataFrame) -> None:
    names = list(factors.sample.names)
    raw, cor, z = (factors.residuals(kind) for kind in ("raw", "cor", "standardized"))  # type: ignore[arg-type]
    np.testing.assert_allclose(raw + factors.implied()["cov"], holzinger[names].cov(ddof=0), atol=1e-12)
    np.testing.assert_allclose(np.diagonal(raw), 0.0, atol=1e-8)
    root = np.sqrt((cor.to_numpy()[np.tril_indices(9, -1)] ** 2).mean())
    assert root == pytest.approx(factors.fit_measures["crmr"], rel=1e-8)
    assert z.loc["x1", "x9"] > 2.0
    assert (z.to_numpy() == z.to_numpy().T).all()


def test_standardized_residuals_have_the_right_spread() -> None:
    rng = np.random.default_rng(11)
    loadings = np.array([0.8, 0.7, 0.6, 0.5])
    collected = []
    for _ in range(150):
        rows = rng.normal(size=(200, 1)) * loadings + rng.normal(size=(200, 4)) * np.sqrt(1 - loadings**2)
        fit = psm.cfa("f =~ a + b + c + d", pd.DataFrame(rows, columns=list("abcd")), std_lv=True)
        collected.append(fit.residuals("standardized").to_numpy()[np.tril_indices(4, -1)])
    spread = np.std(collected, axis=0)
    np.testing.assert_allclose(spread, 1.0, atol=0.2)


def test_r_squared(political: psm.SemResult, factors: psm.SemResult) -> None:
    std = factors.tidy().query("op == '=~'").set_index("rhs")["std_all"]
    for item, value in factors.r_squared.items():
        assert value == pytest.approx(std[item] ** 2, rel=1e-10)
    residual = political.tidy().query("op == '~~' and lhs == rhs").set_index("lhs")["std_all"]
    for outcome in ("dem60", "dem65", "y1", "x3"):
        assert political.r_squared[outcome] == pytest.approx(1 - residual[outcome], rel=1e-10)
    assert "ind60" not in political.r_squared


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize("means", [False, True])
def test_scores_of_new_rows_are_those_of_the_fit(holzinger: pd.DataFrame, method: str, means: bool) -> None:
    fit = psm.sem(STRUCTURE, holzinger, meanstructure=means)
    own = fit.factor_scores(method=method)  # type: ignore[arg-type]
    new = fit.factor_scores(holzinger.iloc[[5, 0, 17]], method=method)  # type: ignore[arg-type]
    np.testing.assert_allclose(new, own.loc[[5, 0, 17]], rtol=1e-10, atol=1e-12)
    assert list(new.index) == [5, 0, 17]
    assert list(own.columns) == ["visual", "textual", "speed"]
    np.testing.assert_allclose(own.mean(), 0.0, atol=1e-9)


def test_regression_scores_are_the_conditional_expectation(factors: psm.SemResult, holzinger: pd.DataFrame) -> None:
    frame = factors.tidy()
    names, latent = list(factors.sample.names), ["visual", "textual", "speed"]
    loadings = frame[frame["op"] == "=~"].pivot_table("estimate", "rhs", "lhs", fill_value=0.0).loc[names, latent]
    covariances = pd.DataFrame(0.0, latent, latent)
    for row in frame[(frame["op"] == "~~") & frame["lhs"].isin(latent)].itertuples():
        covariances.loc[row.lhs, row.rhs] = covariances.loc[row.rhs, row.lhs] = row.estimate
    implied = factors.implied()["cov"].to_numpy()
    centred = (holzinger[names] - holzinger[names].mean()).to_numpy()
    expected = centred @ np.linalg.solve(implied, loadings.to_numpy() @ covariances.to_numpy())
    np.testing.assert_allclose(factors.factor_scores(), expected, rtol=1e-8, atol=1e-10)


def test_bartlett_scores_are_unbiased() -> None:
    rng = np.random.default_rng(2)
    eta = rng.normal(size=4000)
    rows = pd.DataFrame({f"y{k}": 0.7 * eta + rng.normal(scale=0.6, size=4000) for k in range(4)})
    scores = psm.cfa("f =~ y0 + y1 + y2 + y3", rows, std_lv=True).factor_scores(method="bartlett")["f"]
    assert np.polyfit(eta, scores, 1)[0] == pytest.approx(1.0, abs=0.03)


def test_delta_method_of_a_product_by_hand(political: psm.SemResult) -> None:
    frame = political.tidy().set_index("label")
    p, q, r = (frame.loc[name, "estimate"] for name in "pqr")
    V = political.vcov.loc[list("pqr"), list("pqr")].to_numpy()
    assert frame.loc["indirect", "estimate"] == pytest.approx(p * r, rel=1e-12)
    assert frame.loc["total", "estimate"] == pytest.approx(q + p * r, rel=1e-12)
    for name, slope in (("indirect", np.array([r, 0, p])), ("total", np.array([r, 1, p]))):
        assert frame.loc[name, "std_error"] == pytest.approx(np.sqrt(slope @ V @ slope), rel=1e-12)


def test_definitions_may_use_definitions_and_functions(democracy: pd.DataFrame) -> None:
    fit = psm.sem(DEMOCRACY + "share := indirect/total\nlogged := log(total) + sqrt(abs(indirect))", democracy)
    frame = fit.tidy().set_index("label")
    share = frame.loc["indirect", "estimate"] / frame.loc["total", "estimate"]
    assert frame.loc["share", "estimate"] == pytest.approx(share, rel=1e-12)
    assert frame.loc["logged", "std_error"] > 0


@pytest.mark.parametrize("kind", ["std_all", "std_lv", "std_nox"])
def test_standardized_errors_against_finite_differences(holzinger: pd.DataFrame, kind: str) -> None:
    fit = psm.sem(STRUCTURE + "\nvisual ~ a*ageyr\nx1 ~~ x4\nsquare := a^2", holzinger)
    x, exogenous = fit.solution.x, frozenset(("ageyr",))

    def at(point: np.ndarray) -> np.ndarray:
        return np.asarray(standardized(fit.problem, fit.problem.expand(point), kind=kind, exogenous=exogenous))  # type: ignore[arg-type]

    steps = 1e-6 * np.maximum(1.0, np.abs(x)) * np.eye(x.size)
    slopes = np.array([(at(x + s) - at(x - s)) / (2 * s.sum()) for s in steps])
    expected = np.sqrt(np.einsum("ki,kl,li->i", slopes, fit.free_vcov, slopes))
    frame = fit.standardized(kind)  # type: ignore[arg-type]
    np.testing.assert_allclose(frame["std_error"].to_numpy()[:-1], expected, atol=1e-7)
    a = frame.set_index("rhs").loc["ageyr"].query("op == '~'").iloc[0]
    last = frame.iloc[-1]
    assert last["estimate"] == pytest.approx(a["estimate"] ** 2)
    assert last["std_error"] == pytest.approx(2 * abs(a["estimate"]) * a["std_error"], rel=1e-8)


def test_standardized_solution_has_unit_variances(factors: psm.SemResult, holzinger: pd.DataFrame) -> None:
    frame = factors.standardized().set_index(["lhs", "op", "rhs"])["estimate"]
    for item, factor in (("x1", "visual"), ("x5", "textual"), ("x9", "speed")):
        assert frame[factor, "=~", item] ** 2 + frame[item, "~~", item] == pytest.approx(1.0)
    fixed = psm.cfa(HOLZINGER, holzinger, std_lv=True).tidy()
    np.testing.assert_allclose(fixed["std_lv"], fixed["estimate"], rtol=1e-10)
    np.testing.assert_allclose(fixed["std_all"], factors.tidy()["std_all"], rtol=1e-6, atol=1e-8)


def test_tidy_has_the_house_vocabulary(political: psm.SemResult) -> None:
    frame = political.tidy()
    columns = ["lhs", "op", "rhs", "group", "label"]
    columns += ["estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high", "std_lv", "std_all"]
    assert list(frame.columns) == columns
    free = frame[frame["std_error"] > 0]
    np.testing.assert_allclose(free["statistic"], free["estimate"] / free["std_error"])
    np.testing.assert_allclose(free["ci_high"] - free["estimate"], 1.959963984540054 * free["std_error"])
    narrow = political.tidy(level=0.90)
    assert (narrow["ci_high"] - narrow["ci_low"])[free.index].lt(free["ci_high"] - free["ci_low"]).all()
    fixed = frame[frame["std_error"] == 0]
    assert fixed["p_value"].isna().all()
    assert (fixed["estimate"] == 1.0).all()


def test_glance_and_vcov(political: psm.SemResult) -> None:
    row = political.glance().iloc[0]
    assert (row["estimator"], row["nobs"], row["npar"], row["df"], bool(row["converged"])) == ("ML", 75, 28, 38, True)
    V = political.vcov
    assert list(V.index) == list(V.columns)
    assert {"a", "p", "x1~~x1"} <= set(V.index)
    np.testing.assert_allclose(V, V.T, rtol=1e-12, atol=1e-15)
    assert np.linalg.eigvalsh(V)[0] > 0


def test_summary_says_what_a_statistician_expects(political: psm.SemResult) -> None:
    text = political.summary()
    for part in (
        "ended normally",
        "Estimator",
        "Chi-square",
        "Degrees of freedom",
        "CFI",
        "TLI",
        "RMSEA",
        "90% CI",
        "SRMR",
        "AIC",
        "BIC",
        "Latent variables:",
        "Regressions:",
        "Covariances:",
        "Variances:",
        "Defined parameters:",
        "R-square:",
        "indirect",
        "(a)",
        "Std.all",
    ):
        assert part in text, part
    assert f"{political.fit_measures['chisq']:.3f}" in text
    assert "nan" not in text
    assert str(political) == text
    assert "<pre" in political._repr_html_()


def test_summary_columns_never_touch(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, holzinger.assign(x1=1e6 * holzinger["x1"], x5=1e-6 * holzinger["x5"]))
    lines = [line for line in fit.summary().splitlines() if line.startswith(("    x", "    visual"))]
    for line in lines:
        words = line.split()[1:]
        assert all(word.count(".") <= 1 for word in words), line


def test_summary_by_group(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, holzinger, group="school", group_equal=["loadings"])
    text = fit.summary()
    assert text.index("Group Pasteur:") < text.index("Group Grant-White:")
    assert "group Pasteur" in text
    assert fit.group_labels == ["Pasteur", "Grant-White"]
    assert set(fit.r_squared) == {"Pasteur", "Grant-White"}
    assert set(fit.residuals()) == {"Pasteur", "Grant-White"}
    assert len(fit.factor_scores()) == 301


def test_scores_of_incomplete_rows_use_what_was_answered(golden_data) -> None:  # type: ignore[no-untyped-def]
    data = golden_data("survey.csv")[["bo1", "bo2", "bo3", "bo4"]]
    fit = psm.cfa("f =~ bo1 + bo2 + bo3 + bo4", data, missing="fiml")
    moments = fit.implied()
    loadings = fit.tidy().query("op == '=~'").set_index("rhs")["estimate"]
    residual = fit.tidy().query("op == '~~' and lhs == rhs").set_index("lhs")["estimate"]
    incomplete = data[data.isna().any(axis=1) & data.notna().any(axis=1)]
    assert len(incomplete) > 10
    for method in ("regression", "bartlett"):
        scores = fit.factor_scores(method=method)["f"]
        assert scores.notna().all()
        for label, row in incomplete.head(10).iterrows():
            seen = list(row.dropna().index)
            centred = row[seen] - moments["mean"][seen]
            if method == "regression":
                cov = moments["cov"].loc[seen, seen].to_numpy()
                expected = residual["f"] * loadings[seen] @ np.linalg.solve(cov, centred)
            else:
                weights = loadings[seen] / residual[seen]
                expected = weights @ centred / (weights @ loadings[seen])
            assert scores[label] == pytest.approx(expected, abs=1e-8)


def likert_rows() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    latent = rng.normal(size=(400, 1)) * [0.9, 0.8, 0.7, 0.8] + rng.normal(size=(400, 4)) * 0.7
    return pd.DataFrame(np.digitize(latent, [-0.2, 0.9, 1.6]) + 1, columns=["a", "b", "c", "d"])


@pytest.mark.parametrize(
    ("options", "kind", "test"),
    [
        ({}, "", "standard"),
        ({"estimator": "MLR"}, "_robust", "yuan.bentler.mplus"),
        ({"estimator": "MLMVS"}, "_robust", "mean.var.adjusted"),
        ({"ordered": True}, "_scaled", "scaled.shifted"),
    ],
)
def test_glance_reports_the_test_that_the_estimator_calls_for(options: dict[str, Any], kind: str, test: str) -> None:
    fit = psm.cfa("f =~ a + b + c + d", likert_rows(), **options)
    row, m, scaled = fit.glance().iloc[0], fit.fit_measures, "_scaled" if kind else ""
    assert (row["chisq"], row["df"], row["p_value"]) == tuple(m[f"{k}{scaled}"] for k in ("chisq", "df", "pvalue"))
    assert (row["cfi"], row["rmsea"], row["rmsea_ci_high"]) == tuple(
        m[f"{k}{kind}"] for k in ("cfi", "rmsea", "rmsea_ci_upper")
    )
    assert (row["test"], row["measures"]) == (test, kind.removeprefix("_") or "standard")


def test_summary_of_an_ordinal_fit_shows_scaled_tests_and_thresholds() -> None:
    fit = psm.cfa("f =~ a + b + c + d", likert_rows(), ordered=True)
    text, m = fit.summary(), fit.fit_measures
    assert f"{m['chisq']:>12.3f}{m['chisq_scaled']:>12.3f}" in text
    assert f"{m['cfi']:>12.3f}{m['cfi_scaled']:>12.3f}{m['cfi_robust']:>12.3f}" in text
    assert "(scaled and shifted)" in text
    assert text.count("a|t") == 3
    assert "Intercepts:" not in text


def test_what_is_fixed_by_standardizing_has_no_error(factors: psm.SemResult) -> None:
    row = factors.standardized().query("lhs == 'visual' and rhs == 'visual'").iloc[0]
    assert row["estimate"] == pytest.approx(1.0)
    assert row["std_error"] == 0.0
    assert np.isnan(row["statistic"])
    assert np.isnan(row["p_value"])
