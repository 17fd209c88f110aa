"""What a person is told when the call, the data or the model is wrong."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sem.models import HOLZINGER

import psm_analysis as psm
from psm_analysis.errors import DataError, ModelError, OptionError, PsmAnalysisError, PsmAnalysisWarning

ONE = "f =~ x1 + x2 + x3"
NAMES = ["x1", "x2", "x3"]
R = pd.DataFrame([[1, 0.5, 0.4], [0.5, 1, 0.4], [0.4, 0.4, 1]], NAMES, NAMES)


def told(error: type[PsmAnalysisError], model: str, data: Any = None, **options: Any) -> str:
    with pytest.raises(error) as caught:
        psm.cfa(model, data, **options)
    assert caught.value.where, "an error says where"
    assert caught.value.remedy, "an error says what to do"
    return str(caught.value)


def changed(row: int, column: int, value: object) -> pd.DataFrame:
    matrix = R.astype(object)
    matrix.iloc[row, column] = matrix.iloc[column, row] = value
    return matrix


def test_an_unknown_variable_with_the_nearest_name(holzinger: pd.DataFrame) -> None:
    text = told(DataError, "f =~ x1 + X22 + x3", holzinger)
    assert "'X22' is not in the data" in text
    assert "Did you mean 'x2'?" in text


def test_a_text_column(holzinger: pd.DataFrame) -> None:
    text = told(DataError, "f =~ x1 + x2 + school", holzinger)
    assert "'school' is not numeric" in text
    assert "Pasteur" in text


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (1.0, "'x2' has the same value in every row"),
        (np.nan, "No complete rows are left"),
        (np.inf, "'x2' has infinite values"),
        (1j, "'x2' is not numeric"),
        (pd.Timestamp("2024-01-01"), "'x2' is not numeric"),
    ],
)
def test_a_column_that_cannot_be_used(holzinger: pd.DataFrame, values: object, what: str) -> None:
    assert what in told(DataError, ONE, holzinger.assign(x2=values))


def test_a_column_named_twice(holzinger: pd.DataFrame) -> None:
    assert "2 times" in told_loosely(DataError, ONE, pd.concat([holzinger, holzinger[["x1"]]], axis=1))


def told_loosely(error: type[PsmAnalysisError], model: str, data: Any = None, **options: Any) -> str:
    with pytest.raises(error) as caught:
        psm.cfa(model, data, **options)
    return str(caught.value)


def test_collinear_items_are_named(holzinger: pd.DataFrame) -> None:
    text = told(DataError, HOLZINGER, holzinger.assign(x3=holzinger["x1"] + 2 * holzinger["x2"]))
    assert "singular" in text
    assert all(name in text for name in NAMES)
    assert "x7" not in text


def test_too_few_rows(holzinger: pd.DataFrame) -> None:
    assert "9 complete rows for 9 variables" in told(DataError, HOLZINGER, holzinger.head(9))
    assert "0 of them" in told(DataError, HOLZINGER, holzinger.head(0))


def test_nothing_or_everything_to_fit(holzinger: pd.DataFrame) -> None:
    assert "nothing to fit" in told(DataError, ONE)
    assert "both given" in told(DataError, ONE, holzinger, sample_cov=R, sample_nobs=100)
    assert "not a DataFrame" in told(DataError, ONE, [[1, 2, 3]])


@pytest.mark.parametrize(
    ("matrix", "what"),
    [
        (R.to_numpy(), "no variable names"),
        (R.set_axis(["x1", "x3", "x2"], axis=0), "other ones on its rows"),
        (R[["x1", "x2"]].loc[["x1", "x2"]], "'x3' is not in the matrix"),
        (changed(0, 0, 0.0), "variance of 'x1'"),
        (changed(1, 1, -1.0), "variance of 'x2'"),
        (changed(0, 1, "half"), "'half'"),
        (changed(0, 1, 1.2), "not positive definite"),
        (changed(0, 1, np.nan), "no value for 'x1' with 'x2'"),
        (R + np.eye(3)[[1]].T * 0.2 * np.eye(3)[0], "not symmetric: 'x1' with 'x2' is 0.5 and 0.7"),
    ],
)
def test_a_matrix_that_cannot_be_used(matrix: Any, what: str) -> None:
    assert what in told(DataError, ONE, sample_cov=matrix, sample_nobs=100)


def test_a_matrix_with_a_variable_twice() -> None:
    names = ["x1", "x2", "x3", "x3"]
    matrix = pd.DataFrame(np.eye(4), names, names)
    assert "'x3' stands in the matrix twice" in told(DataError, ONE, sample_cov=matrix, sample_nobs=100)


def test_a_lower_triangle_is_enough() -> None:
    lower = psm.cfa(ONE, sample_cov=R.where(np.tril(np.ones((3, 3))) > 0), sample_nobs=100)
    assert lower.tidy().equals(psm.cfa(ONE, sample_cov=R, sample_nobs=100).tidy())


@pytest.mark.parametrize("nobs", [None, 1, 200.5, "many", float("nan"), [100, 200], {"a": 100, "b": 200}])
def test_the_number_of_respondents(nobs: Any) -> None:
    assert "sample_nobs" in told(DataError, ONE, sample_cov=R, sample_nobs=nobs)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"sample_sd": {"x1": 1, "x2": 2}}, "no value for 'x3'"),
        ({"sample_sd": {"x1": 1, "x2": 2, "x3": -1}}, "'x3' is not positive"),
        ({"sample_sd": {"x1": 1, "x2": 2, "x3": "a"}}, "not a number"),
        ({"sample_mean": [1, 2, 3]}, "no value for 'x1'"),
        ({"meanstructure": True}, "needs means"),
    ],
)
def test_deviations_and_means(options: dict[str, Any], what: str) -> None:
    assert what in told(DataError, ONE, sample_cov=R, sample_nobs=100, **options)


def test_moments_of_other_groups_than_the_matrices() -> None:
    means = {"a": {"x1": 1, "x2": 2, "x3": 3}, "c": {"x1": 1, "x2": 2, "x3": 3}}
    options: dict[str, Any] = {"sample_cov": {"a": R, "b": R}, "sample_nobs": [100, 200]}
    assert "not in both" in told(DataError, ONE, sample_mean=means, **options)
    assert "2 matrices" in told(DataError, ONE, sample_mean=[means["a"]], **options)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("f =~ NA*x1 + x2 + x3 + x4", ["f~~f", "f=~x1"]),
        ("f =~ x1 + x2\ng =~ x3 + x4\nf ~~ 0*g", ["f=~x2", "f~~f"]),
        (HOLZINGER.replace("speed =~ x7 + x8 + x9", "") + "g =~ visual + textual", ["g=~textual", "g~~g"]),
        ("x1 ~ x2\nx2 ~ x1\nx3 ~ x1", ["x1~x2", "x2~x1"]),
    ],
)
def test_an_unidentified_model_names_its_parameters(holzinger: pd.DataFrame, model: str, names: list[str]) -> None:
    text = told(ModelError, model, holzinger)
    assert "not identified" in text
    for name in names:
        assert name in text


def test_more_parameters_than_moments(holzinger: pd.DataFrame) -> None:
    text = told(ModelError, "f =~ x1 + x2", holzinger)
    assert "4 free parameters for 3 moments" in text


def test_a_model_without_a_free_parameter(holzinger: pd.DataFrame) -> None:
    assert "no free parameter" in told(ModelError, "x1 ~~ 1*x1", holzinger)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("a == bb", "'bb' is not in the model"),
        ("d := a*bb", "'bb' is not in the model"),
        ("e := d*2\nd := b", "'d' is not in the model"),
    ],
)
def test_an_unknown_label(holzinger: pd.DataFrame, line: str, what: str) -> None:
    text = told(ModelError, f"f =~ x1 + a*x2 + b*x3 + x4\n{line}", holzinger)
    assert what in text
    assert "line 2" in text


@pytest.mark.parametrize("line", ["d := a\nd := b", "a := b"])
def test_a_name_defined_twice(holzinger: pd.DataFrame, line: str) -> None:
    assert "defined twice" in told_loosely(ModelError, f"f =~ x1 + a*x2 + b*x3 + x4\n{line}", holzinger)


@pytest.mark.parametrize("lines", ["a == 1\na == 2", "a == b\na == b + 1", "1 == 2"])
def test_contradictory_equalities(holzinger: pd.DataFrame, lines: str) -> None:
    assert "contradict" in told(ModelError, f"f =~ x1 + a*x2 + b*x3 + x4 + x5\n{lines}", holzinger)


CONTRADICTIONS = {
    "a > 2\na < 1": ["'a > 2' and 'a < 1' contradict"],
    "a > b\nb > a + 1": ["'a > b' and 'b > a+1' contradict"],
    "a + b > 3\na < 1\nb < 1": ["'a+b > 3', 'a < 1' and 'b < 1' contradict"],
    "a == b\na > b + 1\nb > 0": ["'a == b' and 'a > b+1' contradict"],
    "a > 2\nb < 1\na == b": ["'a == b', 'a > 2' and 'b < 1' contradict each other"],
    "a^2 == -1": ["No values were found at which 'a^2 == -1' holds"],
    "a > 1\na^2 < 0.5": ["No values were found", "'a > 1'", "'a^2 < 0.5'"],
    "a*b > 1\na < 0.2\nb < 0.2\na > 0\nb > 0": ["No values were found", "'a*b > 1'"],
}


@pytest.mark.parametrize("lines", CONTRADICTIONS)
def test_contradictory_constraints_are_named(holzinger: pd.DataFrame, lines: str) -> None:
    text = told(ModelError, f"f =~ x1 + a*x2 + b*x3 + x4 + x5\n{lines}", holzinger)
    assert all(part in text for part in CONTRADICTIONS[lines])


def test_a_bound_that_contradicts_a_constraint_is_named(holzinger: pd.DataFrame) -> None:
    text = told_loosely(ModelError, "f =~ x1 + lower(3)*x2 + a*x2 + x3 + x4\na < 1", holzinger)
    assert "'a < 1' and 'lower(3) of a' contradict" in text


@pytest.mark.parametrize(
    ("lines", "met"),
    [
        ("a > 0.9", lambda a, b: a >= 0.9),
        ("a > b\nb > 0.1", lambda a, b: a >= b >= 0.1),
        ("a*b < 0.3", lambda a, b: a * b <= 0.3),
        ("a == b\na < 2", lambda a, b: abs(a - b) < 1e-8 and a < 2),
        ("a > 1\na < 1.0000001", lambda a, b: 1 <= a <= 1.0000001),
    ],
)
def test_constraints_that_can_hold_are_met(
    holzinger: pd.DataFrame, lines: str, met: Callable[[float, float], bool]
) -> None:
    fit = psm.cfa(f"f =~ x1 + a*x2 + b*x3 + x4 + x5\n{lines}", holzinger)
    assert fit.converged
    values = fit.tidy().set_index("label")["estimate"]
    assert any(met(values["a"] + x, values["b"] + y) for x in (-1e-6, 0, 1e-6) for y in (-1e-6, 0, 1e-6))


def test_least_squares_of_units_far_apart_is_fitted_and_doubted(holzinger: pd.DataFrame) -> None:
    data = holzinger.assign(x1=300 * holzinger["x1"])
    with pytest.warns(PsmAnalysisWarning):
        fit = psm.cfa("f =~ x1 + x2 + x3\ng =~ x7 + x8 + x9", data, estimator="ULS", fixed_x=False)
    assert fit.converged
    np.testing.assert_allclose(fit.problem.derivatives(fit.solution.x)[0] * np.abs(fit.solution.x), 0.0, atol=1e-6)
    assert re.match(r"'x1' varies 3\d\d times as much as 'x9'.* depends on units", fit.warnings[0])


def test_contradictory_bounds(holzinger: pd.DataFrame) -> None:
    text = told_loosely(ModelError, "f =~ x1 + lower(2)*upper(1)*x2 + x3 + x4", holzinger)
    assert "'f =~ x2' contradict" in text


def test_groups(holzinger: pd.DataFrame) -> None:
    assert "has 1 value" in told(DataError, ONE, holzinger.assign(g=1), group="g")
    assert "'school'" in told(DataError, ONE, holzinger, group="schol")
    few = holzinger.assign(g=["a"] * 299 + ["b"] * 2)
    assert "group 'b'" in told(DataError, ONE, few, group="g")
    assert "needs groups" in told(OptionError, ONE, holzinger, group_equal=["loadings"])
    assert "is a text" in told(OptionError, ONE, holzinger, group="school", group_equal="loadings")


@pytest.mark.parametrize(
    "options", [{"estimator": "MLL"}, {"missing": "pairwse"}, {"engine": "lavaan"}, {"parameterization": "d"}]
)
def test_an_unknown_option_names_what_is_known(holzinger: pd.DataFrame, options: dict[str, Any]) -> None:
    text = told(OptionError, ONE, holzinger, **options)
    assert "It can be:" in text


def test_intercepts_without_a_mean_structure(holzinger: pd.DataFrame) -> None:
    assert "meanstructure is False" in told_loosely(ModelError, ONE + "\nx1 ~ 1", holzinger, meanstructure=False)


def test_a_heywood_case_is_a_warning_that_stays_on_the_result() -> None:
    strong = pd.DataFrame([[1, 0.9, 0.8], [0.9, 1, 0.5], [0.8, 0.5, 1]], NAMES, NAMES)
    with pytest.warns(PsmAnalysisWarning, match="Heywood"):
        fit = psm.cfa(ONE, sample_cov=strong, sample_nobs=100)
    assert fit.converged
    assert any("'x1' is negative" in text for text in fit.warnings)
    assert "Heywood" in fit.summary()
    variance = fit.tidy().query("lhs == 'x1' and rhs == 'x1'")["estimate"].item()
    assert variance == pytest.approx(0.99 * (1 - 0.9 * 0.8 / 0.5))


def test_factors_that_correlate_above_one(holzinger: pd.DataFrame) -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(size=(300, 1))
    rows = pd.DataFrame(common + rng.normal(scale=0.8, size=(300, 6)), columns=[f"y{i}" for i in range(1, 7)])
    rows[["y1", "y4"]] += rng.normal(scale=0.7, size=(300, 1))
    with pytest.warns(PsmAnalysisWarning, match="factors is not positive definite"):
        fit = psm.cfa("f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6", rows)
    correlation = fit.standardized().query("lhs == 'f' and rhs == 'g'")["estimate"].item()
    assert correlation > 1.0


@pytest.mark.slow
def test_no_convergence_is_said_and_nothing_is_invented(holzinger: pd.DataFrame) -> None:
    model = "i =~ 1*x1 + 1*x2 + 1*x3 + 1*x4\ns =~ 0*x1 + 1*x2 + a*x3 + 3*x4\ni ~ ageyr\ns ~ ageyr + i\nx4 ~ grade"
    with pytest.warns(PsmAnalysisWarning, match="No minimum was found"):
        fit = psm.growth(model, holzinger)
    no_solution(fit)


def no_solution(fit: psm.SemResult) -> None:
    assert not fit.converged
    assert fit.warnings
    assert fit.tidy()["std_error"].isna().any()
    assert "chisq" not in fit.fit_measures
    assert "DID NOT CONVERGE" in fit.summary()
    assert not fit.glance()["converged"].item()
    assert np.isnan(fit.glance()["cfi"].item())


def test_an_impossible_start_is_no_solution(holzinger: pd.DataFrame) -> None:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        fit = psm.cfa("f =~ x1 + x2 + x3 + x4\nf ~~ start(-1)*f", holzinger)
    good = psm.cfa("f =~ x1 + x2 + x3 + x4", holzinger)
    assert not fit.converged or fit.fit_measures["chisq"] == pytest.approx(good.fit_measures["chisq"])


def test_scores_without_rows_or_means() -> None:
    fit = psm.cfa(ONE, sample_cov=R, sample_nobs=100)
    with pytest.raises(DataError, match="Scores need rows"):
        fit.factor_scores()
    with pytest.raises(DataError, match="Scores need the means"):
        fit.factor_scores(pd.DataFrame(np.eye(3), columns=NAMES))


def test_options_after_the_fit(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(ONE, holzinger)
    with pytest.raises(OptionError, match="std_al"):
        fit.standardized("std_al")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="correlation"):
        fit.residuals("correlation")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="thurstone"):
        fit.factor_scores(method="thurstone")  # type: ignore[arg-type]


ORDINAL = "f =~ a + b + c"


def coded(holzinger: pd.DataFrame) -> pd.DataFrame:
    return holzinger.assign(a=(holzinger.x1 > 5) + 1, b=(holzinger.x2 > 6) + 1, c=(holzinger.x3 > 2.2) + 1)


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"group": "school", "group_equal": ["thresholds"]}, "group_equal"),
        ({"group": "school", "group_partial": ["x1 ~ 1"]}, "group_partial"),
        ({"parameterization": "theta"}, "parameterization"),
        ({"sample_nobs": 100}, "sample_nobs"),
        ({"sample_mean": [1, 2, 3]}, "sample_mean"),
        ({"std_lv": "yes"}, "std_lv"),
        ({"fixed_x": "no"}, "fixed_x"),
        ({"meanstructure": "default"}, "meanstructure"),
        ({"orthogonal": 1}, "orthogonal"),
        ({"ordered": 3}, "ordered"),
        ({"ordered": "x1"}, "ordered"),
        ({"group": "school", "group_equal": [["loadings"]]}, "group_equal"),
        ({"group": ["school", "sex"]}, "group"),
        ({"cluster": ["school"]}, "cluster"),
        ({"sampling_weights": ["sex"]}, "sampling_weights"),
        ({"estimator": "WLS", "information": "observed"}, "information"),
        ({"estimator": "ULSMV", "information": "observed"}, "information"),
        ({"estimator": "MLF", "information": "expected"}, "information"),
        ({"estimator": "WLS", "test": "satorra.bentler"}, "test"),
        ({"se": "first.order", "test": "satorra.bentler"}, "test"),
    ],
)
def test_an_option_without_effect_or_of_the_wrong_kind(
    holzinger: pd.DataFrame, options: dict[str, Any], argument: str
) -> None:
    with pytest.raises(OptionError) as caught:
        psm.cfa(ONE, holzinger, **options)
    assert argument in (caught.value.where or "")
    assert caught.value.remedy


@pytest.mark.parametrize("options", [{"group": "school"}, {"missing": "fiml"}])
def test_options_of_rows_where_moments_are_given(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="and moments are given"):
        psm.cfa(ONE, sample_cov=R, sample_nobs=100, **options)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"group_equal": ["loadings", "regressions"]}, "names 'regressions'"),
        ({"group_equal": ["loadings"], "group_partial": ["x2 ~ 1"]}, "releases 'x2 ~ 1', which is free"),
    ],
)
def test_equalities_in_vain_are_said_on_the_result(holzinger: pd.DataFrame, options: dict[str, Any], what: str) -> None:
    with pytest.warns(PsmAnalysisWarning, match=what):
        fit = psm.cfa(ONE, holzinger, group="school", **options)
    assert any(what in note for note in fit.warnings)


def test_none_is_an_empty_list(holzinger: pd.DataFrame) -> None:
    empty: Any = dict.fromkeys(("ordered", "group_equal", "group_partial", "auxiliary"))
    assert psm.cfa(HOLZINGER, holzinger, **empty).fit_measures == psm.cfa(HOLZINGER, holzinger).fit_measures


def test_a_threshold_that_is_not_there(holzinger: pd.DataFrame) -> None:
    assert "'a' has no threshold 't2'" in told(ModelError, f"{ORDINAL}\na | t1 + t2", coded(holzinger), ordered=True)


def test_numbers_in_a_column_of_objects(holzinger: pd.DataFrame) -> None:
    gaps = holzinger.assign(x1=[None, *holzinger["x1"][1:]])
    objects = gaps.assign(x1=gaps["x1"].astype(object).where(gaps["x1"].notna(), None))
    assert psm.cfa(HOLZINGER, objects).fit_measures == psm.cfa(HOLZINGER, gaps).fit_measures
    assert "for example '7'" in told(DataError, ONE, objects.assign(x1=["7", *objects["x1"][1:]]))


def test_wrong_arguments_after_the_fit(holzinger: pd.DataFrame) -> None:
    fit: Any = psm.cfa(ONE, holzinger)
    with pytest.raises(OptionError, match="minimum='x'"):
        fit.modification_indices(minimum="x")
    with pytest.raises(OptionError, match="is no fit but a str"):
        psm.compare(fit, "other")  # type: ignore[arg-type]


def test_errors_robust_to_misspecification_use_the_observed_information(holzinger: pd.DataFrame) -> None:
    """lavaan 0.6-14: cfa("f =~ x1 + x2 + x3 + x4", HolzingerSwineford1939, se = "robust.huber.white")."""
    fit = psm.cfa("f =~ x1 + x2 + x3 + x4", holzinger, se="robust.huber.white")
    assert fit.tidy()["std_error"].tolist()[1:4] == pytest.approx([0.170796, 0.177844, 0.095814], abs=2e-6)
