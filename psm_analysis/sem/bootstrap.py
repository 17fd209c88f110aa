"""Bootstrap of a fit: what is drawn, how it is run, and what is doubtful about it."""

from __future__ import annotations

import warnings as python_warnings

import numpy as np

from psm_analysis._options import BootstrapInterval, BootstrapKind, check_option
from psm_analysis.errors import ConvergenceError, DataError, ModelError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.bootstrap_batch import BatchProblem
from psm_analysis.sem.bootstrap_job import BootstrapJob, Part
from psm_analysis.sem.bootstrap_resample import bootstrap_units
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.bootstrap_samples import can_batch, make_samplers
from psm_analysis.sem.chunks import run_chunks
from psm_analysis.sem.implied import imply
from psm_analysis.sem.result import SemResult


def bootstrap(
    result: SemResult,
    n: int,
    *,
    seed: int,
    ci: BootstrapInterval = "percentile",
    kind: BootstrapKind = "ordinary",
    level: float = 0.95,
    processes: int = 1,
    progress: bool = False,
    batch: int | None = None,
) -> BootstrapResult:
    """Refit a model to `n` resamples of its rows; :meth:`SemResult.bootstrap` calls this.

    Replicates are fitted in batches where :func:`can_batch` holds, otherwise one at a time. The numbers do not depend
    on `batch` or `processes`.

    Raises
    ------
    OptionError
        For an unknown interval or kind, a design (weights, clusters) that resampling rows would ignore, exploratory
        blocks and two levels.
    DataError
        If the model was fitted to published moments.
    ModelError
        If the fit itself did not converge.
    ConvergenceError
        If fewer than two replicates have a solution.
    """
    check_bootstrap(result, n, kind=kind, level=level, processes=processes)
    check_option(ci, BootstrapInterval, name="ci")
    job = make_job(result, kind=kind, seed=seed, errors=ci == "studentized")
    size = batch or job.batch
    done = run_chunks(job, n, batch=size, processes=processes, progress=progress)
    found = Part.joined(done.parts)
    good, count = found.converged, len(found.converged)
    if good.sum() < 2:
        raise ConvergenceError(
            f"Only {good.sum()} of {count} replicates have a solution.",
            where="bootstrap",
            remedy="Simplify the model, or use more rows.",
        )
    admissible = admissible_values(result, found.values[good])
    notes = [f"The bootstrap was stopped: it has {count} of {n} replicates."] if done.stopped else []
    notes += doubts(count, int(count - good.sum()), int((~admissible).sum()))
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=3)
    return BootstrapResult(
        fit=result,
        values=found.values[good],
        chisq=found.chisq[good],
        vcov=found.vcov[good],
        admissible=admissible,
        n=count,
        failed=int(count - good.sum()),
        seed=seed,
        kind=kind,
        ci=ci,
        level=level,
        jackknife=jackknife(job) if ci == "bca" else (),
        warnings=tuple(notes),
    )


def make_job(result: SemResult, *, kind: BootstrapKind, seed: int, errors: bool) -> BootstrapJob:
    """Return the job; standard errors other than those of the expected information of ML need fits one by one."""
    spec, units = result.spec, bootstrap_units(result, kind)
    plain = spec.function == "ML" and spec.se == "standard" and spec.information == "expected"
    if (errors and not plain) or not can_batch(result):
        return BootstrapJob(result, None, (), units, seed, errors)
    return BootstrapJob(result, BatchProblem.of(result), make_samplers(result, units), units, seed, errors)


def check_bootstrap(result: SemResult, n: int, *, kind: BootstrapKind, level: float, processes: int) -> None:
    """Refuse what cannot be resampled."""
    check_option(kind, BootstrapKind, name="kind")
    if n < 2 or not 0 < level < 1 or processes < 1:
        raise OptionError(
            f"n={n}, level={level} and processes={processes} cannot be used.",
            where="bootstrap",
            remedy="Use two replicates or more (1,000 for intervals), a level such as 0.95, one process or more.",
        )
    if type(result) is not SemResult:
        raise OptionError(
            "A fit with exploratory blocks, or of two levels, cannot be bootstrapped.",
            where="bootstrap",
            remedy="Use the standard errors of the fit; estimator='MLR' has robust ones.",
        )
    if not result.converged:
        raise ModelError("The fit did not converge, so there is nothing to resample.", where="bootstrap")
    group = result.sample.groups[0]
    if group.rows is None:
        raise DataError("A bootstrap needs rows, but moments were given.", where="bootstrap", remedy="Fit with data=.")
    if group.weights is not None:
        raise OptionError(
            "Rows with sampling weights are not draws with equal chances.",
            where="bootstrap",
            remedy="Use the robust standard errors of the fit.",
        )
    if group.clusters is None and kind == "cluster":
        raise OptionError("There are no clusters to draw.", where="argument 'kind'", remedy="Fit with cluster=.")
    if group.clusters is not None and kind != "cluster":
        raise OptionError(
            "Rows in clusters are not independent draws.", where="argument 'kind'", remedy="Use kind='cluster'."
        )
    if kind == "bollen-stine" and (group.ordinal is not None or group.patterns is not None):
        raise OptionError("kind='bollen-stine' needs complete continuous rows.", where="argument 'kind'")


def jackknife(job: BootstrapJob) -> tuple[Array, ...]:
    """Return the values without each row (or cluster) in turn, by group."""
    found = []
    for g, unit in enumerate(job.units):
        parts = []
        for start in range(0, unit.count, job.batch):
            part = job.left_out(g, np.arange(start, min(start + job.batch, unit.count)))
            parts.append(part.values[part.converged])
        found.append(np.concatenate(parts))
    return tuple(found)


def admissible_values(result: SemResult, values: Array) -> Mask:
    """Tell which parameter values have no negative variance and no indefinite covariance matrix of the factors."""
    variances = [i for i, p in enumerate(result.table.parameters) if p.op == "~~" and p.lhs == p.rhs and p.free]
    good: Mask = np.asarray((values[:, variances] >= 0).all(axis=1))
    for layout in result.problem.layouts:
        n_latent = len(layout.factors)
        implied = imply(layout, values)
        if n_latent > 1:
            C = implied.C[:, :n_latent, :n_latent]
            size = np.abs(np.diagonal(C, axis1=-2, axis2=-1)).max(axis=1)
            good &= np.linalg.eigvalsh(C)[:, 0] >= -1e-10 * size
    return good


def doubts(n: int, failed: int, inadmissible: int) -> list[str]:
    """Return what is to be said of replicates without a solution, or with an inadmissible one."""
    found = []
    if failed:
        found.append(f"{failed} of {n} replicates have no solution and were left out.")
    if inadmissible:
        found.append(
            f"{inadmissible} of {n} replicates are inadmissible (a negative variance or a factor correlation above 1); "
            "they stay in, for leaving them out would bias the intervals."
        )
    return found
