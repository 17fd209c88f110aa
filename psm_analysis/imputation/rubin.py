"""Pooling rules as functions of plain arrays; nothing here knows a model.

``m`` imputations, ``k`` constraints; ``r`` is the average relative increase in variance due to missing answers.

References
----------
Rubin, D. B. (1987). Multiple imputation for nonresponse in surveys. Wiley.
Barnard, J., & Rubin, D. B. (1999). Small-sample degrees of freedom with multiple imputation. Biometrika, 86, 948-955.
Li, K. H., Raghunathan, T. E., & Rubin, D. B. (1991). Large-sample significance levels from multiply imputed data using
moment-based statistics and an F reference distribution. Journal of the American Statistical Association, 86, 1065-1073.
Li, K. H., Meng, X. L., Raghunathan, T. E., & Rubin, D. B. (1991). Significance levels from repeated p-values with
multiply-imputed data. Statistica Sinica, 1, 65-92.
Meng, X. L., & Rubin, D. B. (1992). Performing likelihood ratio tests with multiply-imputed data sets. Biometrika, 79,
103-111.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from psm_analysis.sem.arrays import Array


@dataclass(frozen=True, slots=True)
class PooledTest:
    """An F test over imputations.

    Attributes
    ----------
    statistic, df, df2
        F, the number of constraints, and the denominator degrees of freedom (infinite where nothing is missing).
    increase
        The average relative increase in variance that missing answers cause.
    """

    statistic: float
    df: int
    df2: float
    increase: float

    @property
    def p_value(self) -> float:
        """Upper tail of the F distribution; 1 for a statistic that is not positive."""
        if self.statistic <= 0:
            return 1.0
        if math.isinf(self.df2):
            return self.chisq_p_value
        return float(special.fdtrc(self.df, self.df2, self.statistic))

    @property
    def chisq(self) -> float:
        """The statistic as a chi-square: k times F; 0 where F is negative."""
        return max(self.df * self.statistic, 0.0)

    @property
    def chisq_p_value(self) -> float:
        """Upper tail of the chi-square distribution."""
        return float(special.chdtrc(self.df, self.chisq))


def total_variance(estimates: Array, within: Array) -> tuple[Array, Array, Array]:
    """Return mean estimate, total covariance matrix and the between-imputation one.

    `estimates` has the shape ``(m, q)`` and `within`, the covariance matrices of the imputations, ``(m, q, q)``:
    ``T = W + (1 + 1/m) B`` (Rubin, 1987, eq. 3.1.5).

    Examples
    --------
    >>> mean, total, between = total_variance(np.array([[1.0], [3.0]]), np.array([[[1.0]], [[1.0]]]))
    >>> mean.tolist(), total.tolist(), between.tolist()
    ([2.0], [[4.0]], [[2.0]])
    """
    m = len(estimates)
    between = np.atleast_2d(np.cov(estimates, rowvar=False))
    return estimates.mean(axis=0), within.mean(axis=0) + (1.0 + 1.0 / m) * between, between


def degrees_of_freedom(share: Array, m: int, *, complete: float = math.inf) -> Array:
    """Return the degrees of freedom of t tests.

    `share` is ``lambda = (1 + 1/m) B / T``. With `complete` degrees of freedom ``nu`` of the data without gaps
    ``1 / (1/nu_m + 1/nu_obs)``, ``nu_m = (m - 1) / lambda^2``, ``nu_obs = (nu + 1)/(nu + 3) nu (1 - lambda)`` (Barnard
    & Rubin, 1999, eq. 3); infinite ones give ``nu_m`` (Rubin, 1987, eq. 3.1.6).

    Examples
    --------
    >>> share = np.array([0.5])
    >>> degrees_of_freedom(share, 5).tolist(), degrees_of_freedom(share, 5, complete=97.0).round(4).tolist()
    ([16.0], [11.9704])
    """
    with np.errstate(divide="ignore"):
        old = (m - 1.0) / share**2
        if math.isinf(complete):
            return np.asarray(old)
        observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share)
        return np.asarray(1.0 / (1.0 / old + 1.0 / observed))


def wald_d1(values: Array, within: Array, between: Array, *, m: int) -> PooledTest:
    """Return D1: the Wald test of ``values = 0`` with ``W (1 + r)`` (Li, Raghunathan & Rubin, 1991, eq. 1.17-1.19).

    Examples
    --------
    >>> test = wald_d1(np.array([2.0]), np.array([[1.0]]), np.array([[0.5]]), m=5)
    >>> round(test.statistic, 4), round(test.increase, 2)
    (2.5, 0.6)
    """
    k = len(values)
    r = (1.0 + 1.0 / m) * float(np.trace(np.linalg.solve(within, between))) / k
    statistic = float(values @ np.linalg.solve(within, values)) / (k * (1.0 + r))
    return PooledTest(statistic, k, _denominator(k, m, r), r)


def chisq_d2(chisq: Array, df: int) -> PooledTest:
    """Return D2 from the chi-squares of the imputations alone (Li, Meng, Raghunathan & Rubin, 1991, eq. 2.1-2.4).

    ``r = (1 + 1/m) var(sqrt X)``, ``D2 = [mean(X)/k - (m + 1)/(m - 1) r] / (1 + r)``.

    Examples
    --------
    >>> test = chisq_d2(np.array([4.0, 9.0, 16.0]), 2)
    >>> round(test.statistic, 4), round(test.increase, 4)
    (0.9286, 1.3333)
    """
    m = len(chisq)
    r = (1.0 + 1.0 / m) * float(np.var(np.sqrt(np.maximum(chisq, 0.0)), ddof=1))
    statistic = (float(chisq.mean()) / df - (m + 1.0) / (m - 1.0) * r) / (1.0 + r)
    df2 = df ** (-3.0 / m) * (m - 1.0) * (1.0 + 1.0 / r) ** 2 if r > 0 else math.inf
    return PooledTest(statistic, df, df2, r)


def likelihood_d3(own: float, pooled: float, df: int, *, m: int) -> PooledTest:
    """Return D3 from mean likelihood-ratio statistics (Meng & Rubin, 1992, eq. 2.1-2.4).

    `own` is the mean at the estimates of each imputation, `pooled` that at the mean estimates;
    ``r = (m + 1)(own - pooled) / [k (m - 1)]``, ``D3 = pooled / [k (1 + r)]``.

    Examples
    --------
    >>> round(likelihood_d3(12.0, 10.0, 2, m=5).statistic, 4)
    2.0
    """
    r = max((m + 1.0) * (own - pooled) / (df * (m - 1.0)), 0.0)
    return PooledTest(pooled / (df * (1.0 + r)), df, _denominator(df, m, r), r)


def _denominator(k: int, m: int, r: float) -> float:
    if r <= 0:
        return math.inf
    t = k * (m - 1.0)
    if t > 4:
        return float(4.0 + (t - 4.0) * (1.0 + (1.0 - 2.0 / t) / r) ** 2)
    return float(t * (1.0 + 1.0 / k) * (1.0 + 1.0 / r) ** 2 / 2.0)
