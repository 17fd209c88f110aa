"""Unweighted least squares of variables in units far apart: it depends on units, but its minimum is found."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares
from sem.models import HOLZINGER

import psm_analysis as psm
from psm_analysis.errors import PsmAnalysisWarning
from psm_analysis.sem.far_apart import are_far_apart, information_given
from psm_analysis.sem.graded import GradedFactor
from psm_analysis.sem.implied import moment_vector

pytestmark = pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")

MODELS = {
    "factors": HOLZINGER,
    "second order": HOLZINGER + "g =~ visual + textual + speed",
    "paths": HOLZINGER + "speed ~ visual + textual\nx1 ~~ x4",
    "equal": HOLZINGER.replace("x5", "a*x5").replace("x6", "a*x6"),
}
UNITS = {
    "a large marker": {"x1": 1e3},
    "a small item": {"x2": 1e-3},
    "a mixture": {"x1": 1e3, "x3": 1e-3, "x4": 1e-3, "x5": 1e3, "x8": 1e-3, "x9": 1e3},
    "a million": {"x1": 1e6},
}


ROUNDED = {"a million": 1e-5}
"""The variance of a variable in millionths is 10^12, rounded to 10^-4: its square is of the size of the discrepancy."""


def in_units(data: pd.DataFrame, units: dict[str, float]) -> pd.DataFrame:
    return data.assign(**{name: unit * data[name] for name, unit in units.items()})


def brute_force(fit: psm.SemResult) -> float:
    """Return the least discrepancy that a general least-squares search finds nearby, in units of the correlations."""
    problem, units = fit.problem, np.abs(fit.solution.x) + 1e-3
    part = problem.discrepancies[0]

    def residuals(y: np.ndarray) -> np.ndarray:
        return np.sqrt(part.W) * (part.s - moment_vector(problem.implied(units * y)[0], means=False))

    start = 1.02 * fit.solution.x / units
    found = least_squares(residuals, start, x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=3000)
    return float(2.0 * found.cost)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("model", MODELS)
def test_no_general_search_finds_less(holzinger: pd.DataFrame, model: str, units: str) -> None:
    fit = psm.sem(MODELS[model], in_units(holzinger, UNITS[units]), estimator="ULS")
    assert fit.converged
    assert fit.solution.value <= brute_force(fit) * (1.0 + ROUNDED.get(units, 1e-8))


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("model", ["factors", "paths"])
def test_the_minimum_does_not_depend_on_the_start_or_the_marker(
    holzinger: pd.DataFrame, model: str, units: str
) -> None:
    data = in_units(holzinger, UNITS[units])
    text = MODELS[model]
    plain = psm.sem(text, data, estimator="ULS")
    scale = UNITS[units].get("x2", 1.0) / UNITS[units].get("x1", 1.0)
    moved = text.replace("x2", f"start({3.0 * scale!r})*x2").replace("x6", "start(0.2)*x6")
    for other in (psm.sem(moved, data, estimator="ULS"), psm.sem(text, data, estimator="ULS", std_lv=True)):
        assert other.converged
        assert other.solution.value == pytest.approx(plain.solution.value, rel=ROUNDED.get(units, 1e-8))
        np.testing.assert_allclose(other.tidy()["std_all"].abs(), plain.tidy()["std_all"].abs(), rtol=1e-4, atol=1e-5)


def test_estimates_and_errors_of_sixty_digits(holzinger: pd.DataFrame) -> None:
    """Values by Gauss and Newton's steps and their formulas in arithmetic of 60 digits (mpmath 1.3)."""
    fit = psm.cfa(HOLZINGER, in_units(holzinger, {"x1": 1e3}), estimator="ULS", std_lv=True)
    frame = fit.tidy()[fit.tidy()["std_error"] > 0]
    np.testing.assert_allclose(frame["estimate"], ESTIMATES, rtol=1e-7)
    np.testing.assert_allclose(frame["std_error"], ERRORS, rtol=1e-7)


@pytest.mark.parametrize("case", range(2))
def test_robust_tests_and_errors_are_those_of_lavaan(holzinger: pd.DataFrame, case: int) -> None:
    """lavaan 0.6-14: cfa(estimator = "ULSMV", std.lv = TRUE); its search ends at five to seven digits of the errors."""
    far, chisq, scaled, factor, mean_scaled, loading, error = LAVAAN[case]
    data = in_units(holzinger, far)
    fit = psm.cfa(HOLZINGER, data, estimator="ULSMV", std_lv=True)
    assert are_far_apart(fit.problem)
    assert fit.fit_measures["chisq"] == pytest.approx(chisq, rel=1e-7)
    assert fit.fit_measures["chisq_scaled"] == pytest.approx(scaled, rel=1e-6)
    assert fit.fit_measures["chisq_scaling_factor"] == pytest.approx(factor, rel=1e-6)
    mean_adjusted = psm.cfa(HOLZINGER, data, estimator="ULSM", std_lv=True)
    assert mean_adjusted.fit_measures["chisq_scaled"] == pytest.approx(mean_scaled, rel=1e-6)
    assert fit.tidy()["estimate"][0] == pytest.approx(loading, rel=1e-7)
    assert fit.tidy()["std_error"][0] == pytest.approx(error, rel=5e-6)


ESTIMATES = (
    958.935143437,
    0.426232563324,
    0.606748334483,
    1.08311938154,
    0.945338267647,
    0.975787291374,
    0.188267202749,
    0.585985231373,
    1.01797321456,
    443341.135679,
    1.2047156137,
    0.910970868902,
    0.182019128218,
    0.771653942889,
    0.248185401279,
    1.15163872291,
    0.682010732755,
    -0.0178822493618,
    0.487673200423,
    0.471092266662,
    0.271951310316,
)
ERRORS = (
    87.9161597506,
    0.0789992172195,
    0.0766768738515,
    0.0854360955255,
    0.0963932668802,
    0.0831209844137,
    0.143345789445,
    0.0833770437584,
    0.130933028141,
    136628.520932,
    0.103824570632,
    0.0946427231431,
    0.150310172313,
    0.148741700639,
    0.132958926254,
    0.105060192138,
    0.0955952138022,
    0.253411208458,
    0.0649805235649,
    0.0817560743335,
    0.065059224195,
)
LAVAAN = (
    ({"x1": 20.0}, 131.213759076, 64.221945914, 2.373607964, 88.105726996, 19.181895348, 2.047764199),
    (
        {"x1": 20.0, "x5": 0.1},
        106.5376265244,
        65.1111336727,
        1.9928890174,
        103.9066253226,
        18.4277589612,
        1.8776290068,
    ),
)


@pytest.mark.parametrize("estimator", ["ULS", "ULSMV", "GLS", "WLS", "DWLS", "WLSMV"])
@pytest.mark.parametrize("unit", [1e6, 1e-6])
def test_one_unit_for_all_variables_is_no_matter(holzinger: pd.DataFrame, estimator: str, unit: float) -> None:
    data = holzinger[[f"x{i}" for i in range(1, 10)]]
    plain, scaled = (psm.cfa(HOLZINGER, d, estimator=estimator) for d in (data, data * unit))
    assert scaled.converged
    np.testing.assert_allclose(scaled.tidy()["std_all"], plain.tidy()["std_all"], rtol=1e-7, atol=1e-8)
    for measure in ("chisq_scaled", "cfi_scaled") if estimator.endswith("MV") else ("chisq", "cfi"):
        assert scaled.fit_measures[measure] == pytest.approx(plain.fit_measures[measure], rel=1e-7)


def test_groups_with_equal_loadings(holzinger: pd.DataFrame) -> None:
    data = in_units(holzinger, {"x4": 1e3})
    apart = psm.cfa(HOLZINGER, data, estimator="ULS", group="school")
    alone = [psm.cfa(HOLZINGER, part, estimator="ULS") for _, part in data.groupby("school", sort=False)]
    share = apart.problem.weights
    each = sum(s * fit.solution.value for s, fit in zip(share, alone, strict=True))
    assert apart.solution.value == pytest.approx(each, rel=1e-9)
    tied = psm.cfa(HOLZINGER, data, estimator="ULS", group="school", group_equal=["loadings"])
    assert tied.converged
    assert tied.solution.value > apart.solution.value
    assert psm.score_tests(tied).tidy()["statistic"].notna().all()


def test_bounds_and_inequalities_that_hold_are_no_matter(holzinger: pd.DataFrame) -> None:
    data = in_units(holzinger, UNITS["a mixture"])
    plain = psm.cfa(HOLZINGER, data, estimator="ULS")
    bounded = psm.cfa(HOLZINGER.replace("x2", "lower(0)*x2") + "\nx5 ~~ v*x5\nv > 0", data, estimator="ULS")
    assert bounded.solution.value == pytest.approx(plain.solution.value, rel=1e-10)


def test_means_are_fitted_in_their_units(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, in_units(holzinger, {"x1": 1e3}), estimator="ULS", meanstructure=True)
    means = fit.tidy().query("op == '~1' and lhs == 'x1'")["estimate"].iloc[0]
    assert means == pytest.approx(1e3 * holzinger["x1"].mean(), rel=1e-10)


def test_ordinal_variables_beside_continuous_ones_in_large_units(holzinger: pd.DataFrame) -> None:
    data = holzinger.assign(x4=pd.cut(holzinger["x4"], 4, labels=False), x5=pd.cut(holzinger["x5"], 4, labels=False))
    fits = [
        psm.cfa(HOLZINGER, in_units(data, {"x1": unit}), estimator="ULSMV", ordered=["x4", "x5"], std_lv=True)
        for unit in (1e3, 1e4)
    ]
    assert all(fit.converged for fit in fits)
    limit = [fit.tidy()["std_all"] for fit in fits]
    np.testing.assert_allclose(limit[0], limit[1], atol=1e-4)


def test_resamples_are_fitted_like_the_sample(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, in_units(holzinger, {"x1": 1e3}), estimator="ULSM", std_lv=True)
    found = fit.bootstrap(40, seed=1).tidy()
    free = fit.tidy()["std_error"] > 0
    ratio = found["std_error"][free] / fit.tidy()["std_error"][free]
    assert ratio.between(0.5, 2.0).all()


def test_a_model_without_a_minimum_is_said_to_have_none(holzinger: pd.DataFrame) -> None:
    with pytest.warns(PsmAnalysisWarning):
        fit = psm.cfa(HOLZINGER, in_units(holzinger, {"x2": 1e6}), estimator="ULS")
    assert not fit.converged
    assert any("depends on units" in note for note in fit.warnings)


def test_nested_models_are_compared_whatever_their_units(holzinger: pd.DataFrame) -> None:
    restricted = HOLZINGER + "visual ~~ 0*speed"
    fits = [
        [psm.cfa(text, data, estimator="MLMV") for text in (HOLZINGER, restricted)]
        for data in (holzinger, in_units(holzinger, {"x1": 1e6, "x9": 1e-3}))
    ]
    plain, scaled = (psm.compare(*pair, restriction="exact").tidy()["statistic"].iloc[1] for pair in fits)
    assert scaled == pytest.approx(plain, rel=1e-6)
    assert psm.compare(*fits[1]).tidy()["p_value"].iloc[1] < 1e-4


def test_robust_difference_in_units_far_apart(holzinger: pd.DataFrame) -> None:
    """Beside units of 9, where the normal equations serve, those of 11 are solved by orthogonal factors."""
    restricted = HOLZINGER + "textual ~~ 0*speed"
    found = []
    for unit in (9.0, 11.0):
        pair = [psm.cfa(m, in_units(holzinger, {"x1": unit}), estimator="ULSMV") for m in (HOLZINGER, restricted)]
        found.append(psm.compare(*pair).tidy()["statistic"].iloc[1])
    assert found[1] == pytest.approx(found[0], rel=0.05)


def test_nonlinear_constraints_whatever_the_units(holzinger: pd.DataFrame) -> None:
    text = HOLZINGER.replace("x5", "a*x5").replace("x6", "b*x6") + "\na*b == 1"
    plain, scaled = (psm.cfa(text, d) for d in (holzinger, in_units(holzinger, {"x1": 1e3, "x7": 1e-2})))
    assert scaled.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-7)


def test_information_given_others_is_that_of_the_normal_equations(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, in_units(holzinger, {"x1": 12.0}), estimator="ULS", std_lv=True)
    assert are_far_apart(fit.problem)
    free, tested = np.split(np.eye(fit.problem.n_free), [15], axis=1)
    A = fit.problem.derivatives(fit.solution.x)[1]
    expected = A[15:, 15:] - A[15:, :15] @ np.linalg.solve(A[:15, :15], A[:15, 15:])
    found = information_given(fit.problem, fit.solution.x, free=free, tested=tested)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


def exact_solution(J: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the least-squares solution in fractions."""
    rows = [[Fraction(float(v)) for v in row] for row in J]
    A = [[sum(r[i] * r[j] for r in rows) for j in range(len(rows[0]))] for i in range(len(rows[0]))]
    b = [sum(r[i] * Fraction(float(v)) for r, v in zip(rows, y, strict=True)) for i in range(len(rows[0]))]
    for i in range(len(b)):
        for k in range(i + 1, len(b)):
            ratio = A[k][i] / A[i][i]
            A[k] = [a - ratio * c for a, c in zip(A[k], A[i], strict=True)]
            b[k] -= ratio * b[i]
    z = [Fraction(0)] * len(b)
    for i in reversed(range(len(b))):
        z[i] = (b[i] - sum(A[i][j] * z[j] for j in range(i + 1, len(b)))) / A[i][i]
    return np.array([float(v) for v in z])


@pytest.mark.parametrize("weight", [1.0, 1e4, 1e8])
def test_rows_of_any_weight_are_solved_as_in_fractions(weight: float) -> None:
    rng = np.random.default_rng(5)
    heavy = np.where(np.arange(9) % 4 == 1, weight, 1.0)
    J, y = rng.normal(size=(9, 4)) * heavy[:, None], rng.normal(size=9)
    y *= np.where(heavy > 1.0, 1.0 / weight, 1.0) * heavy
    factor = GradedFactor.of(J)
    np.testing.assert_allclose(factor.solve(y), exact_solution(J, y), rtol=1e-10)
    np.testing.assert_allclose(factor.inverse() @ y, exact_solution(J, y), rtol=1e-10)
    found = factor.bent(y, np.eye(4))
    assert found is not None
    bent = exact_solution(np.vstack([J, np.eye(4)]), np.concatenate([y, np.zeros(4)]))
    np.testing.assert_allclose(found, bent, rtol=1e-10)
    assert factor.bent(y, -1e20 * np.eye(4)) is None


def test_a_column_of_zeros_is_not_regular() -> None:
    factor = GradedFactor.of(np.column_stack([np.ones(3), np.zeros(3)]))
    assert not factor.regular
    assert GradedFactor.of(np.eye(3)[:, :2]).regular
