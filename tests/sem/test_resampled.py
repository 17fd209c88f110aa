"""Bootstrap standard errors and the Bollen-Stine test as options of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import OptionError
from psm_analysis.sem.bootstrap_resample import resample_indices

MODEL = "f =~ x4 + x5 + a*x6 + x1\nlong := a^2"


@pytest.fixture(scope="module")
def fitted(holzinger: pd.DataFrame) -> psm.SemResult:
    return psm.cfa(MODEL, holzinger, se="bootstrap", n_bootstrap=50, bootstrap_seed=7)


def test_errors_and_intervals_are_those_of_refits_to_the_drawn_rows(
    holzinger: pd.DataFrame, fitted: psm.SemResult
) -> None:
    drawn = next(resample_indices([len(holzinger)], 50, seed=7))[0]
    refits = np.array([psm.cfa(MODEL, holzinger.iloc[rows], se="none").tidy()["estimate"] for rows in drawn])
    frame = fitted.tidy()
    assert frame["std_error"].to_numpy() == pytest.approx(refits.std(axis=0, ddof=1), abs=1e-6)
    places = np.array([0.025, 0.975]) * 51 - 1
    ordered = np.sort(refits, axis=0)
    low = ordered[0] + (places[0] - 0) * (ordered[1] - ordered[0])
    assert frame["ci_low"].to_numpy() == pytest.approx(low, abs=1e-6)
    assert (frame["ci_high"] >= frame["estimate"]).all()


def test_the_estimates_and_the_fit_are_those_without_a_bootstrap(
    holzinger: pd.DataFrame, fitted: psm.SemResult
) -> None:
    plain = psm.cfa(MODEL, holzinger)
    assert fitted.tidy()["estimate"].equals(plain.tidy()["estimate"])
    assert dict(fitted.fit_measures) == dict(plain.fit_measures)
    assert fitted.tidy()["p_value"].iloc[1] != plain.tidy()["p_value"].iloc[1]


def test_the_covariance_matrix_is_that_of_the_replicates(fitted: psm.SemResult) -> None:
    frame = fitted.tidy()
    free = frame[(frame["std_error"] > 0) & (frame["op"] != ":=")]
    assert np.sqrt(np.diagonal(fitted.vcov)) == pytest.approx(free["std_error"].to_numpy())
    a = float(frame.loc[frame["label"] == "a", "estimate"].iloc[0])
    error = float(frame.loc[frame["label"] == "a", "std_error"].iloc[0])
    test = psm.wald_test(fitted, "a == 1")
    assert test.statistic == pytest.approx(((a - 1.0) / error) ** 2)


def test_the_level_of_the_percentiles(fitted: psm.SemResult) -> None:
    wide, narrow = fitted.tidy(level=0.95), fitted.tidy(level=0.5)
    assert narrow["ci_low"].iloc[1] > wide["ci_low"].iloc[1]
    assert "bootstrap, 50 of 50 replicates, seed 7" in fitted.summary()


def test_the_same_seed_gives_the_same_numbers(holzinger: pd.DataFrame, fitted: psm.SemResult) -> None:
    again = psm.cfa(MODEL, holzinger, se="bootstrap", n_bootstrap=50, bootstrap_seed=7)
    other = psm.cfa(MODEL, holzinger, se="bootstrap", n_bootstrap=50)
    pd.testing.assert_frame_equal(again.tidy(), fitted.tidy())
    assert not other.tidy()["std_error"].equals(fitted.tidy()["std_error"])


def test_bollen_and_stine(holzinger: pd.DataFrame) -> None:
    wrong = psm.cfa("f =~ x1 + x2 + x4 + x5", holzinger, test="bollen.stine", n_bootstrap=100)
    assert wrong.fit_measures["pvalue_bollen_stine"] < 0.05
    rng = np.random.default_rng(3)
    y = rng.normal(size=(200, 1)) + rng.normal(size=(200, 4))
    data = pd.DataFrame(y, columns=list("abcd"))
    right = psm.cfa("f =~ a + b + c + d", data, test="bollen.stine", n_bootstrap=200)
    expected = right.fit_measures["pvalue"]
    assert right.fit_measures["pvalue_bollen_stine"] == pytest.approx(expected, abs=0.1)
    assert "Bollen-Stine" in right.summary()


def test_incomplete_and_ordinal_rows_are_drawn_too(holzinger: pd.DataFrame) -> None:
    holes = holzinger.astype({"x2": float})
    holes.loc[::7, "x2"] = np.nan
    fit = psm.cfa(
        "f =~ x1 + x2 + x3 + x4", holes, missing="fiml", se="bootstrap", n_bootstrap=8, information="expected"
    )
    assert (fit.tidy().query("op == '=~'")["std_error"].iloc[1:] > 0).all()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"se": "bootstrap", "sampling_weights": "ageyr"}, "not available with sampling_weights"),
        ({"se": "bootstrap", "cluster": "school"}, "not available with cluster"),
        ({"se": "bootstrap", "engine": "semopy"}, "not available with engine='semopy'"),
        ({"test": "bollen.stine", "missing": "fiml"}, "not available with missing='fiml'"),
        ({"test": "bollen.stine", "ordered": ["x1"]}, "not available with ordered"),
        ({"n_bootstrap": 500}, "no bootstrap"),
        ({"se": "bootstrap", "n_bootstrap": 1}, "n_bootstrap=1 is not a whole number"),
        ({"se": "bootstrap", "bootstrap_seed": 1.5}, "bootstrap_seed=1.5 is not a whole number"),
        ({"se": "boot"}, "se='boot' is not known"),
    ],
)
def test_what_is_refused(holzinger: pd.DataFrame, options: dict[str, Any], what: str) -> None:
    with pytest.raises(OptionError) as caught:
        psm.cfa("f =~ x1 + x2 + x3", holzinger, **options)
    assert what in str(caught.value)


def test_moments_exploratory_blocks_and_two_levels_are_refused(holzinger: pd.DataFrame) -> None:
    S = holzinger[["x1", "x2", "x3"]].cov()
    with pytest.raises(OptionError, match="sample_cov"):
        psm.cfa("f =~ x1 + x2 + x3", sample_cov=S, sample_nobs=301, se="bootstrap")
    with pytest.raises(OptionError, match="efa"):
        psm.cfa('efa("b")*f + efa("b")*g =~ x1 + x2 + x3 + x4 + x5 + x6', holzinger, se="bootstrap")
    with pytest.raises(OptionError, match="two-level"):
        psm.cfa("level: 1\nf =~ x1 + x2 + x3\nlevel: 2\ng =~ x1 + x2 + x3", holzinger, cluster="school", se="bootstrap")


def test_the_invariance_ladder_refuses_it(holzinger: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="not bootstrapped"):
        psm.invariance("f =~ x1 + x2 + x3 + x4", holzinger, group="school", se="bootstrap")
