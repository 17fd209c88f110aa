"""The cells of a file as they were read, before any codebook is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """The columns of a file and what the file itself says about them.

    Parameters
    ----------
    frame
        One column per column of the file; blank cells are NaN.
    rows
        The place of each row in the file, as its `row_unit` counts them.
    row_unit
        ``line`` for text files, ``row`` for sheets, ``record`` for SPSS, Stata and parquet.
    format, encoding, delimiter
        How the file was read.
    labels
        Column label or question text per column, where the file has one.
    value_labels
        Code to label, per column.
    missing_ranges
        Closed intervals of codes that the file declares missing, per column.
    notes
        What was assumed while reading.
    """

    frame: pd.DataFrame
    rows: NDArray[np.int64]
    row_unit: str
    format: str
    encoding: str = ""
    delimiter: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    missing_ranges: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
