"""Modification indices: what each fixed parameter would gain by being freed.

With score ``s`` and information ``I`` of the full sample at the solution, the index of a candidate is ``s^2 / V`` with
``V = I_cc - I_cx (I_xx)^-1 I_xc``, and its expected parameter change ``s / V`` (Sörbom, 1989, eq. 8-10).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.far_apart import are_far_apart, information_given
from psm_analysis.sem.implied import imply
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.matrices import find_layout
from psm_analysis.sem.partable import Parameter, ParameterTable
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.standardize import factors, unconditional


def candidates(table: ParameterTable, group: int) -> Iterator[Parameter]:
    """Return parameters that the model leaves out: cross-loadings, covariances, paths of structural variables."""
    roles = table.roles
    present = {p.key for p in table.parameters if p.group == group}
    exogenous = frozenset(roles.exogenous_observed)
    outside = exogenous | frozenset(roles.auxiliary)
    endogenous = [name for name in roles.observed if name not in outside]
    latent = [name for name in roles.latent if (name, "~~", name) in present]
    mine = [p for p in table.parameters if p.op == "~" and p.group == group]
    structural = dict.fromkeys(n for p in mine for n in (p.lhs, p.rhs))
    pairs = [(f, "=~", y) for f in latent for y in endogenous]
    pairs += [(a, "~~", b) for a, b in combinations(endogenous, 2)]
    pairs += [(a, "~~", b) for a, b in combinations(latent, 2)]
    given = exogenous if roles.ordered else frozenset()
    pairs += [(a, "~", b) for a, b in permutations(structural, 2) if not {a, b} <= exogenous and a not in given]
    for lhs, op, rhs in pairs:
        candidate = Parameter(lhs, op, rhs, group, True, 0.0)
        twin = {"~": (rhs, "=~", lhs), "=~": (rhs, "~", lhs)}.get(op)
        if candidate.key not in present and twin not in present:
            yield candidate


def modification_indices(
    table: ParameterTable, problem: Problem, x: Array, *, jacobian: Array, scale: int, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return one record per candidate: ``lhs op rhs group mi epc sepc_all`` (group as a number).

    Moments of exogenous variables adjust as well: they do if one of these becomes an outcome, which it cannot where all
    moments are conditional on it (ordinal variables).
    """
    n = len(table.parameters)
    added = [c for g in range(1, table.options.n_groups + 1) for c in candidates(table, g)]
    extended = (*table.parameters, *added)
    position = problem.position.copy()
    fixed = [i for i, p in enumerate(table.parameters) if position[i] < 0 and _testable(p)]
    tested = [*fixed, *range(n, n + len(added))]
    places = np.concatenate([position, np.full(len(added), -1, dtype=np.intp)])
    given = [] if table.roles.ordered else [i for i, p in enumerate(table.parameters) if p.exogenous]
    n_free = problem.n_free + len(given)
    places[given] = problem.n_free + np.arange(len(given))
    places[tested] = n_free + np.arange(len(tested))
    layouts = tuple(
        find_layout(extended, group=g + 1, observed=names, roles=table.roles) for g in range(len(problem.layouts))
    )
    base = np.concatenate([problem.expand(x), np.zeros(len(added))])
    wide = replace(problem, layouts=layouts, base=base, position=places)
    everything = np.concatenate([x, base[given], base[tested]])
    gradient, information = wide.derivatives(everything)
    tied = np.pad(jacobian, ((0, 0), (0, len(given))))
    if are_far_apart(wide):
        score, V = _graded(wide, everything, n_free, tied)
    else:
        score, V = _projected(gradient, information, n_free, tied)
    deviations = np.ones(len(extended))
    for layout in map(unconditional, layouts):
        implied = imply(layout, wide.expand(everything))
        deviations[layout.rows] = factors(layout, implied, kind="std_all", exogenous=frozenset())
    found: list[dict[str, Any]] = []
    for k, i in enumerate(tested):
        if V[k] > 1e-9 * abs(information[n_free + k, n_free + k]):
            p, epc = extended[i], score[k] / V[k]
            found.append(
                {"lhs": p.lhs, "op": p.op, "rhs": p.rhs, "group": p.group, "mi": scale * score[k] ** 2 / V[k]}
                | {"epc": epc, "sepc_all": epc * deviations[i]}
            )
    return found


def _testable(p: Parameter) -> bool:
    return not p.exogenous and not p.derived and p.op not in ("|", "~*~")


def _projected(gradient: Array, information: Array, n_free: int, jacobian: Array) -> tuple[Array, Array]:
    """Return scores of one observation and their variances after the free parameters have adjusted."""
    Z = free_directions(jacobian)
    score = -gradient[n_free:] / 2.0
    cross = information[n_free:, :n_free] @ Z
    inner = Z.T @ information[:n_free, :n_free] @ Z
    solved = np.linalg.solve(inner, cross.T) if Z.shape[1] else np.zeros((0, len(score)))
    return score, np.diagonal(information)[n_free:] - np.einsum("ij,ji->i", cross, solved)


def _graded(problem: Problem, x: Array, n_free: int, jacobian: Array) -> tuple[Array, Array]:
    """Return the same where the weights of least squares are far apart."""
    free = np.vstack([free_directions(jacobian), np.zeros((len(x) - n_free, n_free - len(jacobian)))])
    V = information_given(problem, x, free=free, tested=np.eye(len(x))[:, n_free:])
    return -problem.derivatives(x)[0][n_free:] / 2.0, np.diagonal(V)


def as_frame(records: list[dict[str, Any]], labels: list[str]) -> pd.DataFrame:
    """Return the records as a DataFrame, largest index first."""
    columns = ["lhs", "op", "rhs", "group", "mi", "epc", "sepc_all"]
    falling = sorted(records, key=lambda record: -record["mi"])
    return pd.DataFrame.from_records([r | {"group": labels[r["group"] - 1]} for r in falling], columns=columns)
