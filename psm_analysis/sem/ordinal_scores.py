"""Factor scores from ordinal answers: the mode or the mean of the factors given what a row has answered.

References
----------
Bock, R. D., & Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters. Psychometrika, 46, 443-459.
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika, 49, 115-132.
Liu, Q., & Pierce, D. A. (1994). A note on Gauss-Hermite quadrature. Biometrika, 81, 624-629 (adaptive quadrature).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, roots_hermite

from psm_analysis.errors import OptionError
from psm_analysis.sem.arrays import Array

CELLS = 2_000_000
STEPS = 200
CLOSE = 1e-10
NODES = {1: 31, 2: 17, 3: 11, 4: 9}
LOG_ROOT_2_PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Posterior:
    """The distribution of ``v``, a priori standard normal, given the answers of n rows.

    ``-log p(v) = v'P v / 2 - b'v - sum_j log[Phi(upper_j - a_j'v) - Phi(lower_j - a_j'v)]`` plus a constant.

    Attributes
    ----------
    P, b
        ``(n, d, d)`` and ``(n, d)``: the prior and the continuous answers.
    slopes
        ``(p, d)``, the vectors a of the ordinal variables.
    lower, upper
        ``(n, p)`` limits of their residuals; infinite where there is no answer.
    """

    P: Array
    b: Array
    slopes: Array
    lower: Array
    upper: Array

    def part(self, rows: slice) -> Posterior:
        """Return that of some rows."""
        return Posterior(self.P[rows], self.b[rows], self.slopes, self.lower[rows], self.upper[rows])

    def value(self, v: Array) -> Array:
        """Return minus the log density, without its constant, at ``v`` of the shape ``(n, ..., d)``."""
        lead = v.ndim - 2
        lower, upper = (_widened(limit, lead) for limit in (self.lower, self.upper))
        P, b = _widened(self.P, lead), _widened(self.b, lead)
        predictor = v @ self.slopes.T
        quadratic = 0.5 * np.einsum("...i,...ij,...j->...", v, P, v) - (b * v).sum(axis=-1)
        return np.asarray(quadratic - log_interval(lower - predictor, upper - predictor).sum(axis=-1))

    def derivatives(self, v: Array) -> tuple[Array, Array]:
        """Return gradient and Hessian of `value` at ``v`` of the shape ``(n, d)``."""
        predictor = v @ self.slopes.T
        first, second = _interval_slopes(self.lower - predictor, self.upper - predictor)
        gradient = np.einsum("nij,nj->ni", self.P, v) - self.b + first @ self.slopes
        return gradient, self.P + np.einsum("nj,ji,jk->nik", second, self.slopes, self.slopes, optimize=True)


def _widened(x: Array, lead: int) -> Array:
    return x.reshape(len(x), *(1,) * lead, *x.shape[1:])


def log_interval(lower: Array, upper: Array) -> Array:
    """Return ``log P(lower < Z < upper)`` of a standard normal Z, right in both tails."""
    flip = lower > 0.0
    high, low = np.where(flip, -lower, upper), np.where(flip, -upper, lower)
    log_high = log_ndtr(high)
    with np.errstate(divide="ignore"):
        return np.asarray(log_high + np.log1p(-np.exp(np.minimum(log_ndtr(low) - log_high, -1e-300))))


def _interval_slopes(lower: Array, upper: Array) -> tuple[Array, Array]:
    """Return the first and second derivatives of ``-log P(lower - t < Z < upper - t)`` by t, at 0."""
    log_p = log_interval(lower, upper)
    above, below = (np.exp(-0.5 * z * z - LOG_ROOT_2_PI - log_p) for z in (upper, lower))
    first = above - below
    moved = [np.where(np.isfinite(z), z, 0.0) * ratio for z, ratio in ((upper, above), (lower, below))]
    return first, first**2 + moved[0] - moved[1]


def modes(posterior: Posterior) -> tuple[Array, Array]:
    """Return the modes ``(n, d)`` and the inverse Hessians there, by Newton steps, halved where they overshoot."""
    v = np.linalg.solve(posterior.P, posterior.b[..., None])[..., 0]
    value = posterior.value(v)
    for _ in range(STEPS):
        gradient, hessian = posterior.derivatives(v)
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        if np.abs(step).max(initial=0.0) < CLOSE:
            break
        size = np.ones(len(v))
        for _ in range(30):
            moved = v - size[:, None] * step
            found = posterior.value(moved)
            worse = ~(found <= value + 1e-12 * np.abs(value))
            if not worse.any():
                break
            size[worse] *= 0.5
        v, value = np.where(worse[:, None], v, moved), np.where(worse, value, found)
    return v, np.linalg.inv(posterior.derivatives(v)[1])


def means(posterior: Posterior) -> tuple[Array, Array]:
    """Return the means ``(n, d)`` and covariance matrices, by Gauss-Hermite quadrature about the modes.

    Raises
    ------
    OptionError
        For more than four dimensions.
    """
    n, d = posterior.b.shape
    if d not in NODES:
        raise OptionError(
            f"Posterior means are integrals over {d} factors; quadrature serves up to {max(NODES)}.",
            where="argument 'method'",
            remedy="Use method='ebm', the mode.",
        )
    nodes, log_weights = _grid(d)
    mode, spread = modes(posterior)
    root = np.linalg.cholesky(spread)
    mean, cov = np.empty((n, d)), np.empty((n, d, d))
    size = max(1, CELLS // (len(nodes) * max(posterior.lower.shape[1], d)))
    for start in range(0, n, size):
        rows = slice(start, start + size)
        v = mode[rows, None] + np.einsum("qj,nij->nqi", nodes, root[rows])
        log_mass = log_weights - posterior.part(rows).value(v)
        mass = np.exp(log_mass - log_mass.max(axis=1, keepdims=True))
        mass /= mass.sum(axis=1, keepdims=True)
        mean[rows] = np.einsum("nq,nqi->ni", mass, v)
        centred = v - mean[rows, None]
        cov[rows] = np.einsum("nq,nqi,nqj->nij", mass, centred, centred, optimize=True)
    return mean, cov


def _grid(d: int) -> tuple[Array, Array]:
    """Return nodes ``(q, d)`` and log weights for integrals of ``exp(-f)``: the Gaussian factor is taken out again."""
    x, w = roots_hermite(NODES[d])
    nodes = np.sqrt(2.0) * np.array(list(itertools.product(x, repeat=d)))
    weights = np.log(np.array(list(itertools.product(w, repeat=d)))).sum(axis=1)
    return nodes, weights + 0.5 * (nodes**2).sum(axis=1)
