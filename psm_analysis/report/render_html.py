"""A table as self-contained HTML through great_tables: horizontal rules only."""

from __future__ import annotations

import hashlib
from html import escape
from typing import Any

import pandas as pd

from psm_analysis.errors import require
from psm_analysis.report.layout import Cell, Grid, GridRow, Run

FONTS = ("Times New Roman", "Liberation Serif", "SimSun", "Songti SC", "Noto Serif CJK SC", "serif")
RULE = {"style": "solid", "width": "1px", "color": "#000000"}
NO_RULE = {"style": "none", "width": "0px", "color": "#000000"}


def render_html(grid: Grid, *, page: bool = False) -> str:
    """Return the table as an HTML fragment with its own style, or as a page of its own."""
    gt = require("great_tables", purpose="HTML tables")
    keys = [f"c{place}" for place in range(len(grid.labels))]
    body = pd.DataFrame([_texts(row, len(keys)) for row in grid.rows], columns=keys, dtype=object)
    table = gt.GT(body, id=_identity(grid))
    table = table.cols_label(**{key: gt.html(_markup(cell)) for key, cell in zip(keys, grid.labels, strict=True)})
    for key, cell in zip(keys, grid.labels, strict=True):
        table = table.cols_align(align=cell.align, columns=key)
    table = _with_spanners(gt, table, grid=grid, keys=keys)
    table = _with_styles(gt, table, grid=grid, keys=keys)
    table = table.tab_header(title=gt.html(_heading(grid)))
    for note in grid.notes:
        table = table.tab_source_note(gt.html("".join(_run(run) for run in note)))
    text = str(table.tab_options(**_options(grid)).as_raw_html())
    return _page(text, grid) if page else text


def _identity(grid: Grid) -> str:
    return "psm-" + hashlib.sha256(repr(grid).encode()).hexdigest()[:10]


def _texts(row: GridRow, width: int) -> list[str]:
    texts = [cell.text.replace("\n", " ") for cell in row.cells]
    return texts + [""] * (width - len(texts))


def _markup(cell: Cell) -> str:
    text = escape(cell.text).replace("\n", "<br>")
    return f"<em>{text}</em>" if cell.italic and text else text


def _run(run: Run) -> str:
    return f"<em>{escape(run.text)}</em>" if run.italic else escape(run.text)


def _heading(grid: Grid) -> str:
    number = f"<strong>{escape(grid.number)}</strong><br>" if grid.number else ""
    return number + _run(grid.title)


def _with_spanners(gt: Any, table: Any, *, grid: Grid, keys: list[str]) -> Any:
    place = 0
    for cell in grid.spanners:
        if cell.text:
            columns = keys[place : place + cell.span]
            table = table.tab_spanner(label=gt.html(escape(cell.text)), columns=columns, id=f"s{place}")
        place += cell.span
    return table


def _with_styles(gt: Any, table: Any, *, grid: Grid, keys: list[str]) -> Any:
    headings = [place for place, row in enumerate(grid.rows) if row.heading]
    ruled = [place for place, row in enumerate(grid.rows) if row.rule]
    indented = [place for place, row in enumerate(grid.rows) if row.cells[0].indent]
    if headings:
        style = [gt.style.text(style="italic"), gt.style.css("white-space: nowrap;")]
        table = table.tab_style(style=style, locations=gt.loc.body(columns=keys[0], rows=headings))
    if ruled:
        style = gt.style.borders(sides="top", color="#000000", weight="0.75px")
        table = table.tab_style(style=style, locations=gt.loc.body(rows=ruled))
    if indented:
        style = gt.style.css("padding-left: 1.6em;")
        table = table.tab_style(style=style, locations=gt.loc.body(columns=keys[0], rows=indented))
    for key, rows in _bold_rows(grid, keys).items():
        table = table.tab_style(style=gt.style.text(weight="bold"), locations=gt.loc.body(columns=key, rows=rows))
    return table


def _bold_rows(grid: Grid, keys: list[str]) -> dict[str, list[int]]:
    bold: dict[str, list[int]] = {}
    for place, row in enumerate(grid.rows):
        for key, cell in zip(keys, row.cells, strict=False):
            if cell.bold:
                bold.setdefault(key, []).append(place)
    return bold


def _borders(prefix: str, rule: dict[str, str]) -> dict[str, str]:
    return {f"{prefix}_{name}": value for name, value in rule.items()}


def _options(grid: Grid) -> dict[str, Any]:
    identity = _identity(grid)
    options: dict[str, Any] = {
        "table_font_names": list(FONTS),
        "table_font_size": "15px",
        "table_font_color": "#000000",
        "table_background_color": "#FFFFFF",
        "heading_align": "left",
        "heading_title_font_size": "15px",
        "heading_padding": "6px",
        "heading_padding_horizontal": "9px",
        "source_notes_padding_horizontal": "9px",
        "column_labels_font_weight": "normal",
        "data_row_padding": "3px",
        "data_row_padding_horizontal": "9px",
        "column_labels_padding": "4px",
        "column_labels_padding_horizontal": "9px",
        "source_notes_font_size": "13px",
        "source_notes_padding": "3px",
        "table_margin_left": "0px",
        "row_striping_include_table_body": False,
        "table_additional_css": [
            f"#{identity} .gt_row {{ font-variant-numeric: lining-nums tabular-nums; }}",
            f"#{identity} td.gt_right, #{identity} td.gt_center {{ white-space: nowrap; }}",
            f"#{identity} .gt_sourcenote {{ max-width: 0; }}",
            f"#{identity} .gt_title {{ line-height: 1.6; }}",
        ],
    }
    for prefix in (
        "table_border_top", "table_border_bottom", "heading_border_bottom", "table_body_hlines", "table_body_vlines",
        "column_labels_vlines", "column_labels_border_lr", "heading_border_lr", "source_notes_border_lr",
        "source_notes_border_bottom", "table_body_border_top",
    ):  # fmt: skip
        options |= _borders(prefix, NO_RULE)
    for prefix in ("column_labels_border_top", "column_labels_border_bottom", "table_body_border_bottom"):
        options |= _borders(prefix, RULE)
    return options


def _page(text: str, grid: Grid) -> str:
    title = escape(f"{grid.number}. {grid.title.text}" if grid.number else grid.title.text)
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if grid.lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n<style>body {{ margin: 2em; background: #FFFFFF; }}</style>\n</head>\n<body>\n"
        f"{text}\n</body>\n</html>\n"
    )
