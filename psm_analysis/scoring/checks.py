"""New rows checked against what the model was made for: every problem is found before anything is computed."""

from __future__ import annotations

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


COLUMNS = (
    "Name the columns by item id. If an item was not asked in this wave, add an empty column for it: its scales follow "
    "the missing rule, and psm.link links the waves by the other items."
)
VALUES = "Correct the file; bad_values='missing' or 'drop' lets single bad answers pass, and counts them."


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Usable answers of the kept rows, and what was not usable."""

    values: NDArray[np.float64]
    kept: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    bad: dict[str, int]


def read_answers(model: ScoringModel, frame: pd.DataFrame, *, id: str | None, bad_values: BadValues) -> Answers:
    """Return the answers to the items in the order of the model.

    Raises
    ------
    DataError
        Names all problems: columns that are missing or there twice, an id that is missing or repeated, text, codes
        that the item does not have, another coding.
    """
    problems = _column_problems(model, frame, id=id)
    present = [item for item in model.items if list(frame.columns).count(item.id) == 1]
    read = {item.id: _codes(frame[item.id], item) for item in present}
    coding = _coding_problem(model, frame)
    if bad_values == "refuse" or coding:
        wrong = [item for item in present if read[item.id][1].any()]
        problems += [_value_problem(frame[item.id], item, bad=read[item.id][1]) for item in wrong]
    problems += coding
    refuse(model, problems, absent=sum(item not in frame.columns for item in model.item_ids))
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


def refuse(model: ScoringModel, problems: list[str], *, absent: int = 0) -> None:
    """Raise a DataError that names all problems, if there are any; `absent` of them are columns that are missing."""
    if problems:
        head = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise DataError(
            f"The rows cannot be scored, {head}:\n  " + "\n  ".join(problems) + "\n",
            where=f"scoring model of '{model.instrument}'",
            remedy=" ".join([COLUMNS] * (absent > 0) + [VALUES] * (len(problems) > absent)),
        )


def _column_problems(model: ScoringModel, frame: pd.DataFrame, *, id: str | None) -> list[str]:
    names = list(frame.columns)
    problems = []
    for item in model.item_ids:
        if item not in names:
            others = [name for name in names if name not in model.item_ids]
            problems.append(f"column '{item}' is missing. {nearest(item, others)}".rstrip())
        elif names.count(item) > 1:
            problems.append(f"column '{item}' occurs {names.count(item)} times.")
    if id is not None and names.count(id) != 1:
        problems.append(f"id column '{id}' occurs {names.count(id)} times. {nearest(id, names)}".rstrip())
    elif id is not None:
        twice = frame[id][frame[id].duplicated() & frame[id].notna()].unique()
        if len(twice):
            problems.append(repeated_ids(id, len(twice), values=twice))
    return problems


def repeated_ids(id: str, count: int, *, values: Iterable[object]) -> str:
    """Return the sentence about ids that occur more than once."""
    return f"id column '{id}': {count} ids occur more than once ({_shown(values)})."


def _codes(column: pd.Series, item: ScoredItem) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan), np.ones(len(column), dtype=bool)
    given = column.notna().to_numpy(dtype=bool)
    if not pd.api.types.is_numeric_dtype(column):
        given = given & (column.astype("string").str.strip() != "").fillna(False).to_numpy(dtype=bool)
    codes = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = given & ~np.isin(codes, item.codes)
    return np.where(bad | ~given, np.nan, codes), bad


def _value_problem(column: pd.Series, item: ScoredItem, *, bad: NDArray[np.bool_]) -> str:
    return bad_answers(item, int(bad.sum()), values=column[bad].unique(), rows=column.index[bad])


def bad_answers(item: ScoredItem, count: int, *, values: Iterable[object], rows: Iterable[object]) -> str:
    """Return the sentence about answers that are not codes of an item."""
    span = ", ".join(map(str, item.codes))
    return f"column '{item.id}': {count} answers are not codes ({span}): {_shown(values)} in rows {_shown(rows)}."


def _coding_problem(model: ScoringModel, frame: pd.DataFrame) -> list[str]:
    shifted = {
        shift: [item for item in model.items if item.id in frame.columns and _shifted(frame, item, shift=shift)]
        for shift in (-1, 1)
    }
    return another_coding(model, shifted)


def another_coding(model: ScoringModel, shifted: dict[int, list[ScoredItem]]) -> list[str]:
    """Say whether most items lie one code below or above their scale: 0-4 for 1-5, or 1-5 for 0-4."""
    for shift, found in shifted.items():
        if 2 * len(found) > len(model.items):
            codes = found[0].codes
            return [
                f"{len(found)} of {len(model.items)} items seem to be coded {codes[0] + shift}-{codes[-1] + shift} "
                f"instead of {codes[0]}-{codes[-1]}: {'add' if shift < 0 else 'subtract'} 1."
            ]
    return []


def _shifted(frame: pd.DataFrame, item: ScoredItem, *, shift: int) -> bool:
    column = frame.loc[:, frame.columns == item.id].iloc[:, 0]
    if pd.api.types.is_bool_dtype(column):
        return False
    codes = pd.to_numeric(column, errors="coerce").dropna().unique()
    outside, unused = shifted_codes(item, shift)
    return outside in codes and unused not in codes


def shifted_codes(item: ScoredItem, shift: int) -> tuple[int, int]:
    """Return the code that only a coding one below (-1) or above (1) has, and the one that it lacks."""
    return (item.codes[0] - 1, item.codes[-1]) if shift < 0 else (item.codes[-1] + 1, item.codes[0])


def _shown(values: Iterable[object]) -> str:
    listed = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(listed[:5]) + (" ..." if len(listed) > 5 else "")
