"""Ordered logit (proportional odds) with cluster-robust errors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.errors import ConvergenceError, DataError
from psm_analysis.regression.design import Design, make_design
from psm_analysis.regression.result import OrderedLogitResult

Array = NDArray[np.float64]
MAXIMUM_CATEGORIES = 30


def ordered_logit(
    data: pd.DataFrame, outcome: str, *, predictors: Sequence[str], cluster: str | None = None
) -> OrderedLogitResult:
    """Regress an ordinal outcome on predictors by proportional odds.

    .. math:: P(y \\le c \\mid x) = \\frac{1}{1 + \\exp(-(\\tau_c - x'\\beta))}, \\quad c = 1, \\ldots, C-1

    A positive coefficient moves answers up; exp(β) is the factor by which the odds of a higher answer change per unit
    of x. The fit is statsmodels' ``OrderedModel``, finished by Newton steps in (β, τ); errors come from the observed
    information H, and with `cluster` from the sandwich H⁻¹ (Σ_g s_g s_g') H⁻¹ · G/(G-1).

    Parameters
    ----------
    data
        One row per respondent; incomplete rows are left out.
    outcome
        Numeric column whose values are ordered categories.
    predictors
        Columns; text and categories become indicators against their first level.
    cluster
        Column of the cluster of each respondent, or None.

    Returns
    -------
    OrderedLogitResult
        ``tidy()`` has the predictors with odds ratios, then the thresholds ``low|high``. The test in
        ``glance()`` is the likelihood ratio, or the Wald test when errors are clustered.

    Raises
    ------
    DataError
        Unknown, constant or collinear columns, an outcome with one value or more than thirty, a single cluster.
    ConvergenceError
        If a predictor separates the categories, so that no finite maximum exists.

    References
    ----------
    McCullagh (1980), *Journal of the Royal Statistical Society B* 42(2), eq. 2.4; R: ``MASS::polr``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=300)
    >>> quit = np.digitize(x + rng.logistic(size=300), [-1, 1])
    >>> fit = ordered_logit(pd.DataFrame({"burnout": x, "quit": quit}), "quit", predictors=["burnout"])
    >>> fit.tidy()["term"].tolist()
    ['burnout', '0|1', '1|2']
    """
    design = make_design(data, outcome, predictors=predictors, cluster=cluster)
    categories, codes = np.unique(design.y, return_inverse=True)
    if len(categories) > MAXIMUM_CATEGORIES:
        raise DataError(
            f"The outcome has {len(categories)} different values.",
            where=f"column {outcome!r}",
            remedy="An ordered logit is for a few ordered categories; use hierarchical_regression for a score.",
        )
    X = design.X.to_numpy(dtype=float)
    params = _maximum(codes, X, n_thresholds=len(categories) - 1)
    scores, hessian = _derivatives(params, codes, X=X)
    vcov = _covariance(scores, hessian, clusters=design.clusters)
    return OrderedLogitResult(
        outcome=outcome,
        categories=tuple(float(value) for value in categories),
        coefficients=_coefficients(params, vcov, design=design, categories=categories),
        fit=_fit_row(params, vcov, design=design, codes=codes),
        n_dropped=design.n_dropped,
    )


def _maximum(codes: NDArray[np.int64], X: Array, *, n_thresholds: int) -> Array:
    """Estimate (β, τ) on z-scores, where steps are comparable, and return them in the units of X."""
    mean, spread = X.mean(axis=0), X.std(axis=0)
    Z = (X - mean) / spread
    params = _newton(_start(codes, Z, n_thresholds=n_thresholds), codes, X=Z)
    beta = params[:-n_thresholds] / spread
    return np.concatenate([beta, params[-n_thresholds:] + mean @ beta])


def _start(codes: NDArray[np.int64], Z: Array, *, n_thresholds: int) -> Array:
    import warnings

    from statsmodels.miscmodels.ordinal_model import OrderedModel
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

    model = OrderedModel(codes, Z, distr="logit")
    with warnings.catch_warnings():
        for category in (ConvergenceWarning, HessianInversionWarning, RuntimeWarning):
            warnings.simplefilter("ignore", category)
        params = np.asarray(model.fit(method="bfgs", disp=False, maxiter=200, skip_hessian=True).params)
    return np.concatenate([params[:-n_thresholds], model.transform_threshold_params(params)[1:-1]])


def _newton(params: Array, codes: NDArray[np.int64], *, X: Array, iterations: int = 40) -> Array:
    for _ in range(iterations):
        scores, hessian = _derivatives(params, codes, X=X)
        if not np.isfinite(hessian).all() or np.linalg.cond(hessian) > 1e12 or -np.trace(hessian) < 1e-6 * len(codes):
            break
        step = np.linalg.solve(-hessian, scores.sum(axis=0))
        while np.any(np.diff((params + step)[X.shape[1] :]) <= 0):
            step = step / 2
        params = params + step
        if np.abs(step).max() < 1e-9:
            return params
    raise ConvergenceError(
        "The ordered logit has no finite maximum.",
        remedy="A predictor, or several together, separates the categories of the outcome: leave it out or merge them.",
    )


def _probabilities(params: Array, codes: NDArray[np.int64], *, X: Array) -> tuple[Array, Array, Array]:
    from scipy.special import expit

    k = X.shape[1]
    cuts = np.concatenate([[-np.inf], params[k:], [np.inf]])
    eta = X @ params[:k]
    upper, lower = expit(cuts[codes + 1] - eta), expit(cuts[codes] - eta)
    return upper, lower, np.maximum(upper - lower, np.finfo(float).tiny)


def _derivatives(params: Array, codes: NDArray[np.int64], *, X: Array) -> tuple[Array, Array]:
    """Casewise scores and the Hessian of the log-likelihood in (β, τ)."""
    n_thresholds = len(params) - X.shape[1]
    upper, lower, p = _probabilities(params, codes, X=X)
    fu, fl = upper * (1 - upper), lower * (1 - lower)
    du, dl = fu * (1 - 2 * upper), fl * (1 - 2 * lower)
    Zu = np.hstack([-X, (codes[:, None] == np.arange(n_thresholds)).astype(float)])
    Zl = np.hstack([-X, (codes[:, None] - 1 == np.arange(n_thresholds)).astype(float)])
    scores = (fu[:, None] * Zu - fl[:, None] * Zl) / p[:, None]
    hessian = (Zu * (du / p)[:, None]).T @ Zu - (Zl * (dl / p)[:, None]).T @ Zl - scores.T @ scores
    return scores, hessian


def _covariance(scores: Array, hessian: Array, *, clusters: NDArray[np.int64] | None) -> Array:
    bread = np.linalg.inv(-hessian)
    if clusters is None:
        return np.asarray(bread, dtype=float)
    groups = int(clusters.max()) + 1
    sums = np.zeros((groups, scores.shape[1]))
    np.add.at(sums, clusters, scores)
    return np.asarray(bread @ (sums.T @ sums) @ bread * groups / (groups - 1), dtype=float)


def _coefficients(params: Array, vcov: Array, *, design: Design, categories: Array) -> pd.DataFrame:
    from scipy.special import ndtr, ndtri

    k = design.X.shape[1]
    error = np.sqrt(np.diag(vcov))
    margin = ndtri(0.975) * error
    thresholds = [f"{low:g}|{high:g}" for low, high in pairwise(categories)]
    rows = pd.DataFrame(
        {
            "term": [*design.X.columns, *thresholds],
            "kind": ["predictor"] * k + ["threshold"] * len(thresholds),
            "estimate": params,
            "std_error": error,
            "statistic": params / error,
            "p_value": 2 * ndtr(-np.abs(params / error)),
            "ci_low": params - margin,
            "ci_high": params + margin,
        }
    )
    for name, source in (("odds_ratio", "estimate"), ("odds_ratio_low", "ci_low"), ("odds_ratio_high", "ci_high")):
        rows[name] = np.exp(rows[source]).where(rows["kind"] == "predictor")
    return rows


def _fit_row(params: Array, vcov: Array, *, design: Design, codes: NDArray[np.int64]) -> pd.DataFrame:
    from scipy.special import chdtrc

    X = design.X.to_numpy(dtype=float)
    k, n = X.shape[1], len(codes)
    logl = float(np.log(_probabilities(params, codes, X=X)[2]).sum())
    counts = np.bincount(codes)
    logl_null = float(counts @ np.log(counts / n))
    if design.clusters is None:
        test, statistic = "likelihood ratio", 2 * (logl - logl_null)
    else:
        test, statistic = "Wald", float(params[:k] @ np.linalg.solve(vcov[:k, :k], params[:k]))
    row = {
        "outcome": design.outcome,
        "nobs": n,
        "n_clusters": design.n_clusters,
        "logl": logl,
        "logl_null": logl_null,
        "pseudo_r_squared": 1 - logl / logl_null,
        "statistic": statistic,
        "df1": k,
        "p_value": float(chdtrc(k, statistic)),
        "test": test,
        "aic": -2 * logl + 2 * len(params),
        "bic": -2 * logl + np.log(n) * len(params),
    }
    return pd.DataFrame([row])
