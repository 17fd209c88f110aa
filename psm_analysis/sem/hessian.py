"""Second derivatives of the implied moments, contracted with the slopes of a discrepancy.

The vectors ``u, v, m`` of the first derivatives are columns of ``L`` and ``D`` and entries of ``A alpha``, whose own
derivatives are again such columns times entries of ``A`` and ``C``; so the matrix is made of elementwise products.
"""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import Directions, Implied
from psm_analysis.sem.matrices import ALPHA, BETA, LAMBDA, PSI, Layout


def curvature(layout: Layout, implied: Implied, d: Directions, *, G: Array, g: Array) -> Array:
    """Return ``tr(G d2Sigma_kl) + g' d2mu_kl`` for all pairs of parameters of a layout, shape ``(q, q)``."""
    if not layout.eta:
        return np.zeros((len(layout.rows), len(layout.rows)))
    found = _sigma(layout, implied, d, G)
    return found + _mu(layout, implied, d, g) if g.any() else found


def _kinds(layout: Layout) -> tuple[Array, Array, Array]:
    """Return 0/1 vectors: is in Lambda or Beta; is in Beta; is in Psi."""
    code = layout.matrix
    beta = (code == BETA).astype(float)
    return beta + (code == LAMBDA), beta, (code == PSI).astype(float)


def _sigma(layout: Layout, implied: Implied, d: Directions, G: Array) -> Array:
    loading, beta, psi = _kinds(layout)
    row, column = np.minimum(layout.row, len(layout.eta) - 1), np.minimum(layout.column, len(layout.eta) - 1)
    has_row = beta + psi * np.where(layout.row == layout.column, 0.5, 1.0)
    UGU, UGV = d.U.T @ G @ d.U, d.U.T @ G @ d.V
    by_row, by_column = implied.A[column[:, None], row], implied.A[column[:, None], column]
    shared = 0.5 * loading * implied.C[column[:, None], column]
    half = loading[:, None] * (has_row * by_row * UGV + (psi * by_column + shared) * UGU)
    return np.asarray(2.0 * (half + half.T))


def _mu(layout: Layout, implied: Implied, d: Directions, g: Array) -> Array:
    loading, beta, _ = _kinds(layout)
    alpha = (layout.matrix == ALPHA).astype(float)
    m = len(layout.eta)
    row, column = np.minimum(layout.row, m - 1), np.minimum(layout.column, m - 1)
    A, eta = implied.A, implied.eta_mean
    gU = g @ d.U
    eta_slope = A[column[:, None], row] * (beta * eta[column] + alpha)
    found = np.outer(loading * gU, np.ones(len(row))) * eta_slope
    shift = (beta * eta[column] + alpha)[:, None] * A[column[:, None], row].T
    found += shift * (loading * gU)[None, :]
    return np.asarray(found)
