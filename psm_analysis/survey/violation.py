"""One thing that is wrong with a survey file: the column, the rule, how often, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import Severity

EXAMPLES = 5
COLUMNS = ("severity", "rule", "column", "count", "rows", "found", "message", "remedy")
_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken by one column.

    Parameters
    ----------
    rule
        Name of the rule, for example ``outside_scale``.
    severity
        ``error`` (the answers cannot be used as they are), ``warning`` (look at it) or ``note``.
    column
        The column of the file; empty if the rule is about whole rows.
    count
        How many answers, rows or columns break the rule.
    rows
        Up to five examples: the place in the file (line, sheet row or record).
    found
        The values that were found, as text.
    message, remedy
        What is wrong and what to do about it.
    """

    rule: str
    severity: Severity
    column: str
    message: str
    remedy: str
    count: int = 1
    rows: tuple[int, ...] = ()
    found: str = ""

    @property
    def order(self) -> tuple[int, str]:
        """Sort key: errors first, then the rule."""
        return _ORDER[self.severity], self.rule


def violation_table(violations: Iterable[Violation]) -> pd.DataFrame:
    """Return the violations as one table, the worst first.

    Examples
    --------
    >>> violation_table([]).columns.tolist()[:3]
    ['severity', 'rule', 'column']
    """
    rows = [
        [v.severity, v.rule, v.column, v.count, ", ".join(map(str, v.rows)), v.found, v.message, v.remedy]
        for v in sorted(violations, key=lambda v: v.order)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def example_rows(mask: NDArray[np.bool_], rows: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the places in the file of the first five rows where `mask` holds.

    Examples
    --------
    >>> example_rows(np.array([False, True]), np.array([2, 3]))
    (3,)
    """
    return tuple(int(row) for row in rows[np.flatnonzero(mask)[:EXAMPLES]])


def show_values(values: Iterable[object]) -> str:
    """Return up to five distinct values as text, whole numbers without a decimal point.

    Examples
    --------
    >>> show_values([9.0, 9.0, 7.5, "a"])
    "9, 7.5, 'a'"
    """
    distinct = list(dict.fromkeys(values))
    shown = ", ".join(_show(value) for value in distinct[:EXAMPLES])
    return shown + (", ..." if len(distinct) > EXAMPLES else "")


def _show(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return f"{value:g}" if isinstance(value, int | float) else str(value)
