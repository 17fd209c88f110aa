"""Every violation of a wave at once, in one table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from textwrap import fill
from typing import get_args

import pandas as pd

from psm_analysis._options import Severity
from psm_analysis._results import Result
from psm_analysis.survey.rules_keys import key_violations
from psm_analysis.survey.rules_labels import label_violations
from psm_analysis.survey.rules_structure import structure_violations
from psm_analysis.survey.rules_values import value_violations
from psm_analysis.survey.violation import Violation, violation_table
from psm_analysis.survey.wave import SurveyWave


@dataclass(frozen=True, slots=True, repr=False)
class ValidationReport(Result):
    """What is wrong with a wave.

    Parameters
    ----------
    name, rows, items, instruments
        The wave that was looked at.
    row_unit
        What the row numbers count: ``line``, ``row`` or ``record`` of the file.
    violations
        The rules that were broken, the worst first.
    warnings
        What was assumed while reading.
    """

    name: str
    rows: int
    items: int
    instruments: tuple[str, ...]
    row_unit: str
    violations: tuple[Violation, ...]
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no rule of severity ``error`` was broken."""
        return not self.count("error")

    def count(self, severity: Severity) -> int:
        """Return the number of violations of one severity: error, warning or note."""
        return sum(violation.severity == severity for violation in self.violations)

    def tidy(self) -> pd.DataFrame:
        """Return one row per column and rule: severity, rule, column, count, rows, found, message, remedy."""
        return violation_table(self.violations)

    def glance(self) -> pd.DataFrame:
        """Return one row: the wave and how much was found."""
        row = {
            "name": self.name,
            "rows": self.rows,
            "items": self.items,
            "instruments": ", ".join(self.instruments),
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "notes": self.count("note"),
            "ok": self.ok,
        }
        return pd.DataFrame([row])

    def summary(self, *, notes: bool = False) -> str:
        """Return the report as text; `notes` adds the violations of severity ``note``."""
        used = ", ".join(self.instruments) or "no instrument"
        lines = [f"{self.name}: {self.rows} rows, {self.items} items ({used})"]
        lines += [f"  assumed: {warning}" for warning in self.warnings]
        shown = [violation for violation in self.violations if notes or violation.severity != "note"]
        for violation in shown:
            lines += ["", *_lines(violation, unit=self.row_unit)]
        counts = Counter(violation.severity for violation in self.violations)
        hidden = len(self.violations) - len(shown)
        levels = get_args(Severity)
        total = ", ".join(f"{counts[level]} {level}{'s' * (counts[level] != 1)}" for level in levels)
        lines += ["", f"{total}{' (notes not shown)' if hidden else ''}. " + self._verdict()]
        return "\n".join(lines)

    def _verdict(self) -> str:
        if not self.ok:
            return "The answers cannot be used as they are."
        return "Look at the warnings before the analysis." if self.count("warning") else "Nothing stands in the way."


def validate(wave: SurveyWave) -> ValidationReport:
    """Check a wave against its instruments and codebook and report every violation at once.

    The rules: ``missing_column``, ``misspelt_column``, ``unknown_column``, ``text_in_number``, ``outside_scale``,
    ``shifted_scale``, ``undeclared_missing``, ``not_a_code``, ``never_answered``, ``constant_item``,
    ``empty_category``, ``label_contradicts_code``, ``likely_not_reversed`` (corrected item-rest correlation below zero
    by more than two standard errors and 0.1; also within the levels of the declared groups),
    ``item_differs_between_groups`` (item-rest correlations that differ by 0.3 and, on Fisher's z, p < .001),
    ``unrelated_item`` (below .20 by more than two standard errors),
    ``duplicated_id``, ``missing_id``, ``all_missing_row``, ``weight_not_positive``. Nothing is changed or dropped.

    Parameters
    ----------
    wave
        What `read_survey` returned.

    Returns
    -------
    ValidationReport
        ``.tidy()`` is the table, ``.ok`` says whether an error was found.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> frame = pd.DataFrame({f"psm{i}": [1, 2, 3, 9] for i in range(1, 16)})
    >>> report = psm.validate(psm.wave_from_frame(frame, instruments="psm16"))
    >>> sorted({violation.rule for violation in report.violations if violation.severity == "error"})
    ['missing_column', 'undeclared_missing']
    """
    found = [
        *structure_violations(wave),
        *wave.findings,
        *value_violations(wave),
        *label_violations(wave),
        *key_violations(wave),
    ]
    return ValidationReport(
        name=wave.name,
        rows=len(wave.data),
        items=len(wave.item_ids),
        instruments=tuple(instrument.id for instrument in wave.instruments),
        row_unit=wave.provenance.row_unit,
        violations=tuple(sorted(found, key=lambda violation: violation.order)),
        warnings=wave.warnings,
    )


def _lines(violation: Violation, *, unit: str) -> list[str]:
    head = f"{violation.severity.upper():8}{violation.rule}" + (f"  {violation.column}" if violation.column else "")
    found = f": {violation.found}" if violation.found else ""
    if violation.rows:
        places = ", ".join(map(str, violation.rows)) + (", ..." if violation.count > len(violation.rows) else "")
        plural = "s" if len(violation.rows) > 1 else ""
        found = f" ({violation.count} times; {unit}{plural} {places}){found}"
    indent = " " * 8
    return [
        head + found,
        fill(violation.message, 110, initial_indent=indent, subsequent_indent=indent),
        fill(f"-> {violation.remedy}", 110, initial_indent=indent, subsequent_indent=indent + "   "),
    ]
