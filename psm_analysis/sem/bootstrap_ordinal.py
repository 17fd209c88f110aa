"""Two-step polychoric moments of many samples at once, and their (diagonally weighted) least squares.

A sample is known by how often each row was drawn. From that come two-way tables as matrix products, thresholds and
correlations, and the variances of these: what a case adds to them depends on the cell that it is in.

References
----------
Muthén, B., du Toit, S. H. C., & Spisic, D. (1997). Robust inference using weighted least squares and quadratic
estimating equations in latent variable modeling with categorical and continuous outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from psm_analysis.moments.cell_influence import margin_influence, pair_influence
from psm_analysis.moments.ordinal import pair_indices, thresholds_of
from psm_analysis.moments.pair_likelihood import fill_empty_cell, fit_correlations
from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_gradient import gathered, pieces
from psm_analysis.sem.implied import Implied, directions, imply
from psm_analysis.sem.matrices import Layout

CELLS = 400_000


@dataclass(frozen=True, slots=True)
class OrdinalSample:
    """Thresholds and correlations of one group in every replicate, ``s`` of shape ``(R, k)``, and their weights."""

    s: Array
    W: Array
    nobs: Array
    usable: Mask

    @property
    def count(self) -> int:
        """The number of replicates."""
        return len(self.s)

    def of(self, which: Mask | Index) -> Self:
        """Return some replicates."""
        return type(self)(self.s[which], self.W[which], self.nobs[which], self.usable[which])

    def exogenous(self, first: Index, second: Index) -> Array:
        """Return nothing: no variable is given."""
        return np.zeros((len(self.s), 0))

    def gradient(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the gradient by the free parameters, shape ``(R, q)``, at all, ``(R, n)``."""
        implied = imply(layout, values)
        item, (row, column) = layout.threshold_item, pair_indices(len(layout.observed))
        delta, reach = _scaling(layout, implied), implied.matrices.tau - implied.mu[:, item]
        slope = -2.0 * self.W * (self.s - _moments(layout, implied))
        level, off = slope[:, : len(item)], slope[:, len(item) :]
        scaled = level * delta[:, item]
        to_item = np.equal.outer(item, np.arange(len(layout.observed))).astype(float)
        pairs = np.zeros_like(implied.Sigma)
        pairs[:, row, column] = pairs[:, column, row] = off
        by_delta = (level * reach) @ to_item + ((pairs * implied.Sigma) @ delta[..., None])[..., 0]
        G = 0.5 * pairs * delta[:, :, None] * delta[:, None, :]
        if layout.theta:
            diagonal = np.arange(len(layout.observed))
            G[:, diagonal, diagonal] = -0.5 * by_delta * delta**3
        found = pieces(implied, G, -scaled @ to_item)
        return gathered(free, replace(found, tau=scaled, delta=by_delta))

    def value(self, layout: Layout, values: Array, *, means: bool) -> Array:
        """Return the discrepancy."""
        gap = self.s - _moments(layout, imply(layout, values))
        return np.asarray((self.W * gap * gap).sum(axis=1))

    def information(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return ``Delta' W Delta``."""
        implied = imply(layout, values)
        d, (row, column) = directions(free, implied), pair_indices(len(layout.observed))
        assert d.tau is not None
        assert d.delta is not None
        item, delta = layout.threshold_item, _scaling(layout, implied)[..., None]
        moved = -(delta**3) * d.U * d.V if layout.theta else np.broadcast_to(d.delta, d.U.shape)
        reach = (implied.matrices.tau - implied.mu[:, item])[..., None]
        level = moved[:, item] * reach + delta[:, item] * (d.tau[:-1] - d.M[:, item])
        covariance = d.U[:, row] * d.V[:, column] + d.V[:, row] * d.U[:, column]
        scaled = moved[:, row] * delta[:, column] + moved[:, column] * delta[:, row]
        off = delta[:, row] * delta[:, column] * covariance + scaled * implied.Sigma[:, row, column, None]
        jacobian = np.concatenate([level, off], axis=1)
        return np.asarray(np.swapaxes(jacobian, 1, 2) @ (self.W[..., None] * jacobian))


def _scaling(layout: Layout, implied: Implied) -> Array:
    if not layout.theta:
        return implied.matrices.delta
    return np.asarray(1.0 / np.sqrt(np.diagonal(implied.Sigma, axis1=-2, axis2=-1)))


def _moments(layout: Layout, implied: Implied) -> Array:
    """Return thresholds and correlations, shape ``(R, k)``; as `OrdinalMoments` where all variables are ordinal."""
    item, (row, column) = layout.threshold_item, pair_indices(len(layout.observed))
    delta = _scaling(layout, implied)
    level = delta[:, item] * (implied.matrices.tau - implied.mu[:, item])
    return np.concatenate([level, delta[:, row] * delta[:, column] * implied.Sigma[:, row, column]], axis=1)


@dataclass(frozen=True, slots=True)
class OrdinalSampler:
    """Category codes (-1: missing) of the rows of one group; ``start`` are the correlations of the full sample."""

    codes: Index
    n_categories: Index
    start: Array
    weighted: bool

    @property
    def batch(self) -> int:
        """How many replicates are best fitted at once."""
        return max(10, CELLS // (len(self.start) * int(self.n_categories.max()) ** 2))

    def draw(self, frequencies: Array) -> OrdinalSample:
        """Return the samples that have each row so often."""
        own = np.arange(int(self.n_categories.max())) < self.n_categories[:, None]
        margins, tables = counted(self.codes, frequencies, width=own.shape[1])
        nobs = frequencies.sum(axis=1)
        usable = (margins > 0.0)[:, own].all(axis=1) & (tables.sum(axis=(2, 3)) >= 2.0).all(axis=1)
        usable &= nobs > len(own)
        s = np.full((len(nobs), own[:, 1:].sum() + len(self.start)), np.nan)
        W = np.full(s.shape, np.nan)
        s[usable], W[usable] = self._moments(margins[usable], tables[usable], nobs[usable])
        return OrdinalSample(s, W, nobs, usable)

    def _moments(self, margins: Array, tables: Array, nobs: Array) -> tuple[Array, Array]:
        count, p, width = margins.shape
        row, column = pair_indices(p)
        own = np.arange(width - 1) < (self.n_categories - 1)[:, None]
        thresholds = thresholds_of(margins, self.n_categories)
        flat = tables.reshape(-1, width, width)
        sides = tuple(thresholds[:, side].reshape(-1, width - 1) for side in (row, column))
        kinds = tuple(np.tile(self.n_categories[side], count) for side in (row, column))
        filled = fill_empty_cell(flat, (kinds[0], kinds[1]))
        rho = fit_correlations(filled, (sides[0], sides[1]), start=np.tile(self.start, count))
        s = np.hstack([thresholds[:, own], rho.reshape(count, -1)])
        if not self.weighted:
            return s, np.ones_like(s)
        part = margin_influence(
            thresholds.reshape(-1, width - 1), margins.reshape(-1, width), own=np.tile(own, (count, 1))
        ).reshape(count, p, width, width - 1)
        by_side = tuple(part[:, side].reshape(-1, width, width - 1) for side in (row, column))
        cells = pair_influence(flat, (sides[0], sides[1]), rho=rho, margins=(by_side[0], by_side[1]))
        alone = tuple(margins[:, side].reshape(-1, width) - flat.sum(axis=3 - k) for k, side in ((1, row), (2, column)))
        squares = (flat * cells[:, :-1, :-1] ** 2).sum(axis=(1, 2))
        squares += (alone[0] * cells[:, :-1, -1] ** 2).sum(axis=1) + (alone[1] * cells[:, -1, :-1] ** 2).sum(axis=1)
        spread = np.einsum("rpc,rpck->rpk", margins, part**2)[:, own]
        return s, 1.0 / (nobs[:, None] * np.hstack([spread, squares.reshape(count, -1)]))


def counted(codes: Index, frequencies: Array, *, width: int) -> tuple[Array, Array]:
    """Return how many answered in each category, ``(R, p, K)``, and two-way tables, ``(R, pairs, K, K)``.

    Single precision, which is exact for counts below 2^24.
    """
    p, count = codes.shape[1], len(frequencies)
    times = np.ascontiguousarray(frequencies.T, dtype=np.float32)
    chosen = (codes[:, :, None] == np.arange(width)).astype(np.float32).reshape(len(codes), p * width)
    margins = (chosen.T @ times).T.reshape(count, p, width).astype(float)
    tables = np.empty((count, p * (p - 1) // 2, width, width))
    first = 0
    for j in range(p - 1):
        others = p - 1 - j
        for k in range(width):
            here = np.flatnonzero(codes[:, j] == k)
            block = chosen[here, (j + 1) * width :].T @ times[here]
            tables[:, first : first + others, :, k] = block.T.reshape(count, others, width)
        first += others
    return margins, tables
