"""Item functioning by likelihood ratio: against direct maximisation, and differences that are known to be there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit

import psm_analysis as psm
from psm_analysis.irt.graded_kernel import quadrature


def survey(n: int, *, seed: int, items: int = 5, shift: float = 0.0, slope: float = 1.5) -> tuple[pd.DataFrame, list]:
    """Two groups, the second higher by 0.5 and more varied; item i1 differs in threshold or slope."""
    rng = np.random.default_rng(seed)
    member = np.arange(n) % 2
    trait = rng.standard_normal(n) * np.where(member, 1.2, 1.0) + 0.5 * member
    slopes = np.full((n, items), 1.5)
    slopes[member == 1, 1] = slope
    latent = slopes * trait[:, None] + rng.logistic(size=(n, items))
    latent[:, 1] += shift * member
    names = [f"i{j}" for j in range(items)]
    return pd.DataFrame(np.digitize(latent, [-1.0, 1.0]) + 1.0, columns=names), ["ab"[k] for k in member]


def test_two_categories_against_direct_maximisation() -> None:
    data, group = survey(400, seed=1, items=4, shift=0.6)
    x = (data.to_numpy() > 1.5).astype(float)
    second = np.array(group) == "b"
    nodes, weights = quadrature(61)

    tables = [np.unique(x[rows], axis=0, return_counts=True) for rows in (~second, second)]

    def loss(p: np.ndarray) -> float:
        total = 0.0
        traits = ((0.0, 1.0, p[:8]), (p[8], np.exp(p[9]), p[10:] + p[:8]))
        for (rows, counts), (mean, sd, own) in zip(tables, traits, strict=True):
            z = own[:4] * (mean + sd * nodes[:, None]) + own[4:]
            total -= counts @ np.log(np.exp(rows @ log_expit(z).T + (1 - rows) @ log_expit(-z).T) @ weights)
        return float(total)

    def largest(free: list[int]) -> float:
        def padded(q: np.ndarray) -> np.ndarray:
            own = np.zeros(8)
            own[free] = q[10:]
            return np.concatenate([q[:10], own])

        start = np.concatenate([np.ones(4), np.zeros(6 + len(free))])
        return -float(minimize(lambda q: loss(padded(q)), start, method="BFGS").fun)

    equal, thresholds, both = largest([]), largest([5]), largest([1, 5])
    frame = pd.DataFrame(x, columns=data.columns)
    found = psm.graded_functioning(frame, group, anchors=["i0", "i2", "i3"], tolerance=1e-7).items.loc["i1"]
    assert found["chisq_uniform"] == pytest.approx(2 * (thresholds - equal), abs=1e-3)
    assert found["chisq_nonuniform"] == pytest.approx(2 * (both - thresholds), abs=1e-3)
    assert found["chisq_total"] == pytest.approx(2 * (both - equal), abs=1e-3)
    assert found[["df_uniform", "df_nonuniform", "df_total"]].tolist() == [1, 1, 2]


def test_threshold_difference_and_the_trait_by_group() -> None:
    found = psm.graded_functioning(*survey(1600, seed=2, shift=1.0), anchors=["i0", "i2", "i3"], tolerance=1e-3)
    assert found.items.index.tolist() == ["i1", "i4"]
    assert found.items.loc["i1", "p_uniform"] < 1e-6 < 0.01 < found.items.loc["i1", "p_nonuniform"]
    assert found.items.loc["i4", "p_total"] > 0.01
    assert found.items.loc["i1", "difference"] == pytest.approx(found.items.loc["i1", "difference_unsigned"], abs=0.02)
    assert found.items.loc["i1", "difference"] > 0.2
    assert found.groups.loc["b", "mean"] == pytest.approx(0.5, abs=0.15)
    assert found.groups.loc["b", "sd"] == pytest.approx(1.2, abs=0.15)
    assert found.glance().loc[0, "differing"] == 1


def test_slope_difference() -> None:
    data, group = survey(1600, seed=3, slope=0.5)
    found = psm.graded_functioning(data, group, anchors=["i0", "i2", "i3", "i4"], tolerance=1e-3)
    assert found.items.loc["i1", "p_nonuniform"] < 1e-4


def test_messy_answers() -> None:
    data, group = survey(300, seed=4)
    labels = np.array(group, dtype=object)
    data.iloc[:20, 0] = np.nan
    data.iloc[20] = np.nan
    labels[21] = None
    data.loc[(labels == "b") & (data["i2"] == 3.0), "i2"] = 2.0
    with pytest.warns(psm.PsmAnalysisWarning, match="Categories of i2 were merged"):
        found = psm.graded_functioning(data, labels, anchors=["i0", "i1", "i3"], tolerance=1e-2)
    assert found.items.loc["i2", "df_total"] == 2
    assert found.groups["n"].sum() == 298
    three = psm.graded_functioning(survey(300, seed=5, items=3)[0], ["x", "y", "z"] * 100, tolerance=1e-1)
    assert three.items["df_total"].tolist() == [6] * 3
    assert three.items["difference"].isna().all()


def test_refusals() -> None:
    data, group = survey(100, seed=1)
    with pytest.raises(psm.PsmAnalysisError, match="no items: other"):
        psm.graded_functioning(data, group, anchors=["other"])
    with pytest.raises(psm.PsmAnalysisError, match="1 of 5 items"):
        psm.graded_functioning(data, group, anchors=["i0"])
    with pytest.raises(psm.PsmAnalysisError, match="1 group"):
        psm.graded_functioning(data, ["a"] * 100)
    data.loc[np.array(group) == "b", "i0"] = 3.0
    with pytest.raises(psm.PsmAnalysisError, match="fewer than two categories"):
        psm.graded_functioning(data, group)


@pytest.mark.slow
def test_level_when_there_is_no_difference() -> None:
    """About 5 % of items without a difference are found at 5 %, though the groups differ in mean and variance."""
    p = [psm.graded_functioning(*survey(500, seed=seed), tolerance=1e-3).items["p_total"] for seed in range(20)]
    assert 0.01 < (np.concatenate(p) < 0.05).mean() < 0.10
