"""The log-likelihood of an ordinal answer by proportional odds: all that a test of item functioning needs."""

from __future__ import annotations

import numpy as np

from psm_analysis.errors import ConvergenceError
from psm_analysis.irt.graded_kernel import TINY
from psm_analysis.moments.sample import FloatArray, IntArray


def proportional_odds(codes: IntArray, X: FloatArray, *, name: str) -> tuple[float, FloatArray]:
    """Return the largest log-likelihood and the slopes, by Newton steps with step halving.

    Parameters
    ----------
    codes
        Categories from 0 without gaps, (n,).
    X
        Predictors, (n, k).
    name
        Of the item, for the error.

    Raises
    ------
    ConvergenceError
        If a predictor separates the categories.

    Examples
    --------
    >>> loglik, slopes = proportional_odds(np.array([0, 1, 0, 1]), np.array([[0.0], [0.0], [1.0], [1.0]]), name="a")
    >>> round(loglik, 4), abs(slopes.round(6)).tolist()
    (-2.7726, [0.0])
    """
    m = int(codes.max()) + 1
    share = np.cumsum(np.bincount(codes, minlength=m))[:-1] / len(codes)
    x = np.concatenate([np.zeros(X.shape[1]), np.log(share / (1.0 - share))])
    value, gradient, hessian = _evaluate(x, codes, X=X)
    for _ in range(60):
        step = np.linalg.lstsq(-hessian, gradient, rcond=1e-12)[0]
        # separated answers have steps of about 1 for ever, however little is left to gain
        if np.abs(step).max() < 1e-4 and gradient @ step < 1e-10:
            return value, x[: X.shape[1]]
        size = 1.0
        while size > 1e-8:
            reached = _evaluate(x + size * step, codes, X=X)
            if reached[0] >= value:
                break
            size /= 2.0
        else:
            return value, x[: X.shape[1]]
        x, (value, gradient, hessian) = x + size * step, reached
        if np.abs(x).max() > 1e3:
            break
    raise ConvergenceError(
        "The ordinal logistic regression has no finite maximum: a predictor separates the answers.",
        where=f"column {name!r}",
        remedy="Merge rare categories of the item.",
    )


def _evaluate(x: FloatArray, codes: IntArray, *, X: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    from scipy.special import expit

    k = X.shape[1]
    cuts = np.concatenate([[-np.inf], x[k:], [np.inf]])
    if (np.diff(x[k:]) <= 0.0).any():
        return -np.inf, np.zeros_like(x), np.eye(len(x))
    eta = X @ x[:k]
    upper, lower = expit(cuts[codes + 1] - eta), expit(cuts[codes] - eta)
    p = np.maximum(upper - lower, TINY)
    fu, fl = upper * (1.0 - upper), lower * (1.0 - lower)
    at = np.arange(len(x) - k)
    zu, zl = np.hstack([-X, codes[:, None] == at]), np.hstack([-X, codes[:, None] - 1 == at])
    scores = (fu[:, None] * zu - fl[:, None] * zl) / p[:, None]
    bend = (zu * (fu * (1.0 - 2.0 * upper) / p)[:, None]).T @ zu
    bend -= (zl * (fl * (1.0 - 2.0 * lower) / p)[:, None]).T @ zl
    return float(np.log(p).sum()), scores.sum(axis=0), bend - scores.T @ scores
