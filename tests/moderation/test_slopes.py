"""Simple slopes against ordinary least squares, and the region against its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import psm_analysis as psm

ASK = {"predictor": "x", "moderator": "w", "outcome": "y"}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    found = pd.DataFrame({"x": rng.normal(3, 1, 300), "w": rng.normal(5, 2, 300)})
    found["y"] = 0.2 * found["x"] + 0.3 * (found["x"] - 3) * (found["w"] - 5) + rng.normal(size=300)
    return found


@pytest.fixture(scope="module")
def slopes(data: pd.DataFrame) -> psm.SimpleSlopes:
    return psm.simple_slopes(psm.sem("y ~ x + w + x:w", data), **ASK)


def test_slopes_are_those_of_least_squares(data: pd.DataFrame, slopes: psm.SimpleSlopes) -> None:
    """With the moderator centred at the value, the coefficient of x is the simple slope (Aiken & West, 1991)."""
    n = len(data)
    for row in slopes.tidy().itertuples():
        w = data["w"] - row.moderator_value
        design = np.column_stack([np.ones(n), data["x"], w, data["x"] * w])
        b, rss, *_ = np.linalg.lstsq(design, data["y"], rcond=None)
        error = np.sqrt(rss[0] / n * np.linalg.inv(design.T @ design)[1, 1])
        assert row.estimate == pytest.approx(b[1], rel=1e-6)
        assert row.std_error == pytest.approx(error, rel=1e-5)


def test_region_begins_where_the_z_interval_touches_zero(slopes: psm.SimpleSlopes) -> None:
    def z(w: float) -> float:
        frame = psm.simple_slopes(slopes.model.fit, **ASK, values=[w]).tidy()
        return float(abs(frame["statistic"].iloc[0])) - 1.959963984540054

    assert slopes.region.where == "outside"
    low, high = slopes.region.low, slopes.region.high
    middle = 0.5 * (low + high)
    assert low == pytest.approx(optimize.brentq(z, low - 1, middle), rel=1e-6)
    assert high == pytest.approx(optimize.brentq(z, middle, high + 1), rel=1e-6)
    curve = slopes.curve()
    assert (curve["significant"] == ((curve["ci_low"] > 0) | (curve["ci_high"] < 0))).all()
    assert 0.0 < slopes.glance()["share"].iloc[0] < 1.0


def test_lines_have_the_slopes(data: pd.DataFrame, slopes: psm.SimpleSlopes) -> None:
    lines = slopes.lines()
    for w, slope in zip(slopes.tidy()["moderator_value"], slopes.tidy()["estimate"], strict=True):
        line = lines[lines["moderator_value"] == w]
        run = np.diff(line["predictor_value"])[0]
        assert np.diff(line["predicted"])[0] / run == pytest.approx(slope, rel=1e-9)
    b = np.linalg.lstsq(
        np.column_stack([np.ones(300), data["x"], data["w"], data["x"] * data["w"]]), data["y"], rcond=None
    )[0]

    def y(x: float, w: float) -> float:
        return float(b @ [1.0, x, w, x * w])

    for row in lines.itertuples():
        expected = y(row.predictor_value, row.moderator_value) - y(data["x"].mean(), data["w"].mean())
        assert row.predicted == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_no_region_and_everywhere(data: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    noise = data.assign(y=rng.normal(size=300))
    assert psm.simple_slopes(psm.sem("y ~ x + w + x:w", noise), **ASK).region.where in ("nowhere", "between")
    steep = data.assign(y=3 * data["x"] + rng.normal(size=300))
    found = psm.simple_slopes(psm.sem("y ~ x + w + x:w", steep), **ASK)
    assert all(found.region.holds(w) for w in data["w"])


def test_refusals(data: pd.DataFrame) -> None:
    fit = psm.sem("y ~ x + w + x:w", data)
    with pytest.raises(psm.PsmAnalysisError, match="'z' is not a moderator"):
        psm.simple_slopes(fit, predictor="x", moderator="z", outcome="y")
    with pytest.raises(psm.PsmAnalysisError, match="no path from 'x' to 'x'"):
        psm.simple_slopes(fit, predictor="x", moderator="w", outcome="x")
