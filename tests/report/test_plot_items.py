"""The figure of an item analysis shows the shares and correlations that the analysis found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm


def test_points_are_the_item_rest_correlations_and_bars_the_shares() -> None:
    rng = np.random.default_rng(1)
    latent = np.repeat(rng.standard_normal((300, 2)), 3, axis=1) + rng.standard_normal((300, 6))
    data = pd.DataFrame(np.digitize(latent, [-1.0, 0.0, 1.0]) + 1, columns=[f"题{j}" for j in range(1, 7)])
    parts = {"a": list(data.columns[:3]), "b": list(data.columns[3:])}
    found = psm.item_analysis(data, subscales=parts)
    left, right = psm.item_plot(found.items, found.frequencies, labels={"a": "同情心"}, lang="zh").axes
    np.testing.assert_allclose(right.lines[0].get_xdata(), found.items["item_rest_r"])
    widths = [bar.get_width() for bar in left.containers[0]]
    np.testing.assert_allclose(widths, 100 * (data == 1).mean())
    assert [text.get_text() for text in right.texts] == ["同情心", "b"]
    assert left.get_xlabel() == "作答（%）"
    with pytest.raises(psm.PsmAnalysisError, match="item_rest_r"):
        psm.item_plot(found.items.drop(columns="item_rest_r"), found.frequencies)
