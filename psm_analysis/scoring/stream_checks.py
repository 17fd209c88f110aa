"""What is wrong with the answers and ids of a file that DuckDB scored: counted by SQL, said as for data in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psm_analysis.scoring.checks import Problem, another_coding, bad_answers, refuse, repeated_ids, shifted_codes
from psm_analysis.scoring.dialect import DIALECTS

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoredItem, ScoringModel

DUCK = DIALECTS["duckdb"]
SHOWN = 6


def bad_counts(base: Any, model: ScoringModel, numbers: str) -> dict[str, int]:
    """Return how many answers of each item are not codes; items without any are left out."""
    counts = ", ".join(f"count(*) FILTER ({_bad(item)})" for item in model.items)
    found = base.execute(f"SELECT {counts} FROM {numbers}").fetchone()
    return {item: int(count) for item, count in zip(model.item_ids, found, strict=True) if count}


def refuse_bad(
    base: Any, model: ScoringModel, numbers: str, *, relation: str, bad: dict[str, int], refused: bool, place: str
) -> None:
    """Raise a DataError if the items are coded otherwise, or if bad answers are refused and there are some."""
    coding = another_coding(model, {shift: _shifted(base, model, numbers, shift=shift) for shift in (-1, 1)})
    named = [item for item in model.items if item.id in bad and (refused or coding)]
    problems = [_named(base, item, numbers, relation=relation, count=bad[item.id]) for item in named]
    refuse(model, problems + coding, place=place)


def check_ids(base: Any, model: ScoringModel, *, relation: str, id: str, place: str) -> bool:
    """Raise a DataError if an id occurs twice; False if an id has blanks around it, which are for pandas to read."""
    name = DUCK.name(id)
    kind = base.execute(f"SELECT typeof({name}) FROM {relation} LIMIT 1").fetchone()
    blanks = f"count(*) FILTER ({name} <> trim({name}))" if kind == ("VARCHAR",) else "0"
    counts = f"SELECT count({name}), count(DISTINCT {name}), {blanks} FROM {relation}"
    given, distinct, padded = base.execute(counts).fetchone()
    if given > distinct:
        grouped = f"FROM {relation} WHERE {name} IS NOT NULL GROUP BY {name} HAVING count(*) > 1"
        count = base.execute(f"SELECT count(*) FROM (SELECT {name} {grouped})").fetchone()[0]
        values = base.execute(f"SELECT {name} {grouped} ORDER BY 1 LIMIT {SHOWN}").fetchall()
        refuse(model, [repeated_ids(id, int(count), values=[value for (value,) in values])], place=place)
    return int(padded) == 0


def rising(file: Path, id: str) -> bool:
    """Tell whether the ids of a parquet file rise from row to row: a cheap way to know that none occurs twice.

    That is told of whole numbers, and of texts without blanks around them.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    last: Any = None
    try:
        opened = ParquetFile(file)
        for group in range(opened.num_row_groups):  # not one reader of all groups: it keeps what it has read
            ids = opened.read_row_group(group, columns=[id]).column(0)
            if len(ids) and not _rises(ids, after=last):
                return False
            last = ids[-1] if len(ids) else last
    except (ArrowException, OSError):  # what is wrong with the file is for its reader to say
        return False
    return True


def _rises(ids: Any, *, after: Any) -> bool:
    import pyarrow as pa
    from pyarrow import compute

    text = pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type)
    if ids.null_count or not (text or pa.types.is_integer(ids.type)):
        return False
    if text and not compute.all(compute.equal(ids, compute.utf8_trim_whitespace(ids))).as_py():
        return False
    within = compute.all(compute.greater(ids[1:], ids[:-1])).as_py() if len(ids) > 1 else True
    return bool(within and (after is None or compute.greater(ids[0], after).as_py()))


def _bad(item: ScoredItem) -> str:
    name, codes = DUCK.name(item.id), ", ".join(map(str, item.codes))
    return f"coalesce({name} NOT IN ({codes}) AND NOT isnan(CAST({name} AS DOUBLE)), FALSE)"


def _shifted(base: Any, model: ScoringModel, numbers: str, *, shift: int) -> list[ScoredItem]:
    parts = []
    for item in model.items:
        name, (outside, unused) = DUCK.name(item.id), shifted_codes(item, shift)
        parts.append(f"coalesce(bool_or({name} = {outside}) AND NOT bool_or({name} = {unused}), FALSE)")
    found = base.execute(f"SELECT {', '.join(parts)} FROM {numbers}").fetchone()
    return [item for item, yes in zip(model.items, found, strict=True) if yes]


def _named(base: Any, item: ScoredItem, numbers: str, *, relation: str, count: int) -> Problem:
    """Return the problem of an item: bad answers as written in the file, and numbers of rows from 1."""
    name = DUCK.name(item.id)
    rows = f"(SELECT {name}, row_number() OVER () AS psm_row_ FROM {numbers})"
    found = base.execute(f"SELECT psm_row_ FROM {rows} WHERE {_bad(item)} ORDER BY 1 LIMIT {SHOWN}").fetchall()
    places = [int(row) for (row,) in found]
    written = f"(SELECT {name}, row_number() OVER () AS psm_row_ FROM {relation})"
    listed = ", ".join(map(str, places))
    values = base.execute(f"SELECT {name} FROM {written} WHERE psm_row_ IN ({listed}) ORDER BY psm_row_").fetchall()
    return bad_answers(item, count, values=dict.fromkeys(value for (value,) in values), rows=places)
