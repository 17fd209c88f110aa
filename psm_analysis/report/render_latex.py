"""A table as LaTeX for booktabs and threeparttable; Chinese compiles with xelatex and ctex."""

from __future__ import annotations

from psm_analysis.report.fonts import has_cjk
from psm_analysis.report.layout import Cell, Grid, GridRow, Run
from psm_analysis.report.numbers import FIGURE_SPACE

ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    "[": "{[}",
    "]": "{]}",
    "−": "$-$",
    "–": "--",
    "—": "---",
    "∞": r"$\infty$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$",
    "²": r"\textsuperscript{2}",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "χ": r"$\chi$",
    "Δ": r"$\Delta$",
    "ω": r"$\omega$",
    "ρ": r"$\rho$",
    "τ": r"$\tau$",
    FIGURE_SPACE: r"\phantom{0}",
    "\n": " ",
}
TABLE_MARKS = str.maketrans(ESCAPES)


def escape(text: str) -> str:
    r"""Return a text with everything that LaTeX would read as a command escaped.

    Examples
    --------
    >>> print(escape("50% of psm_1 & χ²"))
    50\% of psm\_1 \& $\chi$\textsuperscript{2}
    """
    return text.translate(TABLE_MARKS)


def render_latex(grid: Grid, *, label: str = "") -> str:
    """Return a table environment whose number and title are those of the table."""
    aligns = "".join(cell.align[0] for cell in grid.labels)
    packages = "booktabs, threeparttable" + (", ctex (compile with xelatex)" if _is_chinese(grid) else "")
    lines = [f"% needs the packages {packages}", r"\begin{table}[htbp]"]
    if grid.number:
        lines.append(rf"\renewcommand{{\thetable}}{{{escape(grid.number.split(' ', 1)[1])}}}")
    lines += [
        r"\begin{threeparttable}",
        rf"\caption{{{_run(grid.title)}}}" + (rf"\label{{tab:{label}}}" if label else ""),
        rf"\begin{{tabular}}{{@{{}}{aligns}@{{}}}}",
        r"\toprule",
        *_spanner_lines(grid),
        _row(grid.labels, aligns),
        r"\midrule",
    ]
    lines += [line for row in grid.rows for line in _body_lines(row, aligns)]
    lines += [r"\bottomrule", r"\end{tabular}", *_note_lines(grid.notes), r"\end{threeparttable}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _is_chinese(grid: Grid) -> bool:
    cells = [*grid.labels, *grid.spanners, *(cell for row in grid.rows for cell in row.cells)]
    return has_cjk(
        [grid.title.text, *(cell.text for cell in cells), *(run.text for note in grid.notes for run in note)]
    )


def _spanner_lines(grid: Grid) -> list[str]:
    if not grid.spanners:
        return []
    cells, rules, place = [], [], 1
    for cell in grid.spanners:
        last = place + cell.span - 1
        cells.append(rf"\multicolumn{{{cell.span}}}{{c}}{{{escape(cell.text)}}}" if cell.text else "")
        rules.append(rf"\cmidrule(lr){{{place}-{last}}}" if cell.text else "")
        place = last + 1
    return [" & ".join(cells) + r" \\", " ".join(rule for rule in rules if rule)]


def _body_lines(row: GridRow, aligns: str) -> list[str]:
    if row.heading:
        return [rf"\multicolumn{{{row.cells[0].span}}}{{@{{}}l}}{{{_cell(row.cells[0])}}} \\"]
    return [*([r"\midrule"] if row.rule else []), _row(row.cells, aligns)]


def _row(cells: tuple[Cell, ...], aligns: str) -> str:
    texts = [
        _cell(cell) if cell.align[0] == align else rf"\multicolumn{{1}}{{{cell.align[0]}}}{{{_cell(cell)}}}"
        for cell, align in zip(cells, aligns, strict=True)
    ]
    line = " & ".join(texts)
    return ("{}" if line.startswith("*") else "") + line + r" \\"


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.italic and text:
        text = rf"\textit{{{text}}}"
    if cell.bold and text:
        text = rf"\textbf{{{text}}}"
    return (r"\quad " if cell.indent else "") + text


def _note_lines(notes: tuple[tuple[Run, ...], ...]) -> list[str]:
    if not notes:
        return []
    items = [r"\item " + "".join(_run(run) for run in note) for note in notes]
    return [r"\begin{tablenotes}[flushleft]\footnotesize", *items, r"\end{tablenotes}"]


def _run(run: Run) -> str:
    return rf"\textit{{{escape(run.text)}}}" if run.italic else escape(run.text)
