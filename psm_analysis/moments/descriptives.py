"""Descriptive statistics of items, in the conventions of R's psych."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from psm_analysis._arguments import is_number
from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.moments.sample import FloatArray, read_sample

MAD_CONSTANT = 1.4826


def describe(data: pd.DataFrame, *, trim: float = 0.1) -> pd.DataFrame:
    """Describe every item of a table.

    Definition: with `n` answers, mean `m`, standard deviation `s` (divisor n - 1) and central moments
    ``m_k = sum((x - m)**k) / n``: ``skew = m_3 / s**3``, ``kurtosis = m_4 / s**4 - 3`` (the b_1 and b_2 of
    Joanes & Gill 1998, "type 3"), ``se = s / sqrt(n)``, ``mad = 1.4826 * median(|x - median(x)|)``.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; NaN is missing.
    trim
        Proportion of answers cut from each end for the trimmed mean.

    Returns
    -------
    DataFrame
        Index ``item``; columns n, mean, sd, median, trimmed, mad, min, max, range, skew, kurtosis, se.

    Raises
    ------
    DataError
        If a column is not numeric or has no answers.

    Warns
    -----
    PsmAnalysisWarning
        If an item is constant: its skew and kurtosis are undefined and shown as NaN.

    References
    ----------
    Joanes, D. N., & Gill, C. A. (1998). Comparing measures of sample skewness and kurtosis.
    The Statistician, 47, 183-189. The R call is ``psych::describe(data)``.

    Examples
    --------
    >>> table = describe(pd.DataFrame({"x1": [1, 2, 2, 3, 5], "x2": [2, 2, 3, 4, None]}))
    >>> table.loc["x1", ["n", "mean", "median", "range"]].tolist()
    [5.0, 2.6, 2.0, 4.0]
    """
    if not (is_number(trim) and 0.0 <= trim <= 0.5):
        raise OptionError(f"trim={trim!r} is not between 0 and 0.5.", where="argument 'trim'", remedy="Use 0.1.")
    sample = read_sample(data, allow_constant=True)
    rows = [_describe_item(sample.values[sample.observed[:, j], j], trim) for j in range(sample.n_items)]
    table = pd.DataFrame(rows, index=pd.Index(sample.names, name="item"))
    flat = table.index[table["range"] == 0].tolist()
    if flat:
        warnings.warn(
            f"Constant item(s) {', '.join(flat)}: skew and kurtosis (of one answer, the standard deviation too) are "
            "undefined.",
            PsmAnalysisWarning,
            stacklevel=2,
        )
    return table.astype({"n": np.int64})


def _describe_item(x: FloatArray, trim: float) -> dict[str, float]:
    n, mean, median = x.size, float(x.mean()), float(np.median(x))
    sd = float(x.std(ddof=1)) if n > 1 else np.nan
    spread = float(x.max() - x.min())
    skew, kurtosis = standardized_moments(x) if spread > 0 else (np.nan, np.nan)
    return {
        "n": n,
        "mean": mean,
        "sd": sd,
        "median": median,
        "trimmed": trimmed_mean(x, trim=trim),
        "mad": MAD_CONSTANT * float(np.median(np.abs(x - median))),
        "min": float(x.min()),
        "max": float(x.max()),
        "range": spread,
        "skew": skew,
        "kurtosis": kurtosis,
        "se": sd / np.sqrt(n),
    }


def standardized_moments(x: FloatArray) -> tuple[float, float]:
    """Return skewness and excess kurtosis of "type 3": central moments over powers of the n - 1 deviation.

    Examples
    --------
    >>> skew, kurtosis = standardized_moments(np.array([1.0, 2.0, 3.0]))
    >>> round(skew, 6), round(kurtosis, 6)
    (0.0, -2.333333)
    """
    deviation = x - x.mean()
    sd = x.std(ddof=1)
    return float((deviation**3).mean() / sd**3), float((deviation**4).mean() / sd**4 - 3.0)


def trimmed_mean(x: FloatArray, *, trim: float) -> float:
    """Return the mean after cutting ``floor(n * trim)`` values from each end.

    Examples
    --------
    >>> trimmed_mean(np.array([0.0, 1.0, 2.0, 3.0, 100.0]), trim=0.2)
    2.0
    """
    if trim >= 0.5:
        return float(np.median(x))
    cut = int(np.floor(x.size * trim))
    return float(np.sort(x)[cut : x.size - cut].mean())
