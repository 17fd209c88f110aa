"""Comparison data: how well data with 1, 2, ... factors and the same margins reproduce the observed eigenvalues."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psm_analysis.efa.extraction import extract
from psm_analysis.efa.parallel import component_eigenvalues

FloatArray = NDArray[np.float64]
POPULATION = 10_000
SAMPLES = 500
LEVEL = 0.30
PATIENCE = 5


def comparison_data(
    values: FloatArray, R: FloatArray, *, nobs: int, max_factors: int, rng: np.random.Generator
) -> tuple[int, FloatArray]:
    r"""Count factors as long as one more makes comparison data more like the observed.

    For each number of factors a population with the margins of the items and as much of their correlations as so many
    factors allow is made, and samples of the size of the data are drawn from it. The root mean square difference of
    their eigenvalues from the observed ones is compared with that of one factor fewer by a one-sided Mann-Whitney test
    at the level .30, the authors' choice.

    Parameters
    ----------
    values
        Answers, (rows, items), NaN missing; their margins are resampled.
    R
        Observed (Pearson) correlations.
    nobs
        Rows of a sample.
    max_factors
        The largest number tried.
    rng
        Source of random numbers.

    Returns
    -------
    tuple
        The number suggested, and the mean root mean square difference with 1, 2, ... factors, as far as tried.

    References
    ----------
    Ruscio, J., & Roche, B. (2012). Psychological Assessment, 24, 282-292. Ruscio, J., & Kaczetow, W. (2008).
    Multivariate Behavioral Research, 43, 355-381 (how the population is made).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> traits = np.repeat(rng.standard_normal((300, 2)), 4, axis=1)
    >>> answers = np.round(1.2 * traits + rng.standard_normal((300, 8)))
    >>> R = np.corrcoef(answers, rowvar=False)
    >>> comparison_data(answers, R, nobs=300, max_factors=4, rng=np.random.default_rng(2))[0]
    2
    """
    from scipy.stats import mannwhitneyu

    observed = component_eigenvalues(R)
    found: list[FloatArray] = []
    for k in range(1, max_factors + 1):
        people = population(values, R, n_factors=k, rng=rng)
        drawn = people[rng.integers(len(people), size=(SAMPLES, nobs))]
        gaps = component_eigenvalues(_correlations(drawn)) - observed
        found.append(np.sqrt((gaps**2).mean(axis=1)))
        if k > 1 and mannwhitneyu(found[-1], found[-2], alternative="less").pvalue > LEVEL:
            return k - 1, np.array([one.mean() for one in found])
    return max_factors, np.array([one.mean() for one in found])


def population(values: FloatArray, R: FloatArray, *, n_factors: int, rng: np.random.Generator) -> FloatArray:
    """Return people with the margins of the items and correlations near R that so many factors produce.

    Normal scores of the factors are replaced by the sorted margins, rank for rank; what this takes from the
    correlations is added to the target, with half the step whenever it did not help, until it failed five times.
    """
    p = len(R)
    margins = np.sort(np.column_stack([_resampled(values[:, j], rng) for j in range(p)]), axis=0)
    common = rng.standard_normal((POPULATION, n_factors))
    unique = rng.standard_normal((POPULATION, p))
    target, best_target, residual = R.copy(), R.copy(), np.zeros_like(R)
    best: FloatArray = np.empty(0)
    smallest, failures = np.inf, 0
    while failures < PATIENCE:
        people = _with_margins(target, common, unique=unique, margins=margins)
        left = R - _correlations(people)
        size = float(np.sqrt((left[np.tril_indices(p, -1)] ** 2).mean()))
        if size < smallest:
            best, smallest, residual, best_target, failures = people, size, left, target, 0
            target = target + residual
        else:
            failures += 1
            target = best_target + 0.5**failures * residual
    return best


def _with_margins(target: FloatArray, common: FloatArray, *, unique: FloatArray, margins: FloatArray) -> FloatArray:
    bounded = np.clip(target, -0.99, 0.99)
    np.fill_diagonal(bounded, 1.0)
    loadings = extract(bounded, common.shape[1], method="pa").loadings
    size = np.sqrt((loadings**2).sum(axis=1))
    loadings = loadings / np.maximum(size, 1.0)[:, None]
    scores = common @ loadings.T + unique * np.sqrt(np.maximum(1.0 - (loadings**2).sum(axis=1), 0.0))
    people: FloatArray = np.empty_like(scores)
    np.put_along_axis(people, np.argsort(scores, axis=0), margins, axis=0)
    return people


def _resampled(column: FloatArray, rng: np.random.Generator) -> FloatArray:
    return np.asarray(rng.choice(column[~np.isnan(column)], size=POPULATION), dtype=float)


def _correlations(answers: FloatArray) -> FloatArray:
    """Return correlations of one or many tables; an item that a sample leaves constant correlates with nothing."""
    centred = answers - answers.mean(axis=-2, keepdims=True)
    spread = np.sqrt((centred**2).sum(axis=-2, keepdims=True))
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0.0)
    R = np.swapaxes(scaled, -1, -2) @ scaled
    index = np.arange(R.shape[-1])
    R[..., index, index] = 1.0
    return np.asarray(R, dtype=float)
