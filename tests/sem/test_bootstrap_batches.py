"""Batches of every estimator against the same resamples fitted one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sem.models import three_factors

import psm_analysis as psm
from psm_analysis.sem.bootstrap import make_job
from psm_analysis.sem.bootstrap_incomplete_rows import IncompleteRows, expected_moments, small_inverses
from psm_analysis.sem.bootstrap_job import BootstrapJob, Part
from psm_analysis.sem.bootstrap_ordinal import OrdinalSample
from psm_analysis.sem.bootstrap_resample import drawn_units
from psm_analysis.sem.bootstrap_scoring import scored
from psm_analysis.sem.incomplete_sample import sample_from_incomplete

TOLERANCE = 1e-7


def both(fit: psm.SemResult, n: int, *, kind: Any = "ordinary", seed: int = 3) -> tuple[Part, Part, BootstrapJob]:
    """Return replicates fitted in a batch and one by one."""
    job = make_job(fit, kind=kind, seed=seed, errors=False)
    assert job.problem is not None
    return job.run(0, n), replace(job, problem=None, samplers=()).run(0, n), job


def agree(batched: Part, single: Part) -> None:
    np.testing.assert_array_equal(batched.converged, single.converged)
    good = batched.converged
    np.testing.assert_allclose(batched.values[good], single.values[good], atol=TOLERANCE)
    np.testing.assert_allclose(batched.chisq[good], single.chisq[good], atol=1e-6)


MODEL = """
X =~ x1 + x2 + x3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
M ~ a*X
Y ~ b*M + X
ab := a*b
"""


def answers(n: int = 200, seed: int = 1) -> pd.DataFrame:
    """Return three items each of three factors, the first acting on the last through the second."""
    rng = np.random.default_rng(seed)
    x, _, data = three_factors(rng, n)
    return data.assign(school=rng.integers(2, size=n), unit=np.arange(n) // 5, age=0.5 * x + rng.normal(size=n))


GROUPS: list[dict[str, Any]] = [{}, {"group": "school", "group_equal": ["loadings", "intercepts"]}]


@pytest.mark.parametrize("estimator", ["ULS", "GLS", "ULSM"])
@pytest.mark.parametrize("options", GROUPS)
def test_least_squares(estimator: Any, options: dict[str, Any]) -> None:
    fit = psm.sem(MODEL, answers(), estimator=estimator, **options)
    batched, single, job = both(fit, 3)
    agree(batched, single)
    np.testing.assert_allclose(job.run(1, 3).values, batched.values[1:], atol=1e-9)


def test_least_squares_in_the_population_of_bollen_and_stine() -> None:
    fit = psm.sem(MODEL.replace(" + X", ""), answers(), estimator="ULS")
    agree(*both(fit, 2, kind="bollen-stine")[:2])


@pytest.mark.parametrize("estimator", ["ULS", "GLS"])
def test_the_test_of_bollen_and_stine_compares_minima(estimator: Any) -> None:
    """Chi-square of ULS is Browne's statistic, which is no minimum."""
    data = answers(300)
    right = psm.sem(MODEL, data, estimator=estimator).bootstrap(150, seed=1, kind="bollen-stine")
    minimum = (300 - 1) * right.fit.problem.value(right.fit.solution.x)
    assert right.p_value == pytest.approx((right.chisq >= minimum).mean())
    assert 0.03 < right.p_value < 0.97
    factors = MODEL.split("M ~")[0] + "X ~~ 0*M + 0*Y"
    wrong = psm.sem(factors, data, estimator=estimator).bootstrap(150, seed=1, kind="bollen-stine")
    assert wrong.p_value < 0.02


def test_fixed_exogenous_variables_of_least_squares_are_those_of_each_replicate() -> None:
    fit = psm.sem(MODEL + "X ~ age", answers(), estimator="GLS", fixed_x=True, meanstructure=True)
    agree(*both(fit, 3)[:2])


def test_damped_scoring_of_least_squares_finds_the_same_minima() -> None:
    for estimator in ("ULS", "GLS"):
        fit = psm.sem(MODEL, answers(), estimator=estimator, meanstructure=True)  # type: ignore[arg-type]
        batched, _, job = both(fit, 3)
        assert job.problem is not None
        drawn = drawn_units([200], 0, 3, seed=3)[0]
        samples = [job.samplers[0].draw(job.units[0].frequencies(drawn))]
        z, done = scored(job.problem, samples)
        assert done.all()
        np.testing.assert_allclose(job.problem.values(z, samples), batched.values, atol=1e-7)


def ordinal(n: int = 250, *, missing: float = 0.0, seed: int = 5) -> pd.DataFrame:
    """Return the same items in two to four categories, with some answers missing."""
    data, rng = answers(n, seed), np.random.default_rng(seed)
    items = [f"{c}{i}" for c in "xmy" for i in (1, 2, 3)]
    for k, name in enumerate(items):
        cuts = [[0.1], [-0.6, 0.5], [-1.0, 0.0, 1.0]][k % 3]
        data[name] = np.digitize(data[name], cuts) * 2.0 + 1.0
    return data.assign(**data[items].mask(rng.uniform(size=(n, 9)) < missing).to_dict("series"))


ORDINAL: list[dict[str, Any]] = [
    {},
    {"parameterization": "theta"},
    {"estimator": "ULSMV"},
    {"group": "school", "group_equal": ["loadings", "thresholds"]},
    {"group": "school", "group_equal": ["loadings", "thresholds"], "parameterization": "theta"},
    {"missing": "pairwise"},
]


@pytest.mark.parametrize("options", ORDINAL, ids=str)
def test_ordinal(options: dict[str, Any]) -> None:
    gaps = 0.1 if "missing" in options else 0.0
    fit = psm.sem(MODEL, ordinal(500 if "group" in options else 250, missing=gaps), ordered=True, **options)
    batched, single, job = both(fit, 3)
    np.testing.assert_array_equal(batched.converged, single.converged)
    np.testing.assert_allclose(batched.values, single.values, atol=1e-7)
    np.testing.assert_allclose(batched.chisq, single.chisq, atol=1e-6)
    np.testing.assert_allclose(job.run(1, 3).values, batched.values[1:], atol=1e-8)


def test_thresholds_correlations_and_weights_of_drawn_rows() -> None:
    data = ordinal(150, missing=0.15)
    fit = psm.sem(MODEL, data, ordered=True, missing="pairwise")
    job = make_job(fit, kind="ordinary", seed=2, errors=False)
    drawn = drawn_units([150], 0, 2, seed=2)[0]
    found = job.samplers[0].draw(job.units[0].frequencies(drawn))
    assert isinstance(found, OrdinalSample)
    again = psm.polychoric(data.iloc[drawn[1]][list(fit.sample.names)])
    np.testing.assert_allclose(found.s[1], again.tidy()["estimate"], atol=1e-9)
    np.testing.assert_allclose(found.W[1], 1.0 / (150 * np.diagonal(again.acov)), rtol=1e-7)


def test_replicates_without_a_category_are_counted() -> None:
    data = ordinal(150)
    data.loc[data.index[:2], "x1"] = 5.0
    with pytest.warns(psm.PsmAnalysisWarning, match="have no solution and were left out"):
        found = psm.sem(MODEL, data, ordered=True).bootstrap(60, seed=1)
    drawn = drawn_units([150], 0, 60, seed=1)[0]
    without = int((~(drawn < 2).any(axis=1)).sum())
    assert 0 < without <= found.failed < 30


def test_damped_scoring_of_ordinal_fits_finds_the_same_minima() -> None:
    for parameterization in ("delta", "theta"):
        fit = psm.sem(MODEL, ordinal(), ordered=True, parameterization=parameterization)  # type: ignore[arg-type]
        job = make_job(fit, kind="ordinary", seed=3, errors=False)
        assert job.problem is not None
        samples = [job.samplers[0].draw(job.units[0].frequencies(drawn_units([250], 0, 3, seed=3)[0]))]
        z, done = scored(job.problem, samples)
        assert done.all()
        free = fit.problem.position >= 0
        values = job.problem.values(z, samples)
        np.testing.assert_allclose(values[:, free], job.run(0, 3).values[:, free], atol=1e-6)


def incomplete(n: int = 200, *, share: float = 0.1, seed: int = 4) -> pd.DataFrame:
    """Return the items with answers missing at random and the last two planned to be missing together."""
    data, rng = answers(n, seed), np.random.default_rng(seed)
    items = [f"{c}{i}" for c in "xmy" for i in (1, 2, 3)]
    data[items] = data[items].mask(rng.uniform(size=(n, 9)) < share)
    data.loc[::3, ["y2", "y3"]] = np.nan
    return data


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
@pytest.mark.parametrize("options", GROUPS)
def test_incomplete_rows(estimator: Any, options: dict[str, Any]) -> None:
    fit = psm.sem(MODEL, incomplete(300 if options else 150), missing="fiml", estimator=estimator, **options)
    batched, single, job = both(fit, 3)
    agree(batched, single)
    np.testing.assert_allclose(job.run(1, 3).values, batched.values[1:], atol=1e-9)


def test_incomplete_rows_with_fixed_exogenous_variables_and_clusters() -> None:
    data = incomplete()
    agree(*both(psm.sem(MODEL + "X ~ age", data, missing="fiml"), 3)[:2])
    agree(*both(psm.sem(MODEL, data, missing="fiml", cluster="unit"), 3, kind="cluster")[:2])


def test_replicates_that_a_fit_would_refuse_are_not_usable() -> None:
    """Hardly any answer, the same answer, too few rows: as in `sample_from_incomplete`."""
    rows = np.array([[1.0, 2.0], [0.0, 2.0], [2.0, 1.0], [0.5, np.nan]])
    table, drawn = IncompleteRows.of(rows, np.zeros(2)), np.array([[0, 2, 3], [0, 1, 3], [2, 3, 3], [0, 2, 2]])
    replicate = np.repeat(np.arange(4), 3)
    nobs, usable, x = table.checked(replicate, drawn.ravel(), np.ones(12), count=4)
    assert nobs.tolist() == [3.0] * 4
    assert usable.tolist() == [True, False, False, True]
    np.testing.assert_allclose(x.mean[:, 0], rows[drawn, 0].mean(axis=1))
    for part in drawn[~usable]:
        with pytest.raises(psm.PsmAnalysisError, match=r"same answer|hardly ever"):
            sample_from_incomplete(pd.DataFrame(rows[part], columns=["a", "b"]), ["a", "b"])


def test_expected_moments_by_hand() -> None:
    """Of bivariate rows, one of which lacks its second answer."""
    rows = np.array([[1.0, 2.0], [0.0, -1.0], [2.0, np.nan]])
    table = IncompleteRows.of(rows, np.zeros(2))
    blocks, complete = table.listed(np.zeros(3, dtype=int), np.arange(3), np.ones(3), count=1)
    mu, Sigma = np.array([[0.5, 0.2]]), np.array([[[2.0, 0.6], [0.6, 1.0]]])
    found = expected_moments(blocks, complete, mu, Sigma)
    filled = np.array([[1.0, 2.0], [0.0, -1.0], [2.0, 0.2 + 0.3 * 1.5]])
    np.testing.assert_allclose(found.mean[0], filled.mean(axis=0))
    np.testing.assert_allclose(found.cov[0], np.cov(filled.T, bias=True))
    np.testing.assert_allclose(found.spread[0], [[0.0, 0.0], [0.0, (1.0 - 0.36 / 2.0) / 3.0]])
    assert found.log_determinant[0] == pytest.approx(-np.log(1.0 - 0.36 / 2.0) / 3.0)


def test_small_inverses() -> None:
    rng = np.random.default_rng(1)
    for m in (1, 2, 5, 8):
        root = rng.normal(size=(20, m, m))
        matrices = root @ np.swapaxes(root, 1, 2) + 0.1 * np.eye(m)
        inverse, size = small_inverses(matrices)
        np.testing.assert_allclose(inverse @ matrices, np.broadcast_to(np.eye(m), matrices.shape), atol=1e-9)
        np.testing.assert_allclose(size, np.linalg.slogdet(matrices)[1], atol=1e-12)


def test_damped_scoring_of_incomplete_rows_climbs_to_the_same_minima() -> None:
    fit = psm.sem(MODEL, incomplete(share=0.03), missing="fiml")
    job = make_job(fit, kind="ordinary", seed=3, errors=False)
    assert job.problem is not None
    samples = [job.samplers[0].draw(job.units[0].frequencies(drawn_units([200], 0, 2, seed=3)[0]))]
    z, _ = scored(job.problem, samples)
    np.testing.assert_allclose(job.problem.values(z, samples), job.run(0, 2).values, atol=1e-4)
