"""Difference tests against lavTestLRT of lavaan 0.6-14, whose optimiser stops at about 1e-5 of these statistics."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sem.models import HOLZINGER

import psm_analysis as psm

# (estimator, method, models) -> statistic, degrees of freedom. "mg": equal loadings against equal loadings and
# intercepts in two schools; "orth": correlated against orthogonal factors.
LAVAAN = {
    ("MLM", "satorra.bentler.2001", "orth"): (55.89949952, 3),
    ("MLM", "satorra.bentler.2010", "mg"): (40.25012944, 6),
    ("MLM", "satorra.bentler.2010", "orth"): (55.32559264, 3),
    ("MLM", "satorra.2000", "mg"): (38.96090569, 6),
    ("MLM", "satorra.2000", "orth"): (62.69870932, 3),
    ("MLR", "satorra.bentler.2001", "mg"): (40.83839123, 6),
    ("MLR", "satorra.bentler.2001", "orth"): (44.62495933, 3),
    ("MLR", "satorra.bentler.2010", "mg"): (34.44063321, 6),
    ("MLR", "satorra.bentler.2010", "orth"): (15.63239288, 3),
    ("MLR", "satorra.2000", "mg"): (38.39442881, 6),
    ("MLMV", "satorra.2000", "mg"): (38.96090569, 6),
    ("MLMVS", "satorra.2000", "mg"): (38.37665423, 5.84480948),
    ("MLMVS", "satorra.2000", "orth"): (61.31649721, 2.874977033),
}


def pair(data: pd.DataFrame, estimator: str, kind: str):  # type: ignore[no-untyped-def]
    if kind == "orth":
        return [psm.cfa(HOLZINGER, data, estimator=estimator, orthogonal=o) for o in (False, True)]
    steps = (["loadings"], ["loadings", "intercepts"])
    return [psm.cfa(HOLZINGER, data, estimator=estimator, group="school", group_equal=equal) for equal in steps]


@pytest.mark.parametrize(("estimator", "method", "kind"), LAVAAN, ids="-".join)
def test_scaled_differences_are_those_of_lavaan(
    holzinger: pd.DataFrame, estimator: str, method: str, kind: str
) -> None:
    found = psm.compare(*pair(holzinger, estimator, kind), method=method)  # type: ignore[arg-type]
    statistic, df = LAVAAN[estimator, method, kind]
    assert found.tests[0].statistic == pytest.approx(statistic, rel=2e-5)
    assert found.tests[0].df == pytest.approx(df, rel=1e-6)
    assert found.tests[0].p_value == pytest.approx(stats.chi2.sf(found.tests[0].statistic, df), rel=1e-4)


def test_exact_restrictions(holzinger: pd.DataFrame) -> None:
    fits = pair(holzinger, "MLM", "orth")
    found = psm.compare(*fits, method="satorra.2000", restriction="exact")
    assert found.tests[0].statistic == pytest.approx(62.74745953, rel=2e-5)


def test_difference_of_ordinal_models(golden_data) -> None:  # type: ignore[no-untyped-def]
    model = "A =~ psm1 + psm2 + psm3 + psm4\nB =~ psm5 + psm6 + psm7 + psm8"
    data = golden_data("survey.csv")
    ordered = [f"psm{i}" for i in range(1, 9)]
    free, equal = (psm.cfa(model, data, ordered=ordered, group="gender", group_equal=e) for e in ([], ["loadings"]))
    found = psm.compare(free, equal)
    assert found.method == "satorra.2000"
    assert found.tests[0].statistic == pytest.approx(3.775106827, rel=2e-5)
    exact = psm.compare(free, equal, restriction="exact")
    assert exact.tests[0].statistic == pytest.approx(3.783101033, rel=2e-5)
    assert found.measures == "scaled"


def test_plain_difference_and_order(holzinger: pd.DataFrame) -> None:
    free, equal = pair(holzinger, "ML", "mg")
    found = psm.compare(equal, free, names=["scalar", "metric"])
    frame = found.tidy()
    assert frame["model"].tolist() == ["metric", "scalar"]
    assert frame["statistic"].iloc[1] == pytest.approx(40.05928675, rel=1e-6)
    assert frame["p_value"].iloc[1] == pytest.approx(4.43456618e-07, rel=1e-5)
    for name in ("cfi", "rmsea", "srmr", "aic", "bic"):
        change = equal.fit_measures[name] - free.fit_measures[name]
        assert frame[f"delta_{name}"].iloc[1] == pytest.approx(change, abs=1e-12)
    assert math.isnan(frame["statistic"].iloc[0])
    assert "40.059" in found.summary()
    assert found.glance()["df"].iloc[0] == 6


def test_2001_follows_from_the_two_scaling_factors(holzinger: pd.DataFrame) -> None:
    free, equal = (fit.fit_measures for fit in pair(holzinger, "MLM", "mg"))
    c0, c1 = equal["chisq_scaling_factor"], free["chisq_scaling_factor"]
    expected = (equal["chisq"] - free["chisq"]) / ((60 * c0 - 54 * c1) / 6)
    found = psm.compare(*pair(holzinger, "MLM", "mg"))
    assert found.tests[0].statistic == pytest.approx(expected, rel=1e-10)


def test_refusals(holzinger: pd.DataFrame) -> None:
    free, orthogonal = pair(holzinger, "ML", "orth")
    with pytest.raises(psm.PsmAnalysisError, match="different rows"):
        psm.compare(free, psm.cfa(HOLZINGER, holzinger.iloc[:250], orthogonal=True))
    with pytest.raises(psm.PsmAnalysisError, match="different observed variables: x3"):
        psm.compare(free, psm.cfa(HOLZINGER.replace(" + x3", ""), holzinger))
    with pytest.raises(psm.PsmAnalysisError, match="different ways: ML and MLR"):
        psm.compare(free, psm.cfa(HOLZINGER, holzinger, estimator="MLR"))
    with pytest.raises(psm.PsmAnalysisError, match="24 degrees of freedom each"):
        psm.compare(free, free)
    with pytest.raises(psm.PsmAnalysisError, match="does not go with"):
        psm.compare(free, orthogonal, method="satorra.2000")
    with pytest.raises(psm.PsmAnalysisError, match="1 fits"):
        psm.compare(free)
    unlike = [psm.cfa(m, holzinger, estimator="MLM") for m in (HOLZINGER + "x1 ~~ x4", HOLZINGER + "x2 ~~ 0.1*x5")]
    with pytest.raises(psm.PsmAnalysisError, match="not nested"):
        psm.compare(*unlike, method="satorra.2000", restriction="exact")


def test_an_undefined_scaling_is_nan_and_said(holzinger: pd.DataFrame) -> None:
    free = psm.cfa(HOLZINGER, holzinger, estimator="MLR")
    found = psm.compare(free, psm.cfa(HOLZINGER, holzinger, estimator="MLR", orthogonal=True))
    assert np.isfinite(found.tests[0].statistic)
    assert found.warnings == ()
