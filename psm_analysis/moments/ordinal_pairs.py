"""Polychoric correlations given covariates: every case has limits of its own, so the likelihood is casewise."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from psm_analysis.moments.bivariate_normal import LIMIT, bivariate_normal_cdf, bivariate_normal_pdf
from psm_analysis.moments.newton import NEWTON_STEP, maximise_correlations
from psm_analysis.moments.normal_interval import normal_density
from psm_analysis.moments.pair_likelihood import MIN_PROBABILITY
from psm_analysis.moments.pair_scores import PairScores
from psm_analysis.moments.sample import FloatArray, IntArray

Limits = tuple[FloatArray, FloatArray]
CORNERS = ((1, 1, 1.0), (0, 1, -1.0), (1, 0, -1.0), (0, 0, 1.0))


def fit_ordinal_pairs(anchor: Limits, partners: Limits, *, weights: FloatArray) -> FloatArray:
    """Return the (c,) residual correlations that maximise ``sum w log P(l1 < e1 < u1, l2 < e2 < u2)``.

    Parameters
    ----------
    anchor
        Lower and upper limits of one variable's residual, each (N,).
    partners
        Those of the other variables, each (N, c).
    weights
        (N, c) case weights, 0 where either variable is missing.

    References
    ----------
    Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and
    continuous latent variable indicators. Psychometrika, 49, 115-132, equations 10-12.

    Examples
    --------
    >>> low, high = np.array([-100.0, -100.0, 0.0, 0.0]), np.array([0.0, 0.0, 100.0, 100.0])
    >>> other = np.array([[-100.0], [0.0], [-100.0], [0.0]]), np.array([[0.0], [100.0], [0.0], [100.0]])
    >>> counts = np.array([[30.0], [10.0], [10.0], [30.0]])
    >>> fit_ordinal_pairs((low, high), other, weights=counts).round(6).tolist()
    [0.707107]
    """

    def score(rho: FloatArray, active: IntArray) -> tuple[FloatArray, FloatArray]:
        chosen = partners[0][:, active], partners[1][:, active]
        w = weights[:, active]
        inverse = 1.0 / rectangle_probability(anchor, chosen, rho=rho)
        slope, bend = _density_derivatives(anchor, chosen, rho=rho)
        first = slope * inverse
        outer = (w * first**2).sum(axis=0)
        newton = outer - (w * bend * inverse).sum(axis=0)
        return (w * first).sum(axis=0), np.where(newton > 0.1 * outer, newton, outer)

    return maximise_correlations(score, weights.shape[1], last_step=NEWTON_STEP)


def rectangle_probability(anchor: Limits, partners: Limits, *, rho: FloatArray) -> FloatArray:
    """Return the (N, c) bivariate normal probabilities of the rectangles, at least the machine epsilon.

    Examples
    --------
    >>> quadrant = np.array([0.0]), np.array([100.0])
    >>> other = np.array([[0.0]]), np.array([[100.0]])
    >>> rectangle_probability(quadrant, other, rho=np.array([0.5])).round(9).tolist()  # 1/4 + asin(1/2) / (2 pi)
    [[0.333333333]]
    """
    total = np.zeros(partners[0].shape)
    for i, j, sign in CORNERS:
        total += sign * _corner(anchor[i][:, None], partners[j], rho=rho)
    return np.maximum(total, MIN_PROBABILITY)


def _corner(h: FloatArray, k: FloatArray, *, rho: FloatArray) -> FloatArray:
    h, k, r = np.broadcast_arrays(h, k, rho)
    corner = np.where(h >= LIMIT, ndtr(k), np.where(k >= LIMIT, ndtr(h), 0.0))
    inside = (np.abs(h) < LIMIT) & (np.abs(k) < LIMIT)
    corner[inside] = bivariate_normal_cdf(h[inside], k[inside], rho=r[inside])
    return corner


def _density_derivatives(anchor: Limits, partners: Limits, *, rho: FloatArray) -> tuple[FloatArray, FloatArray]:
    """First and second derivatives of the rectangle probabilities over rho."""
    rest = (1.0 - rho) * (1.0 + rho)
    first, second = np.zeros(partners[0].shape), np.zeros(partners[0].shape)
    for i, j, sign in CORNERS:
        h, k = anchor[i][:, None], partners[j]
        density = sign * bivariate_normal_pdf(h, k, rho=rho)
        first += density
        second += density * (rho / rest + (h * k * (1.0 + rho**2) - rho * (h * h + k * k)) / rest**2)
    return first, second


def ordinal_pair_scores(anchor: Limits, partners: Limits, *, rho: FloatArray) -> PairScores:
    """Return the casewise scores of one ordinal variable with its ordinal partners.

    Examples
    --------
    >>> quadrant = np.array([0.0]), np.array([100.0])
    >>> scores = ordinal_pair_scores(quadrant, (np.array([[0.0]]), np.array([[100.0]])), rho=np.zeros(1))
    >>> scores.correlation.round(4).tolist()  # phi(0)^2 / (1/4)
    [[0.6366]]
    """
    inverse = 1.0 / rectangle_probability(anchor, partners, rho=rho)
    own = anchor[0][:, None], anchor[1][:, None]
    return PairScores(
        correlation=_density_derivatives(anchor, partners, rho=rho)[0] * inverse,
        anchor=_limit_scores(own, partners, rho=rho, inverse=inverse),
        partner=_limit_scores(partners, own, rho=rho, inverse=inverse),
    )


def _limit_scores(own: Limits, other: Limits, *, rho: FloatArray, inverse: FloatArray) -> Limits:
    """Derivatives over the lower and the upper limit of one side."""
    root = np.sqrt((1.0 - rho) * (1.0 + rho))
    lower, upper = (
        normal_density(at) * (ndtr((other[1] - rho * at) / root) - ndtr((other[0] - rho * at) / root)) * inverse
        for at in own
    )
    return -lower, upper
