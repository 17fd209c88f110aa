"""The order of a path diagram from left to right and from top to bottom, before anything has a size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psm_analysis.report.path_model import PathModel


def layered(model: PathModel) -> list[list[str]]:
    """Return the roots of a model in layers: exogenous ones first, outcomes without successors last.

    Longest path from the exogenous variables; an arrow that closes a cycle is left out of the layering. An observed
    variable without indicators stands beside the variables that it is linked to, if nothing holds it at the edge.
    """
    arrows = _acyclic(model.roots, _arrows(model))
    layer = dict.fromkeys(model.roots, 0)
    for _ in model.roots:
        for source, target in arrows:
            layer[target] = max(layer[target], layer[source] + 1)
    deepest = max(layer.values(), default=0)
    sources, targets = {source for source, _ in arrows}, {target for _, target in arrows}
    for name in targets - sources:
        layer[name] = deepest if model.children(name) or layer[name] >= deepest - 1 else layer[name]
    correlated = {name for edge in model.edges if edge.kind == "covariance" for name in (edge.source, edge.target)}
    for name in sources - targets - correlated:
        if not model.children(name):
            layer[name] = min(layer[target] for source, target in arrows if source == name) - 1
    layers = [[name for name in model.roots if layer[name] == place] for place in range(deepest + 1)]
    return _ordered(layers, arrows)


def _arrows(model: PathModel) -> list[tuple[str, str]]:
    pairs = [(model.root(edge.source), model.root(edge.target)) for edge in model.edges if edge.kind == "regression"]
    known = set(model.roots)
    return list(dict.fromkeys((a, b) for a, b in pairs if a != b and a in known and b in known))


def _acyclic(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    successors: dict[str, list[str]] = {name: [] for name in names}
    kept: list[tuple[str, str]] = []
    for source, target in arrows:
        if not _reaches(successors, target, wanted=source):
            successors[source].append(target)
            kept.append((source, target))
    return kept


def _reaches(successors: Mapping[str, Sequence[str]], start: str, *, wanted: str) -> bool:
    waiting, seen = [start], {start}
    while waiting:
        name = waiting.pop()
        if name == wanted:
            return True
        new = [after for after in successors[name] if after not in seen]
        seen.update(new)
        waiting += new
    return False


def _ordered(layers: list[list[str]], arrows: Sequence[tuple[str, str]]) -> list[list[str]]:
    neighbours: dict[str, list[str]] = {name: [] for layer in layers for name in layer}
    for source, target in arrows:
        neighbours[source].append(target)
        neighbours[target].append(source)
    for sweep in range(4):
        places = {name: _centred(layer, name) for layer in layers for name in layer}
        order = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for place in order:
            means = {name: _mean([places[other] for other in neighbours[name]], places[name]) for name in layers[place]}
            layers[place] = sorted(layers[place], key=lambda name: round(means[name], 6))
            places |= {name: _centred(layers[place], name) for name in layers[place]}
    return layers


def _centred(layer: Sequence[str], name: str) -> float:
    return (layer.index(name) + 0.5) / len(layer)


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
