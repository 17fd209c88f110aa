"""Scores written as csv or parquet with a report of the run beside them; the same input gives the same bytes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from psm_analysis.errors import FileError, require
from psm_analysis.scoring.store import refuse_existing, write_file

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check_output(path: str | Path, *, overwrite: bool) -> None:
    """Raise a FileError before any work if the scores could not be written there."""
    target = Path(path)
    if target.suffix.lower() not in (".csv", ".parquet"):
        raise FileError(
            f"Scores are not written as {target.suffix!r}.", where=str(target), remedy="Known: .csv, .parquet."
        )
    refuse_existing(target, overwrite=overwrite)
    refuse_existing(report_path(target), overwrite=overwrite)


def report_path(path: str | Path) -> Path:
    """Return where the report of a run lies: ``scores.csv`` has ``scores.csv.run.json``."""
    target = Path(path)
    return target.with_name(f"{target.name}.run.json")


def write_scores(scores: pd.DataFrame, path: str | Path, *, report: dict[str, Any], overwrite: bool = False) -> None:
    """Write the report of the run, then the scores; each appears whole or not at all.

    Texts in csv files that a spreadsheet would run as a formula get an apostrophe in front.
    """
    target = Path(path)
    check_output(target, overwrite=overwrite)
    content = _csv(scores) if target.suffix.lower() == ".csv" else _parquet(scores)
    text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    write_file(report_path(target), text.encode(), overwrite=overwrite)
    write_file(target, content, overwrite=overwrite)


def _csv(scores: pd.DataFrame) -> bytes:
    safe = scores.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = [_neutral(value) for value in safe[column]]
    return safe.rename(columns=_neutral).to_csv(index=False, lineterminator="\n").encode()


def _neutral(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _parquet(scores: pd.DataFrame) -> bytes:
    require("pyarrow", extra="scale", purpose="writing parquet")
    buffer = io.BytesIO()
    scores.to_parquet(buffer, index=False, engine="pyarrow")
    return buffer.getvalue()
