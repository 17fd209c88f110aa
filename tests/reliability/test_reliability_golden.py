"""Reliability and validity against results of psych and semTools (versions in the file of values)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "values" / "measurement_reliability.json").read_text(encoding="utf-8"))["cases"]


def cases(kind: str) -> list:
    return [pytest.param(case, id=case["id"]) for case in CASES if case["kind"] == kind]


def data_of(case: dict) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "data" / case["data"])


@pytest.mark.parametrize("case", cases("alpha"))
def test_alpha(case: dict) -> None:
    reverse = [case["reversed"]] if "reversed" in case else []
    result, expected = psm.alpha(data_of(case)[case["items"]], reverse), case["expected"]
    total = expected["total"]
    keys = ("raw_alpha", "std.alpha", "G6(smc)", "average_r", "median_r", "ase", "mean", "sd")
    got = [result.alpha, result.alpha_standardized, result.lambda6, result.average_r, result.median_r]
    got += [result.std_error, result.mean, result.sd]
    np.testing.assert_allclose(got, [total[key] for key in keys], rtol=1e-8)
    ends = [expected["feldt_ci"]["lower"], expected["feldt_ci"]["upper"]]
    np.testing.assert_allclose([result.ci_low, result.ci_high], ends, rtol=1e-8)
    columns = {"alpha_if_dropped": "alpha_drop", "item_rest_r": "r_drop", "item_corrected_r": "r_cor"}
    for mine, theirs in columns.items():
        np.testing.assert_allclose(result.items[mine], expected[theirs], rtol=1e-8)


@pytest.mark.parametrize("case", cases("icc"))
def test_icc(case: dict) -> None:
    table, expected = psm.icc(data_of(case)[case["items"]].dropna()), pd.DataFrame(case["expected"])
    assert table["type"].tolist() == expected["type"].tolist()
    for mine, theirs in {"icc": "ICC", "statistic": "F", "df1": "df1", "df2": "df2"}.items():
        np.testing.assert_allclose(table[mine], expected[theirs], rtol=1e-6)
    np.testing.assert_allclose(table["ci_low"], expected["lower bound"], atol=1e-6)
    np.testing.assert_allclose(table["ci_high"], expected["upper bound"], atol=1e-6)


@pytest.mark.parametrize("case", cases("htmt2"))
def test_htmt2(case: dict) -> None:
    result = psm.htmt(case["model"], data_of(case), geometric=True)
    np.testing.assert_allclose(result, case["expected"], atol=1e-9)


@pytest.mark.parametrize("case", cases("omega"))
def test_omega(case: dict) -> None:
    result, expected = psm.omega(data_of(case)[case["items"]], case["n_factors"]), case["expected"]
    keys = ("omega_h", "omega_total", "omega_lim", "ecv")
    got = [result.omega_hierarchical, result.omega_total, result.omega_limit, result.explained_common_variance]
    np.testing.assert_allclose(got, [expected[key] for key in keys], atol=2e-4)
    assert result.alpha == pytest.approx(expected["alpha"], abs=1e-9)
    np.testing.assert_allclose(result.schmid_leiman["g"], expected["g_loadings"], atol=5e-4)


def test_omega_with_reversed_items_is_that_of_psych_which_flips_unasked() -> None:
    """psych 2.2.9, omega(bfi[, A1-A5, C1-C5, E1-E5], 3): it flips A1, C4, C5, E1 and E2."""
    data = pd.read_csv(GOLDEN / "data" / "bfi.csv")[[f"{scale}{i}" for scale in "ACE" for i in range(1, 6)]]
    result = psm.omega(data, 3, reverse=["A1", "C4", "C5", "E1", "E2"])
    found = (result.omega_total, result.omega_hierarchical, result.explained_common_variance, result.alpha)
    assert found == pytest.approx((0.8481397689, 0.5428334747, 0.4260254802, 0.8063279), abs=1e-5)
    with pytest.warns(psm.PsmAnalysisWarning, match="A1, C4, C5, E1, E2 load negatively"):
        psm.omega(data, 3)


def test_guttman_of_standardized_items_as_psych_2_2_9() -> None:
    expected = json.loads((GOLDEN / "values" / "agreement.json").read_text())["guttman"]
    found = psm.guttman(pd.read_csv(GOLDEN / "data" / "survey.csv").filter(regex="^bo"), standardized=True)
    values = [found.lambda1, found.lambda2, found.lambda3, found.lambda5, found.lambda6]
    np.testing.assert_allclose(values, expected, atol=1e-7)
