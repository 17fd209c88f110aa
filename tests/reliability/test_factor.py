"""Reliability of factors: semTools' figures for the survey data, and what the definitions say of special models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

MODEL = """
aps =~ psm1 + psm2 + psm3 + psm4
cpv =~ psm5 + psm6 + psm7 + psm8
com =~ psm9 + psm10 + psm11 + psm12
ss =~ psm13 + psm14 + psm15 + psm16
"""
# semTools 0.5-9.901, compRelSEM and AVE with their defaults, on lavaan 0.7-2.3170.
SEMTOOLS = pd.DataFrame(
    {
        "alpha": [0.74539159737, 0.74338215003, 0.74115542702, 0.7569452119],
        "omega": [0.7494620217, 0.74528539508, 0.74618362805, 0.76200418321],
        "ave": [0.42907557078, 0.42671744183, 0.42460177673, 0.44930384083],
    },
    index=["aps", "cpv", "com", "ss"],
)
# The same with ordered = all items, estimator WLSMV.
CATEGORICAL = pd.DataFrame(
    {
        "omega": [0.74968187356, 0.7414320424, 0.74942865681, 0.76390177846],
        "ave": [0.48221442294, 0.47331688603, 0.49053210619, 0.49933768187],
    },
    index=["aps", "cpv", "com", "ss"],
)
ITEMS = [f"psm{i}" for i in range(1, 17)]
GOLDEN = Callable[[str], pd.DataFrame]


def moments(loadings: list[float], *, extra: float = 0.0) -> pd.DataFrame:
    """Return the correlations of items of one factor, those of the first two raised by `extra`."""
    names = [f"x{i}" for i in range(1, len(loadings) + 1)]
    r = np.outer(loadings, loadings)
    np.fill_diagonal(r, 1.0)
    r[0, 1] = r[1, 0] = r[0, 1] + extra
    return pd.DataFrame(r, names, names)


@pytest.fixture(scope="module")
def survey(golden_data: GOLDEN) -> pd.DataFrame:
    return golden_data("survey.csv")


def test_semtools(survey: pd.DataFrame) -> None:
    found = psm.reliability(psm.cfa(MODEL, survey))
    assert found.index.name == "factor"
    pd.testing.assert_frame_equal(found, SEMTOOLS, check_names=False, rtol=2e-6)


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_semtools_for_ordinal_items(survey: pd.DataFrame, parameterization: str) -> None:
    fit = psm.cfa(MODEL, survey, ordered=ITEMS, parameterization=parameterization)  # type: ignore[arg-type]
    found = psm.reliability(fit)
    pd.testing.assert_frame_equal(found[["omega", "ave"]], CATEGORICAL, check_names=False, rtol=1e-5)
    assert found["alpha"].to_numpy() == pytest.approx(SEMTOOLS["alpha"].to_numpy(), abs=0.003)


def test_ordinal_groups_of_equal_thresholds_have_their_own_omega(survey: pd.DataFrame) -> None:
    model = "aps =~ psm1 + psm2 + psm3 + psm4"
    equal = ["thresholds", "loadings"]
    fit = psm.cfa(model, survey, ordered=ITEMS[:4], group="gender", group_equal=equal)
    assert psm.reliability(fit)["omega"].between(0.70, 0.80).all()


def test_a_perfect_one_factor_model_has_omega_by_hand() -> None:
    loadings = [0.8, 0.7, 0.6, 0.5]
    found = psm.reliability(psm.cfa("f =~ x1 + x2 + x3 + x4", sample_cov=moments(loadings), sample_nobs=300)).loc["f"]
    total = sum(loadings) ** 2
    assert found["omega"] == pytest.approx(total / (total + sum(1 - x**2 for x in loadings)), abs=1e-6)
    assert found["ave"] == pytest.approx(np.mean(np.square(loadings)), abs=1e-6)
    assert found["alpha"] < found["omega"]


def test_a_residual_covariance_counts_in_the_variance_but_not_for_the_factor() -> None:
    loadings = [0.8, 0.7, 0.6, 0.5]
    fit = psm.cfa("f =~ x1 + x2 + x3 + x4; x1 ~~ x2", sample_cov=moments(loadings, extra=0.1), sample_nobs=300)
    total = sum(loadings) ** 2
    expected = total / (total + sum(1 - x**2 for x in loadings) + 0.2)
    assert psm.reliability(fit, observed_variance=False).loc["f", "omega"] == pytest.approx(expected, abs=1e-5)


def test_second_order_is_the_schmid_leiman_bifactor(survey: pd.DataFrame) -> None:
    fit = psm.cfa(MODEL + "psm =~ aps + cpv + com + ss", survey)
    std = fit.tidy()
    direct = std[(std["op"] == "=~") & (std["lhs"] != "psm")].set_index("rhs")
    higher = std[(std["op"] == "=~") & (std["lhs"] == "psm")].set_index("rhs")["std_all"]
    spread = np.sqrt(np.diagonal(fit.implied()["cov"]))
    general = (direct["std_all"] * higher.loc[direct["lhs"]].to_numpy()).to_numpy() * spread
    expected = general.sum() ** 2 / fit.implied()["cov"].to_numpy().sum()
    found = psm.reliability(fit, observed_variance=False)
    assert found.index.tolist() == ["aps", "cpv", "com", "ss", "psm"]
    assert found.loc["psm", "omega"] == pytest.approx(expected, rel=1e-9)
    assert found.loc["psm", "omega"] < found.loc["psm", "alpha"]


def test_paths_between_factors_are_not_loadings(survey: pd.DataFrame) -> None:
    model = MODEL.replace("com =~", "ss ~ aps\ncom =~")
    found = psm.reliability(psm.sem(model, survey))
    assert (found["omega"] > 0.7).all()
    assert found.loc["aps", "alpha"] == pytest.approx(SEMTOOLS.loc["aps", "alpha"], rel=1e-9)


def test_groups_are_in_the_index(survey: pd.DataFrame) -> None:
    found = psm.reliability(psm.cfa("aps =~ psm1 + psm2 + psm3 + psm4", survey, group="gender"))
    assert found.index.names == ["group", "factor"]
    assert len(found) == survey["gender"].nunique()


def test_one_item_has_no_alpha_and_says_so() -> None:
    model = "f =~ x1 + x2 + x3; g =~ x4; x4 ~~ 0*x4"
    fit = psm.cfa(model, sample_cov=moments([0.8, 0.7, 0.6, 0.5]), sample_nobs=300)
    with pytest.warns(psm.PsmAnalysisWarning, match="'g' has one item"):
        found = psm.reliability(fit)
    assert np.isnan(found.loc["g", "alpha"])
    assert found.loc["g", "omega"] == pytest.approx(1.0)


def test_a_model_without_factors_is_refused(survey: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="no factor"):
        psm.reliability(psm.sem("psm1 ~ psm2", survey))
