"""Little's test that answers are missing completely at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._results import P_VALUE, STATISTIC, Result
from psm_analysis.errors import DataError
from psm_analysis.moments.missing import em_moments
from psm_analysis.moments.pattern_likelihood import pattern_inverses
from psm_analysis.moments.patterns import MissingPatterns, find_patterns
from psm_analysis.moments.sample import FloatArray, read_sample


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LittleTest(Result):
    """Little's MCAR test: a small p-value speaks against "missing completely at random".

    Attributes
    ----------
    statistic, df, p_value
        The chi-square statistic with its degrees of freedom.
    n_rows, n_patterns
        Rows with at least one answer, and missing-data patterns among them.
    patterns
        One row per pattern: rows, observed items, and its contribution to the statistic.
    """

    statistic: float
    df: int
    p_value: float
    n_rows: int
    n_patterns: int
    patterns: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per missing-data pattern."""
        return self.patterns.copy()

    def glance(self) -> pd.DataFrame:
        """Return the test in one row."""
        row = {STATISTIC: self.statistic, "df": self.df, P_VALUE: self.p_value}
        return pd.DataFrame([{**row, "n": self.n_rows, "patterns": self.n_patterns}])


def little_mcar(data: pd.DataFrame) -> LittleTest:
    """Test whether answers are missing completely at random (Little 1988).

    For pattern j with n_j rows and p_j observed items, mean y_j of these, and the maximum likelihood moments
    m, S of all data (by EM): ``d2 = sum_j n_j (y_j - m_j)' S_j^-1 (y_j - m_j)``, chi-square with
    ``sum_j p_j - p`` degrees of freedom. `S` has divisor N, as in R's ``naniar::mcar_test``.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; NaN is missing. Rows without any answer are left out.

    Raises
    ------
    DataError
        If nothing is missing, an item is constant or has no answers, or the covariance matrix is singular.

    References
    ----------
    Little, R. J. A. (1988). A test of missing completely at random for multivariate data with missing
    values. Journal of the American Statistical Association, 83, 1198-1202.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [2.0, 1, 4, 3, np.nan, np.nan]})
    >>> test = little_mcar(frame)
    >>> test.df, test.n_patterns, round(test.statistic, 3)
    (1, 2, 4.114)
    """
    sample = read_sample(data)
    patterns = find_patterns(sample.values)
    df = int(patterns.observed.sum()) - sample.n_items
    if df <= 0:
        raise DataError(
            "All rows that hold answers have the same missing-data pattern.",
            where=f"columns {', '.join(sample.names[:8])}",
            remedy="There is nothing to test.",
        )
    moments = em_moments(patterns)
    parts = _contributions(patterns, moments.mean, covariance=moments.covariance)
    statistic = float(parts.sum())
    table = _pattern_table(patterns, sample.names, parts=parts)
    return LittleTest(statistic, df, _chi_square_tail(statistic, df), patterns.n_rows, len(parts), table)


def _contributions(patterns: MissingPatterns, mean: FloatArray, *, covariance: FloatArray) -> FloatArray:
    weight, _ = pattern_inverses(patterns, covariance)
    deviation = (patterns.means - mean) * patterns.observed
    return np.asarray(patterns.counts * np.einsum("gi,gij,gj->g", deviation, weight, deviation))


def _pattern_table(patterns: MissingPatterns, names: tuple[str, ...], *, parts: FloatArray) -> pd.DataFrame:
    absent = [", ".join(name for name, seen in zip(names, row, strict=True) if not seen) for row in patterns.observed]
    return pd.DataFrame(
        {
            "pattern": np.arange(1, len(parts) + 1),
            "n": patterns.counts.astype(np.int64),
            "missing": absent,
            "items_observed": patterns.observed.sum(axis=1),
            "contribution": parts,
        }
    )


def _chi_square_tail(statistic: float, df: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(df, statistic))
