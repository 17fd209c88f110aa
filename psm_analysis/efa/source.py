"""The correlation matrix that factors are extracted from: computed from answers, or given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._arguments import check_whole
from psm_analysis._options import Correlation, check_option
from psm_analysis.errors import DataError, OptionError
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import Sample, is_moment_matrix, read_sample

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

    A square symmetric table is taken as a correlation matrix, or as a covariance matrix to be standardised. Of
    answers, the number of cases is that of the rows with at least one answer (pairwise) or without a missing one
    (listwise).

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
        If the data are neither answers nor a correlation matrix, or the matrix has a flaw; the cell is named.

    Examples
    --------
    >>> read_correlation(np.array([[1.0, 0.3], [0.3, 1.0]]), nobs=100).nobs
    100
    """
    check_option(correlation, Correlation, name="correlation")
    matrix = given_matrix(data)
    if matrix is not None:
        names = data.columns if isinstance(data, pd.DataFrame) else [f"x{j + 1}" for j in range(len(matrix))]
        return _given(matrix, tuple(str(name) for name in names), nobs=nobs, correlation=correlation)
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


def given_matrix(data: pd.DataFrame | FloatArray) -> FloatArray | None:
    """Return a table that is meant as a matrix of correlations or covariances, or None if it holds answers.

    It is square, and symmetric with a positive diagonal, or its diagonal is 1, or its rows are named as its columns.

    Examples
    --------
    >>> given_matrix(np.eye(3)) is None, given_matrix(np.ones((4, 2))) is None
    (False, True)
    """
    if isinstance(data, pd.DataFrame) and not all(pd.api.types.is_numeric_dtype(kind) for kind in data.dtypes):
        return None
    matrix = np.asarray(data)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in "fiu" or not matrix.size:
        return None
    matrix = matrix.astype(float)
    named = isinstance(data, pd.DataFrame) and list(data.index) == list(data.columns)
    unit = np.allclose(np.diag(matrix), 1.0, atol=1e-6) and (len(matrix) > 2 or np.allclose(matrix, matrix.T))
    return matrix if named or unit or is_moment_matrix(matrix) else None


def _given(matrix: FloatArray, names: tuple[str, ...], *, nobs: int | None, correlation: str) -> CorrelationSource:
    if nobs is not None:
        check_whole(nobs, name="nobs", least=3, remedy="Give the number of cases.")
    if correlation != "pearson":
        raise OptionError(
            f"correlation={correlation!r} needs the answers, and a correlation matrix is given.",
            where="argument 'correlation'",
            remedy="Leave it out, or give the answers.",
        )
    if len(matrix) < 2:
        raise DataError("One item cannot be analysed.", where="argument 'data'", remedy="Give at least two items.")
    _check_matrix(matrix, names)
    scale = 1.0 / np.sqrt(np.diag(matrix))
    notes = () if np.allclose(scale, 1.0, atol=1e-6) else ("A covariance matrix is given; its correlations are used.",)
    matrix = np.asarray((matrix + matrix.T) / 2 * np.outer(scale, scale), dtype=float)
    np.fill_diagonal(matrix, 1.0)
    return CorrelationSource(names, matrix, nobs, None, (*notes, *_definiteness(matrix)))


def _check_matrix(matrix: FloatArray, names: tuple[str, ...]) -> None:
    diagonal = np.diag(matrix)
    with np.errstate(invalid="ignore"):
        limit = np.sqrt(np.outer(diagonal, diagonal))
        flaws = (
            (~np.isfinite(matrix), "The matrix has an entry that is missing or infinite."),
            (np.eye(len(matrix)) * diagonal[:, None] < 0, "The matrix has a negative variance on its diagonal."),
            (np.diag(diagonal == 0), "The matrix has a variance of 0 on its diagonal."),
            (np.abs(matrix - matrix.T) > 1e-6 * np.maximum(limit, 1.0), "The matrix is not symmetric."),
            (np.abs(matrix) > limit * (1 + 1e-6), "The matrix holds a correlation beyond 1."),
        )
    for where, what in flaws:
        places = np.argwhere(where)
        if places.size:
            row, column = (names[int(k)] for k in places[0])
            remedy = "Give a full, symmetric matrix of correlations, or rows of answers."
            raise DataError(what, where=f"row {row!r}, column {column!r}", remedy=remedy)


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
