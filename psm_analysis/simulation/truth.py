"""What an analysis would find if it had the whole population: the values that its estimates are compared with."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis._options import Estimator
from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import estimate
from psm_analysis.sem.estimators import SPECS
from psm_analysis.sem.fit import sem
from psm_analysis.sem.moment_maps import OrdinalMoments
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import OrdinalStatistics, Sample
from psm_analysis.sem.syntax import parse_model
from psm_analysis.simulation.codes import code_moments
from psm_analysis.simulation.generate import GROUP, Moments
from psm_analysis.simulation.population import Population

OF_ROWS = ("cluster", "sampling_weights", "se", "test", "information", "missing", "ordered", "estimator", "group")
EXACT = 1e-7


@dataclass(frozen=True, slots=True)
class Analysis:
    """A model and the keyword arguments of ``sem`` with which every replicate is analysed."""

    model: str
    options: Mapping[str, Any]

    def fit(self, data: pd.DataFrame) -> SemResult:
        """Return the fit to the rows of one replicate."""
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore", PsmAnalysisWarning)
            return sem(self.model, data, **self.options)


@dataclass(frozen=True, slots=True)
class Target:
    """The analysis of the population: its parameters with their values there, and its misfit per respondent.

    ``fit`` is the fit to the moments of the population, where replicates can start; None with ordinal variables, whose
    fit to thresholds and correlations is ``ordinal``.
    """

    names: pd.DataFrame
    values: Array
    misfit: float
    df: int
    fit: SemResult | None
    ordinal: SemResult | None = None


def find_target(people: Population, analysis: Analysis, sizes: Sequence[int]) -> Target:
    """Return what the analysis finds in the population.

    Raises
    ------
    OptionError
        If the analysis groups by another column than that of the population.
    """
    grouped = analysis.options.get("group")
    if grouped not in (None, GROUP) or (grouped == GROUP and len(people.groups) < 2):
        raise OptionError(
            f"The population has no column {grouped!r} with two groups or more.",
            where="argument 'group'",
            remedy=f"Use group={GROUP!r}, with a population of several groups.",
        )
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", PsmAnalysisWarning)
        if analysis.options.get("ordered"):
            return _ordinal(people, analysis)
        return _continuous(people, analysis, sizes)


def _continuous(people: Population, analysis: Analysis, sizes: Sequence[int]) -> Target:
    fit = moment_fit(people, analysis, sizes)
    return _target(fit, fit.problem.value(fit.solution.x), fit)


def moment_fit(
    people: Population, analysis: Analysis, sizes: Sequence[int], *, estimator: Estimator = "ML"
) -> SemResult:
    """Return the fit of the analysis to the moments of a population of continuous variables."""
    moments = [code_moments(people, g) for g in range(len(people.groups))]
    options = {name: value for name, value in analysis.options.items() if name not in OF_ROWS}
    counts = list(sizes)
    options["meanstructure"] = _models_means(analysis)
    if analysis.options.get("group") is None:
        moments, counts = [pooled(moments, sizes)], [sum(sizes)]
    labels = list(people.groups) if len(moments) > 1 else [""]
    names = list(people.names)
    covs = {
        label: pd.DataFrame(m.cov * n / (n - 1), names, names)
        for label, m, n in zip(labels, moments, counts, strict=True)
    }
    means = {label: pd.Series(m.mean, names) for label, m in zip(labels, moments, strict=True)}
    several = len(labels) > 1
    written = any(term.op == "~1" for term in parse_model(analysis.model).terms)
    options = {"meanstructure": several or written} | options
    return sem(
        analysis.model,
        sample_cov=covs if several else covs[""],
        sample_mean=means if several else means[""],
        sample_nobs=dict(zip(labels, counts, strict=True)) if several else counts[0],
        estimator=estimator,
        **options,
    )


def _models_means(analysis: Analysis) -> bool:
    """Tell whether the fits to rows model means; moments with means always do if nothing is said."""
    options = analysis.options
    asked = options.get("meanstructure")
    if options.get("missing") == "fiml" or asked is None:
        written = any(term.op == "~1" for term in parse_model(analysis.model).terms)
        needed = options.get("missing") == "fiml" or options.get("cluster") or options.get("group")
        return bool(written or needed or "intercepts" in options.get("group_equal", ()))
    return bool(asked)


def _target(fit: SemResult, misfit: float, start: SemResult | None) -> Target:
    frame = fit.tidy()
    names = frame[["lhs", "op", "rhs", "group", "label"]]
    return Target(names, frame["estimate"].to_numpy(dtype=float), max(misfit, 0.0), int(fit.fit_measures["df"]), start)


def pooled(moments: Sequence[Moments], sizes: Sequence[int]) -> Moments:
    """Return the moments of all groups together."""
    share = np.array(sizes, dtype=float) / sum(sizes)
    mean = sum(w * m.mean for w, m in zip(share, moments, strict=True))
    cov = sum(w * (m.cov + np.outer(m.mean - mean, m.mean - mean)) for w, m in zip(share, moments, strict=True))
    return Moments(np.asarray(mean), np.asarray(cov))


def _ordinal(people: Population, analysis: Analysis) -> Target:
    """Return the least-squares solution at thresholds and correlations of the population."""
    table_fit = _small_fit(people, analysis)
    groups = [
        replace(group, ordinal=population_statistics(people, g, table_fit), weights=None, clusters=None)
        for g, group in zip(_group_numbers(people, analysis), table_fit.sample.groups, strict=True)
    ]
    sample = Sample(table_fit.sample.names, tuple(groups), table_fit.sample.n_rows)
    e = estimate(table_fit.table, sample, SPECS["ULS"])
    found = replace(table_fit, problem=e.problem, solution=e.solution, sample=sample)
    return replace(_target(found, e.solution.value, None), ordinal=found)


def _group_numbers(people: Population, analysis: Analysis) -> list[int]:
    if analysis.options.get("group") is None and len(people.groups) > 1:
        raise OptionError(
            "The true values of an ordinal analysis of several groups together are not known.",
            where="argument 'group'",
            remedy=f"Use group={GROUP!r}.",
        )
    return list(range(len(people.groups)))


def _small_fit(people: Population, analysis: Analysis) -> SemResult:
    """Return a fit of some data, for its table and the order of its moments."""
    complete = replace(people, missing=None)
    options = {name: value for name, value in analysis.options.items() if name != "missing"}
    data = complete.generate(4000 * len(people.groups), seed=20120524)
    return Analysis(analysis.model, options).fit(data)


def population_statistics(people: Population, g: int, fit: SemResult) -> OrdinalStatistics:
    """Return thresholds or intercepts, slopes, variances and correlations of a group, given exogenous variables."""
    layout, moments = fit.problem.layouts[g], people.moments[g]
    where = [people.names.index(name) for name in layout.observed]
    mean, cov = moments.mean[where], moments.cov[np.ix_(where, where)]
    order = OrdinalMoments.of(layout)
    y, x = order.dependent, layout.dummies[layout.given]
    slopes = np.linalg.solve(cov[np.ix_(x, x)], cov[np.ix_(x, y)]).T if x.size else np.zeros((len(y), 0))
    within = cov[np.ix_(y, y)] - slopes @ cov[np.ix_(x, y)]
    level = mean[y] - slopes @ mean[x]
    ordinal = layout.ordinal[y]
    scale = np.where(ordinal, np.sqrt(np.diagonal(within)), 1.0)
    at = {int(variable): k for k, variable in enumerate(y)}
    first = {int(item): int(np.flatnonzero(layout.threshold_item == item)[0]) for item in layout.threshold_item}
    found: list[float] = []
    cuts: dict[int, list[float]] = {}
    for item, number in zip(*order.levels(), strict=True):
        k = at[int(item)]
        if number < 0:
            found.append(level[k])
            continue
        tau = people.thresholds[layout.observed[item]][g][number - first[int(item)]]
        found.append((tau - level[k]) / scale[k])
        cuts.setdefault(k, []).append(found[-1])
    column, row = np.triu_indices(len(y), 1)
    correlations = (within / np.outer(scale, scale))[row, column]
    parts = [np.array(found), (slopes / scale[:, None]).ravel(), np.diagonal(within)[~ordinal], correlations]
    s = np.concatenate(parts)
    thresholds = tuple(np.array(cuts.get(k, [])) for k in range(len(y)))
    return OrdinalStatistics(s, np.zeros((1, len(s))), thresholds)
