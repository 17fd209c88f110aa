"""The replicates of a study: samples drawn and analysed, in batches where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import PsmAnalysisError
from psm_analysis.sem import formulas
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.bootstrap import admissible_values
from psm_analysis.sem.bootstrap_batch import BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_gradient import Moments as SampleMoments
from psm_analysis.sem.bootstrap_inference import baseline_chisq, errors_of
from psm_analysis.sem.bootstrap_samples import can_batch
from psm_analysis.sem.result import SemResult
from psm_analysis.simulation.generate import GROUP, generate_rows, generator, normal_rows, root
from psm_analysis.simulation.population import Population
from psm_analysis.simulation.truth import Analysis, Target

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
        if problem is None:
            return Replicates.joined([self._single(i) for i in range(start, stop)])
        return self._batch(problem, start, stop)

    def _single(self, number: int) -> Replicates:
        """Return one replicate, analysed by an ordinary fit; one that cannot be fitted did not converge."""
        found = Replicates.empty(1, len(self.target.values))
        try:
            fit = self.analysis.fit(self.people.generate(self.sizes, seed=self.seed, replicate=number))
        except (PsmAnalysisError, np.linalg.LinAlgError):
            return found
        if not fit.converged:
            return found
        frame = fit.tidy()
        found.estimates[0], found.errors[0] = frame["estimate"], frame["std_error"]
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
    """Return the problem that all replicates share; None where they must be fitted one by one."""
    fit, options = job.target.fit, job.analysis.options
    complete = job.people.missing is None and options.get("missing", "listwise") == "listwise"
    plain = options.get("estimator") in (None, "ML") and not any(
        options.get(name) for name in ("cluster", "sampling_weights", "se", "test", "rotation")
    )
    plain = plain and options.get("information") in (None, "expected") and options.get("engine", "native") == "native"
    if fit is None or not complete or not plain or type(fit) is not SemResult or not fit.converged:
        return None
    return BatchProblem.of(fit) if can_batch(fit) else None


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
