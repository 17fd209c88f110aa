"""Tables made from a frame as it is: the generic one, descriptives, reliability, screening, comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.catalogue import guess_columns
from psm_analysis.report.columns import CellStyle, Column, RowGroup
from psm_analysis.report.frames import check_names, require_frame
from psm_analysis.report.tables import Table
from psm_analysis.report.words import join_notes, word


def data_table(
    frame: pd.DataFrame,
    *,
    title: str,
    columns: Sequence[Column] | None = None,
    labels: Mapping[str, str] | None = None,
    decimals: Mapping[str, int] | int | None = None,
    group_by: str | None = None,
    note: str = "",
    number: int | str = "",
    lang: Language = "en",
) -> Table:
    """Make a table of any frame.

    Parameters
    ----------
    frame
        One printed row per row. An index that has a name, or that is text, becomes the first column.
    title, note, number, lang
        As in `Table`.
    columns
        The printed columns; by default every column, well-known names (mean, p_value, ci_low, ...) in their own style.
    labels
        Printed label of a column, by its name.
    decimals
        Places after the point, for every decimal column or by column name.
    group_by
        A text column whose values become headings over the rows.

    Raises
    ------
    DataError
        If the frame is empty or a column is missing.
    OptionError
        If `labels` or `decimals` names a column that is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"item": ["ei1", "ei2"], "mean": [3.456, 2.9], "p_value": [0.0002, 0.4]})
    >>> print(data_table(frame, title="Items").to_text())
    Items
    ──────────────────
    Item     M       p
    ──────────────────
    ei1   3.46  < .001
    ei2   2.90    .400
    ──────────────────
    """
    table_frame = with_index(require_frame(frame, what="the frame"))
    if group_by is not None:
        check_names([group_by], list(table_frame.columns), what="group_by")
        table_frame = table_frame.sort_values(group_by, key=_order_of_appearance, kind="stable", ignore_index=True)
    shown = table_frame.drop(columns=[group_by]) if group_by else table_frame
    if columns is None:
        places = decimals if isinstance(decimals, Mapping) else {}
        check_names([*(labels or {}), *places], list(table_frame.columns), what="labels and decimals")
        columns = guess_columns(shown, lang=lang, labels=labels or {}, decimals=places)
        if isinstance(decimals, int):
            columns = [replace(column, decimals=decimals) for column in columns]
    return Table.from_frame(
        table_frame,
        columns=columns,
        title=title,
        groups=_groups(table_frame[group_by]) if group_by else (),
        note=note,
        number=str(number),
        lang=lang,
    )


def with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with text column names, and a telling index (named, or of text) as its first column."""
    index = frame.index
    telling = index.name is not None or isinstance(index, pd.MultiIndex) or not pd.api.types.is_numeric_dtype(index)
    if telling:
        names = [str(name) if name is not None else "variable" for name in index.names]
        clash = any(name in frame.columns for name in names)
        frame = frame.reset_index(drop=True) if clash else frame.rename_axis(index=names).reset_index()
    return frame.rename(columns=str)


def _order_of_appearance(values: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(pd.factorize(values)[0], index=values.index)


def _groups(values: pd.Series[Any]) -> list[RowGroup]:
    texts = ["" if pd.isna(value) else str(value) for value in values]
    return [RowGroup(text, row) for row, text in enumerate(texts) if row == 0 or text != texts[row - 1]]


def descriptives_table(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
    group_by: str | None = None,
) -> Table:
    """Make the table of descriptive statistics: one row per variable, with at least its mean and sd.

    Parameters
    ----------
    frame
        A frame with the variables in its index or in a first column, and columns such as n, missing, mean, sd, min,
        max, skewness, kurtosis, alpha. `labels` maps variables to what is printed for them.
    group_by
        Column whose values become headings between the rows.

    Raises
    ------
    DataError
        If `mean` or `sd` is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"mean": [3.2], "sd": [0.9]}, index=["psm1"])
    >>> descriptives_table(frame, number=1).columns[1].label
    'M'
    """
    frame = require_frame(frame, ("mean", "sd"), what="the frame of descriptives")
    return data_table(
        relabelled(with_index(frame), labels),
        title=title or word("title_descriptives", lang),
        group_by=group_by,
        note=note,
        number=number,
        lang=lang,
    )


def relabelled(frame: pd.DataFrame, labels: Mapping[str, str] | None) -> pd.DataFrame:
    """Return the frame with the texts of its first column replaced where `labels` has them."""
    if not labels:
        return frame
    first = [labels.get(str(value), value) for value in frame.iloc[:, 0]]
    return frame.assign(**{str(frame.columns[0]): first})


def reliability_table(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of reliabilities: one row per scale, with any of alpha, omega, omega_hierarchical, ave.

    Parameters
    ----------
    frame
        Scales in the index or in a first column, coefficients in columns.

    Raises
    ------
    DataError
        If the frame has none of these coefficients.

    Examples
    --------
    >>> reliability_table(pd.DataFrame({"alpha": [0.9]}, index=["psm"])).to_text().splitlines()[-2]
    'psm    .90'
    """
    frame = require_frame(frame, what="the frame of reliabilities")
    coefficients = ("alpha", "omega", "omega_total", "omega_hierarchical", "ave", "cr", "icc")
    if not any(name in frame for name in coefficients):
        require_frame(frame, ("alpha",), what="the frame of reliabilities")
    first = with_index(frame)
    if first.columns[0] == "variable":
        first = first.rename(columns={"variable": "scale"})
    return data_table(
        relabelled(first, labels), title=title or word("title_reliability", lang), note=note, number=number, lang=lang
    )


def screening_table(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of response quality: one row per index, with `flagged` (how many) and what else the frame has.

    Parameters
    ----------
    frame
        One row per index: its name, `flagged`, and e.g. threshold, share, source.

    Raises
    ------
    DataError
        If `flagged` is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"index": ["longstring"], "threshold": [8.0], "flagged": [12]})
    >>> screening_table(frame).columns[2].kind
    'integer'
    """
    frame = require_frame(frame, ("flagged",), what="the frame of the screening")
    return data_table(
        relabelled(with_index(frame), labels),
        title=title or word("title_screening", lang),
        note=note or word("note_screening", lang),
        number=number,
        lang=lang,
    )


def comparison_table(
    frame: pd.DataFrame,
    *,
    title: str = "",
    decimals: int = 3,
    group_by: str | None = None,
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Set printed beside recomputed values: text columns first, then printed, recomputed, difference, verdict.

    Parameters
    ----------
    frame
        With the columns `printed` and `recomputed`; `difference` (recomputed minus printed) is computed if it is not
        there; `verdict` is text or truth (agrees, differs). A column `decimals` gives the places row by row.
    decimals
        Places after the point where the frame does not say.
    group_by
        Column whose values become headings between the rows.

    Raises
    ------
    DataError
        If `printed` or `recomputed` is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"quantity": ["CFI"], "printed": [0.901], "recomputed": [0.9012], "verdict": [True]})
    >>> print(comparison_table(frame).to_text().splitlines()[4])
    CFI         0.901       0.901       0.000  agrees
    """
    frame = with_index(require_frame(frame, ("printed", "recomputed"), what="the frame of the comparison"))
    if "difference" not in frame:
        numbers = frame[["printed", "recomputed"]].apply(pd.to_numeric, errors="coerce")
        frame = frame.assign(difference=numbers["recomputed"] - numbers["printed"])
    if "verdict" in frame:
        frame = frame.assign(verdict=[_verdict(value, lang) for value in frame["verdict"]])
    tail = [name for name in ("printed", "recomputed", "difference", "verdict") if name in frame]
    lead = [name for name in frame.columns if name not in (*tail, "decimals", group_by)]
    kept = frame[[*lead, *([group_by] if group_by else []), *tail]]
    labels = {"quantity": word("quantity", lang)} if "quantity" in lead else {}
    places = dict.fromkeys(("printed", "recomputed", "difference"), decimals)
    table = data_table(
        kept,
        title=title or word("title_comparison", lang),
        labels=labels,
        decimals=places,
        group_by=group_by,
        note=join_notes(note, lang=lang),
        number=number,
        lang=lang,
    )
    return replace(table, styles=_row_decimals(frame, group_by))


def _verdict(value: Any, lang: Language) -> Any:
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return word("agrees" if value else "differs", lang)
    return word(str(value), lang) if value in ("agrees", "differs") else value


def _row_decimals(frame: pd.DataFrame, group_by: str | None) -> tuple[CellStyle, ...]:
    if "decimals" not in frame:
        return ()
    if group_by:
        frame = frame.sort_values(group_by, key=_order_of_appearance, kind="stable", ignore_index=True)
    places = [None if pd.isna(value) else int(value) for value in frame["decimals"]]
    keys = ("printed", "recomputed", "difference")
    return tuple(
        CellStyle(tuple(row for row, value in enumerate(places) if value == wanted), keys, decimals=wanted)
        for wanted in sorted({value for value in places if value is not None})
    )
