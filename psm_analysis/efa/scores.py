"""Factor score weights and the determinacy of factor scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psm_analysis._options import EfaScoreMethod, check_option
from psm_analysis.errors import OptionError

FloatArray = NDArray[np.float64]


def score_weights(
    loadings: FloatArray,
    correlation: FloatArray,
    *,
    factor_correlations: FloatArray | None = None,
    method: EfaScoreMethod = "regression",
) -> FloatArray:
    r"""Weights that turn standardised items into factor scores.

    ``regression`` (Thurstone): :math:`R^{-1}\Lambda\Phi`. ``bartlett``:
    :math:`U^{-2}\Lambda(\Lambda'U^{-2}\Lambda)^{-1}`. ``tenberge`` keeps the factor correlations:
    :math:`R^{-1/2}C\Phi^{1/2}`, C the orthonormal part of :math:`R^{-1/2}\Lambda\Phi^{1/2}`. ``anderson_rubin`` gives
    uncorrelated scores: :math:`U^{-2}\Lambda(\Lambda'U^{-2}RU^{-2}\Lambda)^{-1/2}`.

    Parameters
    ----------
    loadings
        Pattern loadings, (items, factors).
    correlation
        Correlations of the items.
    factor_correlations
        None if orthogonal.
    method
        Which scores.

    Returns
    -------
    numpy.ndarray
        (items, factors).

    References
    ----------
    Grice (2001), Psychological Methods 6, 430-450; ten Berge, Krijnen, Wansbeek & Shapiro (1999), Linear Algebra and
    its Applications 289, 311-318.

    Examples
    --------
    >>> L = np.array([[0.8], [0.7], [0.6]])
    >>> R = L @ L.T + np.diag(1 - (L**2).ravel())
    >>> score_weights(L, R).round(3).ravel().tolist()
    [0.517, 0.319, 0.218]
    """
    check_option(method, EfaScoreMethod, name="method")
    phi = np.eye(loadings.shape[1]) if factor_correlations is None else factor_correlations
    if method == "regression":
        return _solve(correlation, loadings @ phi)
    if method == "tenberge":
        inverse_root = _power(correlation, -0.5)
        phi_root = _power(phi, 0.5)
        U, _, V = np.linalg.svd(inverse_root @ loadings @ phi_root, full_matrices=False)
        return np.asarray(inverse_root @ U @ V @ phi_root, dtype=float)
    unique = 1 - ((loadings @ phi) * loadings).sum(1)
    if unique.min() <= 1e-8:
        raise OptionError(
            f"Scores by {method!r} divide by uniquenesses, and one of them is not positive.",
            where="argument 'method'",
            remedy="Use method='regression' or 'tenberge'.",
        )
    weighted = loadings / unique[:, None]
    if method == "bartlett":
        return np.asarray(weighted @ np.linalg.inv(loadings.T @ weighted), dtype=float)
    return np.asarray(weighted @ _power(weighted.T @ correlation @ weighted, -0.5), dtype=float)


def determinacy(
    loadings: FloatArray, correlation: FloatArray, *, factor_correlations: FloatArray | None = None
) -> FloatArray:
    r"""Squared multiple correlation of each factor with the items, diagonal of :math:`\Phi\Lambda'R^{-1}\Lambda\Phi`.

    Its root is the correlation of regression scores with the factor; twice it minus 1 is the least correlation two sets
    of scores that fit equally well can have (Guttman, 1955; Grice, 2001).

    Examples
    --------
    >>> L = np.array([[0.8], [0.7], [0.6]])
    >>> R = L @ L.T + np.diag(1 - (L**2).ravel())
    >>> determinacy(L, R).round(3).tolist()
    [0.767]
    """
    phi = np.eye(loadings.shape[1]) if factor_correlations is None else factor_correlations
    structure = loadings @ phi
    return np.asarray((structure * _solve(correlation, structure)).sum(0), dtype=float)


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    values = np.linalg.eigvalsh(matrix)
    if values[0] < 1e-8 * values[-1]:
        return np.asarray(np.linalg.pinv(matrix, hermitian=True, rcond=1e-8) @ right, dtype=float)
    return np.asarray(np.linalg.solve(matrix, right), dtype=float)


def _power(matrix: FloatArray, exponent: float) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    positive = values > 1e-8 * values[-1]
    powered = np.where(positive, np.where(positive, values, 1.0) ** exponent, 0.0)
    return np.asarray((vectors * powered) @ vectors.T, dtype=float)
