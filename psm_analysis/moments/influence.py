"""Casewise influence functions of thresholds and polychoric correlations (Muthén 1984)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from psm_analysis.moments.cell_influence import margin_influence, pair_influence
from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray


def influence_functions(
    codes: IntArray,
    n_categories: IntArray,
    *,
    thresholds: FloatArray,
    tables: FloatArray,
    rho: FloatArray,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Return (N, q) influence functions; their mean cross-product is Gamma, N times the asymptotic covariance.

    Row n is ``N * A^-1 s_n``, which depends on the answers only: see `margin_influence` and `pair_influence`. A missing
    answer contributes 0.

    Parameters
    ----------
    codes, n_categories
        As in `ordinal_moments`.
    thresholds
        (p, K-1) padded thresholds.
    tables
        (pairs, K, K) observed two-way tables.
    rho
        (pairs,) correlations.
    weights
        (N,) sampling weights that the tables were counted with, or None.

    Examples
    --------
    >>> codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 25, axis=0)
    >>> cells = np.full((1, 2, 2), 25.0)
    >>> phi = influence_functions(codes, np.array([2, 2]), thresholds=np.zeros((2, 1)), tables=cells, rho=np.zeros(1))
    >>> (phi.T @ phi / 100).round(4).diagonal().tolist()  # pi/2 for a median split, (pi/2)^2 for the correlation
    [1.5708, 1.5708, 2.4674]
    """
    table = influence_table(n_categories, thresholds=thresholds, tables=tables, rho=rho, codes=codes, weights=weights)
    found = np.empty((len(codes), table.size))
    for part in _spans(len(codes)):
        found[part] = table.rows(codes[part], None if weights is None else weights[part], n_rows=len(codes))
    return found


def influence_root(
    codes: IntArray,
    n_categories: IntArray,
    *,
    thresholds: FloatArray,
    tables: FloatArray,
    rho: FloatArray,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Return a (q, q) matrix with the cross-product of the influence functions, whatever the number of rows.

    The cross-product is summed over spans of rows; a root of it takes the place of the rows where nothing but their
    cross-product is asked for.

    Examples
    --------
    >>> codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 25, axis=0)
    >>> given = {"thresholds": np.zeros((2, 1)), "tables": np.full((1, 2, 2), 25.0), "rho": np.zeros(1)}
    >>> root = influence_root(codes, np.array([2, 2]), **given)
    >>> (root.T @ root / 100).round(4).diagonal().tolist()
    [1.5708, 1.5708, 2.4674]
    """
    table = influence_table(n_categories, thresholds=thresholds, tables=tables, rho=rho, codes=codes, weights=weights)
    total = np.zeros((table.size, table.size))
    for part in _spans(len(codes)):
        rows = table.rows(codes[part], None if weights is None else weights[part], n_rows=len(codes))
        total += rows.T @ rows
    deviation = np.sqrt(np.diagonal(total))
    safe = np.where(deviation > 0, deviation, 1.0)
    values, vectors = np.linalg.eigh(total / np.outer(safe, safe))
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T * deviation)


SPAN = 8192
"""Rows at a time."""
MANY = 50_000
"""Of more rows the cross-product is kept, where that is enough."""


def _spans(n: int) -> Iterator[slice]:
    return (slice(start, start + SPAN) for start in range(0, n, SPAN))


@dataclass(frozen=True, slots=True, eq=False)
class InfluenceTable:
    """What an answer adds to the thresholds of its item and a pair of answers to their correlation.

    Attributes
    ----------
    margins
        (p, K + 1, K - 1) by category, the last one missing.
    cells
        (pairs, K + 1, K + 1) by cell.
    own
        (p, K - 1) which thresholds an item has.
    """

    margins: FloatArray
    cells: FloatArray
    own: BoolArray

    @property
    def size(self) -> int:
        """The number of thresholds and correlations."""
        return int(self.own.sum()) + len(self.cells)

    def rows(self, codes: IntArray, weights: FloatArray | None, *, n_rows: int) -> FloatArray:
        """Return what the answers of some of `n_rows` rows add, times that number and their weights."""
        width = self.cells.shape[1]
        filled = np.where(codes < 0, width - 1, codes)
        row, column = pair_indices(len(self.margins))
        margin_part = self.margins[np.arange(len(self.margins)), filled][:, self.own]
        start = np.arange(len(self.cells)) * width**2
        pair_part = self.cells.ravel()[start + filled[:, row] * width + filled[:, column]]
        scale = float(n_rows) if weights is None else (n_rows * weights)[:, None]
        return np.asarray(scale * np.hstack([margin_part, pair_part]))


def influence_table(
    n_categories: IntArray,
    *,
    thresholds: FloatArray,
    tables: FloatArray,
    rho: FloatArray,
    codes: IntArray,
    weights: FloatArray | None,
) -> InfluenceTable:
    """Return the table of influences; arguments as for `influence_functions`."""
    width = thresholds.shape[1] + 1
    own = np.arange(width - 1) < (n_categories - 1)[:, None]
    shown = [column >= 0 for column in codes.T]
    counts = np.array(
        [
            np.bincount(column[seen], weights=None if weights is None else weights[seen], minlength=width)
            for column, seen in zip(codes.T, shown, strict=True)
        ],
        dtype=float,
    )
    margins = margin_influence(thresholds, counts, own=own)
    row, column = pair_indices(len(thresholds))
    cells = pair_influence(
        tables, (thresholds[row], thresholds[column]), rho=rho, margins=(margins[row], margins[column])
    )
    padded = np.concatenate([margins, np.zeros((len(margins), 1, width - 1))], axis=1)
    return InfluenceTable(padded, cells, own)
