"""Excel, SPSS, Stata and parquet files, with the labels and missing codes that they carry."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis.errors import FileError, require
from psm_analysis.survey.profile import ExportProfile
from psm_analysis.survey.raw_table import RawTable
from psm_analysis.survey.text_file import column_names, empty_file, no_rows
from psm_analysis.survey.workbook_formulas import refuse_without_results

_OLE = b"\xd0\xcf\x11\xe0"
# What openpyxl lets through when the archive or the XML inside it is damaged (ElementTree.ParseError is a SyntaxError).
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
)


def read_excel(path: Path, profile: ExportProfile, *, sheet: str | int | None = None) -> RawTable:
    """Read one sheet of an Excel workbook (.xlsx, .xlsm); the first unless `sheet` names another.

    Raises
    ------
    FileError
        If the workbook is protected, damaged, of the old .xls kind, has no such sheet, or has formulas without results.
    """
    cells, notes = _sheet(path, sheet)
    blank = np.array([all(cell is None or str(cell).strip() == "" for cell in row) for row in cells], bool)
    filled = np.flatnonzero(~blank)
    if notes and filled.size <= profile.header_rows:
        raise FileError(
            "The first sheet has no rows of answers, but there are others.",
            where=path.name,
            remedy="Name the sheet: sheet=, --sheet.",
        )
    if not filled.size:
        raise empty_file(path)
    if filled.size <= profile.header_rows:
        raise no_rows(path)
    header = [["" if cell is None else str(cell) for cell in cells[i]] for i in filled[: profile.header_rows]]
    body = [cells[i] for i in filled[profile.header_rows :]]
    width = max(i + 1 for row in (header[0], *body) for i, cell in enumerate(row) if cell not in (None, ""))
    names = column_names(header[0][:width], where=path.name)
    frame = pd.DataFrame([row[:width] for row in body], columns=names, dtype=object).infer_objects()
    return RawTable(
        frame=frame.replace({None: np.nan}) if frame.empty else frame,
        rows=filled[profile.header_rows :].astype(np.int64) + 1,
        row_unit="row",
        format="excel",
        labels=dict(zip(names, header[profile.label_row - 1], strict=False)) if profile.label_row else {},
        notes=notes,
    )


def read_spss(path: Path) -> RawTable:
    """Read an SPSS file (.sav, .zsav, .por); codes in its user-missing ranges are kept and declared missing.

    Raises
    ------
    FileError
        If the file is cut off, damaged or protected by a password.
    """
    if b"ENCRYPTEDSAV" in _head(path):
        raise _protected(path, "Open it in SPSS with the password and save it without one.")
    pyreadstat = require("pyreadstat", purpose="reading SPSS files")
    reader = pyreadstat.read_por if path.suffix.lower() == ".por" else pyreadstat.read_sav
    options = {} if path.suffix.lower() == ".por" else {"user_missing": True}
    frame, meta = _statistical(path, reader, options)
    ranges = {
        column: tuple((float(part["lo"]), float(part["hi"])) for part in parts if not isinstance(part["lo"], str))
        for column, parts in meta.missing_ranges.items()
    }
    return _labelled(path, frame, meta=meta, ranges=ranges, kind="spss")


def read_stata(path: Path) -> RawTable:
    """Read a Stata file (.dta); extended missing values (.a to .z) become missing.

    Raises
    ------
    FileError
        If the file is cut off or damaged.
    """
    _head(path)
    pyreadstat = require("pyreadstat", purpose="reading Stata files")
    frame, meta = _statistical(path, pyreadstat.read_dta, {})
    return _labelled(path, frame, meta=meta, ranges={}, kind="stata")


def read_parquet(path: Path) -> RawTable:
    """Read a parquet file.

    Raises
    ------
    FileError
        If the file is cut off or damaged.
    MissingExtraError
        If pyarrow is not installed.
    """
    _head(path)
    arrow = require("pyarrow", extra="scale", purpose="reading parquet files")
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except (arrow.ArrowInvalid, arrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    if frame.index.names != [None]:
        frame = frame.reset_index()
    if frame.empty:
        raise no_rows(path)
    frame.columns = pd.Index(column_names([str(name) for name in frame.columns], where=path.name))
    return RawTable(frame.reset_index(drop=True), rows=_records(len(frame)), row_unit="record", format="parquet")


def _sheet(path: Path, sheet: str | int | None) -> tuple[list[tuple[Any, ...]], tuple[str, ...]]:
    if _head(path).startswith(_OLE):
        raise _protected(path, "Open it in Excel and save it as .xlsx without a password.", old=True)
    openpyxl = require("openpyxl", purpose="reading Excel files")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        names = list(book.sheetnames)
        chosen = names[0] if sheet is None else names[sheet] if isinstance(sheet, int) and sheet < len(names) else sheet
        cells = list(book[chosen].iter_rows(values_only=True)) if chosen in names else []
        book.close()
        if chosen in names:
            refuse_without_results(path, str(chosen))
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    if chosen not in names:
        raise FileError(
            f"The workbook has no sheet {sheet!r}.", where=path.name, remedy=f"Its sheets: {', '.join(names)}."
        )
    several = sheet is None and len(names) > 1
    note = f"Sheet {chosen!r} was read, the first of {len(names)}; sheet= chooses another."
    return cells, (note,) if several else ()


def _statistical(path: Path, reader: Any, options: dict[str, Any]) -> tuple[pd.DataFrame, Any]:
    pyreadstat = require("pyreadstat", purpose="reading SPSS and Stata files")
    try:
        frame, meta = reader(str(path), **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, OSError) as error:
        raise _damaged(path, error) from error
    if frame.empty:
        raise no_rows(path)
    return frame, meta


def _labelled(
    path: Path, frame: pd.DataFrame, *, meta: Any, ranges: dict[str, tuple[tuple[float, float], ...]], kind: str
) -> RawTable:
    column_names([str(name) for name in frame.columns], where=path.name)
    text = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
    blanks = {name: frame[name].replace({"": np.nan}) for name in text}
    return RawTable(
        frame=frame.assign(**blanks) if blanks else frame,
        rows=_records(len(frame)),
        row_unit="record",
        format=kind,
        encoding=str(meta.file_encoding or ""),
        labels={name: label for name, label in meta.column_names_to_labels.items() if label},
        value_labels={
            column: {float(code): str(label) for code, label in labels.items() if not isinstance(code, str)}
            for column, labels in meta.variable_value_labels.items()
        },
        missing_ranges=ranges,
    )


def _records(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.arange(1, count + 1, dtype=np.int64)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        head = stream.read(64)
    if not head:
        raise empty_file(path)
    return head


def _protected(path: Path, remedy: str, *, old: bool = False) -> FileError:
    what = "The workbook is protected by a password or is an old .xls file." if old else "The file has a password."
    return FileError(what, where=path.name, remedy=remedy)


def _damaged(path: Path, error: Exception) -> FileError:
    text = str(error).strip().strip("'\"").split("\n")[0].rstrip(".")
    kind = path.suffix.lower().lstrip(".")
    return FileError(
        f"The file cannot be read as .{kind}: it is cut off, damaged or of another kind ({text}).",
        where=path.name,
        remedy="Compare its size with the original, and copy or export it again.",
    )
