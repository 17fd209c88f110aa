"""Moments of a population whose ordinal variables are analysed as numbers 1, 2, 3 ..."""

from __future__ import annotations

import numpy as np
from scipy import special

from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf
from psm_analysis.sem.arrays import Array
from psm_analysis.simulation.generate import Moments
from psm_analysis.simulation.population import Population


def code_moments(people: Population, g: int) -> Moments:
    """Return mean and covariance matrix of the answers of a group.

    A category is 1 plus the number of thresholds below the response, so that means and covariances are sums of normal
    probabilities: ``cov(c_i, c_j) = sum_ab [P(y_i > t_a, y_j > t_b) - P(y_i > t_a) P(y_j > t_b)]`` and
    ``cov(c_i, y_j) = sd_j r_ij sum_a phi(t_a)``.
    """
    moments = people.moments[g]
    if not people.thresholds:
        return moments
    sd, names = moments.deviations, people.names
    R = moments.cov / np.outer(sd, sd)
    cuts = {
        names.index(name): (parts[g] - moments.mean[names.index(name)]) / sd[names.index(name)]
        for name, parts in people.thresholds.items()
    }
    mean, cov = moments.mean.copy(), moments.cov.copy()
    for i, mine in cuts.items():
        mean[i] = 1.0 + special.ndtr(-mine).sum()
        for j in range(len(names)):
            if j in cuts:
                value = _between(mine, cuts[j], R[i, j]) if i != j else _within(mine)
            else:
                value = float(sd[j] * R[i, j] * np.exp(-0.5 * mine**2).sum() / np.sqrt(2.0 * np.pi))
            cov[i, j] = cov[j, i] = value
    return Moments(mean, cov)


def _between(a: Array, b: Array, r: float) -> float:
    above = bivariate_normal_cdf(-a[:, None], -b[None, :], rho=np.array(r))
    return float((above - np.outer(special.ndtr(-a), special.ndtr(-b))).sum())


def _within(a: Array) -> float:
    higher = special.ndtr(-np.maximum.outer(a, a))
    return float((higher - np.outer(special.ndtr(-a), special.ndtr(-a))).sum())
