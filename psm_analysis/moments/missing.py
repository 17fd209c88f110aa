"""Maximum likelihood mean and covariance of incomplete normal data by the EM algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import ConvergenceError, DataError
from psm_analysis.moments.pattern_likelihood import pattern_fit
from psm_analysis.moments.patterns import MissingPatterns, find_patterns
from psm_analysis.moments.sample import FloatArray

LOG_2PI = float(np.log(2.0 * np.pi))
Moments = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class EMMoments:
    """Maximum likelihood moments of incomplete data (divisor N), their log-likelihood and how they were found."""

    mean: FloatArray
    covariance: FloatArray
    loglik: float
    iterations: int
    n_rows: int


def em_moments(
    data: MissingPatterns | FloatArray, *, tolerance: float = 1e-10, max_iterations: int = 20_000
) -> EMMoments:
    """Estimate mean and covariance of incomplete normal data by EM on missing-data patterns.

    The E-step replaces the sufficient statistics of each pattern by their expectations given its observed items;
    the M-step takes their averages (Little & Rubin 2020, section 11.2). Steps are extrapolated by SQUAREM
    (Varadhan & Roland 2008) and kept only where the log-likelihood does not fall.

    Parameters
    ----------
    data
        Missing-data patterns, or an (N, p) array with NaN for missing.
    tolerance
        The iteration stops when the log-likelihood changes by less than this (plus rounding, 1e-13 of its size).
    max_iterations
        The largest number of evaluated EM steps.

    Raises
    ------
    DataError
        If an item was never observed, or the covariance matrix becomes singular.
    ConvergenceError
        If `max_iterations` did not suffice.

    References
    ----------
    Little, R. J. A., & Rubin, D. B. (2020). Statistical analysis with missing data (3rd ed.). Wiley.
    Varadhan, R., & Roland, C. (2008). Scandinavian Journal of Statistics, 35, 335-353.

    Examples
    --------
    >>> moments = em_moments(np.array([[1.0, 2.0], [2.0, 3.5], [3.0, 3.0], [4.0, np.nan]]))
    >>> moments.mean.round(3).tolist(), moments.n_rows
    ([2.5, 3.083], 4)
    """
    patterns = data if isinstance(data, MissingPatterns) else find_patterns(data)
    point = _starting_values(patterns)
    one, loglik = _em_step(patterns, point)
    for iteration in range(1, max_iterations + 1):
        two, least = _em_step(patterns, one)
        leap = _leap(point, one, two)
        end = two if leap is None else _em_step(patterns, leap)[0]
        after, reached = _em_step(patterns, end)
        if leap is not None and reached < least:
            end = two
            after, reached = _em_step(patterns, end)
        change, loglik, point, one = reached - loglik, reached, end, after
        if abs(change) <= tolerance + 1e-13 * abs(loglik):
            return EMMoments(*point, loglik, iteration, patterns.n_rows)
    raise ConvergenceError(
        f"The EM algorithm did not converge in {max_iterations} iterations.",
        where="moments under missing data",
        remedy="Some items may be missing almost entirely together; look at the missing-data patterns.",
    )


def normal_loglik(patterns: MissingPatterns, mean: FloatArray, *, covariance: FloatArray) -> float:
    """Return the observed-data normal log-likelihood at a mean and covariance.

    Examples
    --------
    >>> patterns = find_patterns(np.array([[0.0], [0.0]]))
    >>> round(normal_loglik(patterns, np.zeros(1), covariance=np.eye(1)), 6)
    -1.837877
    """
    return _loglik(patterns, pattern_fit(patterns, mean, covariance=covariance).value)


def _loglik(patterns: MissingPatterns, value: float) -> float:
    answers = float(patterns.counts @ patterns.observed.sum(axis=1))
    return -0.5 * (answers * LOG_2PI + patterns.mass * value)


def _starting_values(patterns: MissingPatterns) -> Moments:
    answers = patterns.counts @ patterns.observed
    if (answers == 0).any():
        raise DataError(
            "An item has no answers at all.",
            where=f"column number {int(np.argmin(answers)) + 1}",
            remedy="Leave it out.",
        )
    mean, variance = available_moments(patterns)
    return mean, np.diag(variance)


def available_moments(patterns: MissingPatterns) -> Moments:
    """Return mean and variance (divisor N) of each item over the rows that answered it.

    Examples
    --------
    >>> available_moments(find_patterns(np.array([[1.0, 2.0], [3.0, np.nan]])))
    (array([2., 2.]), array([1., 0.]))
    """
    answers = patterns.counts @ patterns.observed
    mean = patterns.counts @ patterns.means / answers
    square = np.diagonal(patterns.scatters, axis1=1, axis2=2) + patterns.distance(mean) ** 2
    return mean, patterns.counts @ square / answers


def available_covariance(patterns: MissingPatterns) -> FloatArray:
    """Return the covariance of each pair of items over the rows that answered both, about their means.

    Sums of products are divided by ``n_ij - 1`` and multiplied by ``(N - 1) / N``: with complete rows the divisor is N.
    Items that fewer than two rows answered together have a covariance of 0.

    Examples
    --------
    >>> available_covariance(find_patterns(np.array([[1.0, 2.0], [3.0, 8.0], [8.0, np.nan]]))).round(3).tolist()
    [[8.667, 4.0], [4.0, 12.0]]
    """
    centre, seen = available_moments(patterns)[0], patterns.observed.astype(float)
    n = (seen.T * patterns.counts) @ seen
    mean = (patterns.distance(centre).T * patterns.counts) @ seen / np.maximum(n, 1.0)
    products = np.einsum("p,pij->ij", patterns.counts, patterns.moments(centre)) - n * mean * mean.T
    return np.asarray(np.where(n > 1.0, products / np.maximum(n - 1.0, 1.0), 0.0) * (1.0 - 1.0 / patterns.mass))


def _em_step(patterns: MissingPatterns, point: Moments) -> tuple[Moments, float]:
    """Return the end of one EM step, and the log-likelihood at the point it started from.

    The expected statistics are those at the point plus what the slopes ``G, g`` of ``-2/n log L`` say:
    ``mu - Sigma g / 2`` and ``Sigma - Sigma G Sigma``, the latter about the former.
    """
    mean, covariance = point
    fit = pattern_fit(patterns, mean, covariance=covariance)
    move = -0.5 * covariance @ fit.g
    moved = covariance - covariance @ fit.G @ covariance - np.outer(move, move)
    return (mean + move, 0.5 * (moved + moved.T)), _loglik(patterns, fit.value)


def _leap(start: Moments, one: Moments, two: Moments) -> Moments | None:
    """Return where SQUAREM extrapolates two EM steps to; None if there is no such place."""
    a, b, c = (np.concatenate([mean, covariance.ravel()]) for mean, covariance in (start, one, two))
    r, v = b - a, c - 2.0 * b + a
    if not np.linalg.norm(v) > 1e-14 * np.linalg.norm(a):
        return None
    length = -max(1.0, float(np.linalg.norm(r) / np.linalg.norm(v)))
    leap = a - 2.0 * length * r + length**2 * v
    p = len(start[0])
    covariance = leap[p:].reshape(p, p)
    return (leap[:p], covariance) if np.linalg.eigvalsh(covariance)[0] > 0.0 else None
