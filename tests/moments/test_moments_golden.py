"""Moments against printed results of lavaan, psych and naniar (versions in the file of values)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "values" / "measurement_moments.json").read_text(encoding="utf-8"))["cases"]


def cases(kind: str) -> list:
    return [pytest.param(case, id=case["id"]) for case in CASES if case["kind"] == kind]


def items_of(case: dict) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "data" / case["data"])[case["items"]]


@pytest.mark.parametrize("case", cases("polychoric"))
def test_polychoric_two_step_pairwise(case: dict) -> None:
    result = psm.polychoric(items_of(case), std_errors=False)
    np.testing.assert_allclose(result.correlations, case["expected"], atol=1e-6)


@pytest.mark.parametrize("case", cases("describe"))
def test_describe(case: dict) -> None:
    table = psm.describe(items_of(case))
    for column, expected in pd.DataFrame(case["expected"]).items():
        np.testing.assert_allclose(table[column], expected, rtol=1e-9)


@pytest.mark.parametrize("case", cases("mardia"))
def test_mardia(case: dict) -> None:
    result = psm.mardia(items_of(case).dropna())
    got = [result.skewness, result.skewness_chisq, result.skewness_p_value]
    got += [result.kurtosis, result.kurtosis_z, result.kurtosis_p_value]
    expected = [case["expected"][key] for key in ("b1p", "skew", "p_skew", "b2p", "kurtosis", "p_kurt")]
    np.testing.assert_allclose(got, expected, rtol=1e-8)


@pytest.mark.parametrize("case", cases("mahalanobis"))
def test_mahalanobis(case: dict) -> None:
    distances = psm.mahalanobis(items_of(case).dropna())
    np.testing.assert_allclose(distances[:20], case["expected"]["first20"], rtol=1e-9)


@pytest.mark.parametrize("case", cases("little"))
def test_little_mcar(case: dict) -> None:
    result, expected = psm.little_mcar(items_of(case)), case["expected"]
    assert (result.df, result.n_patterns) == (expected["df"], expected["patterns"])
    # the reference stops its EM earlier than we do
    assert result.statistic == pytest.approx(expected["statistic"], abs=2e-4)
    assert result.p_value == pytest.approx(expected["p_value"], abs=2e-7)
