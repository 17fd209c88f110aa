"""Exploratory factor analysis."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._arguments import check_whole
from psm_analysis._options import Correlation, EfaEngine, Extraction, check_choice, check_option
from psm_analysis.efa.engine import Factors, fit_factor_analyzer, fit_native
from psm_analysis.efa.fit_measures import degrees_of_freedom, fit_measures
from psm_analysis.efa.result import EfaResult
from psm_analysis.efa.source import CorrelationSource, read_correlation
from psm_analysis.errors import ModelError, OptionError, PsmAnalysisWarning
from psm_analysis.rotation import ROTATIONS

FloatArray = NDArray[np.float64]
HEYWOOD = 0.9949


def efa(
    data: pd.DataFrame | FloatArray,
    n_factors: int,
    *,
    extraction: Extraction = "minres",
    rotation: str = "oblimin",
    correlation: Correlation = "pearson",
    engine: EfaEngine = "native",
    nobs: int | None = None,
    n_starts: int = 1,
    seed: int | None = None,
    rotation_options: Mapping[str, Any] | None = None,
) -> EfaResult:
    r"""Explore the factors of a set of items: :math:`R \approx \Lambda\Phi\Lambda'+\Psi`.

    Parameters
    ----------
    data
        Answers (rows by items, NaN missing; correlations are pairwise complete) or a correlation matrix.
    n_factors
        Number of factors.
    extraction
        minres, uls, ml, pa, gls or wls, see :func:`psm_analysis.efa.extraction.extract`.
    rotation
        Any of :data:`psm_analysis.rotation.ROTATIONS`, see :func:`psm_analysis.rotation.rotate`.
    correlation
        pearson, spearman or polychoric.
    engine
        "native", or "factor_analyzer" for a second, independent implementation.
    nobs
        Cases behind a given correlation matrix; without it there is no chi-square.
    n_starts
        Starts of the rotation. With 1 the rotation starts at the identity, as ``psych::fa`` does; more random starts
        look for a better minimum, and ``rotation_minima`` says how many there are.
    seed
        Of the random starts.
    rotation_options
        Parameters of the rotation, e.g. ``{"delta": 0.01}``, ``{"target": ...}``, ``{"normalize": True}``. Varimax and
        promax stop where R's do, up to 0.01 from the maximum in a loading; ``{"tolerance": 1e-6}`` goes on to it.

    Returns
    -------
    EfaResult
        Loadings, communalities, factor correlations, variance, fit, scores; ``warnings`` names what is doubtful.

    Raises
    ------
    ModelError
        If the model with so many factors is not identified.
    DataError, OptionError
        If the data or an option cannot be used.

    References
    ----------
    Harman & Jones (1966); Jöreskog (1967); Bernaards & Jennrich (2005). In R: ``psych::fa``.

    Examples
    --------
    >>> L = np.array([[0.8, 0], [0.7, 0], [0.6, 0], [0, 0.8], [0, 0.7], [0, 0.6]])
    >>> phi = np.array([[1, 0.3], [0.3, 1]])
    >>> R = L @ phi @ L.T
    >>> np.fill_diagonal(R, 1.0)
    >>> efa(R, 2, nobs=300).loadings.abs().round(2).to_numpy().tolist()
    [[0.8, 0.0], [0.7, 0.0], [0.6, 0.0], [0.0, 0.8], [0.0, 0.7], [0.0, 0.6]]
    """
    check_option(extraction, Extraction, name="extraction")
    check_option(engine, EfaEngine, name="engine")
    check_choice(rotation, ROTATIONS, name="rotation")
    if not isinstance(rotation_options, Mapping | None):
        raise OptionError(
            f"rotation_options={rotation_options!r} is no mapping.",
            where="argument 'rotation_options'",
            remedy="Give names and values, such as {'delta': 0.01}.",
        )
    source = read_correlation(data, nobs=nobs, correlation=correlation)
    check_identified(len(source.names), n_factors)
    run = fit_native if engine == "native" else fit_factor_analyzer
    options = dict(rotation_options or {})
    if engine == "native":
        options |= {"n_starts": n_starts, "seed": seed}
    factors = run(source.matrix, n_factors, extraction=extraction, rotation=rotation, options=options)
    result = _result(source, factors, names=(extraction, rotation, correlation, engine))
    result = replace(result, rotation_options=tuple(sorted(dict(rotation_options or {}).items())))
    for text in result.warnings:
        warnings.warn(text, PsmAnalysisWarning, stacklevel=2)
    return result


def check_identified(n_items: int, n_factors: int) -> None:
    """Raise unless so many factors of so many items can be estimated.

    Examples
    --------
    >>> check_identified(6, 3)
    """
    check_whole(n_factors, name="n_factors", least=1, remedy="Give the number of factors.")
    if n_factors >= n_items or degrees_of_freedom(n_items, n_factors) < 0:
        most = max((k for k in range(1, n_items) if degrees_of_freedom(n_items, k) >= 0), default=0)
        raise ModelError(
            f"A model of {n_factors} factors of {n_items} items is not identified.",
            where="argument 'n_factors'",
            remedy=f"{n_items} items identify at most {most} factor{'' if most == 1 else 's'}.",
        )


def _result(source: CorrelationSource, factors: Factors, *, names: tuple[str, str, str, str]) -> EfaResult:
    items = pd.Index(source.names, name="item")
    columns = [f"F{j + 1}" for j in range(factors.loadings.shape[1])]
    phi = np.eye(len(columns)) if factors.phi is None else factors.phi
    common = factors.loadings @ phi @ factors.loadings.T
    communalities = np.diag(common)
    squares = factors.loadings**2
    fit = fit_measures(source.matrix, common, n_factors=len(columns), nobs=source.nobs)
    extraction, rotation, correlation, engine = names

    def by_item(values: FloatArray, name: str) -> pd.Series:
        return pd.Series(values, index=items, name=name)

    return EfaResult(
        loadings=pd.DataFrame(factors.loadings, index=items, columns=columns),
        communalities=by_item(communalities, "communality"),
        uniquenesses=by_item(1 - communalities, "uniqueness"),
        complexity=by_item(squares.sum(1) ** 2 / np.maximum((squares**2).sum(1), 1e-300), "complexity"),
        factor_correlations=None if factors.phi is None else pd.DataFrame(factors.phi, index=columns, columns=columns),
        variance_explained=_variance(factors.loadings, phi, columns=columns),
        fit_measures=fit,
        eigenvalues=np.linalg.eigvalsh(source.matrix)[::-1],
        correlation=pd.DataFrame(source.matrix, index=items, columns=list(items)),
        residuals=pd.DataFrame(source.matrix - common, index=items, columns=list(items)),
        unrotated=pd.DataFrame(factors.unrotated, index=items, columns=columns),
        nobs=source.nobs,
        extraction=extraction,
        rotation=rotation,
        correlation_method=correlation,
        engine=engine,
        converged=factors.converged,
        rotation_minima=factors.rotation_minima,
        warnings=(*source.warnings, *factors.warnings, *_doubts(source, communalities, fit=fit)),
        sample=source.sample,
    )


def _variance(loadings: FloatArray, phi: FloatArray, *, columns: list[str]) -> pd.DataFrame:
    total = ((loadings @ phi) * loadings).sum(0)
    share = total / len(loadings)
    parts = {
        "ss_loadings": total,
        "proportion": share,
        "cumulative": np.cumsum(share),
        "proportion_of_common": total / total.sum(),
    }
    return pd.DataFrame(parts, index=columns)


def _doubts(source: CorrelationSource, communalities: FloatArray, *, fit: Mapping[str, float]) -> list[str]:
    doubts = []
    heywood = [name for name, value in zip(source.names, communalities, strict=True) if value >= HEYWOOD]
    if heywood:
        doubts.append(
            f"Heywood case: the communality of {', '.join(heywood)} reaches 1; "
            "there are too many factors, or too few items or cases."
        )
    if fit["df"] == 0:
        doubts.append("The model has no degrees of freedom: it reproduces any correlations, and its fit says nothing.")
    if source.nobs is not None and "chisq" not in fit:
        doubts.append("The chi-square and what follows from it cannot be computed from this correlation matrix.")
    return doubts
