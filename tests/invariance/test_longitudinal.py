"""The ladder over waves against semTools::measEq.syntax 0.5-6 (lavaan 0.6-14), wide against long data, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

REFERENCE = json.loads(
    (Path(__file__).resolve().parents[1] / "golden" / "values" / "longitudinal.json").read_text(encoding="utf-8")
)
MODEL = "a =~ x1 + x2 + x3\nb =~ y1 + y2 + y3"
ITEMS = ["x1", "x2", "x3", "y1", "y2", "y3"]
WAVES = {f"t{t}": f"{{item}}_t{t}" for t in (1, 2, 3)}
CONTINUOUS = ("configural", "metric", "scalar", "strict", "variances", "means")
ORDINAL = ("configural", "thresholds", "metric", "scalar", "strict")


@pytest.fixture(scope="module")
def panel(golden_data: Any) -> pd.DataFrame:
    return golden_data("panel.csv")


@pytest.fixture(scope="module")
def gaps(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the panel from which every seventh person misses wave 2 and every fourth wave 3."""
    found, row = panel.copy(), np.arange(1, len(panel) + 1)
    found.loc[row % 7 == 0, [name for name in found if name.endswith("_t2")]] = np.nan
    found.loc[row % 4 == 0, [name for name in found if name.endswith("_t3")]] = np.nan
    return found


@pytest.fixture(scope="module")
def ordinal(panel: pd.DataFrame) -> pd.DataFrame:
    return 1 + (panel > -0.7).astype(int) + (panel > 0.2) + (panel > 1.1)


def long(wide: pd.DataFrame) -> pd.DataFrame:
    """Return one row per person and wave, those of later waves first, without rows that hold nothing."""
    parts = [
        wide[[f"{item}_t{t}" for item in ITEMS]].set_axis(ITEMS, axis=1).assign(wave=t, person=wide.index)
        for t in (3, 2, 1)
    ]
    return pd.concat(parts).dropna(subset=ITEMS, how="all").reset_index(drop=True)


CASES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "ML": ("panel", CONTINUOUS, {}),
    "MLR": ("panel", CONTINUOUS[:3], {"estimator": "MLR"}),
    "FIML": ("gaps", CONTINUOUS[:4], {}),
    "delta": ("ordinal", ORDINAL[:4], {"ordered": ITEMS}),
    "theta": ("ordinal", ORDINAL, {"ordered": True, "parameterization": "theta"}),
}


@pytest.mark.parametrize("name", CASES)
def test_every_step_against_semtools(name: str, request: pytest.FixtureRequest) -> None:
    data, steps, options = CASES[name]
    found = psm.longitudinal_invariance(
        MODEL, request.getfixturevalue(data), waves=WAVES, steps=steps, std_lv=True, **options
    )
    expected = REFERENCE[name]
    for step, reference in zip(steps, expected["steps"], strict=True):
        measures = found.steps[step].fit_measures
        for measure, value in reference["measures"].items():
            assert measures[measure.replace(".", "_")] == pytest.approx(value, rel=1e-5, abs=1e-6), (step, measure)
    for row, test in zip(found.table.iloc[1:].itertuples(), expected["tests"], strict=True):
        assert row.statistic == pytest.approx(test["Chisq diff"], rel=1e-4)
        assert row.df_diff == test["Df diff"]
    means, reference = found.latent_means(), expected["steps"][steps.index("scalar")]
    assert len(means) == 4
    for row in means.itertuples():
        there = f"{row.factor}{str(row.wave)[1:]}"
        assert row.estimate == pytest.approx(reference["means"][there], abs=5e-6)
        assert row.std_error == pytest.approx(reference["errors"][there], abs=5e-6)


def test_markers_and_unit_variances_fit_alike(panel: pd.DataFrame) -> None:
    markers = psm.longitudinal_invariance(MODEL, panel, waves=WAVES, steps=CONTINUOUS[:4])
    for row, reference in zip(markers.table.itertuples(), REFERENCE["ML"]["steps"], strict=False):
        assert row.chisq == pytest.approx(reference["measures"]["chisq"], abs=1e-5)
        assert row.df == reference["measures"]["df"]


def test_waves_that_were_read_as_floats_are_whole_numbers(panel: pd.DataFrame) -> None:
    rows = long(panel).astype({"wave": float})
    found = psm.longitudinal_invariance("a =~ x1 + x2 + x3", rows, waves="wave", id="person", steps=("scalar",))
    assert found.latent_means()["wave"].tolist() == ["2", "3"]


def test_long_data_are_the_same_data(gaps: pd.DataFrame) -> None:
    found = psm.longitudinal_invariance(MODEL, long(gaps), waves="wave", id="person", steps=CONTINUOUS[:3], std_lv=True)
    assert found.latent_means()["wave"].tolist() == ["2", "2", "3", "3"]
    for row, reference in zip(found.table.itertuples(), REFERENCE["FIML"]["steps"], strict=False):
        assert row.chisq == pytest.approx(reference["measures"]["chisq"], rel=1e-6)


def test_categories_of_the_wave_column_give_the_order(panel: pd.DataFrame) -> None:
    rows = long(panel)
    order = pd.CategoricalDtype(["基线", "one year", "two years"], ordered=True)
    rows["wave"] = rows["wave"].map({1: "基线", 2: "one year", 3: "two years"}).astype(order)
    found = psm.longitudinal_invariance(MODEL, rows, waves="wave", id="person", steps=("scalar",))
    assert found.latent_means()["wave"].unique().tolist() == ["one year", "two years"]
    assert "`x1_one year`" in found.steps["scalar"].model
    assert "a_基线" in found.steps["scalar"].model


def test_the_text_of_the_model_stands_alone(panel: pd.DataFrame) -> None:
    found = psm.longitudinal_invariance(MODEL, panel, waves=WAVES, steps=("scalar",))
    again = psm.cfa(found.steps["scalar"].model, panel, meanstructure=True)
    assert again.fit_measures["chisq"] == pytest.approx(REFERENCE["ML"]["steps"][2]["measures"]["chisq"], abs=1e-5)


def test_the_drifting_item_is_released_and_its_size_told(panel: pd.DataFrame) -> None:
    found = psm.longitudinal_invariance(MODEL, panel, waves=WAVES, steps=CONTINUOUS[:3], rule={"p": 0.01}, partial=True)
    assert found.released()["parameter"].tolist() == ["y2 ~ 1"]
    assert found.released()["df"].tolist() == [2]
    sizes = found.dmacs().set_index(["item", "wave"])
    assert sizes.loc[("y2", "t3"), "intercept_difference"] == pytest.approx(0.4, abs=0.1)
    assert (found.dmacs().query("item != 'y2'")["dmacs"] == 0.0).all()
    means = found.latent_means().set_index(["factor", "wave"])
    # The population changes by .25 a wave on factor a, by -.15 on factor b.
    assert means.loc[("a", "t3"), "ci_low"] < 0.5 < means.loc[("a", "t3"), "ci_high"]
    assert means.loc[("b", "t3"), "ci_low"] < -0.3 < means.loc[("b", "t3"), "ci_high"]


def test_the_drifting_ordinal_item_is_released(ordinal: pd.DataFrame) -> None:
    found = psm.longitudinal_invariance(
        MODEL, ordinal, waves=WAVES, steps=("metric", "scalar"), ordered=True, rule={"p": 0.01}, partial=True
    )
    assert found.released()["parameter"].tolist() == ["y2 ~ 1"]
    assert found.dmacs().set_index(["item", "wave"])["dmacs"].idxmax() == ("y2", "t3")


def test_residuals_covary_as_far_as_asked(panel: pd.DataFrame) -> None:
    dfs = [
        psm.longitudinal_invariance(MODEL, panel, waves=WAVES, steps=("configural",), residual_lag=lag).table["df"][0]
        for lag in (None, 2, 1, 0)
    ]
    assert dfs == [102, 102, 108, 120]


def test_orthogonal_factors_stay_so_between_waves(panel: pd.DataFrame) -> None:
    found = psm.longitudinal_invariance(MODEL, panel, waves=WAVES, steps=("configural",), orthogonal=True)
    values = found.steps["configural"].tidy().query("op == '~~'").set_index(["lhs", "rhs"])["estimate"]
    assert values["a_t1", "b_t2"] == 0.0
    assert values["a_t1", "a_t2"] > 0.1


def test_a_second_order_factor_over_waves() -> None:
    rng = np.random.default_rng(3)
    n, person = 600, rng.normal(size=600)
    disturbances = rng.normal(size=(n, 3)) * 0.3
    parts = {}
    for t in (1, 2):
        general = 0.8 * person + 0.5 * rng.normal(size=n)
        for k, name in enumerate("abc"):
            first = general * 0.8 + disturbances[:, k] + 0.3 * rng.normal(size=n) + 0.2 * (t - 1) * k
            for i, loading in enumerate((1.0, 0.8, 0.9)):
                parts[f"{name}{i}_t{t}"] = loading * first + 0.5 * rng.normal(size=n)
    model = "\n".join(f"{name} =~ {name}0 + {name}1 + {name}2" for name in "abc") + "\ng =~ a + b + c"
    waves = {t: f"{{item}}_{t}" for t in ("t1", "t2")}
    found = psm.longitudinal_invariance(model, pd.DataFrame(parts), waves=waves, steps=CONTINUOUS[:3])
    assert found.table["df_diff"].tolist()[1:] == [8, 6]
    assert (found.table["p_value"][1:] > 0.001).all()
    means = found.latent_means().set_index("factor")
    assert means.loc["c", "ci_low"] < 0.4 < means.loc["c", "ci_high"]
    assert means.loc["g", "estimate"] == 0.0
    values = found.steps["metric"].tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    assert values["a_t1", "~~", "a_t2"] == pytest.approx(0.09, abs=0.04)


def test_refusals(panel: pd.DataFrame, ordinal: pd.DataFrame) -> None:
    def climb(data: pd.DataFrame = panel, model: str = MODEL, **options: Any) -> None:
        psm.longitudinal_invariance(model, data, **({"waves": WAVES} | options))

    with pytest.raises(psm.PsmAnalysisError, match="two waves or more; there is only 't1'"):
        climb(waves={"t1": "{item}_t1"})
    with pytest.raises(psm.PsmAnalysisError, match="two waves or more; there is only '1'"):
        climb(long(panel).query("wave == 1"), waves="wave", id="person")
    with pytest.raises(psm.PsmAnalysisError, match=r"The item 'x2' of wave 't2' should be in the column 'x2_t2'"):
        climb(panel.drop(columns="x2_t2"))
    with pytest.raises(psm.PsmAnalysisError, match="Wave 't2' has no column for the item 'x2'"):
        climb(waves={"t1": "{item}_t1", "t2": {"x1": "x1_t2"}})
    with pytest.raises(psm.PsmAnalysisError, match="The item 'x2' has no answer in wave 't2'"):
        climb(panel.assign(x2_t2=np.nan))
    with pytest.raises(psm.PsmAnalysisError, match="The column 'x1_t1' is both"):
        climb(waves={"t1": "{item}_t1", "t2": "{item}_t1"})
    with pytest.raises(psm.PsmAnalysisError, match="need the column of the persons"):
        climb(long(panel), waves="wave")
    with pytest.raises(psm.PsmAnalysisError, match="Wide data have one row per person"):
        climb(id="person")
    with pytest.raises(psm.PsmAnalysisError, match="400 rows repeat a person within a wave"):
        climb(long(panel).assign(wave=lambda d: d["wave"].clip(2)), waves="wave", id="person")
    with pytest.raises(psm.PsmAnalysisError, match="column 'Wave' is not in the data"):
        climb(long(panel), waves="Wave", id="person")
    with pytest.raises(psm.PsmAnalysisError, match="Nobody chose category 4 of 'x1' in wave 't3'"):
        climb(ordinal.assign(x1_t3=ordinal["x1_t3"].clip(upper=3)), ordered=True)
    with pytest.raises(psm.PsmAnalysisError, match="'age' is no indicator"):
        climb(model=MODEL + "\na ~ age")
    with pytest.raises(psm.PsmAnalysisError, match="'group' is not available over waves"):
        climb(group="sex")
    with pytest.raises(psm.PsmAnalysisError, match="residual_lag=-1"):
        climb(residual_lag=-1)
    with pytest.raises(psm.PsmAnalysisError, match="'z' is not in the model"):
        climb(ordered=["z"])
    with pytest.raises(psm.PsmAnalysisError, match="18 variables"):
        climb(panel.head(15))
