"""Confidence intervals from replicates: percentile, basic, normal, and bias-corrected and accelerated.

References
----------
Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical Association, 82, 171-185.

Davison, A. C., & Hinkley, D. V. (1997). Bootstrap methods and their application. Cambridge. Chapter 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from psm_analysis._options import BootstrapInterval
from psm_analysis.sem.arrays import Array


def quantile(draws: Array, share: Array) -> Array:
    """Return a quantile of every column, at the rank ``(R + 1) share`` with linear interpolation; nan is left out.

    `draws` has the shape ``(R, k)`` and `share` the shape ``(k,)``.
    """
    found = np.full(draws.shape[1], np.nan)
    for j in range(draws.shape[1]):
        column = draws[np.isfinite(draws[:, j]), j]
        if len(column) and np.isfinite(share[j]):
            found[j] = np.quantile(column, share[j], method="weibull")
    return found


def interval(
    draws: Array,
    estimate: Array,
    *,
    ci: BootstrapInterval,
    level: float,
    acceleration: Array | None = None,
    errors: tuple[Array, Array] | None = None,
) -> tuple[Array, Array]:
    """Return lower and upper limits of the columns of `draws`, which have the estimates `estimate`.

    ``percentile``: quantiles of the draws; ``basic``: twice the estimate minus them; ``normal``: the estimate less its
    bootstrap bias plus and minus z standard deviations; ``bca``: quantiles at ``Phi(z0 + (z0 + z) / (1 - a (z0 + z)))``
    with ``z0`` from the share of draws below the estimate and the acceleration ``a`` (Efron, 1987); ``studentized``:
    the estimate less quantiles of ``(draw - estimate) / error of the draw`` times its own error (Davison & Hinkley,
    1997, eq. 5.6), for which `errors` has those of the draws and of the estimate.
    """
    z = float(special.ndtri(0.5 + level / 2.0))
    low, high = np.full(len(estimate), (1.0 - level) / 2.0), np.full(len(estimate), (1.0 + level) / 2.0)
    with np.errstate(all="ignore"):
        if ci == "normal":
            used = np.where(np.isfinite(draws), draws, np.nan)
            centre, reach = 2.0 * estimate - np.nanmean(used, axis=0), z * deviations(draws)
            return centre - reach, centre + reach
        if ci == "studentized" and errors is not None:
            t = (draws - estimate) / errors[0]
            return estimate - quantile(t, high) * errors[1], estimate - quantile(t, low) * errors[1]
        if ci == "bca":
            below = (draws < estimate).sum(axis=0) + 0.5 * (draws == estimate).sum(axis=0)
            z0 = special.ndtri(below / np.maximum(np.isfinite(draws).sum(axis=0), 1))
            a = np.zeros(len(estimate)) if acceleration is None else acceleration
            low = special.ndtr(z0 + (z0 - z) / (1.0 - a * (z0 - z)))
            high = special.ndtr(z0 + (z0 + z) / (1.0 - a * (z0 + z)))
    lower, upper = quantile(draws, low), quantile(draws, high)
    return (2.0 * estimate - upper, 2.0 * estimate - lower) if ci == "basic" else (lower, upper)


def deviations(draws: Array) -> Array:
    """Return the standard deviation of every column (divisor R - 1); nan is left out."""
    used = np.isfinite(draws)
    count = used.sum(axis=0)
    mean = np.where(used, draws, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(used, draws - mean, 0.0) ** 2
    return np.asarray(np.where(count > 1, np.sqrt(squares.sum(axis=0) / np.maximum(count - 1, 1)), np.nan))


def accelerations(jackknife: Sequence[Array]) -> Array:
    """Return the acceleration of every column from leave-one-out values, one array ``(n_g, k)`` per group.

    With ``l_gi = (n_g - 1)(mean - value_gi)``: ``a = 1/6 sum l^3 / n_g^3 / (sum l^2 / n_g^2)^(3/2)`` (Davison &
    Hinkley, 1997, eq. 5.27).
    """
    third: Array = np.zeros(jackknife[0].shape[1])
    second: Array = np.zeros(jackknife[0].shape[1])
    for values in jackknife:
        n = len(values)
        influence = (n - 1) * (values.mean(axis=0) - values)
        third = third + (influence**3).sum(axis=0) / n**3
        second = second + (influence**2).sum(axis=0) / n**2
    with np.errstate(all="ignore"):
        return np.asarray(np.where(second > 1e-24, third / (6.0 * second**1.5), 0.0))
