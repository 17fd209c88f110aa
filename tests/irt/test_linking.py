"""Linking of two calibrations: exact where they differ by a transformation only, close where they were estimated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError
from psm_analysis.irt.link_curves import Anchor, haebara, stocking_lord

METHODS = ["mean-sigma", "mean-mean", "haebara", "stocking-lord"]
SLOPES = np.array([1.2, 1.8, 0.9, 1.5, 2.0, 1.1, 1.4, 1.6])
MIDDLES = np.array([-0.8, -0.3, 0.0, 0.4, 0.8, -0.5, 0.2, 0.6])
STEPS = np.array([-1.2, -0.4, 0.5, 1.3])
NAMES = [f"题{j}" for j in range(1, 9)]


def answers(n: int, *, seed: int, mean: float = 0.0, sd: float = 1.0, moved: float = 0.0) -> pd.DataFrame:
    """Return answers in five categories; the thresholds of the last item are moved."""
    rng = np.random.default_rng(seed)
    theta = mean + sd * rng.standard_normal((n, 1))
    thresholds = MIDDLES[:, None] + STEPS
    thresholds[-1] += moved
    latent = SLOPES * theta + rng.logistic(size=(n, 8))
    return pd.DataFrame((latent[:, :, None] > SLOPES[:, None] * thresholds).sum(axis=2) + 1, columns=NAMES)


@pytest.fixture(scope="module")
def reference() -> psm.GradedResponseResult:
    return psm.graded_response(answers(3000, seed=1))


@pytest.fixture(scope="module")
def later() -> psm.GradedResponseResult:
    return psm.graded_response(answers(3000, seed=2, mean=0.5, sd=1.2, moved=1.0))


def on_another_scale(fit: psm.GradedResponseResult, A: float, B: float) -> psm.GradedResponseResult:
    """Return the fit as it would read if the trait were (theta - B) / A."""
    d = tuple(d + a * B for a, d in zip(fit.slopes, fit.intercepts, strict=True))
    table = fit.parameters.copy()
    slope = table["parameter"] == "slope"
    table["estimate"] = ((table["estimate"] - B) / A).mask(slope, table["estimate"] * A)
    return replace(fit, slopes=fit.slopes * A, intercepts=d, parameters=table)


@pytest.mark.parametrize("method", METHODS)
def test_a_transformation_is_recovered_exactly(reference, method: str) -> None:
    linked = psm.link(reference, on_another_scale(reference, 1.25, -0.4), method=method)
    assert (linked.slope, linked.intercept) == pytest.approx((1.25, -0.4), abs=1e-8)
    np.testing.assert_allclose(linked.parameters["estimate"], reference.parameters["estimate"], atol=1e-7)
    assert linked.anchors[["displacement", "rmsd"]].abs().max(axis=None) < 1e-7
    for name, d in zip(NAMES, reference.intercepts, strict=True):
        np.testing.assert_allclose(linked.intercepts[name], d, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_a_population_of_known_mean_and_spread_is_recovered(reference, later, method: str) -> None:
    linked = psm.link(reference, later, anchors=NAMES[:-1], method=method)
    assert linked.slope == pytest.approx(1.2, abs=0.08)
    assert linked.intercept == pytest.approx(0.5, abs=0.08)
    b = linked.parameters.query("item == @NAMES[-1] and parameter == 'threshold'")["estimate"]
    assert (b.to_numpy() - MIDDLES[-1] - STEPS).mean() == pytest.approx(1.0, abs=0.15)
    scores = linked.person_scores()
    assert scores["estimate"].mean() == pytest.approx(0.5, abs=0.08)


def test_a_dropped_item_leaves_the_scale_where_it_was(reference) -> None:
    linked = psm.link(reference, psm.graded_response(answers(3000, seed=3, mean=-0.4)[NAMES[:-1]]))
    assert (linked.slope, linked.intercept) == pytest.approx((1.0, -0.4), abs=0.08)
    assert linked.glance()["anchors"].item() == 7


def test_a_reworded_item_among_the_anchors_is_named(reference) -> None:
    new = psm.graded_response(answers(3000, seed=4, moved=1.0))
    with pytest.warns(psm.PsmAnalysisWarning, match=f"{NAMES[-1]} lies 0.3 or more"):
        linked = psm.link(reference, new)
    assert linked.anchors.set_index("item")["displacement"].abs().idxmax() == NAMES[-1]


def test_the_minimum_of_stocking_and_lord_is_the_lowest_of_a_grid(reference) -> None:
    new = psm.graded_response(answers(1500, seed=5, mean=0.3, sd=0.9))
    linked = psm.link(reference, new)
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    weights = weights / weights.sum()

    def curve(fit: psm.GradedResponseResult, theta: np.ndarray) -> np.ndarray:
        total = np.zeros_like(theta)
        for a, d in zip(fit.slopes, fit.intercepts, strict=True):
            total += (1 / (1 + np.exp(-(a * theta[:, None] + d)))).sum(axis=1)
        return total

    def loss(A: float, B: float) -> float:
        there = curve(reference, nodes) - curve(new, (nodes - B) / A)
        back = curve(new, nodes) - curve(reference, A * nodes + B)
        return float(weights @ there**2 + weights @ back**2)

    A, B = linked.slope, linked.intercept
    best = loss(A, B)
    assert all(loss(A + i, B + j) > best for i in (-0.002, 0, 0.002) for j in (-0.002, 0, 0.002) if (i, j) != (0, 0))


@pytest.fixture(scope="module")
def pair(reference) -> tuple[psm.GradedResponseResult, psm.GradedResponseResult]:
    return reference, psm.graded_response(answers(1000, seed=7, mean=0.3, sd=1.1))


def slopes_and_thresholds(fit: psm.GradedResponseResult) -> tuple[np.ndarray, np.ndarray]:
    slope = (fit.parameters["parameter"] == "slope").to_numpy()
    return np.flatnonzero(slope), np.flatnonzero(~slope)


def test_standard_errors_of_the_moment_methods_are_those_by_hand(pair) -> None:
    """Gradients of ratios of means, and of standard deviations, written out (Ogasawara, 2000)."""
    linked = psm.link(*pair).coefficients.set_index("method")
    values = [fit.parameters["estimate"].to_numpy() for fit in pair]
    places = [slopes_and_thresholds(fit) for fit in pair]
    means = [(v[a].mean(), v[b].mean(), v[b].std()) for v, (a, b) in zip(values, places, strict=True)]
    expected = {"mean-mean": [0.0, 0.0], "mean-sigma": [0.0, 0.0]}
    for k, sign in ((0, 1.0), (1, -1.0)):
        a, b = places[k]
        for method in expected:
            A = means[1][0] / means[0][0] if method == "mean-mean" else means[0][2] / means[1][2]
            by_A = np.zeros(len(values[k]))
            if method == "mean-mean":
                by_A[a] = -sign * A / means[k][0] / len(a)
            else:
                by_A[b] = sign * A * (values[k][b] - means[k][1]) / means[k][2] ** 2 / len(b)
            by_B = -means[1][1] * by_A
            by_B[b] += (1.0 if k == 0 else -A) / len(b)
            for place, row in enumerate((by_A, by_B)):
                expected[method][place] += row @ pair[k].vcov.to_numpy() @ row
    for method, variances in expected.items():
        found = linked.loc[method, ["slope_std_error", "intercept_std_error"]].to_numpy(float)
        np.testing.assert_allclose(found, np.sqrt(variances), rtol=1e-6)


@pytest.mark.parametrize("method", ["haebara", "stocking-lord"])
def test_standard_errors_of_the_curve_methods_are_the_spread_of_links(pair, method: str) -> None:
    """Both calibrations are drawn anew 120 times from their sampling distributions, and linked."""
    rng = np.random.default_rng(8)

    def drawn(fit: psm.GradedResponseResult) -> list[Anchor]:
        values = rng.multivariate_normal(fit.parameters["estimate"], fit.vcov.to_numpy())
        return [Anchor(float(part[0]), part[1:]) for part in values.reshape(8, 5)]

    function = {"haebara": haebara, "stocking-lord": stocking_lord}[method]
    spread = np.std([function(drawn(pair[0]), drawn(pair[1])) for _ in range(120)], axis=0)
    row = psm.link(*pair, method=method).glance().iloc[0]
    np.testing.assert_allclose(row[["slope_std_error", "intercept_std_error"]].to_numpy(float), spread, rtol=0.15)


def test_too_few_anchors_are_refused(reference) -> None:
    with pytest.raises(DataError, match="2 anchors are too few to link a scale of 8 items: 3 are needed"):
        psm.link(reference, reference, anchors=NAMES[:2])
    with pytest.raises(DataError, match=r"Not in both fits: psm99\. .* Common items are: 题1"):
        psm.link(reference, reference, anchors=[*NAMES[:3], "psm99"])


def test_an_anchor_with_other_categories_is_refused_or_left_out(reference) -> None:
    frame = answers(3000, seed=6)
    frame[NAMES[0]] = frame[NAMES[0]].replace(1, 2)
    new = psm.graded_response(frame)
    with pytest.raises(DataError, match=f"Other categories were used in one of the fits: {NAMES[0]}"):
        psm.link(reference, new, anchors=NAMES)
    with pytest.warns(psm.PsmAnalysisWarning, match=f"Not anchors, for their categories differ: {NAMES[0]}"):
        assert NAMES[0] not in set(psm.link(reference, new).anchors["item"])
