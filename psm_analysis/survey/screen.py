"""Careless answering: indices and flags per row. No row is ever dropped here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import check_choice
from psm_analysis._results import Result, format_number
from psm_analysis.errors import DataError
from psm_analysis.survey import screen_indices as index
from psm_analysis.survey.screen_checks import CHECK_IDS, CHECKS, ScreeningCheck
from psm_analysis.survey.wave import SurveyWave

Progress = Callable[[str], None]
_FEWEST_PAIRS = 5
_FEWEST_SCALES = 5
_PAIR_CORRELATION = 0.60
_SHORTEST_STRING = 6
_MANY = 0.2
_TOO_MANY = "flags more than a fifth of the rows: it tells little here; choose another threshold, or leave it out"
_FEWEST_ITEMS_TO_REPEAT = 10


class _NotComputed(Exception):
    """Why a check cannot be computed for this wave."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ScreeningReport(Result):
    """Indices of careless answering and the rows they flag.

    Parameters
    ----------
    name
        The wave.
    indices
        One column per computed check, one row per row of the wave.
    flags
        The same shape, True where the check flags the row.
    thresholds
        The threshold of every computed check.
    skipped
        The checks that could not be computed, and why.
    rows
        The place of each row in the file, and its identifier if there is one.
    warnings
        What was left out.
    """

    name: str
    indices: pd.DataFrame
    flags: pd.DataFrame
    thresholds: Mapping[str, float]
    skipped: Mapping[str, str]
    rows: pd.DataFrame
    warnings: tuple[str, ...] = ()

    @property
    def n_flags(self) -> pd.Series:
        """Number of checks that flag each row."""
        return self.flags.sum(axis=1).astype(np.int64).rename("n_flags")

    def keep(self, *, max_flags: int = 1) -> pd.Series:
        """Return a mask: True where at most `max_flags` checks flag the row; apply it, and report it."""
        return (self.n_flags <= max_flags).rename("keep")

    def flagged(self, *, at_least: int = 1) -> pd.DataFrame:
        """Return the rows with `at_least` flags, those with most first: place, identifier, flags, indices."""
        counts = self.n_flags
        names = [", ".join(np.array(self.flags.columns)[row]) for row in self.flags.to_numpy(bool)[counts >= at_least]]
        table = self.rows[counts >= at_least].assign(n_flags=counts[counts >= at_least], flags=names)
        return table.join(self.indices).sort_values("n_flags", ascending=False, kind="stable")

    def tidy(self) -> pd.DataFrame:
        """Return one row per check: flags, threshold, computed, flagged, share, description, source, note."""
        return pd.DataFrame([self._row(check) for check in CHECKS])

    def _row(self, check: ScreeningCheck) -> dict[str, object]:
        computed = check.id in self.flags.columns
        count = int(self.indices[check.id].notna().sum()) if computed else 0
        flagged = int(self.flags[check.id].sum()) if computed else 0
        return {
            "check": check.id,
            "flags": check.flags,
            "threshold": self.thresholds.get(check.id, np.nan),
            "computed": count,
            "flagged": flagged,
            "share": flagged / count if count else np.nan,
            "description": check.description,
            "source": check.source,
            "note": self.skipped.get(check.id, _TOO_MANY if flagged > _MANY * max(count, 1) else ""),
        }

    def glance(self) -> pd.DataFrame:
        """Return one row: rows, checks, and how many rows have one or more, two or more, three or more flags."""
        counts = self.n_flags
        row = {"name": self.name, "rows": len(counts), "checks": self.flags.shape[1]}
        row |= {f"flagged_{k}_or_more": int((counts >= k).sum()) for k in (1, 2, 3)}
        return pd.DataFrame([row])

    def summary(self) -> str:
        """Return the checks as text."""
        lines = [f"{self.name}: {len(self.flags)} rows", *(f"  {warning}" for warning in self.warnings), ""]
        lines.append(f"{'check':18}{'flagged':>9}{'of':>9}{'share':>8}  flagged if")
        for row in self.tidy().to_dict("records"):
            if row["check"] in self.skipped:
                lines.append(f"{row['check']:18}{'-':>9}{'-':>9}{'-':>8}  not computed: {row['note']}")
                continue
            rule = f"{'< ' if row['flags'] == 'below' else '>= '}{format_number(row['threshold'])}  ({row['source']})"
            lines.append(f"{row['check']:18}{row['flagged']:>9}{row['computed']:>9}{row['share']:>8.1%}  {rule}")
            lines += [f"{'':46}{row['note']}"] if row["note"] else []
        counts = self.n_flags
        per_row = ", ".join(f"{k}: {int((counts == k).sum())} rows" for k in sorted(set(counts)))
        lines += ["", f"Flags per row: {per_row}"]
        lines.append("No row was dropped. .keep(max_flags=...) gives a mask; report how many rows it leaves out.")
        return "\n".join(lines)


def screen(
    wave: SurveyWave, *, thresholds: Mapping[str, float] | None = None, progress: Progress | None = None
) -> ScreeningReport:
    """Compute indices of careless answering for every row and flag the rows beyond a threshold.

    Long string, intra-individual response variability, even-odd consistency, psychometric synonyms and antonyms,
    Mahalanobis distance, seconds per item, repeated rows and attention checks. Answers outside the scale are left
    out, with a warning; answers are put on 0 to 1 over the codes offered where scales are compared. A flag is a
    reason to look, not to delete: honest rows are flagged too, and rows are best left out on several flags, with a
    count in the report.

    Parameters
    ----------
    wave
        What `read_survey` returned.
    thresholds
        Check to threshold, in place of the defaults.
    progress
        Called with the name of each check before it is computed.

    Returns
    -------
    ScreeningReport

    Raises
    ------
    DataError
        If the wave has no items.
    OptionError
        If `thresholds` names an unknown check.

    References
    ----------
    Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data. Journal of
    Experimental Social Psychology, 66, 4-19. Meade, A. W., & Craig, S. B. (2012). Psychological Methods, 17, 437-455.
    Johnson, J. A. (2005). Journal of Research in Personality, 39, 103-129. Huang, J. L., et al. (2012). Journal of
    Business and Psychology, 27, 99-114. Dunn, A. M., et al. (2018). Journal of Business and Psychology, 33, 105-121.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> frame = pd.DataFrame({f"psm{i}": [3, 1 + i % 5, 2 + i % 2] for i in range(1, 17)})
    >>> psm.screen(psm.wave_from_frame(frame, instruments="psm16")).flags["long_string"].tolist()
    [True, False, False]
    """
    asked = {check_choice(name, CHECK_IDS, name="thresholds"): value for name, value in (thresholds or {}).items()}
    answers = _answers(wave)
    indices, flags, used, skipped = {}, {}, {}, {}
    for check in CHECKS:
        if progress is not None:
            progress(check.id)
        try:
            values = _INDEX[check.id](wave, answers)
        except _NotComputed as reason:
            skipped[check.id] = str(reason)
            continue
        used[check.id] = asked.get(check.id, _default_threshold(check, values, answers))
        indices[check.id] = values
        with np.errstate(invalid="ignore"):
            flags[check.id] = values < used[check.id] if check.flags == "below" else values >= used[check.id]
    ids = {name: wave.data[name] for name in wave.codebook.named("id") if name in wave.data.columns}
    return ScreeningReport(
        name=wave.name,
        indices=pd.DataFrame(indices, index=wave.data.index),
        flags=pd.DataFrame(flags, index=wave.data.index),
        thresholds=used,
        skipped=skipped,
        rows=pd.DataFrame({wave.provenance.row_unit: wave.rows, **ids}, index=wave.data.index),
        warnings=answers.warnings,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """The answers in the order of the file: as given, and on 0 to 1 with their means and covariances."""

    items: list[str]
    given: index.Array
    unit: index.Array
    blocks: list[tuple[int, ...]]
    center: index.Array
    covariance: index.Array
    warnings: tuple[str, ...]


def _answers(wave: SurveyWave) -> _Answers:
    place = {column: i for i, column in enumerate(wave.provenance.columns)}
    columns = {item.item: item.column for item in wave.codebook.items}
    items = sorted(wave.item_ids, key=lambda item: place.get(columns[item], 0))
    if not items:
        raise DataError(
            "The wave has no items to screen.",
            where=f"wave {wave.name!r}",
            remedy="Name the instruments, or give a codebook that maps columns to items.",
        )
    given = wave.items(reversed=False)[items].to_numpy(np.float64, copy=True)
    low, high = np.array([(codes[0], codes[-1]) for codes in map(wave.response_codes, items)], np.float64).T
    beyond = (given < low) | (given > high)
    given[beyond] = np.nan
    count = int(beyond.sum())
    warnings = (f"{count} answers outside the scale were left out; validate the file first.",) if count else ()
    owners = [wave.owner(item).id for item in items]
    blocks = [tuple(i for i, name in enumerate(owners) if name == owner) for owner in dict.fromkeys(owners)]
    unit = (given - low) / (high - low)
    return _Answers(items, given, unit, blocks, *index.pairwise_moments(unit), warnings)


def _default_threshold(check: ScreeningCheck, values: index.Array, answers: _Answers) -> float:
    if check.id == "long_string":
        return float(max(_SHORTEST_STRING, np.ceil(max(map(len, answers.blocks)) / 2)))
    if check.id == "variability":
        low, high = np.nanquantile(values, [0.25, 0.75]) if np.isfinite(values).any() else (0.0, 0.0)
        return float(max(low - 1.5 * (high - low), 1e-12))
    assert check.threshold is not None
    return check.threshold


def _long_string(_: SurveyWave, answers: _Answers) -> index.Array:
    long = [block for block in answers.blocks if len(block) >= _SHORTEST_STRING]
    if not long:
        raise _NotComputed(f"no instrument has {_SHORTEST_STRING} or more items.")
    runs = [index.long_string(answers.given[:, list(block)]) for block in long]
    return np.asarray(np.maximum.reduce(runs), np.float64)


def _variability(_: SurveyWave, answers: _Answers) -> index.Array:
    return index.response_variability(answers.unit, answers.blocks)


def _even_odd(wave: SurveyWave, answers: _Answers) -> index.Array:
    place = {item: i for i, item in enumerate(answers.items)}
    keyed = np.array([wave.is_reverse(item) for item in answers.items])
    scales = []
    for instrument in wave.instruments:
        for ids in [part.items for part in instrument.subscales] or [instrument.item_ids]:
            columns = tuple(place[item] for item in ids if item in place)
            if len(columns) > 1 and columns not in scales:
                scales.append(columns)
    if len(scales) < _FEWEST_SCALES:
        raise _NotComputed(f"{len(scales)} scales of two or more items; at least {_FEWEST_SCALES} are needed.")
    return index.even_odd(np.where(keyed, 1 - answers.unit, answers.unit), scales)


def _synonyms(_: SurveyWave, answers: _Answers) -> index.Array:
    return _pairs(answers, negative=False)


def _antonyms(_: SurveyWave, answers: _Answers) -> index.Array:
    return _pairs(answers, negative=True)


def _pairs(answers: _Answers, *, negative: bool) -> index.Array:
    pairs = index.extreme_pairs(answers.covariance, threshold=_PAIR_CORRELATION, negative=negative)
    if len(pairs) < _FEWEST_PAIRS:
        sign = "below -" if negative else "above "
        raise _NotComputed(
            f"{len(pairs)} item pairs correlate {sign}{_PAIR_CORRELATION:.2f}; at least {_FEWEST_PAIRS} are needed."
        )
    first, second = (list(part) for part in zip(*pairs, strict=True))
    return index.row_correlation(answers.unit[:, first], answers.unit[:, second], fewest=_FEWEST_PAIRS)


def _mahalanobis(_: SurveyWave, answers: _Answers) -> index.Array:
    from scipy.special import chdtrc

    if len(answers.unit) < 2 * len(answers.items) or np.linalg.eigvalsh(answers.covariance)[0] < 1e-10:
        raise _NotComputed("the covariance matrix of the items is not positive definite, or there are too few rows.")
    d2, df = index.mahalanobis(answers.unit, center=answers.center, covariance=answers.covariance)
    p: index.Array = np.where(df > 0, chdtrc(np.maximum(df, 1), np.maximum(d2, 0.0)), np.nan)
    return p


def _seconds_per_item(wave: SurveyWave, answers: _Answers) -> index.Array:
    names = [name for name in wave.codebook.named("response_time") if name in wave.data.columns]
    if not names:
        raise _NotComputed("no column with the role response_time.")
    total: index.Array = wave.data[names].to_numpy(np.float64).sum(axis=1)
    return total / (wave.codebook.response_time_items or len(answers.items))


def _duplicate(_: SurveyWave, answers: _Answers) -> index.Array:
    if len(answers.items) < _FEWEST_ITEMS_TO_REPEAT:
        raise _NotComputed(f"with fewer than {_FEWEST_ITEMS_TO_REPEAT} items, equal rows are common by chance.")
    return index.repeated_rows(answers.given).astype(np.float64)


def _attention(wave: SurveyWave, _: _Answers) -> index.Array:
    present = [entry for entry in wave.codebook.variables if entry.name in wave.data.columns]
    checks = [entry for entry in present if entry.role == "attention"]
    if not checks:
        raise _NotComputed("no column with the role attention.")
    answered = wave.data[[check.name for check in checks]].to_numpy(np.float64)
    failed = np.column_stack([~np.isin(answered[:, i], check.correct) for i, check in enumerate(checks)])
    return np.where(np.isfinite(answered).any(axis=1), (failed & np.isfinite(answered)).sum(axis=1), np.nan)


_INDEX: Mapping[str, Callable[[SurveyWave, _Answers], index.Array]] = {
    "long_string": _long_string,
    "variability": _variability,
    "even_odd": _even_odd,
    "synonyms": _synonyms,
    "antonyms": _antonyms,
    "mahalanobis": _mahalanobis,
    "seconds_per_item": _seconds_per_item,
    "duplicate": _duplicate,
    "attention": _attention,
}
