"""The greatest lower bound of reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from psm_analysis.errors import DataError
from psm_analysis.moments.sample import FloatArray, read_sample
from psm_analysis.reliability.alpha import scale_matrices
from psm_analysis.reliability.coefficients import total_variance
from psm_analysis.reliability.keying import reverse_items


def greatest_lower_bound(
    data: pd.DataFrame, reverse: Sequence[str] = (), *, response_range: tuple[float, float] | None = None
) -> float:
    r"""Return the greatest lower bound of the reliability of the sum of the items.

    .. math:: glb = 1 - \frac{\max \sum_i \psi_i}{\mathbf 1' C \mathbf 1}
              \quad\text{with } \psi_i \ge 0,\; C - \mathrm{diag}(\psi) \succeq 0

    With uncorrelated errors the reliability cannot be less. It is at least as large as alpha and every Guttman
    coefficient of the population, and overestimates in samples below about 1,000 (Ten Berge & Socan 2004).

    Parameters
    ----------
    data
        The items of one scale in columns; covariances are pairwise complete.
    reverse, response_range
        Items to reverse, and the smallest and largest answer of the response scale.

    Returns
    -------
    float
        Between 0 and 1; exact to 1e-8.

    Raises
    ------
    DataError
        As `alpha`, and if the covariance matrix is singular or not positive definite.

    References
    ----------
    Jackson, P. H., & Agunwamba, C. C. (1977). Psychometrika, 42, 567-578. Bentler, P. M., & Woodward, J. A. (1980).
    Psychometrika, 45, 249-267. In R: ``psych::glb.algebraic``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.standard_normal((300, 1)) + rng.standard_normal((300, 4)))
    >>> from psm_analysis.reliability.lower_bounds import guttman
    >>> greatest_lower_bound(frame) >= guttman(frame).lambda4
    True
    """
    sample = reverse_items(read_sample(data, min_items=2), reverse, response_range=response_range)
    C, _ = scale_matrices(sample, correlation="pearson")
    total = total_variance(C)
    scale = np.sqrt(np.diagonal(C))
    if np.linalg.eigvalsh(C / np.outer(scale, scale))[0] < 1e-8:
        raise DataError(
            "The covariance matrix is singular or not positive definite.",
            where="argument 'data'",
            remedy="Leave out items that are combinations of others, or use complete rows.",
        )
    return float(1.0 - largest_error_trace(C).sum() / total)


def largest_error_trace(C: FloatArray, *, tolerance: float = 1e-9) -> FloatArray:
    """Return the error variances of largest sum that leave `C` minus them positive semidefinite.

    A barrier method with Newton steps: the sum is less than the largest by at most 2 p mu at barrier weight mu.

    Examples
    --------
    >>> largest_error_trace(np.array([[1.0, 0.5], [0.5, 1.0]])).round(6).tolist()
    [0.5, 0.5]
    """
    p = len(C)
    unit = float(np.trace(C)) / p
    psi = np.full(p, 0.5 * float(np.linalg.eigvalsh(C)[0]))
    mu = 0.1 * unit
    while mu * 2 * p > tolerance * unit:
        psi = _centre(C, psi, mu=mu)
        mu /= 5.0
    return psi


def _centre(C: FloatArray, psi: FloatArray, *, mu: float) -> FloatArray:
    value = _barrier(C, psi, mu=mu)
    for _ in range(50):
        inverse = np.linalg.inv(C - np.diag(psi))
        gradient = 1.0 - mu * np.diagonal(inverse) + mu / psi
        hessian = mu * inverse**2 + np.diag(mu / psi**2)
        step = np.linalg.solve(hessian, gradient)
        decrement = float(gradient @ step)
        if decrement < 1e-10 * mu:
            break
        size = 1.0
        while size > 1e-12:
            trial = psi + size * step
            reached = _barrier(C, trial, mu=mu)
            if reached >= value + 0.1 * size * decrement:
                psi, value = trial, reached
                break
            size /= 2.0
        else:
            break
    return psi


def _barrier(C: FloatArray, psi: FloatArray, *, mu: float) -> float:
    if psi.min() <= 0.0:
        return -np.inf
    try:
        root = np.linalg.cholesky(C - np.diag(psi))
    except np.linalg.LinAlgError:
        return -np.inf
    return float(psi.sum() + mu * (2.0 * np.log(np.diagonal(root)).sum() + np.log(psi).sum()))
