"""Promax: an oblique least-squares fit of powered varimax loadings (Hendrickson & White, 1964)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def promax_from(varimax_loadings: FloatArray, *, power: float = 4.0) -> tuple[FloatArray, FloatArray]:
    r"""Turn varimax loadings into promax loadings.

    The target is :math:`q = \lambda|\lambda|^{m-1}`; :math:`U=(\Lambda'\Lambda)^{-1}\Lambda'Q` is rescaled so that the
    factors have unit variance: :math:`U \leftarrow U\,\mathrm{diag}(U^{-1}U'^{-1})^{1/2}`.

    Parameters
    ----------
    varimax_loadings
        Loadings after varimax, (items, factors).
    power
        The power m; 4 as in ``psych::fa``.

    Returns
    -------
    tuple
        Pattern loadings ``varimax_loadings @ U`` and U; the factor correlations are ``inv(U) inv(U)'``.

    References
    ----------
    Hendrickson & White (1964), British Journal of Statistical Psychology 17, 65-70.

    Examples
    --------
    >>> pattern, _ = promax_from(np.eye(3)[:, :2])
    >>> pattern.tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    goal = varimax_loadings * np.abs(varimax_loadings) ** (power - 1)
    raw = np.linalg.lstsq(varimax_loadings, goal, rcond=None)[0]
    scale: FloatArray = np.sqrt(np.diag(np.linalg.inv(raw.T @ raw)))
    U: FloatArray = np.asarray(raw * scale, dtype=float)
    return varimax_loadings @ U, U
