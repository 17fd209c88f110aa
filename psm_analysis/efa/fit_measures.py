"""Fit of a factor model: formulas on plain numbers, with the conventions of ``psych::fa``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, chdtrc, chndtrinc

FloatArray = NDArray[np.float64]


def degrees_of_freedom(n_items: int, n_factors: int) -> int:
    r"""Degrees of freedom of an exploratory factor model, :math:`[(p-k)^2-(p+k)]/2`.

    Examples
    --------
    >>> degrees_of_freedom(9, 3)
    12
    """
    return ((n_items - n_factors) ** 2 - (n_items + n_factors)) // 2


def discrepancy(S: FloatArray, Sigma: FloatArray) -> float:
    r"""Maximum-likelihood discrepancy :math:`\mathrm{tr}(S\Sigma^{-1})-\log|S\Sigma^{-1}|-p`.

    Examples
    --------
    >>> discrepancy(np.eye(2), np.eye(2))
    0.0
    """
    ratio = np.linalg.solve(Sigma, S)
    return float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - len(S))


def bartlett_statistic(objective: float, nobs: int, *, n_items: int, n_factors: int) -> float:
    """Chi-square with Bartlett's (1950) multiplier, n - 1 - (2p + 5)/6 - 2k/3.

    Examples
    --------
    >>> round(bartlett_statistic(0.1, 101, n_items=5, n_factors=0), 4)
    9.75
    """
    return objective * (nobs - 1 - (2 * n_items + 5) / 6 - 2 * n_factors / 3)


def rmsea(chisq: float, df: int, *, nobs: int) -> float:
    r"""Root mean square error of approximation, :math:`\sqrt{\max(\chi^2/(df\,n)-1/(n-1),0)}` as ``psych`` computes it.

    Examples
    --------
    >>> round(rmsea(20.0, 10, nobs=101), 4)
    0.099
    """
    return float(np.sqrt(max(chisq / (df * nobs) - 1 / (nobs - 1), 0.0)))


def rmsea_interval(chisq: float, df: int, *, nobs: int, level: float = 0.90) -> tuple[float, float]:
    r"""Interval of the RMSEA from the noncentral chi-square, :math:`\sqrt{\delta/(df(n-1))}` (Steiger, 1990).

    Examples
    --------
    >>> [round(value, 4) for value in rmsea_interval(20.0, 10, nobs=101)]
    [0.0308, 0.1637]
    """
    tail = (1 - level) / 2
    bounds = []
    for probability in (1 - tail, tail):
        reached = chdtr(df, chisq) > probability
        noncentrality = float(chndtrinc(chisq, df, probability)) if reached else 0.0
        bounds.append(float(np.sqrt(max(noncentrality, 0.0) / (df * (nobs - 1)))))
    return bounds[0], bounds[1]


def tli(chisq: float, df: int, *, baseline_chisq: float, baseline_df: int) -> float:
    """Tucker-Lewis index, the reduction of chi-square per degree of freedom over that of independence.

    Examples
    --------
    >>> tli(10.0, 10, baseline_chisq=100.0, baseline_df=20)
    1.0
    """
    ratio = baseline_chisq / baseline_df
    return (ratio - chisq / df) / (ratio - 1)


def cfi(chisq: float, df: int, *, baseline_chisq: float, baseline_df: int) -> float:
    """Comparative fit index (Bentler, 1990), between 0 and 1.

    Examples
    --------
    >>> cfi(20.0, 10, baseline_chisq=120.0, baseline_df=20)
    0.9
    """
    excess = max(chisq - df, 0.0)
    return 1 - excess / max(baseline_chisq - baseline_df, excess, 1e-12)


def root_mean_square_residual(residual: FloatArray) -> float:
    """Root mean square of the off-diagonal residual correlations.

    Examples
    --------
    >>> root_mean_square_residual(np.array([[0.0, 0.1], [0.1, 0.0]]))
    0.1
    """
    p = len(residual)
    return float(np.sqrt((residual[np.tril_indices(p, -1)] ** 2).mean()))


def fit_measures(S: FloatArray, common: FloatArray, *, n_factors: int, nobs: int | None) -> dict[str, float]:
    """Return the fit of a model that reproduces `common` (loadings, factor correlations, loadings).

    Measures that cannot be computed are left out: those that need the number of cases, those of a singular matrix,
    and the tests of a model without degrees of freedom. The chi-square of independence has the same multiplier as that
    of the model, as in ``psych::fa``; TLI and CFI follow from both.
    """
    p = len(S)
    df, baseline_df = degrees_of_freedom(p, n_factors), p * (p - 1) // 2
    residual = S - common
    found: dict[str, float] = {"df": float(df), "rmsr": root_mean_square_residual(residual)}
    if df > 0:
        found["rmsr_corrected"] = found["rmsr"] * float(np.sqrt(baseline_df / df))
    Sigma = common.copy()
    np.fill_diagonal(Sigma, 1.0)
    if min(np.linalg.eigvalsh(S)[0], np.linalg.eigvalsh(Sigma)[0]) < 1e-8:
        return found
    found["objective"] = discrepancy(S, Sigma)
    if nobs is None:
        return found
    chisq = bartlett_statistic(found["objective"], nobs, n_items=p, n_factors=n_factors)
    null = bartlett_statistic(-float(np.linalg.slogdet(S)[1]), nobs, n_items=p, n_factors=n_factors)
    if min(chisq, null) < -1e-9:
        return found
    chisq, null = max(chisq, 0.0), max(null, 0.0)
    found |= {"nobs": float(nobs), "chisq": chisq, "baseline_chisq": null, "baseline_df": float(baseline_df)}
    if df > 0:
        found |= _tested(chisq, df, nobs=nobs, null=null, baseline_df=baseline_df)
    found["bic"] = chisq - df * float(np.log(nobs))
    return found


def _tested(chisq: float, df: int, *, nobs: int, null: float, baseline_df: int) -> dict[str, float]:
    low, high = rmsea_interval(chisq, df, nobs=nobs)
    return {
        "pvalue": float(chdtrc(df, chisq)),
        "rmsea": rmsea(chisq, df, nobs=nobs),
        "rmsea_ci_lower": low,
        "rmsea_ci_upper": high,
        "tli": tli(chisq, df, baseline_chisq=null, baseline_df=baseline_df),
        "cfi": cfi(chisq, df, baseline_chisq=null, baseline_df=baseline_df),
    }
