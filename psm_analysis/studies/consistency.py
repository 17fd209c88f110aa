"""Printed beside recomputed: how far apart, and whether the printed decimals can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import StudyError

EQUAL = "equal to the printed decimals"
LAST_DIGIT = "differs in the last digit"
DIFFERS = "differs"
VERDICTS = (EQUAL, LAST_DIGIT, DIFFERS)
COLUMNS = ("quantity", "printed", "recomputed", "difference", "verdict")

_NUMBER = re.compile(r"(?P<bound>[<>])?\s*(?P<sign>[-−–+])?(?P<digits>\d*(?:\.(?P<decimals>\d+))?)")
_SLACK = 1e-9


def compare_printed(printed: Mapping[str, str], recomputed: Mapping[str, float]) -> pd.DataFrame:
    """Compare printed figures with recomputed ones, by the number of decimals that were printed.

    With u one unit of the last printed decimal and d = recomputed - printed, the verdict is

    - ``equal to the printed decimals`` if abs(d) <= u/2: the recomputed figure rounds to the printed one;
    - ``differs in the last digit`` if abs(d) <= 3u/2: it rounds to the neighbour of the printed one;
    - ``differs`` otherwise.

    Parameters
    ----------
    printed
        Quantity -> text as it was printed: ``"-.401"``, ``"0.850"``, ``"206"``, ``"< .001"``. The text carries the
        precision, a float does not: "0.850" is printed to three decimals and 0.85 to two.
    recomputed
        Quantity -> number; may hold more than was printed.

    Returns
    -------
    pandas.DataFrame
        Columns ``quantity, printed, recomputed, difference, verdict``, in the order of `printed`. For a printed bound
        ("< .001") the difference is empty, and the verdict says whether the recomputed figure keeps to it.

    Raises
    ------
    StudyError
        If a printed quantity was not recomputed, or a printed text is not a number.

    References
    ----------
    Brown & Heathers (2017), *Social Psychological and Personality Science* 8(4), 363-369, on what decimals can tell.

    Examples
    --------
    >>> frame = compare_printed({"a": "0.850", "b": ".45", "c": "2.0"}, {"a": 0.8496, "b": 0.4601, "c": 2.2})
    >>> frame["verdict"].tolist()
    ['equal to the printed decimals', 'differs in the last digit', 'differs']
    """
    rows = []
    for quantity, text in printed.items():
        if quantity not in recomputed:
            raise StudyError(
                f"The printed quantity {quantity!r} was not recomputed.",
                remedy=f"{nearest(quantity, recomputed)}Recomputed are: {', '.join(recomputed)}.",
            )
        value = float(recomputed[quantity])
        difference, verdict = _judge(text, value, quantity=quantity)
        rows.append((quantity, text, value, difference, verdict))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def printed_decimals(text: str) -> int:
    """Return how many decimals a printed number has.

    Examples
    --------
    >>> printed_decimals("-.40"), printed_decimals("206"), printed_decimals("1012.654")
    (2, 0, 3)
    """
    return len(_parse(text, quantity=text)["decimals"] or "")


def _judge(text: str, value: float, *, quantity: str) -> tuple[float, str]:
    parts = _parse(text, quantity=quantity)
    number = float(parts["digits"] or "nan") * (-1 if parts["sign"] in ("-", "−", "–") else 1)
    if parts["bound"]:
        kept = value < number if parts["bound"] == "<" else value > number
        return float("nan"), EQUAL if kept else DIFFERS
    units = abs(value - number) * 10 ** len(parts["decimals"] or "")
    verdict = EQUAL if units <= 0.5 + _SLACK else LAST_DIGIT if units <= 1.5 + _SLACK else DIFFERS
    return value - number, verdict


def _parse(text: str, *, quantity: str) -> dict[str, str | None]:
    match = _NUMBER.fullmatch(text.strip())
    if match is None or not match["digits"]:
        raise StudyError(
            f"{text!r} is not a printed number.",
            where=f"quantity {quantity!r}",
            remedy='Write it as printed, without a thousands separator: "-.401", "0.850", "< .001".',
        )
    return match.groupdict()
