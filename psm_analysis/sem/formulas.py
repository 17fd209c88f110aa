"""Fit measures as functions of plain numbers; nothing here knows a model.

References
----------
Bentler, P. M. (1990). Comparative fit indexes in structural models. Psychological Bulletin, 107, 238-246.
Steiger, J. H. (1990). Structural model evaluation and modification. Multivariate Behavioral Research, 25, 173-180.
Browne, M. W., & Cudeck, R. (1993). Alternative ways of assessing model fit.
Tucker, L. R., & Lewis, C. (1973). Psychometrika, 38, 1-10.
Bollen, K. A. (1989). Structural equations with latent variables.
"""

from __future__ import annotations

import math

from scipy import special


def chisq_p_value(chisq: float, df: float) -> float:
    """Return the upper tail of the chi-square distribution; nan for 0 degrees of freedom.

    Examples
    --------
    >>> round(chisq_p_value(3.841459, 1), 4)
    0.05
    """
    return float(special.chdtrc(df, chisq)) if df > 0 else math.nan


def cfi(chisq: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return ``1 - max(chisq - df, 0) / max(chisq - df, chisq_b - df_b, 0)`` (Bentler, 1990, eq. 16).

    Examples
    --------
    >>> round(cfi(85.3055, 24, 918.8516, 36), 4)
    0.9306
    """
    lack, worst = max(chisq - df, 0.0), max(chisq - df, baseline - baseline_df, 0.0)
    return 1.0 if worst == 0 else 1.0 - lack / worst


def tli(chisq: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return ``(chisq_b/df_b - chisq/df) / (chisq_b/df_b - 1)`` (Tucker & Lewis, 1973); 1 for a saturated model.

    Examples
    --------
    >>> round(tli(85.3055, 24, 918.8516, 36), 4)
    0.8958
    """
    if df == 0 or baseline_df == 0:
        return 1.0
    per_df = baseline / baseline_df
    return 1.0 if per_df == 1 else (per_df - chisq / df) / (per_df - 1.0)


def rni(chisq: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return ``1 - (chisq - df) / (chisq_b - df_b)`` (McDonald & Marsh, 1990)."""
    return 1.0 if baseline == baseline_df else 1.0 - (chisq - df) / (baseline - baseline_df)


def nfi(chisq: float, baseline: float) -> float:
    """Return ``(chisq_b - chisq) / chisq_b`` (Bentler & Bonett, 1980)."""
    return 1.0 if baseline == 0 else (baseline - chisq) / baseline


def ifi(chisq: float, df: float, baseline: float) -> float:
    """Return ``(chisq_b - chisq) / (chisq_b - df)`` (Bollen, 1989)."""
    return 1.0 if baseline == df else (baseline - chisq) / (baseline - df)


def rfi(chisq: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return ``1 - (chisq/df) / (chisq_b/df_b)`` (Bollen, 1986); 1 for a saturated model."""
    return 1.0 if df == 0 or baseline == 0 else 1.0 - (chisq / df) / (baseline / baseline_df)


def incremental_fit(chisq: float, df: float, baseline: float, baseline_df: float) -> dict[str, float]:
    """Return all measures that compare a model with the baseline model."""
    return {
        "cfi": cfi(chisq, df, baseline, baseline_df),
        "tli": tli(chisq, df, baseline, baseline_df),
        "nnfi": tli(chisq, df, baseline, baseline_df),
        "rfi": rfi(chisq, df, baseline, baseline_df),
        "nfi": nfi(chisq, baseline),
        "pnfi": nfi(chisq, baseline) * df / baseline_df if baseline_df else math.nan,
        "ifi": ifi(chisq, df, baseline),
        "rni": rni(chisq, df, baseline, baseline_df),
    }


def rmsea(chisq: float, df: float, nobs: float, *, n_groups: int = 1) -> float:
    """Return ``sqrt(G max(chisq - df, 0) / (df N))`` (Steiger, 1990; G groups: Steiger, 1998); N, not N - 1.

    Examples
    --------
    >>> round(rmsea(85.3055, 24, 301), 4)
    0.0921
    """
    return math.sqrt(n_groups * max(chisq - df, 0.0) / (df * nobs)) if df > 0 else 0.0


def rmsea_interval(
    chisq: float, df: float, nobs: float, *, n_groups: int = 1, level: float = 0.90
) -> tuple[float, float]:
    """Return the interval of the RMSEA from the noncentral chi-square (Browne & Cudeck, 1993, eq. 14).

    Examples
    --------
    >>> low, high = rmsea_interval(85.3055, 24, 301)
    >>> round(low, 4), round(high, 4)
    (0.0714, 0.1137)
    """
    if df <= 0:
        return 0.0, 0.0
    tail = (1.0 - level) / 2.0
    bounds = (noncentrality(chisq, df, 1.0 - tail), noncentrality(chisq, df, tail))
    low, high = (math.sqrt(n_groups * value / (df * nobs)) for value in bounds)
    return low, high


def noncentrality(chisq: float, df: float, probability: float) -> float:
    """Return the noncentrality at which a noncentral chi-square stays below `chisq` with this probability, or 0.

    Examples
    --------
    >>> round(noncentrality(85.3055, 24, 0.05), 2)
    93.35
    """
    if float(special.chdtr(df, chisq)) < probability:
        return 0.0
    return max(float(special.chndtrinc(chisq, df, probability)), 0.0)


def close_fit_p_value(chisq: float, df: float, nobs: float, *, n_groups: int = 1, rmsea: float = 0.05) -> float:
    """Return the probability of a larger chi-square when the RMSEA is at most `rmsea` (Browne & Cudeck, 1993).

    Examples
    --------
    >>> round(close_fit_p_value(85.3055, 24, 301), 6)
    0.000661
    """
    if df <= 0:
        return math.nan
    return 1.0 - float(special.chndtr(chisq, df, nobs * df * rmsea**2 / n_groups))


def gfi(lack: float, nobs: float, *, p: int) -> float:
    """Return ``p / (p + 2 max(lack, 0) / N)``, the GFI of a noncentrality (Steiger, 1989).

    Examples
    --------
    >>> round(gfi(81.3676 - 24, 301, p=9), 4)
    0.9594
    """
    return p / (p + 2.0 * max(lack, 0.0) / nobs)


def gfi_interval(chisq: float, df: float, nobs: float, *, p: int, level: float = 0.90) -> tuple[float, float]:
    """Return the GFI at both limits of the noncentrality (Maydeu-Olivares, Ximénez & Revuelta, 2024).

    Examples
    --------
    >>> [round(limit, 4) for limit in gfi_interval(81.3676, 24, 301, p=9)]
    [0.9386, 0.9757]
    """
    if df <= 0:
        return 1.0, 1.0
    tail = (1.0 - level) / 2.0
    upper, lower = noncentrality(chisq, df, 1.0 - tail), noncentrality(chisq, df, tail)
    return gfi(lower, nobs, p=p), gfi(upper, nobs, p=p)


def information_criteria(logl: float, npar: int, nobs: float) -> dict[str, float]:
    """Return AIC (Akaike, 1974), BIC (Schwarz, 1978) and the sample-size adjusted BIC (Sclove, 1987)."""
    return {
        "aic": -2.0 * logl + 2.0 * npar,
        "bic": -2.0 * logl + npar * math.log(nobs),
        "bic2": -2.0 * logl + npar * math.log((nobs + 2.0) / 24.0),
    }


def mfi(chisq: float, df: float, nobs: float) -> float:
    """Return McDonald's (1989) index ``exp(-(chisq - df) / (2N))``."""
    return math.exp(-0.5 * (chisq - df) / nobs)


def ecvi(chisq: float, npar: int, nobs: float) -> float:
    """Return the expected cross-validation index ``chisq/N + 2 npar/N`` (Browne & Cudeck, 1989)."""
    return (chisq + 2.0 * npar) / nobs


def critical_n(chisq: float, df: float, nobs: float, *, alpha: float = 0.05) -> float:
    """Return Hoelter's (1983) critical N: the sample at which the model would just be rejected."""
    if df <= 0 or chisq <= 0:
        return math.nan
    return float(special.chdtri(df, alpha)) / (chisq / nobs) + 1.0
