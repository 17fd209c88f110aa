"""Conditional effects against lavaan 0.6-14 definitions, and the index whatever way the product was centred."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

COLUMNS = ["estimate", "std_error", "ci_low", "ci_high"]
LAVAAN = {
    "low": [0.0592655042, 0.0237989473, 0.0126204246, 0.1059105839],
    "high": [0.0604397146, 0.0239025770, 0.0135915246, 0.1072879046],
    "index": [0.0004986241, 0.0069879512, -0.0131975086, 0.0141947567],
    "dlow": [0.0859616745, 0.0773915838, -0.0657230424, 0.2376463913],
    "tot": [0.1452271787, 0.0757901842, -0.0033188528, 0.2937732102],
}
MODEL = "x4 ~ x1 + x2 + x1:x2\nx7 ~ x4 + x1 + x2 + x1:x2"
ASK = {"predictor": "x1", "outcome": "x7", "moderator": "x2"}


@pytest.fixture(scope="module")
def fit(holzinger: pd.DataFrame) -> psm.SemResult:
    return psm.sem(MODEL, holzinger)


def test_effects_and_index_are_those_of_lavaan(fit: psm.SemResult) -> None:
    frame = psm.conditional_effects(fit, **ASK).tidy()
    indirect = frame[frame["kind"] == "indirect"][COLUMNS].to_numpy()
    np.testing.assert_allclose(indirect[[0, 2]], [LAVAAN["low"], LAVAAN["high"]], rtol=2e-5)
    index = frame[frame["kind"] == "index of moderated mediation"][COLUMNS].to_numpy()
    np.testing.assert_allclose(index[0], LAVAAN["index"], rtol=2e-5)
    np.testing.assert_allclose(frame[frame["kind"] == "direct"][COLUMNS].to_numpy()[0], LAVAAN["dlow"], rtol=2e-5)
    np.testing.assert_allclose(frame[frame["kind"] == "total"][COLUMNS].to_numpy()[0], LAVAAN["tot"], rtol=2e-5)


@pytest.mark.parametrize("way", ["raw", "centred", "residual"])
def test_centring_changes_nothing(fit: psm.SemResult, holzinger: pd.DataFrame, way: str) -> None:
    data = holzinger.copy()
    x, w = data["x1"], data["x2"]
    if way == "raw":
        data["xw"] = x * w
    elif way == "centred":
        data["xw"] = (x - x.mean()) * (w - w.mean())
    else:
        design = np.column_stack([np.ones(len(x)), x, w])
        data["xw"] = x * w - design @ np.linalg.lstsq(design, x * w, rcond=None)[0]
    other = psm.sem(MODEL.replace("x1:x2", "xw"), data)
    found = psm.conditional_effects(other, **ASK, interactions={"xw": ("x1", "x2")}).tidy()
    expected = psm.conditional_effects(fit, **ASK).tidy()
    np.testing.assert_allclose(found[COLUMNS], expected[COLUMNS], rtol=1e-5, atol=1e-8)


def test_values_of_the_moderator(fit: psm.SemResult, holzinger: pd.DataFrame) -> None:
    def places(**options: object) -> list[float]:
        frame = psm.conditional_effects(fit, **ASK, **options).tidy()  # type: ignore[arg-type]
        return list(frame["moderator_value"].dropna().unique())

    w = holzinger["x2"]
    assert places() == pytest.approx([w.mean() - w.std(), w.mean(), w.mean() + w.std()])
    assert places(values="percentiles") == pytest.approx(list(np.quantile(w, [0.16, 0.5, 0.84])))
    assert places(values=[5.0, 7.0]) == [5.0, 7.0]
    binary = psm.sem(MODEL.replace("x2", "sex"), holzinger)
    frame = psm.conditional_effects(binary, predictor="x1", outcome="x7", moderator="sex").tidy()
    assert list(frame["moderator_value"].dropna().unique()) == [1.0, 2.0]


def test_all_kinds_of_intervals(fit: psm.SemResult) -> None:
    delta = psm.conditional_effects(fit, **ASK).tidy()
    drawn = psm.conditional_effects(fit, **ASK, interval="monte-carlo", seed=2).tidy()
    direct = delta["kind"] == "direct"
    np.testing.assert_allclose(drawn["std_error"][direct], delta["std_error"][direct], rtol=0.03)
    a3, b = (fit.tidy().set_index(["lhs", "rhs"]).loc[key] for key in (("x4", "x1:x2"), ("x7", "x4")))
    product = np.hypot(delta["std_error"].iloc[-1], a3["std_error"] * b["std_error"])
    assert drawn["std_error"].iloc[-1] == pytest.approx(product, rel=0.03), "the variance of a product (Goodman, 1960)"
    for ci in ("percentile", "bca", "studentized"):
        replicates = fit.bootstrap(200, seed=1, ci=ci)
        found = psm.conditional_effects(fit, **ASK, bootstrap=replicates)
        assert found.glance()["replicates"].iloc[0] == len(replicates.values)
        assert (found.tidy()["ci_low"] < found.tidy()["ci_high"]).all()
    index = found.tidy().query("kind == 'index of moderated mediation'").iloc[0]
    products = replicates.replicates["x4 ~ x1:x2"] * replicates.replicates["x7 ~ x4"]
    assert index["std_error"] == pytest.approx(products.std(), rel=1e-10)


def test_two_moderated_stages_have_a_difference_and_no_index(holzinger: pd.DataFrame) -> None:
    fit = psm.sem("x4 ~ x1 + x2 + x1:x2\nx7 ~ x4 + x1 + x2 + x4:x2", holzinger)
    frame = psm.conditional_effects(fit, **ASK).tidy()
    assert "index of moderated mediation" not in set(frame["kind"])
    at = frame[frame["kind"] == "indirect"]["estimate"].to_numpy()
    difference = frame[frame["kind"] == "difference"]["estimate"].iloc[0]
    assert difference == pytest.approx(at[2] - at[0], rel=1e-10)
    table = fit.tidy().set_index(["lhs", "rhs"])["estimate"]
    w = holzinger["x2"].mean() - holzinger["x2"].std()
    expected = (table["x4", "x1"] + table["x4", "x1:x2"] * w) * (table["x7", "x4"] + table["x7", "x4:x2"] * w)
    assert at[0] == pytest.approx(expected, rel=1e-9)


def test_each_group_has_its_own_effects(holzinger: pd.DataFrame) -> None:
    fit = psm.sem(MODEL, holzinger, group="school")
    frame = psm.conditional_effects(fit, **ASK).tidy()
    alone = psm.sem(MODEL, holzinger[holzinger["school"] == "Grant-White"])
    expected = psm.conditional_effects(alone, **ASK).tidy()
    found = frame[frame["group"] == "Grant-White"]
    np.testing.assert_allclose(found[COLUMNS], expected[COLUMNS], rtol=1e-5, atol=1e-8)


def test_refusals(fit: psm.SemResult, holzinger: pd.DataFrame) -> None:
    plain = psm.sem("x4 ~ x1 + x2\nx7 ~ x4 + x1", holzinger)
    with pytest.raises(psm.PsmAnalysisError, match="no interaction"):
        psm.conditional_effects(plain, **ASK)
    with pytest.raises(psm.PsmAnalysisError, match="'x3' is not a moderator"):
        psm.conditional_effects(fit, predictor="x1", outcome="x7", moderator="x3")
    with pytest.raises(psm.PsmAnalysisError, match="of its own effect"):
        psm.conditional_effects(fit, predictor="x2", outcome="x7", moderator="x2")
    with pytest.raises(psm.PsmAnalysisError, match="no path between"):
        psm.conditional_effects(fit, predictor="x7", outcome="x4", moderator="x2")
    with pytest.raises(psm.PsmAnalysisError, match="moderates no path"):
        psm.conditional_effects(fit, predictor="x4", outcome="x7", moderator="x2")
    with pytest.raises(psm.PsmAnalysisError, match="not the product"):
        psm.conditional_effects(plain, **ASK, interactions={"x4": ("x1", "x2")})
    with pytest.raises(psm.PsmAnalysisError, match="predicts nothing"):
        psm.conditional_effects(plain, **ASK, interactions={"x1x2": ("x1", "x2")})
    with pytest.raises(psm.PsmAnalysisError, match="finite numbers"):
        psm.conditional_effects(fit, **ASK, values=[])
    with pytest.raises(psm.PsmAnalysisError, match="no part of an interaction"):
        psm.conditional_effects(fit, **ASK, at={"x9": 1.0})
