"""Residuals: what the model leaves of the sample moments.

References
----------
Bollen, K. A. (1989). Structural equations with latent variables. Wiley, p. 258.
Jöreskog, K. G., & Sörbom, D. (1981). LISREL V: Analysis of linear structural relationships.
Ogasawara, H. (2001). Standard errors of fit indices using residuals in structural equation modeling. Psychometrika.
Maydeu-Olivares, A. (2017). Assessing the size of model misfit in structural equation models. Psychometrika, 82.
"""

from __future__ import annotations

import numpy as np

from psm_analysis._options import ResidualKind
from psm_analysis.sem.arrays import Array, symmetric
from psm_analysis.sem.discrepancy.fiml import FullInformation
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.gamma import normal_gamma
from psm_analysis.sem.implied import Implied, moment_vector, stacked
from psm_analysis.sem.missing_fit import moment_precision
from psm_analysis.sem.moment_maps import OrdinalMoments
from psm_analysis.sem.sample import GroupSample
from psm_analysis.sem.sandwich import group_moments, moment_slopes, moment_weights, projector, weighed

NEGLIGIBLE = 1e-8


def covariance_residuals(group: GroupSample, implied: Implied, kind: ResidualKind) -> Array:
    """Return ``S - Sigma``, or with ``kind="cor"`` the difference of the correlations (Bollen, 1989, p. 258)."""
    if kind == "raw":
        return np.asarray(group.cov - implied.Sigma)
    return np.asarray(_correlations(group.cov) - _correlations(implied.Sigma))


def _correlations(cov: Array) -> Array:
    sd = np.sqrt(np.diagonal(cov))
    return np.asarray(cov / np.outer(sd, sd))


def standardized_residuals(e: Estimation) -> list[Array]:
    """Return of each group the residuals of covariances divided by their standard errors; 0 where there is no variance.

    With the weights W, the Jacobian D of the moments and ``P = E^-1 D'W`` for ``E = D'W D`` (over all groups), the
    residual moments ``(I - D P)(s - sigma)`` have the variances of ``(I - D P) Gamma (I - D P)' / N``. Gamma, N times
    the covariance matrix of the sample moments, is that of normal theory (given exogenous variables), or with robust
    standard errors, WLS, ordinal variables or weights that of the rows; for incomplete rows s are the moments of EM.
    """
    pieces = [_pieces(e, g) for g in range(len(e.sample.groups))]
    shares = e.by_size.weights
    E = sum(share * (D.T @ WD) for share, (D, WD, _) in zip(shares, pieces, strict=True))
    M = sum(share * (WD.T @ gamma @ WD) for share, (_, WD, gamma) in zip(shares, pieces, strict=True))
    inverse = projector(e, np.asarray(E))
    spread = inverse @ M @ inverse
    found = []
    for g, (D, WD, gamma) in enumerate(pieces):
        n = e.sample.groups[g].mass
        total = np.diagonal(gamma) / n
        mixed = np.einsum("ij,ij->i", gamma @ WD @ inverse, D)
        left = total + (np.einsum("ij,ij->i", D @ spread, D) - 2.0 * mixed) / e.sample.nobs
        gap = _gap(e, g)
        safe = np.where(left > NEGLIGIBLE * total, left, np.inf)
        found.append(_square(e, g, gap / np.sqrt(safe)))
    return found


def _pieces(e: Estimation, g: int) -> tuple[Array, Array, Array]:
    """Return of one group the Jacobian D of the moments, W D with their weights W, and Gamma."""
    group, function = e.sample.groups[g], e.problem.discrepancies[g]
    if isinstance(function, FullInformation):
        W, gamma = moment_precision(e, g)
        return moment_slopes(e, g), W @ moment_slopes(e, g), gamma
    normal = e.spec.function != "WLS" and e.spec.se in ("standard", "first.order", "none")
    if group.ordinal is None and normal:
        x, S = e.exogenous, group.cov
        given = S[:, x] @ np.linalg.solve(S[np.ix_(x, x)], S[x, :])
        gamma = normal_gamma(S, means=e.means) - normal_gamma(given, means=e.means)
        return moment_slopes(e, g), weighed(moment_weights(e, g), moment_slopes(e, g)), gamma
    D, W, parts = group_moments(e, g)
    return D, weighed(W, D), np.asarray(parts.T @ parts / group.mass)


def _gap(e: Estimation, g: int) -> Array:
    implied, group, function = e.problem.implied(e.solution.x)[g], e.sample.groups[g], e.problem.discrepancies[g]
    if isinstance(function, LeastSquares):
        return np.asarray(function.s - function.moments.vector(implied))
    return stacked(group.mean if e.means else None, group.cov) - moment_vector(implied, means=e.means)


def _square(e: Estimation, g: int, z: Array) -> Array:
    """Return the part of a vector of moments that belongs to covariances as a matrix.

    Given exogenous variables, the cells of dependent with exogenous variables hold what belongs to slopes.
    """
    p, function = len(e.sample.names), e.problem.discrepancies[g]
    if isinstance(function, LeastSquares) and isinstance(function.moments, OrdinalMoments):
        return function.moments.square(z, p)
    return symmetric(z[-(p * (p + 1) // 2) :], p)
