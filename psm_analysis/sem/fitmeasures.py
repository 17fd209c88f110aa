"""Fetches from a fit the numbers that the formulas of fit need, under lavaan's names."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from psm_analysis.moments.missing import available_covariance, available_moments
from psm_analysis.sem import formulas
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.discrepancy.fiml import FullInformation
from psm_analysis.sem.discrepancy.generalised import GeneralisedLeastSquares
from psm_analysis.sem.discrepancy.least_squares import LeastSquares
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood, implied_inverse
from psm_analysis.sem.estimate import Estimation, count_moments
from psm_analysis.sem.gamma import normal_quadratic
from psm_analysis.sem.implied import Implied, stacked
from psm_analysis.sem.missing_fit import exogenous_moments
from psm_analysis.sem.moment_maps import OrdinalMoments
from psm_analysis.sem.sample import GroupSample
from psm_analysis.sem.symmetric import log_determinant
from psm_analysis.sem.teststat import ModelTest, reweighted_residual


def fit_measures(e: Estimation, test: ModelTest, baseline: ModelTest) -> dict[str, float]:
    """Return all fit measures of an estimation; of one that did not converge only the counts."""
    sample = e.sample
    counts = {"npar": float(e.npar), "df": float(e.df), "ntotal": float(sample.nobs)}
    if not e.solution.converged:
        return counts
    implied = e.problem.implied(e.solution.x)
    found = counts | {"fmin": e.scale * e.solution.value / sample.nobs / 2.0}
    found |= chisq_measures(test, baseline, npar=e.npar, nobs=e.scale, n_groups=len(sample.groups))
    if test.is_scaled:
        found |= scaled_measures(test, baseline, nobs=e.scale, n_groups=len(sample.groups))
    if not math.isnan(test.robust_chisq):
        nobs = sample.nobs if e.ordinal else e.scale
        found |= robust_measures(test, baseline, nobs=nobs, n_groups=len(sample.groups), ordinal=e.ordinal)
    found |= _residual_measures(e, implied)
    found |= lisrel_gfi(e, implied)
    if e.ordinal:
        found |= {"wrmr": _wrmr(e)}
    found |= population_gfi(e, test)
    if e.spec.likelihood:
        logl, unrestricted = log_likelihoods(e, implied)
        found |= {"logl": logl, "unrestricted_logl": unrestricted}
        found |= formulas.information_criteria(logl, e.npar, sample.nobs)
    if not math.isnan(test.h0):
        found |= {"scaling_factor_h0": test.h0, "scaling_factor_h1": test.h1}
    return found


def chisq_measures(
    test: ModelTest, baseline: ModelTest, *, npar: int, nobs: int, n_groups: int = 1
) -> dict[str, float]:
    """Return what follows from chi-square, degrees of freedom and N alone."""
    chisq, df = test.chisq, float(test.df)
    b, b_df = baseline.chisq, float(baseline.df)
    low, high = formulas.rmsea_interval(chisq, df, nobs, n_groups=n_groups)
    return {
        "chisq": chisq,
        "pvalue": formulas.chisq_p_value(chisq, df),
        "baseline_chisq": b,
        "baseline_df": b_df,
        "baseline_pvalue": formulas.chisq_p_value(b, b_df),
        **formulas.incremental_fit(chisq, df, b, b_df),
        "rmsea": formulas.rmsea(chisq, df, nobs, n_groups=n_groups),
        "rmsea_ci_lower": low,
        "rmsea_ci_upper": high,
        "rmsea_ci_level": 0.90,
        "rmsea_pvalue": formulas.close_fit_p_value(chisq, df, nobs, n_groups=n_groups),
        "rmsea_close_h0": 0.05,
        "rmsea_notclose_pvalue": 1.0 - formulas.close_fit_p_value(chisq, df, nobs, n_groups=n_groups, rmsea=0.08),
        "rmsea_notclose_h0": 0.08,
        "mfi": formulas.mfi(chisq, df, nobs),
        "ecvi": formulas.ecvi(chisq, npar, nobs),
        "cn_05": formulas.critical_n(chisq, df, nobs),
        "cn_01": formulas.critical_n(chisq, df, nobs, alpha=0.01),
    }


def scaled_measures(test: ModelTest, baseline: ModelTest, *, nobs: int, n_groups: int) -> dict[str, float]:
    """Return the fit measures of the scaled statistics.

    Where the statistic is divided by c only, interval and close-fit test of the RMSEA take the unscaled one as c
    times a noncentral chi-square of ``c df`` degrees of freedom, as lavaan does. A c that is not positive makes no
    statistic: only c itself is kept.
    """
    t, t_df, b, b_df = test.scaled, test.scaled_df, baseline.scaled, baseline.scaled_df
    c = 1.0 if test.shift or math.isnan(test.scaling) else test.scaling
    low, high = formulas.rmsea_interval(c * t, c * t_df, nobs, n_groups=n_groups)
    found = {
        "chisq_scaled": t,
        "df_scaled": t_df,
        "pvalue_scaled": formulas.chisq_p_value(t, t_df),
        "chisq_scaling_factor": test.scaling,
        "baseline_chisq_scaled": b,
        "baseline_df_scaled": b_df,
        "baseline_pvalue_scaled": formulas.chisq_p_value(b, b_df),
        "baseline_chisq_scaling_factor": baseline.scaling,
        **{f"{name}_scaled": value for name, value in formulas.incremental_fit(t, t_df, b, b_df).items()},
        "rmsea_scaled": formulas.rmsea(t, t_df, nobs, n_groups=n_groups),
        "rmsea_ci_lower_scaled": low,
        "rmsea_ci_upper_scaled": high,
        "rmsea_pvalue_scaled": formulas.close_fit_p_value(c * t, c * t_df, nobs, n_groups=n_groups),
        "rmsea_notclose_pvalue_scaled": 1.0
        - formulas.close_fit_p_value(c * t, c * t_df, nobs, n_groups=n_groups, rmsea=0.08),
    }
    if test.scaling <= 0.0 < test.df:
        found |= dict.fromkeys(found.keys() - {"df_scaled", "chisq_scaling_factor"}, math.nan)
    return found


def robust_measures(
    test: ModelTest, baseline: ModelTest, *, nobs: int, n_groups: int, ordinal: bool
) -> dict[str, float]:
    """Return robust CFI, TLI and RMSEA (Brosseau-Liard & Savalei, 2014; incomplete data: Zhang & Savalei, 2023)."""
    if test.df == 0:
        return dict.fromkeys(("cfi_robust", "tli_robust", "nnfi_robust", "rni_robust"), 1.0) | dict.fromkeys(
            ("rmsea_robust", "rmsea_ci_lower_robust", "rmsea_ci_upper_robust"), 0.0
        )
    lack, worst = test.robust_chisq - test.robust_offset, baseline.robust_chisq - baseline.robust_offset
    tli = 1.0 - (lack / test.df) / (worst / baseline.df)
    statistic, df, factor = corrected(test, test.robust_chisq, ordinal=ordinal)
    if not factor > 0.0:
        return dict.fromkeys(ROBUST, math.nan)
    low, high = formulas.rmsea_interval(statistic, df, nobs, n_groups=n_groups)
    widening = math.sqrt(factor)
    close, distant = (
        formulas.close_fit_p_value(statistic, df, nobs, n_groups=n_groups, rmsea=h0 / widening) for h0 in (0.05, 0.08)
    )
    return {
        "cfi_robust": formulas.cfi(lack, 0.0, worst, 0.0),
        "tli_robust": tli,
        "nnfi_robust": tli,
        "rni_robust": formulas.rni(lack, 0.0, worst, 0.0),
        "rmsea_robust": math.sqrt(n_groups * max(lack, 0.0) / (test.df * nobs)),
        "rmsea_ci_lower_robust": widening * low,
        "rmsea_ci_upper_robust": widening * high,
        "rmsea_pvalue_robust": close,
        "rmsea_notclose_pvalue_robust": 1.0 - distant,
    }


ROBUST = (
    *("cfi_robust", "tli_robust", "nnfi_robust", "rni_robust", "rmsea_robust", "rmsea_ci_lower_robust"),
    *("rmsea_ci_upper_robust", "rmsea_pvalue_robust", "rmsea_notclose_pvalue_robust"),
)


def corrected(test: ModelTest, statistic: float, *, ordinal: bool) -> tuple[float, float, float]:
    """Return a statistic that is a noncentral chi-square under the model, its df, and what it was divided by."""
    if test.is_scaled and not ordinal and (test.shift or test.scaled_df != test.df):
        return statistic / test.scaling + test.shift, test.scaled_df, test.scaling
    factor = test.robust_offset / test.df
    return statistic / factor if factor else math.nan, float(test.df), factor


def log_likelihoods(e: Estimation, implied: Sequence[Implied]) -> tuple[float, float]:
    """Return the log-likelihood of the model and of the saturated model, given the exogenous variables.

    ``-(n/2) [p log 2 pi + log|Sigma| + tr(S Sigma^-1) + d' Sigma^-1 d]``, less the same for the exogenous variables.
    """
    model = saturated = 0.0
    x = e.exogenous
    for group, function, moments in zip(e.sample.groups, e.problem.discrepancies, implied, strict=True):
        assert isinstance(function, (MaximumLikelihood, FullInformation))
        given = _normal(group.mass, group.cov[np.ix_(x, x)]) if x else 0.0
        whole = _answers(group) * LOG_2_PI + group.mass * function.constant
        model -= 0.5 * (whole + group.mass * function.value(moments)) + given
        saturated -= 0.5 * whole + given
    return model, saturated


def _answers(group: GroupSample) -> float:
    """Return the number of answers, by their weights."""
    patterns = group.patterns
    return group.mass * len(group.cov) if patterns is None else float((patterns.counts @ patterns.observed).sum())


LOG_2_PI = math.log(2.0 * math.pi)


def _normal(nobs: float, S: Array) -> float:
    """Return the log-likelihood of a covariance matrix at itself."""
    return -0.5 * nobs * (len(S) * (LOG_2_PI + 1.0) + log_determinant(S))


def _residual_measures(e: Estimation, implied: Sequence[Implied]) -> dict[str, float]:
    """Return RMR, SRMR (Bentler, 1995; Mplus) and CRMR (Bollen, 1989), weighted over groups."""
    total: dict[str, float] = {}
    for g, (weight, moments) in enumerate(zip(e.sample.weights, implied, strict=True)):
        for name, value in group_residuals(e, moments, g).items():
            total[name] = total.get(name, 0.0) + weight * value
    return total


def group_residuals(e: Estimation, moments: Implied, g: int) -> dict[str, float]:
    """Return the same of one group."""
    if e.ordinal:
        return _ordinal_residuals(e, moments, g)
    return _continuous_residuals(e.sample.groups[g], moments, means=e.means)


def _continuous_residuals(group: GroupSample, moments: Implied, *, means: bool) -> dict[str, float]:
    S, Sigma, p = group.cov, moments.Sigma, len(group.cov)
    sd, model_sd = np.sqrt(S.diagonal()), np.sqrt(Sigma.diagonal())
    raw, units = S - Sigma, np.outer(sd, sd)
    bentler, cor = raw / units, S / units - Sigma / np.outer(model_sd, model_sd)
    d = group.mean - moments.mu if means and group.mean is not None else np.zeros(p)
    z = d / sd
    z_cor = group.mean / sd - moments.mu / model_sd if means and group.mean is not None else np.zeros(p)
    s_mean, s_z, s_z_cor = (float(x @ x) for x in (d, z, z_cor))
    k, kc, extra = p * (p + 1) // 2, p * (p - 1) // 2, p if means else 0
    s_raw, s_bentler, s_cor = (_squares(m) for m in (raw, bentler, cor))
    s_mplus = s_cor + float(bentler.diagonal() @ bentler.diagonal())
    return {
        "rmr": _root_mean(s_raw + s_mean, k + extra),
        "rmr_nomean": _root_mean(s_raw, k),
        "srmr": _root_mean(s_bentler + s_z, k + extra),
        "srmr_bentler": _root_mean(s_bentler + s_z, k + extra),
        "srmr_bentler_nomean": _root_mean(s_bentler, k),
        "crmr": _root_mean(s_cor + s_z, kc + extra),
        "crmr_nomean": _root_mean(s_cor, kc),
        "srmr_mplus": _root_mean(s_mplus + s_z_cor, k + extra),
        "srmr_mplus_nomean": _root_mean(s_mplus, k),
    }


def _squares(symmetric: Array) -> float:
    """Return the sum of squares of the lower triangle of a symmetric matrix."""
    diagonal, whole = symmetric.diagonal(), symmetric.ravel()
    return 0.5 * float(whole @ whole + diagonal @ diagonal)


def _wrmr(e: Estimation) -> float:
    """Return the root of chi-square by the number of moments of a group (Yu & Muthén, 2002)."""
    return math.sqrt(max(e.scale * e.solution.value, 0.0) * len(e.sample.groups) / count_moments(e.table, e.sample))


def _root_mean(squares: float, count: int) -> float:
    return math.sqrt(squares / count) if count else 0.0


def lisrel_gfi(e: Estimation, implied: Sequence[Implied]) -> dict[str, float]:
    """Return ``1 - (s - sigma)'V(s - sigma) / s'V s`` with the weights V of the estimator, and its kin.

    Jöreskog and Sörbom (1982); ``s`` leaves out the moments of exogenous variables. Groups are weighted by their size.
    Of incomplete rows ``s`` are the means and covariances of the available answers, and V is the information of rows
    that are missing completely at random, at the implied moments.
    """
    gfi = count = 0.0
    for g, weight in enumerate(e.sample.weights):
        function = e.problem.discrepancies[g]
        if e.ordinal and isinstance(function, LeastSquares):
            gap, given = function.s - function.moments.vector(implied[g]), function.s
        else:
            gap, given = _moment_gaps(e.sample.groups[g], implied[g], exogenous=e.exogenous, means=e.means)
        if isinstance(function, FullInformation):
            V = function.saturated_information(implied[g], expected=True)
            ratio = _quadratic(gap, V) / _quadratic(given, V)
        elif not isinstance(function, LeastSquares):
            W = function.W if isinstance(function, GeneralisedLeastSquares) else implied_inverse(implied[g])
            ratio = normal_quadratic(gap, W) / normal_quadratic(given, W)
        else:
            V = np.ones(len(gap)) if e.spec.function == "ULS" else function.W
            ratio = _quadratic(gap, V) / _quadratic(given, V)
        gfi += weight * (1.0 - ratio)
        count += len(gap)
    agfi = 1.0 - count / e.df * (1.0 - gfi) if e.df else 1.0
    return {"gfi_lisrel": gfi, "agfi_lisrel": agfi, "pgfi": e.df / count * gfi}


def population_gfi(e: Estimation, test: ModelTest) -> dict[str, float]:
    """Return the population GFI by Browne's residual chi-square at the implied moments.

    Incomplete rows and ordinal variables, which have none, take the chi-square itself, as lavaan does.
    """
    separate = e.ordinal or e.spec.function == "FIML"
    X = test.chisq if separate or not e.df else reweighted_residual(e)
    robust = test.robust_chisq if separate else X
    sizes = (float(e.scale), float(e.sample.nobs if e.ordinal else e.scale))
    return gfi_measures(test, X, robust, p=len(e.sample.names), sizes=sizes, ordinal=e.ordinal)


def gfi_measures(
    test: ModelTest, X: float, robust: float, *, p: int, sizes: tuple[float, float], ordinal: bool
) -> dict[str, float]:
    """Return ``p / (p + 2 (X - df) / N)`` (Steiger, 1989) and its interval, and both corrected for non-normality.

    Maydeu-Olivares, Ximénez and Revuelta (2024). `sizes` are N of the plain and of the corrected measure, whose X is
    `robust`. Limits are those of the noncentrality.
    """
    n, n_robust = sizes
    low, high = formulas.gfi_interval(X, test.df, n, p=p)
    found = {"gfi": formulas.gfi(X - test.df, n, p=p), "gfi_ci_lower": low, "gfi_ci_upper": high, "gfi_ci_level": 0.90}
    if math.isnan(test.robust_chisq) or test.df == 0:
        return found
    statistic, df, factor = corrected(test, robust, ordinal=ordinal)
    if not factor > 0.0:
        return found | dict.fromkeys(("gfi_robust", "gfi_ci_lower_robust", "gfi_ci_upper_robust"), math.nan)
    low, high = formulas.gfi_interval(statistic, df, n_robust / factor, p=p)
    gfi = formulas.gfi(robust - test.robust_offset, n_robust, p=p)
    return found | {"gfi_robust": gfi, "gfi_ci_lower_robust": low, "gfi_ci_upper_robust": high}


def _ordinal_residuals(e: Estimation, moments: Implied, g: int) -> dict[str, float]:
    """Return RMR, SRMR and CRMR of a group with ordinal variables.

    Residuals are those of correlations, standardized variances, thresholds and standardized slopes, those of RMR in the
    units of the variables; CRMR leaves out the variances, ``nomean`` measures the thresholds and slopes. Means, which
    are hardly ever restricted, do not count.
    """
    function = e.problem.discrepancies[g]
    assert isinstance(function, LeastSquares)
    assert isinstance(function.moments, OrdinalMoments)
    parts = function.moments.standardized_gaps(function.s, moments, cov=e.sample.groups[g].cov)
    raw = function.moments.split(function.s - function.moments.vector(moments))
    levels, slopes, variances, off = (float(part @ part) for part in parts)
    raw_slopes, raw_variances, raw_off = (float(part @ part) for part in raw[1:])
    p = len(function.moments.dependent)
    above, diagonal = levels + slopes, p * (p - 1) // 2 + p
    extra = len(parts[0]) + len(parts[1])
    return {
        "rmr": _root_mean(raw_off + raw_variances + levels + raw_slopes, diagonal + extra),
        "rmr_nomean": _root_mean(raw_off + raw_variances, diagonal),
        "srmr": _root_mean(off + variances, diagonal),
        "srmr_bentler": _root_mean(off + variances + above, diagonal + extra),
        "srmr_bentler_nomean": _root_mean(off + variances, diagonal),
        "crmr": _root_mean(off + above, diagonal - p + extra),
        "crmr_nomean": _root_mean(off, diagonal - p),
    }


def _moment_gaps(group: GroupSample, moments: Implied, *, exogenous: list[int], means: bool) -> tuple[Array, Array]:
    """Return ``s - sigma``, and ``s`` without the moments of exogenous variables."""
    mean, cov = group.mean, group.cov
    if group.patterns is not None:
        mean, cov = available_moments(group.patterns)[0], available_covariance(group.patterns)
    mean = mean if means else None
    gap, given = stacked(None if mean is None else mean - moments.mu, cov - moments.Sigma), stacked(mean, cov)
    if exogenous:
        places = exogenous_moments(len(cov), exogenous)
        places = places if mean is not None else places[len(exogenous) :] - len(cov)
        gap[places] = given[places] = 0.0
    return gap, given


def _quadratic(x: Array, V: Array) -> float:
    return float(x @ V @ x) if V.ndim == 2 else float((V * x) @ x)
