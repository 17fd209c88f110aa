"""The normal likelihood of incomplete rows and its slopes, by missing-data patterns: what EM and FIML share.

With ``T_p = S_p + (m_p - mu)(m_p - mu)'`` of pattern p and the inverse ``W_p`` of its block of Sigma (0 elsewhere),
``-2/n log L = sum_p (n_p / n) [log|Sigma_p| + tr(T_p W_p)] + constant`` (Arbuckle, 1996, eq. 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import DataError
from psm_analysis.moments.patterns import MissingPatterns
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray

CELLS = 2_000_000
"""Numbers in one array: so many patterns are worked on at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class PatternFit:
    """The likelihood at one mean and covariance matrix.

    Attributes
    ----------
    value
        ``-2/n log L`` without ``log 2 pi``.
    G, g
        ``d value = tr(G dSigma) + g'dmu``.
    inner
        ``W_p`` and ``W_p T_p W_p`` of all patterns, shape ``(P, p, p)``, or None where there are too many to keep.
    """

    value: float
    G: FloatArray
    g: FloatArray
    inner: tuple[FloatArray, FloatArray] | None


def pattern_fit(patterns: MissingPatterns, mean: FloatArray, *, covariance: FloatArray) -> PatternFit:
    """Return the likelihood of incomplete rows and its slopes.

    Raises
    ------
    DataError
        If the covariance matrix is not positive definite.

    Examples
    --------
    >>> patterns = MissingPatterns(np.array([[True]]), np.array([2.0]), np.ones((1, 1)), np.zeros((1, 1, 1)), None)
    >>> fit = pattern_fit(patterns, np.zeros(1), covariance=np.eye(1))
    >>> fit.value, fit.G.tolist(), fit.g.tolist()
    (1.0, [[0.0]], [-2.0])
    """
    value, G, g = 0.0, np.zeros_like(covariance), np.zeros_like(mean)
    parts = pattern_parts(patterns)
    for part in parts:
        W, log_determinant = pattern_inverses(part, covariance)
        share, distance = part.counts / patterns.mass, part.distance(mean)
        WT = W @ part.moments(mean)
        WTW = WT @ W
        value += float(share @ (log_determinant + np.trace(WT, axis1=1, axis2=2)))
        G += np.tensordot(share, W - WTW, axes=1)
        g -= 2.0 * (share @ np.einsum("pij,pj->pi", W, distance))
    return PatternFit(value, 0.5 * (G + G.T), g, (W, WTW) if len(parts) == 1 else None)


def pattern_weights(
    patterns: MissingPatterns, mean: FloatArray, *, covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return ``W_p`` and ``W_p T_p W_p`` of all patterns, shape ``(P, p, p)``."""
    W, _ = pattern_inverses(patterns, covariance)
    return W, W @ patterns.moments(mean) @ W


def pattern_parts(patterns: MissingPatterns) -> list[MissingPatterns]:
    """Return the patterns in parts of which arrays of shape ``(P, p, p)`` are of a size to work with."""
    step = max(1, CELLS // patterns.n_items**2)
    if len(patterns.counts) <= step:
        return [patterns]
    return [patterns.part(slice(start, start + step)) for start in range(0, len(patterns.counts), step)]


def pattern_inverses(patterns: MissingPatterns, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return per pattern the inverse of the observed block of `covariance` (0 elsewhere) and its log-determinant.

    With ``W`` the inverse of the whole matrix and m the missing items it is ``W - W_:m W_mm^-1 W_m:``, and the
    log-determinant ``log|Sigma| + log|W_mm|``; where more than half of the items are missing, the block is inverted.

    Examples
    --------
    >>> observed, none = np.array([[True, False]]), np.zeros(0)
    >>> patterns = MissingPatterns(observed, np.array([2.0]), np.zeros((1, 2)), np.zeros((1, 2, 2)), none)
    >>> weight, logdet = pattern_inverses(patterns, np.diag([4.0, 9.0]))
    >>> weight.tolist(), logdet.round(3).tolist()
    ([[[0.25, 0.0], [0.0, 0.0]]], [1.386])
    """
    try:
        whole = float(2.0 * np.log(np.linalg.cholesky(covariance).diagonal()).sum())
    except np.linalg.LinAlgError:
        return _block_inverses(patterns.observed, covariance)
    p, inverse = patterns.n_items, np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    n_missing = p - patterns.observed.sum(axis=1)
    weight, log_determinant = np.empty((len(n_missing), p, p)), np.full(len(n_missing), whole)
    for count in np.unique(n_missing).tolist():
        here = np.flatnonzero(n_missing == count)
        if count == 0:
            weight[here] = inverse
        elif 2 * count > p:
            weight[here], log_determinant[here] = _block_inverses(patterns.observed[here], covariance)
        else:
            missing = np.nonzero(~patterns.observed[here])[1].reshape(-1, count)
            weight[here], added = _without(inverse, missing)
            log_determinant[here] += added
    return weight, log_determinant


def _without(inverse: FloatArray, missing: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the inverses of the blocks that some items are left out of, and what that adds to the log-determinant."""
    rows, block = inverse[missing], inverse[missing[:, :, None], missing[:, None, :]]
    found = inverse - rows.transpose(0, 2, 1) @ np.linalg.solve(block, rows)
    pattern = np.arange(len(missing))[:, None]
    found[pattern, missing] = 0.0
    found[pattern, :, missing] = 0.0
    return found, np.linalg.slogdet(block)[1]


def _block_inverses(observed: BoolArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    both = observed[:, :, None] & observed[:, None, :]
    block = np.where(both, covariance, np.eye(len(covariance)))
    try:
        chol = np.linalg.cholesky(block)
    except np.linalg.LinAlgError as error:
        raise DataError(
            "The covariance matrix of the incomplete data is singular.",
            where="moments under missing data",
            remedy="Leave out items that are sums or copies of others, or items answered by hardly anybody.",
        ) from error
    log_determinant = 2.0 * np.log(np.diagonal(chol, axis1=1, axis2=2)).sum(axis=1)
    return np.linalg.inv(block) * both, log_determinant
