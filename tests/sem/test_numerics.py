"""Samples and models that are hard for the search: units, size, few rows, shared indicators; exact repetition."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sem.models import DEMOCRACY, HOLZINGER

import psm_analysis as psm
from psm_analysis.sem.sandwich import projector


def items(n: int, loadings: np.ndarray, *, correlation: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Return items ``i1, i2 ...`` of standardized factors that correlate equally."""
    rng = np.random.default_rng(seed)
    k = loadings.shape[1]
    root = np.linalg.cholesky(np.full((k, k), correlation) + (1 - correlation) * np.eye(k))
    factors = rng.normal(size=(n, k)) @ root.T
    noise = rng.normal(size=(n, len(loadings))) * np.sqrt(np.maximum(1.0 - (loadings**2).sum(axis=1), 0.2))
    return pd.DataFrame(factors @ loadings.T + noise, columns=[f"i{j + 1}" for j in range(len(loadings))])


def simple_structure(n_factors: int, n_items: int, *, low: float = 0.5, high: float = 0.8) -> np.ndarray:
    loadings = np.zeros((n_factors * n_items, n_factors))
    for f in range(n_factors):
        loadings[f * n_items : (f + 1) * n_items, f] = np.linspace(high, low, n_items)
    return loadings


def model_of(n_factors: int, n_items: int) -> str:
    rows = range(n_factors)
    return "\n".join(f"f{f} =~ " + " + ".join(f"i{f * n_items + j + 1}" for j in range(n_items)) for f in rows)


UNITS = {
    "a mixture": dict(zip([f"x{i}" for i in range(1, 10)], [1e3, 1, 1e-3, 1e-3, 1e3, 1, 1, 1e-3, 1e3], strict=True)),
    "a large marker": {"x1": 1e6},
    "a large item": {"x2": 1e6},
    "a small marker": {"x1": 1e-6},
    "a small item": {"x2": 1e-6},
    "all large": {f"x{i}": 1e6 for i in range(1, 10)},
    "all small": {f"x{i}": 1e-6 for i in range(1, 10)},
    "very far apart": {"x2": 1e9, "x4": 1e-9},
}
SCALED_MODELS = {
    "factors": HOLZINGER,
    "second order": HOLZINGER + "g =~ visual + textual + speed",
    "paths": HOLZINGER + "speed ~ visual + textual\nx1 ~~ x4",
    "equal": HOLZINGER.replace("x8", "a*x8").replace("x9", "a*x9"),
}


@pytest.mark.parametrize("std_lv", [False, True])
@pytest.mark.parametrize("model", SCALED_MODELS)
@pytest.mark.parametrize("units", UNITS)
def test_units_of_measurement_do_not_matter(holzinger: pd.DataFrame, units: str, model: str, std_lv: bool) -> None:
    factors = UNITS[units]
    if model == "equal":
        factors = {x: c for x, c in factors.items() if x not in ("x7", "x8", "x9")}
    text = SCALED_MODELS[model]
    plain = psm.sem(text, holzinger, std_lv=std_lv)
    scaled = psm.sem(text, holzinger.assign(**{x: c * holzinger[x] for x, c in factors.items()}), std_lv=std_lv)
    assert scaled.converged
    assert scaled.iterations < 25
    for measure, tolerance in (("chisq", 1e-9), ("cfi", 1e-7), ("rmsea", 1e-7), ("srmr", 1e-6)):
        assert scaled.fit_measures[measure] == pytest.approx(plain.fit_measures[measure], rel=tolerance)
    np.testing.assert_allclose(scaled.tidy()["std_all"].abs(), plain.tidy()["std_all"].abs(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(scaled.standardized()["std_error"], plain.standardized()["std_error"], atol=1e-6)


def test_large_means_do_not_matter(holzinger: pd.DataFrame) -> None:
    plain = psm.cfa(HOLZINGER, holzinger, meanstructure=True)
    moved = psm.cfa(HOLZINGER, holzinger.drop(columns="school") + 1e6, meanstructure=True)
    assert moved.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-6)


def test_sixty_indicators() -> None:
    data = items(500, simple_structure(6, 10), correlation=0.4)
    fit = psm.cfa(model_of(6, 10), data)
    assert fit.converged
    assert fit.iterations < 20
    assert fit.fit_measures["df"] == 60 * 61 / 2 - 54 - 60 - 6 - 15
    correlations = fit.standardized().query("op == '~~' and lhs != rhs")["estimate"]
    np.testing.assert_allclose(correlations, 0.4, atol=0.15)


def test_thirty_rows() -> None:
    data = items(30, simple_structure(2, 4, low=0.7, high=0.8), correlation=0.3, seed=4)
    fit = psm.cfa(model_of(2, 4), data)
    assert fit.converged
    assert not fit.warnings
    assert (fit.tidy()["std_error"] >= 0).all()
    assert fit.fit_measures["rmsea_ci_lower"] <= fit.fit_measures["rmsea"] <= fit.fit_measures["rmsea_ci_upper"]


def test_bifactor() -> None:
    loadings = np.hstack([np.full((12, 1), 0.6), simple_structure(3, 4, low=0.4, high=0.5)])
    data = items(1500, loadings, seed=8)
    general = "g =~ " + " + ".join(data.columns)
    fit = psm.cfa(f"{general}\n{model_of(3, 4)}", data, std_lv=True, orthogonal=True)
    assert fit.converged
    assert not fit.warnings
    std = fit.tidy().query("op == '=~'")
    np.testing.assert_allclose(std.query("lhs == 'g'")["std_all"], 0.6 / np.sqrt(1.0), atol=0.12)
    assert fit.fit_measures["df"] == 12 * 13 / 2 - 24 - 12
    assert fit.fit_measures["pvalue"] > 0.001


def test_bifactor_with_markers_reaches_the_same_minimum() -> None:
    loadings = np.hstack([np.full((12, 1), 0.6), simple_structure(3, 4, low=0.4, high=0.5)])
    data = items(1500, loadings, seed=8)
    text = "g =~ " + " + ".join(data.columns) + "\n" + model_of(3, 4)
    chisq = [psm.cfa(text, data, orthogonal=True, std_lv=free).fit_measures["chisq"] for free in (False, True)]
    assert chisq[0] == pytest.approx(chisq[1], rel=1e-8)


def test_recovery_of_known_values() -> None:
    loadings = simple_structure(2, 5)
    fit = psm.cfa(model_of(2, 5), items(20_000, loadings, correlation=0.5), std_lv=True)
    found = fit.tidy().query("op == '=~'")
    z = (found["estimate"] - loadings.sum(axis=1)) / found["std_error"]
    assert z.abs().max() < 4.0
    assert fit.fit_measures["rmsea"] < 0.01


def test_standard_errors_are_the_spread_over_samples() -> None:
    loadings = simple_structure(1, 4)
    estimates, errors = [], []
    for seed in range(200):
        frame = psm.cfa(model_of(1, 4), items(300, loadings, seed=seed), std_lv=True).tidy()
        estimates.append(frame["estimate"][:4])
        errors.append(frame["std_error"][:4])
    np.testing.assert_allclose(np.std(estimates, axis=0), np.mean(errors, axis=0), rtol=0.2)


def test_chi_square_has_its_distribution() -> None:
    loadings = simple_structure(1, 5)
    values = [
        psm.cfa(model_of(1, 5), items(400, loadings, seed=seed)).fit_measures["chisq"] for seed in range(1000, 1200)
    ]
    assert np.mean(values) == pytest.approx(5.0, abs=0.75)
    assert np.var(values) == pytest.approx(10.0, rel=0.4)


def test_repeated_runs_are_identical(democracy: pd.DataFrame) -> None:
    first, second = (psm.sem(DEMOCRACY, democracy) for _ in range(2))
    assert first.tidy().equals(second.tidy())
    assert first.fit_measures == second.fit_measures
    assert first.modification_indices().equals(second.modification_indices())
    assert first.summary() == second.summary()


def test_a_fit_leaves_the_data_and_the_random_state_alone(democracy: pd.DataFrame) -> None:
    before, state = democracy.copy(), np.random.get_state()[1].copy()
    psm.sem(DEMOCRACY, democracy)
    assert democracy.equals(before)
    assert (np.random.get_state()[1] == state).all()


def test_the_index_of_the_rows_is_kept_and_incomplete_rows_are_left_out(holzinger: pd.DataFrame) -> None:
    data = holzinger.set_index(pd.Index([f"r{i}" for i in range(len(holzinger))]))
    data.loc[["r3", "r7"], "x4"] = np.nan
    fit = psm.cfa(HOLZINGER, data)
    assert fit.nobs == 299
    assert "(of 301)" in fit.summary()
    scores = fit.factor_scores()
    assert len(scores) == 299
    assert not {"r3", "r7"} & set(scores.index)


def test_chinese_names_through_a_whole_fit(holzinger: pd.DataFrame) -> None:
    names = {"x1": "题1", "x2": "题2", "x3": "题3", "x4": "倦怠 1"}
    fit = psm.sem("公共服务动机 =~ 题1 + 载荷*题2 + 题3\n`倦怠 1` ~ 公共服务动机", holzinger.rename(columns=names))
    plain = psm.sem("f =~ x1 + x2 + x3\nx4 ~ f", holzinger)
    assert fit.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-10)
    assert "公共服务动机" in fit.summary()
    assert "倦怠 1" in fit.r_squared


def test_constraints_in_small_and_large_units(holzinger: pd.DataFrame) -> None:
    text = "visual =~ x1 + a*x2 + b*x3\nspeed =~ x7 + x8 + x9\na == {c}*b\nx1 ~~ v*x1\nv > 0"
    plain = psm.cfa(text.format(c=0.5), holzinger)
    scaled = psm.cfa(text.format(c=0.5e6), holzinger.assign(x2=1e6 * holzinger["x2"]))
    assert scaled.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-8)
    np.testing.assert_allclose(scaled.tidy()["std_all"], plain.tidy()["std_all"], rtol=1e-5, atol=1e-6)


def test_a_product_of_two_columns(holzinger: pd.DataFrame) -> None:
    made = psm.sem("x1 ~ x2 + x3 + x2:x3", holzinger)
    given = psm.sem("x1 ~ x2 + x3 + x23", holzinger.assign(x23=holzinger["x2"] * holzinger["x3"]))
    np.testing.assert_allclose(made.tidy()["estimate"], given.tidy()["estimate"], rtol=1e-10)


def test_a_singular_information_is_named_and_not_an_error_of_linear_algebra() -> None:
    flat = SimpleNamespace(solution=SimpleNamespace(jacobian=np.zeros((0, 2))))
    with pytest.raises(psm.PsmAnalysisError, match="do not identify the model"):
        projector(flat, np.array([[1.0, 1.0], [1.0, 1.0]]))


def test_a_method_factor_without_method_variance_is_found_quickly() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 1000))
    rows = np.column_stack([a] * 4 + [0.4 * a + 0.84**0.5 * b] * 4) * 0.7 + 0.6 * rng.normal(size=(1000, 8))
    data = pd.DataFrame(rows, columns=[*"pqrs", *"tuvw"])
    text = "A =~ p + q + r + s; B =~ t + u + v + w; M =~ p + q + r + s + t + u + v + w; M ~~ 0*A + 0*B"
    fit = psm.cfa(text, data, std_lv=True)
    assert fit.converged
    assert fit.iterations < 200
