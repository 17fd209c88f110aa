"""Paths between the variables of a structural model, and the effects that are made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from psm_analysis._options import nearest
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.partable import ParameterTable

Arrows = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Effect:
    """A sum of products of path coefficients; ``paths`` holds the rows of the table of each product."""

    name: str
    kind: str
    predictor: str
    outcome: str
    group: int
    paths: tuple[tuple[int, ...], ...]


def effects_between(table: ParameterTable, *, predictor: str | None, outcome: str | None) -> list[Effect]:
    """Return direct, specific indirect, total indirect and total effects, by group.

    Raises
    ------
    OptionError
        If a variable has no place in the paths of the model.
    ModelError
        If the model has no indirect effect to show, or its paths run in a circle.
    """
    found: list[Effect] = []
    for group in range(1, table.options.n_groups + 1):
        arrows = arrows_of(table, group)
        names = list(dict.fromkeys([*arrows, *(to for targets in arrows.values() for to in targets)]))
        _check(names, predictor=predictor, outcome=outcome)
        for start, end in permutations(names, 2):
            wanted = predictor in (None, start) and outcome in (None, end)
            routes = list(routes_between(arrows, start, end)) if wanted else []
            if any(len(route) > 2 for route in routes) or (routes and predictor and outcome):
                found += _effects(routes, arrows, group)
    if not found:
        raise ModelError(
            "The model has no indirect effect between these variables.",
            where=f"from {predictor or 'any predictor'!r} to {outcome or 'any outcome'!r}",
            remedy="An indirect effect needs a path into a mediator and one out of it: M ~ X and Y ~ M.",
        )
    return found


def comparable_effects(
    table: ParameterTable, *, predictor: str | None, outcome: str | None
) -> list[tuple[Effect, ...]]:
    """Return the paths and the other effects between variables, each as its parts in the groups that have it.

    Raises
    ------
    OptionError
        If a variable has no place in the paths of the model.
    ModelError
        If no path lies in two groups, or paths run in a circle.
    """
    found: dict[tuple[str, str], list[Effect]] = {}
    for group in range(1, table.options.n_groups + 1):
        arrows = arrows_of(table, group)
        names = list(dict.fromkeys([*arrows, *(to for targets in arrows.values() for to in targets)]))
        _check(names, predictor=predictor, outcome=outcome)
        for start, end in permutations(names, 2):
            if predictor not in (None, start) or outcome not in (None, end):
                continue
            if end in arrows.get(start, {}):
                path = Effect(f"{start} -> {end}", "path", start, end, group, ((arrows[start][end],),))
                found.setdefault((path.name, path.kind), []).append(path)
            routes = list(routes_between(arrows, start, end))
            for effect in _effects(routes, arrows, group) if any(len(r) > 2 for r in routes) else []:
                if effect.kind != "direct":
                    found.setdefault((effect.name, effect.kind), []).append(effect)
    several = [tuple(parts) for parts in found.values() if len(parts) > 1]
    if not several:
        raise ModelError(
            "There is no path between these variables that two groups have.",
            where=f"from {predictor or 'any predictor'!r} to {outcome or 'any outcome'!r}",
            remedy="Name variables that regressions of the model connect.",
        )
    return several


def products(effects: Sequence[Effect], values: Array) -> Array:
    """Return the effects at parameter values of shape ``(..., n_parameters)``, shape ``(..., effects)``."""
    found = np.zeros((*values.shape[:-1], len(effects)), dtype=values.dtype)
    for k, effect in enumerate(effects):
        for path in effect.paths:
            found[..., k] += values[..., list(path)].prod(axis=-1)
    return found


def arrows_of(table: ParameterTable, group: int) -> dict[str, dict[str, int]]:
    """Return from each predictor in a group (counted from 1) its outcomes with the row of the path."""
    found: dict[str, dict[str, int]] = {}
    for i, p in enumerate(table.parameters):
        if p.op == "~" and p.group == group:
            found.setdefault(p.rhs, {})[p.lhs] = i
    return found


def _check(names: Sequence[str], *, predictor: str | None, outcome: str | None) -> None:
    if not names:
        raise ModelError("The model has no regressions, so it has no effects.", where="argument 'result'")
    for argument, name in (("predictor", predictor), ("outcome", outcome)):
        if name is not None and name not in names:
            raise OptionError(
                f"{name!r} has no part in the regressions of the model.",
                where=f"argument {argument!r}",
                remedy=nearest(name, names) or f"It can be: {', '.join(names)}.",
            )


def routes_between(arrows: Arrows, start: str, end: str, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the sequences of variables that lead from `start` to `end`."""
    here = (*before, start)
    for target in arrows.get(start, {}):
        if target in here:
            raise ModelError(
                f"The paths run in a circle through {target!r}: effects are not sums of products there.",
                remedy="Define the effect in the model text with ':=' in closed form.",
            )
        if target == end:
            yield (*here, end)
        else:
            yield from routes_between(arrows, target, end, here)


def _effects(routes: Sequence[tuple[str, ...]], arrows: Arrows, group: int) -> list[Effect]:
    start, end = routes[0][0], routes[0][-1]

    def rows(route: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(arrows[a][b] for a, b in pairwise(route))

    def effect(name: str, kind: str, chosen: Sequence[tuple[str, ...]]) -> Effect:
        return Effect(name, kind, start, end, group, tuple(rows(route) for route in chosen))

    ordered = sorted(routes, key=len)
    indirect = [route for route in ordered if len(route) > 2]
    found = [effect(" -> ".join(route), "indirect", [route]) for route in indirect]
    title = f"{start} -> {end}"
    if indirect:
        found.append(effect(f"{title}: total indirect", "total indirect", indirect))
    direct = [route for route in ordered if len(route) == 2]
    if direct:
        found.append(effect(f"{title}: direct", "direct", direct))
    found.append(effect(f"{title}: total", "total", ordered))
    return found
