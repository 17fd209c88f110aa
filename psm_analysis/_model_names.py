"""Names in the model language: which stand in backquotes, which cannot be written, and how groups are called."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from psm_analysis.errors import ModelError

PLAIN_NAME = r"[^\W\d][\w.]*|\.[^\W\d][\w.]*"
KEYWORDS = frozenset(("NA",))
"""Words that mean something else where a variable could stand; all others are told by the bracket behind them."""


def quoted(name: object) -> str:
    """Return a variable's name as the model language writes it: in backquotes unless it is a plain name.

    Raises
    ------
    ModelError
        If the name is empty, or has a backquote or a line end, which nothing can quote.

    Examples
    --------
    >>> quoted("x1"), quoted("item 1"), quoted("工作投入"), quoted("NA")
    ('x1', '`item 1`', '工作投入', '`NA`')
    """
    text = str(name)
    if re.fullmatch(PLAIN_NAME, text) and text not in KEYWORDS:
        return text
    if not text or re.search(r"[`\r\n]", text):
        raise ModelError(
            f"The name {text!r} cannot be written in a model: it is empty, or has a backquote or a line end.",
            where=f"column {text!r}",
            remedy="Rename the column.",
        )
    return f"`{text}`"


def summed(names: Iterable[object]) -> str:
    """Return names as one side of a formula.

    Examples
    --------
    >>> summed(["x1", "item 2"])
    'x1 + `item 2`'
    """
    return " + ".join(map(quoted, names))


def group_name(value: object) -> str:
    """Return the value of a group as text; a column of whole numbers that had gaps holds floats.

    Examples
    --------
    >>> group_name(1.0), group_name(1.5), group_name("编外")
    ('1', '1.5', '编外')
    """
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value)


def unquoted(text: str) -> str:
    """Return what is compared where a text names a parameter: without blanks and backquotes.

    Examples
    --------
    >>> unquoted("f =~ `item 1`")
    'f=~item1'
    """
    return re.sub(r"[ `]", "", text)
