"""Numbers as APA style prints them; the only place of the package where anything is rounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

MINUS = "−"
DASH = "–"
FIGURE_SPACE = "\u2007"
STAR_LEVELS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


def is_missing(value: Any) -> bool:
    """Say whether a cell holds nothing: None, NaN, NaT or pandas' NA.

    Examples
    --------
    >>> is_missing(float("nan")), is_missing(0)
    (True, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def format_decimal(value: Any, decimals: int = 2, *, leading_zero: bool = True) -> str:
    """Round to `decimals` places, with a true minus sign and never a minus zero.

    Parameters
    ----------
    value
        A number; a missing one gives the empty text.
    decimals
        Places after the point.
    leading_zero
        False for quantities that cannot exceed one in absolute value (r, alpha, CFI): APA 7, section 6.36.

    Examples
    --------
    >>> format_decimal(-0.0004, 3), format_decimal(0.317, 2, leading_zero=False), format_decimal(-1.5)
    ('0.000', '.32', '−1.50')
    """
    if is_missing(value):
        return ""
    number = float(value)
    if math.isinf(number):
        return f"{MINUS if number < 0 else ''}∞"
    text = f"{abs(number):.{decimals}f}"
    sign = MINUS if number < 0 and text.strip("0.") else ""
    return sign + (text[1:] if not leading_zero and text.startswith("0.") else text)


def format_integer(value: Any) -> str:
    """Print a count; a count that is not whole (mean-adjusted degrees of freedom) keeps two places.

    Examples
    --------
    >>> format_integer(206.0), format_integer(206.25), format_integer(None)
    ('206', '206.25', '')
    """
    if is_missing(value):
        return ""
    whole = math.isfinite(float(value)) and float(value) == round(float(value))
    return format_decimal(value, 0 if whole else 2)


def format_p(value: Any, decimals: int = 3) -> str:
    """Print a p-value: exact to `decimals` places, without leading zero, "< .001" below the smallest.

    Examples
    --------
    >>> format_p(0.00004), format_p(0.034), format_p(0.99999)
    ('< .001', '.034', '> .999')
    """
    if is_missing(value):
        return ""
    smallest = 10.0**-decimals
    if value < smallest:
        return f"< {format_decimal(smallest, decimals, leading_zero=False)}"
    if round(float(value), decimals) >= 1:
        return f"> {format_decimal(1 - smallest, decimals, leading_zero=False)}"
    return format_decimal(value, decimals, leading_zero=False)


def stars(p_value: Any) -> str:
    """Return the stars of a p-value: * below .05, ** below .01, *** below .001.

    Examples
    --------
    >>> stars(0.03), stars(0.0002), stars(0.2), stars(None)
    ('*', '***', '', '')
    """
    if is_missing(p_value):
        return ""
    return next((mark for level, mark in STAR_LEVELS if p_value < level), "")


def format_interval(low: Any, high: Any, *, decimals: int = 2, leading_zero: bool = True) -> str:
    """Print an interval as [low, high], or nothing if a limit is missing.

    Examples
    --------
    >>> format_interval(-0.1, 0.25), format_interval(0.1, None)
    ('[−0.10, 0.25]', '')
    """
    if is_missing(low) or is_missing(high):
        return ""
    limits = [format_decimal(value, decimals, leading_zero=leading_zero) for value in (low, high)]
    return f"[{limits[0]}, {limits[1]}]"


def pad_stars(texts: Sequence[str]) -> list[str]:
    """Pad starred numbers with figure spaces (as wide as a digit or a star) so that, centred, their points align.

    Examples
    --------
    >>> [text.replace(FIGURE_SPACE, "_") for text in pad_stars([".40**", "−.10", "(.91)", ""])]
    ['_.40**', '−.10__', '(.91)_', '']
    """
    before = [len(text.partition(".")[0]) if "." in text else 0 for text in texts]
    after = [max(len(text) - len(text.rstrip("*")), int(text.endswith(")"))) for text in texts]
    left, right = max(before, default=0), max(after, default=0)
    return [
        FIGURE_SPACE * (left - lead) + text + FIGURE_SPACE * (right - tail) if text else text
        for text, lead, tail in zip(texts, before, after, strict=True)
    ]
