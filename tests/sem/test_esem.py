"""Exploratory blocks: lavaan's rotated figures, invariance under rotation, the delta method, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import ModelError, OptionError, PsmAnalysisError
from psm_analysis.sem import fit as fit_module
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.rotated import rotated_estimation
from psm_analysis.sem.sandwich import parameter_covariance

ITEMS = " + ".join(f"x{i}" for i in range(1, 10))
BLOCK = f'efa("b")*f1 + efa("b")*f2 + efa("b")*f3 =~ {ITEMS}'
PATHS = """
efa("b")*f1 + efa("b")*f2 =~ psm1 + psm2 + psm3 + psm4 + psm5 + psm6 + psm7 + psm8
g =~ ti1 + ti2 + ti3
g ~ b1*f1 + b2*f2
f1 + f2 ~ gender
product := b1*b2
"""
# lavaan 0.6-14
VARIMAX = [
    [0.7257810, 0.3228447, 0.1765799],
    [0.5754287, 0.1228677, -0.0312766],
    [0.7481916, 0.0380062, 0.1471931],
    [0.1920036, 0.9609841, 0.1149460],
    [0.1115314, 1.1092180, 0.1177187],
    [0.2323662, 0.8762584, 0.0968920],
    [-0.0790837, 0.0983759, 0.7569839],
    [0.1635457, 0.0511493, 0.7167773],
    [0.4094047, 0.1325394, 0.5276623],
]
GEOMIN = [
    [0.71164431, 0.19844186, 0.01451194],
    [0.62754785, 0.03906724, -0.16599818],
    [0.79610072, -0.10648474, 0.00173834],
    [0.01064791, 0.98134823, 0.00424533],
    [-0.10739696, 1.15343135, 0.01155523],
    [0.07554023, 0.88628847, -0.01691014],
    [-0.27753643, 0.01092574, 0.84300864],
    [0.01151630, -0.07491052, 0.75168450],
    [0.31397103, -0.00220109, 0.48447452],
]
GEOMIN_CORRELATIONS = [0.373354, 0.432175, 0.306157]


@pytest.fixture(scope="module")
def survey(golden_data) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return golden_data("survey.csv")


def loadings(fit: Any) -> np.ndarray:
    rows = fit.tidy().query("op == '=~'")
    return rows.pivot(index="rhs", columns="lhs", values="estimate").to_numpy()


def correlations(fit: Any) -> list[float]:
    return list(fit.tidy().query("op == '~~' and lhs != rhs and lhs in ['f1', 'f2', 'f3']")["estimate"])


def test_rotated_loadings_and_correlations_as_in_lavaan(holzinger: pd.DataFrame) -> None:
    varimax, geomin = psm.cfa(BLOCK, holzinger, rotation="varimax"), psm.cfa(BLOCK, holzinger)
    np.testing.assert_allclose(loadings(varimax), VARIMAX, atol=1e-5)
    np.testing.assert_allclose(loadings(geomin), GEOMIN, atol=1e-5)
    np.testing.assert_allclose(correlations(geomin), GEOMIN_CORRELATIONS, atol=1e-5)
    assert correlations(varimax) == [0.0, 0.0, 0.0]
    assert geomin.rotation == "geominQ"
    for fit in (varimax, geomin):
        assert fit.fit_measures["df"] == 12
        assert fit.fit_measures["npar"] == 33


def test_paths_to_and_from_a_block_as_in_lavaan(survey: pd.DataFrame) -> None:
    fit = psm.sem(PATHS, survey, rotation="geomin")
    found = fit.tidy().query("op in ['~', ':=']").set_index(["lhs", "rhs"])["estimate"]
    expected = [-0.1499750, -0.1630659, 0.0696667, 0.2860747, 0.0244558]
    keys = [("g", "f1"), ("g", "f2"), ("f1", "gender"), ("f2", "gender"), ("product", "b1*b2")]
    np.testing.assert_allclose([found[key] for key in keys], expected, atol=1e-5)


@pytest.mark.parametrize("rotation", ["geomin", "oblimin", "varimax", "quartimax"])
def test_rotation_changes_nothing_observed(holzinger: pd.DataFrame, rotation: str) -> None:
    plain = psm.cfa(BLOCK, holzinger, rotation="none")
    turned = psm.cfa(BLOCK, holzinger, rotation=rotation)
    np.testing.assert_allclose(turned.implied()["cov"], plain.implied()["cov"], atol=1e-10)
    assert turned.fit_measures == pytest.approx(plain.fit_measures, nan_ok=True)
    for name, value in plain.r_squared.items():
        assert turned.r_squared[name] == pytest.approx(value)
    assert (loadings(plain) == 0).sum() == 3
    np.testing.assert_allclose(turned.vcov.loc["x1~~x1", "x1~~x1"], plain.vcov.loc["x1~~x1", "x1~~x1"], rtol=1e-6)


@pytest.mark.parametrize("rotation", ["oblimin", "varimax"])
def test_standard_errors_are_those_of_the_delta_method(
    holzinger: pd.DataFrame, rotation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []

    def spy(e: Estimation, *rest: Any) -> Estimation:
        kept.extend([e, *rest])
        return rotated_estimation(e, *rest)

    monkeypatch.setattr(fit_module, "rotated_estimation", spy)
    fit = psm.cfa(BLOCK, holzinger, rotation=rotation)
    e, blocks, how = kept

    def rotated(x: np.ndarray) -> np.ndarray:
        from dataclasses import replace

        moved = replace(e, solution=replace(e.solution, x=x))
        return rotated_estimation(moved, blocks, how).solution.x

    x = e.solution.x
    J = np.stack([(rotated(x + h) - rotated(x - h)) / 2e-5 for h in 1e-5 * np.eye(len(x))], axis=1)
    expected = J @ parameter_covariance(e, [""] * len(x)) @ J.T
    np.testing.assert_allclose(fit.free_vcov, expected, atol=1e-7)


def test_a_target_with_unspecified_entries_orders_the_factors(holzinger: pd.DataFrame) -> None:
    target = np.zeros((9, 3))
    target[6:, 0] = target[:3, 1] = target[3:6, 2] = np.nan
    found = loadings(psm.cfa(BLOCK, holzinger, rotation="target", rotation_args={"target": target}))
    zeros = target == 0.0
    assert np.abs(found[zeros]).mean() < 0.12
    assert np.abs(found[~zeros]).min() > 0.35


def test_groups_are_rotated_one_by_one(holzinger: pd.DataFrame) -> None:
    both = psm.cfa(BLOCK, holzinger, group="school", rotation="oblimin")
    first = psm.cfa(BLOCK, holzinger[holzinger["school"] == "Pasteur"], rotation="oblimin")
    rows = both.tidy().query("group == 'Pasteur' and op == '=~'")["estimate"].to_numpy()
    np.testing.assert_allclose(rows, first.tidy().query("op == '=~'")["estimate"], atol=1e-6)


def test_ordinal_items(survey: pd.DataFrame) -> None:
    model = 'efa("b")*f1 + efa("b")*f2 =~ psm1 + psm2 + psm3 + psm4 + psm5 + psm6 + psm7 + psm8'
    fit = psm.cfa(model, survey, ordered=True, rotation="oblimin")
    assert fit.fit_measures["df"] == 13
    assert fit.converged
    assert (fit.tidy().query("op == '=~'")["std_error"] > 0).all()


def test_what_comes_after_the_fit(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(BLOCK, holzinger, rotation="oblimin", estimator="MLR")
    assert list(fit.factor_scores().columns) == ["f1", "f2", "f3"]
    assert (fit.standardized().query("op == '=~'")["std_error"] > 0).all()
    plain = psm.cfa(BLOCK, holzinger, rotation="none", estimator="MLR").modification_indices()
    found = fit.modification_indices()
    residual = found[found["op"] == "~~"].set_index(["lhs", "rhs"])["mi"]
    same = plain[(plain["op"] == "~~") & ~plain["lhs"].str.startswith("f")].set_index(["lhs", "rhs"])["mi"]
    np.testing.assert_allclose(residual[same.index], same, rtol=1e-4, atol=1e-5)
    with pytest.raises(OptionError, match="bootstrapped"):
        fit.bootstrap(10, seed=1)


@pytest.mark.parametrize(
    ("model", "options", "error", "what"),
    [
        ("f =~ x1 + x2 + x3", {"rotation": "geomin"}, OptionError, "nothing to rotate"),
        (BLOCK, {"rotation": "geomni"}, OptionError, "geomni"),
        (BLOCK, {"rotation": "promax"}, OptionError, "promax"),
        (BLOCK, {"rotation": "oblimin", "orthogonal": True}, OptionError, "oblique"),
        (BLOCK, {"rotation": "target"}, OptionError, "target"),
        (BLOCK, {"engine": "semopy"}, OptionError, "semopy"),
        (BLOCK + "\nx1 ~ f1", {}, ModelError, "not all related"),
        (BLOCK + "\nf1 ~~ f2", {}, ModelError, "cannot be combined"),
        (BLOCK + "\ng =~ f1 + f2 + f3", {}, ModelError, "cannot be combined"),
        (BLOCK.replace("=~ x1", "=~ 0.5*x1"), {}, ModelError, "a value or a bound"),
        (BLOCK.replace("=~ x1", "=~ a*x1"), {}, ModelError, "constrained"),
        (BLOCK, {"group": "school", "group_equal": ["loadings"]}, ModelError, "constrained"),
        ('efa("b")*f1 =~ x1 + x2 + x3', {}, ModelError, "1 factors"),
        (f'{BLOCK}\nefa("b")*f4 =~ x1 + x2', {}, ModelError, "29 loadings"),
        ('efa("b")*x1 ~~ x2', {}, ModelError, "efa"),
    ],
)
def test_what_cannot_be_fitted(
    holzinger: pd.DataFrame, model: str, options: dict[str, Any], error: type[PsmAnalysisError], what: str
) -> None:
    with pytest.raises(error, match=what) as caught:
        psm.cfa(model, holzinger, **options)
    assert caught.value.where
    assert caught.value.remedy
