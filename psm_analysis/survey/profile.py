"""How the exports of survey platforms are laid out, read from the data files in ``survey/profiles``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from psm_analysis._options import check_choice


@dataclass(frozen=True, slots=True)
class ExportProfile:
    """Layout of the export of one survey platform.

    Parameters
    ----------
    id, name
        The name to ask for and the name to show.
    verified
        Whether the layout was checked against a real export.
    source, unverified
        Where the layout was read, and what could not be checked.
    header_rows, label_row
        Number of header rows, and which of them (from 1) holds the question text; 0 for none.
    id_columns, time_columns
        Column names taken as identifier and as total response time in seconds when no codebook names them.
    metadata
        Regular expressions of columns that the platform adds by itself.
    missing_texts
        Cells that mean "no answer".
    code_pattern
        Regular expression whose first group is the code inside an answer such as ``A4``; empty for none.
    """

    id: str
    name: str
    verified: bool
    source: str
    unverified: str
    header_rows: int
    label_row: int
    id_columns: tuple[str, ...]
    time_columns: tuple[str, ...]
    metadata: tuple[str, ...]
    missing_texts: tuple[str, ...]
    code_pattern: str

    def is_metadata(self, column: str) -> bool:
        """Return whether the platform writes `column` into every export."""
        own = (*self.id_columns, *self.time_columns)
        return column in own or any(re.fullmatch(pattern, column) for pattern in self.metadata)


@cache
def profile_ids() -> tuple[str, ...]:
    """Return the ids of the known profiles.

    Examples
    --------
    >>> profile_ids()
    ('limesurvey', 'plain', 'qualtrics', 'redcap', 'wenjuanxing')
    """
    folder = files("psm_analysis.survey") / "profiles"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def load_profile(profile: str) -> ExportProfile:
    """Return the profile with the id `profile`.

    Raises
    ------
    OptionError
        If no profile has that id.

    Examples
    --------
    >>> load_profile("qualtrics").header_rows
    3
    """
    check_choice(profile, profile_ids(), name="profile")
    text = (files("psm_analysis.survey") / "profiles" / f"{profile}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return ExportProfile(
        id=profile,
        name=table["name"],
        verified=table["verified"],
        source=table["source"],
        unverified=table["unverified"],
        header_rows=table["header_rows"],
        label_row=table["label_row"],
        id_columns=tuple(table["id_columns"]),
        time_columns=tuple(table["time_columns"]),
        metadata=tuple(table["metadata"]),
        missing_texts=tuple(table["missing_texts"]),
        code_pattern=table["code_pattern"],
    )
