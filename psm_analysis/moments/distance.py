"""Mahalanobis distances of respondents."""

from __future__ import annotations

import numpy as np
import pandas as pd

from psm_analysis.errors import DataError
from psm_analysis.moments.missing import em_moments
from psm_analysis.moments.pattern_likelihood import pattern_inverses
from psm_analysis.moments.patterns import find_patterns
from psm_analysis.moments.sample import FloatArray, Sample, read_sample


def mahalanobis(data: pd.DataFrame) -> pd.Series:
    """Return the squared Mahalanobis distance of every respondent.

    Definition: ``d2 = (x - m)' S^-1 (x - m)`` with the sample mean and covariance (divisor n - 1). A row with
    missing answers gets the distance of the answers it has, with the EM mean and covariance (rescaled by
    n / (n - 1)) of all rows: its reference is chi-square with as many degrees of freedom as it has answers.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; NaN is missing.

    Returns
    -------
    Series
        Named ``mahalanobis``, on the index of `data`; NaN only for a row without any answer.

    Raises
    ------
    DataError
        If an item is constant, not numeric or empty, there are fewer rows than items, or the covariance
        matrix is singular.

    References
    ----------
    Mahalanobis, P. C. (1936). The R call is ``psych::outlier(data)``.

    Examples
    --------
    >>> mahalanobis(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 3.0, 1.0]})).round(3).tolist()
    [1.333, 1.333, 1.333]
    """
    sample = read_sample(data)
    distances = _complete_distances(sample) if sample.is_complete else _incomplete_distances(sample)
    return pd.Series(distances, index=sample.index, name="mahalanobis")


def whiten(sample: Sample, *, ddof: int) -> FloatArray:
    """Return complete data with mean 0 and covariance (divisor n - ddof) the identity.

    Raises
    ------
    DataError
        If there are not more rows than items, or the covariance matrix is singular.

    Examples
    --------
    >>> z = whiten(read_sample(np.array([[1.0], [2.0], [3.0]])), ddof=1)
    >>> z.ravel().tolist()
    [-1.0, 0.0, 1.0]
    """
    if sample.n_rows <= sample.n_items:
        raise DataError(
            f"{sample.n_rows} complete row(s) are not enough for {sample.n_items} items.",
            where="argument 'data'",
            remedy="Use fewer items or more respondents.",
        )
    centred = sample.values - sample.values.mean(axis=0)
    scaled = centred / centred.std(axis=0)
    value, vector = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    if value[0] < 1e-10 * value[-1]:
        weights = np.abs(vector[:, 0])
        involved = [sample.names[j] for j in np.flatnonzero(weights > 0.1 * weights.max())]
        raise DataError(
            "The covariance matrix is singular: one item is a combination of others.",
            where=f"columns {', '.join(involved)}",
            remedy="Leave one of them out.",
        )
    scale = np.sqrt((len(scaled) - ddof) / len(scaled))
    return np.asarray(scaled @ vector / np.sqrt(value) * scale)


def _complete_distances(sample: Sample) -> FloatArray:
    return np.asarray((whiten(sample, ddof=1) ** 2).sum(axis=1))


def _incomplete_distances(sample: Sample) -> FloatArray:
    patterns = find_patterns(sample.values)
    moments = em_moments(patterns)
    covariance = moments.covariance * patterns.n_rows / (patterns.n_rows - 1.0)
    weight, _ = pattern_inverses(patterns, covariance)
    deviation = np.where(sample.observed, sample.values - moments.mean, 0.0)
    distances = np.full(sample.n_rows, np.nan)
    for pattern, inverse in enumerate(weight):
        rows = patterns.row_pattern == pattern
        distances[rows] = np.einsum("ni,ij,nj->n", deviation[rows], inverse, deviation[rows])
    return distances
