"""Scores written with a report of the run beside them; the same input gives the same bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from psm_analysis._files import temporary_beside
from psm_analysis.errors import FileError
from psm_analysis.scoring.encode import FORMATS, encode
from psm_analysis.scoring.store import refuse_existing, refuse_inputs, write_file


def check_output(path: str | Path, *, overwrite: bool, inputs: Iterable[str | Path] = ()) -> None:
    """Raise a FileError before any work if the scores could not be written there, or would replace an input."""
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise FileError(
            f"Scores are not written as {target.suffix!r}.", where=str(target), remedy=f"Known: {', '.join(FORMATS)}."
        )
    refuse_existing(target, overwrite=overwrite)
    refuse_inputs(target, inputs=inputs)


def report_path(path: str | Path) -> Path:
    """Return where the report of a run lies: ``scores.csv`` has ``scores.csv.run.json``."""
    target = Path(path)
    return target.with_name(f"{target.name}.run.json")


@contextmanager
def temporary_file(target: Path) -> Iterator[Path]:
    """Give an empty hidden file beside the target, gone afterwards; see `temporary_beside`.

    Raises
    ------
    FileError
        If no file can be made there, or not renamed.
    """
    try:
        with temporary_beside(target) as file:
            yield file
    except OSError as error:
        raise unwritable(target, error.strerror or str(error)) from error


def unwritable(target: Path, reason: str) -> FileError:
    """Return the error about scores that cannot be written."""
    return FileError(
        f"The file cannot be written: {reason}.",
        where=str(target),
        remedy="Choose a folder that exists and that you may write to, with enough space.",
    )


def write_scores(scores: pd.DataFrame, path: str | Path, *, report: dict[str, Any], overwrite: bool = False) -> None:
    """Write the report of the run, then the scores; each appears whole or not at all; see `encode` for the formats."""
    target = Path(path)
    check_output(target, overwrite=overwrite)
    content = encode(scores, target.suffix.lower())
    with temporary_file(target) as file:
        file.write_bytes(content)
        place_scores(file, target, report=report, overwrite=overwrite)


def place_scores(file: Path, path: str | Path, *, report: dict[str, Any], overwrite: bool = False) -> None:
    """Write the report of the run, then give a finished file of scores its name.

    Of two runs that may not overwrite, the first has the name; a report without scores is that of a killed run.
    """
    target = Path(path)
    text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    check_output(target, overwrite=overwrite)
    write_file(report_path(target), text.encode(), overwrite=True)
    file.chmod(0o644)
    if overwrite:
        file.replace(target)
    else:
        _rename_new(file, target)


def _rename_new(file: Path, target: Path) -> None:
    """Rename without replacing what another run has put there meanwhile."""
    try:
        os.link(file, target)
    except FileExistsError:
        refuse_existing(target, overwrite=False)
        raise
    except OSError:  # a file system without hard links
        os.replace(file, target)
