"""A fit as text, laid out as a statistician expects it."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

import pandas as pd

from psm_analysis._results import format_number

if TYPE_CHECKING:
    from psm_analysis.sem.result import SemResult

SECTIONS = (
    ("=~", "Latent variables"),
    ("~", "Regressions"),
    ("~~", "Covariances"),
    ("~1", "Intercepts"),
    ("var", "Variances"),
    (":=", "Defined parameters"),
)
_WIDTH = 20


def summary_text(result: SemResult) -> str:
    """Return the printed summary of a fit."""
    lines = [*_head(result), *_fit(result)]
    frame = result.tidy()
    for title, part in _blocks(result, frame[frame["op"] != ":="]):
        lines += ["", f"{title}:"] if title else []
        lines += _parameters(part)
    lines += _parameters(frame[frame["op"] == ":="])
    lines += _r_squared(result)
    if result.warnings:
        lines += ["", "Warnings:", *(f"  - {warning}" for warning in result.warnings)]
    return "\n".join(lines)


def summary_html(result: SemResult) -> str:
    """Return the summary for a notebook."""
    return f"<pre style='line-height:1.25'>{html.escape(summary_text(result))}</pre>"


def _blocks(result: SemResult, frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the parameters of each level or group under its title."""
    if "level" in frame:
        titles = {1: "Level 1 (within clusters)", 2: "Level 2 (between clusters)"}
        return [(title, frame[frame["level"] == level]) for level, title in titles.items()]
    return [(f"Group {label}" if label else "", frame[frame["group"] == label]) for label in result.group_labels]


def _head(result: SemResult) -> list[str]:
    used, total = result.nobs, result.sample.n_rows
    state = f"ended normally after {result.iterations} iterations" if result.converged else "DID NOT CONVERGE"
    lines = [
        f"psm_analysis: structural equation model, {state}",
        "",
        _line("Estimator", result.estimator if result.engine == "native" else f"{result.estimator} ({result.engine})"),
        *_errors(result),
        _line("Number of free parameters", f"{result.fit_measures['npar']:.0f}"),
        _line("Rows used" + (f" (of {total})" if total != used else ""), str(used)),
    ]
    if "nclusters" in result.fit_measures:
        lines += [_line("Clusters", f"{result.fit_measures['nclusters']:.0f}")]
    elif len(result.sample.groups) > 1:
        lines += [_line(f"  group {group.label}", str(group.nobs)) for group in result.sample.groups]
    return lines


def _errors(result: SemResult) -> list[str]:
    if result.resampled is None:
        return []
    drawn = result.resampled
    return [_line("Standard errors", f"bootstrap, {len(drawn.values)} of {drawn.n} replicates, seed {drawn.seed}")]


def _fit(result: SemResult) -> list[str]:
    m = result.fit_measures
    if "chisq" not in m or math.isnan(m["chisq"]):
        return []
    lines = ["", "Model test:"]
    lines += [
        _line("  Chi-square", f"{m['chisq']:.3f}"),
        _line("  Degrees of freedom", f"{m['df']:.0f}"),
        _line("  p value", _p(m["pvalue"]) or "-"),
    ]
    if "pvalue_bollen_stine" in m:
        lines += [_line("  p value (Bollen-Stine bootstrap)", _p(m["pvalue_bollen_stine"]))]
    lines += ["", "Fit measures:"]
    named = (("CFI", "cfi"), ("TLI", "tli"), ("RMSEA", "rmsea"), ("SRMR", "srmr"))
    for label, key in named:
        if key in m:
            extra = f"  90% CI [{m['rmsea_ci_lower']:.3f}, {m['rmsea_ci_upper']:.3f}]" if key == "rmsea" else ""
            lines.append(_line(f"  {label}", f"{m[key]:.3f}") + extra)
    if "logl" in m:
        lines += [_line("  Log-likelihood", f"{m['logl']:.3f}")]
        lines += [_line("  AIC", f"{m['aic']:.3f}"), _line("  BIC", f"{m['bic']:.3f}")]
    return lines


def _line(label: str, value: str) -> str:
    return f"  {label:<42}{value:>12}"


def _p(value: float) -> str:
    if math.isnan(value):
        return ""
    return "< .001" if value < 0.001 else f"{value:.3f}"


def _parameters(frame: pd.DataFrame) -> list[str]:
    lines: list[str] = []
    kinds = ["var" if op == "~~" and lhs == rhs else op for lhs, op, rhs in frame[["lhs", "op", "rhs"]].to_numpy()]
    for kind, title in SECTIONS:
        part = frame[[k == kind for k in kinds]]
        if len(part):
            lines += ["", f"{title + ':':<{_WIDTH + 6}}{'Estimate':>10}{'Std.Err':>10}{'z':>9}{'p':>9}"]
            lines[-1] += f"{'Std.lv':>10}{'Std.all':>10}"
            lines += _section(part, kind)
    return lines


def _section(part: pd.DataFrame, kind: str) -> list[str]:
    lines, previous = [], None
    for row in part.to_dict("records"):
        if kind in ("=~", "~", "~~") and row["lhs"] != previous:
            lines.append(f"  {row['lhs']} {kind}")
            previous = row["lhs"]
        name = row["rhs"] if kind in ("=~", "~", "~~") else row["lhs"]
        shown = f"    {name}" + (f" ({row['label']})" if row["label"] and kind != ":=" else "")
        test = " " * 28
        if row["std_error"] > 0:
            test = _number(row["std_error"], 10) + _number(row["statistic"], 9) + f"{_p(row['p_value']):>9}"
        numbers = _number(row["estimate"], 10) + test + _number(row["std_lv"], 10) + _number(row["std_all"], 10)
        lines.append(f"{shown:<{_WIDTH + 6}}" + numbers)
    return lines


def _number(value: float, width: int) -> str:
    """Return three decimals, or three digits where they would touch the column before."""
    text = "-" if math.isnan(value) else format_number(value)
    return f"{text if len(text) < width else f'{value:.3g}':>{width}}"


def _r_squared(result: SemResult) -> list[str]:
    found = result.r_squared
    groups = {"": found} if len(result.sample.groups) == 1 else found
    kind = "level" if "nclusters" in result.fit_measures else "group"
    lines = []
    for label, values in groups.items():
        if values:
            lines += ["", f"R-square{f' ({kind} {label})' if label else ''}:"]
            lines += [f"    {name:<{_WIDTH + 2}}{value:>10.3f}" for name, value in values.items()]
    return lines
