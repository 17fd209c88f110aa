"""Scores as the bytes of a file: csv, parquet, xlsx, sav or dta; the same scores give the same bytes."""

from __future__ import annotations

import datetime
import io
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

from psm_analysis.errors import FileError, require

FORMATS = (".csv", ".parquet", ".xlsx", ".sav", ".dta")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHEET_ROWS = 1_048_575
_LONGEST = {".sav": 64, ".dta": 32}
_SAV_DATE = slice(92, 109)


def encode(scores: pd.DataFrame, kind: str) -> bytes:
    """Return the bytes of a file of that extension; dates of making are fixed.

    Texts that a spreadsheet would run as a formula get an apostrophe in front in csv and xlsx.

    Raises
    ------
    FileError
        If a workbook cannot hold so many rows, or SPSS or Stata cannot have a column of that name.
    """
    if kind in _LONGEST:
        _check_names(scores, kind)
    return _ENCODERS[kind](scores)


def _csv(scores: pd.DataFrame) -> bytes:
    return _safe(scores).to_csv(index=False, lineterminator="\n").encode()


def _safe(scores: pd.DataFrame) -> pd.DataFrame:
    safe = scores.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = [_neutral(value) for value in safe[column]]
    return safe.rename(columns=_neutral)


def _neutral(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _parquet(scores: pd.DataFrame) -> bytes:
    require("pyarrow", extra="scale", purpose="writing parquet")
    buffer = io.BytesIO()
    scores.to_parquet(buffer, index=False, engine="pyarrow")
    return buffer.getvalue()


def _xlsx(scores: pd.DataFrame) -> bytes:
    if len(scores) > _SHEET_ROWS:
        raise FileError(
            f"A sheet holds {_SHEET_ROWS} rows.", where=f"{len(scores)} rows", remedy="Write parquet or csv."
        )
    buffer = io.BytesIO()
    _safe(scores).to_excel(buffer, index=False, sheet_name="scores", engine="openpyxl")
    fixed = io.BytesIO()
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in made.namelist():
            content = made.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", content)
            out.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def _sav(scores: pd.DataFrame) -> bytes:
    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scores.sav"
        pyreadstat.write_sav(scores, str(file))
        content = bytearray(file.read_bytes())
    content[_SAV_DATE] = b"01 Jan 0000:00:00"
    return bytes(content)


def _dta(scores: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    made = datetime.datetime(2000, 1, 1)
    scores.to_stata(buffer, write_index=False, version=118, time_stamp=made)
    return buffer.getvalue()


def _check_names(scores: pd.DataFrame, kind: str) -> None:
    longest = _LONGEST[kind]
    for name in map(str, scores.columns):
        size = len(name.encode()) if kind == ".sav" else len(name)
        if not name.isidentifier() or name.startswith("_") or size > longest:
            raise FileError(
                f"A {kind} file cannot have a column of this name (letters, digits, _; at most {longest}).",
                where=f"column {name!r}",
                remedy="Rename it, or write csv, xlsx or parquet.",
            )


_ENCODERS = {".csv": _csv, ".parquet": _parquet, ".xlsx": _xlsx, ".sav": _sav, ".dta": _dta}
