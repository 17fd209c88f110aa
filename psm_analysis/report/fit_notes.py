"""What the note of a table of fit says of scaled tests and of robust measures."""

from __future__ import annotations

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.words import join_notes, word

SCALINGS = {
    "satorra.bentler": ("Satorra–Bentler", "Satorra–Bentler"),
    "yuan.bentler": ("Yuan–Bentler", "Yuan–Bentler"),
    "yuan.bentler.mplus": ("Yuan–Bentler", "Yuan–Bentler"),
    "mean.var.adjusted": ("adjusted for mean and variance", "均值与方差校正"),
    "scaled.shifted": ("scaled and shifted", "尺度与位移校正"),
}


def scaled_note(rows: pd.DataFrame, *, lang: Language, tli: bool = True) -> str:
    """Return which tests are scaled and which measures are robust or scaled; nothing if all are plain.

    Parameters
    ----------
    rows
        Frame with ``model`` and, from glance(), ``test`` and ``measures``.
    tli
        Whether TLI is among the measures printed.

    Examples
    --------
    >>> row = pd.DataFrame({"model": ["A"], "test": ["satorra.bentler"], "measures": ["robust"]})
    >>> print(scaled_note(row, lang="en"))
    χ² is scaled (Satorra–Bentler); CFI, TLI, and RMSEA are robust.
    """
    if not {"test", "measures"} <= set(rows):
        return ""
    kinds = rows[["test", "measures"]].drop_duplicates()
    notes, shown = [], word("measures_tli" if tli else "measures_no_tli", lang)
    for test, measures in kinds.itertuples(index=False, name=None):
        mine = rows.loc[(rows["test"] == test) & (rows["measures"] == measures), "model"]
        if test != "standard":
            which = "" if len(kinds) == 1 else word("of_models", lang).format(names=", ".join(map(str, mine)))
            scaling = SCALINGS[test][lang == "zh"] if test in SCALINGS else str(test)
            notes += [
                word("note_scaled", lang).format(
                    of=which, scaling=scaling, measures=shown, kind=word(str(measures), lang)
                )
            ]
    return join_notes(*notes, lang=lang)
