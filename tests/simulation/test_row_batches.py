"""Monte Carlo studies of other estimators: replicates fitted in batches against ordinary fits of the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation.models import MEDIATION, TRUE_MEDIATION

import psm_analysis as psm
from psm_analysis.simulation.replicates import MEASURES, Job, Replicates, row_batches
from psm_analysis.simulation.truth import Analysis

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"skewness": 1.0, "kurtosis": 2.0}, {"estimator": "MLR"}),
    ({}, {"estimator": "MLM"}),
    ({}, {"estimator": "ULS"}),
    ({}, {"estimator": "ULSMV", "meanstructure": True}),
    ({"groups": ["A", "B"]}, {"estimator": "GLS"}),
    ({"groups": ["A", "B"]}, {"estimator": "MLR", "group": "group", "group_equal": ["loadings", "intercepts"]}),
    ({"missing": 0.08}, {"missing": "fiml"}),
    ({"missing": {"y1": 0.3, "y2": 0.3}, "missing_by": "x1"}, {"missing": "fiml", "estimator": "MLR"}),
    ({}, {"missing": "fiml"}),
]


CASES += [({}, {"estimator": name}) for name in ("WLS", "DWLS", "WLSMV")]
FACTORS = "F =~ 0.8*y1 + 0.7*y2 + 0.6*y3\nG =~ 0.7*y4 + 0.7*y5 + 0.8*y6\nG ~ 0.4*F"
ANALYSIS = "F =~ y1 + y2 + y3\nG =~ y4 + y5 + y6\nG ~ b*F"
ITEMS = [f"y{i}" for i in range(1, 7)]
ORDINAL: list[tuple[list[str], dict[str, Any], dict[str, Any]]] = [
    (ITEMS, {}, {}),
    (ITEMS, {}, {"estimator": "ULSMV", "parameterization": "theta"}),
    (ITEMS, {}, {"estimator": "WLS"}),
    (ITEMS, {"missing": 0.08}, {"missing": "pairwise"}),
    (ITEMS, {"groups": ["A", "B"]}, {"group": "group", "group_equal": ["loadings", "thresholds"]}),
    (ITEMS[:4], {}, {}),
]


def ordinal_population(items: list[str], cuts: tuple[float, ...] = (-0.8, 0.3, 1.1), **options: Any) -> psm.Population:
    """Return a population of two factors, some of whose six items have categories."""
    thresholds = " + ".join(f"{cut}*t{k}" for k, cut in enumerate(cuts, start=1))
    text = "\n".join([FACTORS, *(f"{item} | {thresholds}" for item in items)])
    return psm.population(text, standardized=True, **options)


@pytest.mark.parametrize(("items", "people_options", "options"), ORDINAL, ids=str)
def test_ordinal_items_equal_to_ordinary_fits(
    items: list[str], people_options: dict[str, Any], options: dict[str, Any]
) -> None:
    people = ordinal_population(items, **people_options)
    options = options | {"ordered": items}
    study = psm.monte_carlo(people, ANALYSIS, nobs=300, seed=3, replicates=3, **options)
    job = Job(people, Analysis(ANALYSIS, options), study.sizes, study.target, 3)
    assert row_batches(job) is not None
    _equal(study.replicates, 2, psm.sem(ANALYSIS, people.generate(300, seed=3, replicate=2), **options))
    parts = psm.monte_carlo(people, ANALYSIS, nobs=300, seed=3, replicates=3, batch=2, **options).replicates
    np.testing.assert_allclose(parts.estimates, study.replicates.estimates, atol=1e-8)
    np.testing.assert_allclose(parts.errors, study.replicates.errors, atol=1e-8)


def test_samples_without_a_category_have_no_solution() -> None:
    """Before, their fits, which have fewer thresholds, ended the study with an error of numpy."""
    people = ordinal_population(ITEMS, (-0.8, 0.3, 2.4))
    with pytest.warns(psm.PsmAnalysisWarning, match="no solution"):
        study = psm.monte_carlo(people, ANALYSIS, nobs=150, seed=3, replicates=8, ordered=ITEMS)
    for number, good in enumerate(study.replicates.converged):
        rows = people.generate(150, seed=3, replicate=number)[ITEMS]
        assert good <= bool((rows.nunique() == 4).all())
    assert not study.replicates.converged.all()


@pytest.mark.parametrize(("people_options", "options"), CASES, ids=str)
def test_equal_to_ordinary_fits(
    people_options: dict[str, Any], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    people, batched = psm.population(TRUE_MEDIATION, **people_options), []

    def seen(job: Job) -> Any:
        batched.append(row_batches(job))
        return batched[-1]

    monkeypatch.setattr("psm_analysis.simulation.replicates.row_batches", seen)
    study = psm.monte_carlo(people, MEDIATION, nobs=240, seed=5, replicates=4, **options).replicates
    assert batched[0] is not None
    _equal(study, 3, psm.sem(MEDIATION, people.generate(240, seed=5, replicate=3), **options))
    parts = psm.monte_carlo(people, MEDIATION, nobs=240, seed=5, replicates=4, batch=3, **options).replicates
    np.testing.assert_allclose(parts.estimates, study.estimates, atol=1e-9)
    np.testing.assert_allclose(parts.errors, study.errors, atol=1e-9)


def _equal(study: Replicates, number: int, fit: psm.SemResult) -> None:
    frame, measures = fit.tidy(), fit.fit_measures
    np.testing.assert_allclose(study.estimates[number], frame["estimate"], atol=1e-8)
    np.testing.assert_allclose(study.errors[number], frame["std_error"], atol=1e-8)
    for name in MEASURES:
        expected = measures.get(f"{name}_scaled", measures[name])
        assert study.measure(name)[number] == pytest.approx(expected, abs=1e-6), name


def test_replicates_that_the_batch_does_not_solve_are_fitted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    people = psm.population(TRUE_MEDIATION)
    whole = psm.monte_carlo(people, MEDIATION, nobs=150, seed=1, replicates=3, estimator="GLS").replicates
    monkeypatch.setattr("psm_analysis.simulation.row_batches.RowBatches.fits", lambda self, rows: [None] * len(rows))
    again = psm.monte_carlo(people, MEDIATION, nobs=150, seed=1, replicates=3, estimator="GLS").replicates
    np.testing.assert_allclose(again.estimates, whole.estimates, atol=1e-8)
