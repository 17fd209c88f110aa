"""A whole file scored: by DuckDB in blocks where that will do, else in memory; with a report of the run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from psm_analysis._options import BadValues, ScoreColumns, check_option
from psm_analysis.scoring.apply import score_frame
from psm_analysis.scoring.model import ScoringModel
from psm_analysis.scoring.output import check_output, place_scores, temporary_file, write_scores
from psm_analysis.scoring.stream import stream_scores
from psm_analysis.survey.formats import file_hash, read_table
from psm_analysis.survey.profile import load_profile


@dataclass(frozen=True, slots=True)
class _Job:
    model: ScoringModel
    source: Path
    out: Path
    id: str | None
    bad_values: BadValues
    columns: ScoreColumns
    profile: str
    reading: dict[str, Any]
    overwrite: bool
    about: dict[str, Any]


def score_file(
    model: ScoringModel,
    source: str | Path,
    *,
    out: str | Path,
    id: str | None = None,
    bad_values: BadValues = "refuse",
    columns: ScoreColumns = "all",
    profile: str = "plain",
    sheet: str | int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    overwrite: bool = False,
    about: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Score a file into a file, and write the report of the run beside it as ``<out>.run.json``.

    Csv and parquet scored to parquet go through DuckDB in blocks if the extra ``scale`` is installed; all else goes
    through memory. The scores are those of `ScoringModel.score`, to the last bit. The output appears whole or not at
    all, and the same input gives the same bytes.

    Parameters
    ----------
    model
        A frozen scoring model.
    source
        csv, tsv, xlsx, sav, dta or parquet; columns named by item id.
    out
        .csv, .parquet, .xlsx, .sav or .dta.
    id, bad_values, columns
        As in `ScoringModel.score`.
    profile, sheet, encoding, delimiter
        Layout of the export, sheet of a workbook, encoding and delimiter of a text file, as in `read_survey`.
    overwrite
        Replace existing scores. The input itself is never replaced.
    about
        More to say in the report.

    Returns
    -------
    dict
        The report: ``input``, ``input_sha256``, ``instrument``, ``method``, ``bad_values``, ``columns``, ``engine``,
        ``rows_in``, ``rows_out``, ``rows_dropped``, ``bad_answers`` (by item), ``without_score`` (by scale), ``flags``
        (rows by flag), ``other_columns``.

    Raises
    ------
    DataError
        If columns, answers or ids cannot be used; every problem is named in one message.
    FileError
        If the input cannot be read, or the output exists, is the input, or cannot be written.

    Examples
    --------
    >>> from psm_analysis.survey.read import wave_from_frame
    >>> from psm_analysis.workflows.calibrate import calibrate
    >>> import tempfile
    >>> answers = pd.DataFrame({f"turnover{j}": [1, 2, 4, 5] for j in (1, 2, 3)})
    >>> frozen = calibrate(wave_from_frame(answers, instruments="turnover3"), "turnover3")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     answers.to_csv(f"{folder}/wave.csv", index=False)
    ...     report = score_file(frozen, f"{folder}/wave.csv", out=f"{folder}/scores.csv")
    >>> report["rows_out"], report["without_score"]
    (4, {'turnover': 0})
    """
    check_option(bad_values, BadValues, name="bad_values")
    check_option(columns, ScoreColumns, name="columns")
    check_output(out, overwrite=overwrite, inputs=(source,))
    reading = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter}
    job = _Job(model, Path(source), Path(out), id, bad_values, columns, profile, reading, overwrite, about or {})
    simple = profile == "plain" and encoding is None and delimiter is None
    return (_streamed(job) if simple else None) or _in_memory(job)


def _head(job: _Job, engine: str, *, sha256: str) -> dict[str, Any]:
    known = {
        "input": job.source.name,
        "input_sha256": sha256,
        "instrument": job.model.instrument,
        "method": job.model.method,
        "bad_values": job.bad_values,
        "columns": job.columns,
    }
    return known | job.about | {"engine": engine}


def _streamed(job: _Job) -> dict[str, Any] | None:
    with temporary_file(job.out) as file, ThreadPoolExecutor(1) as pool:
        hashing = pool.submit(file_hash, job.source)
        found = stream_scores(
            job.model, job.source, file=file, target=job.out, id=job.id, bad_values=job.bad_values, columns=job.columns
        )
        if found is None:
            return None
        report = _head(job, "arrow" if job.model.method == "eap" else "duckdb", sha256=hashing.result()) | {
            "rows_in": found.rows_in,
            "rows_out": found.rows,
            "rows_dropped": found.rows_in - found.rows,
            "bad_answers": found.bad,
            "without_score": found.without_score,
            "flags": found.flags,
            "other_columns": list(found.other_columns),
        }
        place_scores(file, job.out, report=report, overwrite=job.overwrite)
    return report


def _in_memory(job: _Job) -> dict[str, Any]:
    frame = _read(job)
    scored = score_frame(
        job.model, frame, id=job.id, bad_values=job.bad_values, columns=job.columns, place=job.source.name
    )
    flags = scored.scores["flags"].str.split(";").explode()
    report = _head(job, "pandas", sha256=file_hash(job.source)) | {
        "rows_in": scored.rows_in,
        "rows_out": len(scored.scores),
        "rows_dropped": scored.dropped,
        "bad_answers": scored.bad,
        "without_score": {scale.id: int(scored.scores[scale.id].isna().sum()) for scale in job.model.scales},
        "flags": {str(flag): int(count) for flag, count in flags[flags != ""].value_counts().sort_index().items()},
        "other_columns": [str(name) for name in frame.columns if name not in (*job.model.item_ids, job.id)],
    }
    write_scores(scored.scores, job.out, report=report, overwrite=job.overwrite)
    return report


def _read(job: _Job) -> pd.DataFrame:
    """Return the cells of the file, rows numbered from 1; codes that an SPSS file declares missing are missing."""
    raw = read_table(job.source, load_profile(job.profile), as_text=(job.id,) if job.id else (), **job.reading)
    frame = raw.frame.set_axis(pd.RangeIndex(1, len(raw.frame) + 1))
    for name, ranges in raw.missing_ranges.items():
        codes = pd.to_numeric(frame[name], errors="coerce")
        for low, high in ranges:
            frame[name] = frame[name].mask(codes.between(low, high))
    return frame
