"""Items that run against their scale after the stated reversals: reported, never turned round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psm_analysis.survey.violation import Violation
from psm_analysis.survey.wave import SurveyWave

_FEWEST = 30
_UNRELATED = 0.2


def key_violations(wave: SurveyWave) -> Iterator[Violation]:
    """Yield the items whose corrected item-rest correlation is negative, near zero, or differs between groups."""
    for instrument in wave.instruments:
        parts = [(part.name.en, part.items) for part in instrument.subscales] or [("", instrument.item_ids)]
        for title, ids in parts:
            items = [item for item in ids if item in wave.data.columns]
            if len(items) < 3:
                continue
            where = f"{instrument.id}, {title}" if title else instrument.id
            scale = _Scale(wave, items, values=wave.items(instrument.id)[items].to_numpy(np.float64), where=where)
            yield from _against_rest(scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """The items of one scale, stated reversals applied."""

    wave: SurveyWave
    items: list[str]
    values: NDArray[np.float64]
    where: str

    def inside(self) -> NDArray[np.float64]:
        """Return the answers without those outside the scale, which need not share its range."""
        codes = [self.wave.response_codes(item) for item in self.items]
        offered = np.column_stack([np.isin(self.values[:, i], codes[i]) for i in range(len(codes))])
        return np.where(offered, self.values, np.nan)

    def violation(self, rule: str, item: str, *, found: str, message: str, remedy: str) -> Violation:
        column = self.wave.codebook.item(item)
        keyed = "is turned round" if self.wave.is_reverse(item) else "is not turned round"
        return Violation(
            rule=rule,
            severity="warning",
            column=column.column if column else item,
            found=found,
            message=f"{message} (scale: {self.where}). By its key the item {keyed}; nothing was changed.",
            remedy=remedy,
        )


def item_rest_correlations(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return the correlation of each column with the mean of the others over complete rows, and their number.

    Examples
    --------
    >>> r, n = item_rest_correlations(np.array([[1.0, 2, 5], [2, 1, 4], [3, 4, 2], [4, 5, 1]]))
    >>> (r.round(2)).tolist(), n
    ([-0.32, -0.95, -0.97], 4)
    """
    complete = values[np.isfinite(values).all(axis=1)]
    if len(complete) < 3:
        return np.full(values.shape[1], np.nan), len(complete)
    out = np.full(values.shape[1], np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        rest = complete.sum(axis=1, keepdims=True) - complete
        item, other = complete - complete.mean(axis=0), rest - rest.mean(axis=0)
        scale = np.sqrt((item**2).sum(axis=0) * (other**2).sum(axis=0))
        np.divide((item * other).sum(axis=0), scale, out=out, where=scale > 0)
    return out, len(complete)


def _against_rest(scale: _Scale) -> Iterator[Violation]:
    overall, n = item_rest_correlations(scale.inside())
    flagged = _clearly_negative(overall, n)
    groups = [
        (name, *item_rest_correlations(scale.values[mask]))
        for name, mask in _groups(scale.wave)
        if mask.sum() >= _FEWEST
    ]
    for i, item in enumerate(scale.items):
        negative = [(name, r[i], size) for name, r, size in groups if _clearly_negative(r, size)[i]]
        weaker = _weaker([(name, r[i], size) for name, r, size in groups if size >= _FEWEST and np.isfinite(r[i])])
        if flagged[i]:
            yield scale.violation(
                "likely_not_reversed",
                item,
                found=_shown([("all rows", overall[i], n), *negative]),
                message="The item runs against the others of its scale",
                remedy="Look in the questionnaire how it was worded and coded; state reverse or already_reversed.",
            )
        elif negative:
            yield scale.violation(
                "likely_not_reversed_in_group",
                item,
                found=_shown(negative),
                message="In a group, but not in all rows, the item runs against the others of its scale",
                remedy="Look how it was worded and coded in that group.",
            )
        elif weaker:
            yield scale.violation(
                "item_differs_between_groups",
                item,
                found=_shown(weaker),
                message="The item goes with its scale in one group (the first named) but hardly in others",
                remedy="Look how it was worded, translated and coded in those groups.",
            )
        elif n >= _FEWEST and overall[i] + 2.0 / np.sqrt(n) < _UNRELATED:
            yield scale.violation(
                "unrelated_item",
                item,
                found=_shown([("all rows", overall[i], n)]),
                message="The item has hardly anything to do with the others of its scale",
                remedy="Look how it was coded and whether answers were lost; a sound item correlates .30 or more.",
            )


def _shown(parts: list[tuple[str, float, int]]) -> str:
    return "; ".join(f"{name}: r = {r:.2f}, n = {n}" for name, r, n in parts)


def _weaker(parts: list[tuple[str, float, int]]) -> list[tuple[str, float, int]]:
    """Return the best group and those below it by 0.3 and, on Fisher's z, by p < .001; none if all agree."""
    if len(parts) < 2:
        return []
    best = max(parts, key=lambda part: part[1])
    low = [
        part
        for part in parts
        if part[1] < best[1] - 0.3
        and np.arctanh(best[1]) - np.arctanh(part[1]) > 3.29 * np.sqrt(1 / (best[2] - 3) + 1 / (part[2] - 3))
    ]
    return [best, *low] if low else []


def _clearly_negative(r: NDArray[np.float64], n: int) -> NDArray[np.bool_]:
    """Negative by more than two standard errors of a zero correlation, and by more than 0.1."""
    clear: NDArray[np.bool_] = r < -max(0.1, 2 / np.sqrt(max(n, 1)))
    return clear & (n >= _FEWEST)


def _groups(wave: SurveyWave) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for name in (*wave.codebook.named("wave"), *wave.codebook.named("group")):
        if name not in wave.data.columns or not 2 <= wave.data[name].nunique() <= 20:
            continue
        for level, rows in wave.data.groupby(name).indices.items():
            mask = np.zeros(len(wave.data), bool)
            mask[rows] = True
            shown = f"{level:g}" if isinstance(level, float) else str(level)
            yield f"{name} = {shown}", mask
