"""Rank correlations of all pairs of items, pairwise complete."""

from __future__ import annotations

import numpy as np

from psm_analysis.moments.ordinal import MAX_CATEGORIES, category_indicators, pair_indices, pair_tables
from psm_analysis.moments.sample import FloatArray, IntArray, Sample

ROWS_AT_ONCE = 10_000


def spearman_pairs(sample: Sample) -> FloatArray:
    """Return Spearman's rho of every pair in the order of `pair_indices`, mean ranks for ties.

    Ranks are taken among the cases that answered both items of the pair; if all items have few values, from the tables
    of the pairs.

    Examples
    --------
    >>> from psm_analysis.moments.sample import read_sample
    >>> spearman_pairs(read_sample(np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 9.0]]))).tolist()
    [0.5]
    """
    from scipy.stats import rankdata

    row, column = pair_indices(sample.n_items)
    if sample.is_complete:
        ranks = np.asarray(rankdata(sample.values, axis=0), dtype=np.float64)
        return np.asarray(np.atleast_2d(np.corrcoef(ranks, rowvar=False))[row, column])
    codes, width = _value_codes(sample)
    if width <= MAX_CATEGORIES:
        return _spearman_of_tables(_tables(codes, width))
    rho = np.empty(len(row))
    for k, both in enumerate(_common_cases(sample)):
        rho[k] = np.atleast_2d(np.corrcoef(rankdata(both, axis=0), rowvar=False))[0, 1]
    return rho


def kendall_pairs(sample: Sample) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Kendall's tau-b of every pair, its normal statistic corrected for ties, and the p-value.

    The statistic is ``S / sqrt(var S)`` with the variance under independence given the ties (Kendall 1970,
    equation 4.3), no continuity correction.

    Examples
    --------
    >>> from psm_analysis.moments.sample import read_sample
    >>> tau, statistic, p_value = kendall_pairs(read_sample(np.array([[1.0, 1], [2, 3], [3, 2], [4, 4]])))
    >>> tau.round(4).tolist(), statistic.round(4).tolist()
    ([0.6667], [1.3587])
    """
    from scipy.special import ndtr
    from scipy.stats import kendalltau

    row, _ = pair_indices(sample.n_items)
    tau, statistic = np.empty(len(row)), np.empty(len(row))
    for k, both in enumerate(_common_cases(sample)):
        tau[k] = kendalltau(both[:, 0], both[:, 1]).statistic
        statistic[k] = _kendall_statistic(both, float(tau[k]))
    return tau, statistic, np.asarray(2.0 * ndtr(-np.abs(statistic)))


def _value_codes(sample: Sample) -> tuple[IntArray, int]:
    """Number of every value within its item, -1 where missing, and the largest number of values."""
    codes = np.full(sample.values.shape, -1, dtype=np.int64)
    seen, width = sample.observed, 0
    for j in range(sample.n_items):
        values, codes[seen[:, j], j] = np.unique(sample.values[seen[:, j], j], return_inverse=True)
        width = max(width, len(values))
    return codes, width


def _tables(codes: IntArray, width: int) -> FloatArray:
    blocks = range(0, len(codes), ROWS_AT_ONCE)
    parts = [pair_tables(category_indicators(codes[k : k + ROWS_AT_ONCE], width)) for k in blocks]
    return np.asarray(np.sum(parts, axis=0), dtype=float)


def _spearman_of_tables(tables: FloatArray) -> FloatArray:
    """Rho of (pairs, K, K) tables: the correlation of mean ranks, centred at (n + 1) / 2."""
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    n = rows.sum(axis=1, keepdims=True)
    x, y = (np.cumsum(counts, axis=1) - (counts + n) / 2.0 for counts in (rows, columns))
    cross = np.einsum("kij,ki,kj->k", tables, x, y)
    return np.asarray(cross / np.sqrt((rows * x**2).sum(axis=1) * (columns * y**2).sum(axis=1)))


def _common_cases(sample: Sample) -> list[FloatArray]:
    row, column = pair_indices(sample.n_items)
    seen = sample.observed
    return [
        sample.values[seen[:, i] & seen[:, j]][:, [i, j]] for i, j in zip(row.tolist(), column.tolist(), strict=True)
    ]


def _kendall_statistic(both: FloatArray, tau: float) -> float:
    n = float(len(both))
    ties = [np.unique(both[:, j], return_counts=True)[1].astype(np.float64) for j in (0, 1)]
    pairs, triples, fives = zip(
        *(((t * (t - 1)).sum(), (t * (t - 1) * (t - 2)).sum(), (t * (t - 1) * (2 * t + 5)).sum()) for t in ties),
        strict=True,
    )
    total = n * (n - 1)
    score = tau * np.sqrt((total - pairs[0]) * (total - pairs[1])) / 2.0
    variance = (total * (2 * n + 5) - fives[0] - fives[1]) / 18.0 + pairs[0] * pairs[1] / (2.0 * total)
    if n > 2:
        variance += triples[0] * triples[1] / (9.0 * total * (n - 2))
    return float(score / np.sqrt(variance))
