"""Partial invariance: which equality to give up next, by score tests.

References
----------
Byrne, B. M., Shavelson, R. J., & Muthén, B. (1989). Testing for the equivalence of factor covariance and mean
structures: The issue of partial measurement invariance. Psychological Bulletin, 105, 456-466.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis._model_names import quoted
from psm_analysis.invariance.blocks import Blocks, Key
from psm_analysis.sem.partable import Parameter
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.score_tests import joint_test, released_scores, tied_rows

OPERATORS = {"loadings": "=~", "intercepts": "~1", "thresholds": "|", "residuals": "~~"}
ALPHA = 0.05
LEAST_EQUAL = 2


@dataclass(frozen=True, slots=True)
class Release:
    """A parameter whose equality was given up: at which step, and the score test (joint over groups) that chose it."""

    step: str
    parameter: str
    statistic: float
    df: int
    p_value: float


def next_release(fit: SemResult, blocks: Blocks, *, step: str, added: Sequence[str]) -> Release | None:
    """Return the parameter of the step's kind with the largest score statistic, or None by the stopping rule.

    Nothing is released if no statistic is significant at .05 divided by the number of candidates, or if a factor would
    keep fewer than two indicators with an equal parameter of this kind.
    """
    from scipy import special

    rows = [i for i in (*tied_rows(fit).tolist(), *_held(fit, blocks)) if _is_kind(fit.table.parameters[i], fit, added)]
    if not rows:
        return None
    score, V, identified = released_scores(fit, rows)
    by_key: dict[Key, list[int]] = {}
    for k, row in enumerate(rows):
        by_key.setdefault(blocks.model_key(fit.table.parameters[row].key), []).append(k)
    loadings = _loadings(fit, blocks)
    allowed = [key for key in by_key if _keeps_enough(key, list(by_key), loadings)]
    tests = []
    for key in allowed:
        at = by_key[key]
        if identified[at].all():
            statistic, df = joint_test(fit, score[at], V[np.ix_(at, at)])
            tests.append((float(special.chdtrc(df, statistic)), -statistic, df, key))
    if not tests:
        return None
    p_value, negative, df, (lhs, op, rhs) = min(tests)
    if p_value > ALPHA / len(by_key):
        return None
    name = f"{quoted(lhs)} " + ("~ 1" if op == "~1" else f"{op} {quoted(rhs)}")
    return Release(step, name, -negative, df, p_value)


def _held(fit: SemResult, blocks: Blocks) -> list[int]:
    """Return intercepts and residual variances of ordinal items that are fixed in later blocks.

    They are 0 and 1 in the first block, so that to be equal is to be fixed.
    """
    ordinal, latent = fit.table.roles.ordered, fit.table.roles.latent
    later = {(b.group, there) for b in blocks.members[1:] for there in b.names.values() if there not in latent}
    return [
        i
        for i, p in enumerate(fit.table.parameters)
        if p.lhs in ordinal and (p.group, p.lhs) in later and p.op in ("~1", "~~") and not (p.free or p.derived)
    ]


def _is_kind(p: Parameter, fit: SemResult, added: Sequence[str]) -> bool:
    latent = p.lhs in fit.table.roles.latent
    kinds = [kind for kind in added if OPERATORS.get(kind) == p.op]
    if not kinds or p.exogenous:
        return False
    return p.op == "=~" or (not latent and (p.op != "~~" or p.lhs == p.rhs))


def _loadings(fit: SemResult, blocks: Blocks) -> dict[tuple[str, str], bool]:
    """Return factor and indicator of each loading of the first block, and whether it is free."""
    first = blocks.members[0]
    inside = {there: here for here, there in first.names.items()}
    return {
        (inside[p.lhs], inside[p.rhs]): p.free
        for p in fit.table.parameters
        if p.op == "=~" and p.group == first.group and p.lhs in inside and p.rhs in inside
    }


def _keeps_enough(key: Key, equal: Sequence[Key], loadings: Mapping[tuple[str, str], bool]) -> bool:
    """Tell whether every factor of the indicator keeps two indicators with an equal parameter after this release.

    The marker, whose loading is fixed in every block, counts as equal.
    """
    lhs, op, rhs = key
    item = rhs if op == "=~" else lhs
    for factor in {f for f, name in loadings if name == item and (op != "=~" or f == lhs)}:
        others = {name: free for (f, name), free in loadings.items() if f == factor and name != item}
        if op == "=~":
            kept = sum(not free or (factor, "=~", name) in equal for name, free in others.items())
        else:
            kept = sum(any(k[0] == name and k[1] == op for k in equal) for name in others)
        if kept < LEAST_EQUAL:
            return False
    return True
