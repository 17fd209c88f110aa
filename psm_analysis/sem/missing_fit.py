"""Fit of an incomplete-data solution to the moments that EM gives, for robust CFI and RMSEA under missing data.

References
----------
Zhang, X., & Savalei, V. (2023). New computations for RMSEA and CFI following FIML and TS estimation with missing data.
Psychological Methods, 28, 263-283.
"""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.casewise import row_scores
from psm_analysis.sem.design import aggregated
from psm_analysis.sem.discrepancy.fiml import FullInformation
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.estimate import Estimation, complete_rows
from psm_analysis.sem.gamma import normal_weight
from psm_analysis.sem.sandwich import moment_slopes, projector
from psm_analysis.sem.saturated import saturated_directions, saturated_implied


def complete_data_fit(e: Estimation) -> tuple[float, float]:
    """Return the complete-data chi-square at the EM moments, and what is taken from it in the place of df.

    ``N F_ML(m, S; mu, Sigma)`` and ``tr(U Gamma)`` with complete-data weights at the EM moments and the asymptotic
    covariance matrix of those moments, a sandwich for robust estimators.
    """
    chisq = first = 0.0
    A, B = np.zeros((e.problem.n_free,) * 2), np.zeros((e.problem.n_free,) * 2)
    for g, share in enumerate(e.problem.weights):
        group, delta = e.sample.groups[g], moment_slopes(e, g)
        implied = e.problem.implied(e.solution.x)[g]
        chisq += group.nobs * MaximumLikelihood.of(group.cov, group.mean).value(implied)
        V, gamma = normal_weight(group.cov, means=True), _gamma(e, g)
        weighted = V @ delta
        first += float(np.sum(V * gamma))
        A += share * (delta.T @ weighted)
        B += share * (weighted.T @ gamma @ weighted)
    return chisq, first - float(np.sum(projector(e, A) * B))


def _gamma(e: Estimation, g: int) -> Array:
    """Return ``n acov(m, vech S)`` of the EM moments, given those of fixed exogenous variables."""
    group, function = e.sample.groups[g], e.problem.discrepancies[g]
    assert isinstance(function, FullInformation)
    implied = saturated_implied(group)
    gamma = np.linalg.inv(function.saturated_information(implied))
    if e.spec.se == "robust.huber.white":
        rows = complete_rows(group, e.spec.name) - implied.mu
        scores = row_scores(saturated_directions(len(group.cov)), implied, rows, group.patterns)
        sums = aggregated(scores, group)
        gamma = gamma @ (sums.T @ sums / group.nobs) @ gamma
    if not e.exogenous:
        return np.asarray(gamma)
    x = exogenous_moments(len(group.cov), e.exogenous)
    return np.asarray(gamma - gamma[:, x] @ np.linalg.solve(gamma[np.ix_(x, x)], gamma[x]))


def exogenous_moments(p: int, exogenous: list[int]) -> Array:
    """Return the places of the means and covariances of exogenous variables among all moments."""
    column, row = np.triu_indices(p)
    return np.concatenate([exogenous, p + np.flatnonzero(np.isin(row, exogenous) & np.isin(column, exogenous))]).astype(
        np.intp
    )
