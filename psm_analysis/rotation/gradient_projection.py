"""Gradient projection over rotation matrices, orthogonal and oblique, for a batch of starts at once.

The algorithm of Jennrich (2001, Psychometrika 66, 289-306; 2002, Psychometrika 67, 7-19): step along the projected
negative gradient, project back to the manifold, halve the step until the criterion falls enough, double it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Criterion = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
HALVINGS = 10


@dataclass(frozen=True, slots=True)
class GradientProjection:
    """Where each start of the batch ended: arrays with a leading axis over starts."""

    transformation: FloatArray
    criterion: FloatArray
    converged: BoolArray
    iterations: int


@dataclass(frozen=True, slots=True)
class Manifold:
    """Loadings of a transformation, gradient with respect to it, tangent projection and retraction."""

    loadings: Callable[[FloatArray, FloatArray], FloatArray]
    gradient: Callable[..., FloatArray]
    tangent: Callable[[FloatArray, FloatArray], FloatArray]
    retract: Callable[[FloatArray], FloatArray]


def minimise_criterion(
    loadings: FloatArray,
    criterion: Criterion,
    *,
    oblique: bool,
    starts: FloatArray,
    tolerance: float = 1e-5,
    max_iterations: int = 1000,
) -> GradientProjection:
    """Minimise a rotation criterion from every start at once.

    Parameters
    ----------
    loadings
        Unrotated loadings, (items, factors).
    criterion
        Value and gradient of rotated loadings, see :mod:`psm_analysis.rotation.criteria`.
    oblique
        Columns of unit length instead of an orthogonal matrix; rotated loadings are then ``A inv(T)'``, else ``A T``.
    starts
        Transformations to start from, (starts, factors, factors).
    tolerance
        A start has converged when the Frobenius norm of its projected gradient is below this.
    max_iterations
        Steps allowed.

    References
    ----------
    Bernaards & Jennrich (2005), Educational and Psychological Measurement 65, 676-696.
    """
    manifold = OBLIQUE if oblique else ORTHOGONAL
    T = np.array(starts, dtype=float)
    step = np.ones(len(T))
    rotated = manifold.loadings(loadings, T)
    value, slope = criterion(rotated)
    tangent = manifold.tangent(T, manifold.gradient(loadings, T, rotated=rotated, slope=slope))
    norm = np.sqrt((tangent**2).sum((-2, -1)))
    iterations = 0
    active = np.flatnonzero(norm >= tolerance)
    while active.size and iterations < max_iterations:
        iterations += 1
        moved = _line_search(
            loadings, criterion, manifold=manifold, T=T[active], tangent=tangent[active], value=value[active],
            norm=norm[active], step=2 * step[active],
        )  # fmt: skip
        T[active], value[active], step[active], rotated, slope = moved
        tangent[active] = manifold.tangent(
            T[active], manifold.gradient(loadings, T[active], rotated=rotated, slope=slope)
        )
        norm[active] = np.sqrt((tangent[active] ** 2).sum((-2, -1)))
        active = active[norm[active] >= tolerance]
    return GradientProjection(T, value, norm < tolerance, iterations)


def _line_search(
    loadings: FloatArray,
    criterion: Criterion,
    *,
    manifold: Manifold,
    T: FloatArray,
    tangent: FloatArray,
    value: FloatArray,
    norm: FloatArray,
    step: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    trial = manifold.retract(T - step[:, None, None] * tangent)
    rotated = manifold.loadings(loadings, trial)
    new, slope = criterion(rotated)
    for _ in range(HALVINGS):
        bad = np.flatnonzero(~(new < value - 0.5 * norm**2 * step))
        if not bad.size:
            break
        step[bad] /= 2
        trial[bad] = manifold.retract(T[bad] - step[bad, None, None] * tangent[bad])
        rotated[bad] = manifold.loadings(loadings, trial[bad])
        new[bad], slope[bad] = criterion(rotated[bad])
    return trial, new, step, rotated, slope


def _transpose(matrix: FloatArray) -> FloatArray:
    return np.swapaxes(matrix, -1, -2)


def _orthogonal_loadings(loadings: FloatArray, T: FloatArray) -> FloatArray:
    rotated: FloatArray = np.matmul(loadings, T)
    return rotated


def _orthogonal_gradient(loadings: FloatArray, T: FloatArray, *, rotated: FloatArray, slope: FloatArray) -> FloatArray:
    gradient: FloatArray = np.matmul(loadings.T, slope)
    return gradient


def _orthogonal_tangent(T: FloatArray, gradient: FloatArray) -> FloatArray:
    inner = _transpose(T) @ gradient
    return gradient - T @ ((inner + _transpose(inner)) / 2)


def _orthogonal_retract(matrix: FloatArray) -> FloatArray:
    U, _, V = np.linalg.svd(matrix)
    nearest: FloatArray = np.matmul(U, V)
    return nearest


def _oblique_loadings(loadings: FloatArray, T: FloatArray) -> FloatArray:
    rotated: FloatArray = np.matmul(loadings, np.swapaxes(np.linalg.inv(T), -1, -2))
    return rotated


def _oblique_gradient(loadings: FloatArray, T: FloatArray, *, rotated: FloatArray, slope: FloatArray) -> FloatArray:
    inner: FloatArray = np.matmul(np.matmul(_transpose(rotated), slope), np.linalg.inv(T))
    return -_transpose(inner)


def _oblique_tangent(T: FloatArray, gradient: FloatArray) -> FloatArray:
    tangent: FloatArray = gradient - T * (T * gradient).sum(-2, keepdims=True)
    return tangent


def _oblique_retract(matrix: FloatArray) -> FloatArray:
    scaled: FloatArray = matrix / np.sqrt((matrix**2).sum(-2, keepdims=True))
    return scaled


ORTHOGONAL = Manifold(_orthogonal_loadings, _orthogonal_gradient, _orthogonal_tangent, _orthogonal_retract)
OBLIQUE = Manifold(_oblique_loadings, _oblique_gradient, _oblique_tangent, _oblique_retract)
