"""A parameter table in the model language of semopy."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from psm_analysis.sem.partable import NAN, Parameter, ParameterTable
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.sample import Sample


def semopy_text(table: ParameterTable, problem: Problem, sample: Sample) -> str:
    """Return the table in semopy's language.

    Variables are called ``v0, v1 ...`` (observed) and ``f0, f1 ...`` (factors), free parameters ``p0, p1 ...`` by their
    place among the free ones. Nothing is left to semopy's defaults: fixed values are written out, those of exogenous
    variables from the sample, and so are the zero covariances that semopy would free.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> names = ["x1", "x2", "x3"]
    >>> r = pd.DataFrame([[1, .5, .4], [.5, 1, .4], [.4, .4, 1]], names, names)
    >>> fit = psm.cfa("f =~ x1 + x2 + x3", sample_cov=r, sample_nobs=200)
    >>> print(semopy_text(fit.table, fit.problem, fit.sample))
    f0 =~ 1*v0
    f0 =~ p0*v1
    f0 =~ p1*v2
    v0 ~~ p2*v0
    v1 ~~ p3*v1
    v2 ~~ p4*v2
    f0 ~~ p5*f0
    """
    names = _codes(table, sample)
    lines = []
    for parameter, place, value in zip(table.parameters, problem.position, problem.base, strict=True):
        amount = f"p{place}" if place >= 0 else np.format_float_positional(value, trim="-")
        lines.append(f"{names[parameter.lhs]} {parameter.op} {amount}*{names[parameter.rhs]}")
    return "\n".join([*lines, *_spelled_out(table, problem, names)])


def _codes(table: ParameterTable, sample: Sample) -> dict[str, str]:
    names = {name: f"v{i}" for i, name in enumerate(sample.names)}
    return names | {name: f"f{i}" for i, name in enumerate(table.roles.latent)}


def _spelled_out(table: ParameterTable, problem: Problem, names: dict[str, str]) -> list[str]:
    """Return what makes semopy's idea of the model that of the table.

    Observed variables of the structural part must send an arrow (of 0) to count as such; variables without any arrow
    must be declared; covariances between structural observed variables that the table does not have are 0.
    """
    layout = problem.layouts[0]
    structural = [layout.observed[i] for i in layout.dummies if i >= 0]
    arrows = {(p.rhs, p.lhs) if p.op == "~" else (p.lhs, p.rhs) for p in table.parameters if p.op in ("=~", "~")}
    sends, receives = {a for a, _ in arrows}, {b for _, b in arrows}
    lines = []
    for name in structural:
        if name not in sends:
            target = next(other for other in (*layout.eta, *layout.observed) if other != name)
            lines.append(f"{names[target]} ~ 0*{names[name]}")
            receives.add(target)
    lone = [n for n in layout.observed if n not in sends and n not in receives and n not in structural]
    lines += [f"FORCE(endo) {' '.join(names[n] for n in lone)}"] if lone else []
    written = {p.key for p in table.parameters}
    pairs = [(a, b) for a, b in combinations(structural, 2) if _covariance_key(a, b) not in written]
    return lines + [f"{names[a]} ~~ 0*{names[b]}" for a, b in pairs]


def _covariance_key(a: str, b: str) -> tuple[str, str, str]:
    return Parameter(a, "~~", b, 1, True, NAN).key
