"""A table as a Word document: a real Word table with rules above, under the head, and below."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from psm_analysis.errors import require
from psm_analysis.report.layout import Cell, Grid, GridRow, Run
from psm_analysis.report.render_text import display_width

LATIN, EAST_ASIAN = "Times New Roman", "SimSun"
PORTRAIT_CM, LANDSCAPE_CM = 16.0, 24.7
EM_CM = 0.353
ALIGNMENT = {"left": 0, "center": 1, "right": 2}


def render_docx(grid: Grid) -> bytes:
    """Return the bytes of a Word document; the same table gives the same bytes."""
    docx = require("docx", purpose="Word tables")
    document = docx.Document()
    widths = column_widths(grid)
    size = 9.0 if sum(widths) > PORTRAIT_CM * 0.98 else 10.0
    available = _set_page(document, landscape=sum(widths) > PORTRAIT_CM)
    scale = min(1.0, available / sum(widths))
    _set_fonts(document, size, chinese=grid.lang == "zh")
    if grid.number:
        _paragraph(document, (Run(grid.number),), bold=True, after=0)
    _paragraph(document, (grid.title,), after=4)
    _add_table(document, grid, [width * scale for width in widths])
    for place, note in enumerate(grid.notes):
        _paragraph(document, note, before=4 if place == 0 else 0, after=0, keep=False)
    return _without_dates(document)


def column_widths(grid: Grid) -> list[float]:
    """Return the width in centimetres that every column needs at ten points; a text column may wrap at 7 cm."""
    rows = [grid.labels, *(row.cells for row in grid.rows if not row.heading)]
    widths = []
    for place, label in enumerate(grid.labels):
        longest = max(_ems(part) for cells in rows for part in (cells[place].text.split("\n") or [""]))
        indent = 0.4 if any(cells[place].indent for cells in rows) else 0.0
        needed = EM_CM * longest + indent + 0.32
        widths.append(max(1.0, min(needed, 7.0 if label.align == "left" else 6.0)))
    return widths


def _ems(text: str) -> float:
    return sum(0.72 if mark.isupper() else 0.52 * display_width(mark) for mark in text)


def _set_page(document: Any, *, landscape: bool) -> float:
    shared = require("docx.shared")
    section = document.sections[0]
    long, short = shared.Cm(29.7), shared.Cm(21.0)
    section.page_width, section.page_height = (long, short) if landscape else (short, long)
    if landscape:
        section.orientation = require("docx.enum.section").WD_ORIENT.LANDSCAPE
    section.left_margin = section.right_margin = shared.Cm(2.5)
    section.top_margin = section.bottom_margin = shared.Cm(2.5)
    return LANDSCAPE_CM if landscape else PORTRAIT_CM


def _set_fonts(document: Any, size: float, *, chinese: bool) -> None:
    qn, shared = require("docx.oxml.ns").qn, require("docx.shared")
    style = document.styles["Normal"]
    style.font.name = LATIN
    style.font.size = shared.Pt(size)
    properties = style.element.get_or_add_rPr()
    properties.get_or_add_rFonts().set(qn("w:eastAsia"), EAST_ASIAN)
    language = require("docx.oxml").OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN" if chinese else "en-US")
    properties.append(language)


def _paragraph(
    document: Any, runs: tuple[Run, ...], *, bold: bool = False, before: float = 0, after: float = 0, keep: bool = True
) -> None:
    paragraph = document.add_paragraph()
    _space(paragraph, before=before, after=after, keep=keep)
    for run in runs:
        _add_run(paragraph, run.text, bold=bold, italic=run.italic)


def _space(paragraph: Any, *, before: float = 0, after: float = 0, keep: bool = False) -> None:
    shared = require("docx.shared")
    form = paragraph.paragraph_format
    form.space_before, form.space_after = shared.Pt(before), shared.Pt(after)
    form.line_spacing, form.keep_with_next = 1.15, keep


def _add_run(paragraph: Any, text: str, *, bold: bool = False, italic: bool = False) -> None:
    qn = require("docx.oxml.ns").qn
    run = paragraph.add_run(text)
    run.bold, run.italic = bold or None, italic or None
    run.font.name = LATIN
    run._element.rPr.rFonts.set(qn("w:eastAsia"), EAST_ASIAN)


def _add_table(document: Any, grid: Grid, widths: list[float]) -> None:
    shared = require("docx.shared")
    head = 2 if grid.spanners else 1
    table = document.add_table(rows=head + len(grid.rows), cols=len(widths))
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = shared.Cm(width)
    rows = list(table.rows)
    for row in rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = shared.Cm(width)
    if grid.spanners:
        _fill_spanners(rows[0], grid.spanners)
    _fill_row(rows[head - 1], grid.labels)
    for row, content in zip(rows[head:], grid.rows, strict=True):
        _fill_body(row, content)
    for place, row in enumerate(rows):
        _mark_row(row, "w:cantSplit")
        if place < head:
            _mark_row(row, "w:tblHeader")
    _rule(rows[0], "top", size=8)
    _rule(rows[head - 1], "bottom", size=6)
    _rule(rows[-1], "bottom", size=8)
    for row in rows[:-1]:
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = len(rows) <= 30


def _fill_spanners(row: Any, spanners: tuple[Cell, ...]) -> None:
    place = 0
    for spanner in spanners:
        cells = row.cells[place : place + spanner.span]
        target = cells[0].merge(cells[-1]) if len(cells) > 1 else cells[0]
        _fill_cell(target, spanner)
        if spanner.text:
            _border(target, "bottom", size=4)
        place += spanner.span


def _fill_row(row: Any, cells: tuple[Cell, ...]) -> None:
    for target, cell in zip(row.cells, cells, strict=True):
        _fill_cell(target, cell)


def _fill_body(row: Any, content: GridRow) -> None:
    if content.heading:
        _fill_cell(row.cells[0].merge(row.cells[-1]), content.cells[0])
        return
    _fill_row(row, content.cells)
    if content.rule:
        _rule(row, "top", size=4)


def _fill_cell(target: Any, cell: Cell) -> None:
    shared = require("docx.shared")
    paragraph = target.paragraphs[0]
    paragraph.alignment = ALIGNMENT[cell.align]
    _space(paragraph, before=1.5, after=1.5)
    if cell.indent:
        paragraph.paragraph_format.left_indent = shared.Cm(0.4)
    _add_run(paragraph, cell.text, bold=cell.bold, italic=cell.italic)
    _margins(target, cell)


def _margins(target: Any, cell: Cell) -> None:
    oxml, qn = require("docx.oxml"), require("docx.oxml.ns").qn
    properties = target._element.get_or_add_tcPr()
    margins = oxml.OxmlElement("w:tcMar")
    for side in ("left", "right"):
        margin = oxml.OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "60")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    if cell.align != "left" and "\n" not in cell.text:
        properties.append(oxml.OxmlElement("w:noWrap"))
    properties.append(margins)


def _rule(row: Any, side: str, *, size: int) -> None:
    for cell in row.cells:
        _border(cell, side, size=size)


def _border(cell: Any, side: str, *, size: int) -> None:
    oxml, qn = require("docx.oxml"), require("docx.oxml.ns").qn
    properties = cell._element.get_or_add_tcPr()
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = oxml.OxmlElement("w:tcBorders")
        following = [properties.find(qn(name)) for name in ("w:shd", "w:noWrap", "w:tcMar")]
        first = next((element for element in following if element is not None), None)
        if first is None:
            properties.append(borders)
        else:
            first.addprevious(borders)
    if borders.find(qn(f"w:{side}")) is None:
        edge = oxml.OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", str(size)), ("space", "0"), ("color", "000000")):
            edge.set(qn(f"w:{name}"), value)
        if side == "top":
            borders.insert(0, edge)
        else:
            borders.append(edge)


def _mark_row(row: Any, name: str) -> None:
    row._tr.get_or_add_trPr().append(require("docx.oxml").OxmlElement(name))


def _without_dates(document: Any) -> bytes:
    written = io.BytesIO()
    document.save(written)
    result = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)
    return result.getvalue()
