"""From the cells of a file and a codebook to a `SurveyWave`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.instruments.model import Instrument
from psm_analysis.survey.codebook import Codebook, ItemColumn, Variable
from psm_analysis.survey.coding import AnswerKey, Coded, to_codes, to_text
from psm_analysis.survey.profile import ExportProfile
from psm_analysis.survey.raw_table import RawTable
from psm_analysis.survey.violation import Violation, example_rows, show_values
from psm_analysis.survey.wave import Provenance, SurveyWave


def assemble(
    raw: RawTable, book: Codebook, *, profile: ExportProfile, name: str, origin: tuple[str, str, int]
) -> SurveyWave:
    """Code the cells of `raw` by `book`; `origin` is the name, the hash and the size of the file."""
    present = set(raw.frame.columns)
    items = [item for item in book.items if item.column in present]
    variables = [variable for variable in book.variables if variable.column in present]
    coded = {item.item: _item_answers(item, raw=raw, book=book, profile=profile) for item in items}
    columns: dict[str, pd.Series] = {
        item.item: pd.Series(_as_answered(item, coded[item.item], book=book), name=item.item) for item in items
    }
    findings = [_unread(item.column, coded[item.item], raw=raw) for item in items]
    for variable in variables:
        columns[variable.name], finding = _variable_values(variable, raw=raw, book=book, profile=profile)
        findings.append(finding)
    if not book.declared:
        taken = set(book.columns)
        columns |= {column: raw.frame[column] for column in raw.frame.columns if column not in taken}
    named = {item.column: item.item for item in items} | {entry.column: entry.name for entry in variables}
    return SurveyWave(
        data=pd.DataFrame(columns, index=raw.frame.index),
        codebook=book,
        instruments=book.instruments,
        name=name,
        provenance=_provenance(raw, profile=profile, origin=origin),
        rows=raw.rows,
        labels=MappingProxyType({named.get(column, column): text for column, text in raw.labels.items()}),
        value_labels=MappingProxyType({named.get(column, column): part for column, part in raw.value_labels.items()}),
        findings=tuple(finding for finding in findings if finding is not None),
        warnings=_warnings(raw, book, profile=profile, coded=coded),
    )


def _provenance(raw: RawTable, *, profile: ExportProfile, origin: tuple[str, str, int]) -> Provenance:
    file, sha256, size = origin
    return Provenance(
        file=file,
        sha256=sha256,
        size=size,
        format=raw.format,
        encoding=raw.encoding,
        delimiter=raw.delimiter,
        profile=profile.id,
        rows_in=len(raw.frame),
        rows_out=len(raw.frame),
        columns=tuple(str(column) for column in raw.frame.columns),
        row_unit=raw.row_unit,
    )


def _key(
    column: str,
    *,
    codes: Mapping[str, float],
    missing: tuple[float, ...],
    raw: RawTable,
    book: Codebook,
    profile: ExportProfile,
    labels: Mapping[str, float] = MappingProxyType({}),
) -> AnswerKey:
    return AnswerKey(
        codes=codes,
        labels=labels,
        missing=(*book.missing_codes, *missing),
        missing_texts=(*book.missing_texts, *profile.missing_texts),
        missing_ranges=raw.missing_ranges.get(column, ()),
        code_pattern=profile.code_pattern,
    )


def _instrument_of(item: ItemColumn, book: Codebook) -> Instrument:
    return next(instrument for instrument in book.instruments if item.item in instrument.item_ids)


def _item_answers(item: ItemColumn, *, raw: RawTable, book: Codebook, profile: ExportProfile) -> Coded:
    scale = _instrument_of(item, book).response_of(item.item)
    pairs = zip(scale.codes, scale.labels, strict=True)
    labels = {text: float(code) for code, label in pairs for text in (label.en, label.zh)}
    key = _key(item.column, codes=item.codes, missing=item.missing, raw=raw, book=book, profile=profile, labels=labels)
    return to_codes(raw.frame[item.column], key)


def _as_answered(item: ItemColumn, coded: Coded, *, book: Codebook) -> NDArray[np.float64]:
    if not item.already_reversed:
        return coded.values
    scale = _instrument_of(item, book).response_of(item.item)
    return scale.minimum + scale.maximum - coded.values


def _unread(column: str, coded: Coded, *, raw: RawTable) -> Violation | None:
    if not coded.unread.any():
        return None
    return Violation(
        rule="text_in_number",
        severity="error",
        column=column,
        count=int(coded.unread.sum()),
        rows=example_rows(coded.unread, raw.rows),
        found=show_values(str(cell) for cell in raw.frame[column][coded.unread]),
        message="Cells hold text where a code belongs; they were read as missing.",
        remedy="Correct the cells, or state what the text means: in the codebook under codes, or as a missing text.",
    )


def _variable_values(
    variable: Variable, *, raw: RawTable, book: Codebook, profile: ExportProfile
) -> tuple[pd.Series, Violation | None]:
    cells = raw.frame[variable.column]
    key = _key(variable.column, codes=variable.codes, missing=variable.missing, raw=raw, book=book, profile=profile)
    if variable.role == "id":
        return to_text(cells, key), None
    if variable.role == "response_time":
        cells = _seconds(cells)
    coded = to_codes(cells, key)
    if variable.codes or variable.role in ("weight", "response_time", "attention"):
        return pd.Series(coded.values, index=cells.index), _unread(variable.column, coded, raw=raw)
    if coded.unread.any():
        return to_text(cells, key), None
    return pd.Series(coded.values, index=cells.index), None


def _seconds(cells: pd.Series) -> pd.Series:
    """Read times such as ``75秒`` or ``1分15秒`` as seconds."""
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return cells
    hours, minutes, rest = (
        r"(?:(\d+)\s*(?:小?时|h))?",
        r"(?:(\d+)\s*(?:分钟?|min))?",
        r"(?:(\d+(?:\.\d+)?)\s*(?:秒|s|sec))?",
    )
    pattern = re.compile(rf"{hours}\s*{minutes}\s*{rest}")

    def seconds(cell: object) -> object:
        match = pattern.fullmatch(str(cell).strip())
        if match is None or not any(match.groups()):
            return cell
        h, m, s = (float(part or 0) for part in match.groups())
        return 3600 * h + 60 * m + s

    return cells.map(seconds, na_action="ignore")


def _warnings(raw: RawTable, book: Codebook, *, profile: ExportProfile, coded: Mapping[str, Coded]) -> tuple[str, ...]:
    notes = list(raw.notes)
    if not profile.verified:
        notes.append(f"The export profile {profile.id!r} is not verified. {profile.unverified}")
    worded = [item for item, answers in coded.items() if answers.by_label]
    if worded:
        notes.append(
            f"The answers of {len(worded)} items ({worded[0]}, ...) are in words and were coded by the labels of the"
            " instrument's response options."
        )
    for item in book.items:
        stated = item.reverse
        if stated is not None and stated != _instrument_of(item, book).item(item.item).reverse:
            notes.append(
                f"The codebook keys {item.item!r} {'against' if stated else 'with'} its scale, unlike the instrument."
            )
    return tuple(notes)
