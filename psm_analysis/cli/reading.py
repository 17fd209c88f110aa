"""Options about how a survey file is read, the same for every command."""

from __future__ import annotations

import argparse
from pathlib import Path

from psm_analysis.errors import FileError

_DELIMITERS = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";"}


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    parser.add_argument("--sheet", help="sheet of a workbook")
    parser.add_argument("--encoding", help="of a text file; found out if not given")
    parser.add_argument("--delimiter", help="of a text file; found out if not given")


def reading(arguments: argparse.Namespace) -> dict[str, str | None]:
    """Return what was given, as the readers take it."""
    delimiter = _DELIMITERS.get(arguments.delimiter, arguments.delimiter)
    return {"sheet": arguments.sheet, "encoding": arguments.encoding, "delimiter": delimiter}


def model_text(path: str) -> str:
    """Return the text of a file with a measurement model.

    Raises
    ------
    FileError
        If it cannot be read or is not text in UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(
            f"The measurement model cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.",
            where=path,
            remedy="Give a text file with lavaan's syntax.",
        ) from error
