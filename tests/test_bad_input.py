"""Every function of measurement met with data and arguments that it cannot use.

Each either raises an error of the package that says what, where and what to do, or warns by name and computes.
"""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

MODEL = "a =~ i1 + i2 + i3\nb =~ i4 + i5 + i6"


def _good() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    traits = rng.standard_normal((200, 2)) @ np.array([[1.0, 0.5], [0.0, 0.9]])
    latent = 0.7 * np.repeat(traits, 3, axis=1) + 0.7 * rng.standard_normal((200, 6))
    return pd.DataFrame(np.digitize(latent, [-1.2, -0.4, 0.4, 1.2]) + 1.0, columns=[f"i{j + 1}" for j in range(6)])


GOOD = _good()


def _groups(data: object) -> list[str]:
    return (["u", "v"] * 200)[: len(data)] if hasattr(data, "__len__") else ["u", "v"]


Call = Callable[..., object]
CALLS: dict[str, Call] = {
    "alpha": psm.alpha,
    "alpha ordinal": lambda data: psm.alpha(data, correlation="polychoric"),
    "alpha bootstrap": lambda data: psm.alpha(data, interval="bootstrap", n_replicates=100, seed=1),
    "omega": lambda data: psm.omega(data, 2),
    "omega ordinal": lambda data: psm.omega(data, 1, correlation="polychoric"),
    "omega_interval": lambda data: psm.omega_interval(data, 1, n_replicates=100, seed=1),
    "guttman": psm.guttman,
    "split_half": psm.split_half,
    "greatest_lower_bound": psm.greatest_lower_bound,
    "item_analysis": psm.item_analysis,
    "efa": lambda data: psm.efa(data, 2),
    "efa ml": lambda data: psm.efa(data, 2, extraction="ml"),
    "efa gls": lambda data: psm.efa(data, 2, extraction="gls"),
    "efa ordinal": lambda data: psm.efa(data, 2, correlation="polychoric"),
    "efa spearman": lambda data: psm.efa(data, 2, correlation="spearman"),
    "loading_errors": lambda data: psm.loading_errors(psm.efa(data, 2, extraction="ml")),
    "retention": lambda data: psm.retention(data, n_iterations=3, seed=1),
    "retention ordinal": lambda data: psm.retention(data, n_iterations=3, seed=1, correlation="polychoric"),
    "sampling_adequacy": psm.sampling_adequacy,
    "polychoric": psm.polychoric,
    "tetrachoric": psm.tetrachoric,
    "correlations": psm.correlations,
    "describe": psm.describe,
    "mardia": psm.mardia,
    "henze_zirkler": psm.henze_zirkler,
    "mahalanobis": psm.mahalanobis,
    "icc": psm.icc,
    "htmt": lambda data: psm.htmt(MODEL, data),
    "htmt_interval": lambda data: psm.htmt_interval(MODEL, data, n_replicates=100, seed=1),
    "graded_response": psm.graded_response,
    "item_functioning": lambda data: psm.item_functioning(data, _groups(data)),
    "graded_functioning": lambda data: psm.graded_functioning(data, _groups(data)),
    "unit_agreement": lambda data: psm.unit_agreement(data, _groups(data), n_categories=5),
    "retest": lambda data: psm.retest(data, GOOD[::-1].set_axis(GOOD.index)),
    "reliability": lambda data: psm.reliability(psm.cfa(MODEL, data)),
    "reliability ordinal": lambda data: psm.reliability(psm.cfa(MODEL, data, ordered=True)),
}
ONLY_ORDINAL = {
    "alpha ordinal", "omega ordinal", "efa ordinal", "retention ordinal", "polychoric", "tetrachoric",
    "graded_response", "item_functioning", "graded_functioning", "reliability ordinal",
}  # fmt: skip


def _with(column: str, values: object) -> pd.DataFrame:
    return GOOD.assign(**{column: values})


def refusal(call: Call, *data: object, **arguments: object) -> str:
    """Return the message of the package's own error, which names a place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", psm.PsmAnalysisWarning)
        with pytest.raises(psm.PsmAnalysisError) as caught:
            call(*data, **arguments)
    assert caught.value.what
    assert caught.value.where
    return str(caught.value)


def named(message: str, words: str) -> bool:
    """Tell whether a message holds one of the words, which are divided by bars."""
    return any(word in message for word in words.split("|"))


UNUSABLE = {
    "text": (_with("i2", "agree"), "numeric"),
    "infinite": (_with("i2", GOOD["i2"].replace(5, np.inf)), "infinite"),
    "item without answers": (_with("i2", np.nan), "no answers|No complete rows|0 people"),
    "same name twice": (
        GOOD.set_axis(["i1", "i1", "i3", "i4", "i5", "i6"], axis=1),
        "same name|twice|not among|2 times",
    ),
    "no rows": (GOOD.iloc[:0], "no rows|No complete rows|no answers|0 people|0 group"),
    "no columns": (GOOD[[]], "are given|not among|not in the data|share no column"),
    "no table": (np.arange(5.0), "not a table|table of|DataFrame"),
    "nothing": (None, "not a table|nothing to fit|table of"),
    "one row": (GOOD.iloc[:1], "constant|single category|omplete row|at least|1 unit|1 people|1 group|no row"),
}


@pytest.mark.parametrize("flaw", UNUSABLE)
@pytest.mark.parametrize("name", CALLS)
def test_data_that_nobody_can_use_are_refused(name: str, flaw: str) -> None:
    data, words = UNUSABLE[flaw]
    if (name, flaw) == ("describe", "one row"):
        with pytest.warns(psm.PsmAnalysisWarning, match="undefined"):
            psm.describe(data)
        return
    message = refusal(CALLS[name], data)
    assert named(message, words), message


@pytest.mark.parametrize(
    "values", [3.0, np.where(np.arange(200) % 3, 3.0, np.nan)], ids=["constant", "single category"]
)
@pytest.mark.parametrize("name", sorted(set(CALLS) - {"describe", "icc", "unit_agreement"}))
def test_constant_items_are_refused(name: str, values: object) -> None:
    message = refusal(CALLS[name], _with("i2", values))
    assert named(message, "constant|single category|same value")
    assert "i2" in message


@pytest.mark.parametrize("name", sorted(ONLY_ORDINAL))
def test_fractions_are_no_categories(name: str) -> None:
    message = refusal(CALLS[name], _with("i2", GOOD["i2"] + 0.5 * (np.arange(200) % 2)))
    assert named(message, "non-integer|fraction|decimals|more than two categories")


MATRIX = GOOD.corr()
REFUSED: dict[str, tuple[Call, tuple[object, ...], str]] = {
    "omega of two items": (psm.omega, (GOOD[["i1", "i2"]],), "loadings of two items are not identified"),
    "omega interval of two items": (CALLS["omega_interval"], (GOOD[["i1", "i2"]],), "two items are not identified"),
    "graded response of two items": (psm.graded_response, (GOOD[["i1", "i2"]],), "at least 3"),
    "factors of two items": (CALLS["efa"], (GOOD[["i1", "i2"]],), "at most 0 factors"),
    "too many factors": (psm.efa, (GOOD, 4), "6 items identify at most 3 factors"),
    "omega with too many factors": (psm.omega, (GOOD, 4), "6 items identify at most 3 factors"),
    "fewer rows than items, ml": (CALLS["efa ml"], (GOOD.iloc[:5],), "singular"),
    "fewer rows than items, mardia": (psm.mardia, (GOOD.iloc[:5],), "not enough"),
    "fewer rows than items, henze_zirkler": (psm.henze_zirkler, (GOOD.iloc[:5],), "not enough"),
    "fewer rows than items, mahalanobis": (psm.mahalanobis, (GOOD.iloc[:5],), "singular|not enough"),
    "fewer rows than items, kmo": (psm.sampling_adequacy, (GOOD.iloc[:5],), "singular"),
    "fewer rows than items, cfa": (CALLS["reliability"], (GOOD.iloc[:5],), "rows for 6 variables"),
    "fewer rows than items, bootstrap": (CALLS["htmt_interval"], (GOOD.iloc[:5],), "leave an item constant"),
    "copied item, ml": (CALLS["efa ml"], (_with("i2", GOOD["i1"]),), "singular"),
    "copied item, gls": (CALLS["efa gls"], (_with("i2", GOOD["i1"]),), "singular"),
    "copied item, kmo": (psm.sampling_adequacy, (_with("i2", GOOD["i1"]),), "singular"),
    "copied item, guttman": (psm.guttman, (_with("i2", GOOD["i1"]),), "singular"),
    "copied item, cfa": (CALLS["reliability"], (_with("i2", GOOD["i1"]),), "singular"),
    "sum of items, mardia": (psm.mardia, (_with("i2", GOOD["i1"] + GOOD["i3"]),), "singular"),
    "matrix with a hole": (CALLS["efa"], (MATRIX.mask(MATRIX.iloc[0, 3] == MATRIX),), "missing or infinite"),
    "matrix not symmetric": (CALLS["efa"], (MATRIX + np.triu(np.full((6, 6), 0.1), 1),), "not symmetric"),
    "matrix beyond 1": (CALLS["efa"], (MATRIX * 2.5 - 1.5 * np.eye(6),), "beyond 1"),
    "matrix instead of answers": (psm.alpha, (MATRIX,), "rows of answers are needed"),
    "matrix without cases": (psm.retention, (MATRIX,), "number of cases"),
    "fit instead of answers": (psm.reliability, (GOOD,), "of type DataFrame, not SemResult"),
    "no bifactor fit": (psm.bifactor_indices, (GOOD,), "of type DataFrame, not SemResult"),
    "no graded fits": (psm.link, (GOOD, GOOD), "of type DataFrame, not GradedResponseResult"),
    "no exploratory fit": (psm.loading_errors, (GOOD,), "of type DataFrame, not EfaResult"),
    "no wave": (lambda data: psm.validate_scale(data, "psm16", seed=1), (GOOD,), "not SurveyWave"),
    "model of one factor": (psm.htmt, ("a =~ i1 + i2", GOOD), "needs at least 2"),
    "model of a foreign kind": (psm.htmt, (None, GOOD), "neither text nor a mapping"),
    "group of another length": (psm.item_functioning, (GOOD, ["u", "v"]), "2 values are given for 200 rows"),
    "group as table": (psm.graded_functioning, (GOOD, GOOD[["i1"]]), "One value per row"),
    "one group": (psm.item_functioning, (GOOD, ["u"] * 200), "Compare two groups"),
    "shared answers beyond the scale": (
        lambda data: psm.unit_agreement(data, _groups(data), n_categories=3), (GOOD,), "do not fit 3 categories"
    ),
    "standard deviation below 0": (psm.standard_error_of_measurement, (-1.0, 0.5), "above 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_computed_is_said(case: str) -> None:
    call, given, words = REFUSED[case]
    message = refusal(call, *given)
    assert named(message, words), message


DOUBTFUL: dict[str, tuple[Call, pd.DataFrame, str]] = {
    "few rows, efa": (CALLS["efa"], GOOD.iloc[:5], "no more cases"),
    "few rows, omega": (CALLS["omega"], GOOD.iloc[50:55], "singular"),
    "few rows, retention": (CALLS["retention"], GOOD.iloc[:5], "no more cases"),
    "few rows, polychoric": (psm.polychoric, GOOD.iloc[:5], "not positive definite"),
    "copied item, efa": (CALLS["efa"], _with("i2", GOOD["i1"]), "singular"),
    "copied item, omega": (CALLS["omega"], _with("i2", GOOD["i1"]), "singular"),
    "copied item, alpha": (psm.alpha, _with("i2", GOOD["i1"]), "combination of others"),
    "copied item, item analysis": (psm.item_analysis, _with("i2", GOOD["i1"]), "combination of others"),
    "copied item, polychoric": (psm.polychoric, _with("i2", GOOD["i1"]), "at its bound"),
    "two items, alpha": (psm.alpha, GOOD[["i1", "i2"]], "Spearman-Brown"),
    "two items, item analysis": (psm.item_analysis, GOOD[["i1", "i2"]], "Spearman-Brown"),
    "no degrees of freedom": (lambda data: psm.efa(data, 3), GOOD, "no degrees of freedom"),
    "covariances": (CALLS["efa"], GOOD.cov(), "covariance matrix"),
    "item the other way round": (psm.alpha, _with("i2", 6 - GOOD["i2"]), "reverse="),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_doubtful_is_computed_with_a_warning_on_the_result(case: str) -> None:
    call, data, words = DOUBTFUL[case]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", psm.PsmAnalysisWarning)
        result = call(data)
    assert any(words in str(warning.message) for warning in caught)
    assert any(words in text for text in result.warnings)  # type: ignore[attr-defined]


def test_a_bootstrap_sample_without_variance_is_set_aside_and_counted() -> None:
    rare = _with("i2", np.where(np.arange(200) < 3, 1.0, 3.0))
    with pytest.warns(psm.PsmAnalysisWarning, match="of 400 bootstrap samples left an item constant"):
        found = psm.htmt_interval(MODEL, rare, n_replicates=400, seed=1)
    assert np.isfinite(found[["estimate", "ci_low", "ci_high"]].to_numpy()).all()


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("alpha", {"level": "wide"}, "between 0 and 1"),
    ("alpha", {"correlation": "pearsn"}, "Did you mean 'pearson'"),
    ("alpha", {"interval": "feld"}, "Did you mean 'feldt'"),
    ("alpha", {"interval": "bootstrap"}, "Without a seed"),
    ("alpha", {"interval": "bootstrap", "seed": -1}, "whole number of 0 or more"),
    ("alpha", {"interval": "bootstrap", "seed": 1, "n_replicates": 5}, "whole number of 100 or more"),
    ("alpha", {"reverse": ["i9"]}, "not among the columns"),
    ("alpha", {"reverse": 3}, "not a list of items"),
    ("alpha", {"response_range": (5, 1)}, "smallest and the largest"),
    ("omega", {"n_factors": -1}, "whole number of 1 or more"),
    ("omega", {"n_factors": "2"}, "whole number of 1 or more"),
    ("omega", {"correlation": "spearmann"}, "Did you mean 'spearman'"),
    ("omega_interval", {"seed": 1, "level": 1.5}, "between 0 and 1"),
    ("omega_interval", {"seed": "a"}, "whole number of 0 or more"),
    ("efa", {"n_factors": -1}, "whole number of 1 or more"),
    ("efa", {"n_factors": 1.5}, "whole number of 1 or more"),
    ("efa", {"n_factors": 2, "rotation": "oblimn"}, "Did you mean 'oblimin'"),
    ("efa", {"n_factors": 2, "extraction": "minre"}, "Did you mean 'minres'"),
    ("efa", {"n_factors": 2, "correlation": "polycoric"}, "Did you mean 'polychoric'"),
    ("efa", {"n_factors": 2, "engine": "factor_analyser"}, "Did you mean 'factor_analyzer'"),
    ("efa", {"n_factors": 2, "rotation_options": 3}, "no mapping"),
    ("efa", {"n_factors": 2, "rotation_options": {"gamm": 1}}, "Did you mean 'gam'"),
    ("efa", {"n_factors": 2, "rotation": "geominQ", "rotation_options": {"delta": -1}}, "above 0"),
    ("efa", {"n_factors": 2, "rotation": "targetQ"}, "needs a target"),
    ("efa", {"n_factors": 2, "rotation": "targetQ", "rotation_options": {"target": "x"}}, "no number"),
    ("efa", {"n_factors": 2, "rotation": "promax", "rotation_options": {"power": 0}}, "above 1"),
    ("efa", {"n_factors": 2, "n_starts": 0}, "whole number of 1 or more"),
    ("efa", {"n_factors": 2, "nobs": 100}, "follows from the data"),
    ("retention", {"max_factors": 6}, "from 1 to 5"),
    ("retention", {"max_factors": 1.5}, "from 1 to 5"),
    ("retention", {"n_iterations": 1}, "whole number of 2 or more"),
    ("retention", {"percentile": 150}, "between 0 and 100"),
    ("retention", {"simulate": "normall"}, "Did you mean 'normal'"),
    ("retention", {"seed": "a"}, "whole number of 0 or more"),
    ("polychoric", {"weights": "a"}, "not numbers"),
    ("polychoric", {"weights": [1.0, 2.0]}, "one per row"),
    ("correlations", {"method": "kendal"}, "Did you mean 'kendall'"),
    ("correlations", {"level": 0}, "between 0 and 1"),
    ("sampling_adequacy", {"missing": "listwize"}, "Did you mean 'listwise'"),
    ("describe", {"trim": 0.7}, "between 0 and 0.5"),
    ("icc", {"level": 7}, "between 0 and 1"),
    ("item_analysis", {"subscales": ["i1", "i2"]}, "no mapping"),
    ("item_analysis", {"subscales": {"a": ["i1", "i1", "i2"]}}, "named twice"),
    ("item_analysis", {"subscales": {"a": ["i1"]}}, "at least 2"),
    ("item_analysis", {"response_range": (3, 3)}, "smallest and the largest"),
    ("split_half", {"n_splits": 0}, "whole number of 1 or more"),
    ("guttman", {"seed": "a"}, "whole number of 0 or more"),
    ("graded_response", {"n_nodes": 5}, "whole number of 11 or more"),
    ("graded_response", {"max_iterations": 0}, "whole number of 1 or more"),
    ("graded_response", {"tolerance": -1}, "between 0 and 1"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), WRONG)
def test_wrong_arguments_are_named_with_what_they_can_be(name: str, arguments: dict[str, object], words: str) -> None:
    message = refusal(getattr(psm, name), GOOD, **arguments)
    assert named(message, words), message
