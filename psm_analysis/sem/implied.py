"""Moments implied by the model and their derivatives, in a form that makes everything after them cheap.

With ``A = (I - Beta)^-1``, ``L = Lambda A`` and ``D = L Psi A'``, the derivative of ``Sigma`` with respect to any
parameter is ``u v' + v u'`` for two vectors; ``mu`` moves along a third. Gradient and information need only these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from psm_analysis.sem.arrays import Array, lower_triangle
from psm_analysis.sem.matrices import ALPHA, BETA, DELTA, LAMBDA, NU, PSI, TAU, THETA, Layout, Matrices, fill


@dataclass(frozen=True, slots=True)
class Implied:
    """Implied moments of one group and what they were made of; ``memo`` keeps what a discrepancy found out at them."""

    Sigma: Array
    mu: Array
    A: Array
    L: Array
    C: Array
    D: Array
    eta_mean: Array
    matrices: Matrices
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Directions:
    """Derivatives: ``dSigma_k = u_k v_k' + v_k u_k'`` and ``dmu_k = m_k``; columns are parameters.

    ``U`` and ``V`` stand side by side in ``UV``, shape ``(p, 2q)``, so that both are multiplied at one stroke.
    ``tau`` and ``delta`` are those of thresholds (a row of zeros is appended) and scaling factors, ``slopes`` those
    of the regressions of all variables on given ones, shape ``(p, given, q)``; None without ordinal variables.
    """

    UV: Array
    M: Array
    tau: Array | None = None
    delta: Array | None = None
    slopes: Array | None = None
    U: Array = field(init=False)
    V: Array = field(init=False)

    def __post_init__(self) -> None:
        q = self.M.shape[-1]
        object.__setattr__(self, "U", self.UV[..., :q])
        object.__setattr__(self, "V", self.UV[..., q:])


def imply(layout: Layout, values: Array) -> Implied:
    """Return the moments implied at a parameter vector.

    ``Sigma = L Psi L' + Theta``, ``mu = nu + L alpha`` (Bollen, 1989, eq. 8.15 in all-y form); where the layout has
    given variables, those at 0 of them.
    """
    m = fill(layout, values)
    if layout.given.size:
        m.Psi[..., layout.given, :] = m.Psi[..., :, layout.given] = 0.0
        m.alpha[..., layout.given] = 0.0
    A, L, C, eta_mean = layout.identity, m.Lambda, m.Psi, m.alpha
    if layout.paths:
        A = np.linalg.inv(layout.identity - m.Beta)
        L, C = m.Lambda @ A, A @ m.Psi @ A.swapaxes(-1, -2)
        eta_mean = (A @ m.alpha[..., None])[..., 0]
    D = m.Lambda @ C
    return Implied(
        Sigma=D @ m.Lambda.swapaxes(-1, -2) + m.Theta,
        mu=m.nu + (m.Lambda @ eta_mean[..., None])[..., 0] if layout.levels else m.nu,
        A=A,
        L=L,
        C=C,
        D=D,
        eta_mean=eta_mean,
        matrices=m,
    )


def derive(layout: Layout, values: Array) -> None:
    """Fill in, in place, the parameters that follow from the others (ordinal variables).

    Delta parameterization: residual variances such that ``Sigma_ii = 1 / delta_i^2``; the passes reach a fixed point
    for recursive paths among ordinal variables. Theta: scaling factors ``delta_i = Sigma_ii^(-1/2)``, nan where
    that variance is negative.
    """
    places, matrix, row = layout.rows[layout.derived], layout.matrix[layout.derived], layout.row[layout.derived]
    if layout.theta:
        variances = np.diagonal(imply(layout, values).Sigma, axis1=-2, axis2=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            values[..., places] = 1.0 / np.sqrt(variances[..., row])
        return
    values[..., places] = 0.0
    item = row.copy()
    item[matrix == PSI] = layout.dummies[row[matrix == PSI]]
    for _ in range(1 + int((matrix == PSI).sum())):
        implied = imply(layout, values)
        variances = np.diagonal(implied.Sigma, axis1=-2, axis2=-1)
        values[..., places] += 1.0 / implied.matrices.delta[..., item] ** 2 - variances[..., item]


def directions(layout: Layout, implied: Implied) -> Directions:
    """Return the derivatives of the implied moments with respect to all parameters of the group."""
    batch, q = implied.Sigma.shape[:-2], len(layout.rows)
    UV, M = (np.empty((*batch, *fixed.shape)) for fixed in _constant(layout))
    UV[...], M[...] = _constant(layout)
    for code, here, row, column in layout.places:
        if code == LAMBDA:
            UV[..., q + here] = implied.D[..., column]
            if layout.levels:
                M[..., row, here] = implied.eta_mean[..., column]
        elif code == BETA:
            UV[..., here] = implied.L[..., row]
            UV[..., q + here] = implied.D[..., column]
            M[..., here] = implied.L[..., row] * implied.eta_mean[..., None, column]
        elif code == PSI:
            UV[..., here] = implied.L[..., row] * layout.half[here]
            UV[..., q + here] = implied.L[..., column]
        elif code == ALPHA:
            M[..., here] = implied.L[..., row]
    if not layout.ordinal.any():
        return Directions(UV, M)
    tau, delta = np.zeros((len(layout.threshold_item) + 1, q)), np.zeros((len(layout.observed), q))
    for code, slopes in ((TAU, tau), (DELTA, delta)):
        here = np.flatnonzero(layout.matrix == code)
        slopes[layout.row[here], here] = 1.0
    moving = np.where(np.isin(layout.matrix, (LAMBDA, BETA)), 1.0, 0.0)
    column = np.minimum(layout.column, len(layout.eta) - 1) if layout.eta else layout.column
    to_given = implied.A[..., column[:, None], layout.given] if layout.given.size else np.zeros((q, 0))
    through = (moving[:, None] * to_given).swapaxes(-1, -2)[..., None, :, :]
    return Directions(UV, M, tau, delta, UV[..., None, :q] * through)


def _constant(layout: Layout) -> tuple[Array, Array]:
    """Return ``UV`` and ``M`` with those entries that are the same at every point; the layout remembers them."""
    if "constant" not in layout.memo:
        p, q = len(layout.observed), len(layout.rows)
        UV, M = np.zeros((p, 2 * q)), np.zeros((p, q))
        for code, here, row, column in layout.places:
            if code == LAMBDA:
                UV[row, here] = 1.0
            elif code == THETA:
                UV[row, here] = layout.half[here]
                UV[column, q + here] = 1.0
            elif code == NU:
                M[row, here] = 1.0
        layout.memo["constant"] = UV, M
    found: tuple[Array, Array] = layout.memo["constant"]
    return found


def moment_jacobian(d: Directions, *, means: bool) -> Array:
    """Return ``d(mu, vech Sigma) / d parameters`` with ``vech`` by columns of the lower triangle.

    Shape ``(p + p(p+1)/2, q)`` with means and ``(p(p+1)/2, q)`` without.
    """
    column, row = lower_triangle(d.U.shape[-2])
    sigma = d.U[..., row, :] * d.V[..., column, :] + d.V[..., row, :] * d.U[..., column, :]
    return np.concatenate([d.M, sigma], axis=-2) if means else sigma


def moment_vector(implied: Implied, *, means: bool) -> Array:
    """Return ``(mu, vech Sigma)``, the lower triangle by columns; without ``mu`` if means are not modelled."""
    return stacked(implied.mu if means else None, implied.Sigma)


def stacked(mean: Array | None, cov: Array) -> Array:
    """Return a mean vector (if any) and the lower triangle of a covariance matrix, by columns, as one vector."""
    column, row = lower_triangle(cov.shape[-1])
    lower = cov[..., row, column]
    return lower if mean is None else np.concatenate([mean, lower], axis=-1)
