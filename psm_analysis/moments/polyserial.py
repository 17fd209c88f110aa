"""The polyserial correlation of one ordinal with several continuous variables, thresholds and means given."""

from __future__ import annotations

import numpy as np

from psm_analysis.moments.newton import NEWTON_STEP, maximise_correlations
from psm_analysis.moments.normal_interval import interval_probability, normal_density
from psm_analysis.moments.pair_scores import PairScores
from psm_analysis.moments.sample import FloatArray, IntArray

Limits = tuple[FloatArray, FloatArray]


def fit_polyserial(limits: Limits, z: FloatArray, *, weights: FloatArray) -> FloatArray:
    """Return the (c,) correlations that maximise the likelihood of the categories given the continuous variables.

    ``log L = sum w log[Phi((u - rho z) / R) - Phi((l - rho z) / R)]``, ``R = sqrt(1 - rho^2)`` (Olsson, Drasgow &
    Dorans 1982, equation 10), with the thresholds and the standardised residuals z of step one held fixed.

    Parameters
    ----------
    limits
        Lower and upper limit of the ordinal variable's residual, each (N,).
    z
        (N, c) standardised residuals of the continuous variables.
    weights
        (N, c) case weights, 0 where either variable is missing.

    References
    ----------
    Olsson, U., Drasgow, F., & Dorans, N. J. (1982). The polyserial correlation coefficient. Psychometrika, 47, 337-347.

    Examples
    --------
    >>> z = np.random.default_rng(1).standard_normal((4000, 2))
    >>> high = 0.6 * z[:, 0] + 0.8 * z[:, 1] > 0
    >>> limits = np.where(high, 0.0, -100.0), np.where(high, 100.0, 0.0)
    >>> fit_polyserial(limits, z[:, :1], weights=np.ones((4000, 1))).round(1).tolist()
    [0.6]
    """

    def score(rho: FloatArray, active: IntArray) -> tuple[FloatArray, FloatArray]:
        return _score_and_curvature(limits, z[:, active], rho=rho, weights=weights[:, active])

    return maximise_correlations(score, z.shape[1], last_step=NEWTON_STEP)


def _score_and_curvature(
    limits: Limits, z: FloatArray, *, rho: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    rest = (1.0 - rho) * (1.0 + rho)
    root = np.sqrt(rest)
    lower, upper = ((limit[:, None] - rho * z) / root for limit in limits)
    inverse = 1.0 / interval_probability(lower, upper)
    first, second = np.zeros_like(z), np.zeros_like(z)
    for sign, limit, at in ((-1.0, limits[0], lower), (1.0, limits[1], upper)):
        slope = (rho * limit[:, None] - z) / (rest * root)
        density = sign * normal_density(at) * inverse
        first += density * slope
        second += density * (limit[:, None] / (rest * root) + 3.0 * rho * slope / rest - at * slope**2)
    gradient = (weights * first).sum(axis=0)
    outer = (weights * first**2).sum(axis=0)
    newton = outer - (weights * second).sum(axis=0)
    return gradient, np.where(newton > 0.1 * outer, newton, outer)


def polyserial_scores(limits: Limits, z: FloatArray, *, rho: FloatArray) -> PairScores:
    """Return the casewise scores with the ordinal variable as the anchor and the (N, c) residuals `z` as partners.

    Examples
    --------
    >>> limits = np.array([-100.0, 0.0]), np.array([0.0, 100.0])
    >>> scores = polyserial_scores(limits, np.array([[-1.0], [1.0]]), rho=np.zeros(1))
    >>> scores.correlation.round(4).tolist()  # -z phi(0) / (1/2), upper limit; the reverse, lower limit
    [[0.7979], [0.7979]]
    """
    rest = (1.0 - rho) * (1.0 + rho)
    root = np.sqrt(rest)
    lower, upper = ((limit[:, None] - rho * z) / root for limit in limits)
    inverse = 1.0 / interval_probability(lower, upper)
    below, above = normal_density(lower) * inverse, normal_density(upper) * inverse
    slope_low, slope_up = ((rho * limit[:, None] - z) / (rest * root) for limit in limits)
    mean = z + rho / root * (above - below)
    return PairScores(
        correlation=above * slope_up - below * slope_low,
        anchor=(-below / root, above / root),
        partner=(mean, 0.5 * (z * mean - 1.0)),
    )
