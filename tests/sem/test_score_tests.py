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
