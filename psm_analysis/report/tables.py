"""The table as an immutable value: raw numbers, what each column means, and the notes; rendered last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from psm_analysis._files import write_atomically
from psm_analysis._options import ColumnKind, Language, check_option, nearest
from psm_analysis.errors import DataError, OptionError
from psm_analysis.report.columns import CellStyle, Column, RowGroup, Spanner
from psm_analysis.report.files import check_stem
from psm_analysis.report.layout import make_grid
from psm_analysis.report.numbers import is_missing
from psm_analysis.report.render_csv import render_csv
from psm_analysis.report.render_docx import render_docx
from psm_analysis.report.render_html import render_html
from psm_analysis.report.render_latex import render_latex
from psm_analysis.report.render_text import render_text


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a paper: a value that is never changed and rounds nothing before it is rendered.

    Parameters
    ----------
    title
        Title, printed in italics under "Table N".
    keys, cells
        Names of the columns and the raw rows; missing cells are None. `Table.from_frame` fills them.
    columns
        The printed columns, in order.
    number
        Number or label of the table ("3", "A1"); without one only the title is printed.
    groups, spanners, styles
        Headings over rows and columns, and cells that depart from their column.
    note
        General note, printed after "Note.".
    missing
        What stands in an empty numeric cell.
    lang
        "en" or "zh".

    Raises
    ------
    OptionError
        If a column, spanner, style or group names something that the table does not have.
    DataError
        If there is no row.

    References
    ----------
    American Psychological Association (2020). Publication manual (7th ed.), chapter 7.

    Examples
    --------
    >>> table = Table.from_frame(
    ...     pd.DataFrame({"item": ["psm1"], "r": [0.4567]}),
    ...     columns=[Column("item", "Item"), Column("r", "r", "coefficient", italic=True)],
    ...     title="Correlations",
    ... )
    >>> print(table.with_number(1).to_text())
    Table 1
    Correlations
    ─────────
    Item    r
    ─────────
    psm1  .46
    ─────────
    """

    title: str
    keys: tuple[str, ...]
    cells: tuple[tuple[Any, ...], ...]
    columns: tuple[Column, ...]
    number: str = ""
    groups: tuple[RowGroup, ...] = ()
    spanners: tuple[Spanner, ...] = ()
    styles: tuple[CellStyle, ...] = ()
    note: str = ""
    missing: str = "–"
    lang: Language = "en"

    def __post_init__(self) -> None:
        check_option(self.lang, Language, name="lang")
        if not self.cells or not self.columns:
            raise DataError(
                "A table needs at least one row and one column.",
                where=f"table {self.title!r}",
                remedy="Look at the frame that it is made from.",
            )
        for column in self.columns:
            check_option(column.kind, ColumnKind, name="kind")
            _check_known(column.keys, self.keys, where=f"columns of table {self.title!r}")
        printed = [column.key for column in self.columns]
        for keys in [part.keys for part in self.spanners] + [part.keys for part in self.styles]:
            _check_known(keys, printed, where=f"spanners and styles of table {self.title!r}")
        rows = [row for style in self.styles for row in style.rows] + [group.first for group in self.groups]
        if any(not 0 <= row < len(self.cells) for row in rows):
            raise OptionError(f"A style or a group names a row outside 0 to {len(self.cells) - 1}.", where=self.title)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, columns: Sequence[Column], title: str, **parts: Any) -> Table:
        """Make a table from a DataFrame, of which the raw values are copied."""
        keys = tuple(str(name) for name in frame.columns)
        if len(set(keys)) != len(keys):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise DataError(f"Columns are named twice: {', '.join(twice)}.", where=f"frame of table {title!r}")
        values = [frame.iloc[:, place].tolist() for place in range(frame.shape[1])]
        cells = tuple(tuple(_plain(value) for value in row) for row in zip(*values, strict=True))
        for name in ("groups", "spanners", "styles"):
            parts[name] = tuple(parts.get(name, ()))
        return cls(title=title, keys=keys, cells=cells, columns=tuple(columns), **parts)

    @property
    def frame(self) -> pd.DataFrame:
        """The raw, unrounded values as a new DataFrame."""
        return pd.DataFrame.from_records(list(self.cells), columns=list(self.keys))

    def with_number(self, number: int | str) -> Table:
        """Return the same table with a number."""
        return replace(self, number=str(number))

    def with_title(self, title: str) -> Table:
        """Return the same table with another title."""
        return replace(self, title=title)

    def with_note(self, note: str) -> Table:
        """Return the same table with another general note."""
        return replace(self, note=note)

    def to_text(self) -> str:
        """Return the table for a terminal, aligned by display width (a Chinese character takes two cells)."""
        return render_text(make_grid(self))

    def to_html(self, *, page: bool = False) -> str:
        """Return a self-contained HTML table, or a whole page that holds it."""
        return render_html(make_grid(self), page=page)

    def to_latex(self, *, label: str = "") -> str:
        r"""Return a LaTeX table for booktabs and threeparttable, escaped, with ``\label{tab:label}`` if given."""
        return render_latex(make_grid(self), label=label)

    def to_docx(self, path: str | Path) -> Path:
        """Write a Word document that holds the table, and return its path."""
        return write_atomically(path, render_docx(make_grid(self)))

    def to_csv(self) -> str:
        """Return the printed columns as csv with unrounded values."""
        return render_csv(self)

    def save(self, directory: str | Path, stem: str) -> tuple[Path, ...]:
        """Write `stem`.html, .tex, .docx and .csv (UTF-8 with BOM), each whole or not at all; return the paths.

        Raises
        ------
        OptionError
            If `stem` is not a plain file name.
        FileError
            If a file cannot be written.
        """
        folder = Path(directory)
        check_stem(stem)
        contents = {
            "html": self.to_html(page=True).encode(),
            "tex": self.to_latex(label=stem).encode(),
            "docx": render_docx(make_grid(self)),
            "csv": self.to_csv().encode("utf-8-sig"),
        }
        return tuple(write_atomically(folder / f"{stem}.{kind}", content) for kind, content in contents.items())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.to_text()


def _plain(value: Any) -> Any:
    if is_missing(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _check_known(keys: Sequence[str], known: Sequence[str], *, where: str) -> None:
    for key in keys:
        if key not in known:
            raise OptionError(
                f"There is no column {key!r}.", where=where, remedy=f"{nearest(key, known)}Known: {', '.join(known)}."
            )
