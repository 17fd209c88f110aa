"""Conventions of psych that are easily missed: values/agreement.json names its version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

import psm_analysis as psm
from psm_analysis.rotation.criteria import varimax

GOLDEN = Path(__file__).parents[1] / "golden"
VALUES = json.loads((GOLDEN / "values" / "agreement.json").read_text())
ITEMS = pd.read_csv(GOLDEN / "data" / "survey.csv").filter(regex="^psm")


def matched(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    rows, columns = linear_sum_assignment(-np.abs(found.T @ expected))
    turned = found[:, rows[np.argsort(columns)]]
    return turned * np.sign((turned * expected).sum(0))


@pytest.mark.parametrize("rotation", ["varimax", "promax"])
def test_varimax_stops_where_r_stops(rotation: str) -> None:
    case = VALUES["flat"]
    expected = np.array(case[rotation])
    found = psm.efa(np.array(case["matrix"]), 2, rotation=rotation, nobs=400).loadings.to_numpy()
    np.testing.assert_allclose(matched(found, expected), expected, atol=1e-5)


def test_a_tolerance_takes_varimax_to_its_maximum() -> None:
    R = np.array(VALUES["flat"]["matrix"])
    near, exact = (
        psm.efa(R, 2, rotation="varimax", nobs=400, rotation_options=options).loadings.to_numpy()
        for options in ({}, {"tolerance": 1e-7})
    )
    lengths = np.sqrt((exact**2).sum(1, keepdims=True))
    angles = np.linspace(0.0, np.pi / 2, 20_001)
    turns = np.array([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    best = varimax((exact / lengths) @ turns)[0].min()
    assert float(varimax(exact / lengths)[0]) == pytest.approx(best, abs=1e-7)
    assert best < float(varimax(near / lengths)[0]) < best + 1e-3
    assert 0.001 < np.abs(matched(near, exact) - exact).max() < 0.02


def test_the_lower_of_two_heywood_minima_is_found() -> None:
    case = VALUES["twofold"]
    with pytest.warns(psm.PsmAnalysisWarning, match="Heywood"):
        found = psm.efa(np.array(case["matrix"]), 3, rotation="none", nobs=30)
    np.testing.assert_allclose(found.communalities, case["communalities"], atol=1e-3)


def test_omega_total_takes_the_uniquenesses_of_the_oblique_solution() -> None:
    expected = VALUES["omega"]
    found = psm.omega(ITEMS, 4)
    assert found.omega_total == pytest.approx(expected["total"], abs=1e-6)
    assert found.omega_hierarchical == pytest.approx(expected["hierarchical"], abs=1e-5)
    assert found.explained_common_variance == pytest.approx(expected["explained"], abs=1e-5)
    np.testing.assert_allclose(found.schmid_leiman["communality"], expected["communalities"], atol=1e-5)


def test_very_simple_structure() -> None:
    table = psm.retention(ITEMS, max_factors=6, n_iterations=2, seed=1).by_number
    np.testing.assert_allclose(table["very_simple_structure_1"].iloc[1:], VALUES["vss"]["one"], atol=1e-5)
    np.testing.assert_allclose(table["very_simple_structure_2"].iloc[2:], VALUES["vss"]["two"][1:], atol=1e-5)
