"""Every exploratory reference result of psych 2.2.9 with GPArotation 2022.10-2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment, minimize

import psm_analysis as psm

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "values" / "efa.json").read_text())["cases"]
EFA = [case for case in CASES if case["kind"] == "efa" and case["method"] != "gls"]
GLS = next(case for case in CASES if case["kind"] == "efa" and case["method"] == "gls")
LOOSE = {"simplimax": 2e-3, "varimax": 2e-3, "promax": 2e-3}


def items(case):
    return pd.read_csv(GOLDEN / "data" / case["data"])[case["items"]]


def aligned(found, expected):
    rows, columns = linear_sum_assignment(-np.abs(found.T @ expected))
    order = rows[np.argsort(columns)]
    sign = np.sign((found[:, order] * expected).sum(0))
    return found[:, order] * sign, order, sign


@pytest.fixture(params=EFA, ids=lambda case: case["id"])
def case_and_result(request):
    case = request.param
    result = psm.efa(
        items(case), case["n_factors"], extraction=case["method"], rotation=case["rotation"],
        correlation=case["correlation"],
    )  # fmt: skip
    return case, result


def tolerance(case):
    if case["correlation"] == "polychoric":
        return 2e-3
    return LOOSE.get(case["rotation"], 2e-4)


@pytest.mark.filterwarnings("ignore:Rotation 'simplimax' did not converge")
def test_psych_fa(case_and_result):
    case, result = case_and_result
    expected, within = case["expected"], tolerance(case)
    loadings, order, sign = aligned(result.loadings.to_numpy(), np.array(expected["loadings"]))
    np.testing.assert_allclose(loadings, expected["loadings"], atol=within)
    np.testing.assert_allclose(result.communalities, expected["communalities"], atol=within)
    np.testing.assert_allclose(result.eigenvalues, expected["eigenvalues"], atol=within)
    if expected["phi"]:
        phi = result.factor_correlations.to_numpy()[np.ix_(order, order)] * np.outer(sign, sign)
        np.testing.assert_allclose(phi, expected["phi"], atol=within)
    else:
        assert result.factor_correlations is None
    squared = result.determinacy["r_squared"].to_numpy()[order]
    np.testing.assert_allclose(squared, expected["factor_score_r2"], atol=2 * within)
    _compare_fit(
        result.fit_measures, expected, rel=2e-2 if within > 2e-3 or case["correlation"] == "polychoric" else 1e-4
    )


def _compare_fit(fit, expected, *, rel):
    assert fit["df"] == expected["dof"]
    assert fit["chisq"] == pytest.approx(expected["chi_square"], rel=rel)
    assert fit["pvalue"] == pytest.approx(expected["p_value"], rel=30 * rel, abs=1e-6)
    assert fit["tli"] == pytest.approx(expected["tli"], rel=rel)
    assert fit["bic"] == pytest.approx(expected["bic"], rel=rel)
    assert fit["rmsr"] == pytest.approx(expected["rmsr"], rel=max(rel, 2e-3))
    for name, value in zip(("rmsea", "rmsea_ci_lower", "rmsea_ci_upper"), expected["rmsea"][:3], strict=True):
        assert fit[name] == pytest.approx(value, abs=0.3 * rel + 1e-6)


def test_generalised_least_squares_is_better_by_its_own_measure_than_psych():
    """psych::fa(fm="gls") does not minimise the generalised least squares discrepancy; by how much is known."""
    expected = np.array(GLS["expected"]["loadings"])
    found = psm.efa(items(GLS), 4, extraction="gls", rotation="none")
    inverse = np.linalg.inv(found.correlation.to_numpy())

    def best(loadings):
        def loss(log_psi):
            E = np.eye(16) - inverse @ (loadings @ loadings.T + np.diag(np.exp(log_psi)))
            return 0.5 * np.trace(E @ E), -np.diag(E @ inverse) * np.exp(log_psi)

        start = np.log(1 - (loadings**2).sum(1))
        return minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10}).fun

    loadings, _, _ = aligned(found.loadings.to_numpy(), expected)
    assert 0.005 < np.abs(loadings - expected).max() < 0.0055
    assert best(loadings) == pytest.approx(0.034762, abs=1e-6)
    assert best(expected) > best(loadings) + 1e-5


def test_sampling_adequacy():
    case = next(case for case in CASES if case["kind"] == "sampling_adequacy")
    expected = case["expected"]
    pairwise = psm.sampling_adequacy(items(case))
    assert pairwise.kmo == pytest.approx(expected["kmo_pairwise"], abs=1e-9)
    np.testing.assert_allclose(pairwise.kmo_items, expected["kmo_items"], atol=1e-9)
    listwise = psm.sampling_adequacy(items(case), missing="listwise")
    assert listwise.bartlett_chisq == pytest.approx(expected["bartlett_listwise"]["chi2"], rel=1e-9)
    assert listwise.bartlett_df == expected["bartlett_listwise"]["df"]


def test_minimum_average_partial():
    case = next(case for case in CASES if case["kind"] == "map")
    found = psm.retention(items(case), max_factors=8, n_iterations=5, seed=1)
    np.testing.assert_allclose(found.map_criterion, case["expected"]["map"], atol=1e-9)
    np.testing.assert_allclose(found.eigenvalues, case["expected"]["eigenvalues"], atol=1e-9)
