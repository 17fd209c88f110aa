"""Bifactor indices: known populations, and the two forms of the same model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

NAMES = [f"x{i}" for i in range(1, 10)]
GROUPS = "a =~ x1 + x2 + x3; b =~ x4 + x5 + x6; c =~ x7 + x8 + x9"
GENERAL = np.array([0.7, 0.6, 0.5, 0.6, 0.7, 0.5, 0.6, 0.5, 0.7])
SPECIFIC = np.array([0.4, 0.5, 0.3, 0.5, 0.3, 0.4, 0.3, 0.5, 0.4])


def population(extra: float = 0.0) -> pd.DataFrame:
    s = np.kron(np.eye(3), np.ones((3, 1))) * SPECIFIC[:, None]
    R = np.outer(GENERAL, GENERAL) + s @ s.T
    np.fill_diagonal(R, 1.0)
    R[0, 8] = R[8, 0] = R[0, 8] + extra
    return pd.DataFrame(R, NAMES, NAMES)


def bifactor(R: pd.DataFrame, *, more: str = "") -> psm.SemResult:
    model = f"g =~ {' + '.join(NAMES)}; {GROUPS}{more}"
    return psm.cfa(model, sample_cov=R, sample_nobs=2000, std_lv=True, orthogonal=True)


def test_bifactor_population_by_hand() -> None:
    found = psm.bifactor_indices(bifactor(population()))
    total = population().to_numpy().sum()
    group_sums = SPECIFIC.reshape(3, 3).sum(axis=1)
    assert found.general == "g"
    assert found.omega_hierarchical == pytest.approx(GENERAL.sum() ** 2 / total, abs=1e-4)
    assert found.omega_total == pytest.approx((GENERAL.sum() ** 2 + (group_sums**2).sum()) / total, abs=1e-4)
    ecv = (GENERAL**2).sum() / ((GENERAL**2).sum() + (SPECIFIC**2).sum())
    assert found.explained_common_variance == pytest.approx(ecv, abs=1e-4)
    assert found.uncontaminated_correlations == pytest.approx(27 / 36)
    first = population().iloc[:3, :3].to_numpy().sum()
    assert found.groups.loc["a", "omega_hierarchical"] == pytest.approx(group_sums[0] ** 2 / first, abs=1e-4)
    odds = GENERAL**2 / (1 - GENERAL**2)
    assert found.replicability == pytest.approx(1 / (1 + 1 / odds.sum()), abs=1e-4)


def test_a_residual_covariance_adds_to_the_total() -> None:
    found = psm.bifactor_indices(bifactor(population(0.1), more="; x1 ~~ x9"))
    assert found.omega_hierarchical == pytest.approx(GENERAL.sum() ** 2 / population(0.1).to_numpy().sum(), abs=1e-4)


def test_second_order_agrees_with_reliability() -> None:
    L = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6]]))
    phi = np.outer([0.9, 0.7, 0.5], [0.9, 0.7, 0.5])
    np.fill_diagonal(phi, 1.0)
    R = L @ phi @ L.T
    np.fill_diagonal(R, 1.0)
    frame = pd.DataFrame(R, NAMES, NAMES)
    fit = psm.cfa(f"{GROUPS}; g =~ a + b + c", sample_cov=frame, sample_nobs=500)
    found = psm.bifactor_indices(fit)
    assert found.omega_hierarchical == pytest.approx(psm.reliability(fit).loc["g", "omega"], abs=1e-5)
    assert found.loadings.loc["x1", "general"] == pytest.approx(0.72, abs=1e-4)
    assert found.loadings.loc["x1", "a"] == pytest.approx(0.8 * np.sqrt(1 - 0.81), abs=1e-4)
    assert found.glance().loc[0, "n_groups"] == 3
    assert "BifactorIndices" in found.summary()


def test_models_without_a_general_factor_are_refused() -> None:
    with pytest.raises(psm.PsmAnalysisError, match="no general factor"):
        psm.bifactor_indices(psm.cfa(GROUPS, sample_cov=population(), sample_nobs=500))
