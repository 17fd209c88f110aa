"""The table of factor loadings: items by factors, from a tidy() frame or from a loading matrix."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.errors import DataError
from psm_analysis.report.columns import CellStyle, Column, RowGroup
from psm_analysis.report.frames import PARAMETER, Tidied, one_group, require_frame, with_standardized
from psm_analysis.report.numbers import format_decimal
from psm_analysis.report.tables import Table
from psm_analysis.report.words import join_notes, word


def loadings_table(
    loadings: pd.DataFrame | Tidied,
    *,
    labels: Mapping[str, str] | None = None,
    communalities: Mapping[str, float] | pd.Series[float] | None = None,
    reliabilities: pd.DataFrame | None = None,
    cutoff: float = 0.0,
    bold: float | None = None,
    group: str | None = None,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of loadings, one row per item and one column per factor.

    Parameters
    ----------
    loadings
        A tidy() frame, of which the completely standardized loadings `std_all` are taken, with the stars of the
        estimates; result.standardized(), with the stars of the standardized loadings; or a matrix: items in the index,
        factors in the columns.
    labels
        Printed name of an item or factor.
    communalities
        By item; printed as h².
    reliabilities
        Indexed by factor, with any of alpha, omega, ave: printed below the loadings.
    cutoff
        Loadings below it in absolute value are left blank.
    bold
        Loadings of at least this absolute value are in bold.
    group
        Which group of a tidy() frame with several.

    Raises
    ------
    DataError
        If there is no loading, or a matrix is not numeric.

    Examples
    --------
    >>> matrix = pd.DataFrame({"PA1": [0.71, 0.12], "PA2": [0.02, -0.64]}, index=["ei1", "ei2"])
    >>> print(loadings_table(matrix, cutoff=0.1).to_text())
    Factor Loadings
    ───────────────
    Item  PA1   PA2
    ───────────────
    ei1   .71     -
    ei2   .12  -.64
    ───────────────
    Note. Loadings below .10 in absolute value are not shown.
    """
    names = dict(labels or {})
    loadings = require_frame(getattr(loadings, "loadings", loadings), what="the loadings")
    is_tidy = {"lhs", "op", "rhs"} <= set(map(str, loadings.columns))
    matrix, p_values = _from_tidy(loadings, group) if is_tidy else (_from_matrix(loadings), None)
    matrix = matrix.where(matrix.abs() >= cutoff)
    frame = _printed_frame(matrix, p_values, names=names)
    untested = p_values is not None and bool((matrix.notna() & p_values.isna()).to_numpy().any())
    columns = [Column("item", word("item", lang)), *_factor_columns(matrix, p_values, names=names)]
    if communalities is not None:
        frame["communality"] = [communalities.get(item) for item in matrix.index]
        columns.append(Column("communality", word("communality", lang), "coefficient"))
    groups = _higher_order(matrix, lang)
    if reliabilities is not None:
        groups = [*groups, RowGroup("", len(frame))]
        frame = pd.concat([frame, _reliability_rows(reliabilities, list(matrix.columns))], ignore_index=True)
    return Table.from_frame(
        frame,
        columns=columns,
        title=title or word("title_loadings" if is_tidy else "title_matrix", lang),
        groups=groups,
        styles=_bold_cells(matrix, bold),
        note=join_notes(
            note,
            word("note_marker", lang) if untested else "",
            _limit("note_bold", bold, lang),
            _limit("note_cutoff", cutoff or None, lang),
            lang=lang,
        ),
        missing="" if is_tidy else "–",
        number=str(number),
        lang=lang,
    )


def _limit(key: str, limit: float | None, lang: Language) -> str:
    return "" if limit is None else word(key, lang).format(limit=format_decimal(limit, 2, leading_zero=False))


def _from_matrix(loadings: pd.DataFrame) -> pd.DataFrame:
    matrix = loadings.rename(index=str, columns=str)
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in matrix.dtypes) or matrix.index.has_duplicates:
        raise DataError(
            "A matrix of loadings is numeric and names every item once.",
            where=f"columns {', '.join(matrix.columns)}",
            remedy="Put the items in the index and one factor in each column, or give a tidy() frame.",
        )
    return matrix


def _from_tidy(tidy: pd.DataFrame, group: str | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    rows = one_group(with_standardized(require_frame(tidy, PARAMETER, what="the tidy frame")), group)
    rows = rows[rows["op"] == "=~"]
    if rows.empty:
        raise DataError("The model has no loading.", where="rows with op '=~'", remedy="Give a measurement model.")
    factors, items = list(dict.fromkeys(rows["lhs"])), list(dict.fromkeys(rows["rhs"]))
    items = [item for item in items if item not in factors] + [item for item in items if item in factors]
    shown = [factor for factor in factors if factor in set(rows["lhs"])]
    matrix = rows.pivot_table(index="rhs", columns="lhs", values="std_all").reindex(index=items, columns=shown)
    matrix = matrix.rename_axis(index=None, columns=None)
    if "p_value" not in rows or not rows["p_value"].notna().any():
        return matrix, None
    p_values = rows.pivot_table(index="rhs", columns="lhs", values="p_value").reindex(index=items, columns=shown)
    return matrix, p_values


def _printed_frame(matrix: pd.DataFrame, p_values: pd.DataFrame | None, *, names: Mapping[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame({"item": [names.get(str(item), item) for item in matrix.index]})
    for factor in matrix.columns:
        frame[f"{factor}.loading"] = matrix[factor].to_numpy()
        if p_values is not None:
            frame[f"{factor}.p"] = p_values[factor].to_numpy()
    return frame


def _factor_columns(matrix: pd.DataFrame, p_values: pd.DataFrame | None, *, names: Mapping[str, str]) -> list[Column]:
    starred = p_values is not None
    return [
        Column(
            f"{factor}.loading",
            names.get(str(factor), str(factor)),
            "stars" if starred else "coefficient",
            p=f"{factor}.p" if starred else "",
            leading_zero=False,
        )
        for factor in matrix.columns
    ]


def _higher_order(matrix: pd.DataFrame, lang: Language) -> list[RowGroup]:
    inner = [row for row, item in enumerate(matrix.index) if item in set(matrix.columns)]
    if not inner or inner[0] == 0:
        return []
    return [RowGroup(word("loadings", lang), 0), RowGroup(word("second_order", lang), inner[0])]


def _bold_cells(matrix: pd.DataFrame, bold: float | None) -> list[CellStyle]:
    if bold is None:
        return []
    large = matrix.abs() >= bold
    return [
        CellStyle(tuple(row for row, yes in enumerate(large[factor]) if yes), (f"{factor}.loading",), bold=True)
        for factor in matrix.columns
    ]


def _reliability_rows(reliabilities: pd.DataFrame, factors: list[str]) -> pd.DataFrame:
    require_frame(reliabilities, what="the reliabilities")
    names = [name for name in ("alpha", "omega", "ave") if name in reliabilities]
    if not names:
        require_frame(reliabilities, ("alpha",), what="the reliabilities")
    symbols = {"alpha": "α", "omega": "ω", "ave": "AVE"}
    values = reliabilities.rename(index=str)[names].reindex(factors)
    cells = {f"{factor}.loading": values.loc[factor].to_numpy() for factor in factors}
    return pd.DataFrame({"item": [symbols[name] for name in names], **cells})
