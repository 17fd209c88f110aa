"""Tests of multivariate normality: Mardia's skewness and kurtosis, and Henze-Zirkler."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr

from psm_analysis._results import P_VALUE, STATISTIC, Result
from psm_analysis.moments.distance import whiten
from psm_analysis.moments.sample import FloatArray, read_sample


@dataclass(frozen=True, slots=True, repr=False)
class Mardia(Result):
    """Mardia's multivariate skewness and kurtosis with their tests; `n` complete rows, `n_items` items."""

    skewness: float
    skewness_chisq: float
    skewness_df: int
    skewness_p_value: float
    kurtosis: float
    kurtosis_z: float
    kurtosis_p_value: float
    n: int
    n_items: int

    def tidy(self) -> pd.DataFrame:
        """Return one row for skewness and one for kurtosis."""
        return pd.DataFrame(
            {
                "term": ["skewness", "kurtosis"],
                "estimate": [self.skewness, self.kurtosis],
                STATISTIC: [self.skewness_chisq, self.kurtosis_z],
                P_VALUE: [self.skewness_p_value, self.kurtosis_p_value],
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return everything in one row."""
        return pd.DataFrame([{name: getattr(self, name) for name in type(self).__slots__}])


@dataclass(frozen=True, slots=True, repr=False)
class HenzeZirkler(Result):
    """The Henze-Zirkler statistic and its log-normal p-value; `n` complete rows, `n_items` items."""

    statistic: float
    p_value: float
    n: int
    n_items: int

    def tidy(self) -> pd.DataFrame:
        """Return the test as one row."""
        return pd.DataFrame({"term": ["henze_zirkler"], STATISTIC: [self.statistic], P_VALUE: [self.p_value]})

    def glance(self) -> pd.DataFrame:
        """Return everything in one row."""
        return pd.DataFrame([{name: getattr(self, name) for name in type(self).__slots__}])


def mardia(data: pd.DataFrame) -> Mardia:
    """Return Mardia's multivariate skewness and kurtosis of the complete rows.

    Definition: with ``g_ij = (x_i - m)' S^-1 (x_j - m)``, ``skewness = mean(g_ij^3)`` and ``kurtosis = mean(g_ii^2)``;
    ``n skewness / 6`` is chi-square with p(p+1)(p+2)/6 degrees of freedom and
    ``(kurtosis - p(p+2)) / sqrt(8 p(p+2) / n)`` standard normal, for large n, under normality.
    `S` has divisor n - 1, as in psych; Mardia's own definition has n, larger by (n / (n - 1))^3 and ^2.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; rows with a missing answer are left out.

    Raises
    ------
    DataError
        If an item is constant, not numeric or empty, rows do not outnumber items, or items are collinear.

    References
    ----------
    Mardia, K. V. (1970). Measures of multivariate skewness and kurtosis with applications. Biometrika, 57, 519-530.
    The R call is ``psych::mardia(data)``.

    Examples
    --------
    >>> square = pd.DataFrame({"a": [-1.0, -1.0, 1.0, 1.0], "b": [-1.0, 1.0, -1.0, 1.0]})
    >>> result = mardia(square)
    >>> round(result.skewness, 6), round(result.kurtosis, 6), round(result.kurtosis_z, 6)
    (0.0, 2.25, -1.4375)
    """
    sample = read_sample(data).complete()
    z = whiten(sample, ddof=1)
    n, p = z.shape
    skewness = sum(float((((z * z[:, [j]]).T @ z / n) ** 2).sum()) for j in range(p))
    kurtosis = float(((z**2).sum(axis=1) ** 2).mean())
    chisq, df = n * skewness / 6.0, p * (p + 1) * (p + 2) // 6
    statistic = (kurtosis - p * (p + 2)) / np.sqrt(8.0 * p * (p + 2) / n)
    return Mardia(
        skewness=skewness,
        skewness_chisq=chisq,
        skewness_df=df,
        skewness_p_value=float(chdtrc(df, chisq)),
        kurtosis=kurtosis,
        kurtosis_z=float(statistic),
        kurtosis_p_value=float(2.0 * ndtr(-abs(statistic))),
        n=n,
        n_items=p,
    )


def henze_zirkler(data: pd.DataFrame) -> HenzeZirkler:
    """Test multivariate normality by the Henze-Zirkler statistic of the complete rows.

    Definition: with squared distances ``D_i`` to the mean and ``D_ij`` between rows (`S` of divisor n) and
    ``b = ((2p + 1) n / 4)^(1/(p+4)) / sqrt(2)``: ``HZ = n mean_ij exp(-b^2 D_ij / 2)
    - 2 (1 + b^2)^(-p/2) sum_i exp(-b^2 D_i / (2 (1 + b^2))) + n (1 + 2 b^2)^(-p/2)``; the p-value is that of
    the log-normal distribution with the mean and variance of HZ under normality.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; rows with a missing answer are left out.

    Raises
    ------
    DataError
        As `mardia`.

    References
    ----------
    Henze, N., & Zirkler, B. (1990). A class of invariant consistent tests for multivariate normality.
    Communications in Statistics - Theory and Methods, 19, 3595-3617. The R call is ``MVN::hz(data)``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> henze_zirkler(pd.DataFrame(rng.standard_normal((200, 3)))).p_value > 0.05
    True
    """
    sample = read_sample(data).complete()
    z = whiten(sample, ddof=0)
    n, p = z.shape
    b2 = 0.5 * ((2 * p + 1) * n / 4.0) ** (2.0 / (p + 4))
    own = (z**2).sum(axis=1)
    near = float(np.exp(-0.5 * b2 * own / (1.0 + b2)).sum())
    statistic = _pair_kernel(z, own, b2=b2) / n
    statistic += n * (1.0 + 2.0 * b2) ** (-p / 2.0) - 2.0 * (1.0 + b2) ** (-p / 2.0) * near
    mean, variance = _null_moments(p, b2)
    log_variance = np.log1p(variance / mean**2)
    quantile = (np.log(max(statistic, 1e-300)) - np.log(mean) + 0.5 * log_variance) / np.sqrt(log_variance)
    return HenzeZirkler(float(statistic), float(ndtr(-quantile)), n, p)


def _pair_kernel(z: FloatArray, own: FloatArray, *, b2: float) -> float:
    """Sum over all pairs of rows of exp(-b^2 D_ij / 2), in blocks of rows."""
    block = max(1, 2_000_000 // len(z))
    total = 0.0
    for start in range(0, len(z), block):
        rows = slice(start, start + block)
        squared = own[rows, None] + own[None, :] - 2.0 * z[rows] @ z.T
        total += float(np.exp(-0.5 * b2 * np.maximum(squared, 0.0)).sum())
    return total


def _null_moments(p: int, b2: float) -> tuple[float, float]:
    """Mean and variance of HZ under normality (Henze & Zirkler 1990, theorem 3.3)."""
    a, w, b4, b8 = 1.0 + 2.0 * b2, (1.0 + b2) * (1.0 + 3.0 * b2), b2**2, b2**4
    mean = 1.0 - a ** (-p / 2.0) * (1.0 + p * b2 / a + p * (p + 2) * b4 / (2.0 * a**2))
    variance = 2.0 * (1.0 + 4.0 * b2) ** (-p / 2.0)
    variance += 2.0 * a ** (-float(p)) * (1.0 + 2.0 * p * b4 / a**2 + 3.0 * p * (p + 2) * b8 / (4.0 * a**4))
    variance -= 4.0 * w ** (-p / 2.0) * (1.0 + 3.0 * p * b4 / (2.0 * w) + p * (p + 2) * b8 / (2.0 * w**2))
    return mean, variance
