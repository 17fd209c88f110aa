"""What a fit holds, as DataFrames in the house vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from psm_analysis._results import INFERENCE
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import Implied
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.reported import reported
from psm_analysis.sem.standardize import Kind, scaled, standardized_jacobian
from psm_analysis.sem.standardize import population as unconditional_moments

if TYPE_CHECKING:
    from psm_analysis.sem.result import SemResult


def parameter_frame(result: SemResult, *, level: float) -> pd.DataFrame:
    """Return the parameters with inference and standardized values; definitions last."""
    columns = _inference(result, level)
    implied, values = population(result), result.estimates
    for kind in KINDS:
        std = scaled(result.problem, values, implied, kind=kind, exogenous=_exogenous(result))
        columns[kind] = np.concatenate([std, _defined_standardized(result, std)])
    return _beside_identity(result, columns)


KINDS: tuple[Kind, ...] = ("std_lv", "std_all")


def _beside_identity(result: SemResult, columns: Mapping[str, Array]) -> pd.DataFrame:
    """Return the names of the parameters and, beside these, numbers: in one block, which is quick to make."""
    numbers = pd.DataFrame(np.column_stack(list(columns.values())))
    found = pd.concat([_identity(result), numbers], axis=1, ignore_index=True)
    found.columns = _column_index((*IDENTITY, *columns))
    return found


@lru_cache(maxsize=16)
def _column_index(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


def _inference(result: SemResult, level: float) -> dict[str, Any]:
    """Return estimates with their errors: by the delta method, or those of the replicates of a bootstrap."""
    if result.resampled is not None:
        frame = replace(result.resampled, level=level).tidy()
        return {name: frame[name] for name in INFERENCE}
    return _inference_columns(*estimates_and_errors(result), level)


def estimates_and_errors(result: SemResult) -> tuple[Array, Array]:
    """Return all parameters, definitions last, with standard errors by the delta method."""
    defined, slopes = result.constraints.defined(result.problem, result.solution.x)
    errors = _errors(np.vstack([selection(result.problem), slopes]), result.free_vcov)
    return np.concatenate([result.estimates, defined]), errors


def standardized_frame(result: SemResult, *, kind: Kind, level: float) -> pd.DataFrame:
    """Return the standardized parameters with delta-method inference; definitions last."""
    x, problem, exogenous = result.solution.x, result.problem, _exogenous(result)
    std = scaled(problem, result.estimates, population(result), kind=kind, exogenous=exogenous)
    jacobian = standardized_jacobian(problem, x, kind=kind, exogenous=exogenous)
    values = np.concatenate([std, _defined_standardized(result, std)])
    errors = _errors(np.vstack([jacobian, _defined_slopes(result, std) @ jacobian]), result.free_vcov)
    certain = errors < ROUNDING * np.abs(values)
    return _beside_identity(result, _inference_columns(values, np.where(certain, 0.0, errors), level))


ROUNDING = 1e-12
"""Standard errors below this share of their value are those of constants, such as the variances of factors."""


def glance_frame(result: SemResult) -> pd.DataFrame:
    """Return one row that describes the fit."""
    row: dict[str, object] = {
        "estimator": result.estimator,
        "nobs": result.nobs,
        "npar": int(result.fit_measures["npar"]),
        **reported(result),
        "converged": result.converged,
    }
    return pd.DataFrame([row])


def explained_variance(result: SemResult) -> dict[str, dict[str, float]]:
    """Return ``1 - residual variance / implied variance`` of endogenous variables, by group."""
    found: dict[str, dict[str, float]] = {}
    estimate = result.estimates
    dependent = {(p.group, p.rhs if p.op == "=~" else p.lhs) for p in result.table.parameters if p.op in ("=~", "~")}
    for g, (group, layout, implied) in enumerate(
        zip(result.sample.groups, result.problem.layouts, population(result), strict=True)
    ):
        total = dict(zip(layout.observed, np.diagonal(implied.Sigma), strict=True))
        total |= dict(zip(layout.eta, np.diagonal(implied.C), strict=True))
        found[group.label] = {
            p.lhs: float(1.0 - value / total[p.lhs])
            for p, value in zip(result.table.parameters, estimate, strict=True)
            if p.group == g + 1 and p.op == "~~" and p.lhs == p.rhs and (p.group, p.lhs) in dependent
        }
    return found


def population(result: SemResult) -> list[Implied]:
    """Return the implied moments of every group, not conditional on anything."""
    problem = result.problem
    if any(layout.given.size for layout in problem.layouts):
        return unconditional_moments(problem, result.estimates)
    return problem.implied(result.solution.x)


def _exogenous(result: SemResult) -> frozenset[str]:
    return frozenset(result.table.roles.exogenous_observed)


def selection(problem: Problem) -> Array:
    """Return the derivative of all parameters of the table with respect to the free ones."""
    jacobian = np.zeros((len(problem.position), problem.n_free))
    free = np.flatnonzero(problem.position >= 0)
    jacobian[free, problem.position[free]] = 1.0
    return jacobian


def _errors(jacobian: Array, vcov: Array) -> Array:
    variances = ((jacobian @ vcov) * jacobian).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(variances, 0.0)))


def identity_frame(result: SemResult) -> pd.DataFrame:
    """Return ``lhs, op, rhs, group, label`` of the parameters and definitions."""
    return _identity(result).copy()


def _identity(result: SemResult) -> pd.DataFrame:
    """Return the same, which the table remembers."""
    labels = tuple(group.label for group in result.sample.groups)
    key = ("identity", labels)
    if key not in result.table.memo:
        result.table.memo[key] = pd.DataFrame(_identities(result, labels), columns=IDENTITY, dtype="str")
    found: pd.DataFrame = result.table.memo[key]
    return found


IDENTITY = ("lhs", "op", "rhs", "group", "label")


def _identities(result: SemResult, labels: tuple[str, ...]) -> list[tuple[str, ...]]:
    shared = Counter(p.shared for p in result.table.parameters if p.free)
    records: list[tuple[str, ...]] = [
        (p.lhs, p.op, p.rhs, labels[p.group - 1], p.label or (p.shared if p.free and shared[p.shared] > 1 else ""))
        for p in result.table.parameters
    ]
    records += [(c.lhs, ":=", c.rhs, "", c.lhs) for c in result.constraints.definitions]
    return records


def inference_frame(values: Array, errors: Array, level: float) -> pd.DataFrame:
    """Return the inference columns by the normal distribution."""
    return pd.DataFrame(_inference_columns(values, errors, level))


def _inference_columns(values: Array, errors: Array, level: float) -> dict[str, Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(errors > 0, values / errors, np.nan)
    reach = float(special.ndtri(0.5 + level / 2.0)) * errors
    return {
        "estimate": values,
        "std_error": errors,
        "statistic": z,
        "p_value": 2.0 * special.ndtr(-np.abs(z)),
        "ci_low": values - reach,
        "ci_high": values + reach,
    }


def _defined_standardized(result: SemResult, std: Array) -> Array:
    """Return the definitions evaluated on standardized parameters."""
    if not result.constraints.definitions:
        return np.zeros(0)
    return result.constraints.defined(all_free(result.problem), std)[0]


def _defined_slopes(result: SemResult, std: Array) -> Array:
    return result.constraints.defined(all_free(result.problem), std)[1]


def all_free(problem: Problem) -> Problem:
    """Return the problem with every parameter of the table as a free one, in the table's order."""
    return replace(problem, position=np.arange(len(problem.position), dtype=np.intp))
