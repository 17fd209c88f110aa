"""Csv and parquet files scored by DuckDB without loading them: one pass, then a look at what was written."""

from __future__ import annotations

import importlib.util
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psm_analysis._options import BadValues, ScoreColumns
from psm_analysis.errors import FileError, require
from psm_analysis.scoring import stream_memory
from psm_analysis.scoring.apply import refuse_name
from psm_analysis.scoring.batches import score_batches, score_fields
from psm_analysis.scoring.dialect import DIALECTS
from psm_analysis.scoring.output import unwritable
from psm_analysis.scoring.sql import statement
from psm_analysis.scoring.stream_checks import bad_counts, check_ids, refuse_bad, rising
from psm_analysis.scoring.stream_memory import connected, writing_threads

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoringModel

BATCH = 100_000
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
CSV = "header = true, skip = 0, delim = ',', quote = '\"', escape = '\"', comment = '', all_varchar = true"
NUMBERS = (*WHOLE, "FLOAT", "DOUBLE")
MISSING_TEXTS = ("", "NA", "NaN", "nan", "N/A", "#N/A", "#NULL!", "NULL", ".")
DUCK = DIALECTS["duckdb"]


@dataclass(frozen=True, slots=True)
class Streamed:
    """What the report of a run says about the scores that were written."""

    rows_in: int
    rows: int
    without_score: dict[str, int]
    flags: dict[str, int]
    bad: dict[str, int]
    other_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """A file as DuckDB sees it: its name, what stands after FROM, and the type of every column."""

    place: str
    relation: str
    kinds: dict[str, str]
    csv: bool

    def numbers(self, model: ScoringModel, *, id: str | None) -> str:
        """Return a relation of the id and the items as numbers; a text that is no number is infinite."""
        kept = [] if id is None else [DUCK.name(id)]
        for item in map(DUCK.name, model.item_ids):
            no_number = f"CASE WHEN trim({item}) <> '' THEN CAST('infinity' AS DOUBLE) END"
            text = f"coalesce(TRY_CAST(trim({item}) AS DOUBLE), {no_number})"
            kept.append(f"{text} AS {item}" if self.csv else item)
        return f"(SELECT {', '.join(kept)} FROM {self.relation}) AS wave"


def stream_scores(
    model: ScoringModel,
    source: Path,
    *,
    file: Path,
    target: Path,
    id: str | None,
    bad_values: BadValues = "refuse",
    columns: ScoreColumns = "all",
) -> Streamed | None:
    """Score into `file`, which will get the name of `target`, in blocks; None if the file is not for DuckDB.

    That is a csv or parquet file with one column of numbers (in csv, of anything) per item and one id column without
    blanks around the ids. What is wrong with the columns of any other file is for `score_frame` to say.

    Raises
    ------
    DataError
        If answers or ids cannot be used; every problem is named in one message.
    FileError
        If the scores cannot be written, or need more memory than `stream_memory.ROOMY`.
    """
    kinds = (".csv", ".parquet")
    if source.suffix.lower() not in kinds or target.suffix.lower() != ".parquet" or set("*?[]{}") & set(str(source)):
        return None
    if not source.is_file() or importlib.util.find_spec("duckdb") is None:
        return None
    duckdb = require("duckdb", extra="scale", purpose="scoring large files")
    threads = writing_threads(model, source, columns=columns)
    for limit in (stream_memory.MEMORY, stream_memory.ROOMY):
        try:
            with connected(limit, threads=threads) as base:
                return _streamed(
                    base, model, source, file=file, target=target, id=id, bad_values=bad_values, columns=columns
                )
        except duckdb.OutOfMemoryException:
            continue
    raise FileError(
        f"Scoring needs more than {stream_memory.ROOMY} of memory.",
        where=str(source),
        remedy="Write the scores alone (columns='scores', --columns scores), or cut the file into parts.",
    )


def _streamed(
    base: Any,
    model: ScoringModel,
    source: Path,
    *,
    file: Path,
    target: Path,
    id: str | None,
    bad_values: BadValues,
    columns: ScoreColumns,
) -> Streamed | None:
    wave = seen(base, model, source=source, id=id)
    if wave is None:
        return None
    write = _write_batches if model.method == "eap" else _write_linear
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(rising, source, id) if id is not None and not wave.csv else None
        drop = bad_values == "drop"
        written = write(base, model, wave, file=file, target=target, id=id, columns=columns, drop=drop)
    if not written:
        return None
    rises = ahead.result() if ahead else id is not None and not drop and rising(file, id)
    return _looked_at(base, model, wave=wave, file=file, id=id, rises=rises, bad_values=bad_values)


def seen(base: Any, model: ScoringModel, *, source: Path, id: str | None) -> Wave | None:
    """Return the file as DuckDB sees it; None if it cannot read it or its columns are not as they should be."""
    duckdb = require("duckdb", extra="scale", purpose="scoring large files")
    csv = source.suffix.lower() == ".csv"
    relation = _relation(source, csv=csv)
    try:
        kinds = {row[0]: row[1] for row in base.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return None
    needed = [*model.item_ids, *([] if id is None else [id])]
    lower = [name.lower() for name in kinds]
    if any(name not in kinds or lower.count(name.lower()) > 1 or f"{name.lower()}_1" in lower for name in needed):
        return None
    if not csv and any(kinds[item] not in NUMBERS for item in model.item_ids):
        return None
    return Wave(source.name, relation, kinds, csv)


def _relation(source: Path, *, csv: bool) -> str:
    path = DUCK.text(str(source))
    if not csv:
        return f"read_parquet({path})"
    nulls = ", ".join(map(DUCK.text, MISSING_TEXTS))
    return f"read_csv({path}, {CSV}, nullstr = [{nulls}])"


def _write_linear(
    base: Any,
    model: ScoringModel,
    wave: Wave,
    *,
    file: Path,
    target: Path,
    id: str | None,
    columns: ScoreColumns,
    drop: bool,
) -> bool:
    """Write the scores by one statement; False if the file cannot be read to its end."""
    duckdb = require("duckdb", extra="scale", purpose="scoring large files")
    whole = [item for item in model.item_ids if wave.kinds[item] in WHOLE]
    source = wave.numbers(model, id=id)
    query = statement(model, source, dialect=DUCK, id=id, columns=columns, whole=whole, drop=drop)
    try:
        base.execute(
            f"COPY ({query}) TO {DUCK.text(str(file))} (FORMAT parquet, COMPRESSION snappy, USE_TMP_FILE false)"
        )
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        if isinstance(error, duckdb.IOException) and re.search("write|space", str(error), re.IGNORECASE):
            raise unwritable(target, _reason(error)) from error
        return False
    return True


def _write_batches(
    base: Any,
    model: ScoringModel,
    wave: Wave,
    *,
    file: Path,
    target: Path,
    id: str | None,
    columns: ScoreColumns,
    drop: bool,
) -> bool:
    """Write the scores batch by batch; False if the file cannot be read to its end."""
    from pyarrow import ArrowException, schema
    from pyarrow.parquet import ParquetWriter

    refuse_name(model, id)
    query = f"SELECT * FROM {wave.numbers(model, id=id)}"
    try:
        reader = base.sql(query).to_arrow_reader(BATCH)
        batches = score_batches(model, reader, id=id, columns=columns, drop=drop)
        fields = [] if id is None else [reader.schema.field(id)]
        with ParquetWriter(file, schema([*fields, *score_fields(model, columns=columns)])) as writer:
            for batch in batches:
                writer.write_batch(batch)
    except OSError as error:
        raise unwritable(target, error.strerror or str(error)) from error
    except require("duckdb").OutOfMemoryException:
        raise
    except (ArrowException, require("duckdb").Error):
        return False
    return True


def _looked_at(
    base: Any, model: ScoringModel, *, wave: Wave, file: Path, id: str | None, rises: bool, bad_values: BadValues
) -> Streamed | None:
    from pyarrow.parquet import ParquetFile

    place = {name: j for j, name in enumerate(ParquetFile(file).schema_arrow.names)}
    written = ParquetFile(file).metadata
    rows = int(written.num_rows)
    groups = [written.row_group(g) for g in range(written.num_row_groups)]
    lost = {s.id: sum(group.column(place[s.id]).statistics.null_count for group in groups) for s in model.scales}
    flags = _flag_counts(base, file)
    rows_in = rows
    if bad_values == "drop":
        rows_in = int(base.execute(f"SELECT count(*) FROM {wave.relation}").fetchone()[0])
    bad: dict[str, int] = {}
    if "bad_value" in flags or rows_in > rows:
        numbers = wave.numbers(model, id=None)
        bad = bad_counts(base, model, numbers)
        refuse_bad(
            base, model, numbers, relation=wave.relation, bad=bad, refused=bad_values == "refuse", place=wave.place
        )
    if rows_in == 0:
        return None
    if id is not None and not rises:
        relation = wave.relation if rows_in > rows else f"read_parquet({DUCK.text(str(file))})"
        if not check_ids(base, model, relation=relation, id=id, place=wave.place):
            return None
    others = tuple(name for name in wave.kinds if name not in (*model.item_ids, id))
    return Streamed(rows_in, rows, lost, flags, bad, others)


def _flag_counts(base: Any, file: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    query = f"SELECT flags, count(*) FROM read_parquet({DUCK.text(str(file))}) GROUP BY ALL HAVING flags <> ''"
    for text, count in base.execute(query).fetchall():
        for flag in text.split(";"):
            counts[flag] = counts.get(flag, 0) + int(count)
    return dict(sorted(counts.items()))


def _reason(error: Exception) -> str:
    """Return what the system said, out of a message of DuckDB."""
    found = re.search(r'"exception_message":\s*"((?:[^"\\]|\\.)*)"', str(error))
    text = found.group(1).replace('\\"', '"') if found else str(error)
    return text.splitlines()[0]
