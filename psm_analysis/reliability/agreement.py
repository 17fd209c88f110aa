"""Intraclass correlations of raters, occasions or items (Shrout & Fleiss)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_level
from psm_analysis._results import CI_HIGH, CI_LOW, P_VALUE, STATISTIC
from psm_analysis.errors import DataError
from psm_analysis.moments.sample import Sample, read_sample

ROWS = (
    ("ICC1", "single, raters differ by target"),
    ("ICC2", "single, raters random"),
    ("ICC3", "single, raters fixed"),
    ("ICC1k", "mean of raters, raters differ by target"),
    ("ICC2k", "mean of raters, raters random"),
    ("ICC3k", "mean of raters, raters fixed"),
)


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Two-way analysis of variance of `n` targets by `k` raters."""

    between: float
    within: float
    raters: float
    error: float
    n: int
    k: int


def icc(data: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Return the six intraclass correlations of Shrout and Fleiss, from the complete rows.

    Definition: with mean squares between targets B, within W, of raters J and residual E, n targets, k raters:
    ``ICC1 = (B - W) / (B + (k-1) W)``, ``ICC2 = (B - E) / (B + (k-1) E + k (J - E) / n)``,
    ``ICC3 = (B - E) / (B + (k-1) E)``; ``ICC1k = (B - W) / B``, ``ICC2k = (B - E) / (B + (J - E) / n)``,
    ``ICC3k = (B - E) / B`` (alpha).

    Parameters
    ----------
    data
        Targets in rows, raters (occasions, items) in columns; rows with a missing rating are left out.
    level
        Level of the intervals.

    Returns
    -------
    DataFrame
        type, description, icc, statistic (F), df1, df2, p_value, ci_low, ci_high, n.

    Raises
    ------
    DataError
        If a column is not numeric or empty, fewer than two complete rows remain, or ratings do not vary.

    References
    ----------
    Shrout, P. E., & Fleiss, J. L. (1979). Intraclass correlations. Psychological Bulletin, 86, 420-428.
    McGraw, K. O., & Wong, S. P. (1996). Psychological Methods, 1, 30-46. The R call is ``psych::ICC(data)``.

    Examples
    --------
    >>> ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> icc(pd.DataFrame(ratings))["icc"].round(2).tolist()  # Shrout & Fleiss 1979, table 4
    [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    """
    check_level(level)
    sample = read_sample(data, min_items=2, allow_constant=True).complete()
    squares = two_way_mean_squares(sample)
    single, average = _estimates(squares)
    n, k = squares.n, squares.k
    f1, f3 = squares.between / squares.within, squares.between / squares.error
    df1, df2_one, df2_two = n - 1.0, n * (k - 1.0), (n - 1.0) * (k - 1.0)
    tail = (1.0 - level) / 2.0
    ends = [
        _f_interval(f1, df1, df2=df2_one, k=k, tail=tail),
        _random_interval(squares, single[1], tail=tail),
        _f_interval(f3, df1, df2=df2_two, k=k, tail=tail),
    ]
    stepped = [tuple(k * end / (1.0 + (k - 1.0) * end) for end in pair) for pair in ends]
    tests = [(f1, df1, df2_one), (f3, df1, df2_two), (f3, df1, df2_two)]
    return _icc_table([*single, *average], tests * 2, ends=[*ends, *stepped], n=n)


def two_way_mean_squares(sample: Sample) -> MeanSquares:
    """Return the mean squares of complete ratings.

    Raises
    ------
    DataError
        If fewer than two rows are complete, or there is no variation within rows.

    Examples
    --------
    >>> squares = two_way_mean_squares(read_sample(np.array([[1.0, 2.0], [3.0, 5.0], [5.0, 6.0]])))
    >>> round(squares.between, 3), round(squares.error, 3)
    (8.167, 0.167)
    """
    x = sample.values
    n, k = x.shape
    if n < 2:
        raise DataError(
            f"{n} row(s) without a missing rating; at least 2 are needed.",
            where="argument 'data'",
            remedy="Check which column is missing so often.",
        )
    grand, rows, columns = x.mean(), x.mean(axis=1), x.mean(axis=0)
    between = k * float(((rows - grand) ** 2).sum()) / (n - 1.0)
    raters = n * float(((columns - grand) ** 2).sum()) / (k - 1.0)
    within = float(((x - rows[:, None]) ** 2).sum()) / (n * (k - 1.0))
    residual = x - rows[:, None] - columns + grand
    error = float((residual**2).sum()) / ((n - 1.0) * (k - 1.0))
    scale = float(np.abs(x).max()) ** 2
    if between <= 1e-20 * scale or error <= 1e-20 * scale:
        what = "do not differ between rows" if between <= 1e-20 * scale else "of every row differ by the same amounts"
        raise DataError(
            f"The ratings {what}: the F ratio is undefined.",
            where=f"columns {', '.join(sample.names[:8])}",
            remedy="Check that the columns are ratings of different targets and not copies.",
        )
    return MeanSquares(between, within, raters, error, n, k)


def _estimates(s: MeanSquares) -> tuple[list[float], list[float]]:
    b, w, j, e, n, k = s.between, s.within, s.raters, s.error, s.n, s.k
    single = [
        (b - w) / (b + (k - 1) * w),
        (b - e) / (b + (k - 1) * e + k * (j - e) / n),
        (b - e) / (b + (k - 1) * e),
    ]
    return single, [(b - w) / b, (b - e) / (b + (j - e) / n), (b - e) / b]


def _f_interval(statistic: float, df1: float, *, df2: float, k: int, tail: float) -> tuple[float, float]:
    from scipy.special import fdtri

    low = statistic / float(fdtri(df1, df2, 1.0 - tail))
    high = statistic * float(fdtri(df2, df1, 1.0 - tail))
    return (low - 1.0) / (low + k - 1.0), (high - 1.0) / (high + k - 1.0)


def _random_interval(s: MeanSquares, rho: float, *, tail: float) -> tuple[float, float]:
    """Interval of ICC2 with Satterthwaite degrees of freedom (Shrout & Fleiss 1979, p. 424)."""
    from scipy.special import fdtri

    n, k, ratio = s.n, s.k, s.raters / s.error
    inner = n * (1.0 + (k - 1.0) * rho) - k * rho
    numerator = (k - 1.0) * (n - 1.0) * (k * rho * ratio + inner) ** 2
    df = numerator / ((n - 1.0) * k**2 * rho**2 * ratio**2 + inner**2)
    f_low, f_high = float(fdtri(n - 1.0, df, 1.0 - tail)), float(fdtri(df, n - 1.0, 1.0 - tail))
    other = k * s.raters + (k * n - k - n) * s.error
    low = n * (s.between - f_low * s.error) / (f_low * other + n * s.between)
    return low, n * (f_high * s.between - s.error) / (other + n * f_high * s.between)


def _icc_table(
    estimates: list[float],
    tests: list[tuple[float, float, float]],
    *,
    ends: list[tuple[float, ...]],
    n: int,
) -> pd.DataFrame:
    from scipy.special import fdtrc

    table = pd.DataFrame(ROWS, columns=["type", "description"])
    table["icc"] = estimates
    table[[STATISTIC, "df1", "df2"]] = np.array(tests)
    table[P_VALUE] = fdtrc(table["df1"], table["df2"], table[STATISTIC])
    table[[CI_LOW, CI_HIGH]] = np.array(ends)
    return table.assign(n=n)
