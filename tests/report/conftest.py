"""A measurement model and a structural model as plain frames, and the comparison with text snapshots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")
SNAPSHOTS = Path(__file__).parent / "__snapshots__"
LOADINGS = (0.71, 0.64, 0.82, 0.58)


def parameter(lhs: str, op: str, rhs: str, value: float, *, p: float = 1e-5, fixed: bool = False) -> dict[str, Any]:
    """Return one row of a tidy() frame."""
    error = np.nan if fixed else 0.05
    return {
        "lhs": lhs, "op": op, "rhs": rhs, "group": "", "label": "", "estimate": value, "std_error": error,
        "statistic": value / error, "p_value": np.nan if fixed else p, "ci_low": value - 1.96 * error,
        "ci_high": value + 1.96 * error, "std_lv": value, "std_all": value,
    }  # fmt: skip


def measured(factors: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return the loadings and residual variances of factors, the first loading of each fixed."""
    rows = []
    for factor, items in factors.items():
        for place, item in enumerate(items):
            rows.append(parameter(factor, "=~", item, LOADINGS[place % 4], fixed=place == 0))
            rows.append(parameter(item, "~~", item, 1 - LOADINGS[place % 4] ** 2))
    return rows


@pytest.fixture
def cfa_tidy() -> pd.DataFrame:
    """Two correlated factors with four items each."""
    rows = measured({"psm": [f"psm{n}" for n in range(1, 5)], "ei": [f"ei{n}" for n in range(1, 5)]})
    return pd.DataFrame([*rows, parameter("psm", "~~", "ei", 0.42)])


@pytest.fixture
def structural_tidy() -> pd.DataFrame:
    """PSM and EI -> burnout -> turnover intention, 32 items and five factors, with an indirect effect."""
    sizes = {"psm": 8, "ei": 8, "burden": 5, "olbi": 8, "exit": 3}
    rows = measured({name: [f"{name}{n}" for n in range(1, size + 1)] for name, size in sizes.items()})
    rows += [
        parameter("olbi", "~", "psm", -0.28),
        parameter("olbi", "~", "ei", -0.33),
        parameter("olbi", "~", "burden", 0.41),
        parameter("exit", "~", "olbi", 0.52),
        parameter("exit", "~", "psm", -0.12, p=0.02),
        parameter("exit", "~", "ei", 0.03, p=0.4),
        parameter("psm", "~~", "ei", 0.45),
        parameter("psm", "~~", "burden", -0.15, p=0.01),
        parameter("olbi", "~~", "olbi", 0.55),
        parameter("exit", "~~", "exit", 0.66),
        parameter("indirect", ":=", "a*b", -0.1456),
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def glance() -> pd.DataFrame:
    """The fit of the three-factor model of Holzinger and Swineford."""
    row = {
        "estimator": "ML", "nobs": 301, "npar": 21, "chisq": 85.3055, "df": 24, "p_value": 8.5e-9, "cfi": 0.93056,
        "tli": 0.89584, "rmsea": 0.09212, "rmsea_ci_low": 0.0714, "rmsea_ci_high": 0.1137, "srmr": 0.06521,
        "aic": 7517.49, "bic": 7595.339, "logl": -3737.745, "converged": True,
    }  # fmt: skip
    return pd.DataFrame([row])


@pytest.fixture
def snapshot() -> Callable[[str, str], None]:
    """Return a function that compares a text with the file of that name in __snapshots__."""

    def compare(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        assert path.exists(), f"{path} is missing; its content would be:\n{text}"
        assert text == path.read_text(encoding="utf-8")

    return compare
