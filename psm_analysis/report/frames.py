"""Checks of the frames that builders and figures are given, and small cuts out of a tidy() frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import DataError, OptionError

PARAMETER = ("lhs", "op", "rhs", "estimate")


class Tidied(Protocol):
    """A result, which gives frames."""

    def tidy(self) -> pd.DataFrame:
        """Return one row per parameter or term."""

    def glance(self) -> pd.DataFrame:
        """Return one row."""


def require_frame(frame: object, columns: Iterable[str] = (), *, what: str) -> pd.DataFrame:
    """Return `frame` if it is a DataFrame with rows and with `columns`, else raise a DataError.

    Of a result its tidy() or glance() is taken, whichever has the columns.

    Examples
    --------
    >>> require_frame(pd.DataFrame({"a": [1]}), ["a"], what="the frame").shape
    (1, 1)
    """
    wanted = tuple(columns)
    if not isinstance(frame, pd.DataFrame):
        frame = _view(frame, wanted, what=what)
    have = [str(name) for name in frame.columns]
    missing = [name for name in wanted if name not in have]
    if missing:
        hints = "".join(nearest(name, have) for name in missing)
        raise DataError(
            f"{what} has no column {', '.join(map(repr, missing))}.",
            where=f"columns {', '.join(have) or '(none)'}",
            remedy=hints or "Give the frame with these columns.",
        )
    if frame.empty:
        raise DataError(f"{what} has no rows.", where=what, remedy="Look at the result that it comes from.")
    return frame


def _view(result: object, columns: Collection[str], *, what: str) -> pd.DataFrame:
    """Return the frame of a result that has the columns."""
    for name in ("tidy", "glance"):
        view = getattr(result, name, None)
        frame = view() if callable(view) else None
        if isinstance(frame, pd.DataFrame) and set(columns) <= set(frame.columns):
            return frame
    having = f" with {', '.join(columns)}" if columns else ""
    raise DataError(
        f"{what} is {type(result).__name__}, not a DataFrame{having}.",
        where=what,
        remedy="Give a DataFrame, such as result.tidy() or result.glance(), or a result that has such a one.",
    )


def require_models(frames: object, columns: Iterable[str] = (), *, what: str) -> dict[str, pd.DataFrame]:
    """Return a mapping of names to checked frames; it must hold at least one."""
    if not isinstance(frames, Mapping) or not frames:
        raise OptionError(
            f"{what} must be a mapping of names to results or DataFrames, with at least one.",
            where=f"argument {what!r}",
            remedy="Write {'Model 1': result}.",
        )
    wanted = tuple(columns)
    return {str(name): require_frame(frame, wanted, what=f"{what}[{name!r}]") for name, frame in frames.items()}


def check_names(names: Collection[str], known: Collection[str], *, what: str) -> None:
    """Raise an OptionError for the first of `names` that is not known."""
    for name in names:
        if name not in known:
            raise OptionError(
                f"{what} names {name!r}, which is not there.",
                where=f"argument {what!r}",
                remedy=f"{nearest(name, known)}Known: {', '.join(map(str, known))}.",
            )


def groups_of(tidy: pd.DataFrame) -> list[str]:
    """Return the groups of a tidy() frame in order of appearance; none for a single-group model."""
    if "group" not in tidy:
        return []
    values = tidy.loc[tidy["op"] != ":=", "group"] if "op" in tidy else tidy["group"]
    return [str(value) for value in values.dropna().unique() if str(value)]


def one_group(tidy: pd.DataFrame, group: str | None) -> pd.DataFrame:
    """Return the rows of one group, which must be named if there are several."""
    groups = groups_of(tidy)
    if group is None and len(groups) <= 1:
        return tidy
    if group is None or str(group) not in groups:
        raise OptionError(
            f"The frame holds {len(groups)} groups" + (f", not {group!r}." if group is not None else "."),
            where="argument 'group'",
            remedy=f"Choose one with group=: {', '.join(groups) or 'there are none'}.",
        )
    return tidy[tidy["group"].astype(str) == str(group)]


def with_standardized(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with std_all and its limits; one without is a standardized solution already.

    Examples
    --------
    >>> with_standardized(pd.DataFrame({"estimate": [0.7]}))["std_all"].tolist()
    [0.7]
    """
    if "std_all" in frame:
        return frame
    new = {"std_all": "estimate", "std_ci_low": "ci_low", "std_ci_high": "ci_high"}
    return frame.assign(**{name: frame[source] for name, source in new.items() if source in frame})


def column_or_missing(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column, or as many missing values if the frame does not have it."""
    return frame[name] if name in frame else pd.Series([None] * len(frame), index=frame.index, dtype=object)
