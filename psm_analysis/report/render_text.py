"""A table for a terminal, aligned by East Asian display width."""

from __future__ import annotations

import re
import unicodedata

from psm_analysis.report.layout import Align, Cell, Grid, GridRow
from psm_analysis.report.numbers import DASH, FIGURE_SPACE, MINUS

GAP = "  "


def display_width(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for a wide character, none for a combining one.

    Examples
    --------
    >>> display_width("psm"), display_width("公共服务")
    (3, 8)
    """
    return sum(
        0 if unicodedata.combining(mark) else 2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text
    )


def render_text(grid: Grid) -> str:
    """Return the table as aligned text between rules."""
    rows = [row for row in grid.rows if not row.heading]
    widths = [
        max(display_width(_text(cell)) for cell in (label, *(row.cells[place] for row in rows)))
        for place, label in enumerate(grid.labels)
    ]
    _widen_for_spanners(grid, widths)
    total = max(sum(widths) + len(GAP) * (len(widths) - 1), 1)
    rule = "─" * total
    lines = [grid.number, grid.title.text, rule]
    if grid.spanners:
        lines += _spanner_lines(grid, widths)
    lines += [_line(grid.labels, widths), rule]
    for row in grid.rows:
        lines += _row_lines(row, widths)
    lines.append(rule)
    for note in grid.notes:
        lines += _wrapped("".join(_plain(run.text) for run in note), max(total, 60))
    return "\n".join(line.rstrip() for line in lines if line)


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for piece in re.findall(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+", text):
        if line and display_width(line + piece.rstrip()) > width:
            lines.append(line)
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line]


def _plain(text: str) -> str:
    plain = text.replace(FIGURE_SPACE, " ").replace(MINUS, "-")
    return plain.replace(DASH, "-") if plain.strip() == DASH else plain


def _text(cell: Cell) -> str:
    return ("  " if cell.indent else "") + _plain(cell.text).replace("\n", " ")


def _pad(text: str, width: int, *, align: Align) -> str:
    space = max(width - display_width(text), 0)
    left = {"left": 0, "center": space // 2, "right": space}[align]
    return " " * left + text + " " * (space - left)


def _line(cells: tuple[Cell, ...], widths: list[int]) -> str:
    return GAP.join(_pad(_text(cell), width, align=cell.align) for cell, width in zip(cells, widths, strict=True))


def _row_lines(row: GridRow, widths: list[int]) -> list[str]:
    if row.heading:
        return [_text(row.cells[0])]
    rule = ["─" * (sum(widths) + len(GAP) * (len(widths) - 1))] if row.rule else []
    return [*rule, _line(row.cells, widths)]


def _covered(grid: Grid) -> list[tuple[Cell, int]]:
    covered, place = [], 0
    for cell in grid.spanners:
        covered.append((cell, place))
        place += cell.span
    return covered


def _widen_for_spanners(grid: Grid, widths: list[int]) -> None:
    for cell, start in _covered(grid):
        have = sum(widths[start : start + cell.span]) + len(GAP) * (cell.span - 1)
        widths[start + cell.span - 1] += max(display_width(_text(cell)) - have, 0)


def _spanner_lines(grid: Grid, widths: list[int]) -> list[str]:
    words, rules = [], []
    for cell, start in _covered(grid):
        width = sum(widths[start : start + cell.span]) + len(GAP) * (cell.span - 1)
        words.append(_pad(_text(cell), width, align="center"))
        rules.append(("─" if cell.text else " ") * width)
    return [GAP.join(words), GAP.join(rules)]
