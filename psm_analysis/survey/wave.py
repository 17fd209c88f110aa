"""One wave of a survey: the coded answers, what they mean, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import nearest
from psm_analysis.errors import DataError
from psm_analysis.instruments.model import Instrument
from psm_analysis.survey.codebook import Codebook
from psm_analysis.survey.violation import Violation


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the answers came from: enough to know the file again.

    Parameters
    ----------
    file, sha256, size
        Name (without folder), hash and bytes of the file; empty for a wave made from a DataFrame.
    format, encoding, delimiter, profile
        How it was read.
    rows_in, rows_out
        Rows in the file and in the wave; reading drops none.
    columns
        The columns of the file, in order.
    row_unit
        What the row numbers count: ``line``, ``row`` or ``record``.
    """

    file: str
    sha256: str
    size: int
    format: str
    encoding: str
    delimiter: str
    profile: str
    rows_in: int
    rows_out: int
    columns: tuple[str, ...]
    row_unit: str


@dataclass(frozen=True, slots=True, eq=False)
class SurveyWave:
    """The answers to one wave of a survey, frozen with their codebook.

    Parameters
    ----------
    data
        One row per row of the file, in its order. Item columns are named by item id and hold the codes as answered
        (not reversed), NaN where there is no answer; the other declared columns follow.
    codebook, instruments
        What the columns mean.
    name
        Name of the wave.
    provenance
        Where the answers came from.
    rows
        The place of each row in the file.
    labels, value_labels
        What the file itself says about the columns and codes, by column of `data`.
    findings
        What was wrong in the cells when they were read; `validate` reports it with everything else.
    warnings
        What was assumed while reading.
    """

    data: pd.DataFrame
    codebook: Codebook
    instruments: tuple[Instrument, ...]
    name: str
    provenance: Provenance
    rows: NDArray[np.int64]
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    findings: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        used = ", ".join(instrument.id for instrument in self.instruments) or "none"
        return f"<SurveyWave {self.name!r}: {len(self.data)} rows, {len(self.item_ids)} items, instruments: {used}>"

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Ids of the items that the file holds, in the order of the codebook."""
        return tuple(item for item in self.codebook.item_ids if item in self.data.columns)

    def instrument(self, instrument: str) -> Instrument:
        """Return the instrument with the id `instrument`.

        Raises
        ------
        DataError
            If the wave does not use it.
        """
        for known in self.instruments:
            if known.id == instrument:
                return known
        used = [known.id for known in self.instruments]
        raise DataError(
            f"The wave does not use the instrument {instrument!r}.",
            where=f"wave {self.name!r}",
            remedy=f"{nearest(instrument, used)}It uses: {', '.join(used) or 'none'}.",
        )

    def owner(self, item: str) -> Instrument:
        """Return the instrument that `item` belongs to."""
        for known in self.instruments:
            if item in known.item_ids:
                return known
        raise DataError(
            f"{item!r} is not an item of the wave.",
            where=f"wave {self.name!r}",
            remedy=f"{nearest(item, self.item_ids)}".strip(),
        )

    def response_codes(self, item: str) -> tuple[int, ...]:
        """Return the codes that were offered for `item`."""
        return self.owner(item).response_of(item).codes

    def is_reverse(self, item: str) -> bool:
        """Return whether `item` is keyed against its scale: as the codebook states it, else the instrument."""
        column = self.codebook.item(item)
        if column is not None and column.reverse is not None:
            return column.reverse
        return self.owner(item).item(item).reverse

    def items(self, instrument: str | None = None, *, reversed: bool = True) -> pd.DataFrame:
        """Return the answers to the items of one instrument, or of all.

        Parameters
        ----------
        instrument
            Id of the instrument; None for every item.
        reversed
            Whether items keyed against their scale are turned round: ``min + max - x`` over the codes offered.

        Returns
        -------
        DataFrame
            Rows by items, float, NaN where there is no answer.

        Raises
        ------
        DataError
            If the wave does not use the instrument.
        """
        ids = self.item_ids if instrument is None else self.instrument(instrument).item_ids
        chosen = [item for item in ids if item in self.data.columns]
        frame = self.data[chosen].astype(np.float64)
        if reversed:
            for item in (item for item in chosen if self.is_reverse(item)):
                codes = self.response_codes(item)
                frame[item] = codes[0] + codes[-1] - frame[item]
        return frame
