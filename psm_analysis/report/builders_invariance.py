"""The table of measurement invariance: one row per step, for one comparison or several."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.catalogue import known_column, number_column
from psm_analysis.report.columns import Column, RowGroup
from psm_analysis.report.frames import Tidied, require_frame, require_models
from psm_analysis.report.tables import Table
from psm_analysis.report.words import WORDS, join_notes, word

NEEDED = ("step", "chisq", "df", "cfi", "rmsea", "srmr", "statistic", "df_diff", "p_value", "decision")


def invariance_table(
    tidy: pd.DataFrame | Tidied | Mapping[str, pd.DataFrame | Tidied],
    *,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Make the table of the steps of invariance: fit, differences from the step above, decision.

    Parameters
    ----------
    tidy
        The tidy() frame of :func:`invariance` or :func:`longitudinal_invariance`; or a mapping of names to such frames
        (gender, grade, waves), which become groups of rows.

    Raises
    ------
    DataError
        If a frame has not the columns of such a result.

    Examples
    --------
    >>> step = {"step": "configural", "released": "", "chisq": 12.3, "df": 4, "cfi": 0.99, "rmsea": 0.03, "srmr": 0.02}
    >>> change = {"statistic": None, "df_diff": None, "p_value": None, "delta_cfi": None, "decision": "holds"}
    >>> print(invariance_table(pd.DataFrame([step | change])).to_text().splitlines()[4].rstrip())
    Configural  12.30   4  .990   .030  .020    -    -  -     -  holds
    """
    several = isinstance(tidy, Mapping)
    frames = require_models(tidy, NEEDED, what="tidy") if several else {"": require_frame(tidy, NEEDED, what="tidy")}
    rows = pd.concat(frames.values(), ignore_index=True)
    rows = rows.rename(columns={"statistic": "chisq_diff", "p_value": "p_diff"})
    rows = rows.rename(columns={name: f"{str(name)[6:]}_diff" for name in rows if str(name).startswith("delta_")})
    rows["step"] = [_step(str(name), lang) for name in rows["step"]]
    rows["decision"] = [_decision(str(name), lang) for name in rows["decision"]]
    released = "released" in rows and rows["released"].astype(bool).any()
    changes = [name for name in ("cfi_diff", "rmsea_diff", "srmr_diff") if name in rows]
    columns = [
        Column("step", word("step", lang)),
        *(
            number_column(name, rows, lang=lang)
            for name in ("chisq", "df", "cfi", "rmsea", "srmr", "chisq_diff", "df_diff")
        ),
        Column("p_diff", "p", "p", italic=True),
        *(known_column(name, lang=lang) for name in changes),
        Column("decision", word("decision", lang)),
        *([Column("released", word("released", lang))] if released else []),
    ]
    starts = accumulate((len(frame) for frame in frames.values()), initial=0)
    groups = [RowGroup(name, first) for name, first in zip(frames, starts, strict=False)]
    return Table.from_frame(
        rows,
        columns=columns,
        groups=groups if several else [],
        title=title or word("title_invariance", lang),
        note=join_notes(note, word("note_invariance", lang), lang=lang),
        number=str(number),
        lang=lang,
    )


def _step(name: str, lang: Language) -> str:
    return word(f"step_{name}", lang) if f"step_{name}" in WORDS else name


def _decision(name: str, lang: Language) -> str:
    return word(f"decision_{name}", lang) if f"decision_{name}" in WORDS else name
