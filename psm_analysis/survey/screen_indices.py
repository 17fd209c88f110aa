"""Indices of careless answering as functions of arrays, all rows at once.

Rows are respondents, columns are items; NaN is no answer. The definitions follow Curran (2016).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def long_string(values: Array) -> NDArray[np.int64]:
    """Return the longest run of one answer in neighbouring columns; missing answers are passed over.

    References
    ----------
    Johnson, J. A. (2005). Journal of Research in Personality, 39, 103-129. (The R package careless lets a missing
    answer end a run.)

    Examples
    --------
    >>> long_string(np.array([[1.0, 1, 1, 2], [1, np.nan, 1, 2]])).tolist()
    [3, 2]
    """
    run = np.zeros(len(values), np.int64)
    longest = run.copy()
    last = np.full(len(values), np.nan)
    for column in values.T:
        answered = np.isfinite(column)
        run = np.where(answered, np.where(column == last, run + 1, 1), run)
        last = np.where(answered, column, last)
        np.maximum(longest, run, out=longest)
    return longest


def response_variability(values: Array, blocks: Sequence[Sequence[int]] | None = None) -> Array:
    """Return the standard deviation of each row's answers: intra-individual response variability.

    Parameters
    ----------
    values
        Answers on one range.
    blocks
        The columns of each instrument; the deviations are then taken from the person's mean in that instrument, and
        the divisor is the number of answers less the number of instruments answered. One block by default.

    References
    ----------
    Dunn, A. M., Heggestad, E. D., Shanock, L. R., & Theilgard, N. (2018). Journal of Business and Psychology,
    33, 105-121.

    Examples
    --------
    >>> response_variability(np.array([[1.0, 3, np.nan], [2, 2, 2]])).round(3).tolist()
    [1.414, 0.0]
    >>> response_variability(np.array([[0.0, 0, 1, 1]]), [(0, 1), (2, 3)]).tolist()
    [0.0]
    """
    squares, free = np.zeros(len(values)), np.zeros(len(values))
    for block in blocks or [range(values.shape[1])]:
        part = values[:, list(block)]
        answered = np.isfinite(part)
        count = answered.sum(axis=1)
        filled = np.where(answered, part, 0.0)
        mean = filled.sum(axis=1) / np.maximum(count, 1)
        filled -= np.where(answered, mean[:, None], 0.0)
        squares += np.einsum("ij,ij->i", filled, filled)
        free += np.maximum(count - 1, 0)
    return np.where(free > 0, np.sqrt(squares / np.maximum(free, 1)), np.nan)


def row_correlation(first: Array, second: Array, *, fewest: int = 3) -> Array:
    """Return the correlation of two rows of numbers, row by row, over the columns that both have.

    Rows with fewer than `fewest` such columns, or without variance, give NaN.

    Examples
    --------
    >>> row_correlation(np.array([[1.0, 2, 3]]), np.array([[2.0, 4, 7]])).round(3).tolist()
    [0.993]
    """
    both = np.isfinite(first) & np.isfinite(second)
    count = both.sum(axis=1)
    size = np.maximum(count, 1)
    a, b = np.where(both, first, 0.0), np.where(both, second, 0.0)
    a = np.where(both, a - (a.sum(axis=1) / size)[:, None], 0.0)
    b = np.where(both, b - (b.sum(axis=1) / size)[:, None], 0.0)
    spread = np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b)
    usable = (count >= fewest) & (spread > 1e-20)
    out = np.full(len(a), np.nan)
    np.divide(np.einsum("ij,ij->i", a, b), np.sqrt(spread), out=out, where=usable)
    return out


def even_odd(values: Array, scales: Sequence[Sequence[int]]) -> Array:
    """Return the even-odd consistency of each row, stepped up by Spearman-Brown, ``2 r / (1 + r)``.

    The items of every scale are split into those at even and at odd places; `r` is the correlation, within the
    person, of the two half-scale means over the scales. It is at least -1.

    Parameters
    ----------
    values
        Answers with stated reversals applied, on one range.
    scales
        The columns of each scale, in the order of the questionnaire.

    References
    ----------
    Jackson, D. N. (1976). The appraisal of personal reliability; Johnson, J. A. (2005).

    Examples
    --------
    >>> rows = np.array([[1.0, 1, 2, 2, 5, 5], [1, 5, 2, 2, 5, 1]])
    >>> even_odd(rows, [(0, 1), (2, 3), (4, 5)]).round(2).tolist()
    [1.0, -1.0]
    """
    split = [scale for scale in scales if len(scale) > 1]
    odd = np.column_stack([_row_mean(values[:, list(scale[0::2])]) for scale in split])
    even = np.column_stack([_row_mean(values[:, list(scale[1::2])]) for scale in split])
    r = row_correlation(odd, even)
    corrected = np.full(len(r), -1.0)
    np.divide(2 * r, 1 + r, out=corrected, where=~(r <= -1 / 3))
    return corrected


def pairwise_moments(values: Array) -> tuple[Array, Array]:
    """Return means and covariances (divisor n) over the rows that have both columns.

    Examples
    --------
    >>> pairwise_moments(np.array([[1.0, 2], [3, 6]]))[1].tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    answered = np.isfinite(values)
    center = np.where(answered, values, 0.0).sum(axis=0) / np.maximum(answered.sum(axis=0), 1)
    filled = np.where(answered, values - center, 0.0)
    weight = answered.astype(np.float64)
    n = np.maximum(weight.T @ weight, 1.0)
    mean = filled.T @ weight / n
    return center, filled.T @ filled / n - mean * mean.T


def extreme_pairs(covariance: Array, *, threshold: float, negative: bool = False) -> list[tuple[int, int]]:
    """Return the pairs of columns that correlate beyond `threshold`: psychometric synonyms, or antonyms if `negative`.

    References
    ----------
    Meade, A. W., & Craig, S. B. (2012). Psychological Methods, 17, 437-455.

    Examples
    --------
    >>> extreme_pairs(np.array([[1.0, 0.7], [0.7, 1.0]]), threshold=0.6)
    [(0, 1)]
    """
    scale = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    outer = np.outer(scale, scale)
    r = np.divide(covariance, outer, out=np.zeros_like(covariance), where=outer > 0)
    rows, columns = np.nonzero(np.triu((-r if negative else r) > threshold, k=1))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True)]


def mahalanobis(values: Array, *, center: Array, covariance: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return the squared Mahalanobis distance of each row over its answered columns, and how many they are.

    With precision ``P`` and ``q = P d`` (``d`` zero where missing), the distance over the answered columns is
    ``d' q - q_m' P_mm^-1 q_m``, ``m`` being the missing ones; rows are batched by how many answers they miss.

    Examples
    --------
    >>> d2, df = mahalanobis(np.array([[1.0, 2], [np.nan, 2]]), center=np.zeros(2), covariance=np.eye(2))
    >>> d2.tolist(), df.tolist()
    ([5.0, 4.0], [2, 1])
    """
    precision = np.linalg.inv(covariance)
    answered = np.isfinite(values)
    d = np.where(answered, values - center, 0.0)
    q = d @ precision
    d2 = np.einsum("ij,ij->i", d, q)
    absent = (~answered).sum(axis=1)
    for count in np.unique(absent[absent > 0]):
        rows = np.flatnonzero(absent == count)
        for part in np.array_split(rows, -(-len(rows) * int(count) ** 2 // 4_000_000)):
            columns = np.nonzero(~answered[part])[1].reshape(len(part), count)
            q_m = np.take_along_axis(q[part], columns, axis=1)[..., None]
            p_mm = precision[columns[:, :, None], columns[:, None, :]]
            d2[part] -= (q_m.transpose(0, 2, 1) @ np.linalg.solve(p_mm, q_m))[:, 0, 0]
    return d2, values.shape[1] - absent


def repeated_rows(values: Array) -> NDArray[np.bool_]:
    """Mark rows whose answers all equal those of another row; rows that give one answer throughout are left out.

    Examples
    --------
    >>> repeated_rows(np.array([[1.0, 2], [1, 2], [3, 3], [3, 3]])).tolist()
    [True, True, False, False]
    """
    codes = np.where(np.isfinite(values), values, -999.25)
    hashed = np.zeros(len(values), np.uint64)
    for column in codes.T:
        hashed = (hashed ^ np.ascontiguousarray(column).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        hashed ^= hashed >> np.uint64(31)
    _, inverse, counts = np.unique(hashed, return_inverse=True, return_counts=True)
    lowest, highest = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    repeated: NDArray[np.bool_] = (counts[inverse] > 1) & (lowest < highest)
    return repeated


def _row_mean(values: Array) -> Array:
    answered = np.isfinite(values)
    count = answered.sum(axis=1)
    out = np.full(len(values), np.nan)
    np.divide(np.where(answered, values, 0.0).sum(axis=1), count, out=out, where=count > 0)
    return out
