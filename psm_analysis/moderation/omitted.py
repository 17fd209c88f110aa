"""``omitted_variable_robustness``: how strong must an omitted variable be to explain a regression path?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from scipy import special

from psm_analysis._results import Result
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem.effect_paths import arrows_of
from psm_analysis.sem.result import SemResult


@dataclass(frozen=True, slots=True, repr=False)
class PathRobustness(Result):
    """Robustness values of regression paths.

    Attributes
    ----------
    frame
        One row per path; see :meth:`tidy`.
    share, level
        Which share of the estimate is to be explained, and the level of the test.
    """

    frame: pd.DataFrame
    share: float
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per path.

        Columns: ``path, predictor, outcome, group, estimate, std_error, statistic`` (t), ``df, partial_r_squared,
        robustness, robustness_significance``.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the number of paths and the weakest of those that are significant."""
        some = self.frame[self.frame["robustness_significance"] > 0]
        weakest = some["path"].iloc[some["robustness_significance"].argmin()] if len(some) else ""
        row = {"paths": len(self.frame), "significant": len(some), "weakest": weakest}
        return pd.DataFrame([row | {"share": self.share, "level": self.level}])


def robustness_value(statistic: float, df: float, *, share: float = 1.0, critical: float = 0.0) -> float:
    """Return the robustness value of a coefficient with t `statistic` on `df` degrees of freedom.

    With ``F = share |t| / sqrt(df)``, ``C = critical / sqrt(df - 1)`` and ``f = F - C``, ``RV = (sqrt(f^4 + 4 f^2) -
    f^2) / 2``; 0 where f is negative, and ``(F^2 - C^2) / (1 + F^2)`` where ``F > 1 / C`` (Cinelli & Hazlett, 2020,
    sec. 4). An omitted variable that explains this share of the residual variance of both predictor and outcome takes
    away that share of the estimate (or its significance).

    Parameters
    ----------
    statistic, df
        t and its degrees of freedom.
    share
        Which share of the estimate is to go.
    critical
        Quantile of t with ``df - 1`` degrees of freedom, for the value at which significance goes; 0 for the estimate.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    OptionError
        If `df` is not above 1, or `share` not positive.

    References
    ----------
    Cinelli, C., & Hazlett, C. (2020). Making sense of sensitivity: Extending omitted variable bias. Journal of the
    Royal Statistical Society B, 82, 39-67. The R call is ``sensemakr::robustness_value``.

    Examples
    --------
    >>> round(robustness_value(4.18, 783), 3)
    0.139
    """
    if not df > 1 or not share > 0:
        raise OptionError(
            f"df={df} and share={share} cannot be used.",
            where="robustness_value",
            remedy="Degrees of freedom above 1 and a share such as 1.",
        )
    full, cut = share * abs(statistic) / math.sqrt(df), critical / math.sqrt(df - 1)
    if full <= cut:
        return 0.0
    if full * cut > 1.0:
        return (full**2 - cut**2) / (1.0 + full**2)
    f = full - cut
    return 0.5 * (math.sqrt(f**4 + 4.0 * f**2) - f**2)


def omitted_variable_robustness(result: SemResult, *, share: float = 1.0, level: float = 0.95) -> PathRobustness:
    """Return for every regression path how strong an omitted variable would have to be to explain it.

    The partial R² ``t^2 / (t^2 + df)`` of a path, and robustness values (:func:`robustness_value`): of the estimate and
    of its significance. ``df = N - 1 - predictors of the outcome``; the z of maximum likelihood becomes ``t = z
    sqrt(df / N)``. Exact for regressions of observed variables by ML; for latent variables the same formulas hold for
    the paths among factors, as an approximation that takes the measurement model as known.

    Parameters
    ----------
    result
        A fit with regressions.
    share
        Which share of the estimate is to be explained: 1 for all of it.
    level
        Of the test behind ``robustness_significance``.

    Returns
    -------
    PathRobustness
        One row per path in ``tidy()``.

    Raises
    ------
    ModelError
        If the model has no free regressions, or did not converge.
    OptionError
        For a level or share out of range.

    References
    ----------
    Cinelli, C., & Hazlett, C. (2020). Making sense of sensitivity: Extending omitted variable bias. Journal of the
    Royal Statistical Society B, 82, 39-67.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> names = ["x", "m", "y"]
    >>> r = pd.DataFrame([[1, .5, .4], [.5, 1, .6], [.4, .6, 1]], names, names)
    >>> fit = psm.sem("m ~ x; y ~ m + x", sample_cov=r, sample_nobs=200)
    >>> found = psm.omitted_variable_robustness(fit).tidy()
    >>> found[["path", "robustness"]].round(3).values.tolist()
    [['x -> m', 0.434], ['m -> y', 0.438], ['x -> y', 0.136]]
    """
    if not 0.0 < level < 1.0 or not share > 0.0:
        raise OptionError(f"share={share} and level={level} cannot be used.", where="omitted_variable_robustness")
    if not result.converged:
        raise ModelError("The fit did not converge, so it has no paths.", where="argument 'result'")
    frame = result.tidy()
    paths = frame[(frame["op"] == "~") & (frame["std_error"] > 0)]
    if paths.empty:
        raise ModelError("The model has no free regressions.", where="argument 'result'", remedy="Use psm.sem.")
    sizes = {group.label: group.nobs for group in result.sample.groups}
    rows = []
    for row in paths.to_dict("records"):
        lhs, rhs, group = str(row["lhs"]), str(row["rhs"]), str(row["group"])
        number = result.group_labels.index(group) + 1
        predictors = sum(lhs in to for to in arrows_of(result.table, number).values())
        nobs = sizes[group]
        df = nobs - 1 - predictors
        t = float(row["estimate"]) / float(row["std_error"]) * math.sqrt(df / nobs)
        critical = float(special.stdtrit(df - 1, 0.5 + level / 2.0))
        found: dict[str, object] = {"path": f"{rhs} -> {lhs}", "predictor": rhs, "outcome": lhs, "group": group}
        found |= {"estimate": row["estimate"], "std_error": row["std_error"], "statistic": t, "df": df}
        found |= {"partial_r_squared": t**2 / (t**2 + df), "robustness": robustness_value(t, df, share=share)}
        rows.append(found | {"robustness_significance": robustness_value(t, df, share=share, critical=critical)})
    return PathRobustness(pd.DataFrame(rows), share, level)
