"""Resamples of rows: which rows each replicate draws, and the moments of what it draws.

References
----------
Efron, B., & Tibshirani, R. (1993). An introduction to the bootstrap. Chapman & Hall.

Bollen, K. A., & Stine, R. A. (1992). Bootstrapping goodness-of-fit measures in structural equation models.
Sociological Methods & Research, 21, 205-229.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from psm_analysis._options import BootstrapKind
from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.bootstrap_gradient import Moments
from psm_analysis.sem.estimate import complete_rows
from psm_analysis.sem.result import SemResult


def resample_indices(group_sizes: Sequence[int], n: int, *, seed: int, batch: int = 500) -> Iterator[list[Index]]:
    """Yield the drawn rows of every group, shape ``(replicates, rows)``, in batches; the draws do not depend on them.

    Every group has a generator of its own (a child of the seed), so the bootstrap is stratified by group.

    Examples
    --------
    >>> whole = next(resample_indices([4], 3, seed=1))[0]
    >>> parts = [part[0] for part in resample_indices([4], 3, seed=1, batch=2)]
    >>> bool((np.concatenate(parts) == whole).all())
    True
    """
    generators = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(len(group_sizes))]
    for start in range(0, n, batch):
        count = min(batch, n - start)
        yield [rng.integers(0, size, size=(count, size)) for rng, size in zip(generators, group_sizes, strict=True)]


def bootstrap_rows(result: SemResult, kind: BootstrapKind) -> list[Array]:
    """Return the rows of each group that are drawn from.

    For ``bollen-stine`` they are transformed so that the model holds in them: ``(y - m) S^(-1/2) Sigma^(1/2) + mu``
    (Bollen & Stine, 1992, eq. 9).
    """
    rows = [complete_rows(group, result.estimator) for group in result.sample.groups]
    if kind == "ordinary":
        return rows
    means = result.table.options.meanstructure
    found = []
    for y, implied in zip(rows, result.problem.implied(result.solution.x), strict=True):
        mean, S = y.mean(axis=0), np.cov(y.T, bias=True)
        turned = (y - mean) @ np.linalg.inv(_root(S)) @ _root(implied.Sigma)
        found.append(turned + (implied.mu if means else mean))
    return found


def _root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(values)) @ vectors.T)


def drawn_moments(rows: Array, indices: Index) -> Moments:
    """Return the moments of the rows that each replicate drew, from how often it drew each."""
    count, n = indices.shape
    flat = indices + n * np.arange(count)[:, None]
    return weighted_moments(rows, np.bincount(flat.ravel(), minlength=count * n).reshape(count, n).astype(float))


def weighted_moments(rows: Array, frequencies: Array) -> Moments:
    """Return means and covariance matrices (divisor: the sum of frequencies) of shape ``(R, p)`` and ``(R, p, p)``."""
    centre = rows.mean(axis=0)
    y = rows - centre
    column, row = np.triu_indices(y.shape[1])
    size = frequencies.sum(axis=1, keepdims=True)
    mean = frequencies @ y / size
    products = frequencies @ (y[:, row] * y[:, column]) / size - mean[:, row] * mean[:, column]
    cov = np.empty((len(frequencies), y.shape[1], y.shape[1]))
    cov[:, row, column] = cov[:, column, row] = products
    return Moments(cov, mean + centre)
