"""Repeated measures as one row per person: which column holds which item in which wave, from wide or long data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from psm_analysis._model_names import group_name
from psm_analysis._options import nearest
from psm_analysis.errors import DataError, OptionError

Waves = str | Mapping[str, str | Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One row per person, and of each wave the column of every item."""

    frame: pd.DataFrame
    columns: Mapping[str, Mapping[str, str]]


def make_panel(
    data: pd.DataFrame, items: Sequence[str], *, waves: Waves, person: str | None, keep: Sequence[str] = ()
) -> Panel:
    """Return the panel of wide data (`waves` maps waves to columns) or of long data (`waves` is a column).

    Raises
    ------
    OptionError
        If there are fewer than two waves, or `id` is missing or superfluous.
    DataError
        For columns that are not there, items that a wave does not have, and persons that a wave has twice.
    """
    if not isinstance(data, pd.DataFrame):
        raise DataError("The data are not a DataFrame.", where="argument 'data'", remedy="Give rows of a panel.")
    panel = _from_long(data, items, waves, person, keep) if isinstance(waves, str) else _from_wide(data, items, waves)
    if isinstance(waves, str) == (person is None):
        raise OptionError(
            "Long data need the column of the persons." if person is None else "Wide data have one row per person.",
            where="argument 'id'",
            remedy="Give id=." if person is None else "Leave id= out, or name the column of the waves in waves=.",
        )
    for wave, columns in panel.columns.items():
        for item, column in columns.items():
            if panel.frame[column].isna().all():
                raise DataError(
                    f"The item {item!r} has no answer in wave {wave!r}.",
                    where=f"column {column!r}",
                    remedy="Leave it out of the model: only items that every wave has can be compared.",
                )
    return panel


def _check_count(labels: Sequence[str], where: str) -> None:
    if len(labels) < 2:
        found = f"only {labels[0]!r}" if len(labels) else "none"
        raise OptionError(
            f"Invariance over waves needs two waves or more; there is {found}.",
            where=where,
            remedy="Use psm.cfa for a single wave.",
        )


def _from_wide(data: pd.DataFrame, items: Sequence[str], waves: Any) -> Panel:
    if not isinstance(waves, Mapping):
        raise OptionError(
            "waves= is neither a column nor a mapping.",
            where="argument 'waves'",
            remedy="Give the column of the waves (long data), or {'t1': '{item}_t1', 't2': '{item}_t2'} (wide data).",
        )
    _check_count([str(wave) for wave in waves], "argument 'waves'")
    columns = {str(wave): {item: _column(item, wave, given) for item in items} for wave, given in waves.items()}
    used: dict[str, tuple[str, str]] = {}
    for wave, mine in columns.items():
        for item, column in mine.items():
            if column not in data.columns:
                raise DataError(
                    f"The item {item!r} of wave {wave!r} should be in the column {column!r}, which is not in the data.",
                    where="argument 'waves'",
                    remedy=f"{nearest(column, data.columns)}Correct waves=, or leave the item out of the model.",
                )
            if column in used:
                other, when = used[column]
                raise OptionError(
                    f"The column {column!r} is both {other!r} of wave {when!r} and {item!r} of wave {wave!r}.",
                    where="argument 'waves'",
                    remedy="Give every item a column of its own in every wave.",
                )
            used[column] = (item, wave)
    return Panel(data, columns)


def _column(item: str, wave: object, given: Any) -> str:
    if isinstance(given, Mapping):
        if item not in given:
            raise OptionError(
                f"Wave {str(wave)!r} has no column for the item {item!r}.",
                where="argument 'waves'",
                remedy="Add it, or leave the item out of the model: only items that every wave has can be compared.",
            )
        return str(given[item])
    if not isinstance(given, str) or "{item}" not in given:
        raise OptionError(
            f"The columns of wave {str(wave)!r} are not given: {given!r}.",
            where="argument 'waves'",
            remedy="Give a pattern such as '{item}_t1', or a mapping of items to columns.",
        )
    return given.replace("{item}", item)


def _from_long(data: pd.DataFrame, items: Sequence[str], waves: str, person: str | None, keep: Sequence[str]) -> Panel:
    needed = [waves, *([person] if person is not None else []), *items, *keep]
    for name in needed:
        if name not in data.columns:
            raise DataError(
                f"The column {name!r} is not in the data.",
                where="arguments 'waves', 'id' and 'model'",
                remedy=nearest(name, data.columns) or "Name columns of the data.",
            )
    if person is None:
        return Panel(data, {})
    rows = data.loc[data[waves].notna(), needed]
    if rows[person].isna().any():
        raise DataError(
            f"{int(rows[person].isna().sum())} rows have no person.",
            where=f"column {person!r}",
            remedy="Give every row the identifier that its person has in all waves.",
        )
    twice = rows.duplicated([person, waves])
    if twice.any():
        raise DataError(
            f"{int(twice.sum())} rows repeat a person within a wave.",
            where=f"columns {person!r} and {waves!r}",
            remedy="Keep one row per person and wave.",
        )
    present = list(dict.fromkeys(rows[waves]))
    order = [w for w in data[waves].cat.categories if w in present] if _is_categorical(data[waves]) else sorted(present)
    labels = [group_name(wave) for wave in order]
    _check_count(labels, f"column {waves!r}")
    columns = {label: {item: f"{item}_{label}" for item in items} for label in labels}
    parts = [rows.groupby(person, sort=False)[list(keep)].first()]
    people = pd.Index(rows[person].unique())
    for wave, mine in zip(order, columns.values(), strict=True):
        answers = rows[rows[waves] == wave].set_index(person)[list(items)]
        parts.append(answers.rename(columns=mine).reindex(people))
    return Panel(pd.concat(parts, axis=1), columns)


def _is_categorical(column: pd.Series[Any]) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)
