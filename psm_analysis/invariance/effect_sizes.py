"""How much non-invariance matters: dMACS of released items, and differences of latent means.

References
----------
Nye, C. D., & Drasgow, F. (2011). Effect size indices for analyses of measurement equivalence. Journal of Applied
Psychology, 96, 966-980.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from psm_analysis.sem.result import SemResult


def dmacs(fit: SemResult) -> pd.DataFrame:
    """Return dMACS of every indicator of one factor, of each group against the first, by the parameters of a fit.

    ``dMACS = sqrt(E[(nu_g - nu_1 + (lambda_g - lambda_1) eta)^2]) / SD`` over the distribution of the factor in group
    g (Nye & Drasgow, 2011, eq. 3), with the SD of the item pooled over both groups. Parameters that are equal in the
    fit give 0. Columns: ``item, factor, group, dmacs, intercept_difference, loading_difference``.
    """
    values = dict(zip(((p.lhs, p.op, p.rhs, p.group) for p in fit.table.parameters), fit.estimates, strict=True))
    loadings = [p for p in fit.table.parameters if p.op == "=~" and p.group == 1 and p.rhs in fit.sample.names]
    single = [p for p in loadings if sum(other.rhs == p.rhs for other in loadings) == 1]
    implied = fit.problem.implied(fit.solution.x)
    rows = []
    for g in range(2, len(fit.group_labels) + 1):
        at = {name: i for i, name in enumerate(fit.problem.layouts[g - 1].eta)}
        mean, spread = implied[g - 1].eta_mean, np.diagonal(implied[g - 1].C)
        for p in single:
            slope = values[p.lhs, "=~", p.rhs, g] - values[p.lhs, "=~", p.rhs, 1]
            level = values.get((p.rhs, "~1", "", g), 0.0) - values.get((p.rhs, "~1", "", 1), 0.0)
            k = at[p.lhs]
            size = math.sqrt((level + slope * mean[k]) ** 2 + slope**2 * spread[k])
            sizes = [size / _pooled(fit, p.rhs, g), float(level), float(slope)]
            rows.append([p.rhs, p.lhs, fit.group_labels[g - 1], *sizes])
    columns = ["item", "factor", "group", "dmacs", "intercept_difference", "loading_difference"]
    return pd.DataFrame(rows, columns=columns)


def _pooled(fit: SemResult, item: str, g: int) -> float:
    i = fit.sample.names.index(item)
    first, other = fit.sample.groups[0], fit.sample.groups[g - 1]
    squares = sum(group.nobs * float(group.cov[i, i]) for group in (first, other))
    return math.sqrt(squares / (first.nobs + other.nobs - 2))


def latent_means(fit: SemResult, *, level: float = 0.95) -> pd.DataFrame:
    """Return means of the factors in each group less those of the first, with intervals.

    ``d`` is the difference divided by the standard deviation of the factor pooled over both groups. Columns: ``factor,
    group, estimate, std_error, statistic, p_value, ci_low, ci_high, d``.
    """
    tidy = fit.tidy(level=level)
    latent = fit.table.roles.latent
    implied = fit.problem.implied(fit.solution.x)
    frames = []
    for g, label in enumerate(fit.group_labels[1:], start=1):
        part = tidy[(tidy["op"] == "~1") & tidy["lhs"].isin(latent) & (tidy["group"] == label)]
        part = part.rename(columns={"lhs": "factor"})
        spread = []
        for name in part["factor"]:
            k = fit.problem.layouts[g].eta.index(name)
            sizes = [fit.sample.groups[j].nobs for j in (0, g)]
            spread.append(np.average([implied[j].C[k, k] for j in (0, g)], weights=sizes))
        columns = ["factor", "group", "estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]
        frames.append(part[columns].assign(d=part["estimate"].to_numpy() / np.sqrt(np.array(spread))))
    return pd.concat(frames, ignore_index=True)
