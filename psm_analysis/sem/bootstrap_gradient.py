"""Gradients of the normal discrepancy in many samples at once: arrays with a leading replicate axis.

With ``T = S + (m - mu)(m - mu)'``, ``W = Sigma^-1``, ``G = W - W T W`` and ``g = -2 W (m - mu)`` the discrepancy moves
by ``tr(G dSigma) + g'dmu``; derivatives by parameters are entries of ``G D``, ``L'G D``, ``L'G L``, ``G`` and ``g``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.implied import imply
from psm_analysis.sem.matrices import BETA, LAMBDA, NU, PSI, THETA, Layout, fill


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of one group in every replicate: ``cov`` of shape ``(R, p, p)`` and divisor N, ``mean`` ``(R, p)``.

    ``nobs`` are the rows of each replicate, None where these are as many as in the sample.
    """

    cov: Array
    mean: Array
    nobs: Array | None = None

    def of(self, which: Mask | Index) -> Moments:
        """Return the moments of some replicates."""
        return Moments(self.cov[which], self.mean[which], None if self.nobs is None else self.nobs[which])


@dataclass(frozen=True, slots=True)
class _Pieces:
    """What the gradient is read from: ``G D``, ``L'G D``, ``L'G L``, ``G`` (or its diagonal), ``g``, ``L'g``."""

    GD: Array
    LGD: Array
    LGL: Array
    G: Array
    g: Array | None
    Lg: Array | None
    eta_mean: Array | None


def group_gradient(layout: Layout, free: Layout, values: Array, *, sample: Moments, means: bool) -> Array:
    """Return the gradient by the free parameters of a group, shape ``(R, q)``, at all parameters, ``(R, n)``."""
    if is_factor_model(layout):
        return _gathered(free, _factor_pieces(layout, values, sample, means=means))
    return _gathered(free, _general_pieces(layout, values, sample, means=means))


def is_factor_model(layout: Layout) -> bool:
    """Tell whether all observed variables are indicators with uncorrelated residuals of their own."""
    if (layout.dummies >= 0).any() or not len(layout.eta):
        return False
    own = (layout.matrix == THETA) & (layout.row == layout.column)
    return bool(len(layout.observed) == own.sum() == (layout.matrix == THETA).sum())


def _general_pieces(layout: Layout, values: Array, sample: Moments, *, means: bool) -> _Pieces:
    implied = imply(layout, values)
    W, T, g = np.linalg.inv(implied.Sigma), sample.cov, None
    if means:
        d = sample.mean - implied.mu
        T = T + d[:, :, None] * d[:, None, :]
        g = -2.0 * (W @ d[..., None])[..., 0]
    G = W - W @ T @ W
    GD, LT = G @ implied.D, np.swapaxes(implied.L, -1, -2)
    Lg = None if g is None else (LT @ g[..., None])[..., 0]
    return _Pieces(GD, LT @ GD, LT @ G @ implied.L, G, g, Lg, implied.eta_mean)


def _factor_pieces(layout: Layout, values: Array, sample: Moments, *, means: bool) -> _Pieces:
    """Return the same where ``Theta`` is diagonal, by matrices as small as the number of factors.

    With ``t = 1/theta``, ``J = Lambda't Lambda`` and ``N = (I + C J)^-1``: ``W = t - Q Lambda't`` with
    ``Q = t Lambda N C`` (Woodbury, 1950), and ``W Lambda = t Lambda N``.
    """
    m = fill(layout, values)
    identity = np.eye(len(layout.eta))
    A = np.linalg.inv(identity - m.Beta) if np.any(m.Beta) else np.broadcast_to(identity, m.Beta.shape)
    AT = np.swapaxes(A, -1, -2)
    C = A @ m.Psi @ AT
    t = 1.0 / np.diagonal(m.Theta, axis1=-2, axis2=-1)
    tL = t[..., None] * m.Lambda
    N = np.linalg.inv(identity + C @ (np.swapaxes(m.Lambda, -1, -2) @ tL))
    P = tL @ N
    Q, tLT = P @ C, np.swapaxes(tL, -1, -2)
    B, squares = sample.cov @ tL, np.diagonal(sample.cov, axis1=-2, axis2=-1)
    g = Lg = eta_mean = None
    if means:
        eta_mean = (A @ m.alpha[..., None])[..., 0]
        d = sample.mean - m.nu - (m.Lambda @ eta_mean[..., None])[..., 0]
        B = B + d[..., None] * (d[:, None, :] @ tL)
        squares = squares + d * d
        g = -2.0 * (t * d - (Q @ (tLT @ d[..., None]))[..., 0])
        Lg = (AT @ (np.swapaxes(m.Lambda, -1, -2) @ g[..., None]))[..., 0]
    TB = tLT @ B
    GL = P - (t[..., None] * B - Q @ TB) @ N
    H = np.swapaxes(m.Lambda, -1, -2) @ GL
    diagonal = t - (Q * tL).sum(axis=-1) - t * t * squares + (Q * (2.0 * t[..., None] * B - Q @ TB)).sum(axis=-1)
    AH = AT @ H
    return _Pieces(GL @ C, AH @ C, AH @ A, diagonal, g, Lg, eta_mean)


def _gathered(free: Layout, pieces: _Pieces) -> Array:
    found = np.zeros((len(pieces.GD), len(free.rows)))
    for code, here, row, column in free.places:
        half = np.where(row == column, 1.0, 2.0)
        if code == LAMBDA:
            found[:, here] = 2.0 * pieces.GD[:, row, column]
        elif code == BETA:
            found[:, here] = 2.0 * pieces.LGD[:, row, column]
        elif code == PSI:
            found[:, here] = half * pieces.LGL[:, row, column]
        elif code == THETA:
            found[:, here] = pieces.G[:, row] if pieces.G.ndim == 2 else half * pieces.G[:, row, column]
        elif pieces.g is not None and pieces.Lg is not None:
            found[:, here] = (pieces.g if code == NU else pieces.Lg)[:, row]
        if code in (LAMBDA, BETA) and pieces.g is not None and pieces.Lg is not None and pieces.eta_mean is not None:
            slope = pieces.g if code == LAMBDA else pieces.Lg
            found[:, here] += slope[:, row] * pieces.eta_mean[:, column]
    return found
