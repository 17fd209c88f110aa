"""Maximum likelihood mean and covariance of incomplete normal data by the EM algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import ConvergenceError, DataError
from psm_analysis.moments.patterns import MissingPatterns, find_patterns
from psm_analysis.moments.sample import FloatArray

LOG_2PI = float(np.log(2.0 * np.pi))


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
    (Varadhan & Roland 2008) and kept only where the log-likelihood rises, so that it never falls.

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
    mean, covariance = _starting_values(patterns)
    loglik = normal_loglik(patterns, mean, covariance=covariance)
    for iteration in range(1, max_iterations + 1):
        mean, covariance, step_loglik = _accelerated_step(patterns, mean, covariance=covariance)
        change, loglik = step_loglik - loglik, step_loglik
        if abs(change) <= tolerance + 1e-13 * abs(loglik):
            return EMMoments(mean, covariance, loglik, iteration, patterns.n_rows)
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
    weight, logdet = pattern_inverses(patterns, covariance)
    deviation = (patterns.means - mean) * patterns.observed
    quadratic = np.einsum("gij,gij->g", weight, patterns.scatters)
    quadratic += np.einsum("gi,gij,gj->g", deviation, weight, deviation)
    sizes = patterns.observed.sum(axis=1)
    return float(-0.5 * patterns.counts @ (sizes * LOG_2PI + logdet + quadratic))


def pattern_inverses(patterns: MissingPatterns, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return per pattern the inverse of the observed block of `covariance` (0 elsewhere) and its log-determinant.

    Examples
    --------
    >>> patterns = find_patterns(np.array([[1.0, np.nan], [2.0, np.nan]]))
    >>> weight, logdet = pattern_inverses(patterns, np.diag([4.0, 9.0]))
    >>> weight.tolist(), logdet.round(3).tolist()
    ([[[0.25, 0.0], [0.0, 0.0]]], [1.386])
    """
    both = patterns.observed[:, :, None] & patterns.observed[:, None, :]
    block = np.where(both, covariance, np.eye(patterns.n_items))
    try:
        chol = np.linalg.cholesky(block)
    except np.linalg.LinAlgError as error:
        raise DataError(
            "The covariance matrix of the incomplete data is singular.",
            where="moments under missing data",
            remedy="Leave out items that are sums or copies of others, or items answered by hardly anybody.",
        ) from error
    logdet = 2.0 * np.log(np.diagonal(chol, axis1=1, axis2=2)).sum(axis=1)
    return np.linalg.inv(block) * both, logdet


def _starting_values(patterns: MissingPatterns) -> tuple[FloatArray, FloatArray]:
    answers = patterns.counts @ patterns.observed
    if (answers == 0).any():
        raise DataError(
            "An item has no answers at all.",
            where=f"column number {int(np.argmin(answers)) + 1}",
            remedy="Leave it out.",
        )
    mean = patterns.counts @ patterns.means / answers
    deviation = (patterns.means - mean) * patterns.observed
    variance = patterns.counts @ (np.diagonal(patterns.scatters, axis1=1, axis2=2) + deviation**2) / answers
    return mean, np.diag(variance)


def _em_step(
    patterns: MissingPatterns, mean: FloatArray, *, covariance: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """One EM step from (mean, covariance), and the log-likelihood at the point it started from."""
    weight, logdet = pattern_inverses(patterns, covariance)
    deviation = (patterns.means - mean) * patterns.observed
    regression = covariance @ weight
    expected = mean + np.einsum("gij,gj->gi", regression, deviation)
    total = patterns.mass
    new_mean = patterns.counts @ expected / total
    residual = covariance - regression @ covariance
    second = regression @ patterns.scatters @ regression.transpose(0, 2, 1) + residual
    centred = expected - new_mean
    new_covariance = np.einsum("g,gij->ij", patterns.counts, second) / total
    new_covariance += (centred * patterns.counts[:, None]).T @ centred / total
    quadratic = np.einsum("gij,gij->g", weight, patterns.scatters)
    quadratic += np.einsum("gi,gij,gj->g", deviation, weight, deviation)
    sizes = patterns.observed.sum(axis=1)
    loglik = float(-0.5 * patterns.counts @ (sizes * LOG_2PI + logdet + quadratic))
    return new_mean, 0.5 * (new_covariance + new_covariance.T), loglik


def _accelerated_step(
    patterns: MissingPatterns, mean: FloatArray, *, covariance: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """One SQUAREM cycle: two EM steps, an extrapolation, one stabilising EM step; the better of the two ends."""
    mean_1, cov_1, _ = _em_step(patterns, mean, covariance=covariance)
    mean_2, cov_2, _ = _em_step(patterns, mean_1, covariance=cov_1)
    plain = normal_loglik(patterns, mean_2, covariance=cov_2)
    points = ((mean, covariance), (mean_1, cov_1), (mean_2, cov_2))
    start, one, two = (np.concatenate([m, c.ravel()]) for m, c in points)
    r, v = one - start, two - 2.0 * one + start
    if not np.linalg.norm(v) > 1e-14 * np.linalg.norm(start):
        return mean_2, cov_2, plain
    length = -max(1.0, float(np.linalg.norm(r) / np.linalg.norm(v)))
    leap = start - 2.0 * length * r + length**2 * v
    p = len(mean)
    leap_cov = leap[p:].reshape(p, p)
    if np.linalg.eigvalsh(leap_cov)[0] <= 0.0:
        return mean_2, cov_2, plain
    mean_3, cov_3, _ = _em_step(patterns, leap[:p], covariance=leap_cov)
    leaped = normal_loglik(patterns, mean_3, covariance=cov_3)
    return (mean_3, cov_3, leaped) if leaped >= plain else (mean_2, cov_2, plain)
