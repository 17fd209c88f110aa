"""Regression from a printed correlation matrix: what a published table of correlations is enough for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from psm_analysis.errors import DataError, OptionError
from psm_analysis.regression.design import check_known
from psm_analysis.regression.result import RegressionResult


def regression_from_correlations(
    corr: pd.DataFrame, outcome: str, *, predictors: Sequence[str], nobs: int, sds: Mapping[str, float] | None = None
) -> RegressionResult:
    """Regress one variable on others from their correlations.

    .. math:: \\beta = R_{xx}^{-1} r_{xy}, \\quad R^2 = r_{xy}' \\beta, \\quad
              se(\\beta_j) = \\sqrt{\\frac{(1 - R^2) (R_{xx}^{-1})_{jj}}{n - k - 1}}

    This is least squares on z-scores; the test statistics are those of the raw regression. Printed correlations are
    rounded, and the coefficients are as uncertain as that rounding makes them.

    Parameters
    ----------
    corr
        Correlations with the same names on both axes; all of it or its lower triangle.
    outcome
        Name of the outcome.
    predictors
        Names of the predictors.
    nobs
        Number of respondents behind the matrix.
    sds
        Standard deviations by name; with them the estimates are unstandardized, b = β sd(y) / sd(x).

    Returns
    -------
    RegressionResult
        Without a constant. `beta` holds the standardized coefficients.

    Raises
    ------
    DataError
        For an unknown variable, a value outside [-1, 1], or a matrix that no data could have.

    References
    ----------
    Cohen, Cohen, West & Aiken (2003), *Applied Multiple Regression*, 3rd ed., appendix 2 and eq. 3.6.1.

    Examples
    --------
    >>> names = ["stress", "burnout", "resiliency"]
    >>> r = pd.DataFrame([[1, 0.61, -0.12], [0.61, 1, -0.19], [-0.12, -0.19, 1]], names, names)
    >>> fit = regression_from_correlations(r, "burnout", predictors=["stress", "resiliency"], nobs=139)
    >>> fit.tidy()["beta"].round(3).tolist(), round(fit.r_squared, 3)
    ([0.596, -0.119], 0.386)
    """
    from scipy.special import fdtrc, stdtr, stdtrit

    names = _checked(predictors, outcome, nobs=nobs)
    R = _symmetric(corr, [*names, outcome])
    Rxx, rxy = R[:-1, :-1], R[:-1, -1]
    inverse = np.linalg.inv(Rxx)
    beta = inverse @ rxy
    r_squared = float(rxy @ beta)
    k, df = len(names), nobs - len(names) - 1
    error = np.sqrt((1 - r_squared) * np.diag(inverse) / df)
    scale = _scale(sds, names, outcome=outcome)
    margin = stdtrit(df, 0.975) * error
    F = (r_squared / k) / ((1 - r_squared) / df)
    coefficients = pd.DataFrame(
        {
            "term": names,
            "estimate": beta * scale,
            "std_error": error * scale,
            "statistic": beta / error,
            "p_value": 2 * stdtr(df, -np.abs(beta / error)),
            "ci_low": (beta - margin) * scale,
            "ci_high": (beta + margin) * scale,
            "beta": beta,
        }
    )
    fit = {
        "outcome": outcome,
        "nobs": nobs,
        "n_clusters": None,
        "r_squared": r_squared,
        "adj_r_squared": 1 - (1 - r_squared) * (nobs - 1) / df,
        "statistic": F,
        "df1": k,
        "df2": df,
        "p_value": float(fdtrc(k, df, F)),
    }
    return RegressionResult(name=outcome, outcome=outcome, coefficients=coefficients, fit=pd.DataFrame([fit]))


def _checked(predictors: Sequence[str], outcome: str, *, nobs: int) -> list[str]:
    if isinstance(predictors, str) or not predictors:
        raise OptionError("Predictors are a non-empty list of names.", where="argument 'predictors'")
    names = list(predictors)
    if len({*names, outcome}) < len(names) + 1:
        raise OptionError("A variable is used twice in one regression.", where="outcome, predictors")
    if nobs <= len(names) + 1:
        raise DataError(f"{nobs} respondents cannot carry {len(names)} predictors.", where="argument 'nobs'")
    return names


def _symmetric(corr: pd.DataFrame, names: list[str]) -> np.ndarray:
    check_known(names, [name for name in corr.columns if name in corr.index], where="names on both axes of the matrix")
    lower = corr.loc[names, names].to_numpy(dtype=float)
    R = np.where(np.isnan(lower), lower.T, lower)
    if np.isnan(R).any():
        i, j = np.argwhere(np.isnan(R))[0]
        raise DataError("A correlation is missing.", where=f"{names[i]} with {names[j]}")
    if np.abs(R - R.T).max() > 1e-8 or np.abs(np.diag(R) - 1).max() > 1e-8 or np.abs(R).max() > 1 + 1e-8:
        raise DataError(
            "This is not a correlation matrix.",
            where=", ".join(names),
            remedy="It must be symmetric, with ones on the diagonal and nothing outside [-1, 1].",
        )
    if np.linalg.eigvalsh(R)[0] < 1e-10:
        raise DataError(
            "The correlations are not positive definite: no complete data have them.",
            where=", ".join(names),
            remedy="Collinear predictors, a misprint or pairwise deletion do this; check the printed figures.",
        )
    return R


def _scale(sds: Mapping[str, float] | None, names: list[str], *, outcome: str) -> np.ndarray:
    if sds is None:
        return np.ones(len(names))
    check_known([*names, outcome], list(sds), where="argument 'sds'")
    values = np.array([float(sds[name]) for name in [*names, outcome]])
    if not (values > 0).all():
        raise DataError("A standard deviation is not positive.", where="argument 'sds'")
    return np.asarray(values[-1] / values[:-1])
