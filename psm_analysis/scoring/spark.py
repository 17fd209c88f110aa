"""A frozen scoring model applied to an Apache Spark DataFrame, for users with a cluster.

Linear scores become Spark SQL; expected a posteriori scores go through Arrow batches. Needs the extra ``spark``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from psm_analysis._options import ScoreColumns, check_option, nearest
from psm_analysis.errors import DataError, require
from psm_analysis.scoring.apply import refuse_name
from psm_analysis.scoring.dialect import DIALECTS
from psm_analysis.scoring.sql import steps

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from psm_analysis.scoring.model import ScoringModel

WHOLE = ("tinyint", "smallint", "int", "bigint")
NUMBERS = (*WHOLE, "float", "double")


def score(frame: DataFrame, model: ScoringModel, *, id: str | None = None, columns: ScoreColumns = "all") -> DataFrame:
    """Return the scores of a Spark DataFrame as another; nothing is computed until Spark is asked for it.

    Set ``spark.sql.codegen.hugeMethodLimit`` of the session to 8000, the length beyond which Java does not compile a
    method: with Spark's own limit of 65535, five scales take about five times as long.

    Parameters
    ----------
    frame
        One row per person; columns named by item id hold numbers. Other columns are ignored.
    model
        A frozen scoring model.
    id
        Column that identifies the persons; it is kept as the first column. Spark keeps no order of the rows, so give
        one. Whether ids are repeated is not checked.
    columns
        ``all``, or only the ``scores`` and flags.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of `ScoringModel.score`. Answers that are not codes of the item count as missing and are flagged
        ``bad_value``; NULL and NaN are missing.

    Raises
    ------
    DataError
        If a column is missing or holds no numbers, or the id column has the name of a score.
    MissingExtraError
        If PySpark is not installed.

    Examples
    --------
    With a session, ``score(session.read.parquet("waves/"), psm.load_scoring_model("psm16.json"), id="person_id")``.
    """
    require("pyspark", extra="spark", purpose="scoring Spark DataFrames")
    check_option(columns, ScoreColumns, name="columns")
    refuse_name(model, id)
    kinds = dict(frame.dtypes)
    _check(model, kinds, id=id)
    mark = DIALECTS["spark"]
    kept = [mark.name(name) for name in (*(() if id is None else (id,)), *model.item_ids)]
    found = frame.selectExpr(*kept)
    if model.method == "eap":
        return _in_batches(found, model, id=id, columns=columns)
    whole = [item for item in model.item_ids if kinds[item] in WHOLE]
    for step in steps(model, dialect=mark, id=id, columns=columns, whole=whole):
        found = found.selectExpr(*step)
    return found


def _check(model: ScoringModel, kinds: dict[str, str], *, id: str | None) -> None:
    needed = [*model.item_ids, *([] if id is None else [id])]
    problems = [f"column '{name}' is missing. {nearest(name, kinds)}".rstrip() for name in needed if name not in kinds]
    problems += [
        f"column '{item}' holds {kinds[item]}, not numbers."
        for item in model.item_ids
        if item in kinds and kinds[item] not in NUMBERS
    ]
    if problems:
        raise DataError(
            "The rows cannot be scored:\n  " + "\n  ".join(problems) + "\n",
            where=f"scoring model of '{model.instrument}'",
            remedy="Rename or cast the columns.",
        )


def _in_batches(frame: DataFrame, model: ScoringModel, *, id: str | None, columns: ScoreColumns) -> DataFrame:
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema

    from psm_analysis.scoring.batches import score_batches, score_fields

    fields = from_arrow_schema(pa.schema(score_fields(model, columns=columns)))
    kept = [] if id is None else [frame.schema[id]]

    def scored(batches: Iterator[Any]) -> Iterator[Any]:
        return score_batches(model, batches, id=id, columns=columns, drop=False)

    with warnings.catch_warnings():
        # mapInArrow hands over Arrow batches: what PySpark says about pandas does not concern it.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        return frame.mapInArrow(scored, type(frame.schema)([*kept, *fields.fields]))
