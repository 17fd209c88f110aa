"""Item characteristic and information curves: what is drawn are the numbers given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

THETA = np.linspace(-3, 3, 7)


def curves(items: int) -> pd.DataFrame:
    p = 1 / (1 + np.exp(-THETA))
    one = pd.DataFrame(
        {"category": np.repeat([1.0, 2.0], 7), "theta": np.tile(THETA, 2), "probability": [*(1 - p), *p]}
    )
    return pd.concat([one.assign(item=f"psm{j}") for j in range(items)])


@pytest.mark.parametrize("items", [1, 4, 6])
def test_one_panel_per_item(items: int) -> None:
    figure = psm.item_curves_plot(curves(items), item_labels={"psm0": "公共利益"}, lang="zh")
    assert [axes.get_title() for axes in figure.axes] == ["公共利益", *(f"psm{j}" for j in range(1, items))]
    lines = figure.axes[0].get_lines()
    np.testing.assert_allclose(lines[1].get_ydata(), 1 / (1 + np.exp(-THETA)))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["1", "2"]


def test_information_and_standard_error() -> None:
    frame = pd.DataFrame({"theta": THETA, "psm1": 0.4, "psm2": 0.8, "test": 1.2, "std_error": 1.2**-0.5})
    upper, lower = psm.information_plot(frame).axes
    assert [text.get_text() for text in upper.texts] == ["psm2"]
    np.testing.assert_allclose(upper.get_lines()[-1].get_ydata(), 1.2)
    np.testing.assert_allclose(lower.get_lines()[0].get_ydata(), 1.2**-0.5)


def test_refusals() -> None:
    with pytest.raises(psm.PsmAnalysisError, match="no column 'probability'"):
        psm.item_curves_plot(curves(1).drop(columns="probability"))
    with pytest.raises(psm.PsmAnalysisError, match="item_labels names 'x'"):
        psm.item_curves_plot(curves(1), item_labels={"x": "y"})
