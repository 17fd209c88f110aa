"""A population: a model whose parameters have values, and what is done to the data that are drawn from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from psm_analysis._results import Result
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import imply
from psm_analysis.sem.matrices import PSI, Layout, find_layout
from psm_analysis.sem.partable import Parameter, ParameterTable, TableOptions, build_table
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import check_positive_definite
from psm_analysis.sem.syntax import ParsedModel, Term, parse_model
from psm_analysis.simulation.clusters import ClusterPlan, plan_clusters
from psm_analysis.simulation.generate import Moments, generate_frame
from psm_analysis.simulation.missingness import MissingPlan, plan_missing
from psm_analysis.simulation.vale_maurelli import NormalScores, plan_shape

PASSES = 100


@dataclass(frozen=True, slots=True, repr=False)
class Population(Result):
    """Where simulated data come from.

    Attributes
    ----------
    model
        The model text with its population values.
    names, groups
        Observed variables in the order of the model; labels of the groups, one blank for a single group.
    moments
        Mean vector and covariance matrix of each group; of an ordinal variable those of the response behind it.
    values
        One row per parameter and group: ``lhs, op, rhs, group, label, estimate``.
    thresholds
        For each ordinal variable its thresholds in each group, increasing.
    shape
        Skewness and kurtosis of the variables; None where all are normal.
    missing, clusters
        Which answers are left out, and how respondents depend on each other; None for neither.
    """

    model: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    moments: tuple[Moments, ...]
    values: pd.DataFrame
    thresholds: Mapping[str, tuple[Array, ...]]
    shape: tuple[NormalScores, ...] | None
    missing: MissingPlan | None
    clusters: ClusterPlan | None

    @property
    def normal(self) -> bool:
        """Whether its data are complete, independent and multivariate normal."""
        plain = self.shape is None and self.missing is None and self.clusters is None
        return plain and not self.thresholds

    def tidy(self) -> pd.DataFrame:
        """Return one row per parameter and group: ``lhs, op, rhs, group, label, estimate``."""
        return self.values.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: variables, groups, and what the data are like."""
        row = {
            "variables": len(self.names),
            "groups": len(self.groups),
            "ordinal": len(self.thresholds),
            "skewed": 0 if self.shape is None else int((np.abs(self.shape[0].skewness) > 0).sum()),
            "missing": 0 if self.missing is None else len(self.missing.rates),
            "icc": 0.0 if self.clusters is None else self.clusters.icc,
        }
        return pd.DataFrame([row])

    def generate(self, nobs: int | Sequence[int], *, seed: int, replicate: int = 0) -> pd.DataFrame:
        """Return the rows of one sample.

        Parameters
        ----------
        nobs
            Respondents in all groups, which are then equally large, or in each group.
        seed, replicate
            Sample number `replicate` of this seed: the one that a Monte Carlo study with the seed analyses.

        Returns
        -------
        DataFrame
            The observed variables; a column ``group`` if there are several groups, and ``cluster`` if respondents
            belong to clusters.
        """
        return generate_frame(self, group_sizes(self, nobs), seed=seed, replicate=replicate)


def population(
    model: str | SemResult,
    *,
    standardized: bool = False,
    groups: Sequence[str] | None = None,
    skewness: float | Mapping[str, float] = 0.0,
    kurtosis: float | Mapping[str, float] = 0.0,
    missing: float | Mapping[str, float] = 0.0,
    missing_by: str | None = None,
    missing_slope: float = 1.0,
    icc: float = 0.0,
    cluster_size: int = 10,
) -> Population:
    """Describe a population by a model with values, from which data can be drawn.

    Every path and loading of the model has a value before its variable, ``M ~ 0.5*X``, beside which there may be a
    label, ``M ~ a*0.5*X``. First loadings are 1 if nothing is said. Variances not written down are 1 (with
    `standardized`, what is left of a total variance of 1); covariances, intercepts and means are 0. Thresholds,
    ``x1 | -1*t1 + 0*t2``, make a variable ordinal.

    Parameters
    ----------
    model
        Model text with values, where ``c(0.5, 0.3)*`` gives one per group; or a fit, whose estimates are the values.
    standardized
        Residual variances that are not written down make total variances 1.
    groups
        Labels of the groups; numbers by default, as many as the longest ``c()`` has.
    skewness, kurtosis
        Of the observed variables, the same for all or by name; kurtosis is in excess of the normal distribution's.
        Correlations stay those of the model (Vale & Maurelli, 1983).
    missing
        Share of missing answers, the same for all variables or by name.
    missing_by
        Answers are missing at random: more often with a high value of this variable, itself complete. By default
        they are missing completely at random.
    missing_slope
        Change of the log-odds of a missing answer per standard deviation of `missing_by`.
    icc
        Intraclass correlation of every variable: respondents belong to clusters.
    cluster_size
        Respondents per cluster.

    Returns
    -------
    Population
        ``generate(nobs, seed=...)`` draws a sample; :func:`monte_carlo` and :func:`find_sample_size` analyse many.

    Raises
    ------
    ModelError
        For a parameter without a value, thresholds that do not increase, negative variances.
    DataError
        If the covariance matrix is not positive definite.
    OptionError
        For an unknown variable, a share or a shape that is not possible.

    References
    ----------
    Vale, C. D., & Maurelli, V. A. (1983). Simulating multivariate nonnormal distributions. Psychometrika, 48, 465-471.
    R: ``lavaan::simulateData``, ``simsem::sim``.

    Examples
    --------
    >>> people = population("f =~ 0.8*x1 + 0.7*x2 + 0.6*x3; f ~~ 1*f", standardized=True)
    >>> people.generate(200, seed=1).shape
    (200, 3)
    >>> people.moments[0].cov.round(2).tolist()
    [[1.0, 0.56, 0.48], [0.56, 1.0, 0.42], [0.48, 0.42, 1.0]]
    """
    if isinstance(model, SemResult):
        found = _of_fit(model)
    else:
        found = _of_text(model, standardized=standardized, groups=groups)
    names, correlations = found.names, [m.cov / np.outer(m.deviations, m.deviations) for m in found.moments]
    return replace(
        found,
        shape=plan_shape(names, correlations, skewness=skewness, kurtosis=kurtosis),
        missing=plan_missing(names, rates=missing, by=missing_by, slope=missing_slope),
        clusters=plan_clusters(icc, cluster_size),
    )


def group_sizes(people: Population, nobs: int | Sequence[int]) -> tuple[int, ...]:
    """Return the respondents of each group; the first groups get what cannot be divided.

    Raises
    ------
    OptionError
        If a group has fewer than two, or there are not as many numbers as groups.
    """
    if not isinstance(people, Population):
        raise OptionError(
            f"The population is {type(people).__name__}.",
            where="argument 'people'",
            remedy="Make one by psm.population.",
        )
    count = len(people.groups)
    given = list(nobs) if isinstance(nobs, Iterable) else [nobs]
    whole = [int(n) for n in given if isinstance(n, (int, float, np.number)) and float(n).is_integer()]
    sizes = tuple(whole) if len(whole) == len(given) else ()
    if np.isscalar(nobs) and sizes:
        sizes = tuple(sizes[0] // count + (g < sizes[0] % count) for g in range(count))
    if len(sizes) != count or min(sizes, default=0) < 2:
        raise OptionError(
            f"nobs={nobs!r} cannot be used for {count} group{'s' if count > 1 else ''}.",
            where="argument 'nobs'",
            remedy="Give the number of all respondents, or one of 2 or more for each group.",
        )
    return sizes


def _of_fit(fit: SemResult) -> Population:
    if not fit.converged or fit.table.roles.ordered or fit.table.options.auxiliary:
        raise ModelError(
            "This fit cannot serve as a population.",
            where="argument 'model'",
            remedy="Give a converged fit of continuous variables, or a model text with values.",
        )
    means = [np.zeros(len(fit.sample.names)) if g.mean is None else g.mean for g in fit.sample.groups]
    if fit.table.options.meanstructure:
        means = [implied.mu for implied in fit.problem.implied(fit.solution.x)]
    moments = tuple(
        _checked(Moments(mean, implied.Sigma), fit.sample.names, label)
        for mean, implied, label in zip(means, fit.problem.implied(fit.solution.x), fit.group_labels, strict=True)
    )
    values = fit.tidy()[["lhs", "op", "rhs", "group", "label", "estimate"]]
    return Population(fit.model, fit.sample.names, tuple(fit.group_labels), moments, values, {}, None, None, None)


def _of_text(model: str, *, standardized: bool, groups: Sequence[str] | None) -> Population:
    parsed = parse_model(model)
    _refuse(parsed)
    labels = _labels(parsed, groups)
    cuts = [term for term in parsed.terms if term.op == "|"]
    table = build_table(
        replace(parsed, terms=tuple(term for term in parsed.terms if term.op != "|")),
        TableOptions(meanstructure=True, fixed_x=False, group_labels=labels),
    )
    names = table.roles.observed
    values = np.array([_value(p, standardized=standardized) for p in table.parameters])
    moments = []
    for g, label in enumerate(labels):
        layout = find_layout(table.parameters, group=g + 1, observed=names, roles=table.roles)
        _fill_variances(layout, values)
        _refuse_negative(table, values, g + 1)
        implied = imply(layout, values)
        moments.append(_checked(Moments(implied.mu, implied.Sigma), names, label))
    return Population(
        model,
        names,
        labels,
        tuple(moments),
        _value_frame(table, values, labels),
        _thresholds(cuts, names, len(labels)),
        shape=None,
        missing=None,
        clusters=None,
    )


def _refuse(parsed: ParsedModel) -> None:
    if len(parsed.blocks) > 1 or any(term.op == "~*~" or term.modifiers.efa for term in parsed.terms):
        raise ModelError(
            "A population has no blocks, scaling factors or exploratory factors.",
            where="argument 'model'",
            remedy="Use c() for groups, icc= for dependent respondents, and write all loadings down.",
        )


def _labels(parsed: ParsedModel, groups: Sequence[str] | None) -> tuple[str, ...]:
    sizes = [len(part) for t in parsed.terms for part in (t.modifiers.fixed, t.modifiers.start, t.modifiers.label)]
    count = max(sizes, default=1)
    if groups is None:
        return ("",) if count <= 1 else tuple(str(g + 1) for g in range(count))
    if isinstance(groups, str) or len(set(groups)) != len(groups) or len(groups) < 2 or 1 < count != len(groups):
        raise OptionError(
            f"groups={groups!r} cannot be used for a model with values for {max(count, 1)} group(s).",
            where="argument 'groups'",
            remedy="Give a list of different labels, one per value in c().",
        )
    return tuple(str(label) for label in groups)


def _value(p: Parameter, *, standardized: bool) -> float:
    """Return the value of a parameter; nan for a variance that is still to be filled in."""
    given = p.start if p.free else p.value
    if not math.isnan(given):
        return given
    if p.op == "~~" and p.lhs == p.rhs:
        return math.nan if standardized else 1.0
    if not p.user or p.op in ("~~", "~1"):
        return 0.0
    raise ModelError(
        f"The parameter '{p.lhs} {p.op} {p.rhs}' has no population value.",
        where="argument 'model'",
        remedy=f"Write one before the variable: {p.lhs} {p.op} 0.5*{p.rhs}.",
    )


def _fill_variances(layout: Layout, values: Array) -> None:
    """Fill in, in place, the residual variances that make total variances 1."""
    open_ = layout.rows[np.isnan(values[layout.rows])]
    if not open_.size:
        return
    is_open = np.isin(layout.rows, open_)
    row, in_eta = layout.row[is_open], layout.matrix[is_open] == PSI
    values[open_] = 0.0
    for _ in range(PASSES):
        implied = imply(layout, values)
        total = np.empty(len(open_))
        total[in_eta] = np.diagonal(implied.C)[row[in_eta]]
        total[~in_eta] = np.diagonal(implied.Sigma)[row[~in_eta]]
        values[open_] += 1.0 - total
        if np.abs(1.0 - total).max() < 1e-14:
            return


def _refuse_negative(table: ParameterTable, values: Array, group: int) -> None:
    for p, value in zip(table.parameters, values, strict=True):
        if p.group == group and p.op == "~~" and p.lhs == p.rhs and value < 0:
            raise ModelError(
                f"The {'residual ' if not p.user else ''}variance of {p.lhs!r} is {value:.3f}, and so negative.",
                where="argument 'model'",
                remedy="Make the loadings or paths that explain it smaller, or write its variance down.",
            )


def _checked(moments: Moments, names: Sequence[str], label: str) -> Moments:
    check_positive_definite(moments.cov, names, f"the population, group {label!r}" if label else "the population")
    return moments


def _thresholds(terms: Sequence[Term], names: Sequence[str], count: int) -> dict[str, tuple[Array, ...]]:
    found: dict[str, tuple[Array, ...]] = {}
    for name in dict.fromkeys(term.lhs for term in terms):
        mine = sorted((term for term in terms if term.lhs == name), key=lambda term: int(term.rhs[1:]))
        rows = []
        for g in range(count):
            given = [term.modifiers.fixed or term.modifiers.start for term in mine]
            cuts = np.array([float(v[min(g, len(v) - 1)]) if v else math.nan for v in given])
            numbered = [term.rhs for term in mine] == [f"t{k + 1}" for k in range(len(mine))]
            if name not in names or not numbered or not (np.diff(cuts) > 0).all() or np.isnan(cuts).any():
                raise ModelError(
                    f"The thresholds of {name!r} are not increasing numbers t1, t2, ... of an observed variable: "
                    f"{', '.join(f'{cut:g}' for cut in cuts)}.",
                    where=f"line {mine[0].line} of the model",
                    remedy=f"Write {name} | -1*t1 + 0*t2 + 1*t3.",
                )
            rows.append(cuts)
        found[name] = tuple(rows)
    return found


def _value_frame(table: ParameterTable, values: Array, labels: Sequence[str]) -> pd.DataFrame:
    records = [
        (p.lhs, p.op, p.rhs, labels[p.group - 1], p.label, float(value))
        for p, value in zip(table.parameters, values, strict=True)
    ]
    return pd.DataFrame.from_records(records, columns=["lhs", "op", "rhs", "group", "label", "estimate"])
