"""The result of comparing a wave with the reference of a scoring model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis._results import Result, format_number
from psm_analysis.report.drift_page import drift_page
from psm_analysis.report.drift_words import CHECKS, NOT_JUDGED, WITH_SCALE, Pair, conclusion, reason
from psm_analysis.scoring.store import write_file
from psm_analysis.workflows.drift_checks import ITEM_CHECKS, explained

SHOWN = ["item", "mean_reference", "mean", "smd", "psi", "missing", "shift", "dmacs", "rest_r", "verdict"]


@dataclass(frozen=True, slots=True, repr=False)
class DriftReport(Result):
    """Comparison of a wave with the reference of a scoring model.

    Attributes
    ----------
    wave, instrument
        Name of the wave and id of the instrument.
    nobs, complete, reference_nobs
        Persons of the wave, those of them who answered every item, and persons of the reference.
    items
        One row per item; see `drift`.
    scales
        One row per scale of two or more items: ``scale, items, alpha_reference, alpha, statistic, p_value, verdict``.
    fit
        Of the frozen measurement model, all parameters fixed: ``chisq, df, pvalue, cfi, rmsea, srmr`` and the interval
        of the RMSEA; empty if it was not judged.
    invariance
        One row per step reference-new: fit, differences from the step before, released parameters, decision.
    distributions
        ``item, code, reference, new``: shares of the codes, answers turned round.
    checks
        One row per check and subject: ``check, subject, reference, value, threshold, p_value, judged, breach``.
    careless
        Share of rows with two or more flags of `screen`; None if fewer than two of its checks could be computed.
    reservations
        What could not be judged, and items that are doubtful in the reference itself, in English and in Chinese.
    """

    wave: str
    instrument: str
    nobs: int
    complete: int
    reference_nobs: int
    items: pd.DataFrame
    scales: pd.DataFrame
    fit: dict[str, float]
    invariance: pd.DataFrame
    distributions: pd.DataFrame
    checks: pd.DataFrame
    careless: float | None
    reservations: tuple[Pair, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be judged, and items that are doubtful in the reference itself."""
        return tuple(text for text, _ in self.reservations)

    @property
    def drifting(self) -> tuple[str, ...]:
        """The items beyond a threshold, but for those that only moved with their whole scale."""
        broken = self.checks[self.checks["breach"] & self.checks["check"].isin(ITEM_CHECKS)]["subject"]
        kept = set(broken) - explained(self.checks, self.items)
        return tuple(item for item in self.items["item"] if item in kept)

    @property
    def breaches(self) -> tuple[str, ...]:
        """Everything beyond a threshold, in words: items, reliabilities, fit, invariance, careless answering."""
        items = [f"{row.item}: {row.verdict}" for row in self.items.itertuples() if row.verdict != "as before"]
        return (*items, *self._others("en"))

    def verdict(self, lang: Language = "en") -> tuple[str, ...]:
        """Return what the checks together mean and what to do, in sentences, the most important first."""
        check_option(lang, Language, name="lang")
        moved = len(explained(self.checks, self.items))
        others = self._others(lang)
        absent = self.items.loc[self.items["nobs"] == 0, "item"].tolist()
        said = conclusion(
            self.drifting,
            absent=absent,
            moved=moved,
            other=others,
            n_items=len(self.items),
            reserved=bool(self.reservations),
            lang=lang,
        )
        return (*said, *(pair[lang == "zh"] for pair in self.reservations))

    def overview(self, lang: Language = "en") -> pd.DataFrame:
        """Return one row per check: ``check, name, threshold, source, breaches, verdict``."""
        check_option(lang, Language, name="lang")
        rows = []
        for check in CHECKS:
            own = self.checks[self.checks["check"] == check]
            words = CHECKS[check]
            said = NOT_JUDGED if not own["judged"].any() else words.fine
            beyond = own[own["breach"]]
            parts = [_said(row, lang) for row in beyond.to_dict("records")]
            text = ("；" if lang == "zh" else "; ").join(parts) if parts else said[lang == "zh"]
            rows.append((check, words.name[lang == "zh"], words.rule[lang == "zh"], words.source, len(beyond), text))
        return pd.DataFrame(rows, columns=["check", "name", "threshold", "source", "breaches", "verdict"])

    def tidy(self) -> pd.DataFrame:
        """Return one row per item."""
        return self.items.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: wave, persons, items, which of them drift, share of careless rows, number of breaches."""
        row = {
            "wave": self.wave,
            "nobs": self.nobs,
            "complete": self.complete,
            "items": len(self.items),
            "drifting": ", ".join(self.drifting) or "none",
            "careless": float("nan") if self.careless is None else self.careless,
            "breaches": len(self.breaches),
        }
        return pd.DataFrame([row])

    def summary(self, lang: Language = "en") -> str:
        """Return the verdict, the checks, the items and the reliabilities as text."""
        overview = self.overview(lang)
        width = overview["name"].str.len().max()
        lines = [*self.verdict(lang), ""]
        lines += [f"{row.name:<{width}}  {row.verdict}" for row in overview.itertuples(index=False)]
        lines += ["", self.items_in(lang)[SHOWN].to_string(index=False, float_format=format_number)]
        if not self.scales.empty:
            lines += ["", self.scales.to_string(index=False, float_format=format_number)]
        return "\n".join(lines)

    def items_in(self, lang: Language = "en") -> pd.DataFrame:
        """Return one row per item with the verdict in a language."""
        return self.items.assign(verdict=item_verdicts(self.checks, self.items, lang=lang))

    def to_html(self, lang: Language = "en") -> str:
        """Return the report as one page that needs no other file and no network: verdict, checks, figures, tables."""
        check_option(lang, Language, name="lang")
        return drift_page(
            facts=self._facts(),
            verdict=self.verdict(lang),
            drifting=self.drifting,
            overview=self.overview(lang),
            items=self.items_in(lang),
            distributions=self.distributions,
            scales=self.scales,
            steps=self.invariance,
            notes=[pair[lang == "zh"] for pair in self.reservations],
            lang=lang,
        )

    def save(self, path: str | Path, *, lang: Language = "en", overwrite: bool = False) -> Path:
        """Write the page of `to_html`, whole or not at all.

        Raises
        ------
        FileError
            If the file exists and `overwrite` is False, or it cannot be written.
        """
        return write_file(path, self.to_html(lang).encode(), overwrite=overwrite)

    def _facts(self) -> dict[str, Any]:
        glance = {str(key): value for key, value in self.glance().iloc[0].items()}
        return glance | {"instrument": self.instrument, "reference_nobs": self.reference_nobs, "fit": self.fit}

    def _others(self, lang: Language) -> list[str]:
        broken = self.checks[self.checks["breach"] & ~self.checks["check"].isin(ITEM_CHECKS)]
        return [_said(row, lang) for row in broken.to_dict("records")]


def _said(row: dict[Any, Any], lang: Language) -> str:
    text = reason(str(row["check"]), float(row["value"]), lang=lang)
    return f"{row['subject']}: {text}" if row["subject"] else text


def item_verdicts(checks: pd.DataFrame, items: pd.DataFrame, *, lang: Language = "en") -> list[str]:
    """Return of each item what is the matter with it, or that it is as before."""
    moved = explained(checks, items)
    found = []
    for item in items["item"]:
        own = checks[checks["breach"] & (checks["subject"] == item) & checks["check"].isin(ITEM_CHECKS)]
        said = [reason(row["check"], row["value"], lang=lang) for row in own.to_dict("records")]
        if item in moved:
            said = [WITH_SCALE[lang == "zh"]]
        found.append(
            ("；" if lang == "zh" else "; ").join(dict.fromkeys(said)) or ("如前" if lang == "zh" else "as before")
        )
    return found
