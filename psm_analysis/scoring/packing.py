"""Answers of a scale packed into one whole number: how many were bad, how many were given, and their sum."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psm_analysis.scoring.model import Scale, ScoredItem, ScoringModel

FACTOR = ("regression", "bartlett", "tenberge")


@dataclass(frozen=True, slots=True)
class Digit:
    """What an answer adds to the packed number: ``slope * code + start``, all whole, at least 0."""

    item: int
    slope: int
    start: int


@dataclass(frozen=True, slots=True)
class Packing:
    """``bad * 2 ** bad_bit + n * 2 ** n_bit + total`` for every scale, as 32 bits where they are enough.

    Attributes
    ----------
    digits
        Per scale those of its items.
    base, unit
        Per scale: the sum of the answers turned round is ``(total + n * base)``, for POMP in units of ``1 / unit`` of
        the response scale above its lowest code.
    """

    digits: tuple[tuple[Digit, ...], ...]
    base: tuple[int, ...]
    unit: tuple[int, ...]
    n_bit: int
    bad_bit: int

    @property
    def kind(self) -> str:
        """SQL type that holds the packed numbers."""
        most = max(map(len, self.digits))
        return "INT" if (most + 1) << self.bad_bit < 2**31 else "BIGINT"


def pack(model: ScoringModel) -> Packing:
    """Return how the answers of a model are packed.

    Examples
    --------
    >>> from types import SimpleNamespace as Part
    >>> item = Part(id="a", codes=(1, 2, 3), reverse=True)
    >>> packing = pack(Part(method="mean", items=(item,), item_ids=("a",), scales=(Part(items=("a",)),)))
    >>> packing.digits[0], packing.base, packing.n_bit
    ((Digit(item=0, slope=-1, start=3),), (1,), 2)
    """
    place = {item: j for j, item in enumerate(model.item_ids)}
    bases, units, digits, largest = [], [], [], 1
    for scale in model.scales:
        base, unit = origin(model, scale)
        own = [_digit(model.items[place[item]], place[item], base=base, unit=unit) for item in scale.items]
        largest = max(largest, sum(_most(model.items[digit.item], digit) for digit in own))
        bases.append(base or 0)
        units.append(unit)
        digits.append(tuple(own))
    n_bit = largest.bit_length()
    bad_bit = n_bit + max(len(own) for own in digits).bit_length()
    return Packing(tuple(digits), tuple(bases), tuple(units), n_bit=n_bit, bad_bit=bad_bit)


def origin(model: ScoringModel, scale: Scale) -> tuple[int | None, int]:
    """Return the lowest code of a scale and 1; for POMP None (each item its own) and the common unit of the ranges."""
    items = [item for item in model.items if item.id in scale.items]
    if model.method == "pomp":
        return None, lcm(*(item.codes[-1] - item.codes[0] for item in items))
    return min(item.codes[0] for item in items), 1


def _digit(item: ScoredItem, place: int, *, base: int | None, unit: int) -> Digit:
    low, high = item.codes[0], item.codes[-1]
    slope = 1 if base is not None else unit // (high - low)
    zero = low if base is None else base
    turned = (-slope, slope * (low + high - zero)) if item.reverse else (slope, -slope * zero)
    return Digit(place, *turned)


def _most(item: ScoredItem, digit: Digit) -> int:
    return max(digit.slope * code + digit.start for code in (item.codes[0], item.codes[-1]))
