"""Reversing items on request: never guessed, always stated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from psm_analysis._arguments import check_range
from psm_analysis.errors import OptionError
from psm_analysis.moments.sample import Sample


def reversed_names(reverse: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the items to reverse; one name may be given without a list.

    Examples
    --------
    >>> reversed_names("a"), reversed_names(["a", "b"])
    (('a',), ('a', 'b'))
    """
    if isinstance(reverse, str):
        return (reverse,)
    if not isinstance(reverse, Iterable):
        raise OptionError(
            f"reverse={reverse!r} is not a list of items.", where="argument 'reverse'", remedy="Give names of columns."
        )
    return tuple(str(name) for name in reverse)


def reverse_items(
    sample: Sample, reverse: Sequence[str], *, response_range: tuple[float, float] | None = None
) -> Sample:
    """Return the sample with each item of `reverse` replaced by ``minimum + maximum - x``.

    Parameters
    ----------
    sample
        The answers.
    reverse
        Names of the items to reverse.
    response_range
        Smallest and largest answer of the response scale; the smallest and largest answer among all items if None.

    Raises
    ------
    DataError
        If an item of `reverse` is not among the columns.
    OptionError
        If an answer of a reversed item lies outside `response_range`.

    Examples
    --------
    >>> sample = Sample(("a",), np.array([[1.0], [4.0]]), None)
    >>> reverse_items(sample, ["a"], response_range=(1, 5)).values.ravel().tolist()
    [5.0, 2.0]
    """
    names = reversed_names(reverse)
    response_range = check_range(response_range, name="response_range")
    if not names:
        return sample
    columns = [sample.position(name, argument="reverse") for name in names]
    low, high = response_range or (float(np.nanmin(sample.values)), float(np.nanmax(sample.values)))
    values = sample.values.copy()
    for column in columns:
        answers = values[:, column]
        if np.nanmin(answers) < low or np.nanmax(answers) > high:
            raise OptionError(
                f"Answers lie outside the response scale {low:g} to {high:g}.",
                where=f"column {sample.names[column]!r}",
                remedy="Correct response_range or the answers.",
            )
        values[:, column] = low + high - answers
    return Sample(sample.names, values, sample.index)
