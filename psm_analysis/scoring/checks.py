"""New rows checked against what the model was made for: every problem is found before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import BadValues, nearest
from psm_analysis.errors import DataError

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoredItem, ScoringModel


SHOWN = 5
COLUMNS = (
    "Name the columns by item id. If an item was not asked in this wave, add an empty column for it: its scales follow "
    "the missing rule, and psm.link links the waves by the other items."
)
ONCE = "Keep one column of each name."
IDS = "Give the id column by its name (id=, --id), and every person an id of their own; without one, leave it out."
VALUES = "Correct the file; bad_values='missing' or 'drop' lets single bad answers pass, and counts them."
RECODE = "Bring the answers to the codes of the items, in every wave by the same rule."
COMMA = "Write numbers with a decimal point, not a comma."


@dataclass(frozen=True, slots=True)
class Problem:
    """Something for which rows cannot be scored, and what to do about it."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Usable answers of the kept rows, and what was not usable."""

    values: NDArray[np.float64]
    kept: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    bad: dict[str, int]


def read_answers(
    model: ScoringModel, frame: pd.DataFrame, *, id: str | None, bad_values: BadValues, place: str = ""
) -> Answers:
    """Return the answers to the items in the order of the model; `place` is the file that they come from.

    Raises
    ------
    DataError
        Names all problems: columns that are missing or there twice, an id that is missing or repeated, text, codes
        that the item does not have, another coding.
    """
    problems = _column_problems(model, frame) + _id_problems(frame, id)
    present = [item for item in model.items if list(frame.columns).count(item.id) == 1]
    read = {item.id: _codes(frame[item.id], item) for item in present}
    coding = _coding_problem(model, frame)
    if bad_values == "refuse" or coding:
        wrong = [item for item in present if read[item.id][1].any()]
        problems += [_value_problem(frame[item.id], item, bad=read[item.id][1]) for item in wrong]
    refuse(model, problems + coding, place=place)
    return _answers(model, read, drop=bad_values == "drop")


def usable_answers(model: ScoringModel, frame: pd.DataFrame, *, drop: bool) -> Answers:
    """Return the answers without refusing any: those that are not codes are missing, or their rows are dropped."""
    return _answers(model, {item.id: _codes(frame[item.id], item) for item in model.items}, drop=drop)


def _answers(
    model: ScoringModel, read: dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]], *, drop: bool
) -> Answers:
    bad = np.column_stack([read[item][1] for item in model.item_ids])
    rows: NDArray[np.bool_] = np.asarray(bad.any(axis=1))
    kept: NDArray[np.bool_] = ~rows if drop else np.ones(len(rows), dtype=bool)
    values = np.column_stack([read[item][0] for item in model.item_ids])[kept]
    counts = {item: int(count) for item, count in zip(model.item_ids, bad.sum(axis=0), strict=True) if count}
    return Answers(values, kept=kept, changed=rows[kept], bad=counts)


def refuse(model: ScoringModel, problems: list[Problem], *, place: str = "") -> None:
    """Raise a DataError that names all problems, if there are any."""
    if problems:
        texts = [problem.text for problem in problems]
        known = f"scoring model of '{model.instrument}'"
        raise DataError(
            f"The rows cannot be scored, {_counted(len(texts), 'problem')}:\n  " + "\n  ".join(texts) + "\n",
            where=f"{place}, rows counted from 1; {known}" if place else known,
            remedy=" ".join(dict.fromkeys(problem.remedy for problem in problems)),
        )


def _column_problems(model: ScoringModel, frame: pd.DataFrame) -> list[Problem]:
    names = list(frame.columns)
    others = [name for name in names if name not in model.item_ids]
    absent = [item for item in model.item_ids if item not in names]
    found = [Problem(f"column '{item}' is missing. {nearest(item, others)}".rstrip(), COLUMNS) for item in absent]
    twice = {item: names.count(item) for item in model.item_ids if names.count(item) > 1}
    return found + [Problem(f"column '{item}' occurs {count} times.", ONCE) for item, count in twice.items()]


def _id_problems(frame: pd.DataFrame, id: str | None) -> list[Problem]:
    names = list(frame.columns)
    if id is None:
        return []
    if id not in names:
        hint = "It is the index: use reset_index()." if id in frame.index.names else nearest(id, names)
        return [Problem(f"id column '{id}' is missing. {hint}".rstrip(), IDS)]
    if names.count(id) > 1:
        return [Problem(f"id column '{id}' occurs {names.count(id)} times.", ONCE)]
    twice = frame[id][frame[id].duplicated() & frame[id].notna()].unique()
    return [repeated_ids(id, len(twice), values=twice)] if len(twice) else []


def repeated_ids(id: str, count: int, *, values: Iterable[object]) -> Problem:
    """Return the problem of ids that occur more than once."""
    occur = "occurs" if count == 1 else "occur"
    return Problem(f"id column '{id}': {_counted(count, 'id')} {occur} more than once ({_shown(values)}).", IDS)


def _codes(column: pd.Series, item: ScoredItem) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    given = column.notna().to_numpy(dtype=bool)
    if not _readable(column):
        return np.full(len(column), np.nan), given
    if not pd.api.types.is_numeric_dtype(column):
        given = given & (column.astype("string").str.strip() != "").fillna(False).to_numpy(dtype=bool)
    codes = _numbers(column)
    bad = given & ~np.isin(codes, item.codes)
    return np.where(bad | ~given, np.nan, codes), bad


def _readable(column: pd.Series) -> bool:
    """Tell whether a column is of numbers, text or categories: truth values, dates and lists are no codes."""
    kinds = pd.api.types
    if kinds.is_object_dtype(column):
        return kinds.infer_dtype(column) not in ("boolean", "datetime", "date", "timedelta", "complex")
    other = (kinds.is_bool_dtype, kinds.is_datetime64_any_dtype, kinds.is_timedelta64_dtype, kinds.is_complex_dtype)
    return not any(is_other(column) for is_other in other)


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column as numbers, NaN for what is none: truth values among other cells neither."""
    cells = column
    if pd.api.types.is_object_dtype(column):
        cells = column.where(column.map(lambda cell: not isinstance(cell, bool | np.bool_)))
    return pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _value_problem(column: pd.Series, item: ScoredItem, *, bad: NDArray[np.bool_]) -> Problem:
    wrong = column[bad]
    simple = wrong.map(lambda cell: cell if isinstance(cell, float) else str(cell)).unique()
    return bad_answers(item, int(bad.sum()), values=simple, rows=wrong.index)


def bad_answers(item: ScoredItem, count: int, *, values: Iterable[object], rows: Iterable[object]) -> Problem:
    """Return the problem of answers that are not codes of an item."""
    values, rows = list(values), list(rows)
    span = ", ".join(map(str, item.codes))
    what, no_code = ("answer", "is not a code") if count == 1 else ("answers", "are not codes")
    text = f"column '{item.id}': {count} {what} {no_code} ({span}): {_shown(values)} in row{'s' * (count > 1)} "
    comma = any(re.fullmatch(r"\d+,\d+", str(value)) for value in values[:SHOWN])
    return Problem(f"{text}{_shown(rows)}.", COMMA if comma else VALUES)


def _coding_problem(model: ScoringModel, frame: pd.DataFrame) -> list[Problem]:
    shifted = {
        shift: [item for item in model.items if item.id in frame.columns and _shifted(frame, item, shift=shift)]
        for shift in (-1, 1)
    }
    return another_coding(model, shifted)


def another_coding(model: ScoringModel, shifted: dict[int, list[ScoredItem]]) -> list[Problem]:
    """Say whether most items lie one code below or above their scale: 0-4 for 1-5, or 1-5 for 0-4."""
    for shift, found in shifted.items():
        if 2 * len(found) > len(model.items):
            codes = found[0].codes
            span = f"{codes[0] + shift}-{codes[-1] + shift} instead of {codes[0]}-{codes[-1]}"
            text = f"{len(found)} of {len(model.items)} items seem to be coded {span}"
            return [Problem(f"{text}: {'add' if shift < 0 else 'subtract'} 1.", RECODE)]
    return []


def _shifted(frame: pd.DataFrame, item: ScoredItem, *, shift: int) -> bool:
    column = frame.loc[:, frame.columns == item.id].iloc[:, 0]
    if not _readable(column):
        return False
    codes = np.unique(_numbers(column))
    outside, unused = shifted_codes(item, shift)
    return outside in codes and unused not in codes


def shifted_codes(item: ScoredItem, shift: int) -> tuple[int, int]:
    """Return the code that only a coding one below (-1) or above (1) has, and the one that it lacks."""
    return (item.codes[0] - 1, item.codes[-1]) if shift < 0 else (item.codes[-1] + 1, item.codes[0])


def _shown(values: Iterable[object]) -> str:
    listed = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(listed[:SHOWN]) + (" ..." if len(listed) > SHOWN else "")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count > 1)}"
