"""Who is who in a model: latent or observed, exogenous, outcome, indicator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from psm_analysis.errors import ModelError
from psm_analysis.sem.syntax import Term


@dataclass(frozen=True, slots=True)
class Roles:
    """Names by role, each in the order of the model text.

    ``observed`` is ordered as lavaan orders it: indicators, outcomes, predictors, then whatever else is mentioned, and
    last the auxiliary variables, which the model text does not name.
    """

    latent: tuple[str, ...]
    observed: tuple[str, ...]
    indicators: tuple[str, ...]
    exogenous_observed: tuple[str, ...]
    exogenous_latent: tuple[str, ...]
    outcome_observed: tuple[str, ...]
    outcome_latent: tuple[str, ...]
    ordered: tuple[str, ...] = ()
    auxiliary: tuple[str, ...] = ()


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


@lru_cache(maxsize=64)
def find_roles(terms: tuple[Term, ...]) -> Roles:
    """Return the roles of all variables of one block; those found before are remembered.

    An observed predictor whose variance, covariance or intercept the user writes down is not exogenous any more.
    """
    latent = _unique(t.lhs for t in terms if t.op == "=~")
    is_latent = frozenset(latent)
    measured = _unique(t.rhs for t in terms if t.op == "=~")
    outcomes = _unique(t.lhs for t in terms if t.op == "~")
    predictors = _unique(t.rhs for t in terms if t.op == "~")
    indicators = tuple(name for name in measured if name not in is_latent)
    _check_self_reference(terms)
    taken = frozenset(measured) | frozenset(outcomes)
    written = _written(terms)
    candidates = [name for name in predictors if name not in is_latent and name not in taken]
    others = _unique(
        name
        for t in terms
        if t.op in ("~~", "~1", "|", "~*~")
        for name in (t.lhs, t.rhs if t.op == "~~" else t.lhs)
        if name not in is_latent
    )
    pure = frozenset(outcomes) - frozenset(predictors) - frozenset(measured)
    return Roles(
        latent=latent,
        observed=_unique([*indicators, *(n for n in outcomes if n not in is_latent), *candidates, *others]),
        indicators=indicators,
        exogenous_observed=tuple(name for name in candidates if name not in written),
        exogenous_latent=tuple(name for name in latent if name not in taken),
        outcome_observed=tuple(name for name in outcomes if name in pure and name not in is_latent),
        outcome_latent=tuple(name for name in outcomes if name in pure and name in is_latent),
        ordered=_unique(t.lhs for t in terms if t.op == "|"),
    )


def _written(terms: Sequence[Term]) -> frozenset[str]:
    names = [name for t in terms if t.op == "~~" for name in (t.lhs, t.rhs)]
    return frozenset(names) | {t.lhs for t in terms if t.op == "~1"}


def _check_self_reference(terms: Sequence[Term]) -> None:
    for term in terms:
        if term.op in ("=~", "~") and term.lhs == term.rhs:
            verb = "measured by" if term.op == "=~" else "regressed on"
            raise ModelError(
                f"{term.lhs!r} is {verb} itself.",
                where=f"line {term.line} of the model",
                remedy="Write '~~' for a variance, or correct the name.",
            )
