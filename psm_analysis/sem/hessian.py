"""Second derivatives of the implied moments, contracted with the slopes of a discrepancy.

The vectors ``u, v, m`` of the first derivatives are columns of ``L`` and ``D`` and entries of ``A alpha``, whose own
derivatives are again such columns times entries of ``A`` and ``C``; so the matrix is made of elementwise products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.implied import Directions, Implied
from psm_analysis.sem.matrices import ALPHA, BETA, LAMBDA, PSI, Layout


def curvature(layout: Layout, implied: Implied, d: Directions, *, G: Array, g: Array) -> Array:
    """Return ``tr(G d2Sigma_kl) + g' d2mu_kl`` for all pairs of parameters of a layout, shape ``(q, q)``."""
    if not layout.eta:
        return np.zeros((len(layout.rows), len(layout.rows)))
    found = _sigma(layout, implied, d, G)
    return found + _mu(layout, implied, d, g) if g.any() else found


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What the parameters of a layout are, as 0/1 vectors, and their rows and columns as places in ``eta``.

    ``loading``: in Lambda or Beta; ``half_row``: in Beta, or (1/2 for variances) in Psi.
    """

    loading: Array
    beta: Array
    psi: Array
    alpha: Array
    half_row: Array
    row: Index
    column: Index


def _kinds(layout: Layout) -> _Kinds:
    """Return the kinds of the parameters; the layout remembers them."""
    if "kinds" not in layout.memo:
        lambda_, beta, psi, alpha = (1.0 * (layout.matrix == code) for code in (LAMBDA, BETA, PSI, ALPHA))
        last = len(layout.eta) - 1
        layout.memo["kinds"] = _Kinds(
            loading=lambda_ + beta,
            beta=beta,
            psi=psi,
            alpha=alpha,
            half_row=beta + psi * layout.half,
            row=np.minimum(layout.row, last),
            column=np.minimum(layout.column, last)[:, None],
        )
    found: _Kinds = layout.memo["kinds"]
    return found


def _sigma(layout: Layout, implied: Implied, d: Directions, G: Array) -> Array:
    kinds, q = _kinds(layout), len(layout.rows)
    forms = d.U.T @ (G @ d.UV)
    UGU, UGV = forms[:, :q], forms[:, q:]
    by_row = implied.A[kinds.column, kinds.row]
    by_column = implied.A[kinds.column, kinds.column.T]
    shared = 0.5 * kinds.loading * implied.C[kinds.column, kinds.column.T]
    both = kinds.half_row * by_row * UGV + (kinds.psi * by_column + shared) * UGU
    half = kinds.loading[:, None] * both
    return np.asarray(2.0 * (half + half.T))


def _mu(layout: Layout, implied: Implied, d: Directions, g: Array) -> Array:
    kinds = _kinds(layout)
    level = kinds.beta * implied.eta_mean[kinds.column[:, 0]] + kinds.alpha
    half = (kinds.loading * (g @ d.U))[:, None] * (implied.A[kinds.column, kinds.row] * level)
    return np.asarray(half + half.T)
