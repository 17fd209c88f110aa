"""How much memory DuckDB may have while a file is scored, and how many threads fit into it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psm_analysis._options import ScoreColumns
from psm_analysis.errors import require
from psm_analysis.scoring.apply import names
from psm_analysis.scoring.dialect import DIALECTS

if TYPE_CHECKING:
    from psm_analysis.scoring.model import ScoringModel

DUCK = DIALECTS["duckdb"]
MEMORY, ROOMY = "320MB", "2GB"
"""Of DuckDB: the usual limit, and the one that a file gets on a second try when the first does not suffice."""
WAITING = 160_000_000
"""Bytes of finished scores that may wait for their turn: about half of the usual limit."""
CELL, CSV_BLOCK, CSV_CELL = 8, 32_000_000, 3


@contextmanager
def connected(limit: str, *, threads: int) -> Iterator[Any]:
    """Give a DuckDB that spills what does not fit into that much memory."""
    duckdb = require("duckdb", extra="scale", purpose="scoring large files")
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as base:
        base.execute(f"SET memory_limit = '{limit}'")
        base.execute(f"SET temp_directory = {DUCK.text(spill)}")
        base.execute(f"SET threads = {threads}")
        yield base


def writing_threads(model: ScoringModel, source: Path, *, columns: ScoreColumns) -> int:
    """Return how many threads may score a file, by the width of what they write.

    The rows keep their order, so a thread that is ahead holds its scores back: those of a row group of the file (csv:
    of a block of 32 MB). One thread is slower, but needs no room for that, however large the row groups are.
    """
    width = CELL * sum(len(names(scale)) if columns == "all" else 1 for scale in model.scales)
    held = max(width * _block_rows(source), 1)
    return max(1, min(os.cpu_count() or 1, WAITING // held))


def _block_rows(source: Path) -> int:
    """Return the rows that one thread takes at a time."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        if source.suffix.lower() == ".csv":
            with source.open("rb") as file:
                return CSV_BLOCK // (CSV_CELL * (file.readline(CSV_BLOCK).count(b",") + 1))
        written = ParquetFile(source).metadata
    except (ArrowException, OSError):  # what is wrong with the file is for its reader to say
        return 0
    return max((written.row_group(g).num_rows for g in range(written.num_row_groups)), default=0)
