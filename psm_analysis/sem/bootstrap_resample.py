"""Resamples of rows or of clusters: what each replicate draws, and the moments of what it draws.

References
----------
Efron, B., & Tibshirani, R. (1993). An introduction to the bootstrap. Chapman & Hall.

Bollen, K. A., & Stine, R. A. (1992). Bootstrapping goodness-of-fit measures in structural equation models.
Sociological Methods & Research, 21, 205-229.

Field, C. A., & Welsh, A. H. (2007). Bootstrapping clustered data. Journal of the Royal Statistical Society B, 69.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis._options import BootstrapKind
from psm_analysis.sem.arrays import Array, Index, lower_triangle
from psm_analysis.sem.bootstrap_gradient import Moments
from psm_analysis.sem.estimate import complete_rows
from psm_analysis.sem.result import SemResult

BLOCK = 100


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn in one group: its rows, or the clusters that ``codes`` assign them to (0, 1, 2 ...)."""

    rows: Array
    codes: Index | None = None

    @property
    def count(self) -> int:
        """The number of rows or clusters."""
        return len(self.rows) if self.codes is None else int(self.codes.max()) + 1

    def members(self, drawn: Index) -> Index:
        """Return the row numbers of drawn units, in the order in which they were drawn."""
        if self.codes is None:
            return drawn
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=self.count))
        pieces = np.split(order, ends[:-1])
        return np.concatenate([pieces[unit] for unit in drawn])

    def frequencies(self, drawn: Index) -> Array:
        """Return how often each replicate has each row, shape ``(replicates, rows)``, from the units that it drew."""
        replicates, size = len(drawn), self.count
        flat = drawn + size * np.arange(replicates)[:, None]
        times = np.bincount(flat.ravel(), minlength=replicates * size).reshape(replicates, size).astype(float)
        return times if self.codes is None else times[:, self.codes]

    def without(self, left_out: Index) -> Array:
        """Return frequencies of 1, and 0 for the rows of one unit, of which each replicate leaves out another."""
        unit = np.arange(len(self.rows)) if self.codes is None else self.codes
        return np.asarray(unit != left_out[:, None], dtype=float)


def drawn_units(sizes: Sequence[int], start: int, stop: int, *, seed: int) -> list[Index]:
    """Return the units that replicates `start` to before `stop` draw in every group, shape ``(replicates, units)``.

    Every block of 100 replicates of a group has a generator of its own, so that the bootstrap is stratified by group
    and what a replicate draws depends on nothing but the seed and its number.

    Examples
    --------
    >>> whole = drawn_units([4], 0, 250, seed=1)[0]
    >>> bool((drawn_units([4], 90, 210, seed=1)[0] == whole[90:210]).all())
    True
    """
    first, last = start // BLOCK, (stop - 1) // BLOCK
    found = []
    for g, size in enumerate(sizes):
        blocks = [
            np.random.default_rng([seed, g, b]).integers(0, size, size=(BLOCK, size)) for b in range(first, last + 1)
        ]
        found.append(np.concatenate(blocks)[start - first * BLOCK : stop - first * BLOCK])
    return found


def resample_indices(group_sizes: Sequence[int], n: int, *, seed: int, batch: int = 500) -> Iterator[list[Index]]:
    """Yield what :func:`drawn_units` returns for replicates 0 to n - 1, in batches.

    Examples
    --------
    >>> whole = next(resample_indices([4], 3, seed=1))[0]
    >>> parts = [part[0] for part in resample_indices([4], 3, seed=1, batch=2)]
    >>> bool((np.concatenate(parts) == whole).all())
    True
    """
    for start in range(0, n, batch):
        yield drawn_units(group_sizes, start, min(start + batch, n), seed=seed)


def bootstrap_units(result: SemResult, kind: BootstrapKind) -> tuple[Units, ...]:
    """Return what is drawn from in each group.

    For ``bollen-stine`` rows are transformed so that the model holds in them: ``(y - m) S^(-1/2) Sigma^(1/2) + mu``
    (Bollen & Stine, 1992, eq. 9).
    """
    groups = result.sample.groups
    rows = [complete_rows(group, result.estimator) for group in groups]
    if kind == "cluster":
        return tuple(Units(y, group.clusters) for y, group in zip(rows, groups, strict=True))
    if kind == "ordinary":
        return tuple(map(Units, rows))
    means = result.table.options.meanstructure
    found = []
    for y, implied in zip(rows, result.problem.implied(result.solution.x), strict=True):
        mean, S = y.mean(axis=0), np.cov(y.T, bias=True)
        turned = (y - mean) @ np.linalg.inv(_root(S)) @ _root(implied.Sigma)
        found.append(Units(turned + (implied.mu if means else mean)))
    return tuple(found)


def _root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(values)) @ vectors.T)


def drawn_moments(rows: Array, indices: Index) -> Moments:
    """Return the moments of the rows that each replicate drew, from how often it drew each."""
    return weighted_moments(rows, Units(rows).frequencies(indices))


def weighted_moments(rows: Array, frequencies: Array) -> Moments:
    """Return means and covariance matrices (divisor: the sum of frequencies) of shape ``(R, p)`` and ``(R, p, p)``."""
    centre = rows.mean(axis=0)
    y = rows - centre
    column, row = lower_triangle(y.shape[1])
    size = frequencies.sum(axis=1, keepdims=True)
    mean = frequencies @ y / size
    products = frequencies @ (y[:, row] * y[:, column]) / size - mean[:, row] * mean[:, column]
    cov = np.empty((len(frequencies), y.shape[1], y.shape[1]))
    cov[:, row, column] = cov[:, column, row] = products
    return Moments(cov, mean + centre, size[:, 0])
