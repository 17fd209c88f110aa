"""Rotation criteria: value and gradient as plain functions of loadings with any leading batch axes.

Every function takes loadings of shape (..., items, factors) and returns the value of shape (...) and the gradient of
the shape of the loadings. Smaller is simpler. Formulas: Bernaards & Jennrich (2005), unless another source is named.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ValueGradient = tuple[FloatArray, FloatArray]


def crawford_ferguson(loadings: FloatArray, *, kappa: float = 0.0) -> ValueGradient:
    r"""Crawford-Ferguson family: complexity of rows against complexity of columns.

    .. math:: f = \tfrac14\Big[(1-\kappa)\sum_i\sum_{j\ne l} \lambda_{ij}^2\lambda_{il}^2
              + \kappa\sum_j\sum_{i\ne l} \lambda_{ij}^2\lambda_{lj}^2\Big]

    References
    ----------
    Crawford & Ferguson (1970), Psychometrika 35, 321-332, equation 7.

    Examples
    --------
    >>> value, gradient = crawford_ferguson(np.eye(2), kappa=0.0)
    >>> float(value), float(abs(gradient).max())
    (0.0, 0.0)
    """
    square = loadings**2
    rows = square.sum(-1, keepdims=True) - square
    columns = square.sum(-2, keepdims=True) - square
    weight = (1 - kappa) * rows + kappa * columns
    return (square * weight).sum((-2, -1)) / 4, loadings * weight


def quartimax(loadings: FloatArray) -> ValueGradient:
    r"""Quartimax: :math:`f = -\tfrac14\sum\lambda^4` (Neuhaus & Wrigley, 1954)."""
    square = loadings**2
    return -(square * square).sum((-2, -1)) / 4, -loadings * square


def varimax(loadings: FloatArray) -> ValueGradient:
    r"""Varimax: minus a quarter of the column-wise variation of squared loadings (Kaiser, 1958)."""
    square = loadings**2
    centred = square - square.mean(-2, keepdims=True)
    return -(centred * centred).sum((-2, -1)) / 4, -loadings * centred


def oblimin(loadings: FloatArray, *, gam: float = 0.0) -> ValueGradient:
    r"""Direct oblimin; ``gam=0`` is quartimin, ``gam=0.5`` biquartimin (Jennrich & Sampson, 1966).

    .. math:: f = \tfrac14\langle \Lambda^2, (I - \gamma J/p)\Lambda^2 N\rangle

    with N the matrix of ones with a zero diagonal.
    """
    square = loadings**2
    weight = square.sum(-1, keepdims=True) - square
    if gam:
        weight = weight - gam * weight.mean(-2, keepdims=True)
    return (square * weight).sum((-2, -1)) / 4, loadings * weight


def geomin(loadings: FloatArray, *, delta: float = 0.01) -> ValueGradient:
    r"""Geomin: :math:`f = \sum_i \big(\prod_j (\lambda_{ij}^2+\delta)\big)^{1/k}` (Yates, 1987; Browne, 2001)."""
    shifted = loadings**2 + delta
    product = np.exp(np.log(shifted).mean(-1, keepdims=True))
    gradient = (2 / loadings.shape[-1]) * loadings / shifted * product
    return product.sum((-2, -1)), gradient


def bentler(loadings: FloatArray) -> ValueGradient:
    r"""Bentler's invariant pattern simplicity, :math:`-\tfrac14[\log|M| - \log|\mathrm{diag} M|]` (Bentler, 1977).

    :math:`M = (\Lambda^2)'\Lambda^2`.
    """
    square = loadings**2
    M = np.swapaxes(square, -1, -2) @ square
    diagonal = np.diagonal(M, axis1=-2, axis2=-1)
    value = -(np.linalg.slogdet(M)[1] - np.log(diagonal).sum(-1)) / 4
    inner = np.linalg.inv(M) - np.eye(M.shape[-1]) / diagonal[..., None, :]
    return value, -loadings * (square @ inner)


def simplimax(loadings: FloatArray, *, n_zeros: int) -> ValueGradient:
    """Simplimax: the sum of the `n_zeros` smallest squared loadings (Kiers, 1994)."""
    square = loadings**2
    flat = square.reshape(*square.shape[:-2], -1)
    threshold = np.partition(flat, n_zeros - 1, axis=-1)[..., n_zeros - 1, None, None]
    small = square <= threshold
    return (square * small).sum((-2, -1)), 2 * loadings * small


def bifactor(loadings: FloatArray) -> ValueGradient:
    """Exploratory bifactor: quartimin of all columns but the first (Jennrich & Bentler, 2011, equation 8)."""
    value, inner = oblimin(loadings[..., 1:])
    gradient = np.zeros_like(loadings)
    gradient[..., 1:] = 4 * inner
    return 4 * value, gradient


def infomax(loadings: FloatArray) -> ValueGradient:
    r"""Infomax: minus the mutual information of rows and columns of the squared loadings (McKeon, 1968; Browne, 2001).

    With :math:`e = \lambda^2/\sum\lambda^2`: :math:`f = \log k - \sum e\log e + \sum e_{i.}\log e_{i.} +
    \sum e_{.j}\log e_{.j}`.
    """
    square = np.maximum(loadings**2, np.finfo(float).tiny)
    total = square.sum((-2, -1), keepdims=True)
    share = square / total
    row, column = share.sum(-1, keepdims=True), share.sum(-2, keepdims=True)
    slope = 1 + np.log(row) + np.log(column) - np.log(share)
    value = np.log(loadings.shape[-1]) + (share * (slope - 1)).sum((-2, -1))
    gradient = 2 * loadings * (slope - (slope * share).sum((-2, -1), keepdims=True)) / total
    return value, gradient


def entropy(loadings: FloatArray) -> ValueGradient:
    r"""Minimum entropy: :math:`f = -\tfrac12\sum\lambda^2\log\lambda^2` (Jennrich, 2004); for orthogonal rotation."""
    square = np.maximum(loadings**2, np.finfo(float).tiny)
    log = np.log(square)
    return -(square * log).sum((-2, -1)) / 2, -loadings * (log + 1)


def oblimax(loadings: FloatArray) -> ValueGradient:
    r"""Oblimax: :math:`f = -\log\sum\lambda^4 + 2\log\sum\lambda^2` (Saunders, 1961)."""
    square = loadings**2
    second = square.sum((-2, -1), keepdims=True)
    fourth = (square * square).sum((-2, -1), keepdims=True)
    value = -np.log(fourth) + 2 * np.log(second)
    return value[..., 0, 0], 4 * loadings * (1 / second - square / fourth)


def target(loadings: FloatArray, *, target: FloatArray) -> ValueGradient:
    """Least squares to a complete target: the sum of squared differences (Harman, 1976)."""
    difference = loadings - target
    return (difference * difference).sum((-2, -1)), 2 * difference


def partially_specified_target(loadings: FloatArray, *, target: FloatArray, weights: FloatArray) -> ValueGradient:
    """Weighted least squares to a target; a weight of 0 leaves a loading free (Browne, 1972)."""
    difference = np.where(weights > 0, loadings - target, 0.0)
    return (weights * difference**2).sum((-2, -1)), 2 * weights * difference
