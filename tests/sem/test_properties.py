"""What must hold for every model and every sample: scale, order, restriction, sufficiency of the moments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sem.models import HOLZINGER

import psm_analysis as psm

few = settings(deadline=None, max_examples=8, derandomize=True)
scales = st.floats(1e-3, 1e3)
items = st.sampled_from([f"x{i}" for i in range(1, 10)])
STRUCTURE = HOLZINGER + "speed ~ visual + textual\ntextual ~ visual\nx1 ~~ x4"


def by_name(fit: psm.SemResult, column: str = "estimate") -> pd.Series[float]:
    """Return a column of the parameters, indexed by name whatever the order of a covariance."""
    frame = fit.tidy()
    names = [
        (*sorted((p.lhs, p.rhs)), p.op, p.group) if p.op == "~~" else (p.lhs, p.rhs, p.op, p.group)
        for p in frame.itertuples()
    ]
    return pd.Series(frame[column].to_numpy(), index=pd.MultiIndex.from_tuples(names)).sort_index()


def same(a: psm.SemResult, b: psm.SemResult, *, rel: float = 1e-6) -> None:
    assert b.fit_measures["chisq"] == pytest.approx(a.fit_measures["chisq"], rel=1e-8, abs=1e-8)
    assert b.fit_measures["df"] == a.fit_measures["df"]
    for column in ("estimate", "std_error", "std_all"):
        one, other = by_name(a, column), by_name(b, column)
        assert list(one.index) == list(other.index)
        np.testing.assert_allclose(one, other, rtol=rel, atol=rel)


@few
@given(item=items, scale=scales)
def test_rescaling_an_item_rescales_its_parameters_only(holzinger: pd.DataFrame, item: str, scale: float) -> None:
    before = psm.sem(STRUCTURE, holzinger, std_lv=True)
    after = psm.sem(STRUCTURE, holzinger.assign(**{item: scale * holzinger[item]}), std_lv=True)
    assert after.fit_measures["chisq"] == pytest.approx(before.fit_measures["chisq"], rel=1e-8)
    assert after.fit_measures["srmr"] == pytest.approx(before.fit_measures["srmr"], rel=1e-6)
    a, b = before.tidy(), after.tidy()
    power = (a["lhs"] == item).astype(int) + (a["rhs"] == item).astype(int)
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(b[column], a[column] * scale**power, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(b["std_all"], a["std_all"], rtol=1e-5, atol=1e-7)


@few
@given(scale=scales)
def test_rescaling_a_marker_rescales_its_factor(holzinger: pd.DataFrame, scale: float) -> None:
    before, after = (psm.cfa(HOLZINGER, holzinger.assign(x1=c * holzinger["x1"])) for c in (1.0, scale))
    assert after.fit_measures["chisq"] == pytest.approx(before.fit_measures["chisq"], rel=1e-8)
    a, b = by_name(before), by_name(after)
    assert b["visual", "visual", "~~", ""] == pytest.approx(scale**2 * a["visual", "visual", "~~", ""], rel=1e-6)
    assert b["visual", "x2", "=~", ""] == pytest.approx(a["visual", "x2", "=~", ""] / scale, rel=1e-6)
    assert b["textual", "visual", "~~", ""] == pytest.approx(scale * a["textual", "visual", "~~", ""], rel=1e-6)
    assert b["textual", "x5", "=~", ""] == pytest.approx(a["textual", "x5", "=~", ""], rel=1e-6)


@few
@given(shift=st.floats(-1e4, 1e4), item=items)
def test_shifting_an_item_moves_its_intercept_only(holzinger: pd.DataFrame, shift: float, item: str) -> None:
    before = psm.cfa(HOLZINGER, holzinger, meanstructure=True)
    after = psm.cfa(HOLZINGER, holzinger.assign(**{item: holzinger[item] + shift}), meanstructure=True)
    a, b = before.tidy(), after.tidy()
    moved = ((a["op"] == "~1") & (a["lhs"] == item)).to_numpy()
    np.testing.assert_allclose(b["estimate"], a["estimate"] + shift * moved, rtol=1e-6, atol=1e-6)
    assert after.fit_measures["chisq"] == pytest.approx(before.fit_measures["chisq"], rel=1e-7)


@few
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_and_columns_is_irrelevant(holzinger: pd.DataFrame, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = holzinger.iloc[rng.permutation(len(holzinger)), rng.permutation(holzinger.shape[1])]
    same(psm.sem(STRUCTURE, holzinger), psm.sem(STRUCTURE, shuffled))


@few
@given(order=st.permutations(range(4)), inner=st.permutations(["x1", "x2", "x3"]))
def test_the_order_of_the_model_text_is_irrelevant(holzinger: pd.DataFrame, order: list[int], inner: list[str]) -> None:
    parts = [f"visual =~ {' + '.join(inner)}", "textual =~ x4 + x5 + x6", "speed =~ x7 + x8 + x9", "speed ~ visual"]
    plain = psm.sem(HOLZINGER + "speed ~ visual", holzinger, std_lv=True)
    mixed = psm.sem("\n".join(parts[i] for i in order), holzinger, std_lv=True)
    assert mixed.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-8)
    np.testing.assert_allclose(by_name(plain).abs(), by_name(mixed).abs(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("equal", [[], ["loadings", "intercepts"], ["loadings", "residuals"]])
def test_the_order_of_groups_is_irrelevant(holzinger: pd.DataFrame, equal: list[str]) -> None:
    forth = psm.cfa(HOLZINGER, holzinger, group="school", group_equal=equal)
    back = psm.cfa(HOLZINGER, holzinger[::-1], group="school", group_equal=equal)
    assert forth.group_labels == back.group_labels[::-1]
    assert back.fit_measures["chisq"] == pytest.approx(forth.fit_measures["chisq"], rel=1e-9)
    for measure in ("cfi", "rmsea", "srmr", "logl", "bic"):
        assert back.fit_measures[measure] == pytest.approx(forth.fit_measures[measure], rel=1e-8)
    if "intercepts" not in equal:
        same(forth, back)


@few
@given(place=st.integers(0, 20))
def test_fixing_a_parameter_at_its_estimate_changes_nothing_else(holzinger: pd.DataFrame, place: int) -> None:
    free = psm.cfa(HOLZINGER, holzinger)
    frame = free.tidy()
    row = frame[frame["std_error"] > 0].iloc[place]
    fixed = psm.cfa(HOLZINGER + f"\n{row.lhs} {row.op} {float(row.estimate)!r}*{row.rhs}", holzinger)
    assert fixed.fit_measures["df"] == free.fit_measures["df"] + 1
    assert fixed.fit_measures["chisq"] == pytest.approx(free.fit_measures["chisq"], abs=1e-8)
    np.testing.assert_allclose(by_name(fixed), by_name(free), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (HOLZINGER, {}),
        (STRUCTURE, {}),
        (HOLZINGER + "visual ~ ageyr + sex", {}),
        (HOLZINGER, {"meanstructure": True}),
    ],
)
def test_raw_data_and_their_moments_give_the_same(holzinger: pd.DataFrame, model: str, options: dict[str, Any]) -> None:
    rows = holzinger.drop(columns="school")
    from_rows = psm.sem(model, rows, **options)
    means = {"sample_mean": rows.mean()} if options else {}
    from_moments = psm.sem(model, sample_cov=rows.cov(), sample_nobs=len(rows), **means, **options)
    same(from_rows, from_moments)
    assert from_moments.fit_measures["logl"] == pytest.approx(from_rows.fit_measures["logl"], rel=1e-10)


def test_moments_of_groups_and_correlations_with_deviations(holzinger: pd.DataFrame) -> None:
    rows = {label: part.drop(columns="school") for label, part in holzinger.groupby("school", sort=False)}
    from_rows = psm.cfa(HOLZINGER, holzinger, group="school", group_equal=["loadings"])
    from_moments = psm.cfa(
        HOLZINGER,
        sample_cov={label: part.corr() for label, part in rows.items()},
        sample_sd={label: part.std() for label, part in reversed(rows.items())},
        sample_mean={label: part.mean() for label, part in reversed(rows.items())},
        sample_nobs={label: len(part) for label, part in reversed(rows.items())},
        group_equal=["loadings"],
    )
    same(from_rows, from_moments)


def test_a_saturated_model_reproduces_the_sample(holzinger: pd.DataFrame) -> None:
    fit = psm.sem("x1 ~ x2 + x3\nx2 ~ x3", holzinger)
    names = list(fit.sample.names)
    sample = holzinger[names].cov(ddof=0)
    np.testing.assert_allclose(fit.implied()["cov"], sample, rtol=1e-8)
    assert fit.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-9)
    assert (fit.fit_measures["df"], fit.fit_measures["rmsea"]) == (0, 0)
    assert fit.fit_measures["cfi"] == pytest.approx(1.0, abs=1e-12)


def test_a_path_model_is_ordinary_regression(holzinger: pd.DataFrame) -> None:
    fit = psm.sem("x1 ~ x2 + x3\nx1 ~ 1", holzinger)
    X = np.column_stack([np.ones(len(holzinger)), holzinger[["x2", "x3"]]])
    beta, rss, *_ = np.linalg.lstsq(X, holzinger["x1"].to_numpy(), rcond=None)
    sigma2 = float(rss[0]) / len(holzinger)
    errors = np.sqrt(np.diagonal(np.linalg.inv(X.T @ X)) * sigma2)
    frame = fit.tidy().set_index(["op", "rhs"])
    found = frame.loc[[("~1", ""), ("~", "x2"), ("~", "x3")]]
    found = found[found["lhs"] == "x1"]
    np.testing.assert_allclose(found["estimate"], beta, rtol=1e-8)
    np.testing.assert_allclose(found["std_error"], errors, rtol=1e-7)
    assert fit.r_squared["x1"] == pytest.approx(1 - sigma2 / holzinger["x1"].var(ddof=0), rel=1e-9)


def test_an_equality_is_the_same_by_label_and_by_constraint(holzinger: pd.DataFrame) -> None:
    label = psm.cfa("f =~ x1 + a*x2 + a*x3 + x4 + x5", holzinger)
    constraint = psm.cfa("f =~ x1 + a*x2 + b*x3 + x4 + x5\na == b", holzinger)
    assert constraint.fit_measures["df"] == label.fit_measures["df"]
    assert constraint.fit_measures["chisq"] == pytest.approx(label.fit_measures["chisq"], rel=1e-10)
    np.testing.assert_allclose(by_name(constraint), by_name(label), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(by_name(constraint, "std_error"), by_name(label, "std_error"), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("shift", [0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-4])
def test_a_nonlinear_way_to_write_a_linear_constraint(holzinger: pd.DataFrame, shift: float) -> None:
    """Also where the last digits of the data differ: the general solver gives up on some of these shortly before."""
    holzinger = holzinger.assign(x1=holzinger["x1"] * (1.0 + shift))
    linear = psm.cfa("f =~ x1 + a*x2 + b*x3 + x4 + x5\na == 2*b", holzinger)
    nonlinear = psm.cfa("f =~ x1 + a*x2 + b*x3 + x4 + x5\na/b == 2", holzinger)
    assert nonlinear.fit_measures["df"] == linear.fit_measures["df"]
    assert nonlinear.fit_measures["chisq"] == pytest.approx(linear.fit_measures["chisq"], rel=1e-8)
    np.testing.assert_allclose(by_name(nonlinear), by_name(linear), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_name(nonlinear, "std_error"), by_name(linear, "std_error"), rtol=1e-5, atol=1e-6)


def test_an_inequality_that_holds_anyway_changes_nothing(holzinger: pd.DataFrame) -> None:
    free = psm.cfa("f =~ x1 + a*x2 + b*x3 + x4", holzinger)
    bound = psm.cfa("f =~ x1 + a*x2 + b*x3 + x4\na > 0.001", holzinger)
    same(free, bound, rel=1e-5)
