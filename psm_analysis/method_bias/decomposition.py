"""Shares of variance, correlations and reliability in a model with a method factor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from psm_analysis.method_bias.measurement import Measurement
from psm_analysis.sem.result import SemResult


def method_share(fit: SemResult, factor: str, items: Sequence[str]) -> float:
    """Return the mean share of the items' variance that a method factor explains: the mean squared loading."""
    loadings = _standardized(fit)
    return float(sum(loadings.get((factor, "=~", item), 0.0) ** 2 for item in items) / len(items))


def factor_correlations(fit: SemResult, factors: Sequence[str]) -> dict[tuple[str, str], float]:
    """Return the correlations of factors with variance 1; residual ones where something predicts them."""
    std = _standardized(fit)
    return {
        (a, b): float(std[(a, "~~", b)] if (a, "~~", b) in std else std[(b, "~~", a)])
        for a, b in combinations(factors, 2)
    }


def reliability_parts(fit: SemResult, parts: Measurement) -> pd.DataFrame:
    """Return omega of every factor, divided into what the factor and what the marker contribute.

    With completely standardized loadings l of the factor and m of the marker and residual variances e, ``(sum l)^2 /
    T`` and ``(sum m)^2 / T``, ``T = (sum l)^2 + (sum m)^2 + sum e`` (Williams, Hartman & Cavazotte, 2010, Table 6).
    """
    std = _standardized(fit)
    rows = []
    for factor, items in parts.factors.items():
        own = sum(std[(factor, "=~", item)] for item in items) ** 2
        method = sum(std.get((parts.marker_name, "=~", item), 0.0) for item in items) ** 2
        total = own + method + sum(std[(item, "~~", item)] for item in items)
        omega = (own + method) / total
        row = {"factor": factor, "total": omega, "substantive": own / total, "method": method / total}
        rows.append(row | {"method_percent": 100.0 * method / (own + method)})
    return pd.DataFrame(rows)


def _standardized(fit: SemResult) -> dict[tuple[str, str, str], float]:
    frame = fit.tidy()
    keys = zip(frame["lhs"], frame["op"], frame["rhs"], strict=True)
    return {(str(a), str(op), str(b)): float(v) for (a, op, b), v in zip(keys, frame["std_all"], strict=True)}
