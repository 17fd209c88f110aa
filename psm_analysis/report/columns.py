"""The parts of a table: columns, headings over columns and rows, and cells that depart from their column."""

from __future__ import annotations

from dataclasses import dataclass

from psm_analysis._options import ColumnKind


@dataclass(frozen=True, slots=True)
class Column:
    """What one printed column shows and how.

    Parameters
    ----------
    key
        Name of the column of the frame.
    label
        What is printed above it.
    kind
        text, integer, decimal, coefficient (bounded by one: no leading zero), p, ci (limits `key` and `upper`),
        stars (a number with the stars of column `p`, and the standard error of column `se` in parentheses).
    decimals
        Places after the point.
    upper, p, se
        Columns of the frame with the upper limit (ci), the p-value and the standard error (stars).
    leading_zero
        For decimal, ci and stars; a coefficient never has one.
    italic
        Whether the label is a statistical symbol, printed in italics.

    Examples
    --------
    >>> Column("chisq", "χ²", "decimal").decimals
    2
    """

    key: str
    label: str
    kind: ColumnKind = "text"
    decimals: int = 2
    upper: str = ""
    p: str = ""
    se: str = ""
    leading_zero: bool = True
    italic: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Every column of the frame that this printed column reads."""
        return tuple(key for key in (self.key, self.upper, self.p, self.se) if key)


@dataclass(frozen=True, slots=True)
class CellStyle:
    """How some cells depart from their columns: other kind or decimals, bold, in parentheses, `empty` if missing.

    Parameters
    ----------
    rows, keys
        Places of the rows, and the columns of the frame; empty `keys` means every column but those of text.
    kind, decimals, leading_zero
        In place of those of the column; None keeps them.
    empty
        What is printed for a missing value.
    parentheses, bold
        How the cells are set.
    """

    rows: tuple[int, ...]
    keys: tuple[str, ...] = ()
    kind: ColumnKind | None = None
    decimals: int | None = None
    leading_zero: bool | None = None
    empty: str | None = None
    parentheses: bool = False
    bold: bool = False


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A heading over the rows from `first` to the next group; an empty label draws a rule only.

    Parameters
    ----------
    label
        What is printed.
    first
        Place of the first row of the group, from 0.
    """

    label: str
    first: int


@dataclass(frozen=True, slots=True)
class Spanner:
    """A heading over neighbouring columns.

    Parameters
    ----------
    label
        What is printed.
    keys
        The columns of the frame below it.
    """

    label: str
    keys: tuple[str, ...]
