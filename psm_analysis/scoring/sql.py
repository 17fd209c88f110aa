"""A scoring model as SQL: one statement, or steps of columns; the scores of `ScoringModel.score` bit by bit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from psm_analysis._options import ScoreColumns
from psm_analysis.errors import OptionError
from psm_analysis.scoring.apply import names, refuse_name, rule_scores
from psm_analysis.scoring.dialect import Dialect, number
from psm_analysis.scoring.norms import STANINE_CUTS, norm_columns
from psm_analysis.scoring.packing import FACTOR, Digit, Packing, pack

if TYPE_CHECKING:
    from psm_analysis.scoring.model import Norms, ScoredItem, ScoringModel

LIST_LIMIT = 2000
Step = tuple[str, ...]


def statement(
    model: ScoringModel,
    source: str,
    *,
    dialect: Dialect,
    id: str | None,
    columns: ScoreColumns = "all",
    whole: Collection[str] = (),
    drop: bool = False,
) -> str:
    """Return the statement; `source` is what stands after FROM, `whole` the items known to be whole numbers.

    With `drop`, rows with an answer that is not a code are left out.
    """
    *before, last = steps(model, dialect=dialect, id=id, columns=columns, whole=whole)
    parts = []
    for k, step in enumerate(before, 1):
        parts.append(f"psm_{k}_ AS (SELECT {_list(step)}\n  FROM {source})")
        source = f"psm_{k}_"
    return "WITH " + ",\n".join(parts) + f"\nSELECT {_list(last)}\nFROM {source}" + ("\nWHERE NOT bad" if drop else "")


def steps(
    model: ScoringModel, *, dialect: Dialect, id: str | None, columns: ScoreColumns, whole: Collection[str]
) -> tuple[Step, ...]:
    """Return what is selected, each step from the one before."""
    if model.method == "eap":
        raise OptionError(
            "Expected a posteriori scores are not linear: SQL cannot write them.",
            where="method='eap'",
            remedy="Use ScoringModel.score, psm-analysis score, or psm_analysis.scoring.spark.",
        )
    refuse_name(model, id)
    return _Statement(model, pack(model), dialect, id, frozenset(whole)).steps(columns)


def _list(columns: Step) -> str:
    return ",\n  ".join(columns)


def _valid(item: ScoredItem, column: str, *, whole: bool) -> str:
    if whole and all(b - a == 1 for a, b in pairwise(item.codes)):
        return f"{column} BETWEEN {item.codes[0]} AND {item.codes[-1]}"
    return f"{column} IN ({', '.join(map(str, item.codes))})"


@dataclass(frozen=True, slots=True)
class _Statement:
    model: ScoringModel
    packing: Packing
    dialect: Dialect
    id: str | None
    whole: frozenset[str]

    def steps(self, columns: ScoreColumns) -> tuple[Step, ...]:
        scales = range(len(self.model.scales))
        bad = " OR ".join(f"k{k} >= {1 << self.packing.bad_bit}" for k in scales)
        packed = tuple(f"{self._packed(k)} AS k{k}" for k in scales)
        counted = tuple(part for k in scales for part in (f"{self._n(k)} AS n{k}", f"{self._total(k)} AS total{k}"))
        scored = tuple(f"{self._score(k)} AS s{k}" for k in scales)
        placed = tuple(f"{self._percentile(k)} AS p{k}" for k in scales) if columns == "all" else ()
        person = () if self.id is None else (f"person AS {self.dialect.name(self.id)}",)
        shown = tuple(column for k in scales for column in self._columns(k, columns))
        middle = (("*", *packed), ("*", *counted, f"({bad}) AS bad"), ("*", *scored))
        placing = (("*", *placed),) if placed else ()
        return (self._answers(), *middle, *placing, (*person, *shown, f"{self._flags()} AS flags"))

    def _digits(self) -> dict[Digit, str]:
        distinct = dict.fromkeys(digit for own in self.packing.digits for digit in own)
        return {digit: f"d{i}" for i, digit in enumerate(distinct)}

    def _answers(self) -> Step:
        kept = () if self.id is None else (f"{self.dialect.name(self.id)} AS person",)
        digits = tuple(f"{self._digit(digit)} AS {name}" for digit, name in self._digits().items())
        if self.model.method not in FACTOR:
            return (*kept, *digits)
        return (*kept, *digits, *(f"{self._turned(item)} AS x{j}" for j, item in enumerate(self.model.items)))

    def _digit(self, digit: Digit) -> str:
        item, packing = self.model.items[digit.item], self.packing
        column, whole = self.dialect.name(item.id), item.id in self.whole
        start = digit.start + (1 << packing.n_bit)
        code = f"CAST({column} AS {packing.kind})"
        value = f"{start} - {code}" if digit.slope == -1 else f"{digit.slope} * {code} + {start}"
        value = f"{code} + {start}" if digit.slope == 1 else value
        absent = f"{column} IS NULL" if whole else f"{column} IS NULL OR isnan(CAST({column} AS DOUBLE))"
        valid = _valid(item, column, whole=whole)
        return f"CASE WHEN {valid} THEN {value} WHEN {absent} THEN 0 ELSE {1 << packing.bad_bit} END"

    def _turned(self, item: ScoredItem) -> str:
        column = self.dialect.name(item.id)
        value = f"CAST({column} AS DOUBLE)"
        value = f"{item.codes[0] + item.codes[-1]} - {value}" if item.reverse else value
        return f"CASE WHEN {_valid(item, column, whole=item.id in self.whole)} THEN {value} END"

    def _packed(self, k: int) -> str:
        found = self._digits()
        return f"CAST({' + '.join(found[digit] for digit in self.packing.digits[k])} AS {self.packing.kind})"

    def _n(self, k: int) -> str:
        bits = self.packing.bad_bit - self.packing.n_bit
        return f"({self.dialect.shifted(f'k{k}', self.packing.n_bit)} & {(1 << bits) - 1})"

    def _total(self, k: int) -> str:
        return f"(k{k} & {(1 << self.packing.n_bit) - 1})"

    def _score(self, k: int) -> str:
        scale, method = self.model.scales[k], self.model.method
        if method in FACTOR:
            places = (self.model.item_ids.index(item) for item in scale.items)
            products = (f"{number(weight)} * x{j}" for weight, j in zip(scale.weights, places, strict=True))
            value = " + ".join((*products, number(scale.constant)))
        elif method == "pomp":
            value = f"CAST(100 * total{k} AS DOUBLE) / CAST({self.packing.unit[k]} * n{k} AS DOUBLE)"
        else:
            total = f"total{k} + {self.packing.base[k]} * n{k}" if self.packing.base[k] else f"total{k}"
            value = f"CAST({total} AS DOUBLE) / CAST(n{k} AS DOUBLE)"
            value = f"({value}) * {len(scale.items)}" if method in ("sum", "prorated") else value
        return f"CASE WHEN n{k} >= {max(scale.required, 1)} THEN {value} END"

    def _percentile(self, k: int) -> str:
        scale = self.model.scales[k]
        search = _percentile(scale.norms[0], f"s{k}")
        highest = self._highest(k)
        if self.model.method in FACTOR or highest > LIST_LIMIT:
            return search
        totals = np.arange(highest + 1.0) + self.packing.base[k] * len(scale.items)
        scores = rule_scores(self.model, scale, totals=totals, n=np.full(len(totals), float(len(scale.items))))
        listed = self.dialect.element(norm_columns(scale.norms[0], scores)[0].tolist(), f"total{k} + 1")
        return f"CASE WHEN n{k} = {len(scale.items)} THEN {listed} ELSE {search} END"

    def _highest(self, k: int) -> int:
        """Return the largest total that complete answers can have."""
        items = self.model.items
        return sum(
            max(digit.slope * code + digit.start for code in (items[digit.item].codes[0], items[digit.item].codes[-1]))
            for digit in self.packing.digits[k]
        )

    def _columns(self, k: int, columns: ScoreColumns) -> Step:
        scale, norms = self.model.scales[k], self.model.scales[k].norms[0]
        if columns == "scores":
            return (f"s{k} AS {self.dialect.name(scale.id)}",)
        error = "NULL" if scale.std_error is None else number(scale.std_error)
        complete = f"CAST(CASE WHEN n{k} = {len(scale.items)} THEN {error} END AS DOUBLE)"
        t = f"{number(50)} + {number(10)} * (s{k} - {number(norms.mean)}) / {number(norms.sd)}" if norms.sd else "NULL"
        stanine = f"CASE WHEN p{k} IS NOT NULL THEN {_stanine(f'p{k}')} END"
        values = (f"s{k}", complete, f"CAST(n{k} AS BIGINT)", f"p{k}", f"CAST({t} AS DOUBLE)", stanine)
        return tuple(f"{value} AS {self.dialect.name(name)}" for value, name in zip(values, names(scale), strict=True))

    def _flags(self) -> str:
        scales = self.model.scales
        empty = "(" + " AND ".join(f"n{k} = 0" for k in range(len(scales))) + ")"
        parts = [f"CASE WHEN {empty} THEN 'all_missing' END"]
        for k, scale in enumerate(scales):
            text = self.dialect.text(f"too_few:{scale.id}")
            parts.append(f"CASE WHEN s{k} IS NULL AND NOT {empty} THEN {text} END")
        parts.append("CASE WHEN bad THEN 'bad_value' END")
        fine = " AND ".join(f"n{k} >= {max(scale.required, 1)}" for k, scale in enumerate(scales))
        return f"CASE WHEN {fine} AND NOT bad THEN '' ELSE concat_ws(';', {', '.join(parts)}) END"


def _percentile(norms: Norms, score: str) -> str:
    """Return nested cases that halve the reference percentiles."""
    steps = [(value, len(list(equal))) for value, equal in groupby(norms.quantiles)]
    below = [sum(count for _, count in steps[:i]) for i in range(len(steps) + 1)]

    def between(first: int, last: int) -> str:
        if first == last:
            return number(below[first] + 0.5)
        middle = (first + last) // 2
        value, at = number(steps[middle][0]), number((below[middle] + below[middle + 1]) / 2 + 0.5)
        lower, upper = between(first, middle), between(middle + 1, last)
        return f"CASE WHEN {score} < {value} THEN {lower} WHEN {score} = {value} THEN {at} ELSE {upper} END"

    return f"CASE WHEN {score} IS NOT NULL THEN {between(0, len(steps))} END"


def _stanine(percentile: str, first: int = 0, last: int = len(STANINE_CUTS)) -> str:
    """Return nested cases that halve the cuts of the stanines."""
    if first == last:
        return number(first + 1)
    middle = (first + last) // 2
    lower, upper = _stanine(percentile, first, middle), _stanine(percentile, middle + 1, last)
    return f"CASE WHEN {percentile} < {STANINE_CUTS[middle]} THEN {lower} ELSE {upper} END"
