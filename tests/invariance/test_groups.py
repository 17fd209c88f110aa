"""The ladder over 2, 5 and 25 groups against semTools::measEq.syntax 0.5-6 and lavaan 0.6-14, step by step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

REFERENCE = json.loads(
    (Path(__file__).resolve().parents[1] / "golden" / "values" / "groups.json").read_text(encoding="utf-8")
)
ITEMS = ["x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2", "z3"]
MODEL = "a =~ x1 + x2 + x3\nb =~ y1 + y2 + y3\nc =~ z1 + z2 + z3"
FIVE, THREE, TWO = (-1.2, -0.3, 0.5, 1.4), (-0.4, 0.9), (0.2,)
CONTINUOUS = ("configural", "metric", "scalar", "strict", "variances", "covariances", "means")
ORDINAL = ("configural", "thresholds", "metric", "scalar", "strict")
CASES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "ML2": ("g2", 7, {}),
    "ML5": ("g5", 7, {}),
    "ML25": ("g25", 3, {}),
    "MLR2": ("g2", 7, {"estimator": "MLR"}),
    "MLR5": ("g5", 4, {"estimator": "MLR"}),
    "MLM2": ("g2", 4, {"estimator": "MLM"}),
    "FIML2": ("g2", 7, {"missing": "fiml"}),
    "FIMLR5": ("g5", 4, {"missing": "fiml", "estimator": "MLR"}),
}
ANSWERS = {"theta5": (FIVE, "g2"), "theta3": (THREE, "g2"), "theta5groups5": (FIVE, "g5")}
MEASURES = ("chisq", "df", "pvalue", "chisq_scaled", "cfi", "tli", "rmsea", "srmr", "npar", "cfi_scaled")


@pytest.fixture(scope="module")
def rows(golden_data: Any) -> pd.DataFrame:
    return golden_data("groups.csv")


def with_gaps(rows: pd.DataFrame) -> pd.DataFrame:
    found, place = rows.copy(), np.arange(1, len(rows) + 1)
    found.loc[place % 7 == 0, ["x2", "y1"]] = np.nan
    found.loc[place % 4 == 0, "z3"] = np.nan
    return found


def answered(rows: pd.DataFrame, cuts: Sequence[float]) -> pd.DataFrame:
    return rows.assign(**{item: 1 + sum((rows[item] > cut).astype(int) for cut in cuts) for item in ITEMS})


def check_step(fit: psm.SemResult, expected: dict[str, Any], where: str) -> None:
    for name, value in expected["measures"].items():
        measure = name.replace(".", "_")
        if measure in MEASURES and value is not None:
            assert fit.fit_measures[measure] == pytest.approx(value, rel=2e-6, abs=2e-6), (where, measure)


def check_ladder(found: psm.InvarianceResult, expected: dict[str, Any]) -> None:
    """Compare every step, the scaled tests between them, and the latent means with their errors."""
    for (step, fit), reference in zip(found.steps.items(), expected["steps"], strict=True):
        check_step(fit, reference, step)
    for row, test in zip(found.table.iloc[1:].itertuples(), expected["tests"], strict=True):
        if not test:
            assert row.df_diff == 0
            continue
        assert row.statistic == pytest.approx(test["Chisq diff"], rel=2e-5), row.step
        assert row.df_diff == test["Df diff"]
        assert row.p_value == pytest.approx(test["Pr(>Chisq)"], rel=1e-4, abs=1e-12)
    if "scalar" in found.steps:
        check_means(found, expected["steps"][list(found.steps).index("scalar")]["means"])


def check_means(found: psm.InvarianceResult, expected: list[dict[str, Any]]) -> None:
    labels = found.steps["scalar"].group_labels
    means = found.latent_means().set_index(["factor", "group"])
    assert len(means) == len(expected)
    for row in expected:
        mine = means.loc[row["lhs"], labels[row["group"] - 1]]
        assert mine["estimate"] == pytest.approx(row["est"], abs=5e-4)
        assert mine["std_error"] == pytest.approx(row["se"], abs=5e-5)


@pytest.mark.filterwarnings("ignore:configural. The estimated residual variance of 'y1' is negative in group 'u22'")
@pytest.mark.parametrize("name", CASES)
def test_continuous_items(name: str, rows: pd.DataFrame) -> None:
    group, n_steps, options = CASES[name]
    data = with_gaps(rows) if "missing" in options else rows
    found = psm.invariance(MODEL, data, group=group, steps=CONTINUOUS[:n_steps], std_lv=True, **options)
    check_ladder(found, REFERENCE[name])


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_three_and_five_categories(name: str, rows: pd.DataFrame) -> None:
    """Wu and Estabrook's (2016) sequence; at the thresholds three categories cost nothing."""
    cuts, group = ANSWERS[name]
    data, expected = answered(rows, cuts), REFERENCE[name]
    options = {"group": group, "ordered": True, "std_lv": True}
    steps = ORDINAL[: len(expected["steps"])]
    found = psm.invariance(MODEL, data, steps=steps, parameterization="theta", **options)
    check_ladder(found, expected)
    # The delta parameterization is another metric of the same models, up to the step of residual variances.
    delta = psm.invariance(MODEL, data, steps=ORDINAL[:4], **options)
    for step, reference in zip(ORDINAL[:4], expected["steps"], strict=False):
        check_step(delta.steps[step], reference, step)
    check_means(delta, expected["steps"][3]["means"])


def test_answers_of_two_categories(rows: pd.DataFrame) -> None:
    """Residual variances are 1 in all groups at every step: the strict model of semTools is our scalar one."""
    found = psm.invariance(MODEL, answered(rows, TWO), group="g2", ordered=True, parameterization="theta", std_lv=True)
    configural, metric, _, strict = REFERENCE["theta2"]["steps"]
    for step, reference in (("configural", configural), ("metric", metric), ("scalar", strict)):
        check_step(found.steps[step], reference, step)
    test = REFERENCE["theta2"]["tests"][0]
    row = found.table.set_index("step").loc["metric"]
    assert [row["statistic"], row["df_diff"]] == pytest.approx([test["Chisq diff"], test["Df diff"]], rel=2e-5)
    check_means(found, strict["means"])
    assert found.table["df_diff"].tolist()[1:] == [0, 6, 6]


def test_answers_of_two_three_and_five_categories_together(rows: pd.DataFrame) -> None:
    """All steps but scalar, where semTools frees the residual variances of items with two categories."""
    mixed, three, two = answered(rows, FIVE), answered(rows, THREE), answered(rows, TWO)
    mixed[["y1", "y2", "y3"]] = three[["y1", "y2", "y3"]]
    mixed[["z1", "z2", "z3"]] = two[["z1", "z2", "z3"]]
    found = psm.invariance(MODEL, mixed, group="g2", steps=ORDINAL, ordered=True, parameterization="theta", std_lv=True)
    for (step, fit), reference in zip(found.steps.items(), REFERENCE["thetamixed"]["steps"], strict=True):
        if step != "scalar":
            check_step(fit, reference, step)
    assert found.table["df_diff"].tolist()[1:] == [6, 6, 6, 6]


def test_a_category_that_a_group_never_chose_is_named(rows: pd.DataFrame) -> None:
    data = answered(rows, FIVE)
    data.loc[(data["g2"] == "south") & (data["x1"] == 5), "x1"] = 4
    with pytest.raises(psm.PsmAnalysisError, match="Nobody in group 'south' chose category 5 of 'x1'"):
        psm.invariance(MODEL, data, group="g2", ordered=True)


def test_a_second_order_factor(rows: pd.DataFrame) -> None:
    found = psm.invariance(f"{MODEL}\nP =~ a + b + c", rows, group="g2", steps=CONTINUOUS[:4])
    expected = REFERENCE["second"]
    for (step, fit), reference in zip(found.steps.items(), expected["steps"], strict=True):
        check_step(fit, reference, step)
    for row, test in zip(found.table.iloc[1:].itertuples(), expected["tests"], strict=True):
        assert [row.statistic, row.df_diff] == pytest.approx([test["Chisq diff"], test["Df diff"]], rel=1e-6)


def test_partial_invariance_and_the_sizes_of_what_was_released(rows: pd.DataFrame) -> None:
    """dMACS by R's integrate() at the estimates of lavaan (Nye & Drasgow, 2011, eq. 3)."""
    released = ["x2 ~ 1", "b =~ y2", "y2 ~ 1"]
    found = psm.invariance(MODEL, rows, group="g2", steps=("metric", "scalar"), release=released, std_lv=True)
    check_step(found.steps["scalar"], REFERENCE["partial"], "scalar")
    check_means(found, REFERENCE["partial"]["means"])
    sizes = found.dmacs().set_index("item")["dmacs"]
    for item, value in REFERENCE["partial"]["dmacs"].items():
        assert sizes[item] == pytest.approx(value, abs=2e-6)
    chosen = psm.invariance(
        MODEL, rows, group="g2", steps=("configural", "metric", "scalar"), rule={"p": 0.01}, partial=True, std_lv=True
    )
    # In the population the intercept of x2 and the loading of y2 differ.
    assert set(chosen.released()["parameter"]) == {"b =~ y2", "x2 ~ 1"}
