"""Incomplete rows in many samples: lists of rows by the number of their missing items, and what is expected of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from psm_analysis.moments.patterns import pattern_keys
from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_gradient import Moments

SMALL = 6


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that lack the same number m of items.

    A cell is a pattern in a replicate, a line a row in a replicate; both are sorted by replicate.

    Attributes
    ----------
    missing, replicate, mass
        Of each cell the items that are missing, shape ``(E, m)``, its replicate and its number of rows.
    rows, cell, times
        Of each line the answers (0 where missing), shape ``(L, p)``, its cell, and how often the replicate has it.
    """

    missing: Index
    replicate: Index
    mass: Array
    rows: Array
    cell: Index
    times: Array

    def of(self, which: Index, count: int) -> Self:
        """Return the lines of some of the `count` replicates."""
        number = np.full(count, -1, dtype=np.intp)
        number[which] = np.arange(len(which))
        replicate = number[self.replicate]
        kept = replicate >= 0
        lines = kept[self.cell]
        cell = (np.cumsum(kept) - 1)[self.cell[lines]]
        return type(self)(
            self.missing[kept], replicate[kept], self.mass[kept], self.rows[lines], cell, self.times[lines]
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """Moments (divisor: rows) of the completed rows, the covariance that completing them hides, and ``log|K_mm|``."""

    mean: Array
    cov: Array
    spread: Array
    log_determinant: Array


def expected_moments(blocks: Sequence[Block], complete: Array, mu: Array, Sigma: Array) -> Expected:
    """Return the moments expected given what was observed, at means and covariance matrices of each replicate."""
    count, p = mu.shape
    K = np.linalg.inv(Sigma)
    total, spread, size = complete.copy(), np.zeros((count, p, p)), np.zeros(count)
    for block in blocks:
        m, replicate = block.missing, block.replicate
        cells = np.arange(len(m))[:, None]
        rows = K[replicate[:, None], m]
        inverse, log_determinant = small_inverses(rows[cells[:, :, None], np.arange(m.shape[1])[:, None], m[:, None]])
        rows[cells, :, m] = 0.0
        slopes = -(inverse @ rows)
        level = mu[replicate[:, None], m] - (slopes @ mu[replicate][..., None])[..., 0]
        shared = len(block.cell) > len(m)
        filled = np.einsum("lmp,lp->lm", slopes[block.cell] if shared else slopes, block.rows) + level[block.cell]
        whole = np.ones((len(block.rows), p + 1))
        whole[:, :p] = block.rows
        whole[np.arange(len(whole))[:, None], m[block.cell]] = filled
        add_products(total, whole, block.times, replicate[block.cell])
        place = (replicate[:, None, None] * p + m[:, :, None]) * p + m[:, None, :]
        weights = inverse * block.mass[:, None, None]
        spread += np.bincount(place.ravel(), weights.ravel(), minlength=count * p * p).reshape(count, p, p)
        size += np.bincount(replicate, log_determinant * block.mass, minlength=count)
    nobs = total[:, p, p]
    mean = total[:, :p, p] / nobs[:, None]
    cov = total[:, :p, :p] / nobs[:, None, None] - mean[:, :, None] * mean[:, None, :]
    return Expected(mean, cov, spread / nobs[:, None, None], size / nobs)


def add_products(total: Array, rows: Array, times: Array, replicate: Index) -> None:
    """Add the sums of products of rows, sorted by replicate, to those of each replicate, in place."""
    heavy = rows * times[:, None]
    ends = np.searchsorted(replicate, np.arange(len(total) + 1))
    for r, (first, last) in enumerate(pairwise(ends)):
        total[r] += rows[first:last].T @ heavy[first:last]


def small_inverses(matrices: Array) -> tuple[Array, Array]:
    """Return inverses and log determinants of many small positive definite matrices (Gauss and Jordan, all at once).

    Examples
    --------
    >>> inverse, size = small_inverses(np.array([[[2.0, 1.0], [1.0, 3.0]]]))
    >>> inverse.round(3).tolist(), float(size[0].round(3))
    ([[[0.6, -0.2], [-0.2, 0.4]]], 1.609)
    """
    m = matrices.shape[-1]
    if m > SMALL:
        return np.linalg.inv(matrices), np.linalg.slogdet(matrices)[1]
    found, size = matrices.copy(), np.zeros(len(matrices))
    for k in range(m):
        pivot = found[:, k, k].copy()
        size += np.log(pivot)
        row, column = found[:, k] / pivot[:, None], found[:, :, k].copy()
        row[:, k] = 1.0 / pivot
        column[:, k] = 0.0
        found[:, :, k] = 0.0
        found -= column[:, :, None] * row[:, None, :]
        found[:, k] = row
    return found, size


@dataclass(frozen=True, slots=True)
class IncompleteRows:
    """Rows with nan where they are missing, less ``centre``, and the number of the missing-data pattern of each."""

    rows: Array
    centre: Array
    pattern: Index

    @classmethod
    def of(cls, rows: Array, centre: Array) -> Self:
        """Return the rows less `centre` with their patterns."""
        _, pattern = np.unique(pattern_keys(~np.isnan(rows)), return_inverse=True)
        return cls(rows - centre, centre, pattern.astype(np.intp))

    def listed(self, replicate: Index, row: Index, times: Array, *, count: int) -> tuple[tuple[Block, ...], Array]:
        """Return the blocks of a list of rows by replicate, and the sums of products of its complete rows."""
        missing = np.isnan(self.rows)
        lacking = missing.sum(axis=1)[row]
        p, blocks = self.rows.shape[1], []
        complete = np.zeros((count, p + 1, p + 1))
        for m in np.unique(lacking).tolist():
            here = np.flatnonzero(lacking == m)
            order = here[np.lexsort((self.pattern[row[here]], replicate[here]))]
            mine, r, t = row[order], replicate[order], times[order]
            if m == 0:
                add_products(complete, np.hstack([self.rows[mine], np.ones((len(mine), 1))]), t, r)
                continue
            changes = np.concatenate([[True], (np.diff(r) != 0) | (np.diff(self.pattern[mine]) != 0)])
            cell, first = np.cumsum(changes) - 1, np.flatnonzero(changes)
            places = np.nonzero(missing[mine[first]])[1].reshape(-1, m)
            mass = np.bincount(cell, t)
            blocks.append(Block(places, r[first], mass, np.nan_to_num(self.rows[mine]), cell, t))
        return tuple(blocks), complete

    def checked(self, replicate: Index, row: Index, times: Array, *, count: int) -> tuple[Array, Mask, Moments]:
        """Return rows of each replicate, which have what a fit needs, and moments as if missing answers were 0.

        A fit needs more rows than variables, two different answers of every variable, two answers of every pair.
        """
        p = self.rows.shape[1]
        filled, seen = np.nan_to_num(self.rows)[row], (~np.isnan(self.rows)).astype(float)[row]
        sums, together = np.zeros((count, p + 1, p + 1)), np.zeros((count, p, p))
        add_products(sums, np.hstack([filled, np.ones((len(row), 1))]), times, replicate)
        add_products(together, seen, times, replicate)
        nobs, answered = sums[:, p, p], np.diagonal(together, axis1=1, axis2=2)
        mean = sums[:, :p, p] / nobs[:, None]
        cov = sums[:, :p, :p] / nobs[:, None, None] - mean[:, :, None] * mean[:, None, :]
        squares, totals = np.diagonal(sums, axis1=1, axis2=2)[:, :p], sums[:, :p, p]
        varies = squares * answered - totals**2 > 1e-12 * squares * answered
        usable = (nobs > p) & (together >= 2.0).all(axis=(1, 2)) & varies.all(axis=1)
        return nobs, usable, Moments(cov, mean + self.centre, nobs)
