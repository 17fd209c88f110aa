"""From cells to codes: answers in words, missing codes, and cells that are neither."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """How the cells of one column become codes.

    Parameters
    ----------
    codes
        Answer as written to code, stated by a codebook.
    labels
        Label of a response option to its code, stated by the instrument; used for cells that nothing else explains.
    missing
        Codes that mean "no answer".
    missing_texts
        Cells that mean "no answer".
    missing_ranges
        Closed intervals of missing codes, stated by the file.
    code_pattern
        Regular expression whose first group is the code; empty for none.
    """

    codes: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[float, ...] = ()
    missing_texts: tuple[str, ...] = ()
    missing_ranges: tuple[tuple[float, float], ...] = ()
    code_pattern: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The codes of a column; `unread` marks text that nothing explains, `by_label` says that labels were used."""

    values: NDArray[np.float64]
    unread: NDArray[np.bool_]
    by_label: bool = False


def normal_text(text: object) -> str:
    """Return `text` with full-width characters narrowed, spaces collapsed and capital letters lowered.

    Examples
    --------
    >>> normal_text("　Strongly  Agree１ ")
    'strongly agree1'
    """
    return " ".join(unicodedata.normalize("NFKC", str(text)).split()).casefold()


def number_text(value: float) -> str:
    """Return a code as a person writes it: whole numbers without a decimal point.

    Examples
    --------
    >>> number_text(5.0), number_text(2.5)
    ('5', '2.5')
    """
    return f"{value:.0f}" if float(value).is_integer() else repr(float(value))


def to_codes(cells: pd.Series, key: AnswerKey) -> Coded:
    """Turn the cells of a column into codes.

    Every distinct cell is looked up once: missing codes and texts first, then the stated codes, then numbers as
    they are, then the code inside a pattern, then the labels of the response options. Labels count only in a column
    that is in words throughout: a word among numbers is text that nothing explains, until a codebook states its code.

    Parameters
    ----------
    cells
        One column as it was read.
    key
        What its cells mean.

    Examples
    --------
    >>> coded = to_codes(pd.Series(["非常同意", "3", "9", "?"]), AnswerKey(codes={"非常同意": 5}, missing=(9,)))
    >>> coded.values.tolist(), coded.unread.tolist()
    ([5.0, 3.0, nan, nan], [False, False, False, True])
    """
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        return Coded(_numeric_codes(cells.to_numpy(np.float64, na_value=np.nan), key), np.zeros(len(cells), bool))
    index, distinct = pd.factorize(cells)
    table = _lookup(key)
    found = [_code(cell, table, key) for cell in distinct]
    if {"label", "number"} <= {kind for _, kind in found}:
        found = [(np.nan, "unread") if kind == "label" else (code, kind) for code, kind in found]
    values = np.array([code for code, _ in found] + [np.nan])
    unread = np.array([kind == "unread" for _, kind in found] + [False])
    return Coded(values[index], unread[index], by_label=any(kind == "label" for _, kind in found))


def to_text(cells: pd.Series, key: AnswerKey) -> pd.Series:
    """Return a column as text, whole numbers without a decimal point, missing cells as NaN.

    Examples
    --------
    >>> to_text(pd.Series([1.0, np.nan]), AnswerKey()).tolist()
    ['1', nan]
    """
    index, distinct = pd.factorize(cells)
    missing = {normal_text(text) for text in key.missing_texts} | {number_text(code) for code in key.missing}
    texts = [_written(cell) for cell in distinct]
    missing.add("")
    kept = np.array([np.nan if normal_text(text) in missing else text for text in texts] + [np.nan], object)
    return pd.Series(kept[index], index=cells.index, name=cells.name, dtype=object)


def _numeric_codes(values: NDArray[np.float64], key: AnswerKey) -> NDArray[np.float64]:
    out = values.copy()
    out[~np.isfinite(values)] = np.nan
    for text, code in key.codes.items():
        if _is_number(text):
            out[values == float(text)] = code
    missing = [*key.missing, *(float(text) for text in key.missing_texts if _is_number(text))]
    if missing:
        out[np.isin(values, missing)] = np.nan
    for low, high in key.missing_ranges:
        out[(values >= low) & (values <= high)] = np.nan
    return out


def _lookup(key: AnswerKey) -> dict[str, tuple[float, str]]:
    table = {normal_text(label): (code, "label") for label, code in key.labels.items()}
    table |= {normal_text(answer): (code, "code") for answer, code in key.codes.items()}
    missing: Iterable[object] = (*key.missing_texts, *(number_text(code) for code in key.missing), "")
    return table | {normal_text(text): (np.nan, "missing") for text in missing}


def _code(cell: object, table: Mapping[str, tuple[float, str]], key: AnswerKey) -> tuple[float, str]:
    text = normal_text(_written(cell))
    if text in table:
        return table[text]
    if _is_number(text) and not isinstance(cell, bool):
        value = float(text)
        named = number_text(value)
        if named in table:
            return table[named]
        missing = any(low <= value <= high for low, high in key.missing_ranges)
        return (np.nan, "missing") if missing else (value, "number")
    match = re.fullmatch(key.code_pattern, str(cell).strip()) if key.code_pattern else None
    return (float(match.group(1)), "pattern") if match else (np.nan, "unread")


def _written(cell: object) -> str:
    if isinstance(cell, float | np.floating):
        return number_text(float(cell))
    return str(cell).strip()


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text) is not None
