"""Rules about the values of items: outside the scale, not whole, undeclared "no answer", shifted, constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psm_analysis.survey.violation import Violation, example_rows, show_values
from psm_analysis.survey.wave import SurveyWave

_MISSING_LIKE = frozenset(
    {-1, -2, -3, -7, -8, -9, -66, -77, -88, -97, -98, -99, -999, 7, 8, 9, 66, 77, 88, 96, 97, 98, 99}
    | {777, 888, 997, 998, 999, 9999}
)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Items of one instrument that offer the same codes."""

    wave: SurveyWave
    items: tuple[str, ...]
    codes: tuple[int, ...]
    values: NDArray[np.float64]

    @property
    def scale(self) -> str:
        if len(self.codes) > 2 and set(np.diff(self.codes)) == {1}:
            return f"{self.codes[0]} to {self.codes[-1]}"
        return ", ".join(map(str, self.codes))

    def column(self, item: str) -> str:
        column = self.wave.codebook.item(item)
        return column.column if column else item

    def violation(self, rule: str, item: str, mask: NDArray[np.bool_], *, message: str, remedy: str) -> Violation:
        """Return the violation of one item, with examples and the group that holds all of it."""
        values = self.wave.data[item].to_numpy(np.float64)
        return Violation(
            rule=rule,
            severity="error",
            column=self.column(item),
            count=int(mask.sum()),
            rows=example_rows(mask, self.wave.rows),
            found=show_values(np.unique(values[mask])),
            message=message + _only_in(self.wave, mask),
            remedy=remedy,
        )


def value_violations(wave: SurveyWave) -> Iterator[Violation]:
    """Yield what is wrong with the values of the items of a wave."""
    for block in _blocks(wave):
        shift = _shift(block)
        if shift:
            yield _shifted(block, shift)
        else:
            yield from _outside(block)
        yield from _constant(block)
        yield from _never_chosen(block, shift)


def _blocks(wave: SurveyWave) -> Iterator[_Block]:
    seen: set[str] = set()
    for instrument in wave.instruments:
        mine = [item for item in instrument.item_ids if item in wave.data.columns and item not in seen]
        seen |= set(mine)
        codes = {item: wave.response_codes(item) for item in mine}
        for offered in dict.fromkeys(codes.values()):
            items = tuple(item for item in mine if codes[item] == offered)
            yield _Block(wave, items, offered, wave.data[list(items)].to_numpy(np.float64))


def _shift(block: _Block) -> int:
    """Return 1 or -1 if all answers fit the scale moved by one and do not fit it as it is, else 0."""
    found = set(np.unique(block.values[np.isfinite(block.values)]))
    offered = {float(code) for code in block.codes}
    for step in (-1, 1):
        if found - offered and found <= {code + step for code in offered} and len(found) > 1:
            return step
    return 0


def _shifted(block: _Block, step: int) -> Violation:
    wrong = ~np.isin(block.values, block.codes) & np.isfinite(block.values)
    rows = np.asarray(wrong.any(axis=1))
    low, high = block.codes[0] + step, block.codes[-1] + step
    first, last = block.column(block.items[0]), block.column(block.items[-1])
    found = np.unique(block.values[np.isfinite(block.values)])
    return Violation(
        rule="shifted_scale",
        severity="error",
        column=first if first == last else f"{first} ... {last}",
        count=int(wrong.sum()),
        rows=example_rows(rows, block.wave.rows),
        found=show_values(found),
        message=f"The answers look coded {low} to {high}, but the scale runs from {block.scale}: no {block.codes[-1]}"
        f" and {int(wrong.sum())} times {low} in {len(block.items)} columns."
        if step < 0
        else f"The answers look coded {low} to {high}, but the scale runs from {block.scale}: no {block.codes[0]}"
        f" and {int(wrong.sum())} times {high} in {len(block.items)} columns.",
        remedy="State the codes in the codebook, for example codes = { "
        + ", ".join(f'"{code + step}" = {code}' for code in block.codes[:3])
        + ", ... }."
        + (f" If {low} means 'no answer', declare it missing." if step < 0 else ""),
    )


def _outside(block: _Block) -> Iterator[Violation]:
    offered = np.isin(block.values, block.codes) | ~np.isfinite(block.values)
    whole = np.floor(block.values) == block.values
    strange = np.unique(block.values[~offered & whole])
    missing = [value for value in strange if _means_missing(value, strange, codes=block.codes)]
    for i, item in enumerate(block.items):
        values = block.values[:, i]
        out = ~offered[:, i]
        if not out.any():
            continue
        broken, unanswered = out & ~whole[:, i], np.isin(values, missing)
        beyond = out & ~broken & ~unanswered
        if broken.any():
            yield block.violation(
                "not_a_code",
                item,
                broken,
                message=f"Values between the codes of the scale ({block.scale}).",
                remedy="Look for means, imputed values or a decimal comma; the file must hold the answers given.",
            )
        if unanswered.any():
            labels = block.wave.value_labels.get(item, {})
            named = [f"{value:g} is labelled {labels[value]!r}" for value in missing if value in labels]
            yield block.violation(
                "undeclared_missing",
                item,
                unanswered,
                message=f"Outside the scale ({block.scale}), probably codes for 'no answer'"
                + (f": {'; '.join(named)}." if named else "."),
                remedy="Declare them under missing_codes in the codebook: missing_codes = "
                + f"[{', '.join(f'{value:g}' for value in np.unique(values[unanswered]))}].",
            )
        if beyond.any():
            yield block.violation(
                "outside_scale",
                item,
                beyond,
                message=f"Answers outside the scale ({block.scale}).",
                remedy="Correct the values, or state the codes that were offered under responses in the codebook.",
            )


def _means_missing(value: float, strange: NDArray[np.float64], *, codes: tuple[int, ...]) -> bool:
    """Tell a code for "no answer" from a scale that is longer than expected (two or more codes that continue it)."""
    if value not in _MISSING_LIKE:
        return False
    high, step = codes[-1], codes[-1] - codes[-2]
    run = 0
    while high + (run + 1) * step in strange:
        run += 1
    return run < 2 or not high < value <= high + run * step


def _only_in(wave: SurveyWave, mask: NDArray[np.bool_]) -> str:
    """Name the group that holds every row of `mask`, if there is one and it does not hold everybody."""
    book = wave.codebook
    for name in (*book.named("wave"), *book.named("group")):
        if name in wave.data.columns and mask.sum() > 1:
            levels = wave.data[name]
            held = levels[mask].unique()
            if len(held) == 1 and levels.nunique() > 1 and held[0] == held[0]:
                level = f"{held[0]:g}" if isinstance(held[0], float) else held[0]
                return f" All of them where {name} is {level}."
    return ""


def _constant(block: _Block) -> Iterator[Violation]:
    for i, item in enumerate(block.items):
        answered = block.values[np.isfinite(block.values[:, i]), i]
        if not answered.size:
            yield Violation(
                rule="never_answered",
                severity="error",
                column=block.column(item),
                message="Not one row has an answer.",
                remedy="Look whether the column was exported; list the item under 'omitted' if it was not asked.",
            )
        elif answered.size > 2 and (answered == answered[0]).all():
            yield Violation(
                rule="constant_item",
                severity="warning",
                column=block.column(item),
                count=int(answered.size),
                found=show_values(answered[:1]),
                message="Every answer is the same: the item has no variance.",
                remedy="Look at the export; the item cannot enter a correlation or a factor.",
            )


def _never_chosen(block: _Block, shift: int) -> Iterator[Violation]:
    for i, item in enumerate(block.items):
        chosen = set(np.unique(block.values[:, i]))
        empty = [code for code in block.codes if code + shift not in chosen]
        if empty and len(empty) < len(block.codes) - 1:
            yield Violation(
                rule="empty_category",
                severity="note",
                column=block.column(item),
                count=len(empty),
                found=", ".join(map(str, empty)),
                message="Nobody chose these response options.",
                remedy="Expect it in small samples; ordinal models need the same options in every group.",
            )
