"""Mixed two-step moments: lavaan's figures, derivatives, influence by case weights, simulation, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from psm_analysis.errors import DataError
from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf
from psm_analysis.moments.covariates import read_covariates
from psm_analysis.moments.margins import fit_ordinal_margin
from psm_analysis.moments.mixed import MixedMoments, mixed_moments
from psm_analysis.moments.mixed_influence import correlation_influence, margin_influence
from psm_analysis.moments.ordinal_pairs import fit_ordinal_pairs, ordinal_pair_scores
from psm_analysis.moments.polychoric import ordinal_moments
from psm_analysis.moments.polyserial import polyserial_scores
from psm_analysis.moments.product_moment import product_moment_scores

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "values" / "mixed_moments.json").read_text())["cases"]
MIXED = np.array([True, False, True, False])


def golden_moments(case: dict, survey) -> MixedMoments:  # type: ignore[no-untyped-def,type-arg]
    names, listed = case["variables"], case.get("x", [])
    survey = survey.assign(psm3=(survey["psm3"] > 3).where(survey["psm3"].notna()).astype(float))
    values = survey[names].to_numpy(dtype=float)
    ordinal = np.isin(names, case["ordinal"])
    values[:, ordinal] -= np.nanmin(values[:, ordinal], axis=0)
    if "missing" in case:
        i, j = np.ogrid[1 : len(values) + 1, 1 : len(names) + 1]
        values[(i * (j + 2) + j) % 13 == 0] = np.nan
        keep = ~np.isnan(values).all(axis=1)
    else:
        keep = ~np.isnan(values).any(axis=1)
    x_names = [listed] if isinstance(listed, str) else listed
    x = survey[x_names].to_numpy(dtype=float)[keep] if x_names else None
    weights = survey["weight"].to_numpy(dtype=float)[keep] if "weights" in case else None
    return mixed_moments(values[keep], ordinal, x=x, weights=weights, names=names)


def draw(n: int, seed: int = 1, *, slope: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Two ordinal (three and two categories) and two continuous variables with one covariate."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 1))
    z = np.sqrt(0.5) * (rng.standard_normal((n, 1)) + rng.standard_normal((n, 4))) + slope * x
    z[:, 0], z[:, 2] = np.searchsorted([-0.6, 0.7], z[:, 0]), z[:, 2] > 0.2
    return z * [1.0, 2.0, 1.0, 0.5] + [0.0, 10.0, 0.0, -1.0], x


@pytest.mark.parametrize("case", GOLDEN, ids=[case["id"] for case in GOLDEN])
def test_estimates_and_gamma_are_those_of_lavaan(case, golden_data) -> None:  # type: ignore[no-untyped-def]
    """lavaan's optimiser leaves some polyserial correlations 1e-5 from the maximum; all else agrees to 1e-7."""
    moments = golden_moments(case, golden_data("survey.csv"))
    order, sign = moments.layout.lavaan_order()
    estimates, expected = moments.estimates[order] * sign, np.array(case["wls_obs"])
    np.testing.assert_allclose(estimates, expected, atol=2e-5)
    assert np.sort(np.abs(estimates - expected))[-2] < 1e-7
    gamma = moments.gamma[np.ix_(order, order)] * np.outer(sign, sign)
    column, row = np.triu_indices(len(order))
    scale = np.sqrt(np.diag(gamma))
    difference = (gamma[row, column] - case["gamma"]) / (scale[row] * scale[column])
    assert np.abs(difference).max() < 2e-5
    assert np.abs(difference[row == column]).max() < 1e-6


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_all_ordinal_equals_ordinal_moments(missing: float) -> None:
    rng = np.random.default_rng(2)
    codes = np.searchsorted([-1.0, 0.0, 0.9], rng.standard_normal((500, 1)) + rng.standard_normal((500, 4)))
    codes[:, 3] = codes[:, 3] > 1
    codes[rng.random(codes.shape) < missing] = -1
    values = np.where(codes < 0, np.nan, codes)
    moments = mixed_moments(values, np.ones(4, dtype=bool))
    reference = ordinal_moments(codes, np.array([4, 4, 4, 2]))
    np.testing.assert_allclose(moments.estimates, reference.estimates, atol=1e-8)
    np.testing.assert_allclose(moments.influence, reference.influence, atol=1e-8)
    np.testing.assert_array_equal(moments.pair_counts, reference.pair_counts)


def test_casewise_polychorics_equal_those_of_the_two_way_table() -> None:
    values, _ = draw(600)
    codes = values[:, [0, 2]].astype(int)
    reference = ordinal_moments(codes, np.array([3, 2]))
    ones, none = np.ones(600), read_covariates(None, n_rows=600)
    first, second = (
        fit_ordinal_margin(codes[:, j].astype(float), none, n_categories=3 - j, weights=ones, name="") for j in (0, 1)
    )
    anchor, partner = (first.lower, first.upper), (second.lower[:, None], second.upper[:, None])
    rho = fit_ordinal_pairs(anchor, partner, weights=ones[:, None])
    assert rho[0] == pytest.approx(reference.correlations[0, 1], abs=1e-9)
    influence = correlation_influence(
        ordinal_pair_scores(anchor, partner, rho=rho),
        (first, [second]),
        step_one=(margin_influence(first, ones), [margin_influence(second, ones)]),
        weights=ones[:, None],
    )
    np.testing.assert_allclose(600 * influence[:, 0], reference.influence[:, -1], atol=1e-6)


def log_polyserial(rho: float, lower: float, upper: float, mean: float, log_variance: float, *, y: float) -> float:
    z, root = (y - mean) * np.exp(-0.5 * log_variance), np.sqrt(1 - rho**2)
    inside = ndtr((upper - rho * z) / root) - ndtr((lower - rho * z) / root)
    return float(np.log(inside) - 0.5 * z**2 - 0.5 * log_variance)


def log_polychoric(rho: float, l1: float, u1: float, l2: float, u2: float) -> float:
    corners = bivariate_normal_cdf(np.array([u1, l1, u1, l1]), np.array([u2, u2, l2, l2]), rho=np.array(rho))
    return float(np.log(corners @ [1, -1, -1, 1]))


def log_normal(rho: float, m1: float, v1: float, m2: float, v2: float, *, y: tuple[float, float]) -> float:
    a, b = (y[0] - m1) * np.exp(-0.5 * v1), (y[1] - m2) * np.exp(-0.5 * v2)
    return float(-0.5 * (v1 + v2 + np.log(1 - rho**2) + (a * a - 2 * rho * a * b + b * b) / (1 - rho**2)))


def slopes_of(function, point: list[float]) -> list[float]:  # type: ignore[no-untyped-def]
    steps = 1e-5 * np.eye(len(point))
    return [(function(*(point + h)) - function(*(point - h))) / 2e-5 for h in steps]


@pytest.mark.parametrize("rho", [-0.8, 0.1, 0.6])
def test_casewise_scores_are_the_derivatives_of_the_log_likelihood(rho: float) -> None:
    def flat(scores) -> list[float]:  # type: ignore[no-untyped-def]
        return [part.item() for part in (scores.correlation, *scores.anchor, *scores.partner)]

    def one(*numbers: float) -> list[np.ndarray]:
        return [np.array([number]) for number in numbers]

    r, z = np.array([rho]), 0.7
    got = flat(polyserial_scores(tuple(one(-0.4, 0.9)), np.array([[z]]), rho=r))
    assert got == pytest.approx(slopes_of(lambda *p: log_polyserial(*p, y=z), [rho, -0.4, 0.9, 0.0, 0.0]), abs=1e-6)
    other = np.array([[-1.2]]), np.array([[0.3]])
    got = flat(ordinal_pair_scores(tuple(one(-0.4, 0.9)), other, rho=r))
    assert got == pytest.approx(slopes_of(log_polychoric, [rho, -0.4, 0.9, -1.2, 0.3]), abs=1e-6)
    got = flat(product_moment_scores(np.array([z]), np.array([[-1.1]]), rho=r))
    assert got == pytest.approx(slopes_of(lambda *p: log_normal(*p, y=(z, -1.1)), [rho, 0, 0, 0, 0]), abs=1e-5)


@pytest.mark.parametrize("with_x", [False, True])
def test_influence_functions_are_derivatives_over_case_weights(with_x: bool) -> None:
    """Equal up to the estimation of the derivative matrix by products of scores; exact for saturated thresholds."""
    n = 6000
    values, x = draw(n)
    x = x if with_x else None
    moments = mixed_moments(values, MIXED, x=x)
    spread = moments.influence.std(axis=0)
    for case in (0, 17, 4001):
        shift = np.zeros(n)
        shift[case] = 0.5
        up, down = (
            mixed_moments(values, MIXED, x=x, weights=1 + sign * shift, casewise=False).estimates for sign in (1, -1)
        )
        difference = n * (up - down) - moments.influence[case]
        assert np.abs(difference / spread).max() < 0.15
        if not with_x:
            exact = np.concatenate([moments.layout.thresholds[0], moments.layout.thresholds[2]])
            np.testing.assert_allclose(difference[exact], 0.0, atol=1e-2)
    np.testing.assert_allclose(moments.influence.mean(axis=0) / spread, 0.0, atol=1e-9)


def test_standard_errors_match_the_spread_over_samples() -> None:
    estimates, std_errors = [], []
    for seed in range(200):
        values, x = draw(400, seed)
        moments = mixed_moments(values, MIXED, x=x)
        estimates.append(moments.estimates)
        std_errors.append(np.sqrt(np.diagonal(moments.gamma) / moments.n_rows))
    spread = np.std(estimates, axis=0, ddof=1)
    np.testing.assert_allclose(np.mean(std_errors, axis=0), spread, rtol=0.17)
    layout, centre = moments.layout, np.mean(estimates, axis=0)
    np.testing.assert_allclose(centre[layout.slopes].ravel(), [0.4, 0.8, 0.4, 0.2], atol=0.02)
    np.testing.assert_allclose(centre[layout.thresholds[0]], [-0.6, 0.7], atol=0.02)
    np.testing.assert_allclose(centre[layout.covariances], [1.0, 0.5, 0.25, 1.0, 0.5, 0.25], atol=0.03)


def test_continuous_moments_are_the_ordinary_ones() -> None:
    values, x = draw(300)
    pair = values[:, [1, 3]]
    moments = mixed_moments(pair, np.zeros(2, dtype=bool), x=x)
    design = np.column_stack([np.ones(300), x])
    beta, *_ = np.linalg.lstsq(design, pair, rcond=None)
    np.testing.assert_allclose(moments.means, beta[0])
    np.testing.assert_allclose(moments.slopes[:, 0], beta[1])
    np.testing.assert_allclose(moments.covariances, np.cov(pair - design @ beta, rowvar=False, bias=True), atol=1e-9)
    np.testing.assert_allclose(moments.variances, np.diagonal(moments.covariances))


def test_units_of_measurement_and_row_order_do_not_matter() -> None:
    values, x = draw(500)
    moments = mixed_moments(values, MIXED, x=x)
    unit, shuffled = np.array([1.0, 1e6, 1.0, 1e-3]), np.random.default_rng(0).permutation(500)
    other = mixed_moments((values * unit)[shuffled], MIXED, x=1e3 * x[shuffled])
    np.testing.assert_allclose(other.covariances, moments.covariances * np.outer(unit, unit), rtol=1e-9)
    np.testing.assert_allclose(other.slopes, moments.slopes * unit[:, None] / 1e3, rtol=1e-8)
    scale = np.abs(other.estimates) / np.abs(moments.estimates)
    np.testing.assert_allclose(other.gamma, moments.gamma * np.outer(scale, scale), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("with_x", [False, True])
def test_integer_weights_are_repeated_rows(with_x: bool) -> None:
    values, x = draw(300)
    values[::7, 1] = np.nan
    weights = np.random.default_rng(4).integers(1, 4, 300)
    x = x if with_x else None
    weighted = mixed_moments(values, MIXED, x=x, weights=weights)
    repeated = mixed_moments(
        np.repeat(values, weights, axis=0), MIXED, x=None if x is None else np.repeat(x, weights, axis=0)
    )
    np.testing.assert_allclose(weighted.estimates, repeated.estimates, rtol=1e-8)


def test_layout_covers_every_estimate_once() -> None:
    values, x = draw(300)
    moments = mixed_moments(values, MIXED, x=np.column_stack([x, x**2]), casewise=False)
    layout = moments.layout
    parts = [*layout.thresholds, layout.means, layout.slopes.ravel(), layout.variances, layout.covariances]
    assert np.sort(np.concatenate(parts)).tolist() == list(range(layout.size)) == list(range(len(moments.estimates)))
    assert [len(part) for part in moments.thresholds] == [2, 0, 1, 0]
    assert sorted(layout.lavaan_order()[0].tolist()) == list(range(layout.size))
    assert moments.means[0] == 0.0
    assert moments.influence is None
    assert moments.gamma is None


def broken(kind: str) -> dict[str, object]:
    values, x = draw(200)
    arguments: dict[str, object] = {"names": ["psm1", "bo1", "psm2", "bo2"]}
    if kind == "single":
        values[:, 2] = 1.0
    elif kind == "empty":
        values[values[:, 0] == 1, 0] = 2.0
    elif kind == "last empty":
        arguments["n_categories"] = np.array([4, 0, 2, 0])
    elif kind == "beyond":
        arguments["n_categories"] = np.array([2, 0, 2, 0])
    elif kind == "decimals":
        values[0, 0] = 0.5
    elif kind == "constant":
        values[:, 3] = 3.3
    elif kind == "infinite":
        values[0, 3] = np.inf
    elif kind == "cut":
        values[:, 2] = values[:, 3] > -1.0
    elif kind == "doubled":
        values[:, 3] = 1 - 2 * values[:, 1]
    elif kind == "separated":
        arguments["x"] = np.where(values[:, 2] == 1, 1.0, -1.0)[:, None] + 0.3 * np.sin(x)
    elif kind == "quasi-separated":
        arguments["x"] = values[:, [0]] == 2
    elif kind == "determined":
        arguments["x"] = values[:, [3]] * 3 + 1
    elif kind == "collinear":
        arguments |= {"x": np.column_stack([x, 2 * x - 1]), "x_names": ["age", "tenure"]}
    elif kind == "constant covariate":
        arguments |= {"x": np.column_stack([x, np.full(200, 7.1)]), "x_names": ["age", "tenure"]}
    elif kind == "missing covariate":
        arguments |= {"x": np.where(x > 1, np.nan, x), "x_names": ["age"]}
    elif kind == "collinear where answered":
        values[100:, 1] = np.nan
        arguments |= {"x": np.column_stack([x, np.arange(200) >= 100]), "x_names": ["age", "wave"]}
    elif kind == "apart":
        values[:100, 0] = np.nan
        values[100:, 3] = np.nan
    elif kind == "weights":
        arguments["weights"] = np.zeros(200)
    return arguments | {"values": values}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("single", "single category.*'psm2'"),
        ("empty", "category of the item is empty.*'psm1'"),
        ("last empty", "category of the item is empty.*'psm1'"),
        ("beyond", "code 2, beyond.*'psm1'"),
        ("decimals", "category numbers.*'psm1'"),
        ("constant", "constant.*'bo2'"),
        ("infinite", "infinite.*'bo2'"),
        ("cut", "polyserial correlation.*perfect.*'psm2' and 'bo2'"),
        ("doubled", "product-moment correlation.*perfect.*'bo1' and 'bo2'"),
        ("separated", "separate.*'psm2'"),
        ("quasi-separated", "separate.*'psm1'"),
        ("determined", "determine the variable.*'bo2'"),
        ("collinear", "'tenure' is a linear combination"),
        ("constant covariate", "'tenure' is constant"),
        ("missing covariate", "complete: age"),
        ("collinear where answered", "'wave' is constant among the rows that answered 'bo1'"),
        ("apart", "in common.*'psm1' and 'bo2'"),
        ("weights", "positive"),
    ],
)
def test_bad_input_names_the_item(kind: str, message: str) -> None:
    arguments = broken(kind)
    with pytest.raises(DataError, match=message):
        mixed_moments(arguments.pop("values"), MIXED, **arguments)  # type: ignore[arg-type]
