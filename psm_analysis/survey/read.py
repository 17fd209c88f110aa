"""From a file to a `SurveyWave`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import OptionError
from psm_analysis.instruments.model import Instrument
from psm_analysis.instruments.registry import get_instrument
from psm_analysis.survey.assemble import assemble
from psm_analysis.survey.codebook import Codebook, codebook_from_ids
from psm_analysis.survey.codebook_toml import read_codebook
from psm_analysis.survey.formats import file_hash, read_table
from psm_analysis.survey.profile import ExportProfile, load_profile
from psm_analysis.survey.raw_table import RawTable
from psm_analysis.survey.wave import SurveyWave


def read_survey(
    path: str | Path,
    *,
    codebook: str | Path | Codebook | None = None,
    instruments: str | Instrument | Iterable[str | Instrument] = (),
    profile: str | None = None,
    sheet: str | int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    name: str | None = None,
) -> SurveyWave:
    """Read a survey file: csv, tsv, Excel, SPSS, Stata or parquet.

    Nothing is dropped and nothing is guessed: cells that the codebook does not explain become missing and are
    reported by `validate`; items are reversed only where the codebook or the instrument says so, and only by
    `SurveyWave.items`.

    Parameters
    ----------
    path
        The file; its extension says how it is read.
    codebook
        A codebook or the path of its TOML file. Without one, columns named by the item ids of `instruments` are
        taken as those items, and every other column is kept as it is.
    instruments
        Ids, or definitions, of the instruments that were used; by default those of the codebook.
    profile
        Layout of the export: plain, qualtrics, limesurvey, redcap or wenjuanxing; by default the codebook's.
    sheet
        Name or number (from 0) of the sheet of a workbook.
    encoding, delimiter
        Of a text file; found out if not given.
    name
        Name of the wave; by default the name of the file without its extension.

    Returns
    -------
    SurveyWave

    Raises
    ------
    FileError
        If the file or the codebook is missing, damaged or cannot be told apart into rows and cells.
    InstrumentError
        If an instrument is not known.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> file = Path(folder) / "wave1.csv"
    >>> _ = file.write_text("id," + ",".join(f"psm{i}" for i in range(1, 17)) + "\\n7" + ",4" * 16 + "\\n")
    >>> wave = read_survey(file, instruments="psm16")
    >>> wave
    <SurveyWave 'wave1': 1 rows, 16 items, instruments: psm16>
    >>> wave.provenance.encoding, wave.provenance.rows_in
    ('utf-8', 1)
    """
    file = Path(path)
    book = codebook if codebook is None or isinstance(codebook, Codebook) else read_codebook(codebook)
    layout = load_profile(profile or (book.profile if book else "plain"))
    chosen = resolve_instruments(instruments)
    ids = tuple(variable.column for variable in book.variables if variable.role == "id") if book else ()
    raw = read_table(file, layout, sheet=sheet, encoding=encoding, delimiter=delimiter, as_text=ids)
    return assemble(
        raw,
        _book(book, chosen, raw=raw, profile=layout),
        profile=layout,
        name=name or file.stem,
        origin=(file.name, file_hash(file), file.stat().st_size),
    )


def wave_from_frame(
    frame: pd.DataFrame,
    *,
    codebook: str | Path | Codebook | None = None,
    instruments: str | Instrument | Iterable[str | Instrument] = (),
    name: str = "frame",
) -> SurveyWave:
    """Make a `SurveyWave` from a DataFrame, as `read_survey` does from a file.

    Parameters
    ----------
    frame
        One row per respondent; its index is not used.
    codebook, instruments, name
        As for `read_survey`.

    Returns
    -------
    SurveyWave

    Examples
    --------
    >>> wave = wave_from_frame(pd.DataFrame({"psm1": [1, 2], "psm2": [5, None]}), instruments="psm16")
    >>> wave.items("psm16").shape
    (2, 2)
    """
    book = codebook if codebook is None or isinstance(codebook, Codebook) else read_codebook(codebook)
    layout = load_profile("plain")
    plain = frame.reset_index(drop=True)
    raw = RawTable(
        frame=plain.set_axis([str(column) for column in plain.columns], axis=1),
        rows=np.arange(1, len(frame) + 1, dtype=np.int64),
        row_unit="record",
        format="DataFrame",
    )
    chosen = resolve_instruments(instruments)
    return assemble(raw, _book(book, chosen, raw=raw, profile=layout), profile=layout, name=name, origin=("", "", 0))


def resolve_instruments(instruments: str | Instrument | Iterable[str | Instrument]) -> tuple[Instrument, ...]:
    """Return the instruments named or given, without repetition.

    Raises
    ------
    InstrumentError
        If one is not known.
    """
    listed = [instruments] if isinstance(instruments, str | Instrument) else list(instruments)
    found = [entry if isinstance(entry, Instrument) else get_instrument(entry) for entry in listed]
    return tuple({instrument.id: instrument for instrument in found}.values())


def _book(book: Codebook | None, chosen: tuple[Instrument, ...], *, raw: RawTable, profile: ExportProfile) -> Codebook:
    if book is None:
        roles = dict.fromkeys(profile.time_columns, "response_time")
        known_id = next((column for column in profile.id_columns if column in raw.frame.columns), None)
        roles |= {known_id: "id"} if known_id else {}
        return codebook_from_ids(chosen, raw.frame.columns, profile=profile.id, roles=roles)
    known = [instrument.id for instrument in book.instruments]
    for instrument in chosen:
        if instrument.id not in known:
            raise OptionError(
                f"The codebook does not use the instrument {instrument.id!r}.",
                where="argument 'instruments'",
                remedy=f"{nearest(instrument.id, known)}It uses: {', '.join(known)}.",
            )
    return book
