"""Factor scores for the rows of the fit, or for new rows.

References
----------
Thurstone, L. L. (1935). The vectors of mind (regression scores).
Bartlett, M. S. (1937). The statistical conception of mental factors. British Journal of Psychology, 28, 97-104.
"""

from __future__ import annotations

import numpy as np

from psm_analysis._equal_rows import equal_rows
from psm_analysis._options import ScoreMethod
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.implied import Implied
from psm_analysis.sem.matrices import Layout


def score_rows(
    rows: Array,
    layout: Layout,
    *,
    implied: Implied,
    latent: tuple[str, ...],
    indicators: tuple[str, ...],
    method: ScoreMethod,
) -> tuple[Array, Array]:
    """Return the scores of rows and their standard errors, each ``(n, factors)``, by what each row has answered.

    The standard error is that of ``eta`` about its score: ``var(Wy - eta) = W Sigma W' - W D - D'W' + cov(eta)``.
    """
    present = ~np.isnan(rows)
    first, kind = equal_rows(present.T)
    order, ends = np.argsort(kind, kind="stable"), np.cumsum(np.bincount(kind))
    scores, errors = np.empty((2, len(rows), len(latent)))
    D, C = implied.D[:, : len(latent)], implied.C[: len(latent), : len(latent)]
    for observed, mine in zip(present[first], np.split(order, ends[:-1]), strict=True):
        W, constant = score_weights(
            layout, implied, latent=latent, indicators=indicators, method=method, observed=observed
        )
        scores[mine] = np.where(observed, rows[mine], 0.0) @ W.T + constant
        variance = np.diagonal(W @ implied.Sigma @ W.T - 2.0 * W @ D + C)
        errors[mine] = np.sqrt(np.maximum(variance, 0.0))
    return scores, errors


def score_weights(
    layout: Layout,
    implied: Implied,
    *,
    latent: tuple[str, ...],
    indicators: tuple[str, ...],
    method: ScoreMethod,
    observed: Mask,
) -> tuple[Array, Array]:
    """Return ``(W, c)`` so that the scores of a row ``y`` are ``W y + c``; W has the shape (factors, variables).

    Regression: ``E(eta) + cov(eta, y) Sigma^-1 (y - mu)``. Bartlett: ``(L' T^-1 L)^-1 L' T^-1 (y - nu)`` with the
    loadings L and residual covariances T of the measurement model, given the observed predictors of indicators. Both
    use the observed variables only; the columns of the others are 0.
    """
    n = len(latent)
    if method == "bartlett":
        return _bartlett(layout, implied, n, measured=np.isin(layout.observed, indicators), observed=observed)
    W = np.zeros((n, len(observed)))
    W[:, observed] = np.linalg.solve(implied.Sigma[np.ix_(observed, observed)], implied.D[observed, :n]).T
    return W, implied.eta_mean[:n] - W @ implied.mu


def _bartlett(layout: Layout, implied: Implied, n: int, *, measured: Mask, observed: Mask) -> tuple[Array, Array]:
    m = implied.matrices
    loadings, residual, intercept = m.Lambda[:, :n].copy(), m.Theta.copy(), m.nu.copy()
    direct = np.eye(len(layout.observed))
    dummies = np.flatnonzero(layout.dummies >= 0)
    at = layout.dummies[dummies]
    loadings[at] = m.Beta[dummies][:, :n]
    residual[np.ix_(at, at)] = m.Psi[np.ix_(dummies, dummies)]
    intercept[at] = m.alpha[dummies]
    direct[np.ix_(at, at)] -= m.Beta[np.ix_(dummies, dummies)]
    used = measured & ~((direct != 0) & ~observed).any(axis=1)
    L, T = loadings[used], residual[np.ix_(used, used)]
    weighted = L.T @ np.linalg.pinv(T, hermitian=True)
    W = np.linalg.pinv(weighted @ L) @ weighted
    return W @ direct[used], -W @ intercept[used]
