"""How many factors, from the eigenvalues of the correlation matrix and the number of cases alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def count_leading(passes: NDArray[np.bool_]) -> int:
    """Count the values before the first that fails.

    Examples
    --------
    >>> count_leading(np.array([True, True, False, True]))
    2
    """
    return int(np.argmin(np.append(passes, False)))


def kaiser_rule(eigenvalues: FloatArray) -> int:
    """Count eigenvalues above 1 (Kaiser, 1960); known to keep too many.

    Examples
    --------
    >>> kaiser_rule(np.array([2.5, 1.2, 0.3]))
    2
    """
    return count_leading(eigenvalues > 1)


def empirical_kaiser(eigenvalues: FloatArray, nobs: int) -> tuple[int, FloatArray]:
    r"""Empirical Kaiser criterion: each eigenvalue against what is left for it in a sample without factors.

    .. math:: \ell_j^{ref}=\max\Big[\frac{p-\sum_{i<j}\ell_i}{p-j+1}\big(1+\sqrt{p/n}\big)^2,\;1\Big]

    Parameters
    ----------
    eigenvalues
        Descending.
    nobs
        Cases.

    Returns
    -------
    tuple
        The number suggested, and the reference values.

    References
    ----------
    Braeken & van Assen (2017), Psychological Methods 22, 450-466, equation 2.

    Examples
    --------
    >>> empirical_kaiser(np.array([2.0, 1.0, 0.6, 0.4]), 400)[0]
    1
    """
    p = len(eigenvalues)
    before = np.concatenate([[0.0], np.cumsum(eigenvalues)[:-1]])
    reference = np.maximum((p - before) / np.arange(p, 0, -1) * (1 + np.sqrt(p / nobs)) ** 2, 1.0)
    return count_leading(eigenvalues > reference), reference


def minimum_average_partial(R: FloatArray, *, max_components: int, power: int = 2) -> FloatArray:
    r"""Velicer's average partial correlation after 0, 1, ... components are partialled out.

    .. math:: f_m=\frac{1}{p(p-1)}\sum_{i\ne j} |r^*_{ij(m)}|^{power}

    Power 2 is the criterion of 1976, power 4 its revision of 2000. The number of components is where it is smallest.

    Parameters
    ----------
    R
        Correlation matrix.
    max_components
        The largest number to try; fewer than items.
    power
        2 or 4.

    Returns
    -------
    numpy.ndarray
        (max_components + 1,), the first without any component.

    References
    ----------
    Velicer (1976), Psychometrika 41, 321-327; Velicer, Eaton & Fava (2000).

    Examples
    --------
    >>> R = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    >>> int(np.argmin(minimum_average_partial(R, max_components=2)))
    1
    """
    p = len(R)
    values, vectors = np.linalg.eigh(R)
    components = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :max_components]
    explained = np.cumsum(components.T[:, :, None] * components.T[:, None, :], axis=0)
    left = R - np.concatenate([np.zeros((1, p, p)), explained])
    spread = np.sqrt(np.maximum(np.diagonal(left, axis1=1, axis2=2), 1e-12))
    partial = left / (spread[:, :, None] * spread[:, None, :])
    off = ~np.eye(p, dtype=bool)
    return np.asarray((np.abs(partial[:, off]) ** power).mean(1), dtype=float)
