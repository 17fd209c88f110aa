"""What a path diagram draws: latent and observed variables and the arrows between them, read from a tidy() frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from psm_analysis.errors import DataError
from psm_analysis.report.numbers import is_missing

EdgeKind = Literal["loading", "regression", "covariance"]
KINDS: dict[str, EdgeKind] = {"=~": "loading", "~": "regression", "~~": "covariance"}


@dataclass(frozen=True, slots=True)
class PathEdge:
    """An arrow; a covariance has two heads."""

    source: str
    target: str
    kind: EdgeKind
    value: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class PathModel:
    """A model as a graph.

    Parameters
    ----------
    latents, observed
        Names in order of appearance.
    edges
        Every arrow that is drawn.
    owners
        Pairs (indicator, factor): beside which factor an indicator is drawn.
    general
        Factors that load on the indicators of others (bifactor).
    r_squared
        Pairs (variable, explained share) of the outcomes.
    """

    latents: tuple[str, ...]
    observed: tuple[str, ...]
    edges: tuple[PathEdge, ...]
    owners: tuple[tuple[str, str], ...]
    general: tuple[str, ...]
    r_squared: tuple[tuple[str, float], ...]

    def children(self, factor: str) -> tuple[str, ...]:
        """Return the indicators that are drawn beside a factor."""
        return tuple(name for name, owner in self.owners if owner == factor)

    def root(self, name: str) -> str:
        """Return the factor at the top of the tree of indicators that a variable belongs to, or the variable."""
        owners = dict(self.owners)
        seen = {name}
        while name in owners and owners[name] not in seen:
            name = owners[name]
            seen.add(name)
        return name

    @property
    def roots(self) -> tuple[str, ...]:
        """The variables that belong to no factor, general factors left out."""
        owned = {name for name, _ in self.owners}
        return tuple(name for name in (*self.latents, *self.observed) if name not in owned and name not in self.general)


def read_model(tidy: pd.DataFrame, value: str, *, indicators: bool = True) -> PathModel:
    """Read the graph of one group from a tidy() frame, with `value` (std_all or estimate) on the arrows.

    Raises
    ------
    DataError
        If there is no loading, regression or covariance.
    """
    rows = tidy[tidy["op"].isin(list(KINDS)) & ((tidy["lhs"] != tidy["rhs"]) | (tidy["op"] != "~~"))]
    latents = tuple(dict.fromkeys(tidy.loc[tidy["op"] == "=~", "lhs"]))
    if rows.empty:
        raise DataError(
            "There is nothing to draw.", where="rows with op '=~', '~' or '~~'", remedy="Give result.tidy() of a model."
        )
    edges = [_edge(row, value) for row in rows.to_dict("records")]
    if not indicators:
        edges = _without_indicators(edges, latents)
    edges = [edge for edge in edges if edge.kind != "covariance" or edge.value not in (None, 0.0)]
    names = dict.fromkeys(name for edge in edges for name in (edge.source, edge.target))
    loadings = [edge for edge in edges if edge.kind == "loading"]
    general = _general_factors(loadings)
    shown = tuple(name for name in latents if indicators or name in names)
    return PathModel(
        latents=shown,
        observed=tuple(name for name in names if name not in latents),
        edges=tuple(edges),
        owners=_owners(loadings, general),
        general=general,
        r_squared=_explained(tidy, [edge.target for edge in edges if edge.kind == "regression"]),
    )


def _edge(row: dict[Any, Any], value: str) -> PathEdge:
    kind = KINDS[row["op"]]
    source, target = (row["rhs"], row["lhs"]) if kind == "regression" else (row["lhs"], row["rhs"])
    number, p_value = row[value], row.get("p_value", float("nan"))
    return PathEdge(
        str(source),
        str(target),
        kind,
        value=None if is_missing(number) else float(number),
        p_value=None if is_missing(p_value) else float(p_value),
    )


def _without_indicators(edges: Sequence[PathEdge], latents: Sequence[str]) -> list[PathEdge]:
    structural = {name for edge in edges if edge.kind == "regression" for name in (edge.source, edge.target)}
    kept = {*latents, *structural}
    return [edge for edge in edges if edge.source in kept and edge.target in kept]


def _general_factors(loadings: Sequence[PathEdge]) -> tuple[str, ...]:
    items: dict[str, set[str]] = {}
    for edge in loadings:
        items.setdefault(edge.source, set()).add(edge.target)
    general = []
    for factor, own in items.items():
        parts = [other for name, other in items.items() if name != factor and other <= own and len(other) < len(own)]
        if len(parts) >= 2:
            general.append(factor)
    return tuple(general)


def _owners(loadings: Sequence[PathEdge], general: Sequence[str]) -> tuple[tuple[str, str], ...]:
    owners: dict[str, str] = {}
    strength: dict[str, float] = {}
    for edge in sorted(loadings, key=lambda edge: edge.source in general):
        size = abs(edge.value or 0.0)
        if edge.target in owners and (edge.source in general or size <= strength[edge.target]):
            continue
        owners[edge.target], strength[edge.target] = edge.source, size
    return tuple((edge.target, edge.source) for edge in loadings if owners[edge.target] == edge.source)


def _explained(tidy: pd.DataFrame, outcomes: Sequence[str]) -> tuple[tuple[str, float], ...]:
    if "std_all" not in tidy:
        return ()
    own = tidy[(tidy["op"] == "~~") & (tidy["lhs"] == tidy["rhs"])]
    residual: dict[str, float] = dict(zip(own["lhs"], own["std_all"].astype(float), strict=True))
    return tuple((name, 1.0 - residual[name]) for name in dict.fromkeys(outcomes) if 0 <= residual.get(name, -1.0) < 1)
