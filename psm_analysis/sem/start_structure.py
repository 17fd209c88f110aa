"""Starting values of what stands between factors: covariances, regressions and residual variances.

Each factor is stood for by the least-squares combination of its indicators, ``lambda'y / lambda'lambda``: uncorrelated
measurement errors leave its covariances with everything else as they are (Croon, 2002).
"""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.matrices import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Layout, Matrices, fill
from psm_analysis.sem.symmetric import least_eigenvalue

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
    cells = {code: (here, row, column) for code, here, row, column in layout.places}

    def put(code: int, matrix: Array, where: Mask) -> None:
        if code in cells:
            here, row, column = cells[code]
            chosen = changes[here] & where[row]
            found[layout.rows[here[chosen]]] = matrix[row[chosen], column[chosen]]

    explained = np.zeros(len(known), dtype=bool)
    exogenous, Psi = known.copy(), m.Psi.copy()
    if BETA in cells:
        exogenous[cells[BETA][1]] = False
        Beta = _regressed(m, phi, known, explained, cells=cells[BETA], Psi=Psi)
        put(BETA, Beta, explained)
    Psi = np.where(exogenous[:, None] & exogenous, phi, Psi)
    put(PSI, Psi, explained | exogenous)
    common = m.Lambda * ((layout.dummies < 0) & known)
    residual = cov.diagonal() - ((common @ phi) * common).sum(axis=1)
    measured = (common != 0).sum(axis=1) == 1
    put(THETA, np.diag(np.maximum(residual, LEAST * cov.diagonal())), measured)
    if mean is not None:
        _put_means(layout, found, mean, changes=changes)
    return found


def _regressed(
    m: Matrices, phi: Array, known: Mask, explained: Mask, *, cells: tuple[Index, Index, Index], Psi: Array
) -> Array:
    """Return the slopes of outcomes whose predictors are known; mark these, and set residual variances, in place."""
    _, row, column = cells
    Beta = m.Beta.copy()
    for outcome in np.unique(row):
        predictors = column[row == outcome]
        if known[outcome] and known[predictors].all():
            explained[outcome] = True
            slopes = np.linalg.solve(phi[np.ix_(predictors, predictors)], phi[predictors, outcome])
            Beta[outcome, predictors] = slopes
            left = phi[outcome, outcome] - slopes @ phi[predictors, outcome]
            Psi[outcome, outcome] = max(left, LEAST * phi[outcome, outcome])
    return Beta


def _covariances(layout: Layout, m: Matrices, cov: Array) -> tuple[Mask, Array]:
    """Return which elements of ``eta`` the sample tells something about, and their covariances, positive definite."""
    factors = layout.dummies < 0
    size = (m.Lambda**2).sum(axis=0)
    known = (~_shares(layout) & (size > 0)) | ~factors
    combine = np.where(known, m.Lambda / np.where(size > 0, size, 1.0), 0.0)
    phi = combine.T @ cov @ combine
    diagonal = np.where(factors, m.Psi.diagonal(), phi.diagonal())
    scale = np.sqrt(np.where(known & (diagonal > 0), diagonal, 1.0))
    units = np.outer(scale, scale)
    r = np.where(known[:, None] & known, phi / units, 0.0)
    np.fill_diagonal(r, 1.0)
    shrink = max(0.0, LEAST - least_eigenvalue(r))
    r = (r + shrink * np.eye(len(r))) / (1.0 + shrink)
    return known, r * units


def _shares(layout: Layout) -> Mask:
    """Return which elements of ``eta`` share an indicator with another; the layout remembers it."""
    if "shares" not in layout.memo:
        factors = layout.dummies < 0
        loads = (layout.matrix == LAMBDA) & factors[np.minimum(layout.column, len(factors) - 1)]
        row, column = layout.row[loads], layout.column[loads]
        uses = np.bincount(row, minlength=len(layout.observed))
        layout.memo["shares"] = np.bincount(column, weights=uses[row] > 1, minlength=len(factors)) > 0
    found: Mask = layout.memo["shares"]
    return found


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
