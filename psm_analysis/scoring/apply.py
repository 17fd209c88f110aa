"""A scoring model applied to answers.

References
----------
Cohen, P., Cohen, J., Aiken, L. S., & West, S. G. (1999). The problem of units and the circumstance for POMP.
Multivariate Behavioral Research, 34(3), 315-346.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import BadValues, check_option
from psm_analysis.errors import DataError
from psm_analysis.scoring.checks import Answers, read_answers
from psm_analysis.scoring.norms import norm_columns

if TYPE_CHECKING:
    from psm_analysis.scoring.model import Scale, ScoringModel

Array = NDArray[np.float64]
FACTOR = ("regression", "bartlett")


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores, and what had to be done to the answers."""

    scores: pd.DataFrame
    rows_in: int
    bad: dict[str, int]
    dropped: int


def turned(model: ScoringModel, answers: Array) -> Array:
    """Return the answers with reversed items turned round: ``min + max - x``."""
    out = np.array(answers, dtype=float)
    for j, item in enumerate(model.items):
        if item.reverse:
            out[:, j] = item.codes[0] + item.codes[-1] - out[:, j]
    return out


def scores_of(model: ScoringModel, answers: Array) -> Array:
    """Return the scores, shape (persons, scales), of answers as given, shape (persons, items)."""
    values = turned(model, answers)
    return np.column_stack([_score(model, scale, values=values) for scale in model.scales])


def score_frame(model: ScoringModel, frame: pd.DataFrame, *, id: str | None, bad_values: BadValues) -> Scored:
    """Return scores with norms, counts and flags; see `ScoringModel.score`."""
    check_option(bad_values, BadValues, name="bad_values")
    answers = read_answers(model, frame, id=id, bad_values=bad_values)
    scores = scores_of(model, answers.values)
    columns: dict[str, object] = {} if id is None else {id: frame.loc[answers.kept, id].to_numpy()}
    taken = {name for scale in model.scales for name in _names(scale)} | {"flags"}
    if id in taken:
        raise DataError(
            f"The id column {id!r} has the name of a column of the scores.",
            where="argument 'id'",
            remedy="Rename the id column.",
        )
    for k, scale in enumerate(model.scales):
        n = np.sum(~np.isnan(answers.values[:, _places(model, scale)]), axis=1)
        error = np.nan if scale.std_error is None else scale.std_error
        se = np.where(np.isnan(scores[:, k]) | (n < len(scale.items)), np.nan, error)
        parts = (scores[:, k], se, n, *norm_columns(scale.norms[0], scores[:, k]))
        columns |= dict(zip(_names(scale), parts, strict=True))
    columns["flags"] = _flags(model, answers, scores=scores)
    scored = pd.DataFrame(columns, index=frame.index[answers.kept])
    return Scored(scored, rows_in=len(frame), bad=answers.bad, dropped=int((~answers.kept).sum()))


def _names(scale: Scale) -> tuple[str, ...]:
    return (scale.id, *(f"{scale.id}_{part}" for part in ("se", "n", "percentile", "t", "stanine")))


def _places(model: ScoringModel, scale: Scale) -> list[int]:
    order = {item: j for j, item in enumerate(model.item_ids)}
    return [order[item] for item in scale.items]


def _score(model: ScoringModel, scale: Scale, *, values: Array) -> Array:
    places = _places(model, scale)
    x = values[:, places]
    n = np.sum(~np.isnan(x), axis=1)
    out: Array = np.full(len(x), np.nan)
    enough = n >= scale.required
    if model.method in FACTOR:
        out[enough] = _total(x[enough] * np.array(scale.weights)) + scale.constant
        return out
    if model.method == "pomp":
        ends = np.array([(model.items[j].codes[0], model.items[j].codes[-1]) for j in places], dtype=float)
        x = 100.0 * (x - ends[:, 0]) / (ends[:, 1] - ends[:, 0])
    np.divide(_total(np.where(np.isnan(x), 0.0, x)), n, out=out, where=enough & (n > 0))
    return out * len(places) if model.method in ("sum", "prorated") else out


def _total(terms: Array) -> Array:
    """Return the sums of the rows, added from left to right as SQL does: the same bits."""
    total: Array = np.zeros(len(terms))
    for column in terms.T:
        total = total + column
    return total


def _flags(model: ScoringModel, answers: Answers, *, scores: Array) -> list[str]:
    empty: NDArray[np.bool_] = np.asarray(np.isnan(answers.values).all(axis=1))
    short = [np.isnan(scores[:, k]) & ~empty for k in range(len(model.scales))]
    flags: list[list[str]] = [["all_missing"] if gone else [] for gone in empty]
    for scale, rows in zip(model.scales, short, strict=True):
        for row in np.flatnonzero(rows):
            flags[row].append(f"too_few:{scale.id}")
    for row in np.flatnonzero(answers.changed):
        flags[row].append("bad_value")
    return [";".join(entry) for entry in flags]
