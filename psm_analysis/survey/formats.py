"""Which reader a file needs, by its extension; and the hash that identifies it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from psm_analysis._options import nearest
from psm_analysis.errors import FileError
from psm_analysis.survey.binary_file import read_excel, read_parquet, read_spss, read_stata
from psm_analysis.survey.profile import ExportProfile
from psm_analysis.survey.raw_table import RawTable
from psm_analysis.survey.text_file import read_text

TEXT = (".csv", ".tsv", ".txt", ".tab", ".dat")
EXCEL = (".xlsx", ".xlsm", ".xls")
SPSS = (".sav", ".zsav", ".por")
STATA = (".dta",)
PARQUET = (".parquet", ".pq")
KNOWN = (*TEXT, *EXCEL, *SPSS, *STATA, *PARQUET)


def read_table(
    path: Path,
    profile: ExportProfile,
    *,
    sheet: str | int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    as_text: tuple[str, ...] = (),
) -> RawTable:
    """Read the cells of a file; the extension decides how.

    Raises
    ------
    FileError
        If there is no such file, its extension is not known, or it cannot be read.
    """
    _check_file(path)
    kind = path.suffix.lower()
    try:
        if kind in TEXT:
            return read_text(path, profile, encoding=encoding, delimiter=delimiter, as_text=as_text)
        if kind in EXCEL:
            return read_excel(path, profile, sheet=sheet)
        if kind in SPSS:
            return read_spss(path)
        return read_stata(path) if kind in STATA else read_parquet(path)
    except PermissionError as error:
        raise FileError(
            "The file may not be read.", where=str(path), remedy="Close the program that holds it, or ask for access."
        ) from error


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise FileError("This is a folder, not a file.", where=str(path), remedy="Name the file inside it.")
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir() if entry.exists()] if path.parent.is_dir() else []
        remedy = f"{nearest(path.name, beside)}Check the path and the name."
        raise FileError("There is no such file.", where=str(path), remedy=remedy)
    if path.suffix.lower() not in KNOWN:
        raise FileError(
            f"The extension {path.suffix!r} is not known.", where=str(path), remedy=f"Known: {', '.join(KNOWN)}."
        )
