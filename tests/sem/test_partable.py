"""The parameter table against lavaan's own (parTable of 0.6-14, written by lavaan_tables.R), and its modifiers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem.partable import ParameterTable, TableOptions, build_table
from psm_analysis.sem.syntax import parse_model

CASES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "lavaan_tables.json").read_text(encoding="utf-8")
)


def table_of(model: str, **options: Any) -> ParameterTable:
    return build_table(parse_model(model), TableOptions(**options))


def rows_of(table: ParameterTable) -> set[tuple[str, ...]]:
    """Return every parameter with its state; equal parameters are named by the first of them."""
    first: dict[str, tuple[str, ...]] = {}
    found = set()
    for p in table.parameters:
        name = (*p.key, str(p.group))
        state: tuple[str, ...] = ("free",) if p.free else ("fixed", f"{p.value:g}")
        if p.exogenous:
            state = ("exogenous",)
        elif p.free and p.shared in first:
            state = ("as", *first[p.shared])
        else:
            first.setdefault(p.shared, name)
        found.add((*name, *state))
    return found


def rows_of_lavaan(rows: list[str]) -> set[tuple[str, ...]]:
    found = set()
    for row in rows:
        head, *state = _split(row)
        found.add((*head, *state))
    return found


def _split(row: str) -> list[Any]:
    words = row.split(" ")
    name, rest = _name(words)
    if rest[0] == "as":
        twin, _ = _name(rest[1:])
        return [name, "as", *twin]
    return [name, *rest]


def _name(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    size = 3 if words[1] == "~1" else 4
    lhs, op, *tail = words[:size]
    rhs = tail[0] if len(tail) == 2 else ""
    if op == "~~" and rhs < lhs:
        lhs, rhs = rhs, lhs
    return (lhs, op, rhs, tail[-1]), words[size:]


@pytest.mark.parametrize("name", CASES)
def test_defaults_are_those_of_lavaan(name: str) -> None:
    case = CASES[name]
    options = dict(case["options"])
    grouped = options.pop("group", None) is not None
    means = options.pop("meanstructure", False) or grouped or case["call"] == "growth"
    for listed in ("group_equal", "group_partial"):
        if listed in options:
            given = options[listed]
            options[listed] = (given,) if isinstance(given, str) else tuple(given)
    table = table_of(
        case["model"],
        meanstructure=means,
        growth=case["call"] == "growth",
        group_labels=("1", "2") if grouped else ("",),
        **options,
    )
    assert rows_of(table) == rows_of_lavaan(case["rows"])


def test_a_label_makes_parameters_one() -> None:
    table = table_of("f =~ x1 + a*x2 + a*x3\ng =~ y1 + b*y2 + y3")
    shared = {(p.lhs, p.rhs): p.shared for p in table.parameters if p.op == "=~"}
    assert shared["f", "x2"] == shared["f", "x3"] == "a"
    assert shared["g", "y2"] == "b"
    assert shared["g", "y3"] not in ("a", "b")


def test_equal_ties_to_a_parameter_by_its_name() -> None:
    table = table_of('f =~ x1 + x2 + equal("f =~ x2")*x3')
    loadings = {p.rhs: p.shared for p in table.parameters if p.op == "=~"}
    assert loadings["x2"] == loadings["x3"] != loadings["x1"]


def test_a_label_shared_with_a_fixed_parameter_fixes_it() -> None:
    table = table_of("f =~ x1 + a*0.7*x2 + a*x3")
    x3 = next(p for p in table.parameters if p.rhs == "x3" and p.op == "=~")
    assert not x3.free
    assert x3.value == 0.7


def test_starts_and_bounds_are_kept() -> None:
    table = table_of("f =~ x1 + start(0.8)*lower(0.1)*upper(2)*x2")
    x2 = next(p for p in table.parameters if p.op == "=~" and p.rhs == "x2")
    assert (x2.free, x2.start, x2.lower, x2.upper) == (True, 0.8, 0.1, 2.0)


def test_modifiers_may_differ_by_group() -> None:
    table = table_of("f =~ x1 + c(0.5, NA)*x2 + c(a, b)*x3 + d*x4", group_labels=("1", "2"))
    by = {(p.rhs, p.group): p for p in table.parameters if p.op == "=~"}
    assert by["x2", 1].value == 0.5
    assert by["x2", 2].free
    assert math.isnan(by["x2", 2].value)
    assert by["x3", 1].shared == "a"
    assert by["x3", 2].shared == "b"
    assert by["x4", 1].shared == by["x4", 2].shared == "d"


def test_too_few_modifiers_for_the_groups() -> None:
    with pytest.raises(ModelError, match="modifiers for 2 groups"):
        table_of("f =~ x1 + c(a, b)*x2 + x3", group_labels=("1", "2", "3"))


def test_unknown_group_equal_names_the_choices() -> None:
    with pytest.raises(OptionError, match="loadings"):
        table_of("f =~ x1 + x2 + x3", group_labels=("1", "2"), group_equal=("loading",))


def test_group_partial_must_name_a_parameter() -> None:
    with pytest.raises(OptionError, match="names no parameter"):
        table_of("f =~ x1 + x2 + x3", group_labels=("1", "2"), group_equal=("loadings",), group_partial=("f =~ x9",))


def test_equal_must_name_a_parameter() -> None:
    with pytest.raises(ModelError, match="names no parameter"):
        table_of('f =~ x1 + x2 + equal("f =~ x9")*x3')


def test_a_covariance_written_in_both_directions() -> None:
    with pytest.raises(ModelError, match="written twice"):
        table_of("f =~ x1 + x2 + x3\nx1 ~~ x2\nx2 ~~ x1")


@pytest.mark.parametrize("model", ["f =~ f + x1 + x2", "y ~ y + x"])
def test_no_variable_acts_on_itself(model: str) -> None:
    with pytest.raises(ModelError, match="itself"):
        table_of(model)


def test_equal_thresholds_identify_the_scale_of_items_with_two_thresholds_only() -> None:
    """As lavaan 0.6-20 and later: scaling factors (delta) or residual variances (theta) of binary items stay at 1."""
    for theta, op in ((False, "~*~"), (True, "~~")):
        options = TableOptions(
            meanstructure=True,
            group_labels=("1", "2"),
            ordered=(("x1", 1), ("x2", 2)),
            theta=theta,
            group_equal=("thresholds", "loadings"),
        )
        table = build_table(parse_model("f =~ x1 + x2 + x3"), options)
        free = {p.lhs for p in table.parameters if p.group == 2 and p.op == op and p.lhs == p.rhs and p.free}
        assert free - {"f", "x3"} == {"x2"}
        assert {p.lhs for p in table.parameters if p.group == 2 and p.op == "~1" and p.free} == {"x1", "x2", "x3"}
