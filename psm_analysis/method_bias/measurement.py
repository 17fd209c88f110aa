"""The measurement model in pieces, and the model texts with method factors that are made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from psm_analysis._model_names import quoted, summed
from psm_analysis._options import nearest
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem.syntax import parse_model

METHOD = "method"
START = 0.1
"""Where loadings on a method factor start: small, but not 0, where the derivative is 0."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Factors with their items, residual covariances of the model, the items of the marker, and where searches start.

    ``starts`` holds loadings, variances and covariances of the plain solution: from other starts the search for a
    method factor may end in a solution that has nothing but method.
    """

    factors: Mapping[str, tuple[str, ...]]
    residuals: tuple[tuple[str, str], ...]
    marker: tuple[str, ...] = ()
    starts: Mapping[tuple[str, str, str], float] = field(default_factory=dict)

    @property
    def items(self) -> list[str]:
        """Items of the substantive factors."""
        return list(dict.fromkeys(item for items in self.factors.values() for item in items))

    @property
    def marker_name(self) -> str:
        """Name of the marker factor, which no other variable has."""
        return self._unused("Marker")

    @property
    def method_name(self) -> str:
        """Name of the unmeasured method factor."""
        return self._unused("Method")

    def text(self) -> str:
        """Return the substantive measurement model."""
        lines = [
            f"{quoted(name)} =~ " + " + ".join(self._started(name, "=~", item) for item in items)
            for name, items in self.factors.items()
        ]
        lines += self._residuals()
        if self.starts:
            continuous = [item for item in self.items if (item, "~~", item) in self.starts]
            lines += [f"{quoted(item)} ~~ {self._started(item, '~~', item)}" for item in continuous]
            lines += [f"{quoted(a)} ~~ {self._started(a, '~~', b)}" for a, b in combinations(self.factors, 2)]
        return "\n".join(lines)

    def with_marker(self) -> str:
        """Return the measurement model with the marker as one more factor."""
        return f"{self.text()}\n{self.marker_name} =~ {summed(self.marker)}"

    def one_factor(self) -> str:
        """Return the model of one factor for all items."""
        return "\n".join([f"{self._unused('Single')} =~ {summed(self.items)}", *self._residuals()])

    def method_factor(self, *, equal: bool) -> str:
        """Return the model with an uncorrelated factor of all items, whose loadings are equal or free."""
        return f"{self.text()}\n{self._method(self.method_name, equal=equal)}\n{self._uncorrelated(self.method_name)}"

    def correlated_uniqueness(self, reversed_items: Sequence[str]) -> str:
        """Return the model in which the residuals of reversed items covary."""
        known = {frozenset(pair) for pair in self.residuals}
        pairs = [pair for pair in combinations(reversed_items, 2) if frozenset(pair) not in known]
        lines = [f"{quoted(a)} ~~ {quoted(b)}" for a, b in pairs]
        return "\n".join([self.text(), *lines])

    def baseline(self, fixed: Mapping[str, tuple[float, float]]) -> str:
        """Return the model with an uncorrelated marker, its loadings and residual variances fixed.

        Those of ordinal items (nan) follow from the loadings.
        """
        loadings = " + ".join(f"{fixed[item][0]!r}*{quoted(item)}" for item in self.marker)
        continuous = [(quoted(item), fixed[item][1]) for item in self.marker if not math.isnan(fixed[item][1])]
        variances = [f"{item} ~~ {value!r}*{item}" for item, value in continuous]
        lines = [f"{self.marker_name} =~ {loadings}", *variances, self._uncorrelated(self.marker_name)]
        return "\n".join([self.text(), *lines])

    def marked(self, fixed: Mapping[str, tuple[float, float]], *, equal: bool) -> str:
        """Return the baseline with loadings of all items on the marker: Method-C (equal) or Method-U (free)."""
        return f"{self.baseline(fixed)}\n{self._method(self.marker_name, equal=equal)}"

    def restricted(
        self, fixed: Mapping[str, tuple[float, float]], covariances: Mapping[tuple[str, str], float], *, equal: bool
    ) -> str:
        """Return Method-R: factor covariances fixed at those of the baseline."""
        lines = [f"{quoted(a)} ~~ {value!r}*{quoted(b)}" for (a, b), value in covariances.items()]
        return "\n".join([replace(self, starts={}).marked(fixed, equal=equal), *lines])

    def sensitive(self, fixed: Mapping[str, tuple[float, float]], loadings: Mapping[str, float]) -> str:
        """Return Method-S: loadings of all items on the marker fixed at given values."""
        terms = " + ".join(f"{loadings[item]!r}*{quoted(item)}" for item in self.items)
        return f"{self.baseline(fixed)}\n{self.marker_name} =~ {terms}"

    def partialled(self) -> str:
        """Return the model in which the marker predicts every factor: their residual correlations are partial ones."""
        return f"{replace(self, starts={}).with_marker()}\n" + "\n".join(
            f"{quoted(name)} ~ {self.marker_name}" for name in self.factors
        )

    def _unused(self, name: str) -> str:
        return f"{name}Factor" if name in (*self.factors, *self.items, *self.marker) else name

    def _residuals(self) -> list[str]:
        return [f"{quoted(a)} ~~ {quoted(b)}" for a, b in self.residuals]

    def _started(self, lhs: str, op: str, rhs: str) -> str:
        value = self.starts.get((lhs, op, rhs))
        return quoted(rhs) if value is None else f"start({value!r})*{quoted(rhs)}"

    def _method(self, name: str, *, equal: bool) -> str:
        label = f"{METHOD}_*" if equal else ""
        return f"{name} =~ " + " + ".join(f"{label}start({START})*{quoted(item)}" for item in self.items)

    def _uncorrelated(self, name: str) -> str:
        return f"{name} ~~ " + " + ".join(f"0*{quoted(factor)}" for factor in self.factors)


def measurement_of(model: str, *, marker: Sequence[str], reversed_items: Sequence[str]) -> Measurement:
    """Return the pieces of a measurement model.

    Raises
    ------
    ModelError
        If there are regressions or factors of factors, or a factor has fewer than two items.
    OptionError
        If the marker has fewer than two items or shares one with a factor, or reversed items are not in the model.
    """
    terms = parse_model(model).terms
    foreign = next((term for term in terms if term.op not in ("=~", "~~")), None)
    if foreign is not None:
        raise ModelError(
            f"The model has a line with {foreign.op!r}: method bias is a matter of the measurement model.",
            where="argument 'model'",
            remedy="Give the lines with '=~' only.",
        )
    factors: dict[str, tuple[str, ...]] = {}
    for term in terms:
        if term.op == "=~":
            factors[term.lhs] = (*factors.get(term.lhs, ()), term.rhs)
    for name, items in factors.items():
        nested = [item for item in items if item in factors]
        if nested or len(items) < 2:
            raise ModelError(
                f"{name!r} is a factor of factors." if nested else f"{name!r} has one item.",
                where="argument 'model'",
                remedy="Give first-order factors with two items or more (three to be safe).",
            )
    if not factors:
        raise ModelError("The model has no factor.", where="argument 'model'", remedy="Write 'PSM =~ psm1 + psm2'.")
    pairs = tuple((t.lhs, t.rhs) for t in terms if t.op == "~~" and t.lhs != t.rhs and t.lhs not in factors)
    found = Measurement(factors, pairs)
    _check_marker(found, marker)
    _check_reversed(found, reversed_items)
    return replace(found, marker=tuple(marker))


def _check_marker(found: Measurement, marker: Sequence[str]) -> None:
    if isinstance(marker, str) or len(set(marker)) != len(marker):
        raise OptionError(
            "The marker is a list of different items.", where="argument 'marker'", remedy="Write marker=['m1', 'm2']."
        )
    shared = [item for item in marker if item in found.items]
    if shared:
        raise OptionError(
            f"The marker item {shared[0]!r} measures a factor of the model: it is correlated by construction.",
            where="argument 'marker'",
            remedy="A marker has items of its own, unrelated to the subject of the model.",
        )
    if len(marker) == 1:
        raise OptionError(
            "A marker of one item has no measurement model.",
            where="argument 'marker'",
            remedy="Use two items or more (three to be safe).",
        )


def _check_reversed(found: Measurement, reversed_items: Sequence[str]) -> None:
    for item in reversed_items:
        if item not in found.items:
            raise OptionError(
                f"The reversed item {item!r} is not in the model.",
                where="argument 'reversed_items'",
                remedy=nearest(item, found.items) or f"Items are: {', '.join(found.items)}.",
            )
    if len(reversed_items) == 1 or (reversed_items and set(reversed_items) == set(found.items)):
        raise OptionError(
            "Wording is told from content by two reversed items or more, beside items that are not reversed.",
            where="argument 'reversed_items'",
            remedy="Name all reversed items, or leave the argument out.",
        )
