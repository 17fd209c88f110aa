"""Correlations of all pairs of items, with cases, p-values and intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtr

from psm_analysis._arguments import check_level
from psm_analysis._options import CorrelationMethod, PairMissing, check_option
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, P_VALUE, STATISTIC, Result
from psm_analysis.moments.covariance import pair_moments
from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.polychoric_result import polychoric
from psm_analysis.moments.rank_correlations import kendall_pairs, spearman_pairs
from psm_analysis.moments.sample import FloatArray, IntArray, Sample, read_sample


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Correlations(Result):
    """Correlations of all pairs.

    Attributes
    ----------
    matrix, n, p_value, ci_low, ci_high, statistic
        DataFrames with the items on both axes; the diagonal of p-values, statistics and intervals is NaN.
    method, missing, level
        What was asked for; `level` is that of the intervals.
    """

    matrix: pd.DataFrame
    n: pd.DataFrame
    statistic: pd.DataFrame
    p_value: pd.DataFrame
    ci_low: pd.DataFrame
    ci_high: pd.DataFrame
    method: str
    missing: str
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per pair."""
        row, column = pair_indices(len(self.matrix))
        names = list(self.matrix.columns)
        parts = {
            ESTIMATE: self.matrix,
            STATISTIC: self.statistic,
            P_VALUE: self.p_value,
            CI_LOW: self.ci_low,
            CI_HIGH: self.ci_high,
            "n": self.n,
        }
        labels = {"lhs": [names[i] for i in row], "rhs": [names[j] for j in column]}
        return pd.DataFrame({**labels, **{key: table.to_numpy()[row, column] for key, table in parts.items()}})

    def glance(self) -> pd.DataFrame:
        """Return method, size and mean correlation in one row."""
        row, column = pair_indices(len(self.matrix))
        values = self.matrix.to_numpy()[row, column]
        n = self.n.to_numpy()[row, column]
        head = {"method": self.method, "missing": self.missing, "items": len(self.matrix)}
        span = {"n_min": int(n.min()), "n_max": int(n.max()), "mean": float(values.mean())}
        return pd.DataFrame([{**head, **span, "min": float(values.min()), "max": float(values.max())}])


def correlations(
    data: pd.DataFrame, *, method: CorrelationMethod = "pearson", missing: PairMissing = "pairwise", level: float = 0.95
) -> Correlations:
    """Correlate all pairs of items, with p-values and Fisher z intervals.

    Definition: ``z = atanh(r)`` with standard error ``1 / sqrt(n - 3)`` (Pearson), ``sqrt(1.06 / (n - 3))`` (Spearman)
    and ``sqrt(0.437 / (n - 4))`` (Kendall's tau-b; Fieller, Hartley & Pearson 1957); polychoric intervals take the
    delta-method standard error. Tests: ``t = r sqrt((n - 2) / (1 - r^2))`` for Pearson and Spearman, the normal
    statistic corrected for ties for Kendall, estimate over standard error for polychoric.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; NaN is missing.
    method
        "pearson", "spearman", "kendall" or "polychoric".
    missing
        "pairwise": each pair from the cases that answered both; "listwise": complete cases only.
    level
        Level of the intervals.

    Raises
    ------
    DataError
        Naming the column that is constant, not numeric or empty, or the pair with fewer than 3 common cases.

    References
    ----------
    Fieller, E. C., Hartley, H. O., & Pearson, E. S. (1957). Tests for rank correlation coefficients. I.
    Biometrika, 44, 470-481. The R call is ``psych::corr.test(data, method = , use = )``.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 1, 4, 3, 5]})
    >>> result = correlations(frame)
    >>> float(result.matrix.loc["a", "b"].round(3)), float(result.p_value.loc["a", "b"].round(4))
    (0.8, 0.1041)
    """
    check_option(method, CorrelationMethod, name="method")
    check_option(missing, PairMissing, name="missing")
    check_level(level)
    sample = read_sample(data, min_items=2)
    moments = pair_moments(sample, missing=missing)
    used = sample.complete() if missing == "listwise" else sample
    row, column = pair_indices(sample.n_items)
    n = moments.n[row, column].astype(np.float64)
    if method == "pearson":
        estimate = moments.correlation[row, column]
        std_error, statistic, p_value = fisher_error(n, "pearson"), *_t_test(estimate, n)
    elif method == "spearman":
        estimate = spearman_pairs(used)
        std_error, statistic, p_value = fisher_error(n, "spearman"), *_t_test(estimate, n)
    elif method == "kendall":
        estimate, statistic, p_value = kendall_pairs(used)
        std_error = fisher_error(n, "kendall")
    else:
        estimate, std_error, statistic, p_value = _polychoric_pairs(used)
    low, high = fisher_interval(estimate, std_error, level=level)
    return Correlations(
        matrix=_table(sample, estimate, diagonal=1.0),
        n=_matrix_table(sample, moments.n),
        statistic=_table(sample, statistic),
        p_value=_table(sample, p_value),
        ci_low=_table(sample, low),
        ci_high=_table(sample, high),
        method=method,
        missing=missing,
        level=level,
    )


def correlation_matrix(
    sample: Sample, *, method: CorrelationMethod = "pearson", missing: PairMissing = "pairwise"
) -> tuple[FloatArray, IntArray]:
    """Return only the correlation matrix and the cases of each pair, as arrays: what factor analysis needs.

    Examples
    --------
    >>> matrix, n = correlation_matrix(read_sample(np.array([[1.0, 2], [2, 1], [3, 3], [4, 5]])), method="spearman")
    >>> matrix.round(2).tolist(), n.tolist()
    ([[1.0, 0.8], [0.8, 1.0]], [[4, 4], [4, 4]])
    """
    moments = pair_moments(sample, missing=missing)
    if method == "pearson":
        return moments.correlation, moments.n
    used = sample.complete() if missing == "listwise" else sample
    if method == "polychoric":
        frame = pd.DataFrame(used.values, columns=list(used.names))
        return polychoric(frame, std_errors=False).correlations.to_numpy(), moments.n
    pairs = spearman_pairs(used) if method == "spearman" else kendall_pairs(used)[0]
    return _square(pairs, sample.n_items, diagonal=1.0), moments.n


def fisher_error(n: FloatArray, method: str) -> FloatArray:
    """Return the standard error of Fisher's z of a Pearson, Spearman or Kendall correlation of `n` cases.

    Examples
    --------
    >>> fisher_error(np.array([103.0]), "pearson").tolist()
    [0.1]
    """
    variance, lost = {"pearson": (1.0, 3.0), "spearman": (1.06, 3.0), "kendall": (0.437, 4.0)}[method]
    return np.sqrt(variance / np.where(n > lost, n - lost, np.nan))


def fisher_interval(
    estimate: FloatArray, std_error: FloatArray, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Return the interval of a correlation from the standard error of its Fisher z; [-1, 1] if that is undefined.

    Examples
    --------
    >>> low, high = fisher_interval(np.array([0.5]), np.array([0.1]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.339], [0.632])
    """
    with np.errstate(divide="ignore"):
        z = np.arctanh(estimate)
    half = float(ndtri(0.5 + level / 2.0)) * np.where(np.isnan(std_error), np.inf, std_error)
    exact = np.isinf(z)
    low = np.tanh(np.where(exact, 0.0, z) - half)
    high = np.tanh(np.where(exact, 0.0, z) + half)
    return np.where(exact, estimate, low), np.where(exact, estimate, high)


def _t_test(estimate: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    with np.errstate(divide="ignore"):
        statistic = estimate * np.sqrt((n - 2.0) / ((1.0 - estimate) * (1.0 + estimate)))
    return statistic, np.asarray(2.0 * stdtr(n - 2.0, -np.abs(statistic)))


def _polychoric_pairs(sample: Sample) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    result = polychoric(pd.DataFrame(sample.values, columns=list(sample.names)))
    assert result.std_errors is not None
    row, column = pair_indices(sample.n_items)
    estimate = result.correlations.to_numpy()[row, column]
    std_error = result.std_errors[-len(row) :]
    with np.errstate(divide="ignore"):
        statistic = estimate / std_error
    on_z = std_error / ((1.0 - estimate) * (1.0 + estimate))
    return estimate, on_z, statistic, np.asarray(2.0 * ndtr(-np.abs(statistic)))


def _square(pairs: FloatArray, p: int, *, diagonal: float) -> FloatArray:
    row, column = pair_indices(p)
    matrix = np.full((p, p), diagonal)
    matrix[row, column] = matrix[column, row] = pairs
    return matrix


def _table(sample: Sample, pairs: FloatArray, *, diagonal: float = np.nan) -> pd.DataFrame:
    return _matrix_table(sample, _square(pairs, sample.n_items, diagonal=diagonal))


def _matrix_table(sample: Sample, matrix: FloatArray | IntArray) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=pd.Index(sample.names, name="item"), columns=list(sample.names))
