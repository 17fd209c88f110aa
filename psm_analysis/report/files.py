"""Files that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from psm_analysis.errors import FileError, OptionError


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write `content` to `path` through a temporary file of the same folder, which is made if it is missing.

    Raises
    ------
    FileError
        If the folder cannot be made or the file cannot be written; an older file then stays as it was.
    """
    target = Path(path)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise FileError(
            f"The file cannot be written: {error.strerror or error}.",
            where=str(target),
            remedy="Choose a folder that you may write to, and close the file if another program has it open.",
        ) from error
    return target


def check_stem(stem: str) -> str:
    """Return `stem` if it is a plain file name without folder, else raise.

    Examples
    --------
    >>> check_stem("table_1")
    'table_1'
    """
    if not stem or Path(stem).name != stem or stem in (".", ".."):
        raise OptionError(
            f"{stem!r} is not the name of a file.",
            where="argument 'stem'",
            remedy="Give a name without folder and without ending.",
        )
    return stem
