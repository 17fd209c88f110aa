"""Which groups differ in which parameter after alignment.

References
----------
Asparouhov, T., & Muthén, B. (2014). Multiple-group factor analysis alignment. Structural Equation Modeling, 21, 495-508
(pp. 499-500).
"""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import Array, Mask

PAIR_ALPHA = 0.01
SET_ALPHA = 0.001
MAX_ROUNDS = 100


def invariant_groups(values: Array, covariance: Array) -> Mask:
    """Return the groups between which a parameter is invariant, shape ``(G,)``.

    The largest set of groups that are connected by pairwise tests with p above .01 comes first; then groups whose value
    differs from the average of the set at .001 leave it, and the others join it, until nothing changes.

    Examples
    --------
    >>> invariant_groups(np.array([0.0, 0.01, 0.9]), np.eye(3) * 0.01).tolist()
    [True, True, False]
    """
    inside = _largest_component(_pair_p_values(values, covariance) > PAIR_ALPHA)
    for _ in range(MAX_ROUNDS):
        contrasts = np.eye(len(values)) - inside / inside.sum()
        near = _p_values(contrasts @ values, np.einsum("gi,ij,gj->g", contrasts, covariance, contrasts)) > SET_ALPHA
        if (near == inside).all() or not near.any():
            break
        inside = near
    return inside


def _pair_p_values(values: Array, covariance: Array) -> Array:
    spread = np.diagonal(covariance)
    return _p_values(values[:, None] - values, spread[:, None] + spread - 2.0 * covariance)


def _p_values(difference: Array, variance: Array) -> Array:
    """Return two-sided p values; a difference without variance is none."""
    from scipy.special import ndtr

    z = np.abs(difference) / np.sqrt(np.maximum(variance, 1e-300))
    return np.where(variance > 1e-14, 2.0 * ndtr(-z), 1.0)


def _largest_component(connected: Mask) -> Mask:
    left, best = np.ones(len(connected), dtype=bool), np.zeros(len(connected), dtype=bool)
    while left.any():
        found = np.zeros_like(left)
        found[np.argmax(left)] = True
        while (grown := found | connected[found].any(axis=0)).sum() > found.sum():
            found = grown
        best = found if found.sum() > best.sum() else best
        left &= ~found
    return best


def explained(values: Array, predicted: Array) -> float:
    """Return the share of the variance over groups that differences of factor means and variances explain.

    ``R^2 = 1 - Var(values - predicted) / Var(values)``, not below 0 (Asparouhov & Muthén, 2014, eq. 13-14).
    """
    whole = float(values.var())
    return max(0.0, 1.0 - float((values - predicted).var()) / whole) if whole > 0 else 1.0
