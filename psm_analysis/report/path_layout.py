"""Where every variable of a path diagram stands: factors in layers, indicators beside their factor."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psm_analysis.report.path_geometry import Node, Point, Side
from psm_analysis.report.path_heights import Plan, root_heights
from psm_analysis.report.path_layers import layered
from psm_analysis.report.path_model import PathModel
from psm_analysis.report.path_sizes import FANS, Trees, measure_nodes
from psm_analysis.report.path_text import Measure

LONG_REACH, SHORT_REACH = 1.75, 0.95
"""Length of the shortest structural arrow, in inches: with up to four layers, and with seven or more."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Every variable by name, and the layers of those that belong to no factor."""

    nodes: Mapping[str, Node]
    layers: tuple[tuple[str, ...], ...]


def lay_out(model: PathModel, labels: Mapping[str, str], *, measure: Measure) -> Layout:
    """Return the places of all variables, in inches."""
    trees = Trees(model, measure_nodes(model, labels, measure=measure))
    layers = layered(model)
    sides = _sides(model, layers)
    plan = Plan(trees, layers, _columns(trees, layers, sides=sides), sides)
    nodes: dict[str, Node] = {}
    for name, height in root_heights(plan).items():
        _place_tree(trees, name, at=(plan.columns[name], height), side=sides[name], nodes=nodes)
    _place_general(trees, nodes)
    return Layout(nodes, tuple(map(tuple, layers)))


def _sides(model: PathModel, layers: Sequence[Sequence[str]]) -> dict[str, Side]:
    if len(layers) == 1:
        return dict.fromkeys(layers[0], "left" if model.general else "right")
    sides: dict[str, Side] = {}
    for layer in layers[1:-1]:
        sides |= dict.fromkeys(layer, "top")
        factors = [name for name in layer if model.children(name)]
        if len(factors) > 1:
            sides[factors[-1]] = "bottom"
    return sides | dict.fromkeys(layers[0], "left") | dict.fromkeys(layers[-1], "right")


def _columns(trees: Trees, layers: Sequence[Sequence[str]], *, sides: Mapping[str, Side]) -> dict[str, float]:
    halves = []
    for layer in layers:
        own = max((trees.sizes.width[name] / 2 for name in layer), default=0.0)
        rows = [trees.extent(name, sides[name]) / 2 for name in layer if sides[name] in ("top", "bottom")]
        halves.append((own, max([own, *rows])))
    crowded = min(max(len(layers) - 4, 0) / 3, 1.0)
    arrow = LONG_REACH + crowded * (SHORT_REACH - LONG_REACH)
    places = [0.0]
    for (half, room), (next_half, next_room) in itertools.pairwise(halves):
        clear = max(half + next_half + arrow, room + next_half + 0.35, half + next_room + 0.35)
        places.append(places[-1] + clear)
    return {name: place for layer, place in zip(layers, places, strict=True) for name in layer}


def _place_tree(trees: Trees, name: str, *, at: Point, side: Side, nodes: dict[str, Node]) -> None:
    level, sizes = side in ("left", "right"), trees.sizes
    turned = not level and trees.is_item(name)
    width, height = sizes.width[name], sizes.height[name]
    nodes[name] = Node(
        name,
        sizes.text[name],
        *at,
        width=height if turned else width,
        height=width if turned else height,
        latent=name in trees.model.latents,
        side=side,
        rotated=turned,
    )
    children = trees.model.children(name)
    rooms = [trees.extent(child, side) for child in children]
    edges = itertools.accumulate(rooms, initial=-sum(rooms) / 2)
    for child, room, edge in zip(children, rooms, edges, strict=False):
        out = trees.along(name, side) / 2 + FANS[side] + trees.along(child, side) / 2
        away, aside = (out if side in ("right", "top") else -out), edge + room / 2
        where = (at[0] + away, at[1] - aside) if level else (at[0] + aside, at[1] + away)
        _place_tree(trees, child, at=where, side=side, nodes=nodes)


def _place_general(trees: Trees, nodes: dict[str, Node]) -> None:
    general, sizes = trees.model.general, trees.sizes
    if not general:
        return
    left = min(node.x - node.width / 2 for node in nodes.values())
    x = left - 1.5 * FANS["left"] - max(sizes.width[name] for name in general) / 2
    room = max(sizes.height[name] for name in general) + 1.2
    for place, name in enumerate(general):
        y = (len(general) - 1) * room / 2 - place * room
        nodes[name] = Node(name, sizes.text[name], x, y, sizes.width[name], sizes.height[name], latent=True)
