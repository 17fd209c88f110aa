"""A scoring model applied to answers.

References
----------
Cohen, P., Cohen, J., Aiken, L. S., & West, S. G. (1999). The problem of units and the circumstance for POMP.
Multivariate Behavioral Research, 34(3), 315-346.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._equal_rows import equal_rows
from psm_analysis._options import BadValues, ScoreColumns, check_option
from psm_analysis.errors import DataError, OptionError
from psm_analysis.scoring.checks import Answers, read_answers
from psm_analysis.scoring.eap import expected_a_posteriori
from psm_analysis.scoring.norms import norm_columns
from psm_analysis.scoring.packing import FACTOR, origin

if TYPE_CHECKING:
    from psm_analysis.scoring.model import Scale, ScoringModel

Array = NDArray[np.float64]
EAP_NODES = 41
PARTS = ("se", "n", "percentile", "t", "stanine")


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
    return scored_answers(model, answers)[0]


def scored_answers(model: ScoringModel, answers: Array) -> tuple[Array, Array]:
    """Return scores and their standard errors, both (persons, scales), of answers as given, (persons, items)."""
    values = turned(model, answers)
    found = [_score(model, scale, values=values) for scale in model.scales]
    scores, errors = (np.column_stack(part) for part in zip(*found, strict=True))
    return scores, errors


def score_frame(
    model: ScoringModel,
    frame: pd.DataFrame,
    *,
    id: str | None,
    bad_values: BadValues,
    columns: ScoreColumns = "all",
    place: str = "",
) -> Scored:
    """Return scores with norms, counts and flags; see `ScoringModel.score`. `place` is the file that was read."""
    check_option(bad_values, BadValues, name="bad_values")
    check_option(columns, ScoreColumns, name="columns")
    _check_frame(frame)
    refuse_name(model, id)
    answers = read_answers(model, frame, id=id, bad_values=bad_values, place=place)
    found: dict[str, Any] = {} if id is None else {id: _ids(frame.loc[answers.kept, id])}
    found |= score_columns(model, answers, columns=columns)
    scored = pd.DataFrame(found, index=frame.index[answers.kept])
    return Scored(scored, rows_in=len(frame), bad=answers.bad, dropped=int((~answers.kept).sum()))


def score_columns(model: ScoringModel, answers: Answers, *, columns: ScoreColumns) -> dict[str, NDArray[Any]]:
    """Return the columns of the scores and the flags, one entry per kept row."""
    scores, errors = scored_answers(model, answers.values)
    found: dict[str, NDArray[Any]] = {}
    for k, scale in enumerate(model.scales):
        if columns == "scores":
            found[scale.id] = scores[:, k]
            continue
        n = np.sum(~np.isnan(answers.values[:, _places(model, scale)]), axis=1)
        parts = (scores[:, k], errors[:, k], n, *norm_columns(scale.norms[0], scores[:, k]))
        found |= dict(zip(names(scale), parts, strict=True))
    found["flags"] = _flags(model, answers, scores=scores)
    return found


def names(scale: Scale) -> tuple[str, ...]:
    """Return the columns of one scale."""
    return (scale.id, *(f"{scale.id}_{part}" for part in PARTS))


def _check_frame(frame: Any) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"Rows of persons are needed, not {type(frame).__name__}.",
            where="argument 'frame'",
            remedy="Give a pandas DataFrame with a column per item (others have to_pandas()).",
        )


def _ids(column: pd.Series) -> Any:
    """Return ids of the type they have; whole numbers with gaps too."""
    nullable = pd.api.types.is_extension_array_dtype(column) and pd.api.types.is_numeric_dtype(column)
    return column.array if nullable else column.to_numpy()


def refuse_name(model: ScoringModel, id: str | None) -> None:
    """Raise an OptionError if the id is no name, a DataError if it is that of a column of the scores."""
    if id is not None and not isinstance(id, Hashable):
        raise OptionError(f"id={id!r} is no name.", where="argument 'id'", remedy="Give the name of one column.")
    if id in {"flags", *(part for scale in model.scales for part in names(scale))}:
        raise DataError(
            f"The id column {id!r} has the name of a column of the scores.",
            where="argument 'id'",
            remedy="Rename the id column.",
        )


def _places(model: ScoringModel, scale: Scale) -> list[int]:
    order = {item: j for j, item in enumerate(model.item_ids)}
    return [order[item] for item in scale.items]


def _score(model: ScoringModel, scale: Scale, *, values: Array) -> tuple[Array, Array]:
    """Return scores and standard errors; those that are the same for everybody hold for complete answers only."""
    x = values[:, _places(model, scale)]
    if model.method == "eap":
        return expected_a_posteriori(scale.responses, x, n_nodes=EAP_NODES)
    scores = _linear(model, scale, values=values)
    known = ~np.isnan(scores) & ~np.isnan(x).any(axis=1)
    return scores, np.where(known, np.nan if scale.std_error is None else scale.std_error, np.nan)


def _linear(model: ScoringModel, scale: Scale, *, values: Array) -> Array:
    places = _places(model, scale)
    x = values[:, places]
    n = np.sum(~np.isnan(x), axis=1)
    if model.method not in FACTOR:
        base, unit = origin(model, scale)
        if base is None:
            ends = np.array([(model.items[j].codes[0], model.items[j].codes[-1]) for j in places], dtype=float)
            x = (x - ends[:, 0]) * (unit / (ends[:, 1] - ends[:, 0]))
        return rule_scores(model, scale, totals=_total(np.where(np.isnan(x), 0.0, x)), n=n)
    out: Array = np.full(len(x), np.nan)
    enough = n >= scale.required
    out[enough] = _total(x[enough] * np.array(scale.weights)) + scale.constant
    return out


def rule_scores(model: ScoringModel, scale: Scale, *, totals: Array, n: Array) -> Array:
    """Return mean, sum or POMP of whole-number totals; NaN where fewer are answered than the rule asks for.

    Totals are sums of the answers turned round; for POMP of their distances from the lowest code, in common units of
    the response scales.
    """
    out: Array = np.full(len(totals), np.nan)
    enough = (n >= scale.required) & (n > 0)
    if model.method == "pomp":
        return np.divide(100.0 * totals, origin(model, scale)[1] * n, out=out, where=enough)
    np.divide(totals, n, out=out, where=enough)
    return out * len(scale.items) if model.method in ("sum", "prorated") else out


def _total(terms: Array) -> Array:
    """Return the sums of the rows, added from left to right as SQL does: the same bits."""
    total: Array = np.zeros(len(terms))
    for column in terms.T:
        total = total + column
    return total


def _flags(model: ScoringModel, answers: Answers, *, scores: Array) -> NDArray[np.object_]:
    """Return a text per row: ``all_missing``, ``too_few:<scale>``, ``bad_value``, joined by semicolons."""
    empty: NDArray[np.bool_] = np.asarray(np.isnan(answers.values).all(axis=1))
    flags = {"all_missing": empty}
    flags |= {f"too_few:{scale.id}": np.isnan(scores[:, k]) & ~empty for k, scale in enumerate(model.scales)}
    flags["bad_value"] = answers.changed
    first, kind = equal_rows(flags.values())
    texts = [";".join(name for name, rows in flags.items() if rows[row]) for row in first]
    return np.array(texts, dtype=object)[kind]
