"""What each group contributes to the misfit of a model of several groups."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.fitmeasures import group_residuals
from psm_analysis.sem.nesting import estimation_of
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.teststat import browne_contributions, browne_residual_test


def group_fit_frame(result: SemResult) -> pd.DataFrame:
    """Return a row per group; :meth:`SemResult.group_fit` calls this."""
    if not result.converged:
        raise ModelError("The fit did not converge, so it has no fit by group.", where="group_fit")
    e, m = estimation_of(result), result.fit_measures
    chisq = browne_contributions(e) if browne_residual_test(e) else likelihood_contributions(e)
    share = np.array(e.problem.weights)
    columns: dict[str, object] = {
        "group": result.group_labels,
        "nobs": [group.nobs for group in e.sample.groups],
        "chisq": chisq,
    }
    if "chisq_scaled" in m:
        c = m["chisq_scaling_factor"]
        shift = m["chisq_scaled"] - m["chisq"] / c if math.isfinite(c) else 0.0
        columns["chisq_scaled"] = chisq / c + shift * share
    columns["share"] = chisq / chisq.sum() if chisq.sum() > 0 else np.zeros(len(chisq))
    implied = e.problem.implied(e.solution.x)
    residuals = [group_residuals(e, implied[g], g) for g in range(len(implied))]
    columns |= {name: [measures[name] for measures in residuals] for name in ("srmr", "crmr")}
    return pd.DataFrame(columns)


def likelihood_contributions(e: Estimation) -> Array:
    """Return ``N F_g n_g / N`` of every group, which add up to chi-square."""
    implied = e.problem.implied(e.solution.x)
    parts = zip(e.problem.weights, e.problem.discrepancies, implied, strict=True)
    return np.array([e.scale * weight * function.value(moments) for weight, function, moments in parts])
