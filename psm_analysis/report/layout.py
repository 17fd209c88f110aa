"""A table cut into printed cells: the one step between the raw values and every renderer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from psm_analysis._options import Language
from psm_analysis.report.columns import CellStyle, Column
from psm_analysis.report.numbers import (
    STAR_LEVELS,
    format_decimal,
    format_integer,
    format_interval,
    format_p,
    pad_stars,
    stars,
)
from psm_analysis.report.words import word

if TYPE_CHECKING:
    from psm_analysis.report.tables import Table

Align = Literal["left", "center", "right"]
PLAIN = CellStyle(())


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed cell; `span` counts the columns that it covers."""

    text: str
    align: Align = "left"
    bold: bool = False
    italic: bool = False
    span: int = 1
    indent: bool = False


@dataclass(frozen=True, slots=True)
class GridRow:
    """One printed row; a heading of a group is one cell over all columns; `rule` draws a line above."""

    cells: tuple[Cell, ...]
    rule: bool = False
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style."""

    text: str
    italic: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Everything that is printed, in order, with nothing left to compute."""

    number: str
    title: Run
    spanners: tuple[Cell, ...]
    labels: tuple[Cell, ...]
    rows: tuple[GridRow, ...]
    notes: tuple[tuple[Run, ...], ...]
    lang: Language


def make_grid(table: Table) -> Grid:
    """Return the printed cells of a table: rounded, starred, padded, with its headings and notes."""
    styles = _styles_by_cell(table)
    columns = [_column_cells(table, column, styles=styles) for column in table.columns]
    return Grid(
        number=f"{word('table', table.lang)} {table.number}" if table.number else "",
        title=Run(table.title, italic=table.lang == "en"),
        spanners=_spanner_cells(table),
        labels=tuple(Cell(column.label, align=_align(column), italic=column.italic) for column in table.columns),
        rows=_grouped_rows(table, tuple(zip(*columns, strict=True))),
        notes=_notes(table),
        lang=table.lang,
    )


def _styles_by_cell(table: Table) -> dict[tuple[int, str], CellStyle]:
    numeric = tuple(column.key for column in table.columns if column.kind != "text")
    return {(row, key): style for style in table.styles for row in style.rows for key in style.keys or numeric}


def _align(column: Column) -> Align:
    return "left" if column.kind == "text" else "center" if column.kind == "stars" else "right"


def _column_cells(table: Table, column: Column, *, styles: dict[tuple[int, str], CellStyle]) -> list[Cell]:
    places = {key: table.keys.index(key) for key in column.keys}
    used = [styles.get((row, column.key), PLAIN) for row in range(len(table.cells))]
    shown = [_restyled(column, style) for style in used]
    values = [{key: row[place] for key, place in places.items()} for row in table.cells]
    missing = "" if column.kind == "text" else table.missing
    texts = [
        _cell_text(row, effective, style=style) or (missing if style.empty is None else style.empty)
        for row, effective, style in zip(values, shown, used, strict=True)
    ]
    if column.kind == "stars":
        texts = _aligned_stars(texts, values=values, shown=shown)
    align = _align(column)
    return [Cell(text, align=align, bold=style.bold) for text, style in zip(texts, used, strict=True)]


def _restyled(column: Column, style: CellStyle) -> Column:
    return replace(
        column,
        kind=style.kind or column.kind,
        decimals=column.decimals if style.decimals is None else style.decimals,
        leading_zero=column.leading_zero if style.leading_zero is None else style.leading_zero,
    )


def _cell_text(row: dict[str, Any], column: Column, *, style: CellStyle) -> str:
    text = _formatted(row, column)
    return f"({text})" if style.parentheses and text else text


def _formatted(row: dict[str, Any], column: Column) -> str:
    value = row[column.key]
    if isinstance(value, str) or value is None:
        return value or ""
    zero = column.leading_zero and column.kind != "coefficient"
    match column.kind:
        case "integer":
            return format_integer(value)
        case "p":
            return format_p(value)
        case "ci":
            return format_interval(value, row[column.upper], decimals=column.decimals, leading_zero=zero)
        case "decimal" | "stars" | "coefficient":
            return format_decimal(value, column.decimals, leading_zero=zero)
    return str(value)


def _aligned_stars(texts: list[str], *, values: list[dict[str, Any]], shown: list[Column]) -> list[str]:
    own = [column.kind == "stars" for column in shown]
    starred = [
        text + stars(row[column.p]) if is_own and column.p and row[column.key] is not None else text
        for text, row, column, is_own in zip(texts, values, shown, own, strict=True)
    ]
    padded = pad_stars(starred)
    aligned = []
    for plain, wide, row, column, is_own in zip(starred, padded, values, shown, own, strict=True):
        error = format_decimal(row[column.se], column.decimals) if column.se and is_own else ""
        aligned.append(f"{wide} ({error})" if error else plain if column.se else wide)
    return aligned


def _spanner_cells(table: Table) -> tuple[Cell, ...]:
    if not table.spanners:
        return ()
    over = {key: spanner.label for spanner in table.spanners for key in spanner.keys}
    cells: list[Cell] = []
    for column in table.columns:
        label = over.get(column.key, "")
        if cells and label and cells[-1].text == label:
            cells[-1] = replace(cells[-1], span=cells[-1].span + 1)
        else:
            cells.append(Cell(label, align="center"))
    return tuple(cells)


def _grouped_rows(table: Table, rows: tuple[tuple[Cell, ...], ...]) -> tuple[GridRow, ...]:
    starts = {group.first: group for group in table.groups}
    printed: list[GridRow] = []
    inside = rule = False
    for place, cells in enumerate(rows):
        group = starts.get(place)
        if group is not None:
            inside, rule = bool(group.label), not group.label
            if inside:
                printed.append(GridRow((Cell(group.label, italic=table.lang == "en", span=len(cells)),), heading=True))
        printed.append(GridRow((replace(cells[0], indent=inside), *cells[1:]), rule=rule))
        rule = False
    return tuple(printed)


def _notes(table: Table) -> tuple[tuple[Run, ...], ...]:
    notes: list[tuple[Run, ...]] = []
    space = "" if table.lang == "zh" else " "
    if table.note:
        notes.append((Run(word("note", table.lang), italic=table.lang == "en"), Run(space + table.note)))
    if any(column.kind == "stars" and column.p for column in table.columns):
        notes.append(significance_note(table.lang))
    return tuple(notes)


def significance_note(lang: Language = "en") -> tuple[Run, ...]:
    """Return the note that explains the stars."""
    runs: list[Run] = []
    for place, (level, mark) in enumerate(reversed(STAR_LEVELS)):
        end = ("。" if place == 2 else "；") if lang == "zh" else ("." if place == 2 else ". ")
        decimals = 3 if level < 0.01 else 2
        runs += [
            Run(mark),
            Run("p", italic=True),
            Run(f" < {format_decimal(level, decimals, leading_zero=False)}{end}"),
        ]
    return tuple(runs)
