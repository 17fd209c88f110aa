"""Checks of arguments that are numbers, ranges or results: each says which argument is wrong and what it can be."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from psm_analysis.errors import OptionError

T = TypeVar("T")


def check_whole(value: Any, *, name: str, least: int, most: int | None = None, remedy: str = "") -> int:
    """Return `value` if it is a whole number from `least` to `most`, else raise an OptionError.

    Examples
    --------
    >>> check_whole(3, name="n_factors", least=1)
    3
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and value >= least and (most is None or value <= most):
        return int(value)
    limits = f"of {least} or more" if most is None else f"from {least} to {most}"
    raise OptionError(f"{name}={value!r} is not a whole number {limits}.", where=f"argument {name!r}", remedy=remedy)


def check_between(value: Any, *, name: str, low: float = 0.0, high: float = 1.0, remedy: str = "") -> float:
    """Return `value` if it lies between `low` and `high`, both excluded, else raise an OptionError.

    Examples
    --------
    >>> check_between(0.95, name="level")
    0.95
    """
    if is_number(value) and low < value < high:
        return float(value)
    bounds = f"above {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
    raise OptionError(f"{name}={value!r} is not {bounds}.", where=f"argument {name!r}", remedy=remedy)


def check_level(level: Any) -> float:
    """Return the level of an interval if it is between 0 and 1.

    Examples
    --------
    >>> check_level(0.9)
    0.9
    """
    return check_between(level, name="level", remedy="Use 0.95.")


def check_seed(seed: Any) -> int | None:
    """Return the seed if it is a whole number of 0 or more, or None.

    Examples
    --------
    >>> check_seed(1)
    1
    """
    return None if seed is None else check_whole(seed, name="seed", least=0, remedy="Use seed=1.")


def check_range(value: Any, *, name: str) -> tuple[float, float] | None:
    """Return the smallest and largest answer of a response scale as two numbers, or None if none are given.

    Examples
    --------
    >>> check_range((1, 5), name="response_range")
    (1.0, 5.0)
    """
    if value is None:
        return None
    pair = value if isinstance(value, tuple | list) else ()
    if len(pair) == 2 and all(is_number(end) for end in pair) and pair[0] < pair[1]:
        return float(pair[0]), float(pair[1])
    raise OptionError(
        f"{name}={value!r} is not a pair of the smallest and the largest answer.",
        where=f"argument {name!r}",
        remedy=f"Use {name}=(1, 5) for a scale from 1 to 5.",
    )


def check_instance(value: Any, kind: type[T], *, name: str, remedy: str) -> T:
    """Return `value` if it is of the kind that is asked for, else raise an OptionError.

    Examples
    --------
    >>> check_instance(1.5, float, name="scale", remedy="Give a number.")
    1.5
    """
    if isinstance(value, kind):
        return value
    raise OptionError(
        f"{name} is of type {type(value).__name__}, not {kind.__name__}.", where=f"argument {name!r}", remedy=remedy
    )


def is_number(value: Any) -> bool:
    """Return whether `value` is a finite real number and no truth value.

    Examples
    --------
    >>> is_number(2), is_number("2"), is_number(float("nan"))
    (True, False, False)
    """
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return real and bool(np.isfinite(value))
