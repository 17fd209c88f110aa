"""Marginal maximum likelihood of the graded response model by EM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.irt.graded_kernel import category_probabilities, maximise_item, probability_slopes, quadrature
from psm_analysis.irt.patterns import ResponsePatterns
from psm_analysis.moments.sample import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Slopes, intercepts by item, the log-likelihood after each step, and whether it settled."""

    slopes: FloatArray
    intercepts: tuple[FloatArray, ...]
    loglik: tuple[float, ...]
    converged: bool


def estimate(patterns: ResponsePatterns, *, n_nodes: int, max_iterations: int, tolerance: float) -> Estimates:
    """Iterate expectation and maximisation until the log-likelihood rises by less than `tolerance`.

    Bock, R. D., & Aitkin, M. (1981). Psychometrika, 46, 443-459.
    """
    theta, weights = quadrature(n_nodes)
    X = patterns.indicators()
    slopes, intercepts = starting_values(patterns)
    history: list[float] = []
    for _ in range(max_iterations):
        posterior, loglik = posterior_of(X, slopes, intercepts=intercepts, nodes=(theta, weights))
        history.append(float(patterns.counts @ loglik))
        if len(history) > 1 and history[-1] - history[-2] < tolerance:
            return Estimates(slopes, tuple(intercepts), tuple(history), True)
        expected = np.split((posterior * patterns.counts[:, None]).T @ X, np.cumsum(patterns.sizes)[:-1], axis=1)
        updated = [
            maximise_item(float(a), [d], theta=theta, expected=[r])
            for a, d, r in zip(slopes, intercepts, expected, strict=True)
        ]
        slopes, intercepts = np.array([a for a, _ in updated]), [d for _, (d,) in updated]
    return Estimates(slopes, tuple(intercepts), tuple(history), False)


def starting_values(patterns: ResponsePatterns) -> tuple[FloatArray, list[FloatArray]]:
    """Start with logits of the cumulative proportions, and slopes of the sign of each item-rest correlation."""
    codes = np.where(patterns.codes >= 0, patterns.codes, np.nan)
    rows = np.repeat(codes, patterns.counts.astype(int), axis=0)
    centred = rows - np.nanmean(rows, axis=0)
    filled = np.where(np.isnan(centred), 0.0, centred)
    first = np.linalg.eigh(filled.T @ filled)[1][:, -1]
    signs = np.where(first * np.sign(first.sum() or 1.0) < 0.0, -1.0, 1.0)
    intercepts = []
    for j, m in enumerate(patterns.sizes):
        own = rows[~np.isnan(rows[:, j]), j]
        above = np.array([(own >= c).mean() for c in range(1, m)])
        intercepts.append(1.3 * np.log(above / (1.0 - above)))
    return signs, intercepts


def posterior_of(
    X: FloatArray,
    slopes: FloatArray,
    *,
    intercepts: Sequence[FloatArray],
    nodes: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """Return the posterior of the nodes given each pattern, (P, q), and the log-likelihood of each, (P,).

    The weights of the nodes are (q,), or (P, q) where patterns are of different groups.
    """
    theta, weights = nodes
    pairs = zip(slopes, intercepts, strict=True)
    log_p = np.hstack([np.log(category_probabilities(float(a), d, theta=theta)) for a, d in pairs])
    joint = X @ log_p.T + np.log(weights)
    top = joint.max(axis=1, keepdims=True)
    likelihood = np.exp(joint - top)
    total = likelihood.sum(axis=1, keepdims=True)
    return likelihood / total, (top + np.log(total))[:, 0]


def information_matrix(patterns: ResponsePatterns, found: Estimates, *, n_nodes: int) -> FloatArray:
    """Return the sum of outer products of the scores of the people, in the order slope, intercepts, item after item.

    The score of a pattern is the posterior mean of the complete-data score (Louis, 1982, JRSS B 44, 226-233).
    """
    nodes = quadrature(n_nodes)
    X = patterns.indicators()
    posterior, _ = posterior_of(X, found.slopes, intercepts=found.intercepts, nodes=nodes)
    blocks = []
    start = np.concatenate([[0], np.cumsum(patterns.sizes)])
    for j, (a, d) in enumerate(zip(found.slopes, found.intercepts, strict=True)):
        P = category_probabilities(float(a), d, theta=nodes[0])
        D = probability_slopes(float(a), d, theta=nodes[0]) / P[:, :, None]
        own = X[:, start[j] : start[j + 1]]
        blocks.append(np.einsum("pq,pc,qck->pk", posterior, own, D, optimize=True))
    scores = np.hstack(blocks)
    return np.asarray((scores * patterns.counts[:, None]).T @ scores, dtype=float)
