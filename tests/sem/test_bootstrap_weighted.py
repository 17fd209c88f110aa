"""Batches of moments with weights of their own (WLS, DWLS, ordinal beside continuous variables) against single fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sem.models import three_factors

import psm_analysis as psm
from psm_analysis.sem.bootstrap import make_job
from psm_analysis.sem.bootstrap_moments import MomentSampler
from psm_analysis.sem.bootstrap_resample import drawn_units
from psm_analysis.sem.bootstrap_samples import can_batch
from psm_analysis.sem.bootstrap_scoring import scored

FACTORS = "X =~ x1 + x2 + x3\nM =~ m1 + m2 + m3\nM ~ a*X\nab := a*b\n"
MIXED = FACTORS + "outcome ~ b*M + X"
CONTINUOUS = FACTORS + "Y =~ y1 + y2 + y3\nY ~ b*M + X"
ITEMS = [f"{c}{i}" for c in "xm" for i in (1, 2, 3)]


def answers(n: int = 260, *, seed: int = 4, missing: float = 0.0) -> pd.DataFrame:
    """Return nine items of three factors in a row, two ordinal outcomes and a continuous one, age and school."""
    rng = np.random.default_rng(seed)
    x, y, data = three_factors(rng, n)
    data["outcome"] = (3.0 + 2.0 * y + rng.normal(size=n)).astype(float)
    data = data.mask(rng.uniform(size=data.shape) < missing)
    return data.assign(
        stays=np.digitize(y + rng.normal(size=n), [-0.5, 0.5]),
        helps=np.digitize(y + rng.normal(size=n), [0.0]),
        school=rng.integers(2, size=n),
        unit=np.arange(n) // 4,
        age=0.5 * x + rng.normal(size=n),
    )


def coded(n: int = 260, **options: Any) -> pd.DataFrame:
    """Return the items of the first two factors in two to four categories, the rest as it is."""
    data = answers(n, **options)
    for k, name in enumerate(ITEMS):
        cuts, value = [[0.1], [-0.6, 0.5], [-1.0, 0.0, 1.0]][k % 3], data[name]
        data[name] = pd.Series(np.digitize(value, cuts) + 1.0, value.index).where(value.notna())
    return data


CASES: dict[str, tuple[str, pd.DataFrame, dict[str, Any]]] = {
    "mixed": (MIXED, coded(), {"ordered": ITEMS}),
    "mixed, theta": (MIXED, coded(), {"ordered": ITEMS, "parameterization": "theta"}),
    "mixed, ULSMV": (MIXED, coded(), {"ordered": ITEMS, "estimator": "ULSMV"}),
    "mixed, incomplete": (MIXED, coded(missing=0.1), {"ordered": ITEMS, "missing": "pairwise"}),
    "mixed, clusters": (MIXED, coded(), {"ordered": ITEMS, "cluster": "unit"}),
    "mixed, groups": (
        MIXED,
        coded(420),
        {"ordered": ITEMS, "group": "school", "group_equal": ["loadings", "thresholds"]},
    ),
    "covariates": (MIXED + "\nX ~ age\noutcome ~ age", coded(), {"ordered": ITEMS}),
    "ordinal outcomes": (
        "outcome ~ a*age\nstays ~ b*outcome + age\nhelps ~ outcome",
        answers(),
        {"ordered": ["stays", "helps"]},
    ),
    "ordinal, WLS": (MIXED, coded(), {"ordered": ITEMS, "estimator": "WLS"}),
    "WLS": (CONTINUOUS, answers(400), {"estimator": "WLS"}),
    "WLS, covariates": (
        CONTINUOUS + "\nX ~ age",
        answers(400),
        {"estimator": "WLS", "fixed_x": True, "meanstructure": True},
    ),
    "DWLS": (CONTINUOUS, answers(), {"estimator": "DWLS"}),
    "WLSMV, groups": (CONTINUOUS, answers(), {"estimator": "WLSMV", "group": "school", "group_equal": ["loadings"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_equal_to_fits_one_by_one(name: str) -> None:
    model, data, options = CASES[name]
    fit = psm.sem(model, data, **options)
    job = make_job(fit, kind="cluster" if "cluster" in options else "ordinary", seed=3, errors=False)
    assert isinstance(job.samplers[0], MomentSampler)
    batched, single = job.run(0, 3), replace(job, problem=None, samplers=()).run(0, 3)
    assert batched.converged.all()
    np.testing.assert_array_equal(batched.converged, single.converged)
    np.testing.assert_allclose(batched.values, single.values, atol=1e-7)
    np.testing.assert_allclose(batched.chisq, single.chisq, atol=1e-6)
    np.testing.assert_allclose(job.run(1, 3).values, batched.values[1:], atol=1e-8)


def test_indirect_effects_of_ordinal_scales_equal_a_naive_loop() -> None:
    data = coded()
    fit = psm.sem(MIXED, data, ordered=ITEMS)
    found = psm.indirect_effects(fit, bootstrap=fit.bootstrap(6, seed=7), predictor="X", outcome="outcome").tidy()
    drawn = drawn_units([len(data)], 0, 6, seed=7)[0]
    again = [psm.sem(MIXED, data.iloc[rows].reset_index(drop=True), ordered=ITEMS).tidy() for rows in drawn]
    products = [float(frame.loc[frame["label"] == "ab", "estimate"].iloc[0]) for frame in again]
    row = found.set_index("effect").loc["X -> M -> outcome"]
    assert row["std_error"] == pytest.approx(np.std(products, ddof=1), rel=1e-6)


def test_replicates_that_a_fit_would_refuse_are_counted() -> None:
    data = coded(80)
    data["x1"] = np.where(np.arange(80) < 2, 3.0, data["x1"])
    with pytest.warns(psm.PsmAnalysisWarning, match="no solution"):
        found = psm.sem(MIXED, data, ordered=ITEMS).bootstrap(20, seed=1)
    drawn = drawn_units([80], 0, 20, seed=1)[0]
    assert found.failed >= int((drawn > 1).all(axis=1).sum()) > 0


def test_damped_scoring_finds_the_same_minima() -> None:
    for name in ("mixed", "WLS"):
        model, data, options = CASES[name]
        job = make_job(psm.sem(model, data, **options), kind="ordinary", seed=3, errors=False)
        assert job.problem is not None
        drawn = drawn_units([len(data)], 0, 2, seed=3)[0]
        samples = [job.samplers[0].draw(job.units[0].frequencies(drawn))]
        z, done = scored(job.problem, samples)
        assert done.all()
        free = job.problem.result.problem.free
        np.testing.assert_allclose(job.problem.values(z, samples)[:, free], job.run(0, 2).values[:, free], atol=1e-6)


def test_an_ordinal_mediator_is_fitted_one_by_one() -> None:
    data = answers()
    fit = psm.sem("stays ~ a*age\nhelps ~ b*stays + age", data, ordered=["stays", "helps"])
    assert not can_batch(fit)
    values = fit.bootstrap(2, seed=1).values
    drawn = drawn_units([len(data)], 0, 2, seed=1)[0]
    again = psm.sem(fit.model, data.iloc[drawn[1]].reset_index(drop=True), ordered=["stays", "helps"])
    np.testing.assert_allclose(values[1], again.estimates, atol=1e-6)
