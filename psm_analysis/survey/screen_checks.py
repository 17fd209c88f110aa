"""The checks of `screen`: what each index is, when it flags a row, and where the threshold comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ScreeningCheck:
    """One check and its rule.

    Parameters
    ----------
    id
        Name of the check; also of its column in the indices and flags.
    description
        What the index measures.
    flags
        Whether values ``below`` the threshold are flagged, or values ``from`` it on.
    threshold
        The default threshold; None if it is found from the data or from the number of items.
    source
        Where the index and the threshold come from.
    """

    id: str
    description: str
    flags: Literal["below", "from"]
    threshold: float | None
    source: str


CHECKS = (
    ScreeningCheck(
        "long_string",
        "longest run of one answer within an instrument, in the order of the file",
        "from",
        None,
        "Half the items of the longest instrument: Curran (2016), and at least 6; index: Johnson (2005)",
    ),
    ScreeningCheck(
        "variability",
        "standard deviation of the person's answers around the means of the instruments, on 0 to 1",
        "below",
        None,
        "Index: Dunn et al. (2018), who give no cut-off; threshold: Q1 - 1.5 IQR of the sample (Tukey, 1977)",
    ),
    ScreeningCheck(
        "even_odd",
        "within-person correlation of half-scales, Spearman-Brown corrected",
        "below",
        0.30,
        "Jackson (1976), as used by Johnson (2005)",
    ),
    ScreeningCheck(
        "synonyms",
        "within-person correlation over item pairs that correlate above .60",
        "below",
        0.0,
        "Pairs: Meade & Craig (2012); threshold: the sign, a convention of this package",
    ),
    ScreeningCheck(
        "antonyms",
        "within-person correlation over item pairs that correlate below -.60",
        "from",
        0.0,
        "Pairs: Meade & Craig (2012); threshold: the sign, a convention of this package",
    ),
    ScreeningCheck(
        "mahalanobis",
        "p-value of the squared Mahalanobis distance over the answered items",
        "below",
        0.001,
        "Index: Meade & Craig (2012); threshold: Tabachnick & Fidell (2013)",
    ),
    ScreeningCheck(
        "seconds_per_item",
        "response time divided by the number of questions",
        "below",
        2.0,
        "Huang, Curran, Keeney, Poposki & DeShon (2012)",
    ),
    ScreeningCheck(
        "duplicate",
        "answers to every item equal those of another row",
        "from",
        1.0,
        "Curran (2016)",
    ),
    ScreeningCheck(
        "attention",
        "attention checks failed",
        "from",
        1.0,
        "Instructed response items: Meade & Craig (2012)",
    ),
)
CHECK_IDS = tuple(check.id for check in CHECKS)
