"""Fit measures of the steps of a ladder in samples whose group labels are permuted, many at once where possible."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Iterator, Sequence

import numpy as np

from psm_analysis.errors import PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.sem import formulas
from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.bootstrap_batch import BatchFit, BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_gradient import Moments, log_determinants
from psm_analysis.sem.bootstrap_refit import resampled, warm
from psm_analysis.sem.bootstrap_samples import can_batch
from psm_analysis.sem.estimate import complete_rows
from psm_analysis.sem.fit import fit_table
from psm_analysis.sem.implied import imply
from psm_analysis.sem.result import SemResult

MEASURES = ("chisq", "cfi", "rmsea", "srmr")
BATCH = 250


def permuted_rows(rows: Sequence[Array], n: int, *, seed: int) -> Iterator[list[Index]]:
    """Yield, `n` times, which of all rows each group gets: sizes stay, labels are exchanged."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum([len(part) for part in rows])
    for _ in range(n):
        yield np.split(rng.permutation(int(ends[-1])), ends[:-1])


def permuted_measures(fits: Sequence[SemResult], n: int, *, seed: int) -> Array:
    """Return measures of every fit in every permutation, shape ``(n, fits, 4)``; nan where there is no solution."""
    rows = [complete_rows(group, fits[0].estimator) for group in fits[0].sample.groups]
    whole, draws = np.vstack(rows), list(permuted_rows(rows, n, seed=seed))
    batched = all(can_batch(f) and f.spec.function == "ML" and not f.table.roles.exogenous_observed for f in fits)
    problems = [BatchProblem.of(fit) for fit in fits] if batched else []
    found = np.full((n, len(fits), len(MEASURES)), np.nan)
    for start in range(0, n if batched else 0, BATCH):
        part = draws[start : start + BATCH]
        moments = [_moments(whole, np.array([draw[g] for draw in part])) for g in range(len(rows))]
        for k, problem in enumerate(problems):
            found[start : start + BATCH, k] = _batch_measures(problem.result, fit_batch(problem, moments), moments)
    for i, k in np.argwhere(np.isnan(found[:, :, 0])):
        found[i, k] = _measures(fits[k], [whole[index] for index in draws[i]])
    return found


def _moments(whole: Array, indices: Index) -> Moments:
    """Return moments (divisor N) of the rows of one group in every permutation."""
    y = whole[indices]
    mean = y.mean(axis=1)
    centred = y - mean[:, None, :]
    return Moments(np.swapaxes(centred, 1, 2) @ centred / indices.shape[1], mean)


def _batch_measures(fit: SemResult, solved: BatchFit, moments: Sequence[Moments]) -> Array:
    sizes = np.array([group.nobs for group in fit.sample.groups], dtype=float)
    baseline = np.zeros(len(solved.values))
    for size, m in zip(sizes, moments, strict=True):
        variances = np.diagonal(m.cov, axis1=-2, axis2=-1)
        baseline += size * (np.log(variances).sum(axis=-1) - log_determinants(m.cov))
    measures, df = fit.fit_measures, fit.fit_measures["df"]
    found = np.full((len(baseline), len(MEASURES)), np.nan)
    srmr = _srmr(fit, solved.values, moments, sizes)
    for i in np.flatnonzero(solved.converged):
        chisq = float(solved.chisq[i])
        cfi = formulas.cfi(chisq, df, float(baseline[i]), measures["baseline_df"])
        found[i] = chisq, cfi, formulas.rmsea(chisq, df, fit.nobs, n_groups=len(sizes)), srmr[i]
    return found


def _srmr(fit: SemResult, values: Array, moments: Sequence[Moments], sizes: Array) -> Array:
    """Return SRMR (Bentler, 1995) of every permutation, weighted over groups."""
    row, column = np.tril_indices(len(fit.sample.names))
    means = fit.table.options.meanstructure
    total = np.zeros(len(values))
    for layout, m, share in zip(fit.problem.layouts, moments, sizes / sizes.sum(), strict=True):
        implied = imply(layout, values)
        sd = np.sqrt(np.diagonal(m.cov, axis1=-2, axis2=-1))
        residual = (m.cov - implied.Sigma)[:, row, column] / (sd[:, row] * sd[:, column])
        squares, count = (residual**2).sum(axis=1), residual.shape[1]
        if means:
            squares, count = squares + (((m.mean - implied.mu) / sd) ** 2).sum(axis=1), count + sd.shape[1]
        total += share * np.sqrt(squares / count)
    return total


def _measures(fit: SemResult, rows: Sequence[Array]) -> list[float]:
    """Return the measures of one fit to permuted rows, or nan if it has no solution."""
    again = _refitted(fit, rows)
    return [np.nan if again is None else again.fit_measures[name] for name in MEASURES]


def _refitted(fit: SemResult, rows: Sequence[Array]) -> SemResult | None:
    try:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore", PsmAnalysisWarning)
            again = fit_table(warm(fit), resampled(fit, rows), model=fit.model, spec=fit.spec)
    except (PsmAnalysisError, np.linalg.LinAlgError):
        return None
    return again if again.converged else None
