"""The names of the files that tables and figures are written to."""

from __future__ import annotations

from pathlib import Path

from psm_analysis.errors import OptionError


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
