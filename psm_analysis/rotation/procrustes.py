"""Procrustes rotation to a target, and congruence of factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.errors import DataError
from psm_analysis.rotation.loadings import read_loadings

FloatArray = NDArray[np.float64]
Matrix = pd.DataFrame | FloatArray


def congruence(left: Matrix, right: Matrix) -> pd.DataFrame:
    r"""Tucker's congruence of every factor of `left` with every factor of `right`.

    .. math:: c_{jl} = \frac{\sum_i x_{ij} y_{il}}{\sqrt{\sum_i x_{ij}^2 \sum_i y_{il}^2}}

    Values from .85 to .94 are held to be fair similarity, from .95 on equality (Lorenzo-Seva & ten Berge, 2006).

    Parameters
    ----------
    left, right
        Loadings of the same items, (items, factors).

    Returns
    -------
    DataFrame
        Congruences, factors of `left` in rows, of `right` in columns; 0 for a factor without loadings.

    Raises
    ------
    DataError
        If the items differ, or a loading is not a finite number.

    References
    ----------
    Tucker (1951); Lorenzo-Seva & ten Berge (2006), Methodology 2, 57-64. In R: ``psych::factor.congruence``.

    Examples
    --------
    >>> congruence(np.eye(2), np.eye(2)).to_numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    x, y = _same_items(left, right, names=("left", "right"))
    lengths = np.outer(np.sqrt((x**2).sum(0)), np.sqrt((y**2).sum(0)))
    values = np.divide(x.T @ y, lengths, out=np.zeros((x.shape[1], y.shape[1])), where=lengths > 0)
    return pd.DataFrame(values, index=_names(left), columns=_names(right))


def procrustes(loadings: Matrix, target: Matrix, *, oblique: bool = False) -> tuple[FloatArray, FloatArray]:
    r"""Rotate loadings to a complete target by least squares.

    Orthogonal: :math:`T = UV'` of the singular value decomposition of :math:`A'B` (Schönemann, 1966). Oblique:
    :math:`T=(A'A)^{-1}A'B`, its columns scaled to factors of unit variance (Hurley & Cattell, 1962).

    Parameters
    ----------
    loadings, target
        (items, factors), the same shape.
    oblique
        Let the factors correlate.

    Returns
    -------
    tuple
        Rotated loadings, and factor correlations (the identity if orthogonal).

    Raises
    ------
    DataError
        If the shapes or the items differ, an entry is not a finite number, or an oblique target has a column that is
        zero or a combination of others.

    Examples
    --------
    >>> A = np.array([[0.8, 0.0], [0.7, 0.1], [0.0, 0.6]])
    >>> turned, _ = procrustes(A @ np.array([[0.6, -0.8], [0.8, 0.6]]), A)
    >>> bool(np.allclose(turned, A))
    True
    """
    A, B = _same_items(loadings, target, names=("loadings", "target"))
    if A.shape != B.shape:
        raise DataError(
            f"Loadings have {A.shape[1]} factors, the target has {B.shape[1]}.",
            where="argument 'target'",
            remedy="Give a target with one column per factor.",
        )
    if not oblique:
        U, _, V = np.linalg.svd(A.T @ B)
        return A @ (U @ V), np.eye(A.shape[1])
    T = np.linalg.lstsq(A, B, rcond=None)[0]
    if np.linalg.matrix_rank(T) < T.shape[1]:
        raise DataError(
            "The target does not tell the factors apart: one of its columns is zero or a combination of others.",
            where="argument 'target'",
            remedy="Give every factor loadings of its own, or fewer factors.",
        )
    inverse = np.linalg.inv(T.T @ T)
    scale = np.sqrt(np.diag(inverse))
    return A @ (T * scale), inverse / np.outer(scale, scale)


def _same_items(left: Matrix, right: Matrix, *, names: tuple[str, str]) -> tuple[FloatArray, FloatArray]:
    if isinstance(left, pd.DataFrame) and isinstance(right, pd.DataFrame):
        lacking = left.index.symmetric_difference(right.index)
        if len(lacking):
            raise DataError(
                f"The two sets of loadings are not of the same items: {', '.join(map(str, lacking[:5]))}.",
                where=f"argument {names[1]!r}",
                remedy="Select the items both have.",
            )
        right = right.loc[left.index]
    x, y = read_loadings(left, argument=names[0]), read_loadings(right, argument=names[1])
    if len(x) != len(y):
        raise DataError(
            f"Loadings of shapes {x.shape} and {y.shape} cannot be compared.",
            where=f"arguments {names[0]!r} and {names[1]!r}",
            remedy="Both need the same items in rows.",
        )
    return x, y


def _names(loadings: Matrix) -> list[str]:
    if isinstance(loadings, pd.DataFrame):
        return [str(name) for name in loadings.columns]
    return [f"F{j + 1}" for j in range(np.asarray(loadings).shape[1])]
