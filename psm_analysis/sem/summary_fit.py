"""The test and the fit measures in the summary of a fit: plain, scaled and robust beside one another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from psm_analysis.sem.reported import ending

if TYPE_CHECKING:
    from psm_analysis.sem.result import SemResult

SCALINGS = {
    "satorra.bentler": "Satorra-Bentler",
    "yuan.bentler": "Yuan-Bentler",
    "yuan.bentler.mplus": "Yuan-Bentler, as in Mplus",
    "mean.var.adjusted": "mean and variance adjusted",
    "scaled.shifted": "scaled and shifted",
}
HEADS = {"standard": "Standard", "scaled": "Scaled", "robust": "Robust"}
LABEL, WIDTH = 42, 12
INDICES = (("CFI", "cfi"), ("TLI", "tli"), ("RMSEA", "rmsea"))
LIMITS = (("  90% CI, lower", "rmsea_ci_lower"), ("  90% CI, upper", "rmsea_ci_upper"))


def fit_lines(result: SemResult) -> list[str]:
    """Return the lines of the model test and of the fit measures; none if there was no test."""
    m = result.fit_measures
    if math.isnan(m.get("chisq", math.nan)):
        return []
    kinds = [kind for kind in HEADS if math.isfinite(m.get(f"rmsea{ending(kind)}", math.nan))]
    return [*_test(result, scaled=math.isfinite(m.get("chisq_scaled", math.nan))), *_indices(m, kinds or ["standard"])]


def line(label: str, *values: str) -> str:
    """Return a label and the values of its columns."""
    return f"  {label:<{LABEL}}" + "".join(f"{value:>{WIDTH}}" for value in values)


def p_text(value: float) -> str:
    """Return a p value as it is printed; nothing if there is none."""
    if math.isnan(value):
        return ""
    return "< .001" if value < 0.001 else f"{value:.3f}"


def _test(result: SemResult, *, scaled: bool) -> list[str]:
    m, kinds = result.fit_measures, ("standard", "scaled") if scaled else ("standard",)
    lines = ["", _head("Model test", kinds)]
    lines += [
        line("  Chi-square", *(f"{m[f'chisq{ending(kind)}']:.3f}" for kind in kinds)),
        line("  Degrees of freedom", *(_degrees(m[f"df{ending(kind)}"]) for kind in kinds)),
        line("  p value", *(p_text(m[f"pvalue{ending(kind)}"]) or "-" for kind in kinds)),
    ]
    if scaled:
        lines += [line("  Scaling factor", "", _three(m["chisq_scaling_factor"]))]
        if result.spec.test == "scaled.shifted":
            shift = m["chisq_scaled"] - m["chisq"] / m["chisq_scaling_factor"]
            lines += [line("  Shift", "", f"{shift:.3f}")]
        lines += [f"    ({SCALINGS.get(result.spec.test, result.spec.test)})"]
    if "pvalue_bollen_stine" in m:
        lines += [line("  p value (Bollen-Stine bootstrap)", p_text(m["pvalue_bollen_stine"]))]
    return [*lines, *_by_group(result)]


def _by_group(result: SemResult) -> list[str]:
    """Return what each group contributes to chi-square."""
    if len(result.group_labels) < 2:
        return []
    frame = result.group_fit()
    kinds = [name for name in ("chisq", "chisq_scaled") if name in frame]
    rows = zip(frame["group"], frame[kinds].to_numpy(), strict=True)
    return [
        "    Contributions to chi-square:",
        *(line(f"    group {label}", *(f"{value:.3f}" for value in values)) for label, values in rows),
    ]


def _indices(m: Mapping[str, float], kinds: list[str]) -> list[str]:
    lines = ["", _head("Fit measures", kinds)]
    for label, key in (*INDICES, *LIMITS):
        if key in m:
            lines += [line(f"  {label}", *(_three(m.get(f"{key}{ending(kind)}", math.nan)) for kind in kinds))]
    lines += [line("  SRMR", _three(m["srmr"]))] if "srmr" in m else []
    if "logl" in m:
        lines += [line(f"  {label}", f"{m[key]:.3f}") for label, key in LIKELIHOOD]
    return lines


LIKELIHOOD = (("Log-likelihood", "logl"), ("AIC", "aic"), ("BIC", "bic"))


def _head(title: str, kinds: tuple[str, ...] | list[str]) -> str:
    if len(kinds) == 1:
        return f"{title}:"
    return f"{title + ':':<{LABEL + 2}}" + "".join(f"{HEADS[kind]:>{WIDTH}}" for kind in kinds)


def _degrees(value: float) -> str:
    """Return whole degrees of freedom, or three decimals where the adjusted test has fractions."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3f}"


def _three(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
