"""At what height the factors and other roots of a path diagram stand in their layers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psm_analysis.report.path_geometry import Side
from psm_analysis.report.path_sizes import BLOCK_GAP, FANS, Trees

LONE_GAP, PASSING = 0.55, 0.32


@dataclass(frozen=True, slots=True)
class Plan:
    """Which root stands in which layer, where the layer is, and to which side each root grows its indicators."""

    trees: Trees
    layers: Sequence[Sequence[str]]
    columns: Mapping[str, float]
    sides: Mapping[str, Side]

    @property
    def arrows(self) -> list[tuple[str, str]]:
        """Pairs (from, to) of different roots that a regression links."""
        model = self.trees.model
        paths = [edge for edge in model.edges if edge.kind == "regression"]
        pairs = [(model.root(edge.source), model.root(edge.target)) for edge in paths]
        return [(a, b) for a, b in dict.fromkeys(pairs) if a != b and a in self.columns and b in self.columns]


def root_heights(plan: Plan) -> dict[str, float]:
    """Return the height of every root: the outer layers are stacked first, the inner ones follow their neighbours."""
    heights = _stacked(plan, plan.layers[0])
    if len(plan.layers) > 1:
        heights |= _stacked(plan, plan.layers[-1])
    for layer in plan.layers[1:-1]:
        wanted = {name: _wanted(plan, name, placed=heights) for name in layer}
        heights |= _separated(plan, sorted(layer, key=lambda name: -wanted[name]), wanted=wanted)
    return heights


def _stacked(plan: Plan, layer: Sequence[str]) -> dict[str, float]:
    trees = plan.trees
    rooms = [
        trees.extent(name, plan.sides[name]) + (BLOCK_GAP if trees.model.children(name) else LONE_GAP) for name in layer
    ]
    tops = [sum(rooms) / 2 - above for above in itertools.accumulate(rooms, initial=0.0)]
    return {name: top - room / 2 for name, top, room in zip(layer, tops, rooms, strict=False)}


def _wanted(plan: Plan, name: str, *, placed: Mapping[str, float]) -> float:
    near = [b if a == name else a for a, b in plan.arrows if name in (a, b)]
    near = [other for other in near if other in placed]
    height = sum(placed[other] for other in near) / len(near) if near else 0.0
    height = _beside_passing(plan, name, height=height, placed=placed)
    if not plan.trees.model.children(name):
        return height
    return _clear_of_row(plan, name, height=height, near={other: placed[other] for other in near})


def _beside_passing(plan: Plan, name: str, *, height: float, placed: Mapping[str, float]) -> float:
    """Return a height beside the arrows that pass: beyond all of them for a root that grows up or down."""
    sign = -1.0 if plan.sides[name] == "bottom" else 1.0
    clear = plan.trees.sizes.height[name] / 2 + PASSING
    at, x = plan.columns, plan.columns[name]
    for a, b in sorted(plan.arrows):
        if a not in placed or b not in placed or not min(at[a], at[b]) < x < max(at[a], at[b]):
            continue
        line = placed[a] + (placed[b] - placed[a]) * (x - at[a]) / (at[b] - at[a])
        beyond = plan.trees.model.children(name) and sign * (line - height) > 0
        if beyond or abs(line - height) < clear:
            height = line + sign * clear
    return height


def _clear_of_row(plan: Plan, name: str, *, height: float, near: Mapping[str, float]) -> float:
    """Return a height at which arrows from the neighbours do not cross the row of indicators."""
    side = plan.sides[name]
    half = plan.trees.extent(name, side) / 2
    clear = 0.8 * (plan.trees.sizes.height[name] / 2 + 0.8 * FANS[side])
    slopes = {other: clear * abs(plan.columns[name] - plan.columns[other]) / half for other in near}
    if side == "bottom":
        return min([height, *(near[other] + slope for other, slope in slopes.items())])
    return max([height, *(near[other] - slope for other, slope in slopes.items())])


def _separated(plan: Plan, layer: Sequence[str], *, wanted: Mapping[str, float]) -> dict[str, float]:
    """Return the wanted heights, moved apart until no two blocks of a layer overlap."""
    above, below = {}, {}
    for name in layer:
        half = plan.trees.sizes.height[name] / 2 + BLOCK_GAP
        children = plan.trees.model.children(name)
        tree = plan.trees.depth(name, plan.sides[name]) + 0.2 if children else half
        above[name], below[name] = (half, tree) if plan.sides[name] == "bottom" else (tree, half)
    heights = dict(wanted)
    for _ in range(60):
        for upper, lower in itertools.pairwise(layer):
            short = below[upper] + above[lower] - (heights[upper] - heights[lower])
            if short > 1e-9:
                heights[upper] += short / 2
                heights[lower] -= short / 2
    return heights
