"""Ordered probit regression of one item on covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from psm_analysis.errors import DataError
from psm_analysis.moments.normal_interval import TINY, interval_probability, normal_density, residual_limits
from psm_analysis.moments.sample import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class OrderedProbit:
    """Thresholds (K-1,) and slopes (q,): ``P(y <= k | x) = Phi(threshold_k - x' slopes)``."""

    thresholds: FloatArray
    slopes: FloatArray


def fit_ordered_probit(
    categories: IntArray, x: FloatArray, *, n_categories: int, weights: FloatArray, name: str
) -> OrderedProbit:
    """Maximise the weighted likelihood of an ordered probit regression by Newton's method with step halving.

    Parameters
    ----------
    categories
        (n,) category 0 ... K-1 of every case; all occur.
    x
        (n, q) standardised covariates; q may be 0, when the thresholds are normal quantiles.
    n_categories
        K.
    weights
        (n,) case weights.
    name
        The item, for messages.

    Raises
    ------
    DataError
        If the covariates separate the categories, so that no finite estimate exists.

    Examples
    --------
    >>> answers, x = np.repeat([0, 1, 0, 1], [30, 10, 10, 30]), np.repeat([[-1.0], [1.0]], 40, axis=0)
    >>> fit = fit_ordered_probit(answers, x, n_categories=2, weights=np.ones(80), name="item")
    >>> fit.slopes.round(4).tolist()  # the normal quantile of 3/4
    [0.6745]
    """
    counts = np.bincount(categories, weights=weights, minlength=n_categories)
    start = ndtri(np.cumsum(counts)[:-1] / counts.sum())
    inner, q = n_categories - 1, x.shape[1]
    if q == 0:
        return OrderedProbit(start, np.zeros(0))
    problem = _Problem(categories, _limit_design(categories, x, inner=inner), weights)
    theta = np.concatenate([start, np.zeros(q)])
    for _ in range(60):
        value, gradient, information = problem.derivatives(theta)
        if np.linalg.eigvalsh(information)[0] < 1e-9 * len(categories):
            break
        step = np.linalg.solve(information, gradient)
        size = 1.0
        while size > 1e-8 and problem.log_likelihood(theta + size * step) < value - 1e-9 * abs(value):
            size /= 2.0
        theta = theta + size * step
        if np.abs(step).max() < 1e-10:
            return OrderedProbit(theta[:inner], theta[inner:])
    raise DataError(
        "The covariates separate the categories of the item: the probit regression has no finite estimate.",
        where=f"item {name!r}",
        remedy="Leave out the covariate that determines the answer, or merge categories.",
    )


def _limit_design(categories: IntArray, x: FloatArray, *, inner: int) -> tuple[FloatArray, FloatArray]:
    """Derivatives of the lower and the upper limit of every case over (thresholds, slopes)."""
    k = np.arange(inner)
    lower = np.hstack([categories[:, None] == k + 1, -x])
    upper = np.hstack([categories[:, None] == k, -x])
    return lower, upper


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    categories: IntArray
    design: tuple[FloatArray, FloatArray]
    weights: FloatArray

    def limits(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        inner = int(self.categories.max())
        predictor = -self.design[0][:, inner:] @ theta[inner:]
        return residual_limits(theta[:inner], self.categories, predictor=predictor)

    def log_likelihood(self, theta: FloatArray) -> float:
        probability = interval_probability(*self.limits(theta))
        return -np.inf if (probability <= TINY).any() else float(self.weights @ np.log(probability))

    def derivatives(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        lower, upper = self.limits(theta)
        probability = interval_probability(lower, upper)
        w = self.weights
        below, above = normal_density(lower) / probability, normal_density(upper) / probability
        d_low, d_up = self.design
        score = above[:, None] * d_up - below[:, None] * d_low
        weighted = w[:, None] * score
        information = (
            score.T @ weighted + (d_up.T * (w * upper * above)) @ d_up - (d_low.T * (w * lower * below)) @ d_low
        )
        return float(w @ np.log(probability)), weighted.sum(axis=0), np.asarray(information)
