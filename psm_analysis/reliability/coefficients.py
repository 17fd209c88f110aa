"""Reliability coefficients as functions of a covariance matrix or of plain numbers."""

from __future__ import annotations

import numpy as np

from psm_analysis._arguments import check_between, is_number
from psm_analysis.errors import DataError, OptionError
from psm_analysis.moments.sample import FloatArray


def coefficient_alpha(C: FloatArray) -> float:
    """Return coefficient alpha of a covariance matrix: ``k / (k - 1) * (1 - tr(C) / sum(C))``.

    References
    ----------
    Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika, 16, 297-334, eq. 2.

    Examples
    --------
    >>> coefficient_alpha(np.array([[1.0, 0.5], [0.5, 1.0]]))
    0.6666666666666667
    """
    k = len(C)
    return float(k / (k - 1.0) * (1.0 - np.trace(C) / total_variance(C)))


def standardized_alpha(average_r: float, n_items: int) -> float:
    """Return alpha of standardised items: ``k r / (1 + (k - 1) r)``.

    Examples
    --------
    >>> standardized_alpha(0.5, 2)
    0.6666666666666666
    """
    return n_items * average_r / (1.0 + (n_items - 1.0) * average_r)


def alpha_std_error(C: FloatArray, n: int) -> float:
    """Return the asymptotic standard error of alpha under normality, equal covariances not assumed.

    ``Q = 2 k^2 / ((k-1)^2 V^3) * (V (tr C^2 + tr^2 C) - 2 tr C * 1'C^2 1)``, ``V = 1'C1``; the standard error is
    ``sqrt(Q / n)``.

    References
    ----------
    van Zyl, J. M., Neudecker, H., & Nel, D. G. (2000). On the distribution of the maximum likelihood estimator of
    Cronbach's alpha. Psychometrika, 65, 271-280. Duhachek, A., & Iacobucci, D. (2004). Journal of Applied
    Psychology, 89, 792-808.

    Examples
    --------
    >>> round(alpha_std_error(np.array([[1.0, 0.5], [0.5, 1.0]]), 100), 4)
    0.0667
    """
    k, total, trace = len(C), total_variance(C), float(np.trace(C))
    square = C @ C
    q = total * (float(np.trace(square)) + trace**2) - 2.0 * trace * float(square.sum())
    return float(np.sqrt(2.0 * k**2 / ((k - 1.0) ** 2 * total**3) * q / n))


def feldt_interval(alpha: float, n: int, *, n_items: int, level: float = 0.95) -> tuple[float, float]:
    """Return Feldt's interval of alpha: ``1 - (1 - alpha) F`` at the quantiles of F(n - 1, (n - 1)(k - 1)).

    References
    ----------
    Feldt, L. S., Woodruff, D. J., & Salih, F. A. (1987). Statistical inference for coefficient alpha.
    Applied Psychological Measurement, 11, 93-103.

    Examples
    --------
    >>> [round(end, 4) for end in feldt_interval(0.8, 200, n_items=5)]
    [0.7526, 0.8407]
    """
    from scipy.special import fdtri

    df1, df2, tail = n - 1.0, (n - 1.0) * (n_items - 1.0), (1.0 - level) / 2.0
    low, high = (1.0 - (1.0 - alpha) * float(fdtri(df1, df2, q)) for q in (1.0 - tail, tail))
    return low, high


def bonett_interval(alpha: float, n: int, *, n_items: int, level: float = 0.95) -> tuple[float, float]:
    """Return Bonett's interval of alpha: ``ln(1 - alpha)`` with variance ``2 k / ((k - 1)(n - 2))``.

    References
    ----------
    Bonett, D. G. (2002). Sample size requirements for testing and estimating coefficient alpha.
    Journal of Educational and Behavioral Statistics, 27, 335-340.

    Examples
    --------
    >>> [round(end, 4) for end in bonett_interval(0.8, 200, n_items=5)]
    [0.7507, 0.8395]
    """
    from scipy.special import ndtri

    centre = np.log1p(-alpha)
    half = float(ndtri(0.5 + level / 2.0)) * np.sqrt(2.0 * n_items / ((n_items - 1.0) * (n - 2.0)))
    return float(1.0 - np.exp(centre + half)), float(1.0 - np.exp(centre - half))


def squared_multiple_correlations(C: FloatArray) -> FloatArray:
    """Return each item's squared multiple correlation with the others: ``1 - 1 / (c_ii [C^-1]_ii)``.

    Raises
    ------
    DataError
        If the matrix is singular.

    Examples
    --------
    >>> squared_multiple_correlations(np.array([[1.0, 0.5], [0.5, 1.0]])).tolist()
    [0.25, 0.25]
    """
    scale = 1.0 / np.sqrt(np.diagonal(C))
    R = C * np.outer(scale, scale)
    if np.linalg.eigvalsh(R)[0] < 1e-10:
        raise DataError(
            "The covariance matrix is singular: one item is a combination of others.",
            where="squared multiple correlations",
            remedy="Leave one of them out.",
        )
    return np.asarray(1.0 - 1.0 / np.diagonal(np.linalg.inv(R)))


def total_variance(C: FloatArray) -> float:
    """Return the variance of the sum of the items, ``1'C1``.

    Raises
    ------
    DataError
        If it is not positive.

    Examples
    --------
    >>> total_variance(np.eye(3))
    3.0
    """
    total = float(C.sum())
    if total <= 1e-12 * float(np.trace(C)):
        raise DataError(
            "The sum of the items has no variance: they cancel each other.",
            where="total score",
            remedy="State the items to reverse with reverse=[...].",
        )
    return total


def spearman_brown(reliability: float, length: float) -> float:
    """Return the reliability of a test `length` times as long: ``m r / (1 + (m - 1) r)``.

    Parameters
    ----------
    reliability
        Of the test as it is.
    length
        How many times as long the other test is; 0.5 for one half.

    Raises
    ------
    OptionError
        If `length` is not positive.

    References
    ----------
    Spearman, C. (1910). British Journal of Psychology, 3, 271-295. Brown, W. (1910). ibid., 296-322.

    Examples
    --------
    >>> round(spearman_brown(0.6, 2), 4)
    0.75
    """
    check_between(length, name="length", high=np.inf, remedy="Use 2 for a test twice as long.")
    check_between(reliability, name="reliability", low=-np.inf, high=np.inf, remedy="Give a number.")
    return length * reliability / (1.0 + (length - 1.0) * reliability)


def standard_error_of_measurement(sd: float, reliability: float) -> float:
    """Return ``sd * sqrt(1 - reliability)``: the standard deviation of observed scores around a true score.

    Parameters
    ----------
    sd
        Standard deviation of the observed scores; the result has its unit.
    reliability
        Of these scores.

    Raises
    ------
    OptionError
        If `reliability` is not between 0 and 1.

    Examples
    --------
    >>> round(standard_error_of_measurement(10.0, 0.84), 6)
    4.0
    """
    check_between(sd, name="sd", high=np.inf, remedy="Give the standard deviation of the scores.")
    if not (is_number(reliability) and 0.0 <= reliability <= 1.0):
        raise OptionError(
            f"reliability={reliability!r} is not between 0 and 1.",
            where="argument 'reliability'",
            remedy="A negative coefficient usually means that items were not reversed.",
        )
    return float(sd * np.sqrt(1.0 - reliability))


def reliable_change(before: float, after: float, *, sd: float, reliability: float) -> float:
    """Return the reliable change index: ``(after - before) / (sqrt(2) SEM)``; beyond +-1.96 is more than error.

    Parameters
    ----------
    before, after
        Scores of one person.
    sd, reliability
        Standard deviation and reliability of the scores, which give the standard error of measurement SEM.

    Raises
    ------
    OptionError
        If the scores have no measurement error, or `reliability` is not between 0 and 1.

    References
    ----------
    Jacobson, N. S., & Truax, P. (1991). Clinical significance. Journal of Consulting and Clinical Psychology, 59,
    12-19, equations 3 and 4.

    Examples
    --------
    >>> round(reliable_change(20.0, 30.0, sd=10.0, reliability=0.84), 4)
    1.7678
    """
    error = standard_error_of_measurement(sd, reliability)
    if error == 0.0:
        raise OptionError("The scores have no measurement error.", where="sd, reliability", remedy="Check both.")
    return float((after - before) / (np.sqrt(2.0) * error))
