"""Schmid-Leiman: a general factor and orthogonal group factors from a second-order solution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._arguments import check_instance
from psm_analysis._results import ESTIMATE, Result
from psm_analysis.efa.extraction import extract
from psm_analysis.efa.result import EfaResult
from psm_analysis.errors import DataError, ModelError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SchmidLeiman(Result):
    """Loadings on a general factor and on group factors freed of it.

    Attributes
    ----------
    loadings
        Items by ``g`` and the group factors.
    communalities, uniquenesses
        By item, of the oblique solution. The squares of `loadings` add up to them as far as one general factor accounts
        for the factor correlations: always with two or three factors, but for a Heywood case.
    general_share
        By item, the share of its communality that is the general factor's.
    second_order
        Loadings of the first-order factors on the general factor.
    explained_common_variance
        Share of all common variance that is the general factor's (ECV).
    """

    loadings: pd.DataFrame
    communalities: pd.Series
    uniquenesses: pd.Series
    general_share: pd.Series
    second_order: pd.Series
    explained_common_variance: float
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per loading: item, factor, estimate, and communality and general share of the item."""
        p, k = self.loadings.shape
        item = np.repeat(np.arange(p), k)
        return pd.DataFrame(
            {
                "item": self.loadings.index.to_numpy()[item],
                "factor": np.tile(self.loadings.columns.to_numpy(), p),
                ESTIMATE: self.loadings.to_numpy().ravel(),
                "communality": self.communalities.to_numpy()[item],
                "general_share": self.general_share.to_numpy()[item],
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: number of group factors, explained common variance."""
        groups = self.loadings.shape[1] - 1
        return pd.DataFrame([{"group_factors": groups, "explained_common_variance": self.explained_common_variance}])


def schmid_leiman(result: EfaResult) -> SchmidLeiman:
    r"""Transform an oblique solution into a general factor and orthogonal group factors.

    One factor :math:`\gamma` of the factor correlations (minres; with two factors both loadings are
    :math:`\sqrt{|\phi_{12}|}`) gives general loadings :math:`\Lambda\gamma` and group loadings
    :math:`\Lambda\,\mathrm{diag}(1-\gamma^2)^{1/2}`.

    Parameters
    ----------
    result
        An oblique :func:`psm_analysis.efa.fit.efa` with two factors or more.

    Raises
    ------
    ModelError
        If there is one factor, or the factors are orthogonal.

    References
    ----------
    Schmid & Leiman (1957), Psychometrika 22, 53-61. In R: ``psych::schmid``.

    Examples
    --------
    >>> from psm_analysis.efa.fit import efa
    >>> L = np.kron(np.eye(3), [[0.8], [0.7], [0.6]])
    >>> R = L @ (np.full((3, 3), 0.49) + 0.51 * np.eye(3)) @ L.T
    >>> np.fill_diagonal(R, 1.0)
    >>> schmid_leiman(efa(R, 3)).loadings["g"].round(2).head(3).tolist()
    [0.56, 0.49, 0.42]
    """
    check_instance(result, EfaResult, name="result", remedy="Give a result of efa().")
    if result.factor_correlations is None or result.n_factors < 2:
        raise ModelError(
            "A Schmid-Leiman solution needs correlated factors, two or more.",
            where=f"rotation {result.rotation!r} with {result.n_factors} factor(s)",
            remedy="Use an oblique rotation such as 'oblimin'.",
        )
    return schmid_leiman_of(result.loadings, result.factor_correlations)


def schmid_leiman_of(loadings: pd.DataFrame, factor_correlations: pd.DataFrame) -> SchmidLeiman:
    """Return the Schmid-Leiman solution of given pattern loadings and factor correlations.

    Raises
    ------
    DataError
        If the shapes do not agree.
    """
    phi = factor_correlations.to_numpy(dtype=float)
    pattern = loadings.to_numpy(dtype=float)
    if phi.shape != (pattern.shape[1], pattern.shape[1]):
        raise DataError(
            f"{pattern.shape[1]} factors have loadings, {len(phi)} have correlations.",
            where="argument 'factor_correlations'",
            remedy="Give one row and one column per factor.",
        )
    gamma, notes = _second_order(phi)
    general = pattern @ gamma
    groups = pattern * np.sqrt(np.maximum(1 - gamma**2, 0.0))
    sign = -1.0 if general.sum() < 0 else 1.0
    full = np.column_stack([sign * general, groups])
    communality = ((pattern @ phi) * pattern).sum(1)
    share = general**2 / np.maximum(communality, 1e-300)
    index = loadings.index
    return SchmidLeiman(
        loadings=pd.DataFrame(full, index=index, columns=["g", *map(str, loadings.columns)]),
        communalities=pd.Series(communality, index=index, name="communality"),
        uniquenesses=pd.Series(1 - communality, index=index, name="uniqueness"),
        general_share=pd.Series(share, index=index, name="general_share"),
        second_order=pd.Series(sign * gamma, index=loadings.columns, name="g"),
        explained_common_variance=float((general**2).sum() / (full**2).sum()),
        warnings=notes,
    )


def _second_order(phi: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
    if len(phi) == 2:
        root = float(np.sqrt(abs(phi[0, 1])))
        note = "With two group factors the general factor is not identified; its two loadings are set equal."
        return np.array([root, np.copysign(root, phi[0, 1])]), (note,)
    gamma = extract(phi, 1, method="minres").loadings[:, 0]
    if np.abs(gamma).max() >= np.sqrt(0.9949):
        return gamma, ("Heywood case: a group factor is no different from the general factor.",)
    return gamma, ()
