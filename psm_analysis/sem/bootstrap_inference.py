"""Standard errors and fit of many complete-data ML fits at once: arrays with a leading replicate axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.bootstrap_batch import BatchProblem
from psm_analysis.sem.bootstrap_gradient import BatchSample, Moments
from psm_analysis.sem.implied import derive
from psm_analysis.sem.result import SemResult


def free_values(problem: BatchProblem, values: Array) -> Array:
    """Return the free parameters of all parameters of the table, shape ``(R, n_free)``."""
    position = problem.result.problem.position
    _, rows = np.unique(position, return_index=True)
    return np.asarray(values[:, rows[position[rows] >= 0]])


def free_covariances(problem: BatchProblem, values: Array, samples: Sequence[BatchSample]) -> Array:
    """Return covariance matrices of the free parameters, ``Z (Z' I Z)^-1 Z' / N`` with expected information.

    nan where the information of a replicate is singular.
    """
    total = problem.free_information(values, samples)
    Z = problem.basis
    inner = Z.T @ total @ Z
    good: Mask = np.asarray(np.isfinite(inner).all(axis=(1, 2)))
    good[good] = np.linalg.slogdet(inner[good])[0] > 0
    found = np.full(inner.shape, np.nan)
    found[good] = np.linalg.inv(inner[good])
    return np.asarray(Z @ found @ Z.T / problem.result.sample.nobs)


def errors_of(problem: BatchProblem, values: Array, samples: Sequence[BatchSample]) -> tuple[Array, Array]:
    """Return estimates and standard errors of all parameters and definitions, shape ``(R, n_parameters + d)``."""
    result = problem.result
    vcov = free_covariances(problem, values, samples)
    defined, slopes = result.constraints.defined(result.problem, free_values(problem, values))
    position = result.problem.position
    errors = np.zeros(values.shape)
    free = position >= 0
    variances = np.diagonal(vcov, axis1=-2, axis2=-1)
    errors[:, free] = np.sqrt(np.where(variances >= 0, variances, np.nan))[:, position[free]]
    spread = np.einsum("rdk,rkl,rdl->rd", slopes, vcov, slopes)
    derived = np.sqrt(np.where(spread >= 0, spread, np.nan))
    return np.concatenate([values, defined], axis=1), np.concatenate([errors, derived], axis=1)


def baseline_chisq(problem: BatchProblem, moments: Sequence[Moments]) -> tuple[Array, int]:
    """Return chi-square of the independence model of every replicate, and its degrees of freedom."""
    result = problem.result
    names, exogenous = result.sample.names, result.table.roles.exogenous_observed
    x = [names.index(name) for name in exogenous]
    others = [i for i in range(len(names)) if i not in x]
    chisq, df = np.zeros(len(moments[0].cov)), 0
    for group, sample in zip(result.sample.groups, moments, strict=True):
        size = np.log(np.diagonal(sample.cov, axis1=-2, axis2=-1)[:, others]).sum(axis=1)
        if x:
            size += np.linalg.slogdet(sample.cov[:, x][:, :, x])[1]
        chisq += group.nobs * (size - np.linalg.slogdet(sample.cov)[1])
        df += (len(names) * (len(names) - 1) - len(x) * (len(x) - 1)) // 2
    return chisq, df


def delta_errors(fit: SemResult, function: Callable[[Array], Array], values: Array, *, vcov: Array) -> Array:
    """Return standard errors of a function of all parameters, shape ``(R, k)``, by the delta method.

    Derivatives are central differences with steps of 1e-4 standard errors of each free parameter.
    """
    position, n_free = fit.problem.position, fit.problem.n_free
    slopes = []
    for j in range(n_free):
        step = 1e-4 * np.sqrt(np.maximum(vcov[:, j, j], 1e-300))
        ends = []
        for sign in (1.0, -1.0):
            moved = values.copy()
            moved[:, position == j] += sign * step[:, None]
            for layout in fit.problem.layouts:
                if layout.derived.size:
                    derive(layout, moved)
            ends.append(function(moved))
        slopes.append((ends[0] - ends[1]) / (2.0 * step[:, None]))
    J = np.stack(slopes, axis=-1)
    return np.asarray(np.sqrt(np.maximum(np.einsum("rkj,rjl,rkl->rk", J, vcov, J), 0.0)))
