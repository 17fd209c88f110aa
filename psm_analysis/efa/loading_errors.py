"""Standard errors of rotated loadings and factor correlations: delta method and bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._arguments import check_instance, check_level, check_seed, check_whole
from psm_analysis._options import Correlation, Extraction, LoadingErrors, check_choice, check_option
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, P_VALUE, STATISTIC, STD_ERROR
from psm_analysis.efa.extraction import extract
from psm_analysis.efa.result import EfaResult
from psm_analysis.errors import DataError, OptionError
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import Sample
from psm_analysis.rotation import rotate

FloatArray = NDArray[np.float64]
STEP = 1e-3
NORMAL_THEORY = ("ml", "minres", "uls", "gls")


def loading_errors(
    result: EfaResult,
    *,
    method: LoadingErrors = "delta",
    n_replicates: int = 500,
    seed: int | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    r"""Return standard errors and intervals of rotated loadings and factor correlations.

    "delta": with :math:`\Gamma/n` the covariance of the correlations of normal items and J the derivatives of the
    rotated solution by the correlations (central differences of extraction and rotation together),
    :math:`\mathrm{acov}(\hat\theta) = J\Gamma J'/n`. For ``ml`` this is the maximum-likelihood standard error.
    "bootstrap": rows are drawn with replacement, each solution is turned back to the factors of `result`; intervals are
    percentiles, and nothing is supposed of the distribution.

    Parameters
    ----------
    result
        An exploratory factor analysis by the native engine.
    method
        "delta" (Pearson correlations; ml, minres, uls or gls) or "bootstrap" (answers needed).
    n_replicates, seed
        Bootstrap samples and their seed.
    level
        Level of the intervals.

    Returns
    -------
    DataFrame
        kind ("loading" or "correlation"), item, factor, estimate, std_error, statistic, p_value, ci_low, ci_high.

    Raises
    ------
    OptionError
        If the delta method does not hold for the extraction or the correlations, or the bootstrap has no seed.
    DataError
        If the number of cases, or for the bootstrap the answers, are not known.

    References
    ----------
    Archer, C. O., & Jennrich, R. I. (1973). Psychometrika, 38, 581-592. Jennrich, R. I. (1973). Psychometrika, 38,
    593-604. Olkin, I., & Siotani, M. (1976), covariance of correlations. Ichikawa & Konishi (1995). Psychometrika, 60,
    77-93, the bootstrap.

    Examples
    --------
    >>> from psm_analysis.efa.fit import efa
    >>> L = np.array([[0.8], [0.7], [0.6], [0.5]])
    >>> R = L @ L.T
    >>> np.fill_diagonal(R, 1.0)
    >>> loading_errors(efa(R, 1, extraction="ml", nobs=400))["std_error"].round(3).tolist()
    [0.035, 0.037, 0.041, 0.045]
    """
    check_option(method, LoadingErrors, name="method")
    check_level(level)
    check_instance(result, EfaResult, name="result", remedy="Give a result of efa().")
    if result.engine != "native":
        raise OptionError(
            "Standard errors need the native engine.", where="argument 'result'", remedy="Use engine='native'."
        )
    centre = _vector(result.loadings.to_numpy(), _phi(result))
    if method == "delta":
        error = _delta(result)
        half = _normal_quantile(level) * error
        low, high = centre - half, centre + half
    else:
        drawn = _bootstrap(result, n_replicates=n_replicates, seed=seed)
        error = drawn.std(axis=0, ddof=1)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return _table(result, centre, error=error, low=low, high=high)


def correlation_acov(R: FloatArray) -> FloatArray:
    r"""Return n times the asymptotic covariance of the correlations of normal items, pairs i > j in order of rows.

    .. math:: \gamma_{ij,kl} = \tfrac12 r_{ij}r_{kl}(r_{ik}^2+r_{il}^2+r_{jk}^2+r_{jl}^2) + r_{ik}r_{jl} + r_{il}r_{jk}
              - r_{ij}(r_{ik}r_{il}+r_{jk}r_{jl}) - r_{kl}(r_{ik}r_{jk}+r_{il}r_{jl})

    Examples
    --------
    >>> correlation_acov(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4).tolist()  # (1 - r^2)^2
    [[0.5625]]
    """
    i, j = np.tril_indices(len(R), -1)
    r = R[i, j]
    ik, il, jk, jl = R[np.ix_(i, i)], R[np.ix_(i, j)], R[np.ix_(j, i)], R[np.ix_(j, j)]
    squares = 0.5 * np.outer(r, r) * (ik**2 + il**2 + jk**2 + jl**2)
    first = r[:, None] * (ik * il + jk * jl)
    second = r[None, :] * (ik * jk + il * jl)
    return np.asarray(squares + ik * jl + il * jk - first - second, dtype=float)


def _delta(result: EfaResult) -> FloatArray:
    check_choice(result.extraction, NORMAL_THEORY, name="extraction")
    if result.correlation_method != "pearson":
        raise OptionError(
            f"The delta method here is for Pearson correlations, not {result.correlation_method}.",
            where="argument 'method'",
            remedy="Use method='bootstrap' with a seed.",
        )
    if result.nobs is None:
        raise DataError("The number of cases is not known.", where="argument 'result'", remedy="Give nobs= to efa().")
    R = result.correlation.to_numpy()
    columns = []
    for i, j in zip(*np.tril_indices(len(R), -1), strict=True):
        ends = []
        for step in (STEP, -STEP):
            moved = R.copy()
            moved[i, j] += step
            moved[j, i] += step
            ends.append(_solve(result, moved))
        columns.append((ends[0] - ends[1]) / (2 * STEP))
    J = np.stack(columns, axis=1)
    return np.asarray(np.sqrt(np.maximum(np.einsum("ai,ij,aj->a", J, correlation_acov(R), J), 0.0) / result.nobs))


def _bootstrap(result: EfaResult, *, n_replicates: int, seed: int | None) -> FloatArray:
    if result.sample is None:
        raise DataError(
            "A correlation matrix was analysed; the bootstrap draws rows.",
            where="argument 'result'",
            remedy="Analyse the answers, or use method='delta'.",
        )
    check_whole(n_replicates, name="n_replicates", least=50, remedy="Use 500.")
    chosen = check_seed(seed)
    if chosen is None:
        raise OptionError("A bootstrap needs a seed.", where="argument 'seed'", remedy="Give seed=1.")
    method: Correlation = cast(Correlation, result.correlation_method)
    matrices = _resampled(result.sample, method, n_replicates=n_replicates, seed=chosen)
    return np.array([_solve(result, R) for R in matrices])


def _resampled(sample: Sample, method: Correlation, *, n_replicates: int, seed: int) -> Iterator[FloatArray]:
    rng = np.random.default_rng(seed)
    kept = sample.values[sample.observed.any(axis=1)]
    for _ in range(n_replicates):
        rows = kept[rng.integers(len(kept), size=len(kept))]
        yield correlation_matrix(Sample(sample.names, rows, pd.RangeIndex(len(rows))), method=method)[0]


def _solve(result: EfaResult, R: FloatArray) -> FloatArray:
    """Extract, turn to the unrotated factors of the result, rotate, and match factors and signs."""
    unrotated = result.unrotated.to_numpy()
    A = extract(R, result.n_factors, method=cast(Extraction, result.extraction)).loadings
    left, _, right = np.linalg.svd(A.T @ unrotated)
    turned = rotate(
        A @ left @ right, method=result.rotation, tolerance=1e-6, max_iterations=300, **dict(result.rotation_options)
    )
    goal = result.loadings.to_numpy()
    order, sign = _match(turned.loadings, goal)
    phi = np.eye(result.n_factors) if turned.factor_correlations is None else turned.factor_correlations
    return _vector(turned.loadings[:, order] * sign, phi[np.ix_(order, order)] * np.outer(sign, sign))


def _match(loadings: FloatArray, goal: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    from scipy.optimize import linear_sum_assignment

    cross = goal.T @ loadings
    order = linear_sum_assignment(-np.abs(cross))[1]
    sign = np.where(cross[np.arange(len(order)), order] < 0, -1.0, 1.0)
    return np.asarray(order), sign


def _vector(loadings: FloatArray, phi: FloatArray) -> FloatArray:
    return np.concatenate([loadings.ravel(), phi[np.tril_indices(len(phi), -1)]])


def _phi(result: EfaResult) -> FloatArray:
    k = result.n_factors
    return np.eye(k) if result.factor_correlations is None else result.factor_correlations.to_numpy()


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def _table(
    result: EfaResult, centre: FloatArray, *, error: FloatArray, low: FloatArray, high: FloatArray
) -> pd.DataFrame:
    from scipy.special import ndtr

    items, factors = list(result.loadings.index), list(result.loadings.columns)
    names = [("loading", item, factor) for item in items for factor in factors]
    names += [("correlation", factors[a], factors[b]) for a, b in zip(*np.tril_indices(len(factors), -1), strict=True)]
    known = error > 1e-12
    statistic = np.divide(centre, error, out=np.full_like(centre, np.nan), where=known)
    table = pd.DataFrame(names, columns=["kind", "item", "factor"])
    table[ESTIMATE], table[STD_ERROR], table[STATISTIC] = centre, error, statistic
    table[P_VALUE] = 2 * ndtr(-np.abs(statistic))
    table[CI_LOW], table[CI_HIGH] = low, high
    return table if result.factor_correlations is not None else table[table["kind"] == "loading"]
