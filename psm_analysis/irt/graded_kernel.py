"""Category probabilities of the graded response model and the M step of one item."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, roots_hermitenorm

from psm_analysis.moments.sample import FloatArray, IntArray

TINY = 1e-300


def quadrature(n_nodes: int) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Hermite nodes and weights for a standard normal trait.

    Examples
    --------
    >>> nodes, weights = quadrature(15)
    >>> round(float(weights.sum()), 12), round(float(weights @ nodes**2), 12)
    (1.0, 1.0)
    """
    nodes, weights = roots_hermitenorm(n_nodes)
    return np.asarray(nodes, dtype=float), np.asarray(weights / weights.sum(), dtype=float)


def boundary_curves(slope: float, intercepts: FloatArray, *, theta: FloatArray) -> FloatArray:
    """Return P(x >= c) for c = 0 ... m, (q, m + 1), with ones before and zeros behind.

    Examples
    --------
    >>> boundary_curves(1.0, np.array([0.0]), theta=np.array([0.0])).tolist()
    [[1.0, 0.5, 0.0]]
    """
    inner = expit(slope * theta[:, None] + intercepts)
    edge = np.ones((len(theta), 1))
    return np.hstack([edge, inner, 0.0 * edge])


def category_probabilities(slope: float, intercepts: FloatArray, *, theta: FloatArray) -> FloatArray:
    """Return P(x = c), (q, m), of an item with falling intercepts.

    Examples
    --------
    >>> category_probabilities(1.0, np.array([1.0, -1.0]), theta=np.array([0.0])).round(3).tolist()
    [[0.269, 0.462, 0.269]]
    """
    curves = boundary_curves(slope, intercepts, theta=theta)
    return np.maximum(curves[:, :-1] - curves[:, 1:], TINY)


def probability_slopes(slope: float, intercepts: FloatArray, *, theta: FloatArray) -> FloatArray:
    """Return the derivatives of P(x = c) by slope and intercepts, (q, m, 1 + m - 1).

    Examples
    --------
    >>> probability_slopes(1.0, np.array([0.0]), theta=np.array([0.0]))[0].tolist()
    [[-0.0, -0.25], [0.0, 0.25]]
    """
    curves = boundary_curves(slope, intercepts, theta=theta)
    density = curves * (1.0 - curves)
    q, m = len(theta), len(intercepts) + 1
    found = np.zeros((q, m, m))
    found[:, :, 0] = theta[:, None] * (density[:, :-1] - density[:, 1:])
    for c in range(1, m):
        found[:, c, c] = density[:, c]
        found[:, c - 1, c] = -density[:, c]
    return found


def maximise_item(
    slope: float,
    intercepts: Sequence[FloatArray],
    *,
    theta: FloatArray,
    expected: Sequence[FloatArray],
    iterations: int = 15,
) -> tuple[float, list[FloatArray]]:
    """Raise the expected log-likelihood of one item by Fisher scoring, halving a step that lowers it.

    Parameters
    ----------
    slope, intercepts
        Where to start; intercepts of every group that has its own, one slope for all.
    theta
        Nodes, (q,).
    expected
        For each set of intercepts the expected answers by node and category, (q, m).

    Examples
    --------
    >>> theta, weights = quadrature(15)
    >>> expected = 1000 * weights[:, None] * category_probabilities(1.5, np.array([1.0, -0.5]), theta=theta)
    >>> slope, (intercepts,) = maximise_item(1.0, [np.array([0.5, -0.5])], theta=theta, expected=[expected])
    >>> round(slope, 4), intercepts.round(4).tolist()
    (1.5, [1.0, -0.5])
    """
    x = np.concatenate([[slope], *intercepts])
    ends = np.cumsum([len(d) for d in intercepts])[:-1]
    value = _expected_loglik(x, ends, theta=theta, expected=expected)
    for _ in range(iterations):
        gradient, information = _score(x, ends, theta=theta, expected=expected)
        step = np.linalg.solve(information + 1e-10 * np.trace(information) * np.eye(len(x)), gradient)
        size = 1.0
        while size > 1e-6:
            trial = x + size * step
            reached = _expected_loglik(trial, ends, theta=theta, expected=expected)
            if reached >= value:
                break
            size /= 2.0
        else:
            break
        x, value = trial, reached
        if np.abs(step).max() < 1e-8:
            break
    return float(x[0]), np.split(x[1:], ends)


def _score(
    x: FloatArray, ends: IntArray, *, theta: FloatArray, expected: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    gradient, information = np.zeros(len(x)), np.zeros((len(x), len(x)))
    start = 1
    for d, r in zip(np.split(x[1:], ends), expected, strict=True):
        P = category_probabilities(float(x[0]), d, theta=theta)
        D = probability_slopes(float(x[0]), d, theta=theta)
        at = np.concatenate([[0], np.arange(start, start + len(d))])
        gradient[at] += np.einsum("qc,qck->k", r / P, D)
        information[np.ix_(at, at)] += np.einsum("q,qck,qcl->kl", r.sum(axis=1), D / P[:, :, None], D)
        start += len(d)
    return gradient, information


def _expected_loglik(x: FloatArray, ends: IntArray, *, theta: FloatArray, expected: Sequence[FloatArray]) -> float:
    total = 0.0
    for d, r in zip(np.split(x[1:], ends), expected, strict=True):
        if (np.diff(d) >= 0.0).any():
            return -np.inf
        total += float((r * np.log(category_probabilities(float(x[0]), d, theta=theta))).sum())
    return total
