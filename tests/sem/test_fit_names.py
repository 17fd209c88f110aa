"""Names and values of fit measures against lavaan 0.7, and what happens where a correction is not positive."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import PsmAnalysisWarning

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES: list[dict[str, Any]] = json.loads((GOLDEN / "values" / "sem.json").read_text(encoding="utf-8"))["cases"]
CHOSEN = (
    *(
        "hs-ml",
        "hs-mlr",
        "hs-mlm",
        "hs-mlmv",
        "hs-gls",
        "hs-uls",
        "hs-dwls",
        "hs-ulsmv",
        "hs-mg-loadings-intercepts-means",
    ),
    *("pd-mlr-mean", "psm-one-factor-wlsmv", "psm-mg-ordinal-configural", "small-mlr-fiml", "twolevel-equal-loadings"),
    "twolevel-mlr",
)


@pytest.mark.parametrize("case", [c for c in CASES if c["id"] in CHOSEN], ids=lambda c: c["id"])
def test_every_name_of_lavaan_with_its_value(case: dict[str, Any]) -> None:
    data = pd.read_csv(GOLDEN / "data" / case["data"])
    found = getattr(psm, case["function_name"])(case["model"], data, **case["args"]).fit_measures
    wanted = {name.replace(".", "_"): value for name, value in case["expected"]["fit_measures"].items()}
    for name, value in wanted.items():
        if not isinstance(value, (int, float)) or (name == "fmin" and case["id"].startswith("twolevel")):
            continue
        assert name in found, name
        assert found[name] == pytest.approx(value, rel=1e-3, abs=1e-3), name


def test_a_correction_that_is_not_positive_is_no_test() -> None:
    rng = np.random.default_rng(4)
    f = rng.exponential(size=14) ** 2
    rows = pd.DataFrame({f"y{j}": 0.7 * f + rng.exponential(size=14) ** 3 for j in range(5)})
    with pytest.warns(PsmAnalysisWarning, match="scaling factor of the chi-square is not positive"):
        fit = psm.cfa("f =~ y0 + y1 + y2 + y3 + y4", rows, estimator="MLR")
    assert fit.fit_measures["chisq_scaling_factor"] < 0.0
    for name in ("chisq_scaled", "cfi_scaled", "cfi_robust", "rmsea_robust", "gfi_robust"):
        assert math.isnan(fit.fit_measures[name])
    assert fit.glance()[["test", "measures"]].iloc[0].tolist() == ["standard", "standard"]


def test_expected_information_of_incomplete_rows(holzinger: pd.DataFrame) -> None:
    """lavaan 0.6-14: cfa(model, data, missing = "fiml", estimator = "MLR", information = "expected")."""
    gaps = holzinger.assign(
        x1=holzinger["x1"].where(holzinger.index % 7 != 0), x5=holzinger["x5"].where(holzinger.index % 9 != 1)
    )
    fit = psm.cfa("v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6", gaps, missing="fiml", estimator="MLR", information="expected")
    found = {
        name: fit.fit_measures[name] for name in ("chisq", "chisq_scaled", "scaling_factor_h0", "scaling_factor_h1")
    }
    lavaan = {
        "chisq": 23.211896,
        "chisq_scaled": 21.7790547,
        "scaling_factor_h0": 1.05335524,
        "scaling_factor_h1": 1.05703958,
    }
    assert found == pytest.approx(lavaan, rel=2e-5)
