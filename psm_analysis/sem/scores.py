"""Factor scores for the rows of the fit, or for new rows.

References
----------
Thurstone, L. L. (1935). The vectors of mind (regression scores).
Bartlett, M. S. (1937). The statistical conception of mental factors. British Journal of Psychology, 28, 97-104.
"""

from __future__ import annotations

import numpy as np

from psm_analysis._options import ScoreMethod
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.implied import Implied
from psm_analysis.sem.matrices import Layout


def score_weights(
    layout: Layout, implied: Implied, *, latent: tuple[str, ...], indicators: tuple[str, ...], method: ScoreMethod
) -> tuple[Array, Array]:
    """Return ``(W, c)`` so that the scores of a row ``y`` are ``W y + c``; W has the shape (factors, observed).

    Regression: ``E(eta) + cov(eta, y) Sigma^-1 (y - mu)``. Bartlett: ``(L' T^-1 L)^-1 L' T^-1 (y - nu)`` with the
    loadings L and residual covariances T of the measurement model, given the observed predictors of indicators.
    """
    n = len(latent)
    if method == "regression":
        W = np.linalg.solve(implied.Sigma, implied.D[:, :n]).T
        return W, implied.eta_mean[:n] - W @ implied.mu
    return _bartlett(layout, implied, n, measured=np.isin(layout.observed, indicators))


def _bartlett(layout: Layout, implied: Implied, n: int, *, measured: Mask) -> tuple[Array, Array]:
    m = implied.matrices
    loadings, residual, intercept = m.Lambda[:, :n].copy(), m.Theta.copy(), m.nu.copy()
    direct = np.eye(len(layout.observed))
    dummies = np.flatnonzero(layout.dummies >= 0)
    at = layout.dummies[dummies]
    loadings[at] = m.Beta[dummies][:, :n]
    residual[np.ix_(at, at)] = m.Psi[np.ix_(dummies, dummies)]
    intercept[at] = m.alpha[dummies]
    direct[np.ix_(at, at)] -= m.Beta[np.ix_(dummies, dummies)]
    L, T = loadings[measured], residual[np.ix_(measured, measured)]
    weighted = L.T @ np.linalg.pinv(T, hermitian=True)
    W = np.linalg.pinv(weighted @ L) @ weighted
    return W @ direct[measured], -W @ intercept[measured]
