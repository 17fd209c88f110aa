"""Scores of single rows: derivatives of their log-likelihood, for sandwich standard errors and robust tests."""

from __future__ import annotations

import numpy as np

from psm_analysis.moments.pattern_likelihood import pattern_inverses
from psm_analysis.moments.patterns import MissingPatterns
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import Directions, Implied

CHUNK = 2_000_000


def row_scores(d: Directions, implied: Implied, centred: Array, patterns: MissingPatterns | None) -> Array:
    """Return the scores of rows from which the (implied) means are taken, shape ``(n, q)``.

    With ``a = W (y - mu)`` the score for a parameter is ``(a'u)(a'v) - u'Wv + a'm``; ``W`` is the inverse of the
    implied covariance matrix of what the row has answered.
    """
    if patterns is None:
        W = np.linalg.inv(implied.Sigma)
        constant = np.einsum("ik,ik->k", d.U, W @ d.V)
    else:
        W, _ = pattern_inverses(patterns, implied.Sigma)
        constant = np.einsum("ik,pij,jk->pk", d.U, W, d.V, optimize=True)[patterns.row_pattern]
    a = weighted_distances(implied.Sigma, centred, patterns)
    return np.asarray((a @ d.U) * (a @ d.V) - constant + a @ d.M)


def weighted_distances(Sigma: Array, centred: Array, patterns: MissingPatterns | None) -> Array:
    """Return ``W (y - mu)`` of all rows, with W the inverse of the observed block and 0 where a row has no answer."""
    if patterns is None:
        return np.asarray(centred @ np.linalg.inv(Sigma))
    W, _ = pattern_inverses(patterns, Sigma)
    known = np.where(np.isnan(centred), 0.0, centred)
    found = np.empty_like(known)
    step = max(1, CHUNK // known.shape[1] ** 2)
    for start in range(0, len(known), step):
        part = slice(start, start + step)
        found[part] = np.einsum("nij,nj->ni", W[patterns.row_pattern[part]], known[part])
    return found
