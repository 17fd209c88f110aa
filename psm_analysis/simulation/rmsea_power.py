"""Power, precision and sample size of tests of fit by the RMSEA, from noncentral chi-square distributions.

The chi-square statistic of a model whose population RMSEA is ``e`` is about noncentral chi-square with the
noncentrality ``(N - 1) df e^2 / G`` (MacCallum, Browne & Sugawara, 1996, eq. 8; G groups as in Steiger, 1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import special

from psm_analysis.errors import OptionError
from psm_analysis.sem.formulas import rmsea_interval

LARGEST = 10_000_000


def rmsea_power(
    df: float,
    nobs: float,
    *,
    null: float = 0.05,
    alternative: float = 0.08,
    alpha: float = 0.05,
    n_groups: int = 1,
) -> float:
    """Return the power of the test that the RMSEA is `null` when it is `alternative`.

    With ``null < alternative`` it is the test of close fit (``null=0``: of exact fit), which rejects large
    chi-squares; with ``null > alternative`` that of not-close fit, which rejects small ones.

    Parameters
    ----------
    df
        Degrees of freedom of the model.
    nobs
        Number of respondents in all groups.
    null, alternative
        RMSEA under the hypothesis and in the population.
    alpha
        Significance level.
    n_groups
        Number of groups.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    OptionError
        For numbers out of range, or two equal RMSEA.

    References
    ----------
    MacCallum, R. C., Browne, M. W., & Sugawara, H. M. (1996). Power analysis and determination of sample size for
    covariance structure modeling. Psychological Methods, 1, 130-149. R: ``semTools::findRMSEApower``.

    Examples
    --------
    >>> round(rmsea_power(50, 200), 3), round(rmsea_power(50, 200, null=0.05, alternative=0.01), 3)
    (0.769, 0.608)
    """
    _check(df=df, nobs=nobs, alpha=alpha, n_groups=n_groups)
    _check_pair(null, alternative)
    size = (nobs - 1.0) * df / n_groups
    return chi_square_power(df, size * null**2, size * alternative**2, alpha=alpha)


def rmsea_sample_size(
    df: float,
    *,
    power: float = 0.80,
    null: float = 0.05,
    alternative: float = 0.08,
    alpha: float = 0.05,
    n_groups: int = 1,
) -> int:
    """Return the smallest number of respondents at which :func:`rmsea_power` reaches `power`.

    Parameters
    ----------
    df, null, alternative, alpha, n_groups
        As :func:`rmsea_power`.
    power
        The power that is wanted.

    Returns
    -------
    int
        Respondents in all groups.

    Raises
    ------
    OptionError
        For numbers out of range, and a power that no sample reaches.

    References
    ----------
    MacCallum, Browne, & Sugawara (1996), Table 4. R: ``semTools::findRMSEAsamplesize``, which searches in steps.

    Examples
    --------
    >>> [rmsea_sample_size(df) for df in (2, 10, 100)]
    [3494, 782, 132]
    """
    _check_power(power, alpha)

    def reached(nobs: int) -> bool:
        found = rmsea_power(df, nobs, null=null, alternative=alternative, alpha=alpha, n_groups=n_groups)
        return found >= power

    return smallest(reached, first=n_groups + 1)


def rmsea_difference_power(
    df: tuple[float, float],
    nobs: float,
    *,
    alternative: tuple[float, float],
    null: tuple[float, float] = (0.0, 0.0),
    alpha: float = 0.05,
    n_groups: int = 1,
) -> float:
    """Return the power of the chi-square difference test of two nested models with given RMSEA.

    The difference is noncentral chi-square with ``df_A - df_B`` degrees of freedom and the noncentrality
    ``(N - 1)(df_A e_A^2 - df_B e_B^2)``, where A is the more restricted model.

    Parameters
    ----------
    df
        Degrees of freedom of the restricted and of the less restricted model.
    nobs
        Number of respondents in all groups.
    alternative
        RMSEA of the two models in the population.
    null
        RMSEA of the two under the hypothesis: 0 and 0 for the usual test of no difference, small ones for that of a
        small difference.
    alpha, n_groups
        As :func:`rmsea_power`.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    OptionError
        If the models are not in order, or fit changes in the wrong direction.

    References
    ----------
    MacCallum, R. C., Browne, M. W., & Cai, L. (2006). Testing differences between nested covariance structure models:
    Power analysis and null hypotheses. Psychological Methods, 11, 19-35. R: ``semTools::findRMSEApowernested``.

    Examples
    --------
    >>> round(rmsea_difference_power((22, 20), 200, alternative=(0.06, 0.05)), 3)
    0.57
    """
    _check(df=df[1], nobs=nobs, alpha=alpha, n_groups=n_groups)
    lack = [df[0] * pair[0] ** 2 - df[1] * pair[1] ** 2 for pair in (null, alternative)]
    if df[0] <= df[1] or lack[0] < 0 or lack[1] <= lack[0]:
        raise OptionError(
            f"df={df}, null={null} and alternative={alternative} do not describe a restriction that worsens fit.",
            where="rmsea_difference_power",
            remedy="Name the restricted model first; its df x RMSEA^2 must be larger, and more so than under the null.",
        )
    size = (nobs - 1.0) / n_groups
    return chi_square_power(df[0] - df[1], size * lack[0], size * lack[1], alpha=alpha)


def rmsea_precision(
    df: float, nobs: float, *, rmsea: float = 0.05, level: float = 0.90, n_groups: int = 1
) -> tuple[float, float]:
    """Return the interval of the RMSEA to be expected from so many respondents.

    It is the interval at the expected chi-square ``df + (N - 1) df e^2 / G``; its width says how exactly the fit of
    the model will be known.

    Parameters
    ----------
    df, nobs, n_groups
        As :func:`rmsea_power`.
    rmsea
        RMSEA in the population.
    level
        Of the interval.

    Returns
    -------
    tuple of float
        Lower and upper limit.

    Raises
    ------
    OptionError
        For numbers out of range.

    References
    ----------
    Kelley, K., & Lai, K. (2011). Accuracy in parameter estimation for the root mean square error of approximation.
    Multivariate Behavioral Research, 46, 1-32.

    Examples
    --------
    >>> low, high = rmsea_precision(50, 300)
    >>> round(low, 3), round(high, 3)
    (0.032, 0.067)
    """
    _check(df=df, nobs=nobs, alpha=1.0 - level, n_groups=n_groups)
    if not 0 <= rmsea < 1:
        raise OptionError(f"rmsea={rmsea} is not between 0 and 1.", where="argument 'rmsea'", remedy="Use 0.05.")
    chisq = df + (nobs - 1.0) * df * rmsea**2 / n_groups
    return rmsea_interval(chisq, df, nobs - 1.0, n_groups=n_groups, level=level)


def rmsea_precision_sample_size(
    df: float, *, width: float = 0.04, rmsea: float = 0.05, level: float = 0.90, n_groups: int = 1
) -> int:
    """Return the smallest number of respondents whose expected interval of the RMSEA is no wider than `width`.

    Parameters
    ----------
    df, rmsea, level, n_groups
        As :func:`rmsea_precision`.
    width
        Upper less lower limit that is wanted.

    Returns
    -------
    int
        Respondents in all groups.

    Raises
    ------
    OptionError
        For numbers out of range.

    References
    ----------
    Kelley & Lai (2011). R: ``MBESS::ss.aipe.rmsea``.

    Examples
    --------
    >>> rmsea_precision_sample_size(50, width=0.04)
    254
    """
    if not 0 < width < 1:
        raise OptionError(f"width={width} is not between 0 and 1.", where="argument 'width'", remedy="Use 0.04.")

    def narrow(nobs: int) -> bool:
        low, high = rmsea_precision(df, nobs, rmsea=rmsea, level=level, n_groups=n_groups)
        return high - low <= width

    return smallest(narrow, first=_widest(df, rmsea, level, n_groups))


def _widest(df: float, rmsea: float, level: float, n_groups: int) -> int:
    """Return the sample from which on the expected interval narrows: where its lower limit leaves 0."""

    def above(nobs: int) -> bool:
        return rmsea == 0 or rmsea_precision(df, nobs, rmsea=rmsea, level=level, n_groups=n_groups)[0] > 0

    return smallest(above, first=n_groups + 1)


def chi_square_power(df: float, null: float, alternative: float, *, alpha: float) -> float:
    """Return the power of a chi-square test between two noncentralities.

    Examples
    --------
    >>> round(chi_square_power(1, 0.0, 7.849, alpha=0.05), 3)
    0.8
    """
    if alternative > null:
        return 1.0 - below(critical(df, null, 1.0 - alpha), df, alternative)
    return below(critical(df, null, alpha), df, alternative)


def below(chisq: float, df: float, noncentrality: float) -> float:
    """Return the probability of a noncentral chi-square below `chisq`."""
    return float(special.chndtr(chisq, df, noncentrality) if noncentrality > 0 else special.chdtr(df, chisq))


def critical(df: float, noncentrality: float, probability: float) -> float:
    """Return the quantile of a noncentral chi-square."""
    if noncentrality > 0:
        return float(special.chndtrix(probability, df, noncentrality))
    return float(special.chdtri(df, 1.0 - probability))


def smallest(reached: Callable[[int], bool], *, first: int) -> int:
    """Return the smallest whole number from `first` on at which a condition holds that stays true from then on.

    Raises
    ------
    OptionError
        If ten million do not reach it.

    Examples
    --------
    >>> smallest(lambda n: n * n > 50, first=1)
    8
    """
    low, high = first, max(2 * first, 16)
    if reached(low):
        return low
    while not reached(high):
        low, high = high, 2 * high
        if high > LARGEST:
            raise OptionError(
                "Not even ten million respondents reach this.",
                where="the search for a sample size",
                remedy="Ask for less, or look for a larger difference.",
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _check(*, df: float, nobs: float, alpha: float, n_groups: int) -> None:
    rules = {
        "df": (df, df > 0, "a number above 0"),
        "nobs": (nobs, nobs > n_groups and math.isfinite(nobs), "a number of respondents above that of the groups"),
        "alpha": (alpha, 0 < alpha < 1, "between 0 and 1, such as 0.05"),
        "n_groups": (n_groups, n_groups >= 1, "1 or more"),
    }
    for name, (value, good, wanted) in rules.items():
        if not good:
            raise OptionError(f"{name}={value} cannot be used.", where=f"argument {name!r}", remedy=f"Give {wanted}.")


def _check_pair(null: float, alternative: float) -> None:
    if null == alternative or not (0 <= null < 1 and 0 <= alternative < 1):
        raise OptionError(
            f"null={null} and alternative={alternative} cannot be told apart.",
            where="arguments 'null' and 'alternative'",
            remedy="Give two different RMSEA between 0 and 1: 0.05 and 0.08 (close fit), 0.05 and 0.01 (not close).",
        )


def _check_power(power: float, alpha: float) -> None:
    check_target(power, floor=alpha)


def check_target(power: float, *, floor: float = 0.0) -> None:
    """Refuse a target power that no sample has, or every sample has.

    Raises
    ------
    OptionError
        If it is not above `floor` and below 1.
    """
    if not floor < power < 1:
        raise OptionError(
            f"A power of {power} is not possible.",
            where="argument 'power'",
            remedy=f"Give a number above {floor:g} and below 1, such as 0.80.",
        )
