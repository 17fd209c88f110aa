"""Covariances of ordinal answers that latent normal responses imply: what categorical omega is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf
from psm_analysis.moments.sample import FloatArray


def answer_covariance(R: FloatArray, thresholds: Sequence[FloatArray]) -> FloatArray:
    r"""Return the covariances of answers coded 0, 1, 2, ... when standard normal responses correlate by `R`.

    .. math:: cov(x_i, x_j) = \sum_c \sum_d \Phi_2(\tau_{ic}, \tau_{jd}; r_{ij}) - \Phi(\tau_{ic}) \Phi(\tau_{jd})

    Parameters
    ----------
    R
        Correlations, shape ``(p, p)``. An element of the diagonal below 1 is the correlation of the response with a
        second one that shares only its common part.
    thresholds
        For each item its thresholds, rising.

    References
    ----------
    Green, S. B., & Yang, Y. (2009). Reliability of summated item scores using structural equation modeling.
    Psychometrika, 74, 155-167, equation 21.

    Examples
    --------
    >>> cut = np.array([0.0])
    >>> answer_covariance(np.array([[1.0, 0.5], [0.5, 1.0]]), [cut, cut]).round(4).tolist()
    [[0.25, 0.0833], [0.0833, 0.25]]
    """
    p = len(R)
    found = np.empty((p, p))
    for i in range(p):
        for j in range(i + 1):
            h, k = thresholds[i][:, None], thresholds[j][None, :]
            both = np.minimum(ndtr(h), ndtr(k)) if R[i, j] >= 1.0 else bivariate_normal_cdf(h, k, rho=R[i, j])
            found[i, j] = found[j, i] = float((both - ndtr(h) * ndtr(k)).sum())
    return found


def categorical_omega(common: FloatArray, total: FloatArray, *, thresholds: Sequence[FloatArray]) -> float:
    """Return the share of the variance of the sum of ordinal answers that one factor explains.

    Parameters
    ----------
    common
        Correlations of the latent responses that the factor alone implies, the diagonal included.
    total
        Their correlations, with ones on the diagonal.
    thresholds
        Of the standard normal responses, one array for each item.

    References
    ----------
    Green & Yang (2009), equation 21.

    Examples
    --------
    >>> cuts = [np.array([-8.0 + step / 50 for step in range(800)])] * 3  # so fine that nothing is lost
    >>> R = np.full((3, 3), 0.5)
    >>> round(categorical_omega(R, R + 0.5 * np.eye(3), thresholds=cuts), 3)
    0.75
    """
    return float(answer_covariance(common, thresholds).sum() / answer_covariance(total, thresholds).sum())
