"""The correlation matrix that factors are extracted from: computed from answers, or given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import Correlation, check_option
from psm_analysis.errors import DataError, OptionError
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import Sample, read_sample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CorrelationSource:
    """A correlation matrix, its names, the number of cases (None if not known), and the answers if there are any."""

    names: tuple[str, ...]
    matrix: FloatArray
    nobs: int | None
    sample: Sample | None
    warnings: tuple[str, ...]


def read_correlation(
    data: pd.DataFrame | FloatArray,
    *,
    nobs: int | None = None,
    correlation: Correlation = "pearson",
    missing: str = "pairwise",
) -> CorrelationSource:
    """Return the correlation matrix of answers, or check one that is given.

    A square symmetric table with a unit diagonal is taken as a correlation matrix. Of answers, the number of cases is
    that of the rows with at least one answer (pairwise) or without a missing one (listwise).

    Parameters
    ----------
    data
        Answers (rows by items, NaN missing) or a correlation matrix.
    nobs
        Cases behind a given matrix; not to be given with answers.
    correlation
        pearson, spearman or polychoric; of answers only.
    missing
        "pairwise" or "listwise".

    Raises
    ------
    DataError
        If the data are neither answers nor a correlation matrix.

    Examples
    --------
    >>> read_correlation(np.array([[1.0, 0.3], [0.3, 1.0]]), nobs=100).nobs
    100
    """
    check_option(correlation, Correlation, name="correlation")
    if is_correlation_matrix(data):
        return _given(data, nobs=nobs, correlation=correlation)
    if nobs is not None:
        raise OptionError(
            "The number of cases belongs to a correlation matrix; here it follows from the data.",
            where="argument 'nobs'",
            remedy="Leave it out.",
        )
    sample = read_sample(data, min_items=2)
    matrix, _ = correlation_matrix(
        sample, method=correlation, missing="listwise" if missing == "listwise" else "pairwise"
    )
    answered = sample.observed.all(1) if missing == "listwise" else sample.observed.any(1)
    count = int(answered.sum())
    notes = []
    if count <= sample.n_items:
        notes.append(f"There are no more cases ({count}) than items ({sample.n_items}): estimates are unstable.")
    return CorrelationSource(sample.names, matrix, count, sample, (*notes, *_definiteness(matrix)))


def is_correlation_matrix(data: pd.DataFrame | FloatArray) -> bool:
    """Tell whether a table is square and symmetric with a unit diagonal.

    Examples
    --------
    >>> is_correlation_matrix(np.eye(3)), is_correlation_matrix(np.ones((4, 2)))
    (True, False)
    """
    if isinstance(data, pd.DataFrame) and not all(pd.api.types.is_numeric_dtype(kind) for kind in data.dtypes):
        return False
    matrix = np.asarray(data)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in "fiu":
        return False
    unit = np.allclose(np.diag(matrix), 1.0, atol=1e-6)
    return bool(unit and np.allclose(matrix, matrix.T, atol=1e-6) and np.abs(matrix).max() <= 1 + 1e-6)


def _given(data: pd.DataFrame | FloatArray, *, nobs: int | None, correlation: str) -> CorrelationSource:
    if nobs is not None and nobs < 3:
        raise OptionError(f"nobs={nobs} is less than 3.", where="argument 'nobs'", remedy="Give the number of cases.")
    if correlation != "pearson":
        raise OptionError(
            f"correlation={correlation!r} needs the answers, and a correlation matrix is given.",
            where="argument 'correlation'",
            remedy="Leave it out, or give the answers.",
        )
    matrix = np.asarray(data, dtype=float)
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    if len(matrix) < 2:
        raise DataError("One item cannot be analysed.", where="argument 'data'", remedy="Give at least two items.")
    if isinstance(data, pd.DataFrame):
        names = tuple(str(name) for name in data.columns)
    else:
        names = tuple(f"x{j + 1}" for j in range(len(matrix)))
    return CorrelationSource(names, matrix, nobs, None, _definiteness(matrix))


def _definiteness(matrix: FloatArray) -> tuple[str, ...]:
    values = np.linalg.eigvalsh(matrix)
    if values[0] < -1e-8 * values[-1]:
        return (
            f"The correlation matrix is not positive definite (smallest eigenvalue {values[0]:.4f}); this comes from "
            "pairwise deletion or polychoric estimation.",
        )
    if values[0] < 1e-8 * values[-1]:
        return ("The correlation matrix is singular: an item is a combination of others, or cases are too few.",)
    return ()
