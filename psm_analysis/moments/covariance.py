"""Covariances and product-moment correlations, listwise or pairwise complete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import DataError
from psm_analysis.moments.sample import FloatArray, IntArray, Sample


@dataclass(frozen=True, slots=True, eq=False)
class PairMoments:
    """Second moments of every pair of items: covariance (divisor n - 1), correlation, and cases used."""

    covariance: FloatArray
    correlation: FloatArray
    n: IntArray


def pair_moments(sample: Sample, *, missing: str = "pairwise") -> PairMoments:
    """Return covariances and correlations of all pairs, each from the cases that answered both items.

    With ``missing="listwise"`` the cases with any missing answer are left out first. Means and variances
    of a pair are those of its own cases, as in R's ``cor(use = "pairwise.complete.obs")``; the
    diagonal of the covariance matrix holds the variances over all answers of the item.

    Raises
    ------
    DataError
        If fewer than three cases answered both items of a pair, or an item is constant among them.

    Examples
    --------
    >>> from psm_analysis.moments.sample import read_sample
    >>> moments = pair_moments(read_sample(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, np.nan]])))
    >>> moments.n.tolist(), float(moments.correlation[0, 1])
    ([[4, 3], [3, 3]], 1.0)
    """
    used = sample.complete() if missing == "listwise" else sample
    observed = used.observed.astype(np.float64)
    n = observed.T @ observed
    _check_counts(n, used.names, missing=missing)
    centred = np.where(used.observed, used.values - np.nanmean(used.values, axis=0), 0.0)
    sums = centred.T @ observed
    cross = centred.T @ centred - sums * sums.T / n
    squares = (centred**2).T @ observed - sums**2 / n
    _check_spread(squares, (centred**2).T @ observed, names=used.names)
    correlation = cross / np.sqrt(squares * squares.T)
    np.fill_diagonal(correlation, 1.0)
    return PairMoments(cross / (n - 1.0), np.clip(correlation, -1.0, 1.0), n.astype(np.int64))


def _check_counts(n: FloatArray, names: tuple[str, ...], *, missing: str) -> None:
    if n.min() >= 3:
        return
    i, j = (int(k) for k in np.unravel_index(int(np.argmin(n)), n.shape))
    place = "rows without a missing answer" if missing == "listwise" else f"columns {names[i]!r} and {names[j]!r}"
    raise DataError(
        f"Only {int(n[i, j])} case(s) answered {'every item' if missing == 'listwise' else 'both items'}; "
        "at least 3 are needed.",
        where=place,
        remedy="Leave out the items that were not asked together"
        + (", or use missing='pairwise'." if missing == "listwise" else "."),
    )


def _check_spread(squares: FloatArray, scale: FloatArray, *, names: tuple[str, ...]) -> None:
    flat = squares <= 1e-12 * np.maximum(scale.max(axis=1, keepdims=True), 1e-300)
    if not flat.any():
        return
    i, j = (int(k) for k in np.argwhere(flat)[0])
    raise DataError(
        "The item is constant among the cases that answered both items.",
        where=f"column {names[i]!r} with column {names[j]!r}",
        remedy="Leave one of them out.",
    )
