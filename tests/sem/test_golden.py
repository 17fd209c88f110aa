"""The engine against lavaan 0.7-2: fit measures, estimates, standard errors, standardized values, indices, scores."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES = json.loads((GOLDEN / "values" / "sem.json").read_text(encoding="utf-8"))["cases"]
# The GFI from Browne's residual chi-square: lavaan warns that it cannot compute that statistic under nonlinear
# constraints, and counts an active inequality as free. lavaan divides the trace behind scaling_factor_h0
# by the parameters before equalities.
ANOTHER_GFI = ("hs-nonlinear-constraint", "hs-inequality")
NO_STANDARD_ERRORS = ("hs-inequality",)
# lavaan stops both the EM of the saturated two-level model and this fit early; ours are finished by Newton steps.
UNFINISHED_EM = {"twolevel-saturated-between": 3e-4}


def fit(case: dict[str, Any]) -> Any:
    arguments = dict(case["args"])
    data = pd.read_csv(GOLDEN / "data" / case["data"]) if case["data"] else None
    if "sample_cov" in arguments:
        given = arguments.pop("sample_cov")
        values = [list(row.values()) for row in given["values"]]
        arguments["sample_cov"] = pd.DataFrame(values, index=given["names"], columns=given["names"], dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", psm.PsmAnalysisWarning)
        return getattr(psm, case["function_name"])(case["model"], data, **arguments)


def near(got: float, expected: float | None, *, relative: float, absolute: float) -> bool:
    if expected is None or math.isnan(expected):
        return True
    return math.isclose(got, expected, rel_tol=relative, abs_tol=absolute)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: str(case["id"]))
def fitted(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Any]:
    return request.param, fit(request.param)


def test_fit_measures(fitted: tuple[dict[str, Any], Any]) -> None:
    case, result = fitted
    known = {k: v for k, v in case["expected"]["fit_measures"].items() if k in result.fit_measures}
    if case["id"] in ANOTHER_GFI:
        known = {name: value for name, value in known.items() if name not in ("gfi", "gfi_ci_lower", "gfi_ci_upper")}
    if case["args"].get("group_equal"):
        known.pop("scaling_factor_h0", None)
    assert len(known) >= 20
    tolerance = 3e-4 if case["id"] == "psm-mg-ordinal-configural" else 1e-4  # its robust CFI is .9957 against .9955
    tolerance = UNFINISHED_EM.get(case["id"], tolerance)
    wrong = {
        name: (result.fit_measures[name], value)
        for name, value in known.items()
        if not near(result.fit_measures[name], value, relative=2e-4, absolute=tolerance)
    }
    assert not wrong


def test_parameters(fitted: tuple[dict[str, Any], Any]) -> None:
    case, result = fitted
    groups = result.group_labels
    rows = {}
    for row in result.tidy().itertuples(index=False):
        place = getattr(row, "level", "") or row.group
        rows[row.lhs, row.op, row.rhs, place] = row
        if row.op == "~~":
            rows[row.rhs, row.op, row.lhs, place] = row
    wrong = []
    for lhs, op, rhs, group, level, estimate, error, standardized in case["expected"]["parameters"]:
        label = level or (groups[group - 1] if group and op != ":=" else "")
        if op in ("==", "<", ">") or ((lhs, op, rhs, label) not in rows and op in ("~1", "~*~") and not error):
            continue
        row = rows[lhs, op, rhs, label]
        same = near(row.estimate, estimate, relative=5e-4, absolute=5e-4)
        if error and case["id"] not in NO_STANDARD_ERRORS:
            same &= near(row.std_error, error, relative=1e-3, absolute=2e-4)
        absolute = 1e-3 if case["id"] in UNFINISHED_EM else 5e-4
        same &= op == ":=" or near(row.std_all, standardized, relative=1e-3, absolute=absolute)
        if not same:
            wrong.append((lhs, op, rhs, label, row.estimate, estimate, row.std_error, error, row.std_all, standardized))
    assert not wrong


def test_modification_indices(fitted: tuple[dict[str, Any], Any]) -> None:
    case, result = fitted
    expected = case["expected"].get("modification_indices", [])
    if not expected:
        return
    found = {(r.lhs, r.op, r.rhs): r for r in result.modification_indices().itertuples(index=False)}
    found |= {(r.rhs, r.op, r.lhs): r for r in list(found.values()) if r.op == "~~"}
    for lhs, op, rhs, index, change in expected:
        assert found[lhs, op, rhs].mi == pytest.approx(index, rel=2e-3, abs=2e-3)
        assert found[lhs, op, rhs].epc == pytest.approx(change, rel=2e-3, abs=2e-3)


def test_factor_scores(fitted: tuple[dict[str, Any], Any]) -> None:
    case, result = fitted
    for method, rows in case["expected"].get("factor_scores", {}).items():
        reference = pd.DataFrame(rows)
        scores = result.factor_scores(method=method)[list(reference.columns)].to_numpy()[: len(reference)]
        np.testing.assert_allclose(scores, reference.to_numpy(float), rtol=1e-3, atol=1e-3)


def test_explained_variance(fitted: tuple[dict[str, Any], Any]) -> None:
    case, result = fitted
    for name, value in case["expected"]["rsquare"].items():
        assert result.r_squared[name] == pytest.approx(value, rel=1e-3, abs=5e-4)
