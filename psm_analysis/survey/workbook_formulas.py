"""Formulas of a workbook whose results are not stored in it: programs other than a spreadsheet write such files."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from psm_analysis.errors import FileError, require

_FORMULA = re.compile(rb"<f[ >/]")


def refuse_without_results(path: Path, sheet: str) -> None:
    """Raise a FileError if cells of the sheet hold formulas without results, which would be read as empty."""
    if not _has_formulas(path):
        return
    openpyxl = require("openpyxl", purpose="reading Excel files")
    books = [openpyxl.load_workbook(path, read_only=True, data_only=known) for known in (False, True)]
    rows = zip(*(book[sheet].iter_rows() for book in books), strict=True)
    open_ = [
        cell.coordinate
        for formulas, results in rows
        for cell, result in zip(formulas, results, strict=True)
        if cell.data_type == "f" and result.value is None and result.data_type == "n"
    ]
    for book in books:
        book.close()
    if open_:
        raise FileError(
            f"{len(open_)} cells hold formulas whose results are not stored in the file, the first in {open_[0]}.",
            where=f"{path.name}, sheet {sheet!r}",
            remedy="Open the workbook in a spreadsheet program and save it, or replace the formulas by their values.",
        )


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_FORMULA.search(archive.read(name)) for name in sheets)
