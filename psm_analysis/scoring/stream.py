"""Clean csv and parquet files scored by DuckDB without loading them; anything else is left to pandas."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psm_analysis.errors import FileError, require
from psm_analysis.scoring.sql import quoted, statement

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoredItem, ScoringModel

MEMORY = "400MB"
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
NUMBERS = (*WHOLE, "FLOAT", "DOUBLE")
MISSING_TEXTS = ("", "NA", "NaN", "nan", "N/A", "#N/A", "#NULL!", "NULL", ".")


@dataclass(frozen=True, slots=True)
class Streamed:
    """Scores in a temporary file beside their place, and what the report of the run says about them."""

    file: Path
    rows: int
    without_score: dict[str, int]
    other_columns: tuple[str, ...]


def stream_scores(model: ScoringModel, source: Path, *, target: Path, id: str | None) -> Streamed | None:
    """Score a file in blocks, every answer checked by SQL before; None if it is not for DuckDB or not clean.

    A file is clean if each item is one column of numbers (in csv, of codes), every answer is a code of its item or
    missing, and the ids are given, differ, and have no blanks around them. What is wrong with any other file is for
    `score_frame` to say.

    Raises
    ------
    FileError
        If the scores cannot be written.
    """
    kinds = (".csv", ".parquet")
    if source.suffix.lower() not in kinds or target.suffix.lower() != ".parquet" or set("*?[]{}") & set(str(source)):
        return None
    if not source.is_file() or importlib.util.find_spec("duckdb") is None:
        return None
    duckdb = require("duckdb", extra="scale", purpose="scoring large files")
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as base:
        base.execute(f"SET memory_limit = '{MEMORY}'")
        base.execute(f"SET temp_directory = {_text(spill)}")
        try:
            columns = _columns(base, _relation(source))
            clean = _is_clean(base, model, source=source, columns=columns, id=id)
        except duckdb.Error:
            return None
        if not clean:
            return None
        others = tuple(name for name in columns if name not in (*model.item_ids, id))
        query = statement(model, f"({_numbers(model, source, id=id)}) AS wave", id=id)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=_folder(target))
        os.close(handle)
        whole = False
        try:
            base.execute(f"COPY ({query}) TO {_text(name)} (FORMAT parquet, COMPRESSION snappy)")
            lost = ", ".join(f"count(*) - count({quoted(scale.id)})" for scale in model.scales)
            rows, *missing = base.execute(f"SELECT count(*), {lost} FROM read_parquet({_text(name)})").fetchone()
            whole = True
        except duckdb.Error as error:
            raise _unwritable(target, str(error)) from error
        finally:
            if not whole:
                Path(name).unlink(missing_ok=True)
    counts = {scale.id: int(count) for scale, count in zip(model.scales, missing, strict=True)}
    return Streamed(Path(name), int(rows), counts, others)


def _folder(target: Path) -> Path:
    if not os.access(target.parent, os.W_OK):
        raise _unwritable(target, "there is no such folder, or it is read-only")
    return target.parent


def _unwritable(target: Path, reason: str) -> FileError:
    return FileError(
        f"The file cannot be written: {reason}.",
        where=str(target),
        remedy="Choose a folder that exists and that you may write to, with enough space.",
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _relation(source: Path) -> str:
    if source.suffix.lower() == ".parquet":
        return f"read_parquet({_text(str(source))})"
    nulls = ", ".join(map(_text, MISSING_TEXTS))
    return f"read_csv({_text(str(source))}, header = true, delim = ',', all_varchar = true, nullstr = [{nulls}])"


def _columns(base: Any, relation: str) -> dict[str, str]:
    return {row[0]: row[1] for row in base.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def _is_clean(base: Any, model: ScoringModel, *, source: Path, columns: dict[str, str], id: str | None) -> bool:
    csv = source.suffix.lower() == ".csv"
    needed = [*model.item_ids, *([] if id is None else [id])]
    lower = [name.lower() for name in columns]
    if any(name not in columns or lower.count(name.lower()) > 1 or f"{name.lower()}_1" in lower for name in needed):
        return False
    if not csv and any(columns[item] not in NUMBERS for item in model.item_ids):
        return False
    checks = [_bad(item, csv=csv) for item in model.items]
    if id is not None:
        name = quoted(id)
        checks += [f"{name} IS NULL"] + ([f"{name} <> trim({name})"] if columns[id] == "VARCHAR" else [])
    relation = _relation(source)
    bad = base.execute(f"SELECT count(*), count(*) FILTER ({' OR '.join(checks)}) FROM {relation}").fetchone()
    if bad[0] == 0 or bad[1]:
        return False
    if id is None:
        return True
    return bool(base.execute(f"SELECT count(*) = count(DISTINCT {quoted(id)}) FROM {relation}").fetchone()[0])


def _bad(item: ScoredItem, *, csv: bool) -> str:
    name = quoted(item.id)
    if csv:
        codes = ", ".join(f"'{code}', '{code}.0'" for code in item.codes)
        return f"coalesce(trim({name}) NOT IN ({codes}), FALSE)"
    codes = ", ".join(map(str, item.codes))
    return f"coalesce({name} NOT IN ({codes}) AND NOT isnan(CAST({name} AS DOUBLE)), FALSE)"


def _numbers(model: ScoringModel, source: Path, *, id: str | None) -> str:
    kept = [] if id is None else [quoted(id)]
    cast = "TRY_CAST(trim({0}) AS DOUBLE) AS {0}" if source.suffix.lower() == ".csv" else "{0}"
    kept += [cast.replace("{0}", quoted(item)) for item in model.item_ids]
    return f"SELECT {', '.join(kept)} FROM {_relation(source)}"
