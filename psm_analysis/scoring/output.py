"""Scores written with a report of the run beside them; the same input gives the same bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from psm_analysis.errors import FileError
from psm_analysis.scoring.encode import FORMATS, encode
from psm_analysis.scoring.store import refuse_existing, write_file


def check_output(path: str | Path, *, overwrite: bool) -> None:
    """Raise a FileError before any work if the scores could not be written there."""
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise FileError(
            f"Scores are not written as {target.suffix!r}.", where=str(target), remedy=f"Known: {', '.join(FORMATS)}."
        )
    refuse_existing(target, overwrite=overwrite)
    refuse_existing(report_path(target), overwrite=overwrite)


def report_path(path: str | Path) -> Path:
    """Return where the report of a run lies: ``scores.csv`` has ``scores.csv.run.json``."""
    target = Path(path)
    return target.with_name(f"{target.name}.run.json")


def write_scores(scores: pd.DataFrame, path: str | Path, *, report: dict[str, Any], overwrite: bool = False) -> None:
    """Write the report of the run, then the scores; each appears whole or not at all; see `encode` for the formats."""
    target = Path(path)
    check_output(target, overwrite=overwrite)
    content = encode(scores, target.suffix.lower())
    text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    write_file(report_path(target), text.encode(), overwrite=overwrite)
    write_file(target, content, overwrite=overwrite)


def place_scores(file: Path, path: str | Path, *, report: dict[str, Any], overwrite: bool = False) -> None:
    """Write the report of the run, then rename a finished file of scores to its place."""
    target = Path(path)
    try:
        check_output(target, overwrite=overwrite)
        text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        write_file(report_path(target), text.encode(), overwrite=overwrite)
        os.chmod(file, 0o644)
        os.replace(file, target)
    finally:
        file.unlink(missing_ok=True)
