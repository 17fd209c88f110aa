"""Delimited text: delimiter, header rows, and rows whose number of cells differs from the header's."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.errors import FileError
from psm_analysis.survey.encoding import decode
from psm_analysis.survey.profile import ExportProfile
from psm_analysis.survey.raw_table import RawTable
from psm_analysis.survey.violation import EXAMPLES

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LINES = 50


def read_text(
    path: Path,
    profile: ExportProfile,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    as_text: tuple[str, ...] = (),
) -> RawTable:
    """Read a delimited text file cell by cell; the columns `as_text`, and the profile's identifiers, stay text.

    Raises
    ------
    FileError
        If the file is empty, is not text, has rows of another length than the header (every line is named),
        a quotation mark that is never closed, or two columns of one name.
    """
    text, codec, notes = decode(_content(path), name=path.name, encoding=encoding)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise empty_file(path)
    mark = delimiter or find_delimiter(text, tab_first=path.suffix.lower() == ".tsv")
    starts, widths = _records(text, delimiter=mark, name=path.name)
    _check_width(starts, widths, name=path.name)
    header = _header(text, delimiter=mark, rows=profile.header_rows)
    if len(starts) <= profile.header_rows:
        raise no_rows(path)
    names = column_names(header[0], where=path.name)
    first = int(starts[profile.header_rows])
    frame = pd.read_csv(
        io.StringIO(text.split("\n", first - 1)[-1]),
        sep=mark,
        header=None,
        names=names,
        index_col=False,
        keep_default_na=False,
        na_values=["", *profile.missing_texts],
        low_memory=False,
        dtype=dict.fromkeys(set(names) & {*profile.id_columns, *as_text}, str),
    )
    labels = dict(zip(names, header[profile.label_row - 1], strict=True)) if profile.label_row else {}
    return RawTable(
        frame=frame,
        rows=starts[profile.header_rows :],
        row_unit="line",
        format="csv",
        encoding=codec,
        delimiter=mark,
        labels=labels,
        notes=notes,
    )


def find_delimiter(text: str, *, tab_first: bool = False) -> str:
    r"""Return the delimiter that cuts the first lines into the most cells of one number.

    Examples
    --------
    >>> find_delimiter("a;b;c\n1,5;2;3\n")
    ';'
    """
    lines = [line for line in text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES] if line.strip()]
    order = ("\t", *_DELIMITERS) if tab_first else _DELIMITERS

    def merit(mark: str) -> tuple[float, int]:
        counts = [line.count(mark) for line in lines]
        common, agreeing = Counter(counts).most_common(1)[0]
        return (agreeing / len(counts) if common and counts[0] else 0.0, counts[0])

    return max(order, key=merit)


def column_names(cells: list[str], *, where: str) -> list[str]:
    """Return the names of a header row, stripped; an unnamed column is called after its number.

    Raises
    ------
    FileError
        If two columns have one name.
    """
    names = [str(cell).strip().removeprefix("\ufeff") or f"column {i}" for i, cell in enumerate(cells, start=1)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise FileError(
            f"Several columns have one name: {', '.join(map(repr, repeated[:EXAMPLES]))}.",
            where=f"{where}, header",
            remedy="Give every column its own name in the header.",
        )
    return names


def empty_file(path: Path) -> FileError:
    """Return the error for a file without any content."""
    return FileError("The file is empty.", where=path.name, remedy="Export the data again.")


def no_rows(path: Path) -> FileError:
    """Return the error for a file that has a header and nothing below it."""
    return FileError(
        "The file has a header but no rows of answers.",
        where=path.name,
        remedy="Export the data again, with the answers; or choose the profile that fits the header rows.",
    )


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if not content:
        raise empty_file(path)
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"$FL2", b"$FL3")):
        kind = "an SPSS file" if content.startswith(b"$FL") else "an Excel or zip file"
        raise FileError(
            f"The file is named {path.suffix} but is {kind}.",
            where=path.name,
            remedy="Rename it with its true extension (.xlsx, .sav), or unpack it first.",
        )
    return content


def _records(text: str, *, delimiter: str, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first line and the number of cells of every record that is not blank."""
    if '"' not in text:
        lines = text.split("\n")
        widths = np.fromiter((line.count(delimiter) + 1 if line.strip(" ") else 0 for line in lines), np.int64)
        filled = np.flatnonzero(widths)
        return filled + 1, widths[filled]
    starts, widths_ = [], []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    line = 0
    try:
        for record in reader:
            if len(record) > 1 or any(cell.strip() for cell in record):
                starts.append(line + 1)
                widths_.append(len(record))
            line = reader.line_num
    except csv.Error as error:
        raise FileError(
            f"A quotation mark is out of place or never closed: {error}.",
            where=f"{name}, in the record that begins at line {line + 1}",
            remedy='Write a quotation mark inside a cell twice (""), or save the file again; it may be cut off.',
        ) from error
    return np.array(starts, np.int64), np.array(widths_, np.int64)


def _check_width(starts: NDArray[np.int64], widths: NDArray[np.int64], *, name: str) -> None:
    ragged = np.flatnonzero(widths != widths[0])
    if not ragged.size:
        return
    shown = [f"line {starts[i]} has {widths[i]}" for i in ragged[:EXAMPLES]]
    more = f" and {ragged.size - EXAMPLES} more" if ragged.size > EXAMPLES else ""
    cut_off = ragged.size == 1 and ragged[0] == len(widths) - 1 and widths[-1] < widths[0]
    raise FileError(
        f"The header has {widths[0]} cells, but {'; '.join(shown)}{more}.",
        where=f"{name}, line {starts[ragged[0]]}",
        remedy="The file breaks off in its last line: export or copy it again."
        if cut_off
        else "Look for a delimiter inside an answer (quote the answer), a missing cell, or a row broken in two;"
        " if every row is wrong, name the delimiter.",
    )


def _header(text: str, *, delimiter: str, rows: int) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    records = []
    for record in reader:
        if record and any(cell.strip() for cell in record):
            records.append(record)
        if len(records) == rows:
            break
    return records
