"""Residuals: what the model leaves of the sample moments."""

from __future__ import annotations

import numpy as np

from psm_analysis._options import ResidualKind
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import Implied, directions, moment_jacobian
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.sample import GroupSample


def covariance_residuals(group: GroupSample, implied: Implied, kind: ResidualKind) -> Array:
    """Return ``S - Sigma``, or with ``kind="cor"`` the difference of the correlations (Bollen, 1989, p. 258)."""
    if kind == "raw":
        return np.asarray(group.cov - implied.Sigma)
    return np.asarray(_correlations(group.cov) - _correlations(implied.Sigma))


def _correlations(cov: Array) -> Array:
    sd = np.sqrt(np.diagonal(cov))
    return cov / np.outer(sd, sd)


def standardized_residuals(problem: Problem, x: Array, g: int, *, group: GroupSample, vcov: Array) -> Array:
    """Return residual covariances divided by their standard errors.

    Under normality ``N var(s_ij) = sigma_ii sigma_jj + sigma_ij^2``; the residual's variance is that less the part that
    the model follows, ``diag(Delta V Delta')`` (Jöreskog & Sörbom, 1981). A residual without variance is 0.
    """
    free = problem.free_layouts[g]
    implied = problem.implied(x)[g]
    selection = np.zeros((len(free.rows), problem.n_free))
    selection[np.arange(len(free.rows)), problem.position[free.rows]] = 1.0
    delta = moment_jacobian(directions(free, implied), means=False) @ selection
    explained = np.einsum("ij,jk,ik->i", delta, vcov, delta)
    column, row = np.triu_indices(len(group.cov))
    sd2 = np.diagonal(implied.Sigma)
    total = (sd2[row] * sd2[column] + implied.Sigma[row, column] ** 2) / group.nobs
    left = total - explained
    raw = (group.cov - implied.Sigma)[row, column]
    z = np.where(left > 1e-8 * total, raw / np.sqrt(np.maximum(left, 1e-300)), 0.0)
    found = np.zeros_like(group.cov)
    found[row, column] = found[column, row] = z
    return found
