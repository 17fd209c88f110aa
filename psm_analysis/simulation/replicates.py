"""The replicates of a study: samples drawn and analysed, in batches where that is possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from psm_analysis.errors import PsmAnalysisError
from psm_analysis.sem import formulas
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.bootstrap import admissible_values
from psm_analysis.sem.bootstrap_batch import BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_gradient import Moments as SampleMoments
from psm_analysis.sem.bootstrap_inference import baseline_chisq, errors_of
from psm_analysis.sem.bootstrap_samples import can_batch
from psm_analysis.sem.options import FitOptions
from psm_analysis.sem.resampled import RESAMPLED
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.tables import estimates_and_errors
from psm_analysis.simulation.generate import GROUP, generate_rows, generator, normal_rows, root
from psm_analysis.simulation.population import Population
from psm_analysis.simulation.row_batches import RowBatches
from psm_analysis.simulation.truth import Analysis, Target, moment_fit

MEASURES = ("chisq", "df", "pvalue", "cfi", "rmsea")
BATCH = 250


@dataclass(frozen=True, slots=True)
class Replicates:
    """What the replicates gave, one row each.

    ``estimates`` and ``errors`` have one column per parameter and definition, ``measures`` those of `MEASURES`; nan
    where a replicate did not converge.
    """

    estimates: Array
    errors: Array
    measures: Array
    converged: Mask
    admissible: Mask

    @classmethod
    def empty(cls, count: int, columns: int) -> Replicates:
        """Return replicates of which none converged."""
        nothing = np.full((count, columns), np.nan)
        measures = np.full((count, len(MEASURES)), np.nan)
        return cls(nothing, nothing.copy(), measures, np.zeros(count, dtype=bool), np.zeros(count, dtype=bool))

    @classmethod
    def joined(cls, parts: Sequence[Replicates]) -> Replicates:
        """Return all parts behind one another."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))

    def measure(self, name: str) -> Array:
        """Return one fit measure of every replicate."""
        return np.asarray(self.measures[:, MEASURES.index(name)])


@dataclass(frozen=True, slots=True)
class Job:
    """All that is needed to draw and analyse replicates of some numbers."""

    people: Population
    analysis: Analysis
    sizes: tuple[int, ...]
    target: Target
    seed: int

    def run(self, start: int, stop: int) -> Replicates:
        """Return the replicates from `start` to before `stop`."""
        problem = batch_problem(self)
        if problem is not None:
            return self._batch(problem, start, stop)
        batches = row_batches(self)
        if batches is None:
            return Replicates.joined([self._recorded(self._single(i)) for i in range(start, stop)])
        rows = [drawn_rows(self, batches, number) for number in range(start, stop)]
        fits = zip(range(start, stop), batches.fits(rows), strict=True)
        return Replicates.joined([self._recorded(fit or self._single(i)) for i, fit in fits])

    def _single(self, number: int) -> SemResult | None:
        """Return the ordinary fit of one replicate, None if it cannot be fitted."""
        try:
            return self.analysis.fit(self.people.generate(self.sizes, seed=self.seed, replicate=number))
        except (PsmAnalysisError, np.linalg.LinAlgError):
            return None

    def _recorded(self, fit: SemResult | None) -> Replicates:
        """Return what is kept of a fit; one that could not be made did not converge.

        Nor did one with other parameters: nobody chose one of the categories.
        """
        found = Replicates.empty(1, len(self.target.values))
        if fit is None or not fit.converged:
            return found
        if type(fit) is SemResult:
            estimates, errors = estimates_and_errors(fit)
        else:
            frame = fit.tidy()
            estimates, errors = frame["estimate"].to_numpy(), frame["std_error"].to_numpy()
        if len(estimates) != len(self.target.values):
            return found
        found.estimates[0], found.errors[0] = estimates, errors
        found.measures[0] = [_measure(fit, name) for name in MEASURES]
        found.converged[0], found.admissible[0] = True, not fit.warnings
        return found

    def _batch(self, problem: BatchProblem, start: int, stop: int) -> Replicates:
        moments = drawn_moments(self, start, stop)
        with np.errstate(all="ignore"):
            fitted = fit_batch(problem, moments)
            good = fitted.converged
            found = Replicates.empty(stop - start, len(self.target.values))
            estimates, errors = errors_of(problem, fitted.values[good], [m.of(good) for m in moments])
            found.estimates[good], found.errors[good] = estimates, errors
            baseline, baseline_df = baseline_chisq(problem, moments)
        found.converged[good] = np.isfinite(errors).all(axis=1)
        found.admissible[good] = admissible_values(problem.result, fitted.values[good])
        df, nobs, groups = self.target.df, problem.result.sample.nobs, len(moments)
        for i in np.flatnonzero(good):
            t = float(fitted.chisq[i])
            fit = (formulas.chisq_p_value(t, df), formulas.cfi(t, df, float(baseline[i]), baseline_df))
            found.measures[i] = (t, df, *fit, formulas.rmsea(t, df, nobs, n_groups=groups))
        return found


def _measure(fit: SemResult, name: str) -> float:
    """Return a measure of fit, the scaled one where the estimator has one."""
    measures = fit.fit_measures
    return float(measures.get(f"{name}_scaled", measures[name]))


def batch_problem(job: Job) -> BatchProblem | None:
    """Return the problem that all replicates share; None where their rows are needed."""
    fit, options = job.target.fit, job.analysis.options
    if fit is None or not fit.converged or job.people.missing is not None or not _plain(options):
        return None
    if options.get("estimator") not in (None, "ML") or options.get("information") not in (None, "expected"):
        return None
    if options.get("missing", "listwise") != "listwise" or options.get("se") or options.get("test"):
        return None
    return BatchProblem.of(fit) if can_batch(fit) else None


def row_batches(job: Job) -> RowBatches | None:
    """Return what fits replicates by their rows in batches; None where they must be fitted one by one."""
    options = job.analysis.options
    if not _plain(options) or {options.get("se"), options.get("test")} & set(RESAMPLED):
        return None
    spec, fit, missing = FitOptions.of(options).spec(), job.target.fit, job.people.missing
    if job.target.ordinal is not None:
        fit, gaps = job.target.ordinal, missing is not None and options.get("missing") != "pairwise"
        return RowBatches(BatchProblem.of(fit), spec) if fit.converged and can_batch(fit) and not gaps else None
    if fit is None or (missing and spec.function != "FIML"):
        return None
    if not spec.likelihood:
        fit = moment_fit(job.people, job.analysis, job.sizes, estimator="ULS" if spec.function == "ULS" else "GLS")
    names = fit.table.roles.exogenous_observed if fit.table.options.fixed_x else ()
    gaps = missing is not None and bool(set(names) & set(missing.rates))
    return RowBatches(BatchProblem.of(fit), spec) if fit.converged and can_batch(fit) and not gaps else None


def _plain(options: Mapping[str, Any]) -> bool:
    """Tell whether an analysis is of independent rows by the native engine."""
    others = ("cluster", "sampling_weights", "rotation", "auxiliary")
    return options.get("engine", "native") == "native" and not any(options.get(name) for name in others)


def drawn_rows(job: Job, batches: RowBatches, number: int) -> list[Array]:
    """Return the rows of each group of one replicate that the analysis uses, its variables in their order."""
    names = batches.problem.result.sample.names
    where = np.array([job.people.names.index(name) for name in names], dtype=np.intp)
    rows = [y[:, where] for y in generate_rows(job.people, job.sizes, generator(job.seed, number))]
    if job.analysis.options.get("group") != GROUP:
        rows = [np.vstack(rows)]
    return [y[~np.isnan(y).all(axis=1)] for y in rows]


def drawn_moments(job: Job, start: int, stop: int) -> list[SampleMoments]:
    """Return the moments of each group in every replicate, in the order of the variables of the analysis."""
    draw = _normal_moments if job.people.normal else _row_moments
    drawn = [draw(job, generator(job.seed, number)) for number in range(start, stop)]
    found = []
    for g in range(len(job.people.groups)):
        mean, cov = (np.array([replicate[g][k] for replicate in drawn]) for k in (0, 1))
        if job.people.normal:
            moments = job.people.moments[g]
            factor = root(moments.cov)
            mean, cov = mean @ factor.T + moments.mean, factor @ cov @ factor.T
        found.append(SampleMoments(cov, mean))
    if job.analysis.options.get("group") != GROUP and len(found) > 1:
        found = [_together(found, job.sizes)]
    fit = job.target.fit
    assert fit is not None
    where = np.array([job.people.names.index(name) for name in fit.sample.names], dtype=np.intp)
    return [SampleMoments(m.cov[:, where[:, None], where], m.mean[:, where]) for m in found]


def _normal_moments(job: Job, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """Return mean and covariance (divisor N) of the independent scores that normal rows are made of."""
    return [_moments(normal_rows(size, len(job.people.names), rng)) for size in job.sizes]


def _row_moments(job: Job, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    return [_moments(rows) for rows in generate_rows(job.people, job.sizes, rng)]


def _moments(rows: Array) -> tuple[Array, Array]:
    mean = np.ones(len(rows)) @ rows / len(rows)
    rows -= mean
    return mean, rows.T @ rows / len(rows)


def _together(parts: Sequence[SampleMoments], sizes: Sequence[int]) -> SampleMoments:
    """Return the moments of all groups together."""
    share = np.array(sizes, dtype=float) / sum(sizes)
    mean = sum(w * m.mean for w, m in zip(share, parts, strict=True))
    cov = sum(
        w * (m.cov + (m.mean - mean)[:, :, None] * (m.mean - mean)[:, None, :])
        for w, m in zip(share, parts, strict=True)
    )
    return SampleMoments(np.asarray(cov), np.asarray(mean))
