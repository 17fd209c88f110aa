"""Record batches of Arrow scored one by one: the same bits whatever the size of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from psm_analysis._options import ScoreColumns
from psm_analysis.scoring.apply import names, score_columns
from psm_analysis.scoring.checks import usable_answers

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoringModel


def score_batches(
    model: ScoringModel, batches: Iterable[Any], *, id: str | None, columns: ScoreColumns, drop: bool
) -> Iterator[Any]:
    """Yield a batch of scores for each batch of answers; nothing is refused, what is no code is missing or dropped."""
    import pyarrow as pa

    for batch in batches:
        frame = batch.select(list(model.item_ids)).to_pandas()
        answers = usable_answers(model, frame, drop=drop)
        found = score_columns(model, answers, columns=columns)
        arrays = [] if id is None else [batch.column(id).filter(pa.array(answers.kept))]
        arrays += [pa.array(column, from_pandas=True) for column in found.values()]
        kept = [] if id is None else [batch.schema.field(id).with_nullable(True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=pa.schema([*kept, *score_fields(model, columns=columns)]))


def score_fields(model: ScoringModel, *, columns: ScoreColumns) -> list[Any]:
    """Return the Arrow fields of the scores and the flags."""
    import pyarrow as pa

    whole = {f"{scale.id}_n" for scale in model.scales}
    shown = [name for scale in model.scales for name in (names(scale) if columns == "all" else (scale.id,))]
    fields = [pa.field(name, pa.int64() if name in whole else pa.float64()) for name in shown]
    return [*fields, pa.field("flags", pa.string())]
