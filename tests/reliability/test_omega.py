"""Omega: population values, keying, groups and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, ModelError, OptionError, PsmAnalysisWarning


def bifactor(n: int, *, general: float = 0.6, group: float = 0.4, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g, s = rng.standard_normal((n, 1)), np.repeat(rng.standard_normal((n, 3)), 4, axis=1)
    unique = np.sqrt(1 - general**2 - group**2)
    x = general * g + group * s + unique * rng.standard_normal((n, 12))
    return pd.DataFrame(x, columns=[f"项{j + 1}" for j in range(12)])


def test_population_values_are_recovered() -> None:
    result = psm.omega(bifactor(20_000), 3)
    general, groups = (12 * 0.6) ** 2, 3 * (4 * 0.4) ** 2
    total = general + groups + 12 * (1 - 0.36 - 0.16)
    assert result.omega_hierarchical == pytest.approx(general / total, abs=0.01)
    assert result.omega_total == pytest.approx((general + groups) / total, abs=0.01)
    assert result.explained_common_variance == pytest.approx(0.36 / 0.52, abs=0.02)
    assert result.omega_limit == pytest.approx(result.omega_hierarchical / result.omega_total)
    assert [len(items.split(", ")) for items in result.groups["items"]] == [4, 4, 4]
    assert (result.groups["total"] > result.groups["general"]).all()


def test_one_factor_makes_the_two_coefficients_equal() -> None:
    result = psm.omega(bifactor(2_000, group=0.0), 1)
    assert result.omega_total == pytest.approx(result.omega_hierarchical, abs=1e-3)
    assert result.explained_common_variance == pytest.approx(1.0)
    assert result.groups.empty


def test_reversal_is_asked_for_never_guessed() -> None:
    frame = bifactor(2_000).clip(-3, 3)
    turned = frame.assign(项2=-frame["项2"])
    with pytest.warns(PsmAnalysisWarning, match="项2"):
        wrong = psm.omega(turned, 3)
    right = psm.omega(turned, 3, reverse=["项2"], response_range=(-3, 3))
    assert right.omega_total == pytest.approx(psm.omega(frame, 3).omega_total, abs=1e-9)
    assert wrong.omega_total < right.omega_total
    assert right.reversed == ("项2",)


def test_polychoric_omega_exceeds_that_of_coarse_answers() -> None:
    coarse = bifactor(1_500).apply(lambda x: np.digitize(x, [-0.5, 0.8]))
    assert psm.omega(coarse, 3, correlation="polychoric").omega_total > psm.omega(coarse, 3).omega_total


def test_bad_input() -> None:
    frame = bifactor(100)
    with pytest.raises(DataError, match="at least 3 items"):
        psm.omega(frame.iloc[:, :2], 1)
    with pytest.raises(OptionError, match="1 or more"):
        psm.omega(frame, 0)
    with pytest.raises(ModelError):
        psm.omega(frame.iloc[:, :4], 3)
    with pytest.raises(DataError, match="constant"):
        psm.omega(frame.assign(项1=1), 3)
