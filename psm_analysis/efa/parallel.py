"""Parallel analysis: observed eigenvalues against those of data without factors, all replicates at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import Sample

FloatArray = NDArray[np.float64]
CHUNK_BYTES = 32_000_000


def null_correlations(nobs: int, n_items: int, *, n_iterations: int, rng: np.random.Generator) -> FloatArray:
    """Draw correlation matrices of uncorrelated normal items.

    With more cases than items the cross-products are drawn directly, as the product of Bartlett's triangular factor
    with its transpose (Bartlett, 1933), which does not depend on the number of cases.

    Parameters
    ----------
    nobs, n_items
        Cases and items of one replicate.
    n_iterations
        Replicates.
    rng
        Source of random numbers.

    Returns
    -------
    numpy.ndarray
        (replicates, items, items).

    Examples
    --------
    >>> drawn = null_correlations(200, 4, n_iterations=3, rng=np.random.default_rng(1))
    >>> drawn.shape, bool(np.allclose(np.diagonal(drawn, axis1=1, axis2=2), 1))
    ((3, 4, 4), True)
    """
    if nobs - 1 >= n_items:
        factor = np.tril(rng.standard_normal((n_iterations, n_items, n_items)), -1)
        index = np.arange(n_items)
        factor[:, index, index] = np.sqrt(rng.chisquare(nobs - 1 - index, size=(n_iterations, n_items)))
    else:
        answers = rng.standard_normal((n_iterations, nobs, n_items))
        factor = np.swapaxes(answers - answers.mean(1, keepdims=True), 1, 2)
    factor /= np.sqrt((factor**2).sum(2, keepdims=True))
    return np.asarray(factor @ np.swapaxes(factor, 1, 2), dtype=float)


def permuted_correlations(
    sample: Sample, *, n_iterations: int, rng: np.random.Generator, method: str = "pearson"
) -> FloatArray:
    """Correlate answers after the answers of every item were shuffled by themselves, so that only the margins stay.

    Parameters
    ----------
    sample
        Answers; missing ones are shuffled along, and correlations are pairwise complete.
    n_iterations
        Replicates.
    rng
        Source of random numbers.
    method
        pearson, spearman (Pearson of ranks) or polychoric (one replicate after the other).

    Returns
    -------
    numpy.ndarray
        (replicates, items, items).
    """
    values = sample.values
    if method == "spearman":
        values = pd.DataFrame(values).rank().to_numpy()
    chunks = []
    for size in _chunks(values.size * 8, n_iterations):
        shuffled = rng.permuted(np.broadcast_to(values, (size, *values.shape)), axis=1)
        chunks.append(_polychoric(shuffled, sample.names) if method == "polychoric" else _pairwise(shuffled))
    return np.concatenate(chunks)


def component_eigenvalues(R: FloatArray) -> FloatArray:
    """Return eigenvalues, descending, of one or many correlation matrices.

    Examples
    --------
    >>> component_eigenvalues(np.array([[1.0, 0.5], [0.5, 1.0]])).round(6).tolist()
    [1.5, 0.5]
    """
    return np.asarray(np.linalg.eigvalsh(R)[..., ::-1], dtype=float)


def factor_eigenvalues(R: FloatArray) -> FloatArray:
    """Return eigenvalues, descending, with squared multiple correlations on the diagonal (Humphreys & Ilgen, 1969).

    Examples
    --------
    >>> factor_eigenvalues(np.array([[1.0, 0.5], [0.5, 1.0]])).round(6).tolist()
    [0.75, -0.25]
    """
    p = R.shape[-1]
    values, vectors = np.linalg.eigh(R)
    inverse = ((vectors**2) / np.maximum(values, 1e-8)[..., None, :]).sum(-1)
    reduced = R - np.eye(p) / np.maximum(inverse, 1.0)[..., None]
    return np.asarray(np.linalg.eigvalsh(reduced)[..., ::-1], dtype=float)


def _chunks(nbytes: int, n_iterations: int) -> Iterator[int]:
    size = max(1, min(n_iterations, CHUNK_BYTES // max(nbytes, 1)))
    for start in range(0, n_iterations, size):
        yield min(size, n_iterations - start)


def _pairwise(answers: FloatArray) -> FloatArray:
    observed = ~np.isnan(answers)
    centred = np.where(observed, answers - np.nanmean(answers, axis=1, keepdims=True), 0.0)
    if observed.all():
        centred /= np.sqrt((centred**2).sum(1, keepdims=True))
        return np.asarray(np.swapaxes(centred, 1, 2) @ centred, dtype=float)
    present = observed.astype(float)
    turned = np.swapaxes(centred, 1, 2)
    n = np.swapaxes(present, 1, 2) @ present
    sums = turned @ present
    squares = np.swapaxes(centred**2, 1, 2) @ present - sums**2 / n
    cross = turned @ centred - sums * np.swapaxes(sums, 1, 2) / n
    return np.asarray(cross / np.sqrt(squares * np.swapaxes(squares, 1, 2)), dtype=float)


def _polychoric(answers: FloatArray, names: tuple[str, ...]) -> FloatArray:
    index = pd.RangeIndex(answers.shape[1])
    samples = (Sample(names, replicate, index) for replicate in answers)
    return np.stack([correlation_matrix(sample, method="polychoric")[0] for sample in samples])
