"""What DuckDB and Spark write differently in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psm_analysis.errors import DataError


@dataclass(frozen=True, slots=True)
class Dialect:
    """A dialect of SQL.

    Examples
    --------
    >>> DIALECTS["spark"].name("a`b"), DIALECTS["duckdb"].text("it's"), DIALECTS["spark"].text("it's")
    ('`a``b`', "'it''s'", "'it\\\\'s'")
    >>> DIALECTS["duckdb"].element([1.0, None], "i"), DIALECTS["spark"].shifted("k", 3)
    ('([(1.00000000000000000e+00), NULL])[i]', 'shiftright(k, 3)')
    """

    mark: str
    spark: bool

    def name(self, name: str) -> str:
        """Return a quoted identifier; quotes inside are doubled."""
        if "\0" in name or not name:
            raise DataError("The name cannot be used in SQL.", where=f"name {name!r}", remedy="Rename it.")
        return self.mark + name.replace(self.mark, 2 * self.mark) + self.mark

    def text(self, value: str) -> str:
        """Return a quoted text."""
        inside = value.replace("\\", "\\\\").replace("'", "\\'") if self.spark else value.replace("'", "''")
        return f"'{inside}'"

    def element(self, values: Iterable[float | None], place: str) -> str:
        """Return the element of a constant list at a place that counts from 1."""
        inside = ", ".join("NULL" if value is None else number(value) for value in values)
        return f"element_at(array({inside}), {place})" if self.spark else f"([{inside}])[{place}]"

    def shifted(self, value: str, bits: int) -> str:
        """Return a whole number without its last bits."""
        return f"shiftright({value}, {bits})" if self.spark else f"({value} >> {bits})"


DIALECTS = {"duckdb": Dialect('"', spark=False), "spark": Dialect("`", spark=True)}


def number(value: float) -> str:
    """Return a literal that is read as a double, not as a decimal number."""
    return f"({value:.17e})"
