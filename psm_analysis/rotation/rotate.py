"""Rotate loadings to simple structure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._arguments import check_between, check_seed, check_whole
from psm_analysis._options import check_choice
from psm_analysis.rotation.gradient_projection import Criterion, GradientProjection, minimise_criterion
from psm_analysis.rotation.loadings import read_loadings
from psm_analysis.rotation.methods import METHODS, ROTATIONS, criterion_of
from psm_analysis.rotation.promax import promax_from
from psm_analysis.rotation.result import RotationResult
from psm_analysis.rotation.varimax import alternating_varimax

FloatArray = NDArray[np.float64]
NUDGE = 1e-3
SAME_MINIMUM = 1e-5


def rotate(
    loadings: pd.DataFrame | FloatArray,
    *,
    method: str = "oblimin",
    normalize: bool | None = None,
    n_starts: int = 1,
    seed: int | None = None,
    tolerance: float | None = 1e-5,
    max_iterations: int = 1000,
    **parameters: Any,
) -> RotationResult:
    """Rotate loadings by gradient projection from one or many starts and keep the best.

    Parameters
    ----------
    loadings
        Unrotated loadings, (items, factors).
    method
        ``none``, ``promax``, or one of: varimax, quartimax, equamax, parsimax, parsimony, cfT, cfQ (``kappa``),
        geominT, geominQ (``delta=0.01``), bentlerT, bentlerQ, infomaxT, infomaxQ, entropy, oblimax, oblimin
        (``gam=0``), quartimin, simplimax (``n_zeros`` = number of items), bifactor, biquartimin, targetT, targetQ
        (``target``), pstT, pstQ (``target``, ``weights``). Those ending in T and varimax, quartimax, equamax,
        parsimax, parsimony, entropy, bifactor are orthogonal.
    normalize
        Kaiser normalisation: rows are scaled to unit length before and back after. By default only for varimax and
        promax, as ``psych::fa`` does.
    n_starts
        The first start is the identity, turned by about 0.001 so that symmetric loadings do not hold it on a saddle;
        the others are random orthogonal matrices.
    seed
        Of the random starts.
    tolerance
        Of the projected gradient. None: 1e-5, but varimax from one start, and that which promax begins with, stops
        where R's ``varimax`` does, see Notes; this is what ``efa`` asks for.
    max_iterations
        Of the steps.
    **parameters
        Of the criterion: ``kappa``, ``delta``, ``gam``, ``n_zeros``, ``target``, ``weights``; ``power`` of promax (4).

    Raises
    ------
    OptionError
        If the method or a parameter is unknown.
    DataError
        If the loadings are not a finite matrix.

    Notes
    -----
    R's ``varimax``, which ``psych::fa`` calls, ends its iterations when their criterion grows by less than 1e-5 of
    itself. Single loadings can then be 0.01 from their value at the maximum.

    References
    ----------
    Jennrich (2001, 2002); Bernaards & Jennrich (2005), Educational and Psychological Measurement 65, 676-696.

    Examples
    --------
    >>> A = np.array([[0.7, 0.4], [0.6, 0.4], [0.5, -0.5], [0.6, -0.5]])
    >>> rotate(A, method="varimax").loadings.round(2).tolist()
    [[0.79, -0.14], [0.72, -0.07], [0.07, -0.7], [0.14, -0.77]]
    """
    check_choice(method, ROTATIONS, name="rotation")
    A = read_loadings(loadings)
    check_whole(n_starts, name="n_starts", least=1, remedy="Use 1, or 30 to look for other minima.")
    check_seed(seed)
    if method == "none" or A.shape[1] == 1:
        return _unrotated(A, method)
    inner = "varimax" if method == "promax" else method
    power = 4.0
    if method == "promax":
        given = parameters.pop("power", 4.0)
        power = check_between(given, name="power", low=1.0, high=np.inf, remedy="Use 4, as Hendrickson and White.")
    criterion = criterion_of(inner, shape=(A.shape[0], A.shape[1]), given=parameters)
    spec = METHODS[inner]
    scale = _row_lengths(A) if (spec.normalize if normalize is None else normalize) else np.ones((len(A), 1))
    as_in_r = inner == "varimax" and n_starts == 1 and tolerance is None
    found = _varimax_of_r(A / scale, criterion, max_iterations=max_iterations) if as_in_r else None
    if found is None:
        found = minimise_criterion(
            A / scale,
            criterion,
            oblique=spec.oblique,
            starts=_starts(A.shape[1], n_starts=n_starts, seed=seed),
            tolerance=1e-5 if tolerance is None else tolerance,
            max_iterations=max_iterations,
        )
    return _finish(A, found, method=method, oblique=spec.oblique, scale=scale, power=power)


def random_orthogonal(size: int, *, count: int, seed: int | None = None) -> FloatArray:
    """Return `count` orthogonal matrices of order `size` drawn uniformly (Stewart, 1980).

    Examples
    --------
    >>> Q = random_orthogonal(3, count=2, seed=1)
    >>> bool(np.allclose(Q @ Q.swapaxes(1, 2), np.eye(3)))
    True
    """
    Q, R = np.linalg.qr(np.random.default_rng(seed).standard_normal((count, size, size)))
    signs: FloatArray = np.sign(np.diagonal(R, axis1=1, axis2=2))
    return np.asarray(Q * signs[:, None, :], dtype=float)


def _starts(size: int, *, n_starts: int, seed: int | None) -> FloatArray:
    return np.concatenate([_near_identity(size), random_orthogonal(size, count=n_starts - 1, seed=seed)])


def _varimax_of_r(A: FloatArray, criterion: Criterion, *, max_iterations: int) -> GradientProjection | None:
    """Return where R's iterations end, or None if they do not leave the start, which may be a saddle."""
    T, iterations = alternating_varimax(A, max_iterations=max_iterations)
    if np.abs(T - np.eye(len(T))).max() < NUDGE:
        return None
    value = criterion((A @ T)[None])[0]
    return GradientProjection(T[None], value, np.array([iterations < max_iterations]), iterations)


def _near_identity(size: int) -> FloatArray:
    skew = np.tril(NUDGE * np.cos(np.arange(size * size)).reshape(size, size), -1)
    U, _, V = np.linalg.svd(np.eye(size) + skew - skew.T)
    return np.asarray(U @ V, dtype=float)[None]


def _row_lengths(A: FloatArray) -> FloatArray:
    length = np.sqrt((A**2).sum(1, keepdims=True))
    return np.where(length > 0, length, 1.0)


def _unrotated(A: FloatArray, method: str) -> RotationResult:
    return RotationResult(method, A, np.eye(A.shape[1]), None, 0.0, True, 1, np.zeros(1), 0)


def _finish(
    A: FloatArray, search: GradientProjection, *, method: str, oblique: bool, scale: FloatArray, power: float
) -> RotationResult:
    best = _best(search)
    T = search.transformation[best]
    phi = T.T @ T if oblique else None
    rotated = A @ np.linalg.inv(T).T if oblique else A @ T
    if method == "promax":
        pattern, U = promax_from(rotated / scale, power=power)
        rotated, T = pattern * scale, T @ np.linalg.inv(U).T
        phi = T.T @ T
    return RotationResult(
        method=method,
        loadings=rotated,
        rotation_matrix=T,
        factor_correlations=phi,
        criterion=float(search.criterion[best]),
        converged=bool(search.converged[best]),
        n_local_minima=count_minima(search.criterion[search.converged]),
        criterion_values=search.criterion,
        iterations=search.iterations,
    )


def _best(search: GradientProjection) -> int:
    """Start with the lowest criterion; of those as low, one that has converged."""
    lowest = float(search.criterion.min())
    near = search.criterion <= lowest + SAME_MINIMUM * max(1.0, abs(lowest))
    chosen = near & search.converged if (near & search.converged).any() else near
    return int(np.argmin(np.where(chosen, search.criterion, np.inf)))


def count_minima(values: FloatArray, *, tolerance: float = SAME_MINIMUM) -> int:
    """Count values that differ by more than `tolerance`, relative to the largest of them and 1.

    Examples
    --------
    >>> count_minima(np.array([1.0, 1.0 + 1e-9, 2.0]))
    2
    """
    if not values.size:
        return 0
    ordered = np.sort(values)
    return 1 + int((np.diff(ordered) > tolerance * max(1.0, float(np.abs(ordered).max()))).sum())
