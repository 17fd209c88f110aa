"""The protocol of every result: ``tidy()``, ``glance()``, ``summary()``; and the one vocabulary of columns."""

from __future__ import annotations

from abc import abstractmethod
from html import escape

import pandas as pd

ESTIMATE = "estimate"
STD_ERROR = "std_error"
STATISTIC = "statistic"
P_VALUE = "p_value"
CI_LOW = "ci_low"
CI_HIGH = "ci_high"
INFERENCE = (ESTIMATE, STD_ERROR, STATISTIC, P_VALUE, CI_LOW, CI_HIGH)


class Result:
    """Base of every result, itself a frozen dataclass.

    A result is a value: it is never changed after it was made and rounds nothing before it is displayed.
    """

    __slots__ = ()

    @abstractmethod
    def tidy(self) -> pd.DataFrame:
        """Return one row per parameter or term."""

    @abstractmethod
    def glance(self) -> pd.DataFrame:
        """Return one row that describes the whole result."""

    def summary(self) -> str:
        """Return the result as text, as a statistician would print it."""
        row = self.glance().iloc[0].astype(object)
        shown = {str(k): format_number(v) if isinstance(v, float) else str(v) for k, v in row.items()}
        width = max(map(len, shown), default=0)
        glance = "\n".join(f"{name:<{width}}  {value}" for name, value in shown.items())
        body = self.tidy().to_string(index=False, float_format=format_number)
        return "\n\n".join([type(self).__name__, glance, body, *(f"Warning: {text}" for text in self._doubts())])

    def _doubts(self) -> tuple[str, ...]:
        """Return what is doubtful, if the result keeps warnings."""
        return tuple(getattr(self, "warnings", ()))

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: print() shows it, tidy() and glance() are data frames>"

    def _repr_html_(self) -> str:
        head = self.glance().to_html(index=False, float_format=format_number, border=0)
        body = self.tidy().to_html(index=False, float_format=format_number, border=0, na_rep="")
        doubts = "".join(f"<p><em>Warning: {escape(text)}</em></p>" for text in self._doubts())
        return f"<h4>{type(self).__name__}</h4>{head}{body}{doubts}"


def format_number(value: float) -> str:
    """Format a number for the plain printed views: three decimals, no minus zero."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text
