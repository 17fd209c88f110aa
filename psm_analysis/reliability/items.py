"""Statistics of the items of one scale from their covariance matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from psm_analysis.moments.sample import FloatArray, Sample
from psm_analysis.reliability.coefficients import coefficient_alpha, squared_multiple_correlations, total_variance


def item_rest_correlations(C: FloatArray) -> FloatArray:
    """Return each item's correlation with the sum of the others, from the covariance matrix.

    ``(c_i. - c_ii) / sqrt(c_ii (V - 2 c_i. + c_ii))`` with row sums ``c_i.`` and ``V = 1'C1``.

    Examples
    --------
    >>> item_rest_correlations(np.array([[1.0, 0.5], [0.5, 1.0]])).tolist()
    [0.5, 0.5]
    """
    own, sums = np.diagonal(C), C.sum(axis=1)
    rest = C.sum() - 2.0 * sums + own
    return np.asarray((sums - own) / np.sqrt(own * np.where(rest > 0.0, rest, np.nan)))


def item_total_correlations(C: FloatArray) -> FloatArray:
    """Return each item's correlation with the sum of all items, itself included.

    Examples
    --------
    >>> item_total_correlations(np.eye(4)).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    return np.asarray(C.sum(axis=1) / np.sqrt(np.diagonal(C) * total_variance(C)))


def corrected_item_total_correlations(C: FloatArray) -> FloatArray:
    """Return item-total correlations corrected for overlap and for the unreliability of the items.

    The item's variance in the covariance with the total is replaced by its squared multiple correlation times
    the variance, for every item (the ``r.cor`` of psych): ``c*_i. / sqrt(c_ii V*)``.

    Examples
    --------
    >>> corrected_item_total_correlations(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4).tolist()
    [0.6124, 0.6124]
    """
    reduced = C.copy()
    np.fill_diagonal(reduced, np.diagonal(C) * squared_multiple_correlations(C))
    return np.asarray(reduced.sum(axis=1) / np.sqrt(np.diagonal(C) * total_variance(reduced)))


def alpha_if_dropped(C: FloatArray) -> FloatArray:
    """Return alpha of the other items, for each item in turn; NaN if only one would be left.

    Examples
    --------
    >>> alpha_if_dropped(0.5 * np.eye(3) + 0.5).round(4).tolist()
    [0.6667, 0.6667, 0.6667]
    """
    k = len(C)
    if k < 3:
        return np.full(k, np.nan)
    return np.array([coefficient_alpha(np.delete(np.delete(C, j, axis=0), j, axis=1)) for j in range(k)])


def average_r_if_dropped(R: FloatArray) -> FloatArray:
    """Return the mean correlation among the other items, for each item in turn; NaN if only one would be left.

    Examples
    --------
    >>> average_r_if_dropped(0.5 * np.eye(3) + 0.5).tolist()
    [0.5, 0.5, 0.5]
    """
    k = len(R)
    if k < 3:
        return np.full(k, np.nan)
    left = R.sum() - 2.0 * R.sum(axis=1) + 1.0 - (k - 1.0)
    return np.asarray(left / ((k - 1.0) * (k - 2.0)))


def item_table(sample: Sample, C: FloatArray, *, R: FloatArray) -> pd.DataFrame:
    """Return one row per item: cases, correlations with the scale, alpha if dropped, mean, standard deviation.

    Examples
    --------
    >>> sample = Sample(("a", "b", "c"), np.array([[1.0, 2, 2], [2, 3, 1], [3, 4, 5]]), None)
    >>> item_table(sample, np.cov(sample.values.T), R=np.corrcoef(sample.values.T))["mean"].tolist()
    [2.0, 3.0, 2.6666666666666665]
    """
    singular = np.linalg.eigvalsh(R)[0] < 1e-10
    nothing = np.full(len(C), np.nan)
    table = {
        "n": sample.observed.sum(axis=0),
        "item_rest_r": item_rest_correlations(C),
        "item_total_r": item_total_correlations(C),
        "item_corrected_r": nothing if singular else corrected_item_total_correlations(R),
        "alpha_if_dropped": alpha_if_dropped(C),
        "average_r_if_dropped": average_r_if_dropped(R),
        "mean": np.nanmean(sample.values, axis=0),
        "sd": np.nanstd(sample.values, axis=0, ddof=1),
    }
    return pd.DataFrame(table, index=pd.Index(sample.names, name="item"))


def undefined_statistics(items: pd.DataFrame) -> list[str]:
    """Say of an item table what is NaN in it and why.

    Examples
    --------
    >>> undefined_statistics(pd.DataFrame({"item_corrected_r": [0.5, 0.6, 0.7]}))
    []
    """
    notes = []
    if items["item_corrected_r"].isna().any():
        notes.append(
            "One item is a combination of others (or the pairwise matrix is not positive definite): lambda 6 and "
            "item_corrected_r are undefined (NaN)."
        )
    if len(items) == 2:
        notes.append("With two items alpha_if_dropped is undefined (NaN); prefer the Spearman-Brown coefficient.")
    return notes
