"""Rules about columns and rows: what is missing, unknown, repeated or empty."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import numpy as np

from psm_analysis._options import nearest
from psm_analysis.survey.profile import load_profile
from psm_analysis.survey.violation import Violation, example_rows, show_values
from psm_analysis.survey.wave import SurveyWave


def structure_violations(wave: SurveyWave) -> Iterator[Violation]:
    """Yield what is wrong with the columns and rows of a wave."""
    yield from _missing_columns(wave)
    yield from _unknown_columns(wave)
    yield from _capitals(wave)
    yield from _identifiers(wave)
    yield from _empty_rows(wave)
    yield from _weights(wave)


def undeclared_columns(wave: SurveyWave) -> list[str]:
    """Return the columns of the file that neither the codebook nor the platform explains."""
    declared = set(wave.codebook.columns)
    profile = load_profile(wave.provenance.profile)
    return [name for name in wave.provenance.columns if name not in declared and not profile.is_metadata(name)]


def _missing_columns(wave: SurveyWave) -> Iterator[Violation]:
    present = set(wave.provenance.columns)
    spare = undeclared_columns(wave)
    for column, name in _declared(wave):
        if column not in present:
            held = f"holds {name!r}" if name != column else "is declared"
            yield Violation(
                rule="missing_column",
                severity="error",
                column=column,
                message=f"The file has no such column; it {held}.",
                remedy=f"{nearest(column, spare)}Correct the name in the file or in the codebook,"
                " or list the item under 'omitted' in the codebook if it was not asked.",
            )


def _declared(wave: SurveyWave) -> list[tuple[str, str]]:
    book = wave.codebook
    return [(item.column, item.item) for item in book.items] + [(entry.column, entry.name) for entry in book.variables]


def _unknown_columns(wave: SurveyWave) -> Iterator[Violation]:
    present = set(wave.provenance.columns)
    absent = [column for column, _ in _declared(wave) if column not in present]
    for column in undeclared_columns(wave):
        near = difflib.get_close_matches(column.lower(), [name.lower() for name in absent], n=1, cutoff=0.75)
        if near:
            yield Violation(
                rule="misspelt_column",
                severity="warning",
                column=column,
                message="The column is not declared, but a declared column that is missing has nearly this name.",
                remedy=f"{nearest(column, absent)}Rename one of the two.",
            )
        elif wave.codebook.declared:
            yield Violation(
                rule="unknown_column",
                severity="note",
                column=column,
                message="The codebook does not declare this column; it was left out.",
                remedy="Declare it under variables if it is needed.",
            )


def _capitals(wave: SurveyWave) -> Iterator[Violation]:
    if wave.codebook.declared:
        return
    for item in wave.codebook.items:
        if item.column != item.item:
            yield Violation(
                rule="capital_letters",
                severity="note",
                column=item.column,
                message=f"The column was taken as the item {item.item!r}, which it equals but for capital letters.",
                remedy="Nothing, if that is right; else state the columns in a codebook.",
            )


def _identifiers(wave: SurveyWave) -> Iterator[Violation]:
    names = [name for name in wave.codebook.named("id") if name in wave.data.columns]
    for name in names:
        ids = wave.data[name]
        by = [name, *(wave_name for wave_name in wave.codebook.named("wave") if wave_name in wave.data.columns)]
        repeated = (wave.data.duplicated(subset=by, keep=False) & ids.notna()).to_numpy()
        if repeated.any():
            yield Violation(
                rule="duplicated_id",
                severity="error",
                column=name,
                count=int(repeated.sum()),
                rows=example_rows(repeated, wave.rows),
                found=show_values(ids[repeated]),
                message=f"{ids[repeated].nunique()} identifiers stand in more than one row.",
                remedy="Keep one row per person and wave: the complete one, or the first; or declare the wave column.",
            )
        blank = ids.isna().to_numpy()
        if blank.any():
            yield Violation(
                rule="missing_id",
                severity="warning",
                column=name,
                count=int(blank.sum()),
                rows=example_rows(blank, wave.rows),
                message="Rows have no identifier.",
                remedy="They cannot be matched with other waves; give them one if they can be told apart.",
            )


def _empty_rows(wave: SurveyWave) -> Iterator[Violation]:
    items = list(wave.item_ids)
    if not items:
        return
    empty = wave.data[items].isna().all(axis=1).to_numpy()
    if empty.any():
        yield Violation(
            rule="all_missing_row",
            severity="warning",
            column="",
            count=int(empty.sum()),
            rows=example_rows(empty, wave.rows),
            message="Rows answer not one item.",
            remedy="Leave them out of the analysis and say so in the report.",
        )


def _weights(wave: SurveyWave) -> Iterator[Violation]:
    for name in (name for name in wave.codebook.named("weight") if name in wave.data.columns):
        weights = wave.data[name].to_numpy(np.float64)
        wrong = ~(weights > 0)
        if wrong.any():
            yield Violation(
                rule="weight_not_positive",
                severity="error",
                column=name,
                count=int(wrong.sum()),
                rows=example_rows(wrong, wave.rows),
                found=show_values(weights[wrong]),
                message="Sampling weights are missing, zero or negative.",
                remedy="Give every row a positive weight, or leave the row out before weighting.",
            )
