"""Files that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psm_analysis.errors import FileError

END = ".part"
LOCKS = os.name == "posix"
"""Elsewhere a file that is held open cannot be renamed, so none is locked, and none removed."""
if LOCKS:
    import fcntl


def write_atomically(path: str | Path, content: bytes, *, make_folder: bool = True) -> Path:
    """Write `content` to `path` through a temporary file of the same folder, which is made if it is missing.

    Raises
    ------
    FileError
        If the folder cannot be made (or, without `make_folder`, is missing) or the file cannot be written; an older
        file then stays as it was.
    """
    target = Path(path)
    try:
        if make_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(target) as temporary:
            temporary.write_bytes(content)
            temporary.chmod(0o644)
            temporary.replace(target)
    except OSError as error:
        raise FileError(
            f"The file cannot be written: {error.strerror or error}.",
            where=str(target),
            remedy="Choose a folder that exists and that you may write to, and close the file if it is open elsewhere.",
        ) from error
    return target


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """Give an empty hidden file ``.name.xxxxxxxx.part`` beside its place; what was not renamed is gone afterwards.

    A run holds a lock on its file while it lives. Files of the same target that nobody holds are those of killed runs,
    and are removed first.
    """
    remove_stale(target)
    handle, file = _held(target)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
        if LOCKS:
            os.close(handle)


def remove_stale(target: Path) -> None:
    """Remove the temporary files that killed runs left beside a target; those of living runs stay."""
    if not LOCKS or not target.parent.is_dir():
        return
    left = re.compile(rf"\.{re.escape(target.name)}\.\w{{8}}{re.escape(END)}")
    for file in target.parent.iterdir():
        if left.fullmatch(file.name):
            with suppress(OSError):  # it is of a living run or of another user, or has gone meanwhile
                _remove_unless_held(file)


def _remove_unless_held(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.unlink()
    finally:
        os.close(handle)


def _held(target: Path) -> tuple[int, Path]:
    """Make a file and lock it; again, if another run took it for a stale one in between."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=END, dir=target.parent)
        if not LOCKS:
            os.close(handle)
            return handle, Path(name)
        with suppress(OSError):  # a file system without locks, where none is ever taken for stale
            fcntl.flock(handle, fcntl.LOCK_SH)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)
