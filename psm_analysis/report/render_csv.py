"""A table as csv: the printed columns, unrounded, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from psm_analysis.report.words import word

if TYPE_CHECKING:
    from psm_analysis.report.columns import Column
    from psm_analysis.report.tables import Table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render_csv(table: Table) -> str:
    """Return the csv text: one column for every raw value that is printed, missing cells empty."""
    pairs = [(column, key) for column in table.columns for key in column.keys]
    over = {key: f"{spanner.label}: " for spanner in table.spanners for key in spanner.keys}
    header = [over.get(column.key, "") + _label(column, key) for column, key in pairs]
    header = [pairs[place][1] if header.count(text) > 1 or not text else text for place, text in enumerate(header)]
    places = [table.keys.index(key) for _, key in pairs]
    rows = [[row[place] for place in places] for row in table.cells]
    if any(group.label for group in table.groups):
        header = [word("section", table.lang), *header]
        rows = [[name, *row] for name, row in zip(_group_names(table), rows, strict=True)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([[safe_cell(value) for value in row] for row in (header, *rows)])
    return stream.getvalue()


def safe_cell(value: Any) -> str:
    """Return a cell as text; a text that a spreadsheet would run as a formula is preceded by an apostrophe.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("-0.5"), safe_cell(-0.5), safe_cell(None)
    ("'=1+1", '-0.5', '-0.5', '')
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if value.startswith(FORMULA_STARTS) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label(column: Column, key: str) -> str:
    if column.kind == "ci":
        return f"{column.label} {'low' if key == column.key else 'high'}"
    suffix = {column.p: " p", column.se: " SE"} if key != column.key else {}
    return column.label + suffix.get(key, "")


def _group_names(table: Table) -> list[str]:
    starts = {group.first: group.label for group in table.groups}
    names, current = [], ""
    for place in range(len(table.cells)):
        current = starts.get(place, current)
        names.append(current)
    return names
