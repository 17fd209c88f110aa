"""The correlation table of a paper: M, SD, numbered columns, reliabilities on the diagonal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from psm_analysis._options import Language
from psm_analysis.errors import DataError, OptionError, require
from psm_analysis.report.columns import CellStyle, Column
from psm_analysis.report.frames import check_names, require_frame
from psm_analysis.report.tables import Table
from psm_analysis.report.words import join_notes, word

Values = Mapping[str, float] | pd.Series


def correlation_table(
    correlations: pd.DataFrame,
    *,
    means: Values | None = None,
    sds: Values | None = None,
    reliabilities: Values | None = None,
    p_values: pd.DataFrame | None = None,
    nobs: int | None = None,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of correlations below the diagonal.

    Parameters
    ----------
    correlations
        Square, with the same names on both axes.
    means, sds, reliabilities
        By variable; reliabilities are printed in parentheses on the diagonal.
    p_values, nobs
        Either the p-values, or the number of observations from which they are computed:
        t = r sqrt((N - 2) / (1 - r²)) with N - 2 degrees of freedom. Without both no star is printed.
    labels
        Printed name of a variable.

    Raises
    ------
    DataError
        If the matrix is not square, not symmetric, or has a value beyond one.
    OptionError
        If both `p_values` and `nobs` are given.

    Examples
    --------
    >>> r = pd.DataFrame([[1, -0.42], [-0.42, 1]], index=["psm", "exit"], columns=["psm", "exit"])
    >>> print(correlation_table(r, nobs=200, reliabilities={"psm": 0.91}).to_text())
    Correlations
    ────────────────────
    Variable     1     2
    ────────────────────
    1. psm    (.91)
    2. exit   -.42***  -
    ────────────────────
    Note. Reliability coefficients are in parentheses on the
    diagonal.
    *p < .05. **p < .01. ***p < .001.
    """
    r = check_correlations(correlations)
    p = _p_values(r, p_values=p_values, nobs=nobs)
    names = list(r.index)
    moments = {key: values for key, values in (("mean", means), ("sd", sds)) if values is not None}
    for what, values in {**moments, "reliabilities": reliabilities or {}}.items():
        check_names([str(name) for name in _keys(values)], names, what=what)
    frame = pd.DataFrame({"variable": [f"{n}. {(labels or {}).get(name, name)}" for n, name in enumerate(names, 1)]})
    for key, values in moments.items():
        frame[key] = [values.get(name) for name in names]
    for place in range(len(names)):
        frame[f"{place + 1}"] = _column(r, place, diagonal=reliabilities)
        frame[f"{place + 1}.p"] = np.where(np.arange(len(p)) > place, p.iloc[:, place].to_numpy(dtype=float), np.nan)
    return Table.from_frame(
        frame,
        columns=_columns(frame, starred=bool(p.notna().to_numpy().any()), lang=lang),
        title=title or word("title_correlations" if moments else "title_correlations_only", lang),
        styles=_diagonal(len(names)),
        note=join_notes(note, word("note_alpha", lang) if reliabilities is not None else "", lang=lang),
        missing="",
        number=str(number),
        lang=lang,
    )


def _keys(values: Values) -> list[str]:
    return list(values.keys())


def check_correlations(correlations: pd.DataFrame) -> pd.DataFrame:
    """Return a correlation matrix as floats with text names, or raise a DataError that says what is wrong with it."""
    r = require_frame(correlations, what="the correlations").rename(index=str, columns=str)
    if list(r.index) != list(r.columns):
        raise DataError(
            "A correlation matrix has the same names, in the same order, on both axes.",
            where=f"{r.shape[0]} rows and {r.shape[1]} columns",
            remedy="Give DataFrame(values, index=names, columns=names).",
        )
    values = r.to_numpy(dtype=float)
    known = np.where(np.isnan(values), 0.0, values)
    if not np.allclose(known, known.T, atol=1e-8) or np.abs(known).max() > 1 + 1e-8:
        raise DataError(
            "The matrix is not symmetric or holds a value beyond 1.",
            where="the correlations",
            remedy="Give correlations, not covariances, with both triangles filled.",
        )
    return r.astype(float)


def _p_values(r: pd.DataFrame, *, p_values: pd.DataFrame | None, nobs: int | None) -> pd.DataFrame:
    if p_values is not None and nobs is not None:
        raise OptionError("p_values and nobs were both given.", where="correlation_table", remedy="Give one of them.")
    if p_values is not None:
        given = require_frame(p_values, what="p_values").rename(index=str, columns=str)
        check_names(list(r.index), list(given.index), what="correlations")
        check_names(list(r.index), list(given.columns), what="correlations")
        return given.loc[list(r.index), list(r.index)]
    if nobs is None:
        return pd.DataFrame(np.nan, index=r.index, columns=r.columns)
    if nobs < 3:
        raise OptionError("A correlation needs three observations for a p-value.", where="argument 'nobs'")
    inside = np.clip(r.to_numpy(), -1 + 1e-15, 1 - 1e-15)
    t = inside * np.sqrt((nobs - 2) / (1 - inside**2))
    p = 2 * require("scipy.special").stdtr(nobs - 2, -np.abs(t))
    return pd.DataFrame(p, index=r.index, columns=r.columns)


def _column(r: pd.DataFrame, place: int, *, diagonal: Values | None) -> np.ndarray:
    own = None if diagonal is None else diagonal.get(str(r.index[place]))
    below = np.where(np.arange(len(r)) > place, r.iloc[:, place].to_numpy(), np.nan)
    below[place] = np.nan if own is None else float(own)
    return below


def _columns(frame: pd.DataFrame, *, starred: bool, lang: Language) -> list[Column]:
    columns = [Column("variable", word("variable", lang))]
    columns += [Column(key, word(key, lang), "decimal", italic=True) for key in ("mean", "sd") if key in frame]
    numbers = [key for key in frame.columns if key.isdigit()]
    if starred:
        return columns + [Column(key, key, "stars", p=f"{key}.p", leading_zero=False) for key in numbers]
    return columns + [Column(key, key, "coefficient") for key in numbers]


def _diagonal(size: int) -> list[CellStyle]:
    own = {"kind": "coefficient", "empty": "–", "parentheses": True}
    return [CellStyle((place,), (str(place + 1),), **own) for place in range(size)]  # type: ignore[arg-type]
