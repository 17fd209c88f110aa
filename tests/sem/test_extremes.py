"""Extremes: many items, many paths, units 10^6 apart, copies among the items; the order of rows, and repetition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError


def items(n: int, factors: int, size: int, *, seed: int = 1) -> tuple[str, pd.DataFrame]:
    """Return a model of correlated factors and data for it."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.full((factors, factors), 0.4) + 0.6 * np.eye(factors))
    common = rng.normal(size=(n, factors)) @ root.T
    rows = common @ np.kron(np.eye(factors), np.linspace(0.8, 0.6, size)) + rng.normal(size=(n, factors * size)) * 0.7
    names = [f"i{j + 1}" for j in range(factors * size)]
    lines = [f"f{f} =~ " + " + ".join(names[f * size : (f + 1) * size]) for f in range(factors)]
    return "\n".join(lines), pd.DataFrame(rows, columns=names)


def gaps(data: pd.DataFrame, share: float) -> pd.DataFrame:
    return data.mask(np.random.default_rng(7).random(data.shape) < share)


def points(data: pd.DataFrame) -> pd.DataFrame:
    return data.apply(lambda column: np.digitize(column, [-1.2, -0.4, 0.3, 1.1]))


KINDS: dict[str, dict[str, Any]] = {
    "ML": {},
    "MLR": {"estimator": "MLR"},
    "ULS": {"estimator": "ULS"},
    "FIML": {"missing": "fiml"},
    "robust FIML": {"missing": "fiml", "estimator": "MLR"},
    "WLSMV": {"ordered": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_rows_and_repetition(kind: str) -> None:
    model, data = items(300, 3, 4)
    data = gaps(data, 0.1) if "FIML" in kind else points(data) if kind == "WLSMV" else data
    first = psm.cfa(model, data, **KINDS[kind])
    again = psm.cfa(model, data, **KINDS[kind])
    other = psm.cfa(model, data.sample(frac=1.0, random_state=3), **KINDS[kind])
    pd.testing.assert_frame_equal(first.tidy(), again.tidy(), check_exact=True)
    assert dict(first.fit_measures) == dict(again.fit_measures)
    pd.testing.assert_frame_equal(first.tidy(), other.tidy(), rtol=1e-8, atol=1e-10)


def sixty_paths() -> tuple[str, pd.DataFrame, np.ndarray]:
    """Return sixteen factors on each other by sixty paths, data, and units of the items between 10^-3 and 10^3."""
    rng = np.random.default_rng(3)
    paths = [(i, j) for i in range(1, 16) for j in range(max(0, i - 5), i)][:60]
    B = np.zeros((16, 16))
    for i, j in paths:
        B[i, j] = rng.uniform(-0.3, 0.3)
    factors = rng.normal(size=(800, 16)) @ np.linalg.inv(np.eye(16) - B).T
    rows = factors @ np.kron(np.eye(16), [1.0, 0.8, 0.9]) + rng.normal(size=(800, 48)) * 0.6
    measured = [f"f{i} =~ y{3 * i} + y{3 * i + 1} + y{3 * i + 2}" for i in range(16)]
    model = "\n".join(measured + [f"f{i} ~ f{j}" for i, j in paths])
    return model, pd.DataFrame(rows, columns=[f"y{j}" for j in range(48)]), 10.0 ** rng.integers(-3, 4, size=48)


def test_sixty_paths_in_units_far_apart() -> None:
    model, data, units = sixty_paths()
    plain, scaled = psm.sem(model, data), psm.sem(model, data * units)
    assert plain.converged
    assert scaled.iterations <= 8
    assert scaled.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], abs=1e-6)
    np.testing.assert_allclose(scaled.tidy()["std_all"], plain.tidy()["std_all"], atol=1e-7)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_a_hundred_and_twenty_indicators(estimator: str) -> None:
    model, data = items(500, 12, 10)
    fit = psm.cfa(model, data, estimator=estimator)
    assert fit.converged
    assert fit.fit_measures["df"] == 120 * 121 / 2 - (120 * 2 - 12 + 12 * 13 / 2)
    assert fit.fit_measures["rmsea"] < 0.025


def test_incomplete_rows_in_units_far_apart() -> None:
    model, data = items(300, 3, 4)
    data = gaps(data, 0.1)
    units = 10.0 ** np.random.default_rng(1).integers(-3, 4, size=12)
    plain, scaled = psm.cfa(model, data, missing="fiml"), psm.cfa(model, data * units, missing="fiml")
    assert scaled.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], abs=1e-5)


@pytest.mark.parametrize("missing", ["listwise", "fiml"])
@pytest.mark.parametrize("copy", ["a copy", "a sum"])
def test_items_that_follow_from_others_are_named(missing: str, copy: str) -> None:
    model, data = items(400, 3, 4)
    follows = 3.0 * data["i1"] if copy == "a copy" else data["i1"] + data["i2"] - data["i3"]
    data = data.assign(i4=follows)
    data = gaps(data, 0.1) if missing == "fiml" else data
    with pytest.raises(DataError) as told:
        psm.cfa(model, data, missing=missing)
    assert "i1" in str(told.value)
    assert "i4" in str(told.value)


@pytest.mark.slow
def test_a_million_incomplete_rows() -> None:
    model, data = items(1_000_000, 4, 4)
    fit = psm.cfa(model, gaps(data, 0.15), missing="fiml")
    loadings = fit.tidy().query("op == '=~'")["std_all"].to_numpy().reshape(4, 4)
    true = np.linspace(0.8, 0.6, 4)
    np.testing.assert_allclose(loadings, np.tile(true / np.sqrt(true**2 + 0.49), (4, 1)), atol=0.005)
    assert fit.fit_measures["pvalue"] > 0.001
