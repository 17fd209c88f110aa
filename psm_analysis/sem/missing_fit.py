"""Fit of an incomplete-data solution to the moments that EM gives, for robust CFI and RMSEA under missing data.

References
----------
Zhang, X., & Savalei, V. (2023). New computations for RMSEA and CFI following FIML and TS estimation with missing data.
Psychological Methods, 28, 263-283.
"""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import Array, lower_triangle
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

    The residual moments are ``(I - P)(s - sigma)`` with ``P = Delta (Delta'W Delta)^-1 Delta'W`` and the information W
    of the incomplete rows about the EM moments s. ``N F_ML(s; sigma)`` then has the expectation
    ``tr(V (I - P) Gamma (I - P)')`` with complete-data weights V and the asymptotic covariance matrix Gamma of s, a
    sandwich for robust estimators. Moments of exogenous variables, which the model fits by parameters of their own,
    have no weight in V, whether they are fixed or not.
    """
    exogenous = [e.sample.names.index(name) for name in e.table.roles.exogenous_observed]
    chisq = total = 0.0
    A, B, C, D = (np.zeros((e.problem.n_free,) * 2) for _ in range(4))
    for g, share in enumerate(e.problem.weights):
        group, delta = e.sample.groups[g], moment_slopes(e, g)
        implied = e.problem.implied(e.solution.x)[g]
        chisq += group.mass * MaximumLikelihood.of(group.cov, group.mean).value(implied)
        V, (W, gamma) = normal_weight(group.cov, means=True), moment_precision(e, g)
        given = exogenous_moments(len(group.cov), exogenous)
        V[given] = V[:, given] = 0.0
        weighted, heavy = V @ delta, W @ delta
        total += float(np.sum(V * gamma))
        A += share * (delta.T @ heavy)
        B += share * (delta.T @ weighted)
        C += share * (weighted.T @ gamma @ heavy)
        D += share * (heavy.T @ gamma @ heavy)
    inverse = projector(e, A)
    return chisq, total - 2.0 * float(np.sum(inverse * C)) + float(np.sum((inverse @ B @ inverse) * D))


def moment_precision(e: Estimation, g: int) -> tuple[Array, Array]:
    """Return the information W of the EM moments and ``n acov(m, vech S)``.

    The moments of fixed exogenous variables are taken as known: they have neither information nor variance.
    """
    group, function = e.sample.groups[g], e.problem.discrepancies[g]
    assert isinstance(function, FullInformation)
    implied = saturated_implied(group)
    if "information" not in function.patterns.memo:
        function.patterns.memo["information"] = function.saturated_information(implied)
    W: Array = function.patterns.memo["information"]
    free = np.setdiff1d(np.arange(len(W)), exogenous_moments(len(group.cov), e.exogenous))
    inner = np.ix_(free, free)
    gamma = np.zeros_like(W)
    gamma[inner] = np.linalg.inv(W[inner])
    if e.spec.se == "robust.huber.white":
        rows = complete_rows(group, e.spec.name) - implied.mu
        scores = row_scores(saturated_directions(len(group.cov)), implied, rows, group.patterns)
        sums = aggregated(scores, group)
        gamma = gamma @ (sums.T @ sums / group.mass) @ gamma
    return W, gamma


def exogenous_moments(p: int, exogenous: list[int]) -> Array:
    """Return the places of the means and covariances of exogenous variables among all moments."""
    column, row = lower_triangle(p)
    return np.concatenate([exogenous, p + np.flatnonzero(np.isin(row, exogenous) & np.isin(column, exogenous))]).astype(
        np.intp
    )
