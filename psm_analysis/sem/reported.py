"""Which version of a test and of a fit measure is the one to report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psm_analysis.sem.result import SemResult

TEST = {"chisq": "chisq", "df": "df", "p_value": "pvalue"}
MEASURES = {
    "cfi": "cfi",
    "tli": "tli",
    "rmsea": "rmsea",
    "rmsea_ci_low": "rmsea_ci_lower",
    "rmsea_ci_high": "rmsea_ci_upper",
}
ALWAYS = ("srmr", "aic", "bic", "logl")


def measure_kind(fits: Sequence[SemResult]) -> str:
    """Return which CFI and RMSEA all fits have: ``robust``, else ``scaled``, else ``standard``.

    Never ``robust`` for ordinal variables: those compare correlations alone and do not see thresholds or intercepts.
    """
    ordinal = fits[0].sample.groups[0].ordinal is not None
    for kind in ("scaled",) if ordinal else ("robust", "scaled"):
        values = [fit.fit_measures.get(f"{name}_{kind}", math.nan) for fit in fits for name in ("cfi", "rmsea")]
        if all(map(math.isfinite, values)):
            return kind
    return "standard"


def measures_of(fit: SemResult, kind: str) -> dict[str, float]:
    """Return CFI and RMSEA of that kind, SRMR, AIC and BIC (nan where the estimator has none)."""
    keys = {name: f"{name}{ending(kind)}" for name in ("cfi", "rmsea")}
    keys |= {name: name for name in ("srmr", "aic", "bic")}
    return {name: float(fit.fit_measures.get(key, math.nan)) for name, key in keys.items()}


def reported(fit: SemResult) -> dict[str, object]:
    """Return the test that the estimator calls for (scaled, if it has one) and the measures of :func:`measure_kind`."""
    measures = fit.fit_measures
    scaled = math.isfinite(measures.get("chisq_scaled", math.nan))
    kind = measure_kind([fit])
    keys = {name: f"{key}{ending('scaled' if scaled else 'standard')}" for name, key in TEST.items()}
    keys |= {name: f"{key}{ending(kind)}" for name, key in MEASURES.items()} | {name: name for name in ALWAYS}
    values: dict[str, object] = {name: measures.get(key, math.nan) for name, key in keys.items()}
    return values | {"test": fit.spec.test if scaled else "standard", "measures": kind}


def ending(kind: str) -> str:
    """Return what a kind adds to the name of a fit measure."""
    return "" if kind == "standard" else f"_{kind}"
