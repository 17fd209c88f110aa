"""Score tests of equality constraints against lavTestScore of lavaan 0.6-14, and against models fitted without them."""

from __future__ import annotations

import pandas as pd
import pytest
from sem.models import HOLZINGER

import psm_analysis as psm

LAVAAN = [0.306, 1.636, 2.744, 2.627, 0.027, 0.004, 5.847, 6.863, 19.193, 2.139, 1.563, 0.032, 15.021, 4.710, 1.498]


def test_univariate_and_total_tests_are_those_of_lavaan(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa(HOLZINGER, holzinger, group="school", group_equal=["loadings", "intercepts"])
    found = psm.score_tests(fit)
    assert found.tidy()["statistic"].tolist() == pytest.approx(LAVAAN, abs=6e-4)
    assert found.statistic == pytest.approx(46.956, abs=6e-4)
    # lavaan counts 15 constraints; three of them only fix the latent means that equal intercepts have freed.
    assert found.df == 12


def test_a_small_violation_gives_the_chi_square_of_the_released_model() -> None:
    import numpy as np

    rng = np.random.default_rng(2)
    f = rng.normal(size=(4000, 1))
    rows = pd.DataFrame(f * [1, 0.8, 0.8, 0.75] + rng.normal(size=(4000, 4)) * 0.7, columns=["a", "b", "c", "d"])
    equal = psm.cfa("f =~ a + k*b + k*c + k*d", rows)
    tests = psm.score_tests(equal).tidy().set_index("rhs")
    released = psm.cfa("f =~ a + k*b + k*c + d", rows)
    change = equal.fit_measures["chisq"] - released.fit_measures["chisq"]
    assert tests.loc["d", "statistic"] == pytest.approx(change, rel=0.03)


def test_without_equalities_there_is_nothing_to_test(holzinger: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="No parameters of the fit are equal"):
        psm.score_tests(psm.cfa(HOLZINGER, holzinger))


def test_constraints_are_released_one_by_one_as_lavaan_does(holzinger: pd.DataFrame) -> None:
    model = "v =~ x1 + p*x2 + q*x3\nt =~ x4 + r*x5 + r*x6\np + q == 2*r"
    found = psm.score_tests(psm.cfa(model, holzinger))
    assert found.tidy()[["lhs", "op", "rhs"]].values.tolist() == [["t", "=~", "x6"], ["p+q", "==", "2*r"]]
    assert found.tidy()["statistic"].tolist() == pytest.approx([5.626914350, 4.766179756], rel=5e-6)
    assert (found.statistic, found.df) == (pytest.approx(13.49117895, rel=5e-6), 2)
    nonlinear = psm.score_tests(psm.cfa(f"{model}\np*q == 0.5", holzinger))
    # lavaan stops where nonlinear constraints hold to four digits; the first test, of .1065, feels it more.
    assert nonlinear.tidy()["statistic"].tolist()[1:] == pytest.approx([45.0840652421, 33.0037477812], rel=1e-4)
    assert nonlinear.statistic == pytest.approx(52.87060623, rel=1e-4)
