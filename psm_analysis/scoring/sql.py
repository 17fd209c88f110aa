"""A scoring model as one SQL statement, which gives the scores of `ScoringModel.score` bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from psm_analysis.errors import DataError
from psm_analysis.scoring.norms import STANINE_CUTS

if TYPE_CHECKING:
    from psm_analysis.scoring.model import Norms, Scale, ScoredItem, ScoringModel

PARTS = ("se", "n", "percentile", "t", "stanine")
FACTOR = ("regression", "bartlett")


def quoted(name: str) -> str:
    """Return an identifier in double quotes; those inside are doubled."""
    if "\0" in name or not name:
        raise DataError("The name cannot be used in SQL.", where=f"name {name!r}", remedy="Rename it.")
    return '"' + name.replace('"', '""') + '"'


def statement(model: ScoringModel, source: str, *, id: str | None) -> str:
    """Return the statement; `source` is what stands after FROM."""
    names = {part for scale in model.scales for part in (scale.id, *(f"{scale.id}_{p}" for p in PARTS))} | {"flags"}
    if id in names:
        raise DataError(
            f"The id column {id!r} has the name of a column of the scores.",
            where="argument 'id'",
            remedy="Rename the id column.",
        )
    key = [] if id is None else [f"{quoted(id)} AS person"]
    coded = [*key, *(f"CAST({quoted(item.id)} AS DOUBLE) AS c{j}" for j, item in enumerate(model.items))]
    kept = [] if id is None else ["person"]
    turned = [*kept, *(_turned(item, j) for j, item in enumerate(model.items)), f"{_any_bad(model)} AS bad"]
    counted = ["*", *(f"{_count(model, scale)} AS n{k}" for k, scale in enumerate(model.scales))]
    scored = ["*", *(f"{_score(model, k)} AS s{k}" for k in range(len(model.scales)))]
    placed = ["*", *(f"{_percentile(scale.norms[0], f's{k}')} AS p{k}" for k, scale in enumerate(model.scales))]
    last = [] if id is None else [f"person AS {quoted(id)}"]
    last += [column for k in range(len(model.scales)) for column in _columns(model.scales[k], k)]
    last.append(f"{_flags(model)} AS flags")
    origin, parts = source, []
    steps = (("coded", coded), ("turned", turned), ("counted", counted), ("scored", scored), ("placed", placed))
    for name, columns in steps:
        parts.append(f"psm_{name}_ AS (SELECT {_list(columns)}\n  FROM {origin})")
        origin = f"psm_{name}_"
    return "WITH " + ",\n".join(parts) + f"\nSELECT {_list(last)}\nFROM {origin}"


def _list(columns: Sequence[str]) -> str:
    return ",\n  ".join(columns)


def number(value: float) -> str:
    """Return a literal that is read as a double, not as a decimal number."""
    return f"({value:.17e})"


def _codes(item: ScoredItem) -> str:
    return ", ".join(map(str, item.codes))


def _turned(item: ScoredItem, j: int) -> str:
    value = f"{item.codes[0] + item.codes[-1]} - c{j}" if item.reverse else f"c{j}"
    return f"CASE WHEN c{j} IN ({_codes(item)}) THEN {value} END AS x{j}"


def _any_bad(model: ScoringModel) -> str:
    checks = (
        f"coalesce(c{j} NOT IN ({_codes(item)}) AND NOT isnan(c{j}), FALSE)" for j, item in enumerate(model.items)
    )
    return "(" + " OR ".join(checks) + ")"


def _places(model: ScoringModel, scale: Scale) -> list[int]:
    order = {item: j for j, item in enumerate(model.item_ids)}
    return [order[item] for item in scale.items]


def _count(model: ScoringModel, scale: Scale) -> str:
    return " + ".join(f"CAST(x{j} IS NOT NULL AS BIGINT)" for j in _places(model, scale))


def _score(model: ScoringModel, k: int) -> str:
    scale = model.scales[k]
    places = _places(model, scale)
    if model.method in FACTOR:
        products = (f"{number(weight)} * x{j}" for weight, j in zip(scale.weights, places, strict=True))
        value = " + ".join((*products, number(scale.constant)))
    else:
        terms = (f"coalesce({_term(model, j)}, 0)" for j in places)
        value = f"({' + '.join(terms)}) / n{k}"
        value = f"({value}) * {len(places)}" if model.method in ("sum", "prorated") else value
    return f"CASE WHEN n{k} >= {max(scale.required, 1)} THEN {value} END"


def _term(model: ScoringModel, j: int) -> str:
    if model.method != "pomp":
        return f"x{j}"
    low, high = model.items[j].codes[0], model.items[j].codes[-1]
    return f"{number(100)} * (x{j} - {low}) / {number(high - low)}"


def _columns(scale: Scale, k: int) -> list[str]:
    norms, score = scale.norms[0], f"s{k}"
    error = "NULL" if scale.std_error is None else number(scale.std_error)
    complete = f"CASE WHEN {score} IS NOT NULL AND n{k} = {len(scale.items)} THEN {error} END"
    t = f"{number(50)} + {number(10)} * ({score} - {number(norms.mean)}) / {number(norms.sd)}" if norms.sd else "NULL"
    values = (score, f"CAST({complete} AS DOUBLE)", f"n{k}", f"p{k}", f"CAST({t} AS DOUBLE)")
    names = (scale.id, *(f"{scale.id}_{part}" for part in PARTS))
    cuts = " + ".join(f"CAST(p{k} >= {cut} AS INTEGER)" for cut in STANINE_CUTS)
    stanine = f"CAST(1 + {cuts} AS DOUBLE)"
    return [f"{value} AS {quoted(name)}" for value, name in zip((*values, stanine), names, strict=True)]


def _percentile(norms: Norms, score: str) -> str:
    """Return nested cases that halve the reference percentiles."""
    steps = [(value, len(list(equal))) for value, equal in groupby(norms.quantiles)]
    below = [sum(count for _, count in steps[:i]) for i in range(len(steps) + 1)]

    def between(first: int, last: int) -> str:
        if first == last:
            return number(below[first] + 0.5)
        middle = (first + last) // 2
        value, at = number(steps[middle][0]), number((below[middle] + below[middle + 1]) / 2 + 0.5)
        lower, upper = between(first, middle), between(middle + 1, last)
        return f"CASE WHEN {score} < {value} THEN {lower} WHEN {score} = {value} THEN {at} ELSE {upper} END"

    return f"CASE WHEN {score} IS NOT NULL THEN {between(0, len(steps))} END"


def _flags(model: ScoringModel) -> str:
    empty = "(" + " AND ".join(f"x{j} IS NULL" for j in range(len(model.items))) + ")"
    parts = [f"CASE WHEN {empty} THEN 'all_missing' END"]
    for k, scale in enumerate(model.scales):
        text = scale.id.replace("'", "''")
        parts.append(f"CASE WHEN s{k} IS NULL AND NOT {empty} THEN 'too_few:{text}' END")
    parts.append("CASE WHEN bad THEN 'bad_value' END")
    return f"concat_ws(';', {', '.join(parts)})"
