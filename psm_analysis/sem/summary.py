"""A fit as text, laid out as a statistician expects it."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from psm_analysis._results import format_number
from psm_analysis.sem.summary_fit import fit_lines, line, p_text

if TYPE_CHECKING:
    from psm_analysis.sem.result import SemResult

SECTIONS = (
    ("=~", "Latent variables"),
    ("~", "Regressions"),
    ("~~", "Covariances"),
    ("~1", "Intercepts"),
    ("|", "Thresholds"),
    ("var", "Variances"),
    ("~*~", "Scales"),
    (":=", "Defined parameters"),
)
_WIDTH = 20


def summary_text(result: SemResult) -> str:
    """Return the printed summary of a fit."""
    lines = [*_head(result), *fit_lines(result)]
    frame = _shown(result)
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


def _shown(result: SemResult) -> pd.DataFrame:
    """Return the parameters that are printed: all but intercepts and scales fixed for ordinal variables by default."""
    frame = result.tidy()
    if all(group.ordinal is None for group in result.sample.groups):
        return frame
    usual = {"~1": 0.0, "~*~": 1.0}
    fixed = (frame["std_error"] == 0) & (frame["estimate"] == frame["op"].map(usual))
    idle = fixed.groupby([frame["op"], frame["group"]]).transform("all")
    return frame[~idle]


def _head(result: SemResult) -> list[str]:
    used, total = result.nobs, result.sample.n_rows
    state = f"ended normally after {result.iterations} iterations" if result.converged else "DID NOT CONVERGE"
    lines = [
        f"psm_analysis: structural equation model, {state}",
        "",
        line("Estimator", result.estimator if result.engine == "native" else f"{result.estimator} ({result.engine})"),
        *_errors(result),
        line("Number of free parameters", f"{result.fit_measures['npar']:.0f}"),
        line("Rows used" + (f" (of {total})" if total != used else ""), str(used)),
    ]
    if "nclusters" in result.fit_measures:
        lines += [line("Clusters", f"{result.fit_measures['nclusters']:.0f}")]
    elif len(result.sample.groups) > 1:
        lines += [line(f"  group {group.label}", str(group.nobs)) for group in result.sample.groups]
    return lines


def _errors(result: SemResult) -> list[str]:
    if result.resampled is None:
        return []
    drawn = result.resampled
    return [line("Standard errors", f"bootstrap, {len(drawn.values)} of {drawn.n} replicates, seed {drawn.seed}")]


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
        name = _name(row, kind)
        shown = f"    {name}" + (f" ({row['label']})" if row["label"] and kind != ":=" else "")
        test = " " * 28
        if row["std_error"] > 0:
            test = _number(row["std_error"], 10) + _number(row["statistic"], 9) + f"{p_text(row['p_value']):>9}"
        numbers = _number(row["estimate"], 10) + test + _number(row["std_lv"], 10) + _number(row["std_all"], 10)
        lines.append(f"{shown:<{_WIDTH + 6}}" + numbers)
    return lines


def _name(row: dict[Any, Any], kind: str) -> str:
    if kind == "|":
        return f"{row['lhs']}|{row['rhs']}"
    return str(row["rhs"] if kind in ("=~", "~", "~~") else row["lhs"])


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
