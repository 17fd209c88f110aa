"""The asymptotic covariance matrix of sample moments: ``N acov(m, vech S)``, from the rows or by normal theory.

References
----------
Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance structures. British
Journal of Mathematical and Statistical Psychology, 37, 62-83.
"""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import Array, lower_triangle, symmetric


def casewise_moments(rows: Array, *, means: bool, exogenous: list[int], weights: Array | None = None) -> Array:
    """Return what each row adds to the moments, centred: ``(y - m, vech (y - m)(y - m)' - s)``, shape ``(N, p*)``.

    What fixed exogenous variables explain is taken out of every row, so that their moments have no variance. Weights
    enter the means and regressions; the rows themselves are not multiplied by them.
    """
    w = np.ones(len(rows)) if weights is None else weights
    centred = rows - w @ rows / w.sum()
    parts = _products(centred, means)
    if exogenous:
        x, root = centred[:, exogenous], np.sqrt(w)[:, None]
        slopes, *_ = np.linalg.lstsq(x * root, centred * root, rcond=None)
        predicted = x @ slopes
        predicted[:, exogenous] = x
        parts = parts - _products(predicted, means)
    return np.asarray(parts - w @ parts / w.sum())


def _products(centred: Array, means: bool) -> Array:
    column, row = lower_triangle(centred.shape[1])
    products = centred[:, row] * centred[:, column]
    return np.hstack([centred, products]) if means else products


def normal_gamma(Sigma: Array, *, means: bool) -> Array:
    """Return the covariance matrix of the moments under normality: ``sigma_ik sigma_jl + sigma_il sigma_jk``."""
    column, row = lower_triangle(len(Sigma))
    rr, rc = Sigma[np.ix_(row, row)], Sigma[np.ix_(row, column)]
    gamma = rr * Sigma[np.ix_(column, column)] + rc * rc.T
    return _with_means(gamma, Sigma, means)


def normal_variances(Sigma: Array, *, means: bool) -> Array:
    """Return the diagonal of :func:`normal_gamma` without making it."""
    (column, row), variance = lower_triangle(len(Sigma)), np.diagonal(Sigma)
    found = variance[row] * variance[column] + Sigma[row, column] ** 2
    return np.concatenate([variance, found]) if means else found


def normal_products(B: Array, Sigma: Array) -> Array:
    """Return ``B' Gamma B`` for columns of coefficients of the moments and :func:`normal_gamma`, without making it.

    With the coefficients of the covariances as matrices ``E_k``, halved off the diagonal, it is ``2 tr(E_k Sigma E_l
    Sigma)``, and ``b_k' Sigma b_l`` more for those of the means.
    """
    return _products_of(B, Sigma, off=0.5, factor=2.0)


def normal_weight_products(B: Array, W: Array) -> Array:
    """Return ``B' V B`` for columns of moments and V of :func:`normal_weight` with ``W = Sigma^-1``, without making V.

    With the covariances as matrices ``E_k`` it is ``1/2 tr(E_k W E_l W)``, and ``b_k' W b_l`` more for the means.
    """
    return _products_of(B, W, off=1.0, factor=0.5)


def _products_of(B: Array, M: Array, *, off: float, factor: float) -> Array:
    p = len(M)
    column, row = lower_triangle(p)
    E = np.empty((B.shape[1], p, p))
    E[:, row, column] = E[:, column, row] = (np.where(row == column, 1.0, off)[:, None] * B[-len(row) :]).T
    found = factor * (E @ M).reshape(len(E), -1) @ (M @ E).reshape(len(E), -1).T
    return np.asarray(found + B[:p].T @ M @ B[:p] if len(B) > len(row) else found)


def normal_weight(Sigma: Array, *, means: bool) -> Array:
    """Return the inverse of :func:`normal_gamma`: ``1/2 D'(Sigma^-1 x Sigma^-1) D``."""
    W = np.linalg.inv(Sigma)
    column, row = lower_triangle(len(W))
    rc = W[np.ix_(row, column)]
    twice = np.where(row == column, 1.0, 2.0)
    weight = 0.25 * np.outer(twice, twice) * (W[np.ix_(row, row)] * W[np.ix_(column, column)] + rc * rc.T)
    return _with_means(weight, W, means)


def normal_quadratic(moments: Array, W: Array) -> float:
    """Return ``x'V x`` for a vector of moments and V of :func:`normal_weight`, without making V."""
    return float(moments @ normal_product(moments, W))


def normal_product(moments: Array, W: Array) -> Array:
    """Return ``V x`` for a vector of moments and V of :func:`normal_weight`, without making V.

    With ``W = Sigma^-1`` and E the covariances of x as a matrix these are the entries of ``W E W``, halved on the
    diagonal, after ``W m`` of means m.
    """
    p = len(W)
    column, row = lower_triangle(p)
    by_covariance = (W @ symmetric(moments[-len(row) :], p) @ W)[row, column] * np.where(row == column, 0.5, 1.0)
    return np.concatenate([W @ moments[:p], by_covariance]) if len(moments) > len(row) else by_covariance


def normal_trace(rows: Array, W: Array, *, means: bool) -> float:
    """Return the mean over rows of ``x'V x``, with x what the row adds to the moments and V of :func:`normal_weight`.

    With ``q = d'W d`` of a row less the mean and the covariance matrix S (divisor N) it is ``1/2 [mean(q^2) -
    tr(W S W S)]``, and ``tr(W S)`` more with means: neither V nor x is made (compare Mardia, 1970).
    """
    d = rows - rows.mean(axis=0)
    weighted = d @ W
    q = np.einsum("ij,ij->i", weighted, d)
    WS = weighted.T @ d / len(d)
    return 0.5 * float(q @ q / len(d) - np.sum(WS * WS.T)) + (float(np.trace(WS)) if means else 0.0)


def _with_means(block: Array, mean_block: Array, means: bool) -> Array:
    if not means:
        return block
    p, k = len(mean_block), len(block)
    whole = np.zeros((p + k, p + k))
    whole[:p, :p], whole[p:, p:] = mean_block, block
    return whole
