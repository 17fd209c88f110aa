"""Gradients of a discrepancy in many samples at once: arrays with a leading replicate axis.

A discrepancy moves by ``tr(G dSigma) + g'dmu``; derivatives by parameters are entries of ``G D``, ``L'G D``, ``L'G L``,
``G`` and ``g``. Of the normal one, with ``T = S + (m - mu)(m - mu)'`` and ``W = Sigma^-1``: ``G = W - W T W`` and ``g =
-2 W (m - mu)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.implied import Implied, directions, imply
from psm_analysis.sem.matrices import BETA, DELTA, LAMBDA, NU, PSI, TAU, THETA, Layout, fill


class BatchSample(Protocol):
    """One group in every replicate, and what is minimised there: a discrepancy with a leading replicate axis."""

    @property
    def count(self) -> int:
        """The number of replicates."""

    @property
    def nobs(self) -> Array | None:
        """The rows of each replicate, None where these are as many as in the sample."""

    @property
    def usable(self) -> Mask:
        """Which replicates have moments that a fit would not refuse."""

    def of(self, which: Mask | Index) -> Self:
        """Return some replicates."""

    def exogenous(self, first: Index, second: Index) -> Array:
        """Return covariances of exogenous variables (means where `second` is -1), shape ``(R, k)``."""

    def gradient(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the gradient by the free parameters of the group, shape ``(R, q)``, at all, ``(R, n)``."""

    def value(self, layout: Layout, values: Array, *, means: bool) -> Array:
        """Return the discrepancy, nan where it is not defined."""

    def information(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the expected information of one observation, shape ``(R, q, q)``: half the expected Hessian."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of one group in every replicate: ``cov`` of shape ``(R, p, p)`` and divisor N, ``mean`` ``(R, p)``.

    ``nobs`` are the rows of each replicate, None where these are as many as in the sample.
    """

    cov: Array
    mean: Array
    nobs: Array | None = None

    @property
    def count(self) -> int:
        """The number of replicates."""
        return len(self.cov)

    @property
    def usable(self) -> Mask:
        """All of them: where a matrix is singular there is no value."""
        return np.ones(len(self.cov), dtype=bool)

    def of(self, which: Mask | Index) -> Self:
        """Return the moments of some replicates."""
        return type(self)(self.cov[which], self.mean[which], None if self.nobs is None else self.nobs[which])

    def exogenous(self, first: Index, second: Index) -> Array:
        """Return covariances of variables, or means where `second` is -1."""
        return np.where(second < 0, self.mean[:, first], self.cov[:, first, second])

    def gradient(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the gradient of the normal discrepancy."""
        return group_gradient(layout, free, values, sample=self, means=means)

    def value(self, layout: Layout, values: Array, *, means: bool) -> Array:
        """Return the normal discrepancy; nan where an implied matrix is not positive definite."""
        implied, T = imply(layout, values), self.cov
        if means:
            d = self.mean - implied.mu
            T = T + d[:, :, None] * d[:, None, :]
        found = log_determinants(implied.Sigma) - log_determinants(self.cov) - T.shape[-1]
        return np.asarray(found + np.einsum("rij,rji->r", np.linalg.inv(implied.Sigma), T))

    def information(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the expected information of one observation."""
        implied = imply(layout, values)
        return normal_information(free, implied, np.linalg.inv(implied.Sigma), means=means)


def normal_information(free: Layout, implied: Implied, W: Array, *, means: bool) -> Array:
    """Return ``1/2 tr(W dSigma_k W dSigma_l) + dmu_k' W dmu_l`` for all pairs, with a leading replicate axis."""
    d = directions(free, implied)
    UT, VT, MT = (np.swapaxes(part, -1, -2) for part in (d.U, d.V, d.M))
    WV = W @ d.V
    cross = UT @ WV
    block = (UT @ W @ d.U) * (VT @ WV) + cross * np.swapaxes(cross, -1, -2)
    return np.asarray(block + MT @ W @ d.M if means else block)


def log_determinants(matrices: Array) -> Array:
    """Return log determinants; nan where a matrix is not positive definite."""
    try:
        diagonals = np.diagonal(np.linalg.cholesky(matrices), axis1=-2, axis2=-1)
    except np.linalg.LinAlgError:
        return np.asarray(np.log(np.linalg.eigvalsh(matrices)).sum(axis=-1))
    return np.asarray(2.0 * np.log(diagonals).sum(axis=-1))


@dataclass(frozen=True, slots=True)
class Pieces:
    """What the gradient is read from: ``G D``, ``L'G D``, ``L'G L``, ``G`` (or its diagonal), ``g``, ``L'g``.

    ``tau`` and ``delta`` are the slopes by thresholds and scaling factors.
    """

    GD: Array
    LGD: Array
    LGL: Array
    G: Array
    g: Array | None
    Lg: Array | None
    eta_mean: Array | None
    tau: Array | None = None
    delta: Array | None = None


def group_gradient(layout: Layout, free: Layout, values: Array, *, sample: Moments, means: bool) -> Array:
    """Return the gradient by the free parameters of a group, shape ``(R, q)``, at all parameters, ``(R, n)``."""
    if is_factor_model(layout):
        return gathered(free, _factor_pieces(layout, values, sample, means=means))
    return gathered(free, _general_pieces(layout, values, sample, means=means))


def is_factor_model(layout: Layout) -> bool:
    """Tell whether all observed variables are indicators with uncorrelated residuals of their own."""
    if (layout.dummies >= 0).any() or not len(layout.eta):
        return False
    own = (layout.matrix == THETA) & (layout.row == layout.column)
    return bool(len(layout.observed) == own.sum() == (layout.matrix == THETA).sum())


def _general_pieces(layout: Layout, values: Array, sample: Moments, *, means: bool) -> Pieces:
    implied = imply(layout, values)
    W, T, g = np.linalg.inv(implied.Sigma), sample.cov, None
    if means:
        d = sample.mean - implied.mu
        T = T + d[:, :, None] * d[:, None, :]
        g = -2.0 * (W @ d[..., None])[..., 0]
    return pieces(implied, W - W @ T @ W, g)


def pieces(implied: Implied, G: Array, g: Array | None) -> Pieces:
    """Return what gradients are read from at symmetric ``G`` and (with means) ``g``."""
    GD, LT = G @ implied.D, np.swapaxes(implied.L, -1, -2)
    Lg = None if g is None else (LT @ g[..., None])[..., 0]
    return Pieces(GD, LT @ GD, LT @ G @ implied.L, G, g, Lg, implied.eta_mean)


def _factor_pieces(layout: Layout, values: Array, sample: Moments, *, means: bool) -> Pieces:
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
    return Pieces(GL @ C, AH @ C, AH @ A, diagonal, g, Lg, eta_mean)


def gathered(free: Layout, pieces: Pieces) -> Array:
    """Return the gradient by the free parameters of a group, shape ``(R, q)``."""
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
        else:
            slope = {NU: pieces.g, TAU: pieces.tau, DELTA: pieces.delta}.get(code, pieces.Lg)
            found[:, here] = 0.0 if slope is None else slope[:, row]
        if code in (LAMBDA, BETA) and pieces.g is not None and pieces.Lg is not None and pieces.eta_mean is not None:
            slope = pieces.g if code == LAMBDA else pieces.Lg
            found[:, here] += slope[:, row] * pieces.eta_mean[:, column]
    return found
