"""The rotation of exploratory blocks: from an unrotated solution to the rotated one, with the conditions that it meets.

With the rotation ``T`` (``T'T`` the factor correlations) and ``H = T'`` the factors become ``H eta``: ``Lambda H^-1``,
``H Beta H^-1``, ``H Psi H'``, ``H alpha``; nothing observed changes. At a minimum of the criterion ``L'Q Phi^-1`` has
no elements off its diagonal (orthogonal: ``L'Q`` is symmetric), ``Q`` being the slope of the criterion at the loadings
``L``, standardized. Standard errors use these conditions as constraints, as bordered information does (Jennrich, 1974).

References
----------
Jennrich, R. I. (1974). Simplified formulae for standard errors in maximum-likelihood factor analysis. British Journal
of Mathematical and Statistical Psychology, 27, 122-131.

Asparouhov, T., & Muthén, B. (2009). Exploratory structural equation modeling. Structural Equation Modeling, 16,
397-438.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from psm_analysis._options import check_choice
from psm_analysis.errors import OptionError
from psm_analysis.moments.central_differences import central_differences
from psm_analysis.rotation import rotate
from psm_analysis.rotation.methods import METHODS, Criterion, criterion_of
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import Estimation, parameter_bounds
from psm_analysis.sem.exploratory import Block
from psm_analysis.sem.implied import imply
from psm_analysis.sem.matrices import ALPHA, BETA, LAMBDA, PSI
from psm_analysis.sem.optimize import active_constraints
from psm_analysis.sem.partable import Parameter
from psm_analysis.sem.problem import constraint_system, positions

STARTS = 30
SHORT = ("geomin", "target", "pst", "cf", "bentler", "infomax")
GEOMIN_DELTA = 0.001


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation of exploratory blocks: the method by its full name, and its parameters."""

    method: str
    parameters: tuple[tuple[str, Any], ...]

    @property
    def oblique(self) -> bool:
        """Whether the factors may correlate."""
        return METHODS[self.method].oblique

    def criterion(self, shape: tuple[int, int]) -> Criterion:
        """Return the criterion for a matrix of loadings."""
        return criterion_of(self.method, shape=shape, given=dict(self.parameters))


def find_rotation(name: str | None, parameters: Mapping[str, Any] | None, *, orthogonal: bool) -> Rotation | None:
    """Return the rotation that a name stands for (``geomin`` if none is given), or None for ``"none"``.

    Raises
    ------
    OptionError
        For a name that is unknown or has no conditions of its minimum (promax).
    """
    name = name or "geomin"
    if name == "none":
        return None
    full = name + ("T" if orthogonal else "Q") if name in SHORT else name
    given = dict(parameters or {})
    if full.startswith("target") and np.isnan(np.asarray(given.get("target", 0.0), dtype=float)).any():
        full = full.replace("target", "pst")
        given["weights"] = (~np.isnan(np.asarray(given["target"], dtype=float))).astype(float)
        given["target"] = np.nan_to_num(np.asarray(given["target"], dtype=float))
    check_choice(full, tuple(METHODS), name="rotation")
    if orthogonal and METHODS[full].oblique:
        raise OptionError(
            f"rotation={name!r} is oblique, but orthogonal=True.",
            where="argument 'rotation'",
            remedy="Use 'varimax' or 'geomin', or leave orthogonal= out.",
        )
    if full.startswith("geomin"):
        given.setdefault("delta", GEOMIN_DELTA)
    return Rotation(full, tuple(given.items()))


def rotated_estimation(e: Estimation, blocks: tuple[Block, ...], rotation: Rotation) -> Estimation:
    """Return the estimation with its blocks rotated; the conditions of the rotation join the active constraints."""
    values = e.problem.expand(e.solution.x)
    for g in range(len(e.problem.layouts)):
        values = _rotated_values(e, values, g, blocks=blocks, rotation=rotation)
    table = replace(e.table, parameters=tuple(_freed(p, blocks, rotation) for p in e.table.parameters))
    position = positions(table.parameters)
    kept = [i for i, p in enumerate(e.table.parameters) if _scale(p, blocks) and position[i] < 0]
    values[kept] = [e.table.parameters[i].value for i in kept]
    problem = replace(e.problem, base=np.where(position >= 0, 0.0, values), position=position)
    x = np.zeros(problem.n_free)
    x[position[position >= 0]] = values[position >= 0]
    constraints = constraint_system(table)

    def conditions(at: Array) -> Array:
        return _conditions(e, problem.expand(at), blocks, rotation)

    jacobian = np.vstack(
        [
            active_constraints(problem, x, constraints, parameter_bounds(table, problem))[1],
            central_differences(conditions, x, step=1e-6 * np.maximum(0.1, np.abs(x))),
        ]
    )
    gradient = problem.derivatives(x, information=False)[0]
    solution = replace(e.solution, x=x, jacobian=jacobian, gradient=gradient)
    return replace(e, table=table, problem=problem, constraints=constraints, solution=solution)


def _freed(p: Parameter, blocks: tuple[Block, ...], rotation: Rotation) -> Parameter:
    for block in blocks:
        inside = set(block.factors)
        covariance = p.op == "~~" and p.lhs != p.rhs and {p.lhs, p.rhs} <= inside and rotation.oblique
        if (p.op == "=~" and p.lhs in inside) or covariance:
            return replace(p, free=True, value=float("nan"))
    return p


def _scale(p: Parameter, blocks: tuple[Block, ...]) -> bool:
    return p.op == "~~" and any({p.lhs, p.rhs} <= set(block.factors) for block in blocks)


def _places(e: Estimation, block: Block, g: int) -> tuple[Array, Array]:
    """Return the rows of the table of a block's loadings, (items, factors), and of its factors' covariances."""
    at = {p.key: i for i, p in enumerate(e.table.parameters) if p.group == g + 1}
    loadings = [[at[f, "=~", y] for f in block.factors] for y in block.items]
    pairs = [[at[Parameter(a, "~~", b, 1, True, 0.0).key] for b in block.factors] for a in block.factors]
    return np.array(loadings), np.array(pairs)


def _standardized(e: Estimation, values: Array, block: Block, g: int) -> Array:
    """Return loadings divided by the implied standard deviations of the items."""
    Sigma = imply(e.problem.layouts[g], values).Sigma
    sd = np.sqrt(np.diagonal(Sigma))[[e.sample.names.index(item) for item in block.items]]
    return np.asarray(values[_places(e, block, g)[0]] / sd[:, None])


def _rotated_values(e: Estimation, values: Array, g: int, *, blocks: tuple[Block, ...], rotation: Rotation) -> Array:
    layout = e.problem.layouts[g]
    H = np.eye(len(layout.eta))
    for block in blocks:
        at = [layout.eta.index(name) for name in block.factors]
        H[np.ix_(at, at)] = _transformation(_standardized(e, values, block, g), rotation).T
    inverse, m = np.linalg.inv(H), imply(layout, values).matrices
    turned = {
        LAMBDA: m.Lambda @ inverse,
        BETA: H @ m.Beta @ inverse,
        PSI: H @ m.Psi @ H.T,
        ALPHA: (H @ m.alpha)[:, None],
    }
    values = values.copy()
    for code, matrix in turned.items():
        here = np.flatnonzero(layout.matrix == code)
        values[layout.rows[here]] = matrix[layout.row[here], layout.column[here]]
    return values


def _transformation(loadings: Array, rotation: Rotation) -> Array:
    """Return the best rotation of several starts; columns sum to something positive and are ordered by their items."""
    parameters = dict(rotation.parameters)
    found = rotate(
        loadings, method=rotation.method, n_starts=STARTS, seed=1, tolerance=1e-4, max_iterations=250, **parameters
    )
    T = _polished(loadings, found.rotation_matrix, rotation)
    if "target" in parameters:
        return T
    L = loadings @ np.linalg.inv(T).T
    sign = np.where(L.sum(axis=0) < 0, -1.0, 1.0)
    leading = [float(np.flatnonzero(column >= 0.8 * column.max()).mean()) for column in np.abs(L).T]
    return np.asarray((T * sign)[:, np.argsort(leading, kind="stable")])


def _polished(loadings: Array, T: Array, rotation: Rotation) -> Array:
    """Return the rotation near `T` that meets the conditions of a minimum to machine precision."""
    from scipy.optimize import root

    k = len(T)
    lower = np.tril_indices(k)

    def equations(flat: Array) -> Array:
        at = flat.reshape(k, k)
        Phi = at.T @ at
        inverse = np.linalg.inv(at)
        units = np.diagonal(Phi) - 1.0 if rotation.oblique else (Phi - np.eye(k))[lower]
        return np.concatenate([_stationary(loadings @ inverse.T, Phi, rotation), units])

    found = root(equations, T.ravel(), method="hybr", tol=1e-12)
    near = bool(np.abs(found.x - T.ravel()).max() < 0.05 and np.abs(found.fun).max() < 1e-8)
    return np.asarray(found.x.reshape(k, k)) if near else T


def _stationary(L: Array, Phi: Array, rotation: Rotation) -> Array:
    """Return what is 0 where rotated loadings are at a minimum of the criterion."""
    if METHODS[rotation.method].normalize:
        L = L / np.sqrt(np.einsum("ij,jk,ik->i", L, Phi, L))[:, None]
    k = L.shape[1]
    product = L.T @ rotation.criterion((len(L), k))(L)[1]
    if rotation.oblique:
        return np.asarray((product @ np.linalg.inv(Phi))[~np.eye(k, dtype=bool)])
    return np.asarray((product - product.T)[np.tril_indices(k, -1)])


def _conditions(e: Estimation, values: Array, blocks: tuple[Block, ...], rotation: Rotation) -> Array:
    """Return what is 0 at a minimum of the criterion, for all blocks and groups."""
    found = []
    for g in range(len(e.problem.layouts)):
        for block in blocks:
            Phi = values[_places(e, block, g)[1]]
            found.append(_stationary(_standardized(e, values, block, g), Phi, rotation))
    return np.concatenate(found)
