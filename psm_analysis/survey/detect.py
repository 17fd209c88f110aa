"""Which instruments a file holds, by the names of its columns."""

from __future__ import annotations

from collections.abc import Iterable

from psm_analysis.instruments.model import Instrument


def detect_instruments(columns: Iterable[str], known: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """Return the instruments whose item ids are the names of columns, capital letters aside.

    An instrument is taken if more of its items are there than not; of several that share items, the one with the
    largest surplus is taken. Nothing is assumed about keys: reversals come from the instrument.

    Parameters
    ----------
    columns
        The columns of the file.
    known
        The instruments to look for.

    Examples
    --------
    >>> from psm_analysis.instruments.registry import get_instrument
    >>> found = detect_instruments([f"PSM{i}" for i in range(1, 16)], [get_instrument("psm16")])
    >>> [instrument.id for instrument in found]
    ['psm16']
    """
    present = {column.lower() for column in columns}
    surplus = []
    for instrument in known:
        there = sum(item.lower() in present for item in instrument.item_ids)
        surplus.append((2 * there - len(instrument.item_ids), instrument))
    chosen: list[Instrument] = []
    taken: set[str] = set()
    for merit, instrument in sorted(surplus, key=lambda pair: -pair[0]):
        if merit > 0 and taken.isdisjoint(instrument.item_ids):
            chosen.append(instrument)
            taken |= set(instrument.item_ids)
    return tuple(chosen)
