"""Casewise influence functions of thresholds and polychoric correlations (Muthén 1984)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from psm_analysis.moments.cell_influence import margin_influence, pair_influence
from psm_analysis.moments.ordinal import count_answers, pair_indices
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray

SPAN = 8192
"""Rows at a time."""
MANY = 50_000
"""Of more rows the cross-product is kept, where that is enough."""


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

    def casewise(self, codes: IntArray, weights: FloatArray | None) -> FloatArray:
        """Return the (N, q) influence functions; their mean cross-product is N times the asymptotic covariance."""
        found = np.empty((len(codes), self.size))
        for part, rows in self._by_span(codes, weights):
            found[part] = rows
        return found

    def cross_product(self, codes: IntArray, weights: FloatArray | None) -> FloatArray:
        """Return the (q, q) cross-product of the influence functions, summed over spans of rows."""
        total = np.zeros((self.size, self.size))
        for _, rows in self._by_span(codes, weights):
            total += rows.T @ rows
        return total

    def root(self, codes: IntArray, weights: FloatArray | None) -> FloatArray:
        """Return a (q, q) matrix with the cross-product of the influence functions, whatever the number of rows.

        It takes the place of the rows where nothing but their cross-product is asked for.
        """
        total = self.cross_product(codes, weights)
        deviation = np.sqrt(np.diagonal(total))
        safe = np.where(deviation > 0, deviation, 1.0)
        values, vectors = np.linalg.eigh(total / np.outer(safe, safe))
        return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T * deviation)

    def squares(self, codes: IntArray, weights: FloatArray | None) -> FloatArray:
        """Return the (q,) diagonal of `cross_product`, from counts of the answers alone."""
        width = self.cells.shape[1]
        filled = np.where(codes < 0, width - 1, codes)
        counts, tables = count_answers(filled, width, weights=None if weights is None else weights**2)
        margin_part = np.einsum("pk,pkt->pt", counts, self.margins**2)[self.own]
        return len(codes) ** 2 * np.concatenate([margin_part, (tables * self.cells**2).sum(axis=(1, 2))])

    def _by_span(self, codes: IntArray, weights: FloatArray | None) -> Iterator[tuple[slice, FloatArray]]:
        for start in range(0, len(codes), SPAN):
            part = slice(start, start + SPAN)
            yield part, self._rows(codes[part], None if weights is None else weights[part], n_rows=len(codes))

    def _rows(self, codes: IntArray, weights: FloatArray | None, *, n_rows: int) -> FloatArray:
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
    counts: FloatArray,
) -> InfluenceTable:
    """Return what every answer and pair of answers adds to the estimates.

    Row n of the influence functions is ``N * A^-1 s_n``, which depends on the answers only: see `margin_influence` and
    `pair_influence`. A missing answer contributes 0.

    Parameters
    ----------
    n_categories
        As in `ordinal_moments`.
    thresholds
        (p, K-1) padded thresholds.
    counts, tables
        (p, K) answers in each category and (pairs, K, K) two-way tables, of `count_answers`.
    rho
        (pairs,) correlations.

    Examples
    --------
    >>> codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 25, axis=0)
    >>> counts, tables = count_answers(codes, 2, weights=None)
    >>> given = {"thresholds": np.zeros((2, 1)), "rho": np.zeros(1)}
    >>> table = influence_table(np.array([2, 2]), counts=counts, tables=tables, **given)
    >>> (table.squares(codes, None) / 100).round(4).tolist()  # pi/2 for a median split, (pi/2)^2 for the correlation
    [1.5708, 1.5708, 2.4674]
    """
    width = thresholds.shape[1] + 1
    own = np.arange(width - 1) < (n_categories - 1)[:, None]
    margins = margin_influence(thresholds, counts, own=own)
    row, column = pair_indices(len(thresholds))
    cells = pair_influence(
        tables, (thresholds[row], thresholds[column]), rho=rho, margins=(margins[row], margins[column])
    )
    padded = np.concatenate([margins, np.zeros((len(margins), 1, width - 1))], axis=1)
    return InfluenceTable(padded, cells, own)
