"""The baseline model of incremental fit: uncorrelated variables, but for exogenous ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from psm_analysis.moments.missing import available_moments
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import Estimation, estimate
from psm_analysis.sem.partable import NAN, Parameter, ParameterTable
from psm_analysis.sem.roles import Roles
from psm_analysis.sem.sample import Sample
from psm_analysis.sem.symmetric import log_determinant
from psm_analysis.sem.teststat import ModelTest, model_test


def baseline_test(e: Estimation) -> ModelTest:
    """Return the test of the independence model by the same estimator; complete-data ML has a closed form."""
    if e.spec.function == "ML" and e.spec.test == "standard":
        exogenous = [e.sample.names.index(name) for name in e.table.roles.exogenous_observed]
        return _closed_form(e.sample, exogenous)
    table = independence_table(e.table, e.sample)
    known = _solution(table, e.sample) if e.spec.function in ("ML", "ULS") and not e.ordinal else None
    return model_test(estimate(table, e.sample, e.spec, prepared=True, known=known))


def _solution(table: ParameterTable, sample: Sample) -> Array:
    """Return the moments of the sample, which are the estimates of the independence model by ML and ULS."""
    at = {name: i for i, name in enumerate(sample.names)}
    found = []
    for p in table.parameters:
        group = sample.groups[p.group - 1]
        if p.free and p.op == "~1":
            assert group.mean is not None
            found.append(group.mean[at[p.lhs]])
        elif p.free:
            found.append(group.cov[at[p.lhs], at[p.rhs]])
    return np.array(found)


def _closed_form(sample: Sample, x: list[int]) -> ModelTest:
    """Return ``N (log|Sigma_b| - log|S|)`` with ``Sigma_b`` diagonal but for the exogenous block; means saturated."""
    chisq, df = 0.0, 0
    for group in sample.groups:
        p = len(group.cov)
        others = [i for i in range(p) if i not in x]
        uncorrelated = float(np.log(group.cov.diagonal()[others]).sum())
        if x:
            uncorrelated += log_determinant(group.cov[np.ix_(x, x)])
        chisq += group.mass * (uncorrelated - log_determinant(group.cov))
        df += (p * (p - 1) - len(x) * (len(x) - 1)) // 2
    return ModelTest(chisq, df)


def independence_table(table: ParameterTable, sample: Sample) -> ParameterTable:
    """Return the table of the independence model: variances, means, and moments of exogenous variables.

    Auxiliary variables covary with all others here as in the model itself.
    """
    exogenous, fixed = table.roles.exogenous_observed, table.options.fixed_x
    rows = _thresholds(table)
    for group in range(1, len(sample.groups) + 1):
        for name in sample.names:
            given = fixed and name in exogenous
            if name in table.roles.ordered:
                continue
            rows.append(Parameter(name, "~~", name, group, not given, NAN, exogenous=given))
            if table.options.meanstructure:
                rows.append(Parameter(name, "~1", "", group, not given, NAN, exogenous=given))
        for i, a in enumerate(exogenous):
            rows += [Parameter(a, "~~", b, group, not fixed, NAN, exogenous=fixed) for b in exogenous[i + 1 :]]
    rows = _started(rows, sample)
    auxiliary = table.roles.auxiliary
    for group in range(1, len(sample.groups) + 1):
        for name in auxiliary:
            others = sample.names[: sample.names.index(name)]
            rows += [Parameter(other, "~~", name, group, True, NAN) for other in others]
    if table.roles.ordered and fixed:
        dependent = [name for name in sample.names if name not in exogenous]
        for group in range(1, len(sample.groups) + 1):
            rows += [Parameter(y, "~", x, group, True, NAN) for y in dependent for x in exogenous]
    named = tuple(
        Parameter(p.lhs, p.op, p.rhs, p.group, p.free, p.value, shared=f".b{i}.", exogenous=p.exogenous, start=p.start)
        for i, p in enumerate(rows)
    )
    roles = Roles((), sample.names, (), exogenous, (), (), (), table.roles.ordered)
    return ParameterTable(named, (), roles, table.options)


def _started(rows: list[Parameter], sample: Sample) -> list[Parameter]:
    """Return the rows with what is their estimate in incomplete data: moments of the answers to each variable alone."""
    if sample.groups[0].patterns is None:
        return rows
    at = {name: i for i, name in enumerate(sample.names)}
    known = [available_moments(group.patterns) for group in sample.groups if group.patterns is not None]
    level = {"~1": 0, "~~": 1}
    return [
        replace(p, start=float(known[p.group - 1][level[p.op]][at[p.lhs]])) if p.free and p.rhs in ("", p.lhs) else p
        for p in rows
    ]


def _thresholds(table: ParameterTable) -> list[Parameter]:
    """Return free thresholds and unit variances of the ordinal variables."""
    found = []
    for group in range(1, table.options.n_groups + 1):
        for name, count in table.options.ordered:
            found += [Parameter(name, "|", f"t{k}", group, True, NAN) for k in range(1, count + 1)]
            found.append(Parameter(name, "~~", name, group, False, 0.0, derived=True))
    return found
