"""Measurement models as lavaan text, from the dimensions of an instrument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from psm_analysis._model_names import quoted, summed
from psm_analysis._options import ModelKind, check_option, nearest
from psm_analysis.errors import InstrumentError

Dimensions = Mapping[str, tuple[str, ...]]


def write_model(
    dimensions: Dimensions, general: str, *, kind: ModelKind, items: Mapping[str, str] | None, where: str
) -> str:
    """Return the measurement model of `kind` as lavaan text.

    One-factor: every item loads on `general`. Correlated: every item loads on its dimension; ``cfa`` frees the
    correlations. Second-order: the dimensions load on `general`; with two dimensions both loadings are fixed to 1, for
    their one covariance cannot tell two loadings. Bifactor: every item loads on `general` and on its dimension, all
    uncorrelated with variance 1 (Holzinger & Swineford, 1937).

    Parameters
    ----------
    dimensions
        Dimension -> items.
    general
        Name of the general factor.
    kind
        "one-factor", "correlated", "second-order" or "bifactor".
    items
        Own column -> item or dimension; None takes the items as they are.
    where
        What to name in an error.

    Raises
    ------
    InstrumentError
        If a dimension has no items, `items` names something unknown, or there are too few dimensions.

    Examples
    --------
    >>> print(write_model({"a": ("x1", "x2"), "b": ("x3", "x4")}, "g", kind="bifactor", items=None, where="example"))
    g =~ NA*x1 + x2 + x3 + x4
    a =~ NA*x1 + x2
    b =~ NA*x3 + x4
    g ~~ 1*g
    a ~~ 1*a
    b ~~ 1*b
    g ~~ 0*a
    g ~~ 0*b
    a ~~ 0*b
    """
    check_option(kind, ModelKind, name="kind")
    mapped = dict(dimensions) if items is None else _map_items(dimensions, items, where=where)
    _check(mapped, mapped_by_user=items is not None, where=where)
    if kind == "one-factor":
        return _measured(general, (item for group in mapped.values() for item in group))
    if kind == "correlated":
        return _lines(_measured(name, group) for name, group in mapped.items())
    if len(mapped) < 2:
        raise InstrumentError(
            f"A {kind} model needs two dimensions or more.", where=where, remedy="Ask for the one-factor model."
        )
    return _second_order(mapped, general) if kind == "second-order" else _bifactor(mapped, general)


def _map_items(dimensions: Dimensions, items: Mapping[str, str], *, where: str) -> dict[str, tuple[str, ...]]:
    owner = {item: name for name, group in dimensions.items() for item in group} | {name: name for name in dimensions}
    mapped: dict[str, list[str]] = {name: [] for name in dimensions}
    for column, target in items.items():
        if target not in owner:
            raise InstrumentError(
                f"Column {column!r} is mapped to {target!r}, which is neither an item nor a subscale.",
                where=where,
                remedy=f"{nearest(target, owner)}Known: {', '.join(owner)}.",
            )
        mapped[owner[target]].append(column)
    return {name: tuple(columns) for name, columns in mapped.items()}


def _check(mapped: Dimensions, *, mapped_by_user: bool, where: str) -> None:
    empty = [name for name, group in mapped.items() if not group]
    if not empty:
        return
    if mapped_by_user:
        raise InstrumentError(
            f"No column is mapped to {', '.join(empty)}.",
            where=where,
            remedy="Map one or more columns to each subscale.",
        )
    raise InstrumentError(
        "Only the dimensions of this instrument are known, not its items.",
        where=where,
        remedy=f"Say which of your columns measure what: items={{'your_column': '{empty[0]}', ...}}.",
    )


def _measured(factor: str, items: Iterable[str], *, first: str = "") -> str:
    return f"{quoted(factor)} =~ {first}{summed(items)}"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _second_order(mapped: Dimensions, general: str) -> str:
    held = "1*" if len(mapped) == 2 else ""
    top = " + ".join(f"{held}{quoted(name)}" for name in mapped)
    return _lines([*(_measured(name, group) for name, group in mapped.items()), f"{quoted(general)} =~ {top}"])


def _bifactor(mapped: Dimensions, general: str) -> str:
    factors = [general, *mapped]
    return _lines(
        [
            _measured(general, (item for group in mapped.values() for item in group), first="NA*"),
            *(_measured(name, group, first="NA*") for name, group in mapped.items()),
            *(f"{name} ~~ 1*{name}" for name in map(quoted, factors)),
            *(f"{a} ~~ 0*{b}" for a, b in combinations(map(quoted, factors), 2)),
        ]
    )
