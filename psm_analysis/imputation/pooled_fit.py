"""Pooled chi-square and fit measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from psm_analysis.imputation.combined import independence_fits, pooled_discrepancy, saturated_discrepancy
from psm_analysis.imputation.rubin import PooledTest, chisq_d2, likelihood_d3
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.fitmeasures import fit_measures
from psm_analysis.sem.formulas import information_criteria
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.teststat import ModelTest


def model_test(fits: Sequence[SemResult], combined: SemResult, *, kind: str) -> PooledTest | None:
    """Return the pooled test of the model; None if it has no degrees of freedom."""
    df = int(combined.fit_measures["df"])
    if not df:
        return None
    own = np.array([fit.fit_measures["chisq"] for fit in fits])
    if kind == "D2":
        return chisq_d2(own, df)
    pooled = pooled_discrepancy([fit.problem for fit in fits], combined.solution.x) - saturated_discrepancy(fits)
    return likelihood_d3(float(own.mean()), fits[0].nobs * pooled, df, m=len(fits))


def baseline_test(fits: Sequence[SemResult], *, kind: str) -> PooledTest | None:
    """Return the pooled test of the independence model."""
    models = independence_fits(fits)
    own = np.array([fit.fit_measures["baseline_chisq"] for fit in fits])
    if not models[0].df:
        return None
    if kind == "D2":
        return chisq_d2(own, models[0].df)
    x = np.mean([e.solution.x for e in models], axis=0)
    pooled = pooled_discrepancy([e.problem for e in models], x) - saturated_discrepancy(fits)
    return likelihood_d3(float(own.mean()), fits[0].nobs * pooled, models[0].df, m=len(fits))


def pooled_measures(
    fits: Sequence[SemResult], combined: SemResult, test: PooledTest | None, *, kind: str
) -> dict[str, float]:
    """Return the fit measures that the pooled chi-squares and the pooled moments give.

    Where the estimator scales its statistic, the pooled one is divided by the mean scaling factor, and the mean shift
    is added. Log-likelihoods are means over imputations, at the pooled estimates and at the mean moments.
    """
    counts = combined.fit_measures
    e = Estimation(
        table=combined.table,
        sample=combined.sample,
        spec=combined.spec,
        problem=combined.problem,
        constraints=combined.constraints,
        solution=combined.solution,
        npar=int(counts["npar"]),
        df=int(counts["df"]),
    )
    baseline = baseline_test(fits, kind=kind)
    found = fit_measures(e, _scaled(fits, test, int(counts["df"]), ""), _scaled(fits, baseline, 0, "baseline_"))
    if combined.spec.likelihood:
        found |= _log_likelihoods(fits, combined, npar=e.npar)
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _log_likelihoods(fits: Sequence[SemResult], combined: SemResult, *, npar: int) -> dict[str, float]:
    nobs = combined.nobs
    own = float(np.mean([fit.fit_measures["unrestricted_logl"] for fit in fits]))
    logl = own - nobs / 2.0 * pooled_discrepancy([fit.problem for fit in fits], combined.solution.x)
    unrestricted = own - nobs / 2.0 * saturated_discrepancy(fits)
    return {"logl": logl, "unrestricted_logl": unrestricted} | information_criteria(logl, npar, nobs)


def _scaled(fits: Sequence[SemResult], test: PooledTest | None, df: int, prefix: str) -> ModelTest:
    found = ModelTest(0.0 if test is None else test.chisq, df if test is None else test.df)
    factors = np.array([fit.fit_measures.get(f"{prefix}chisq_scaling_factor", math.nan) for fit in fits])
    if np.isnan(factors).any() or test is None:
        return found
    names = [f"{prefix}{name}" for name in ("chisq", "chisq_scaled", "df_scaled")]
    plain, scaled, dfs = (np.array([fit.fit_measures[name] for fit in fits]) for name in names)
    scaling, shift = float(factors.mean()), float((scaled - plain / factors).mean())
    return replace(
        found, scaled=test.chisq / scaling + shift, scaled_df=float(dfs.mean()), scaling=scaling, shift=shift
    )
