"""Starting values of what stands between factors: covariances, regressions and residual variances.

Each factor is stood for by the least-squares combination of its indicators, ``lambda'y / lambda'lambda``: uncorrelated
measurement errors leave its covariances with everything else as they are (Croon, 2002).
"""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.matrices import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Layout, Matrices, fill

LEAST = 0.1
"""Share of a variance that is left to the residual; least eigenvalue of the correlations."""


def structured_values(layout: Layout, values: Array, *, cov: Array, mean: Array | None, open_: Mask) -> Array:
    """Return starting values with those between factors taken from the sample moments.

    Only parameters marked in `open_` change. Factors that share indicators, or have none of their own, stay as they
    are, and so does what depends on them.
    """
    m = fill(layout, values)
    known, phi = _covariances(layout, m, cov)
    found, changes = values.copy(), open_[layout.rows]
    row, column = layout.row, layout.column

    def put(code: int, matrix: Array, where: Mask) -> None:
        here = np.flatnonzero((layout.matrix == code) & changes)
        here = here[where[row[here]]]
        found[layout.rows[here]] = matrix[row[here], column[here]]

    outcomes = np.unique(row[layout.matrix == BETA])
    Beta, Psi = m.Beta.copy(), m.Psi.copy()
    exogenous = known & ~np.isin(np.arange(len(known)), outcomes)
    Psi[np.ix_(exogenous, exogenous)] = phi[np.ix_(exogenous, exogenous)]
    explained = np.zeros(len(known), dtype=bool)
    for outcome in outcomes:
        predictors = column[(layout.matrix == BETA) & (row == outcome)]
        if known[outcome] and known[predictors].all():
            explained[outcome] = True
            slopes = np.linalg.solve(phi[np.ix_(predictors, predictors)], phi[predictors, outcome])
            Beta[outcome, predictors] = slopes
            left = phi[outcome, outcome] - slopes @ phi[predictors, outcome]
            Psi[outcome, outcome] = max(left, LEAST * phi[outcome, outcome])
    put(BETA, Beta, explained)
    put(PSI, Psi, explained | exogenous)
    factors = layout.dummies < 0
    common = m.Lambda[:, factors & known]
    residual = np.diagonal(cov) - np.einsum(
        "ij,jk,ik->i", common, phi[np.ix_(factors & known, factors & known)], common
    )
    measured = (common != 0).sum(axis=1) == 1
    put(THETA, np.diag(np.maximum(residual, LEAST * np.diagonal(cov))), measured)
    if mean is not None:
        _put_means(layout, found, mean, changes=changes)
    return found


def _covariances(layout: Layout, m: Matrices, cov: Array) -> tuple[Mask, Array]:
    """Return which elements of ``eta`` the sample tells something about, and their covariances, positive definite."""
    factors = layout.dummies < 0
    loads = (layout.matrix == LAMBDA) & factors[np.minimum(layout.column, len(factors) - 1)]
    uses = np.bincount(layout.row[loads], minlength=len(cov))
    shared = np.bincount(layout.column[loads], weights=uses[layout.row[loads]] > 1, minlength=len(factors)) > 0
    size = (m.Lambda**2).sum(axis=0)
    known = (~shared & (size > 0)) | ~factors
    combine = np.where(known, m.Lambda / np.where(size > 0, size, 1.0), 0.0)
    phi = combine.T @ cov @ combine
    diagonal = np.where(factors, np.diagonal(m.Psi), np.diagonal(phi))
    scale = np.sqrt(np.where(known & (diagonal > 0), diagonal, 1.0))
    r = phi / np.outer(scale, scale)
    np.fill_diagonal(r, 1.0)
    r[~known] = r[:, ~known] = 0.0
    r[~known, ~known] = 1.0
    shrink = max(0.0, LEAST - float(np.linalg.eigvalsh(r)[0]))
    r = (r + shrink * np.eye(len(r))) / (1.0 + shrink)
    return known, r * np.outer(scale, scale)


def _put_means(layout: Layout, values: Array, mean: Array, *, changes: Mask) -> None:
    """Set intercepts, in place, such that observed variables have the means of the sample."""
    m = fill(layout, values)
    observed = layout.dummies >= 0
    step = np.eye(len(observed)) - m.Beta
    target, system = m.alpha.copy(), step.copy()
    system[observed] = np.eye(len(observed))[observed]
    target[observed] = mean[layout.dummies[observed]]
    eta = np.linalg.solve(system, target)
    for code, intercepts in ((NU, mean - m.Lambda @ eta), (ALPHA, np.where(observed, step @ eta, m.alpha))):
        here: Index = np.flatnonzero((layout.matrix == code) & changes)
        values[layout.rows[here]] = intercepts[layout.row[here]]
