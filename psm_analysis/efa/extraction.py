"""Unrotated loadings of a correlation matrix: least squares, maximum likelihood, principal axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from psm_analysis._options import Extraction, check_option
from psm_analysis.efa.box_newton import Minimum, Objective, minimise_in_box
from psm_analysis.efa.uniqueness import (
    gls_profile,
    ml_loadings,
    ml_profile,
    uls_loadings,
    uls_profile,
)
from psm_analysis.errors import DataError

FloatArray = NDArray[np.float64]
SMALLEST_UNIQUENESS = 0.005
SAME_MINIMUM = 1e-9


@dataclass(frozen=True, slots=True)
class Extracted:
    """Unrotated loadings with factors in order of variance and column sums not negative."""

    loadings: FloatArray
    converged: bool
    iterations: int

    @property
    def communalities(self) -> FloatArray:
        """Sums of squared loadings by item."""
        return np.asarray((self.loadings**2).sum(1), dtype=float)


def extract(correlation: FloatArray, n_factors: int, *, method: Extraction = "minres") -> Extracted:
    r"""Extract unrotated factors from a correlation matrix.

    ``minres`` and ``uls`` minimise :math:`\sum_{i\ne j}(r_{ij}-\lambda_i'\lambda_j)^2`; ``wls`` the same with the
    weights :math:`1/(u_iu_j)`, u the reciprocal diagonal of the inverse; ``gls``
    :math:`\tfrac12\mathrm{tr}[(I-S^{-1}\Sigma)^2]` over loadings and uniquenesses; ``ml``
    :math:`\log|\Sigma|+\mathrm{tr}(S\Sigma^{-1})-\log|S|-p`; ``pa`` iterates principal axes from squared multiple
    correlations until the communalities change by less than 0.001 in sum, 50 times at most, as ``psych::fa`` does.
    Uniquenesses stay in [0.005, 1], but for ``pa``. Where one ends at 0.005 (a Heywood case) there may be several
    minima: two other starts are tried, and the lowest is kept. The loadings of ``gls`` and ``wls`` are turned to the
    principal axes of :math:`\Lambda\Lambda'`, as those of ``minres`` are; ``gls`` does not reproduce the unit diagonal
    of S.

    Known difference from R: ``psych::fa`` documents that its gls "weights the residuals by the inverse of the
    correlation matrix" and its wls by the diagonal of that inverse, but its solutions are not minima of the functions
    above: those given here are smaller. On the reference data gls loadings differ by 0.005 (16 items that fit
    well) to 0.05 (25 items of five factors that fit badly), wls loadings by 0.001 to 0.02.

    Parameters
    ----------
    correlation
        (items, items).
    n_factors
        At least 1 and fewer than items.
    method
        The extraction.

    Raises
    ------
    DataError
        If the matrix is singular and the method needs its inverse.

    References
    ----------
    Harman & Jones (1966), Psychometrika 31, 351-368; Jöreskog (1967), Psychometrika 32, 443-482; Jöreskog &
    Goldberger (1972), Psychometrika 37, 243-260.

    Examples
    --------
    >>> L = np.array([[0.8], [0.7], [0.6], [0.5]])
    >>> R = L @ L.T + np.diag(1 - (L**2).ravel())
    >>> extract(R, 1, method="ml").loadings.round(4).ravel().tolist()
    [0.8, 0.7, 0.6, 0.5]
    """
    check_option(method, Extraction, name="extraction")
    loadings, converged, iterations = _METHODS[method](np.asarray(correlation, dtype=float), n_factors)
    order = np.argsort(-(loadings**2).sum(0), kind="stable")
    return Extracted(sign_columns(loadings[:, order]), converged, iterations)


def sign_columns(loadings: FloatArray) -> FloatArray:
    """Reflect columns whose sum is negative.

    Examples
    --------
    >>> sign_columns(np.array([[-0.5, 0.4], [-0.6, 0.3]])).tolist()
    [[0.5, 0.4], [0.6, 0.3]]
    """
    return np.asarray(loadings * np.where(loadings.sum(0) < 0, -1.0, 1.0), dtype=float)


def principal_axes(loadings: FloatArray) -> FloatArray:
    """Turn loadings so that their columns are orthogonal; what they reproduce stays.

    Examples
    --------
    >>> turned = principal_axes(np.array([[0.8, 0.1], [0.5, 0.5], [0.3, 0.7]]))
    >>> bool(abs(turned[:, 0] @ turned[:, 1]) < 1e-12)
    True
    """
    left, size, _ = np.linalg.svd(loadings, full_matrices=False)
    return np.asarray(left * size, dtype=float)


def squared_multiple_correlations(correlation: FloatArray) -> FloatArray:
    r"""Squared multiple correlation of each item with the others, :math:`1-1/s^{ii}`; 1 - 1e-3 where singular.

    Examples
    --------
    >>> squared_multiple_correlations(np.array([[1.0, 0.5], [0.5, 1.0]])).round(2).tolist()
    [0.25, 0.25]
    """
    if is_singular(correlation):
        inverse = np.linalg.pinv(correlation, hermitian=True, rcond=1e-8)
        return np.asarray(np.clip(1 - 1 / np.maximum(np.diag(inverse), 1.0), 0.0, 0.999), dtype=float)
    return np.asarray(1 - 1 / np.diag(np.linalg.inv(correlation)), dtype=float)


def is_singular(correlation: FloatArray) -> bool:
    """Tell whether the smallest eigenvalue is not safely positive (below 1e-8 of the largest)."""
    values = np.linalg.eigvalsh(correlation)
    return bool(values[0] < 1e-8 * values[-1])


Solution = tuple[FloatArray, bool, int]


def _minimise(objective: Objective, S: FloatArray, *, n_factors: int, logarithms: bool = False) -> Minimum:
    """Minimise over uniquenesses or their logarithms; a minimum at the lower bound is compared with other minima."""
    smc = squared_multiple_correlations(S)
    starts = ((1 - 0.5 * n_factors / len(S)) * (1 - smc), 1 - smc, np.full(len(S), 0.5))
    scale = np.log if logarithms else np.asarray
    lower, upper = float(scale(SMALLEST_UNIQUENESS)), float(scale(1.0))
    found: list[Minimum] = []
    for start in starts:
        found.append(minimise_in_box(objective, scale(np.clip(start, 0.02, 0.98)), lower=lower, upper=upper))
        if not (found[0].x <= lower).any():
            break
    lowest = min(one.value for one in found)
    return next(one for one in found if one.value <= lowest + SAME_MINIMUM)


def _uls(S: FloatArray, n_factors: int) -> Solution:
    objective = partial(uls_profile, S=S, n_factors=n_factors)
    found = _minimise(objective, S, n_factors=n_factors)
    return uls_loadings(found.x, S=S, n_factors=n_factors), found.converged, found.iterations


def _wls(S: FloatArray, n_factors: int) -> Solution:
    _inverse(S, "wls")
    unique = 1 - squared_multiple_correlations(S)
    scale = np.sqrt(unique)
    scaled = S / np.outer(scale, scale)
    objective = partial(_scaled_uls, S=scaled, n_factors=n_factors, unique=unique)
    found = _minimise(objective, S, n_factors=n_factors)
    loadings = scale[:, None] * uls_loadings(found.x / unique, S=scaled, n_factors=n_factors)
    return principal_axes(loadings), found.converged, found.iterations


def _scaled_uls(
    psi: FloatArray, *, S: FloatArray, n_factors: int, unique: FloatArray
) -> tuple[float, FloatArray, Callable[[], FloatArray]]:
    value, gradient, hessian = uls_profile(psi / unique, S=S, n_factors=n_factors)
    return value, gradient / unique, lambda: hessian() / np.outer(unique, unique)


def _ml(S: FloatArray, n_factors: int) -> Solution:
    _inverse(S, "ml")
    objective = partial(ml_profile, S=S, n_factors=n_factors)
    found = _minimise(objective, S, n_factors=n_factors, logarithms=True)
    return ml_loadings(np.exp(found.x), S=S, n_factors=n_factors), found.converged, found.iterations


def _gls(S: FloatArray, n_factors: int) -> Solution:
    inverse = _inverse(S, "gls")
    objective = partial(gls_profile, inverse=inverse, n_factors=n_factors)
    found = _minimise(objective, S, n_factors=n_factors, logarithms=True)
    loadings = ml_loadings(np.exp(found.x), S=S, n_factors=n_factors)
    return principal_axes(loadings), found.converged, found.iterations


def _pa(S: FloatArray, n_factors: int, *, tolerance: float = 1e-3, max_iterations: int = 50) -> Solution:
    communality = squared_multiple_correlations(S)
    loadings = np.zeros((len(S), n_factors))
    for iteration in range(1, max_iterations + 1):
        loadings = uls_loadings(1 - communality, S=S, n_factors=n_factors)
        updated = (loadings**2).sum(1)
        change = abs(float(updated.sum() - communality.sum()))
        communality = updated
        if change < tolerance:
            return loadings, True, iteration
    return loadings, False, max_iterations


def _inverse(S: FloatArray, method: str) -> FloatArray:
    if is_singular(S):
        raise DataError(
            f"The correlation matrix is singular, and extraction {method!r} needs its inverse.",
            where="argument 'data'",
            remedy="Use extraction='minres' or 'pa', or leave out items that are sums or copies of others.",
        )
    return np.asarray(np.linalg.inv(S), dtype=float)


_METHODS: dict[str, Callable[[FloatArray, int], Solution]] = {
    "minres": _uls,
    "uls": _uls,
    "wls": _wls,
    "ml": _ml,
    "gls": _gls,
    "pa": _pa,
}
