"""Files that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from psm_analysis.errors import FileError


def write_atomically(path: str | Path, content: bytes, *, make_folder: bool = True) -> Path:
    """Write `content` to `path` through a temporary file of the same folder, which is made if it is missing.

    Raises
    ------
    FileError
        If the folder cannot be made (or, without `make_folder`, is missing) or the file cannot be written; an older
        file then stays as it was.
    """
    target = Path(path)
    temporary: str | None = None
    try:
        if make_folder:
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
            remedy="Choose a folder that exists and that you may write to, and close the file if it is open elsewhere.",
        ) from error
    return target
