"""Distances between the distributions of an item in the reference and in a new wave.

References
----------
Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on Information Theory, 37, 145-151.
Yurdakul, B., & Naranjo, J. (2020). Statistical properties of the population stability index. Journal of Risk Model
Validation, 14(4).
"""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stability_index(old: Array, new: Array, *, n_old: int, n_new: int) -> float:
    r"""Return :math:`\sum_c (q_c - p_c) \ln (q_c / p_c)`; shares of zero count as half a person.

    Examples
    --------
    >>> round(stability_index(np.array([0.5, 0.5]), np.array([0.25, 0.75]), n_old=100, n_new=100), 6)
    0.274653
    """
    p, q = np.maximum(old, 0.5 / max(n_old, 1)), np.maximum(new, 0.5 / max(n_new, 1))
    return float(np.sum((q - p) * np.log(q / p)))


def stability_p_value(index: float, *, categories: int, n_old: int, n_new: int) -> float:
    """Return the probability of such an index without change: it is (1/n_old + 1/n_new) times a chi-square.

    Examples
    --------
    >>> round(stability_p_value(0.05, categories=3, n_old=100, n_new=100), 4)
    0.2865
    """
    from scipy.special import chdtrc

    if min(n_old, n_new) < 1 or not np.isfinite(index):
        return float("nan")
    return float(chdtrc(categories - 1, index / (1 / n_old + 1 / n_new)))


def jensen_shannon(old: Array, new: Array) -> float:
    """Return the mean divergence of both distributions from their average, in bits: 0 equal, 1 without overlap.

    Examples
    --------
    >>> jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    middle = (old + new) / 2
    parts = [np.sum(p[p > 0] * np.log2(p[p > 0] / middle[p > 0])) for p in (old, new)]
    return float(sum(parts) / 2)


def normal_p_value(z: float) -> float:
    """Return the two-sided p value of a standard normal statistic."""
    return erfc(abs(z) / sqrt(2)) if np.isfinite(z) else float("nan")


def share_p_value(old: float, new: float, *, n_old: int, n_new: int) -> float:
    """Return the two-sided p value of the difference of two shares, by the pooled normal test."""
    pooled = (old * n_old + new * n_new) / (n_old + n_new)
    error = sqrt(pooled * (1 - pooled) * (1 / n_old + 1 / n_new))
    return normal_p_value((new - old) / error) if error > 0 else 1.0
