"""The correlation of continuous variables by maximum likelihood, means and variances given."""

from __future__ import annotations

import numpy as np

from psm_analysis.moments.newton import maximise_correlations
from psm_analysis.moments.pair_scores import PairScores
from psm_analysis.moments.sample import FloatArray, IntArray


def fit_product_moment(anchor: FloatArray, partners: FloatArray, *, weights: FloatArray) -> FloatArray:
    """Return the (c,) correlations of standardised residuals, cases weighted; weight 0 where either is missing.

    For complete data this is the product-moment correlation; with pairwise missing values the likelihood of the
    complete pairs is maximised with the means and variances of all answers held fixed.

    Examples
    --------
    >>> z = np.array([-1.0, 1.0, -1.0, 1.0])
    >>> fit_product_moment(z, np.array([[-1.0], [1.0], [1.0], [1.0]]), weights=np.ones((4, 1))).round(6).tolist()
    [0.5]
    """
    n = weights.sum(axis=0)
    product = (weights * anchor[:, None] * partners).sum(axis=0)
    squares = (weights * (anchor[:, None] ** 2 + partners**2)).sum(axis=0)

    def score(rho: FloatArray, active: IntArray) -> tuple[FloatArray, FloatArray]:
        rest = (1.0 - rho) * (1.0 + rho)
        t, q = product[active], squares[active]
        gradient = (n[active] * rho + t) / rest - rho * (q - 2.0 * rho * t) / rest**2
        return gradient, n[active] * (1.0 + rho**2) / rest**2

    return maximise_correlations(score, len(n))


def product_moment_scores(anchor: FloatArray, partners: FloatArray, *, rho: FloatArray) -> PairScores:
    """Return the casewise scores of one continuous variable, (N,), with its partners, (N, c).

    Examples
    --------
    >>> scores = product_moment_scores(np.array([1.0]), np.array([[2.0]]), rho=np.zeros(1))
    >>> scores.correlation.tolist(), scores.anchor[0].tolist(), scores.partner[1].tolist()
    ([[2.0]], [[1.0]], [[1.5]])
    """
    rest = (1.0 - rho) * (1.0 + rho)
    a, b = np.broadcast_arrays(anchor[:, None], partners)
    mean_a, mean_b = (a - rho * b) / rest, (b - rho * a) / rest
    return PairScores(
        correlation=(rho + a * b) / rest - rho * (a * a - 2.0 * rho * a * b + b * b) / rest**2,
        anchor=(mean_a, 0.5 * (a * mean_a - 1.0)),
        partner=(mean_b, 0.5 * (b * mean_b - 1.0)),
    )
