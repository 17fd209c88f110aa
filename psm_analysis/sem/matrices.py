"""Where each parameter sits in the matrices of the all-y LISREL form.

``y = nu + Lambda eta + epsilon``, ``eta = alpha + Beta eta + zeta``, ``cov(zeta) = Psi``, ``cov(epsilon) = Theta``.
Observed variables that take part in regressions, or covary with a factor, become elements of ``eta`` with loading 1.

References
----------
Jöreskog, K. G. (1973). A general method for estimating a linear structural equation system.
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika, 49, 115-132 (the all-y form).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.partable import Parameter, ParameterTable
from psm_analysis.sem.roles import Roles

LAMBDA, BETA, PSI, THETA, NU, ALPHA, TAU, DELTA = range(8)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one vector that holds all matrices, row by row, is taken from ``(0, 1, parameters)``.

    ``source`` is the place there of every entry; ``starts`` and ``shapes`` cut the vector up.
    """

    source: Index
    shapes: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the parameters of one group.

    Attributes
    ----------
    observed, eta
        Names of the rows of ``Lambda`` and of its columns.
    dummies
        For each element of ``eta`` its row among the observed, or -1 for a factor.
    rows
        Which elements of the parameter vector belong to this group.
    matrix, row, column
        The matrix (LAMBDA ... DELTA) of each of them and the place in it.
    ordinal, threshold_item
        Which observed variables are ordinal, and the variable of each threshold.
    derived
        Parameters that follow from the others: residual variances of ordinal variables in the delta parameterization,
        their scaling factors in the theta parameterization.
    theta
        Whether the parameterization is theta.
    given
        Elements of ``eta`` that moments are conditional on: with ordinal variables the fixed exogenous ones.
    plan
        How the matrices are filled at one stroke.
    places
        For each matrix that holds parameters its code, which parameters these are, and their rows and columns.
    paths, levels, identity
        Whether there are parameters in ``Beta``, whether there are intercepts, and ``I`` of the size of ``Beta``.
    half
        1/2 for parameters on the diagonal of their matrix, 1 for others: what symmetry leaves of their derivatives.
    memo
        What follows from the layout alone and is needed at every point of a search.
    """

    observed: tuple[str, ...]
    eta: tuple[str, ...]
    dummies: Index
    rows: Index
    matrix: Index
    row: Index
    column: Index
    ordinal: Mask
    threshold_item: Index
    derived: Index
    theta: bool
    given: Index
    plan: Plan
    places: tuple[tuple[int, Index, Index, Index], ...] = field(init=False)
    paths: bool = field(init=False)
    levels: bool = field(init=False)
    identity: Array = field(init=False)
    half: Array = field(init=False)
    memo: dict[Any, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors: what comes first in ``eta``."""
        return tuple(name for name, dummy in zip(self.eta, self.dummies, strict=True) if dummy < 0)

    def __post_init__(self) -> None:
        found = ((code, np.flatnonzero(self.matrix == code)) for code in sorted(set(self.matrix.tolist())))
        places = tuple((code, here, self.row[here], self.column[here]) for code, here in found)
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "paths", any(code == BETA for code, *_ in places))
        object.__setattr__(self, "levels", any(code in (NU, ALPHA) for code, *_ in places))
        object.__setattr__(self, "identity", np.eye(len(self.eta)))
        object.__setattr__(self, "half", np.where(self.row == self.column, 0.5, 1.0))


@dataclass(frozen=True, slots=True)
class Matrices:
    """The matrices, thresholds and scaling factors; a leading replicate axis is allowed."""

    Lambda: Array
    Beta: Array
    Psi: Array
    Theta: Array
    nu: Array
    alpha: Array
    tau: Array
    delta: Array


def find_layouts(table: ParameterTable, observed: tuple[str, ...]) -> tuple[Layout, ...]:
    """Return the places of the parameters of every group; the table remembers them."""
    if observed not in table.memo:
        groups = range(1, table.options.n_groups + 1)
        table.memo[observed] = tuple(
            find_layout(table.parameters, group=group, observed=observed, roles=table.roles) for group in groups
        )
    found: tuple[Layout, ...] = table.memo[observed]
    return found


def find_layout(parameters: Sequence[Parameter], *, group: int, observed: Sequence[str], roles: Roles) -> Layout:
    """Return the places of all parameters of a group."""
    mine = [(i, p) for i, p in enumerate(parameters) if p.group == group]
    named = {name for _, p in mine for name in (p.lhs, p.rhs)}
    latent = tuple(name for name in roles.latent if name in named)
    in_eta = _structural([p for _, p in mine], latent)
    eta = (*latent, *(name for name in observed if name in in_eta))
    at_y = {name: i for i, name in enumerate(observed)}
    at_eta = {name: i for i, name in enumerate(eta)}
    thresholds = [(p.lhs, p.rhs) for _, p in mine if p.op == "|"]
    thresholds.sort(key=lambda pair: (at_y[pair[0]], int(pair[1][1:])))
    at_tau = {pair: i for i, pair in enumerate(thresholds)}
    places = [(TAU, at_tau[p.lhs, p.rhs], 0) if p.op == "|" else _place(p, at_y, at_eta) for _, p in mine]
    exogenous = {p.lhs for _, p in mine if p.exogenous} if roles.ordered else set()
    given = [name for name in observed if name in exogenous]
    matrix, row, column = np.array(places, dtype=np.intp).reshape(-1, 3).T
    rows = np.array([i for i, _ in mine], dtype=np.intp)
    dummies = np.array([-1 if name in latent else at_y[name] for name in eta], dtype=np.intp)
    return Layout(
        observed=tuple(observed),
        eta=eta,
        dummies=dummies,
        rows=rows,
        matrix=matrix,
        row=row,
        column=column,
        ordinal=np.array([name in roles.ordered for name in observed], dtype=bool),
        threshold_item=np.array([at_y[name] for name, _ in thresholds], dtype=np.intp),
        derived=np.array([i for i, (_, p) in enumerate(mine) if p.derived], dtype=np.intp),
        theta=any(p.derived and p.op == "~*~" for _, p in mine),
        given=np.array([at_eta[name] for name in given], dtype=np.intp),
        plan=make_plan(
            n_observed=len(observed),
            n_thresholds=len(thresholds),
            dummies=dummies,
            rows=rows,
            matrix=matrix,
            row=row,
            column=column,
        ),
    )


def _structural(parameters: Sequence[Parameter], latent: Sequence[str]) -> frozenset[str]:
    """Return factors and the observed variables that must stand in ``eta``."""
    inside = set(latent)
    for p in parameters:
        if p.op == "~":
            inside |= {p.lhs, p.rhs}
    pairs = [(p.lhs, p.rhs) for p in parameters if p.op == "~~" and p.lhs != p.rhs]
    while mixed := [pair for pair in pairs if len(inside & set(pair)) == 1]:
        inside |= {name for pair in mixed for name in pair}
    return frozenset(inside)


def _place(p: Parameter, at_y: dict[str, int], at_eta: dict[str, int]) -> tuple[int, int, int]:
    if p.op == "=~":
        if p.rhs in at_eta:
            return BETA, at_eta[p.rhs], at_eta[p.lhs]
        return LAMBDA, at_y[p.rhs], at_eta[p.lhs]
    if p.op == "~":
        return BETA, at_eta[p.lhs], at_eta[p.rhs]
    if p.op == "~~":
        if p.lhs in at_eta:
            return PSI, at_eta[p.lhs], at_eta[p.rhs]
        return THETA, at_y[p.lhs], at_y[p.rhs]
    if p.op == "~*~":
        return DELTA, at_y[p.lhs], 0
    return (ALPHA, at_eta[p.lhs], 0) if p.lhs in at_eta else (NU, at_y[p.lhs], 0)


def restrict(layout: Layout, keep: Mask) -> Layout:
    """Return the layout of some of the parameters only, for derivatives; the layout remembers it."""
    key = ("restricted", keep.tobytes())
    if key not in layout.memo:
        layout.memo[key] = replace(
            layout,
            rows=layout.rows[keep],
            matrix=layout.matrix[keep],
            row=layout.row[keep],
            column=layout.column[keep],
            derived=layout.derived[:0],
        )
    found: Layout = layout.memo[key]
    return found


def make_plan(
    *, n_observed: int, n_thresholds: int, dummies: Index, rows: Index, matrix: Index, row: Index, column: Index
) -> Plan:
    """Return where each entry of the matrices comes from when they lie behind one another in one vector."""
    p, m = n_observed, len(dummies)
    shapes = ((p, m), (m, m), (m, m), (p, p), (p,), (m,), (n_thresholds,), (p,))
    starts = np.concatenate([[0], np.cumsum([math.prod(shape) for shape in shapes])])
    source = np.zeros(starts[-1], dtype=np.intp)
    source[starts[DELTA] :] = 1
    dummy = np.flatnonzero(dummies >= 0)
    source[starts[LAMBDA] + dummies[dummy] * m + dummy] = 1
    width = np.array([shape[1] if len(shape) > 1 else 1 for shape in shapes])[matrix]
    symmetric = (matrix == PSI) | (matrix == THETA)
    source[starts[matrix] + row * width + column] = 2 + rows
    mirrored = starts[matrix] + column * width + row
    source[mirrored[symmetric]] = 2 + rows[symmetric]
    return Plan(source, shapes, tuple(int(i) for i in starts))


def fill(layout: Layout, values: Array) -> Matrices:
    """Return the matrices at a parameter vector of shape ``(..., n_parameters)``."""
    plan, batch = layout.plan, values.shape[:-1]
    known = np.empty((*batch, 2 + values.shape[-1]), dtype=values.dtype)
    known[..., 0], known[..., 1], known[..., 2:] = 0.0, 1.0, values
    flat, cuts = known.take(plan.source, axis=-1), zip(plan.starts, plan.starts[1:], plan.shapes, strict=False)
    return Matrices(*(flat[..., start:end].reshape(*batch, *shape) for start, end, shape in cuts))
