"""Extraction and rotation by this package or by factor_analyzer, with the same result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import Extraction
from psm_analysis.efa.extraction import extract
from psm_analysis.errors import OptionError, require
from psm_analysis.rotation import rotate

FloatArray = NDArray[np.float64]
FACTOR_ANALYZER_METHODS = {"minres": "minres", "uls": "minres", "ml": "ml"}
FACTOR_ANALYZER_ROTATIONS = {
    "varimax": "varimax",
    "quartimax": "quartimax",
    "equamax": "equamax",
    "oblimin": "oblimin",
    "quartimin": "quartimin",
    "promax": "promax",
    "geominT": "geomin_ort",
    "geominQ": "geomin_obl",
}


@dataclass(frozen=True, slots=True)
class Factors:
    """Rotated factors in order of the variance they account for, signed stably."""

    loadings: FloatArray
    phi: FloatArray | None
    unrotated: FloatArray
    converged: bool
    rotation_minima: int
    warnings: tuple[str, ...]


def fit_native(
    matrix: FloatArray, n_factors: int, *, extraction: Extraction, rotation: str, options: Mapping[str, Any]
) -> Factors:
    """Extract and rotate with this package; varimax stops where R's does unless a tolerance is given."""
    extracted = extract(matrix, n_factors, method=extraction)
    rotated = rotate(extracted.loadings, method=rotation, **{"tolerance": None, **options})
    notes = []
    if not extracted.converged:
        notes.append(f"Extraction {extraction!r} did not converge in {extracted.iterations} iterations.")
    if not rotated.converged:
        notes.append(f"Rotation {rotation!r} did not converge in {rotated.iterations} iterations.")
    loadings, phi = order_factors(rotated.loadings, rotated.factor_correlations)
    return Factors(
        loadings,
        phi,
        extracted.loadings,
        extracted.converged and rotated.converged,
        rotated.n_local_minima,
        tuple(notes),
    )


def fit_factor_analyzer(
    matrix: FloatArray, n_factors: int, *, extraction: Extraction, rotation: str, options: Mapping[str, Any]
) -> Factors:
    """Extract and rotate with the package factor_analyzer; communalities and variance are then computed here.

    Raises
    ------
    OptionError
        If it does not know the extraction or rotation, or cannot run beside the installed scikit-learn.
    """
    package = require("factor_analyzer", extra="engines", purpose="engine='factor_analyzer'")
    if extraction not in FACTOR_ANALYZER_METHODS:
        raise _unknown("extraction", extraction, FACTOR_ANALYZER_METHODS)
    if rotation != "none" and rotation not in FACTOR_ANALYZER_ROTATIONS:
        raise _unknown("rotation", rotation, {"none": "", **FACTOR_ANALYZER_ROTATIONS})
    analyzer = package.FactorAnalyzer(
        n_factors=n_factors,
        rotation=None,
        method=FACTOR_ANALYZER_METHODS[extraction],
        is_corr_matrix=True,
    )
    try:
        with _renamed_argument(require("factor_analyzer.factor_analyzer", extra="engines")):
            analyzer.fit(pd.DataFrame(matrix))
    except TypeError as error:
        raise OptionError(
            f"The installed factor_analyzer cannot run beside the installed scikit-learn: {error}.",
            where="argument 'engine'",
            remedy="Use engine='native', or install 'scikit-learn<1.8'.",
        ) from error
    unrotated = np.asarray(analyzer.loadings_, dtype=float)
    if rotation == "none" or n_factors == 1:
        loadings, phi = order_factors(unrotated, None)
    else:
        rotator = package.Rotator(method=FACTOR_ANALYZER_ROTATIONS[rotation], **options)
        turned = np.asarray(rotator.fit_transform(unrotated), dtype=float)
        loadings, phi = order_factors(turned, None if rotator.phi_ is None else np.asarray(rotator.phi_, dtype=float))
    return Factors(loadings, phi, unrotated, True, 1, ())


@contextmanager
def _renamed_argument(module: Any) -> Iterator[None]:
    """Let factor_analyzer call scikit-learn 1.8 and later, where ``force_all_finite`` is ``ensure_all_finite``."""
    original = module.check_array
    if "force_all_finite" in signature(original).parameters:
        yield
        return

    def check_array(*arguments: Any, force_all_finite: bool | str = True, **others: Any) -> Any:
        return original(*arguments, ensure_all_finite=force_all_finite, **others)

    module.check_array = check_array
    try:
        yield
    finally:
        module.check_array = original


def order_factors(loadings: FloatArray, phi: FloatArray | None) -> tuple[FloatArray, FloatArray | None]:
    """Order factors by the variance they account for and sign them so that their loadings sum to a positive number.

    Factors of equal variance come in the order of the items that load highest on them.

    Examples
    --------
    >>> order_factors(np.array([[0.1, -0.9], [0.5, -0.8]]), None)[0].tolist()
    [[0.9, 0.1], [0.8, 0.5]]
    """
    weighted = loadings if phi is None else loadings @ phi
    variance = (weighted * loadings).sum(0)
    strongest = np.abs(loadings).argmax(0)
    order = np.lexsort((strongest, -np.round(variance, 5)))
    moved = loadings[:, order]
    sign = np.where(moved.sum(0) < 0, -1.0, 1.0)
    turned = None if phi is None else np.asarray(phi[np.ix_(order, order)] * np.outer(sign, sign), dtype=float)
    return np.asarray(moved * sign, dtype=float), turned


def _unknown(name: str, value: str, known: Mapping[str, str]) -> OptionError:
    return OptionError(
        f"factor_analyzer has no {name} {value!r}.",
        where=f"argument {name!r}",
        remedy=f"With engine='factor_analyzer' it can be: {', '.join(known)}.",
    )
