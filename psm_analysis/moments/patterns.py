"""Missing-data patterns with their sufficient statistics: what FIML and EM work on, never row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class MissingPatterns:
    """Rows grouped by which items are observed.

    Attributes
    ----------
    observed
        (P, p) True where the items of pattern P are observed; rows without any answer are left out.
    counts
        (P,) number of rows of each pattern, or the sum of their weights.
    means
        (P, p) mean of the observed items, 0 where missing.
    scatters
        (P, p, p) covariance about that mean with divisor n (or sum of weights) of the pattern, 0 where missing.
    row_pattern
        (N,) pattern of each row of the data, -1 for a row without any answer.
    memo
        What was worked out from the patterns alone.
    """

    observed: BoolArray
    counts: FloatArray
    means: FloatArray
    scatters: FloatArray
    row_pattern: IntArray
    memo: dict[str, Any] = field(init=False, default_factory=dict, repr=False)

    @property
    def n_rows(self) -> int:
        """Rows with at least one answer."""
        return int((self.row_pattern >= 0).sum())

    @property
    def mass(self) -> float:
        """Number of these rows, or the sum of their weights."""
        return float(self.counts.sum())

    @property
    def n_items(self) -> int:
        """Number of items."""
        return int(self.observed.shape[1])

    def distance(self, mean: FloatArray) -> FloatArray:
        """Return the means of the patterns less a mean, 0 where missing."""
        return np.where(self.observed, self.means - mean, 0.0)

    def moments(self, mean: FloatArray) -> FloatArray:
        """Return the second moments of the patterns about a mean, 0 where missing, shape ``(P, p, p)``."""
        distance = self.distance(mean)
        return self.scatters + distance[:, :, None] * distance[:, None, :]

    def part(self, some: slice) -> MissingPatterns:
        """Return some of the patterns, which know nothing of rows."""
        none = np.zeros(0, dtype=np.int64)
        return MissingPatterns(self.observed[some], self.counts[some], self.means[some], self.scatters[some], none)


def find_patterns(values: FloatArray, *, weights: FloatArray | None = None) -> MissingPatterns:
    """Group the rows of `values` (N, p; NaN missing) by missing-data pattern, the most frequent first.

    With `weights` (N,) of the rows all statistics are weighted.

    Examples
    --------
    >>> patterns = find_patterns(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, np.nan]]))
    >>> patterns.counts.tolist(), patterns.observed.tolist(), patterns.means.tolist()
    ([2.0, 1.0], [[True, True], [True, False]], [[2.0, 3.0], [5.0, 0.0]])
    """
    present = ~np.isnan(values)
    observed, row_pattern, counts = _group_rows(present)
    n_patterns, p = observed.shape
    used = row_pattern >= 0
    order = np.argsort(row_pattern[used], kind="stable")
    rows = np.where(present[used], values[used], 0.0)[order]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    if weights is not None and n_patterns:
        return _weighted(rows, weights[used][order], starts, observed=observed, row_pattern=row_pattern)
    means = np.add.reduceat(rows, starts, axis=0) / counts[:, None] if n_patterns else np.zeros((0, p))
    deviations = (rows - np.repeat(means, counts, axis=0)) * np.repeat(observed, counts, axis=0)
    blocks = np.split(deviations, starts[1:]) if n_patterns else []
    scatters = np.array([block.T @ block / len(block) for block in blocks]).reshape(n_patterns, p, p)
    return MissingPatterns(observed, counts.astype(np.float64), means, scatters, row_pattern)


def _weighted(
    rows: FloatArray, weights: FloatArray, starts: IntArray, *, observed: BoolArray, row_pattern: IntArray
) -> MissingPatterns:
    mass = np.add.reduceat(weights, starts)
    means = np.add.reduceat(rows * weights[:, None], starts, axis=0) / mass[:, None]
    sizes = np.diff(np.append(starts, len(rows)))
    deviations = (rows - np.repeat(means, sizes, axis=0)) * np.repeat(observed, sizes, axis=0)
    blocks = zip(np.split(deviations, starts[1:]), np.split(weights, starts[1:]), strict=True)
    scatters = np.array([(block * w[:, None]).T @ block / w.sum() for block, w in blocks])
    return MissingPatterns(observed, mass, means, scatters, row_pattern)


def _group_rows(present: BoolArray) -> tuple[BoolArray, IntArray, IntArray]:
    _, first, inverse, counts = np.unique(
        pattern_keys(present), return_index=True, return_inverse=True, return_counts=True
    )
    answered = present[first].any(axis=1)
    order = np.flatnonzero(answered)[np.argsort(-counts[answered], kind="stable")]
    rank = np.full(len(first), -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return present[first[order]], rank[inverse], counts[order].astype(np.int64)


def pattern_keys(present: BoolArray) -> NDArray[np.void]:
    """Return one value per row that is the same for rows of the same pattern.

    Examples
    --------
    >>> keys = pattern_keys(np.array([[True, False], [True, True], [True, False]]))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    packed = np.packbits(present, axis=1)
    return np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
