"""Alignment: derivatives against differences, the minimum against a grid, means against their population."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import psm_analysis as psm
from psm_analysis.invariance.alignment_items import invariant_groups
from psm_analysis.invariance.alignment_loss import Alignment, minimum, sensitivity

ITEMS = [f"x{i}" for i in range(6)]
MODEL = "f =~ " + " + ".join(ITEMS)
LOADINGS = np.array([1.0, 0.8, 0.9, 0.7, 0.85, 0.95])
INTERCEPTS = np.array([3.0, 3.2, 2.8, 3.1, 2.9, 3.0])


def many_groups(groups: int, n: int, *, seed: int, share: float) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return answers of groups of which a share of the parameters differs; means and SDs of the factor."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=groups) * 0.5
    means -= means[0]
    scales = np.exp(rng.normal(size=groups) * 0.15)
    scales /= scales[0]
    frames = []
    for g in range(groups):
        loadings = LOADINGS - 0.3 * (rng.random(6) < share / 2) * (g > 0)
        intercepts = INTERCEPTS + 0.6 * (rng.random(6) < share / 2) * (g > 0)
        f = means[g] + scales[g] * rng.normal(size=(n, 1))
        y = f * loadings + intercepts + rng.normal(size=(n, 6)) * 0.6
        frames.append(pd.DataFrame(y, columns=ITEMS).assign(place=f"组{g}"))
    return pd.concat(frames, ignore_index=True), means, scales


def problem(*, fixed: bool, groups: int = 4, seed: int = 1) -> Alignment:
    """Return a problem with thresholds: items with one or two levels."""
    rng = np.random.default_rng(seed)
    nobs = rng.integers(100, 500, groups)
    weights = np.sqrt(np.outer(nobs, nobs))
    np.fill_diagonal(weights, 0.0)
    loadings, levels = 0.8 + 0.2 * rng.normal(size=(4, groups)), rng.normal(size=(6, groups))
    return Alignment(loadings, levels, np.array([0, 0, 1, 2, 3, 3]), weights, fixed)


def slopes(function: Callable[[np.ndarray], Any], x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    return np.array(
        [(np.asarray(function(x + h * e)) - np.asarray(function(x - h * e))) / (2 * h) for e in np.eye(len(x))]
    )


def at_estimates(p: Alignment, values: np.ndarray) -> Alignment:
    P, G = p.loadings.shape
    return replace(p, loadings=values[: P * G].reshape(P, G), levels=values[P * G :].reshape(-1, G))


def test_the_simplicity_function_by_loops() -> None:
    p = problem(fixed=True)
    delta = np.random.default_rng(2).normal(size=8) * 0.3
    total = 0.0
    for g, h in itertools.combinations(range(4), 2):
        for i in range(4):
            a, b = (p.loadings[i, k] / np.exp(delta[4 + k]) for k in (g, h))
            total += p.weights[g, h] * np.sqrt(np.sqrt((a - b) ** 2 + 0.01))
        for q, i in enumerate(p.item):
            a, b = (p.levels[q, k] - delta[k] * p.loadings[i, k] / np.exp(delta[4 + k]) for k in (g, h))
            total += p.weights[g, h] * np.sqrt(np.sqrt((a - b) ** 2 + 0.01))
    assert p.value(delta) == pytest.approx(total, rel=1e-12)


def test_derivatives_against_differences() -> None:
    p = problem(fixed=True)
    delta = np.random.default_rng(2).normal(size=8) * 0.3
    np.testing.assert_allclose(p.gradient(delta), slopes(p.value, delta), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(p.hessian(delta), slopes(p.gradient, delta), rtol=1e-5, atol=1e-4)
    estimates = np.concatenate([p.loadings.ravel(), p.levels.ravel()])
    expected = slopes(lambda x: at_estimates(p, x).gradient(delta), estimates).T
    np.testing.assert_allclose(p.by_estimates(delta), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("fixed", [True, False])
def test_the_minimum_moves_as_its_derivative_says(fixed: bool) -> None:
    p = problem(fixed=fixed, groups=3)
    delta = minimum(p)
    assert delta[3:].sum() == pytest.approx(0.0, abs=1e-12)
    estimates = np.concatenate([p.loadings.ravel(), p.levels.ravel()])
    expected = slopes(lambda x: minimum(at_estimates(p, x)), estimates, h=1e-5).T
    np.testing.assert_allclose(sensitivity(p, delta), expected, rtol=1e-3, atol=1e-4)


def test_the_minimum_of_two_groups_against_a_grid() -> None:
    p = problem(fixed=True, groups=2, seed=5)
    delta = minimum(p)
    steps = itertools.product(np.linspace(-3, 3, 121), np.linspace(-1, 1, 61))
    grid = [p.value(np.array([0.0, alpha, -log_sd, log_sd])) for alpha, log_sd in steps]
    assert p.value(delta) <= min(grid)
    assert p.value(delta) == pytest.approx(min(grid), rel=2e-2)


@pytest.mark.parametrize("method", ["fixed", "free"])
def test_means_of_twenty_groups_are_recovered(method: str) -> None:
    data, means, scales = many_groups(20, 300, seed=1, share=0.2)
    found = psm.alignment(MODEL, data, group="place", method=method)  # type: ignore[arg-type]
    table = found.tidy()
    assert np.corrcoef(table["estimate"], means)[0, 1] > 0.98
    assert np.corrcoef(np.sqrt(table["variance"]), scales)[0, 1] > 0.95
    assert found.glance()["n_groups"].item() == 20
    assert table["variance"][0] == pytest.approx(1.0)
    if method == "fixed":
        assert table["estimate"][0] == table["std_error"][0] == 0.0
        assert ((table["ci_low"] <= means) & (means <= table["ci_high"])).mean() > 0.9


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
@pytest.mark.parametrize("seed", [2, 3, 4, 5, 6])
def test_means_of_twenty_groups_are_recovered_in_every_sample(seed: int) -> None:
    data, means, _ = many_groups(20, 300, seed=seed, share=0.2)
    assert np.corrcoef(psm.alignment(MODEL, data, group="place").tidy()["estimate"], means)[0, 1] > 0.98


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_means_of_forty_small_groups_are_as_good_as_their_samples() -> None:
    """With 50 persons a group even seen factor scores have means that correlate .96 with those of the population."""
    limits, found = [], []
    for seed in (1, 2, 3):
        data, means, scales = many_groups(40, 50, seed=seed, share=0.2)
        limits.append(np.sqrt(means.var() / (means.var() + np.mean(scales**2) / 50)))
        found.append(np.corrcoef(psm.alignment(MODEL, data, group="place").tidy()["estimate"], means)[0, 1])
    assert np.mean(found) == pytest.approx(np.mean(limits), abs=0.02)


@pytest.mark.parametrize(("groups", "n"), [(12, 300), (20, 300), (40, 50)])
def test_the_minimum_is_not_beaten_from_random_starts(groups: int, n: int) -> None:
    """Estimates of groups, a fifth of whose parameters differs, and ten searches of another kind (quasi-Newton)."""
    rng = np.random.default_rng(groups)
    means, scales, noise = rng.normal(size=groups) * 0.5, np.exp(rng.normal(size=groups) * 0.15), 0.8 / np.sqrt(n)
    loadings = LOADINGS[:, None] - 0.3 * (rng.random((6, groups)) < 0.1)
    levels = INTERCEPTS[:, None] + 0.6 * (rng.random((6, groups)) < 0.1) + means * loadings
    loadings, levels = (x + rng.normal(size=(6, groups)) * noise for x in (loadings * scales, levels))
    weights = np.full((groups, groups), float(n))
    np.fill_diagonal(weights, 0.0)
    p = Alignment(loadings, levels, np.arange(6), weights, True)
    best, B = p.value(minimum(p)), p.basis
    for _ in range(10):
        start = B @ rng.normal(scale=0.3, size=B.shape[1])
        found = optimize.minimize(
            lambda z, start=start: p.value(start + B @ z),
            np.zeros(B.shape[1]),
            jac=lambda z, start=start: B.T @ p.gradient(start + B @ z),
            method="BFGS",
        )
        assert found.fun >= best * (1 - 1e-9)


def test_what_differs_is_named() -> None:
    data, _, _ = many_groups(6, 1500, seed=2, share=0.0)
    data.loc[data["place"] == "组3", "x2"] += 0.7
    here = data["place"] == "组5"
    data.loc[here, "x4"] -= 0.5 * (data.loc[here, ITEMS].mean(axis=1) - data.loc[here, ITEMS].to_numpy().mean())
    found = psm.alignment(MODEL, data, group="place")
    items = found.noninvariance().set_index(["item", "parameter"])
    assert items.loc[("x2", "intercept"), "groups"] == "组3"
    assert items.loc[("x4", "loading"), "groups"] == "组5"
    assert items["n_noninvariant"].sum() <= 4
    assert items.loc[("x2", "intercept"), "r_squared"] < 0.6 < items.loc[("x0", "intercept"), "r_squared"]
    assert items["loss"].idxmax() == ("x2", "intercept")
    values = found.parameters().set_index(["item", "parameter", "group"])["estimate"]
    assert values["x2", "intercept", "组3"] - values["x2", "intercept", "组0"] == pytest.approx(0.7, abs=0.12)


def test_invariant_groups_have_the_means_of_the_scalar_model() -> None:
    data, _, _ = many_groups(4, 2000, seed=4, share=0.0)
    aligned = psm.alignment(MODEL, data, group="place")
    scalar = psm.invariance(MODEL, data, group="place", steps=("scalar",), std_lv=True).latent_means()
    means = aligned.tidy().iloc[1:]
    np.testing.assert_allclose(means["estimate"], scalar["estimate"], atol=0.02)
    np.testing.assert_allclose(means["std_error"], scalar["std_error"], rtol=0.15)


def test_metric_and_reference_change_the_units_only() -> None:
    data, _, _ = many_groups(5, 400, seed=3, share=0.1)
    first = psm.alignment(MODEL, data, group="place")
    product = psm.alignment(MODEL, data, group="place", metric="product")
    other = psm.alignment(MODEL, data, group="place", reference="组2").tidy()
    a, b = first.tidy(), product.tidy()
    assert np.prod(b["variance"]) == pytest.approx(1.0)
    scale = b["variance"][0]
    np.testing.assert_allclose(a["variance"] * scale, b["variance"], rtol=1e-9)
    np.testing.assert_allclose(a["estimate"] * scale**0.5, b["estimate"], atol=1e-9)
    # Seen from another group means shift and stretch, up to the small difference that the fixed mean makes.
    assert other["estimate"][2] == 0.0
    assert np.corrcoef(other["estimate"], a["estimate"])[0, 1] > 0.999
    pairs = first.differences("f").set_index(["group", "other"])
    assert pairs.loc[("组0", "组3"), "estimate"] == pytest.approx(-a["estimate"][3])
    assert pairs.loc[("组0", "组3"), "std_error"] == pytest.approx(a["std_error"][3])


def test_ordinal_items_by_their_thresholds() -> None:
    data, means, _ = many_groups(6, 800, seed=6, share=0.0)
    cut = data.copy()
    cut[ITEMS] = np.digitize(data[ITEMS], [2.0, 3.0, 4.0])
    found = psm.alignment(MODEL, cut, group="place", ordered=True)
    assert np.corrcoef(found.tidy()["estimate"], means)[0, 1] > 0.98
    assert "threshold 3" in found.noninvariance()["parameter"].tolist()
    # Thresholds are cut points of the items: the same in all groups, rising.
    values = found.parameters().query("item == 'x0' and group == '组2'")["estimate"].tolist()
    assert values[1] < values[2] < values[3]


def test_a_group_whose_factor_points_the_other_way() -> None:
    values = np.array([0.0, 0.02, 0.9, 0.92, -0.01])
    assert invariant_groups(values, np.eye(5) * 0.001).tolist() == [True, True, False, False, True]
    assert invariant_groups(np.zeros(3), np.zeros((3, 3))).all()


def test_refusals_and_doubts() -> None:
    data, _, _ = many_groups(3, 300, seed=3, share=0.0)
    with pytest.raises(psm.PsmAnalysisError, match="'x0' loads on 2 factors"):
        psm.alignment(MODEL + "\ng =~ x0 + x1 + x2 + x3", data, group="place")
    with pytest.raises(psm.PsmAnalysisError, match="'f =~ x1' is fixed"):
        psm.alignment(MODEL.replace("x1", "1*x1"), data, group="place")
    with pytest.raises(psm.PsmAnalysisError, match="reference='nowhere' is not known"):
        psm.alignment(MODEL, data, group="place", reference="nowhere")
    with pytest.raises(psm.PsmAnalysisError, match="method='freed' is not known"):
        psm.alignment(MODEL, data, group="place", method="freed")  # type: ignore[arg-type]
    with pytest.raises(psm.PsmAnalysisError, match="std_lv is set by alignment"):
        psm.alignment(MODEL, data, group="place", std_lv=True)
    with pytest.raises(psm.PsmAnalysisError, match="factor='g' is not known"):
        psm.alignment(MODEL, data, group="place").differences("g")
    drifted, _, _ = many_groups(4, 1500, seed=9, share=1.4)
    with pytest.warns(psm.PsmAnalysisWarning, match="parameters are not invariant"):
        psm.alignment(MODEL, drifted, group="place")


@pytest.mark.slow
def test_standard_errors_are_those_of_repeated_samples() -> None:
    estimates, errors = [], []
    for seed in range(120):
        rng = np.random.default_rng(1000 + seed)
        frames = []
        for g, mean in enumerate([0.0, 0.4, -0.3]):
            y = rng.normal(mean, 1.0, size=(300, 1)) * LOADINGS + INTERCEPTS + rng.normal(size=(300, 6)) * 0.6
            y[:, 0] += 0.7 * (g == 1)
            frames.append(pd.DataFrame(y, columns=ITEMS).assign(place=f"p{g}"))
        table = psm.alignment(MODEL, pd.concat(frames, ignore_index=True), group="place").tidy()
        estimates.append([*table["estimate"][1:], *table["variance"][1:]])
        errors.append([*table["std_error"][1:], *table["variance_std_error"][1:]])
    spread, mean = np.std(estimates, axis=0, ddof=1), np.mean(errors, axis=0)
    # 120 samples know a standard deviation to 6.5 per cent.
    np.testing.assert_allclose(mean, spread, rtol=0.2)
    np.testing.assert_allclose(np.mean(estimates, axis=0)[:2], [0.4, -0.3], atol=0.05)
