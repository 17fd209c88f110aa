"""Partial invariance: which equality to give up next, by score tests.

References
----------
Byrne, B. M., Shavelson, R. J., & Muthén, B. (1989). Testing for the equivalence of factor covariance and mean
structures: The issue of partial measurement invariance. Psychological Bulletin, 105, 456-466.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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


def next_release(fit: SemResult, *, step: str, added: Sequence[str]) -> Release | None:
    """Return the parameter of the step's kind with the largest score statistic, or None by the stopping rule.

    Nothing is released if no statistic is significant at .05 divided by the number of candidates, or if a factor would
    keep fewer than two indicators with an equal parameter of this kind.
    """
    from scipy import special

    rows = [int(i) for i in tied_rows(fit) if _is_kind(fit.table.parameters[i], fit, added)]
    if not rows:
        return None
    score, V = released_scores(fit, rows)
    by_key: dict[tuple[str, str, str], list[int]] = {}
    for k, row in enumerate(rows):
        by_key.setdefault(fit.table.parameters[row].key, []).append(k)
    allowed = [key for key in by_key if _keeps_enough(key, list(by_key), fit)]
    tests = []
    for key in allowed:
        at = by_key[key]
        if np.diagonal(V)[at].min() > 0:
            statistic, df = joint_test(fit, score[at], V[np.ix_(at, at)])
            tests.append((float(special.chdtrc(df, statistic)), -statistic, df, key))
    if not tests:
        return None
    p_value, negative, df, (lhs, op, rhs) = min(tests)
    if p_value > ALPHA / len(by_key):
        return None
    name = f"{lhs} ~ 1" if op == "~1" else f"{lhs} {op} {rhs}"
    return Release(step, name, -negative, df, p_value)


def _is_kind(p: Parameter, fit: SemResult, added: Sequence[str]) -> bool:
    latent = p.lhs in fit.table.roles.latent
    kinds = [kind for kind in added if OPERATORS.get(kind) == p.op]
    if not kinds or p.exogenous:
        return False
    return p.op == "=~" or (not latent and (p.op != "~~" or p.lhs == p.rhs))


def _keeps_enough(key: tuple[str, str, str], equal: Sequence[tuple[str, str, str]], fit: SemResult) -> bool:
    """Tell whether every factor of the indicator keeps two indicators with an equal parameter after this release.

    The marker, whose loading is fixed in every group, counts as equal.
    """
    lhs, op, rhs = key
    item = rhs if op == "=~" else lhs
    loadings = [p for p in fit.table.parameters if p.op == "=~" and p.group == 1]
    factors = {p.lhs for p in loadings if p.rhs == item and (op != "=~" or p.lhs == lhs)}
    for factor in factors:
        block = [p for p in loadings if p.lhs == factor and p.rhs != item]
        if op == "=~":
            kept = sum(not p.free or (factor, "=~", p.rhs) in equal for p in block)
        else:
            kept = sum(any(k[0] == p.rhs and k[1] == op for k in equal) for p in block)
        if kept < LEAST_EQUAL:
            return False
    return True
