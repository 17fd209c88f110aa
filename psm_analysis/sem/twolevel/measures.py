"""Fit measures of two-level models, under lavaan's names."""

from __future__ import annotations

import math

import numpy as np

from psm_analysis.sem import formulas
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.fitmeasures import chisq_measures, gfi_measures, robust_measures, scaled_measures
from psm_analysis.sem.teststat import ModelTest
from psm_analysis.sem.twolevel.clusters import ClusterStatistics
from psm_analysis.sem.twolevel.estimation import TwoLevelEstimation


def level_measures(e: TwoLevelEstimation, test: ModelTest, baseline: ModelTest) -> dict[str, float]:
    """Return the fit measures; of an estimation that did not converge only the counts."""
    s = e.reference.statistics
    found = {"npar": float(e.npar), "df": float(e.df), "ntotal": float(s.nobs), "nclusters": float(s.n_clusters)}
    if not e.solution.converged:
        return found
    found |= chisq_measures(test, baseline, npar=e.npar, nobs=s.nobs)
    sizes, p = (float(s.nobs), float(s.nobs)), len(e.levels.names(1))
    found |= gfi_measures(test, test.chisq, test.robust_chisq, p=p, sizes=sizes, ordinal=False)
    if test.is_scaled:
        found |= scaled_measures(test, baseline, nobs=s.nobs, n_groups=1)
        found |= robust_measures(test, baseline, nobs=s.nobs, n_groups=1, ordinal=False)
        found |= {"scaling_factor_h0": test.h0, "scaling_factor_h1": test.h1}
    found |= _residuals(e)
    logl, unrestricted = log_likelihoods(e)
    found |= {"logl": logl, "unrestricted_logl": unrestricted}
    return found | formulas.information_criteria(logl, e.npar, s.nobs)


def log_likelihoods(e: TwoLevelEstimation) -> tuple[float, float]:
    """Return the log-likelihood of the model and of the saturated one, given the exogenous variables."""
    s, reference = e.reference.statistics, e.reference
    given = [frozenset(e.levels.exogenous(level)) for level in (1, 2)]
    n_within = sum(name not in given[0] for name in e.levels.names(1))
    n_between = sum(name not in given[1] for name in e.levels.between_only)
    constant = _constant(s, n_within=n_within, n_between=n_between)
    saturated = -0.5 * (s.nobs * (reference.value - reference.given) + constant)
    return saturated - 0.5 * s.nobs * e.solution.value, saturated


def _constant(s: ClusterStatistics, *, n_within: int, n_between: int) -> float:
    """Return the part of ``-2 log L`` that no parameter moves."""
    answers = n_within * s.nobs + n_between * s.n_clusters
    return float(answers * math.log(2.0 * math.pi) + n_within * np.log(s.cluster_sizes).sum())


def _residuals(e: TwoLevelEstimation) -> dict[str, float]:
    """Return SRMR of each level against the saturated model, and their sum, as lavaan has it."""
    pair = e.problem.pair(e.solution.x)
    within = srmr(e.reference.moments.within_cov, pair[0].Sigma)
    between = srmr(e.reference.moments.between_cov, pair[1].Sigma)
    return {"srmr": within + between, "srmr_within": within, "srmr_between": between}


def srmr(S: Array, Sigma: Array) -> float:
    """Return the root of the sum of squared residual correlations over ``p (p + 1) / 2``, of variables that vary."""
    kept = (np.diagonal(S) > 0) & (np.diagonal(Sigma) > 0)
    S, Sigma = S[np.ix_(kept, kept)], Sigma[np.ix_(kept, kept)]
    sd, model_sd = np.sqrt(np.diagonal(S)), np.sqrt(np.diagonal(Sigma))
    rows, columns = np.tril_indices(len(S))
    residual = (S / np.outer(sd, sd) - Sigma / np.outer(model_sd, model_sd))[rows, columns]
    return math.sqrt(float(residual @ residual) / max(len(residual), 1))
