"""Criteria that compare factor solutions of increasing number: very simple structure and the Hull."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psm_analysis.efa.extraction import extract, is_singular
from psm_analysis.efa.fit_measures import degrees_of_freedom, fit_measures
from psm_analysis.efa.suitability import kaiser_meyer_olkin

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FactorSeries:
    """Minres solutions with 1, 2, ... factors and their fit."""

    loadings: tuple[FloatArray, ...]
    fit: tuple[dict[str, float], ...]

    @property
    def bic(self) -> FloatArray:
        """BIC of each solution; NaN where it cannot be computed."""
        return np.array([measures.get("bic", np.nan) for measures in self.fit])


def factor_series(R: FloatArray, *, max_factors: int, nobs: int | None) -> FactorSeries:
    """Extract 1 to `max_factors` factors, as far as they are identified.

    Examples
    --------
    >>> R = np.full((6, 6), 0.5) + 0.5 * np.eye(6)
    >>> len(factor_series(R, max_factors=5, nobs=100).loadings)
    3
    """
    counts = [k for k in range(1, max_factors + 1) if k < len(R) and degrees_of_freedom(len(R), k) >= 0]
    loadings = tuple(extract(R, k).loadings for k in counts)
    fit = tuple(fit_measures(R, L @ L.T, n_factors=k, nobs=nobs) for k, L in zip(counts, loadings, strict=True))
    return FactorSeries(loadings, fit)


def very_simple_structure(R: FloatArray, loadings: FloatArray, *, complexity: int) -> float:
    r"""Fit of a solution of which each item keeps only its largest loadings.

    .. math:: 1-\frac{\sum_{i,j}(r_{ij}-\lambda_{i(c)}'\lambda_{j(c)})^2}{\sum_{i,j}r_{ij}^2}

    with the c largest loadings per item, over the whole matrix with its diagonal, as in ``psych::vss``. `loadings` are
    rotated already, by varimax.

    References
    ----------
    Revelle & Rocklin (1979), Multivariate Behavioral Research 14, 403-414.

    Examples
    --------
    >>> L = np.array([[0.8, 0], [0.7, 0], [0, 0.8], [0, 0.7]])
    >>> round(very_simple_structure(L @ L.T, L, complexity=1), 6)
    1.0
    """
    rank = np.argsort(np.argsort(-np.abs(loadings), axis=1), axis=1)
    simple = np.where(rank < complexity, loadings, 0.0)
    return float(1 - ((R - simple @ simple.T) ** 2).sum() / (R**2).sum())


def common_part_accounted_for(R: FloatArray, loadings: FloatArray) -> float:
    """Return 1 minus the Kaiser-Meyer-Olkin measure of the residual correlations (CAF).

    References
    ----------
    Lorenzo-Seva, Timmerman & Kiers (2011), Multivariate Behavioral Research 46, 340-364, equation 3.

    Examples
    --------
    >>> L = np.array([[0.8], [0.7], [0.6]])
    >>> R = L @ L.T + np.diag(1 - (L**2).ravel())
    >>> common_part_accounted_for(R, L)
    1.0
    """
    residual = R - loadings @ loadings.T
    scale = np.sqrt(np.maximum(np.diag(residual), 1e-3))
    scaled = residual / np.outer(scale, scale)
    np.fill_diagonal(scaled, 1.0)
    if is_singular(scaled):
        return 0.5
    return 1 - kaiser_meyer_olkin(scaled)[0]


def hull(fit: FloatArray, df: FloatArray) -> int | None:
    """Choose the solution at the sharpest elbow of the upper hull of fit against degrees of freedom.

    Parameters
    ----------
    fit
        A measure where more is better, of 0, 1, 2, ... factors.
    df
        Their degrees of freedom, falling.

    Returns
    -------
    int or None
        Number of factors; None if fewer than three solutions lie on the hull.

    References
    ----------
    Lorenzo-Seva, Timmerman & Kiers (2011), Multivariate Behavioral Research 46, 340-364.

    Examples
    --------
    >>> hull(np.array([0.0, 0.5, 0.95, 0.96]), np.array([28.0, 20.0, 13.0, 7.0]))
    2
    """
    kept: list[int] = []

    def slope(left: int, right: int) -> float:
        return float((fit[right] - fit[left]) / (df[left] - df[right]))

    for k in range(len(fit)):
        if kept and fit[k] <= fit[kept[-1]]:
            continue
        kept.append(k)
        while len(kept) > 2 and slope(*kept[-3:-1]) <= slope(*kept[-2:]):
            del kept[-2]
    if len(kept) < 3:
        return None
    triples = zip(kept, kept[1:], kept[2:], strict=False)
    elbows = [slope(before, k) / max(slope(k, after), 1e-12) for before, k, after in triples]
    return kept[1 + int(np.argmax(elbows))]
