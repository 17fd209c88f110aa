"""How the arrows of a path diagram run, around the variables, and where their coefficients stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.report.path_geometry import Curve, Node, Point, bent, clipped, overlaps, through
from psm_analysis.report.path_layout import Layout
from psm_analysis.report.path_model import PathEdge, PathModel
from psm_analysis.report.path_text import Measure

BENDS = (0.0, 0.06, -0.06, 0.12, -0.12, 0.2, -0.2, 0.28, -0.28, 0.38, -0.38)
PLACES = (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72, 0.22, 0.78)
LABEL_SIZE = 7.0


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow as it is drawn; `label` is the centre of its coefficient."""

    edge: PathEdge
    curve: Curve
    label: Point
    turned: bool = False


def route_edges(model: PathModel, layout: Layout, *, texts: Mapping[PathEdge, str], measure: Measure) -> list[Route]:
    """Return the course of every arrow, loadings first, and a free place for every coefficient."""
    nodes = layout.nodes
    owners = dict(model.owners)
    fans = [edge for edge in model.edges if edge.kind == "loading"]
    others = [edge for edge in model.edges if edge.kind != "loading"]
    routes = [_fan(edge, nodes, owned=owners.get(edge.target) == edge.source, general=model.general) for edge in fans]
    taken = [(*route.label, *_size(texts[route.edge], measure, turned=route.turned)) for route in routes]
    lines = [route.curve for route in routes]
    drawn: list[Curve] = []
    for edge in sorted(others, key=lambda edge: edge.kind == "covariance"):
        curve = _course(edge, layout, drawn=drawn, fans=lines)
        size = _size(texts[edge], measure)
        label = _free_place(curve, size, nodes=list(nodes.values()), taken=taken, drawn=drawn)
        taken.append((*label, *size))
        drawn.append(curve)
        routes.append(Route(edge, curve, label))
    return routes


def _size(text: str, measure: Measure, *, turned: bool = False) -> tuple[float, float]:
    width, height = measure(text, LABEL_SIZE) if text else (0.0, 0.0)
    return (height, width) if turned else (width, height)


def _fan(edge: PathEdge, nodes: Mapping[str, Node], *, owned: bool, general: Sequence[str]) -> Route:
    factor, item = nodes[edge.source], nodes[edge.target]
    side = item.side if owned else _facing(factor, item)
    edge_of_item = {
        "right": (item.x - item.width / 2, item.y),
        "left": (item.x + item.width / 2, item.y),
        "top": (item.x, item.y - item.height / 2),
        "bottom": (item.x, item.y + item.height / 2),
    }[side]
    straight = bent((factor.x, factor.y), edge_of_item, 0.0)
    curve = clipped(straight, factor, target=item)
    at = 0.62 if owned and edge.source not in general else 0.78
    point = curve.points(np.array([at]))[0]
    return Route(edge, curve, (float(point[0]), float(point[1])), turned=side in ("top", "bottom"))


def _facing(factor: Node, item: Node) -> str:
    return "right" if factor.x < item.x else "left"


def _course(edge: PathEdge, layout: Layout, *, drawn: Sequence[Curve], fans: Sequence[Curve]) -> Curve:
    source, target = layout.nodes[edge.source], layout.nodes[edge.target]
    if edge.kind == "covariance":
        if not source.latent and not target.latent and source.side == target.side and _are_items(edge, layout):
            return _beside_items(source, target)
        for layer in layout.layers:
            if edge.source in layer and edge.target in layer:
                return _within_layer(edge, layout, layer=layer)
    return _clear_course(source, target, nodes=list(layout.nodes.values()), drawn=drawn, fans=fans)


def _are_items(edge: PathEdge, layout: Layout) -> bool:
    roots = {name for layer in layout.layers for name in layer}
    return edge.source not in roots and edge.target not in roots


def _beside_items(source: Node, target: Node) -> Curve:
    level = source.side in ("left", "right")
    sign = 1 if source.side in ("right", "top") else -1
    half = (source.width if level else source.height) / 2
    distance = abs(source.y - target.y) if level else abs(source.x - target.x)
    out = 0.14 + 0.22 * min(distance, 4.0)
    if level:
        x = source.x + sign * half
        return through((x, source.y), (x + sign * out, (source.y + target.y) / 2), (x, target.y))
    y = source.y + sign * half
    return through((source.x, y), ((source.x + target.x) / 2, y + sign * out), (target.x, y))


def _within_layer(edge: PathEdge, layout: Layout, *, layer: Sequence[str]) -> Curve:
    """Return the arc between two variables one above the other: nested arcs outside, or a short one between them."""
    first, second = (layout.nodes[name] for name in (edge.source, edge.target))
    upper, lower = (first, second) if first.y > second.y else (second, first)
    steps = abs(layer.index(edge.source) - layer.index(edge.target))
    middle, widest = (upper.y + lower.y) / 2, max(layout.nodes[name].width for name in layer) / 2
    fans = _fan_side(layout, layer)
    if not fans:
        start, end = (_beside(node, -1, down=node is upper, angle=38 / steps) for node in (upper, lower))
        return through(start, (upper.x - widest - 0.30 - 0.46 * (steps - 1), middle), end)
    if steps == 1:
        start, end = (upper.x, upper.y - upper.height / 2), (lower.x, lower.y + lower.height / 2)
        return through(start, (upper.x + fans * 0.22, middle), end)
    apex = (upper.x - fans * (widest + 0.30 + 0.40 * (steps - 2)), middle)
    start, end = (_beside(node, -fans, down=node is upper, angle=72) for node in (upper, lower))
    return through(start, apex, end)


def _fan_side(layout: Layout, layer: Sequence[str]) -> int:
    """Return -1 or 1 if indicators fill the space left or right of an outer layer, else 0."""
    if len(layout.layers) == 1 or layer not in (layout.layers[0], layout.layers[-1]):
        return 0
    roots = {name for names in layout.layers for name in names}
    side = "left" if layer == layout.layers[0] else "right"
    filled = any(node.side == side and node.name not in roots for node in layout.nodes.values())
    return (-1 if side == "left" else 1) if filled else 0


def _beside(node: Node, sign: int, *, down: bool, angle: float) -> Point:
    """Return where an arc leaves a shape, `angle` degrees from its left (-1) or right (1) end downwards or upwards."""
    across = np.cos(np.radians(angle)) if node.latent else 1.0
    along = np.sin(np.radians(angle)) * (-1 if down else 1)
    return float(node.x + sign * across * node.width / 2), float(node.y + along * node.height / 2)


def _clear_course(
    source: Node, target: Node, *, nodes: Sequence[Node], drawn: Sequence[Curve], fans: Sequence[Curve]
) -> Curve:
    others = [node for node in nodes if node.name not in (source.name, target.name)]
    best, least = None, np.inf
    for bend in BENDS:
        curve = clipped(bent((source.x, source.y), (target.x, target.y), bend), source, target=target)
        points = curve.points()
        hits = sum(int(node.contains(points, 0.08).sum()) for node in others)
        crossings = sum(0.4 * bool(near := _near(curve, other)) + 6.0 * near for other in drawn)
        crossings += sum(float(_near(curve, fan) > 0) for fan in fans)
        cost = 10.0 * hits + 6.0 * abs(bend) + crossings
        if cost < least - 1e-9:
            best, least = curve, cost
    assert best is not None
    return best


def _near(first: Curve, second: Curve) -> float:
    """Return the share of the first curve that runs within a twelfth of an inch of the second."""
    a, b = first.points(np.linspace(0.03, 0.97, 33)), second.points(np.linspace(0.03, 0.97, 65))
    distance = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    return float((distance.min(axis=1) < 1 / 12).mean())


def _free_place(
    curve: Curve, size: tuple[float, float], *, nodes: Sequence[Node],
    taken: Sequence[tuple[float, float, float, float]], drawn: Sequence[Curve],
) -> Point:  # fmt: skip
    padded = (size[0] + 0.06, size[1] + 0.03)
    boxes = [(node.x, node.y, node.width, node.height) for node in nodes]
    lines = np.concatenate([other.points() for other in drawn]) if drawn else np.empty((0, 2))
    best, least = (0.0, 0.0), np.inf
    for place, (x, y) in zip(PLACES, curve.points(np.array(PLACES)), strict=True):
        here = (float(x), float(y), *padded)
        crowd = sum(overlaps(here, other) for other in (*boxes, *taken))
        over = int(((np.abs(lines[:, 0] - x) < padded[0] / 2) & (np.abs(lines[:, 1] - y) < padded[1] / 2)).sum())
        cost = 100.0 * crowd + 0.15 * over + abs(place - 0.5)
        if cost < least - 1e-9:
            best, least = (float(x), float(y)), cost
    return best
