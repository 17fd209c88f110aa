"""Bootstrap of pairwise-complete covariance matrices, all replicates at once."""

from __future__ import annotations

import warnings

import numpy as np

from psm_analysis._arguments import check_seed, check_whole
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.moments.sample import FloatArray


def bootstrap_covariances(values: FloatArray, n_replicates: int, *, seed: int) -> FloatArray:
    """Return (B, p, p) pairwise-complete covariances (divisor n - 1) of rows drawn with replacement.

    Each replicate is a vector of row counts; all second moments are one matrix product of counts with
    casewise products, so that no replicate is ever built.

    Raises
    ------
    DataError
        If some replicate leaves fewer than two common cases to a pair of items.

    Examples
    --------
    >>> values = np.random.default_rng(1).standard_normal((50, 3))
    >>> bootstrap_covariances(values, 4, seed=1).shape
    (4, 3, 3)
    """
    n, p = values.shape
    seen = (~np.isnan(values)).astype(np.float64)
    x = np.where(seen > 0, values - np.nanmean(values, axis=0), 0.0)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=n_replicates).astype(np.float64)
    count, sums, cross = (
        (weights @ (left[:, :, None] * right[:, None, :]).reshape(n, p * p)).reshape(n_replicates, p, p)
        for left, right in ((seen, seen), (x, seen), (x, x))
    )
    if count.min() < 2:
        raise DataError(
            "Bootstrap samples leave a pair of items with fewer than two common cases.",
            where="argument 'data'",
            remedy="Leave out items that were hardly ever answered together.",
        )
    return np.asarray((cross - sums * sums.transpose(0, 2, 1) / count) / (count - 1.0))


def check_replicates(n_replicates: int, seed: int | None) -> int:
    """Return the seed, or raise if it is not given or there are fewer than 100 replicates.

    Examples
    --------
    >>> check_replicates(2000, 1)
    1
    """
    checked = check_seed(seed)
    if checked is None:
        raise OptionError(
            "Without a seed a bootstrap interval cannot be reproduced.", where="argument 'seed'", remedy="Give seed=1."
        )
    check_whole(n_replicates, name="n_replicates", least=100, remedy="Use 2000 for an interval.")
    return checked


def bootstrap_correlations(values: FloatArray, n_replicates: int, *, seed: int) -> FloatArray:
    """Return (B, p, p) pairwise-complete correlations of rows drawn with replacement.

    Replicates that leave an item constant are set aside, with a warning that says how many.

    Raises
    ------
    DataError
        If fewer than 100 replicates remain, or fewer than half.

    Examples
    --------
    >>> values = np.random.default_rng(1).standard_normal((50, 3))
    >>> bootstrap_correlations(values, 200, seed=1).shape
    (200, 3, 3)
    """
    C = bootstrap_covariances(values, n_replicates, seed=seed)
    variances = np.diagonal(C, axis1=-2, axis2=-1)
    varies = (variances > 1e-12 * np.nanvar(values, axis=0)).all(axis=1)
    lost = n_replicates - int(varies.sum())
    if n_replicates - lost < max(100, n_replicates / 2):
        raise DataError(
            f"{lost} of {n_replicates} bootstrap samples leave an item constant.",
            where="argument 'data'",
            remedy="There are too few rows, or an item on which nearly everybody agrees: leave it out.",
        )
    if lost:
        warnings.warn(
            f"{lost} of {n_replicates} bootstrap samples left an item constant and were set aside.",
            PsmAnalysisWarning,
            stacklevel=3,
        )
    scale = 1.0 / np.sqrt(variances[varies])
    return np.asarray(C[varies] * scale[..., :, None] * scale[..., None, :])


def percentile_interval(replicates: FloatArray, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return the percentile interval over the first axis.

    Examples
    --------
    >>> low, high = percentile_interval(np.arange(101.0))
    >>> round(float(low), 6), round(float(high), 6)
    (2.5, 97.5)
    """
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(replicates, [tail, 1.0 - tail], axis=0)
    return low, high
