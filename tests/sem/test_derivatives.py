"""Analytic derivatives of the discrepancy against finite differences, at random points and for every kind of model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sem.models import HOLZINGER

import psm_analysis as psm
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.implied import directions, moment_jacobian
from psm_analysis.sem.problem import Problem

GROWTH = "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + a*t3 + 3*t4\ni ~ ageyr\ns ~ ageyr + i\nt4 ~ grade"
PATHS = "x4 ~ x1 + x2 + ageyr\nx5 ~ x4 + x1\nx6 ~ x5 + x4 + visual\nvisual =~ x7 + x8 + x9\nvisual ~ x1\nx6 ~~ x5"
LOOP = "x1 ~ x2 + x3\nx2 ~ 0.2*x1 + x4\nx1 ~~ x2"

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "factors": (HOLZINGER, {}),
    "second order": (HOLZINGER + "g =~ visual + textual + speed", {"std_lv": True}),
    "factor paths": (HOLZINGER + "speed ~ visual + textual\ntextual ~ visual\nx1 ~~ x4", {}),
    "observed paths": (PATHS, {"fixed_x": False}),
    "loop": (LOOP, {}),
    "means": (HOLZINGER + "speed ~ visual\nvisual ~ ageyr\nx2 ~ 1\nvisual ~ 1\nx1 ~ 0*1", {"meanstructure": True}),
    "paths with means": (PATHS, {"meanstructure": True}),
    "growth": (GROWTH, {"growth": True}),
    "groups": (HOLZINGER, {"group": "school"}),
    "equal groups": (
        HOLZINGER + "speed ~ visual",
        {"group": "school", "group_equal": ["loadings", "intercepts", "regressions"]},
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def problem(request: pytest.FixtureRequest, holzinger: pd.DataFrame) -> tuple[Problem, np.ndarray]:
    model, options = MODELS[request.param]
    options = dict(options)
    call = psm.growth if options.pop("growth", False) else psm.sem
    fit = call(model, with_waves(holzinger), **options)
    return fit.problem, fit.solution.x


def with_waves(data: pd.DataFrame) -> pd.DataFrame:
    """Add four waves of a variable that grows with age."""
    rng = np.random.default_rng(3)
    level, slope = rng.normal(size=len(data)), rng.normal(0.3, 0.4, len(data)) + 0.05 * data["ageyr"]
    waves = {f"t{k + 1}": 2.0 + level + slope * k + rng.normal(0, 0.5, len(data)) for k in range(4)}
    return data.assign(**waves)


def points(problem: Problem, x: np.ndarray, *, count: int = 3) -> list[np.ndarray]:
    """Return random points near a solution where the discrepancy is defined."""
    rng = np.random.default_rng(7)
    found: list[np.ndarray] = []
    while len(found) < count:
        point = x * rng.normal(1.0, 0.1, x.size) + rng.normal(0.0, 0.02, x.size)
        if np.isfinite(problem.value(point)):
            found.append(point)
    return found


def differences(function: Any, x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Return the derivative of a function by fourth-order central differences, one row per element of x."""
    steps = h * np.maximum(1.0, np.abs(x))
    rows = []
    for i, step in enumerate(steps):
        unit = np.zeros_like(x)
        unit[i] = step
        near = (function(x + unit) - function(x - unit)) / (2 * step)
        far = (function(x + 2 * unit) - function(x - 2 * unit)) / (4 * step)
        rows.append((4.0 * near - far) / 3.0)
    return np.array(rows)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.abs(found - expected).max() < 1e-6 * max(1.0, np.abs(expected).max())


def test_gradient(problem: tuple[Problem, np.ndarray]) -> None:
    F, x = problem
    for point in points(F, x):
        close(F.derivatives(point)[0], differences(F.value, point, 1e-4))


def test_hessian(problem: tuple[Problem, np.ndarray]) -> None:
    F, x = problem
    for point in points(F, x):
        close(F.hessian(point), differences(lambda z: F.derivatives(z, information=False)[0], point))


def test_information_is_half_the_hessian_where_the_model_is_true(problem: tuple[Problem, np.ndarray]) -> None:
    F, x = problem
    for point in points(F, x):
        known = tuple(
            MaximumLikelihood.of(implied.Sigma, None if d.mean is None else implied.mu)
            for implied, d in zip(F.implied(point), F.discrepancies, strict=True)
        )
        true = replace(F, discrepancies=known)
        gradient, information = true.derivatives(point)
        assert np.abs(gradient).max() < 1e-10 * max(1.0, np.abs(information).max())
        hessian = differences(lambda z, true=true: true.derivatives(z, information=False)[0], point)
        close(2.0 * information, hessian)
        close(true.hessian(point), hessian)


def test_moments(problem: tuple[Problem, np.ndarray]) -> None:
    F, x = problem
    point = points(F, x, count=1)[0]
    values = F.expand(point)
    everything = replace(F, position=np.arange(len(values)))
    for g, (layout, implied) in enumerate(zip(F.layouts, F.implied(point), strict=True)):
        column, row = np.triu_indices(len(layout.observed))

        def moments(v: np.ndarray, g: int = g, row: Any = row, column: Any = column) -> np.ndarray:
            m = everything.implied(v)[g]
            return np.concatenate([m.mu, m.Sigma[row, column]])

        found = moment_jacobian(directions(layout, implied), means=True)
        close(found, differences(moments, values).T[:, layout.rows])


def test_discrepancy_is_zero_at_the_sample_and_undefined_outside() -> None:
    S = np.array([[1.0, 0.3], [0.3, 2.0]])
    frame = pd.DataFrame(S, ["a", "b"], ["a", "b"])
    fit = psm.sem("a ~~ b", sample_cov=frame, sample_nobs=50)
    assert fit.problem.value(fit.solution.x) == pytest.approx(0.0, abs=1e-14)
    assert fit.problem.value(np.array([5.0, 1.0, 1.0])) == np.inf


@pytest.mark.parametrize("estimator", ["ML", "GLS", "ULS", "WLS", "DWLS"])
@pytest.mark.parametrize("means", [False, True])
def test_hessian_of_every_estimator(holzinger: pd.DataFrame, estimator: str, means: bool) -> None:
    fit = psm.cfa("f =~ x1 + x2 + x3 + x4\ng =~ x5 + x6 + x7", holzinger, estimator=estimator, meanstructure=means)
    for x in points(fit.problem, fit.solution.x):
        close(fit.problem.derivatives(x)[0], differences(fit.problem.value, x))
        close(fit.problem.hessian(x), differences(lambda y: fit.problem.derivatives(y)[0], x))
