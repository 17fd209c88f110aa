"""Trait scores of people from a graded response model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from psm_analysis.irt.expectation_maximisation import posterior_of
from psm_analysis.irt.graded_kernel import category_probabilities, probability_slopes, quadrature
from psm_analysis.irt.patterns import ResponsePatterns
from psm_analysis.moments.sample import FloatArray


def expected_a_posteriori(
    patterns: ResponsePatterns, slopes: FloatArray, *, intercepts: Sequence[FloatArray], n_nodes: int
) -> tuple[FloatArray, FloatArray]:
    """Return posterior mean and standard deviation of each pattern."""
    nodes = quadrature(n_nodes)
    posterior, _ = posterior_of(patterns.indicators(), slopes, intercepts=intercepts, nodes=nodes)
    mean = posterior @ nodes[0]
    return mean, np.sqrt(np.maximum(posterior @ nodes[0] ** 2 - mean**2, 0.0))


def maximum_a_posteriori(
    patterns: ResponsePatterns, slopes: FloatArray, *, intercepts: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return posterior mode of each pattern by Fisher scoring, and 1 / sqrt(information + 1)."""
    X = patterns.indicators()
    theta = np.zeros(len(X))
    answered = patterns.codes >= 0
    information = np.ones(len(X))
    for _ in range(100):
        score, information = -theta, np.ones(len(X))
        start = 0
        for j, (a, d) in enumerate(zip(slopes, intercepts, strict=True)):
            P, slope = trait_slopes(float(a), d, theta=theta)
            own = X[:, start : start + P.shape[1]]
            score = score + (own * slope / P).sum(axis=1)
            information = information + answered[:, j] * (slope**2 / P).sum(axis=1)
            start += P.shape[1]
        step = np.clip(score / information, -1.0, 1.0)
        theta = theta + step
        if np.abs(step).max() < 1e-9:
            break
    return theta, 1.0 / np.sqrt(information)


def trait_slopes(slope: float, intercepts: FloatArray, *, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return P(x = c) and its derivative by the trait, both (q, m).

    Examples
    --------
    >>> P, D = trait_slopes(2.0, np.array([0.0]), theta=np.array([0.0]))
    >>> P.tolist(), D.tolist()
    ([[0.5, 0.5]], [[-0.5, 0.5]])
    """
    P = category_probabilities(slope, intercepts, theta=theta)
    by_intercept = probability_slopes(slope, intercepts, theta=theta)[:, :, 1:]
    return P, slope * by_intercept.sum(axis=2)
