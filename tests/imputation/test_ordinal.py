"""Pooled ordinal models against semTools 0.5-6 (cfa.mi, D2), and the hand-over of statsmodels' own imputations."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.imputation.mice import MICEData

import psm_analysis as psm

REFERENCE = json.loads(
    (Path(__file__).resolve().parents[1] / "golden" / "values" / "imputation.json").read_text(encoding="utf-8")
)
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ITEMS = [f"x{i}" for i in range(1, 10)]


@pytest.fixture(scope="module")
def frames(golden_data: Any) -> list[pd.DataFrame]:
    rows = golden_data("imputations.csv")
    return [part.drop(columns="imputation").reset_index(drop=True) for _, part in rows.groupby("imputation")]


@pytest.mark.parametrize(("name", "options"), [("whole", {}), ("groups", {"group": "school"})])
def test_estimates_errors_and_tests_equal_semtools(
    name: str, options: dict[str, Any], frames: list[pd.DataFrame]
) -> None:
    """summary(fit, fmi = TRUE, scale.W = FALSE); anova(fit, test = "D2"), plain, scaled and as F."""
    found, expected = psm.pool(MODEL, frames, ordered=True, complete_df=math.inf, **options), REFERENCE[name]
    assert found.test == "D2"
    labels = found.combined.group_labels
    table = found.tidy().set_index(["lhs", "op", "rhs", "group"]).sort_index()
    for row in expected["rows"]:
        mine = table.loc[row["lhs"], row["op"], row["rhs"], labels[row.get("group", 1) - 1]]
        assert mine["estimate"] == pytest.approx(row["est"], abs=1e-5)
        assert mine["std_error"] == pytest.approx(row["se"], abs=2e-4)
        assert mine["fmi"] == pytest.approx(row["fmi"], abs=1e-4)
    measures, plain, f = found.fit_measures, expected["plain"], expected["f_robust"]
    for measure in ("chisq", "df", "chisq_scaled", "chisq_scaling_factor"):
        assert measures[measure] == pytest.approx(plain[measure.replace("_", ".")], rel=1e-6), measure
    test = found.chisq
    assert test is not None
    assert (test.statistic, test.df2, test.increase) == pytest.approx((f["F"], f["df2"], f["ariv"]), rel=1e-5)


def test_nested_models_equal_semtools(frames: list[pd.DataFrame]) -> None:
    wide, narrow = (psm.pool(MODEL + more, frames, ordered=True) for more in ("", "\nvisual ~~ 0*speed"))
    found, expected = psm.compare_pooled(wide, narrow), REFERENCE["nested"]
    assert (found.statistic, found.df2) == pytest.approx((expected["F"], expected["df2"]), rel=1e-5)


def test_reliability_of_groups_is_the_mean_over_imputations(frames: list[pd.DataFrame]) -> None:
    found = psm.pool(MODEL, frames, ordered=True, group="school").reliability()
    each = [psm.reliability(psm.cfa(MODEL, frame, ordered=True, group="school")) for frame in frames]
    numbers = found.select_dtypes("number")
    expected = sum(one[numbers.columns].to_numpy() for one in each) / len(each)
    assert numbers.to_numpy() == pytest.approx(expected)
    assert len(found) == 6


def test_imputations_of_statsmodels_are_taken_as_they_are() -> None:
    """MICEData.next_sample() hands out its own frame, which the next call changes: hence the copies."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(rng.normal(size=(200, 1)) + rng.normal(size=(200, 4)), columns=list("abcd"))
    state = np.random.get_state()
    np.random.seed(1)
    chain = MICEData(rows.mask(rng.random(rows.shape) < 0.15))
    frames = [chain.next_sample().copy() for _ in range(3)]
    np.random.set_state(state)
    pooled = psm.pool("f =~ a + b + c + d", frames)
    each = [psm.cfa("f =~ a + b + c + d", frame).tidy()["estimate"] for frame in frames]
    assert pooled.tidy()["estimate"].to_numpy() == pytest.approx(np.mean(each, axis=0))
    assert pooled.tidy()["fmi"].max() > 0.01
