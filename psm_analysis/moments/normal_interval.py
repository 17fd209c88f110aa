"""Probabilities of intervals under the standard normal, exact in both tails."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from psm_analysis.moments.sample import FloatArray, IntArray

BEYOND = 100.0
TINY = 1e-300


def interval_probability(lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return P(lower < Z <= upper) elementwise, at least 1e-300; both tails keep their relative precision.

    Limits of minus and plus infinity are written as -100 and 100, so that products with them stay finite.

    Examples
    --------
    >>> float(interval_probability(np.array([-BEYOND]), np.array([0.0]))[0])
    0.5
    >>> bool(interval_probability(np.array([10.0]), np.array([11.0]))[0] > 7e-24)
    True
    """
    flip = lower > 0.0
    high, low = np.where(flip, -lower, upper), np.where(flip, -upper, lower)
    return np.asarray(np.maximum(ndtr(high) - ndtr(low), TINY))


def normal_density(z: FloatArray) -> FloatArray:
    """Return the standard normal density.

    Examples
    --------
    >>> round(float(normal_density(np.array([0.0]))[0]), 10)
    0.3989422804
    """
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))


def residual_limits(
    thresholds: FloatArray, categories: IntArray, *, predictor: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the limits between which the residual lies: the thresholds of the category minus the linear predictor.

    Examples
    --------
    >>> limits = residual_limits(np.array([0.5]), np.array([0, 1]), predictor=np.array([0.0, 0.5]))
    >>> [limit.tolist() for limit in limits]
    [[-100.0, 0.0], [0.5, 100.0]]
    """
    edges = np.concatenate([[-BEYOND], thresholds, [BEYOND]])
    last = len(thresholds)
    lower = np.where(categories == 0, -BEYOND, edges[categories] - predictor)
    upper = np.where(categories == last, BEYOND, edges[categories + 1] - predictor)
    return lower, upper
