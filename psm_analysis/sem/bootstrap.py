"""Bootstrap of a fit: replicates in batches where that is possible, one by one where it is not."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Sequence

import numpy as np

from psm_analysis._options import BootstrapInterval, BootstrapKind, check_option
from psm_analysis.errors import ConvergenceError, DataError, ModelError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_batch import BatchFit, BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_refit import refit
from psm_analysis.sem.bootstrap_resample import bootstrap_rows, drawn_moments, resample_indices, weighted_moments
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.discrepancy.ml import MaximumLikelihood
from psm_analysis.sem.implied import imply
from psm_analysis.sem.result import SemResult

BATCH = 500


def bootstrap(
    result: SemResult,
    n: int,
    *,
    seed: int,
    ci: BootstrapInterval = "percentile",
    kind: BootstrapKind = "ordinary",
    level: float = 0.95,
    batch: int = BATCH,
) -> BootstrapResult:
    """Refit a model to `n` resamples of its rows; :meth:`SemResult.bootstrap` calls this.

    Complete-data maximum likelihood is fitted in batches; anything else one replicate at a time. The numbers do not
    depend on `batch`.

    Raises
    ------
    OptionError
        For an unknown interval or kind, or a design (weights, clusters) that resampling rows would ignore.
    DataError
        If the model was fitted to published moments.
    ModelError
        If the fit itself did not converge.
    ConvergenceError
        If fewer than two replicates have a solution.
    """
    _check(result, n, ci=ci, kind=kind, level=level)
    rows = bootstrap_rows(result, kind)
    problem = BatchProblem.of(result) if can_batch(result) else None
    sizes = [len(part) for part in rows]
    parts = [
        _replicates(result, problem, rows, indices) for indices in resample_indices(sizes, n, seed=seed, batch=batch)
    ]
    values, chisq = np.concatenate([part.values for part in parts]), np.concatenate([part.chisq for part in parts])
    good = np.concatenate([part.converged for part in parts])
    if good.sum() < 2:
        raise ConvergenceError(
            f"Only {good.sum()} of {n} replicates have a solution.",
            where="bootstrap",
            remedy="Simplify the model, or use more rows.",
        )
    admissible = admissible_values(result, values[good])
    notes = _doubts(n, int(n - good.sum()), int((~admissible).sum()))
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=3)
    return BootstrapResult(
        fit=result,
        values=values[good],
        chisq=chisq[good],
        admissible=admissible,
        n=n,
        failed=int(n - good.sum()),
        seed=seed,
        kind=kind,
        ci=ci,
        level=level,
        jackknife=_jackknife(result, problem, rows) if ci == "bca" else (),
        warnings=tuple(notes),
    )


def _check(result: SemResult, n: int, *, ci: BootstrapInterval, kind: BootstrapKind, level: float) -> None:
    check_option(ci, BootstrapInterval, name="ci")
    check_option(kind, BootstrapKind, name="kind")
    if n < 2 or not 0 < level < 1:
        raise OptionError(
            f"n={n} and level={level} cannot be used.",
            where="bootstrap",
            remedy="Use two replicates or more (1,000 for intervals) and a level such as 0.95.",
        )
    if not result.converged:
        raise ModelError("The fit did not converge, so there is nothing to resample.", where="bootstrap")
    group = result.sample.groups[0]
    if group.rows is None:
        raise DataError("A bootstrap needs rows, but moments were given.", where="bootstrap", remedy="Fit with data=.")
    if group.weights is not None or group.clusters is not None:
        raise OptionError(
            "Rows with sampling weights or in clusters are not independent draws.",
            where="bootstrap",
            remedy="Use the robust standard errors of the fit.",
        )
    if kind == "bollen-stine" and (group.ordinal is not None or group.patterns is not None):
        raise OptionError("kind='bollen-stine' needs complete continuous rows.", where="argument 'kind'")


def can_batch(result: SemResult) -> bool:
    """Tell whether replicates can be fitted in batches: complete-data ML with linear constraints at most."""
    bounded = any(np.isfinite(p.lower) or np.isfinite(p.upper) for p in result.table.parameters if p.free)
    normal = all(isinstance(part, MaximumLikelihood) for part in result.problem.discrepancies)
    if not normal or bounded or result.constraints.inequalities:
        return False
    x = result.solution.x
    _, here = result.constraints.equal(result.problem, x)
    _, there = result.constraints.equal(result.problem, 1.7 * x + 0.3)
    return bool(np.allclose(here, there, rtol=1e-10, atol=1e-12))


def _replicates(
    result: SemResult, problem: BatchProblem | None, rows: Sequence[Array], indices: Sequence[Index]
) -> BatchFit:
    count = len(indices[0])
    found = _empty(result, count)
    if problem is not None:
        with np.errstate(all="ignore"):
            found = fit_batch(problem, [drawn_moments(y, drawn) for y, drawn in zip(rows, indices, strict=True)])
    for i in np.flatnonzero(~found.converged):
        again = refit(result, [y[drawn[i]] for y, drawn in zip(rows, indices, strict=True)])
        if again is not None:
            found.values[i], found.chisq[i] = again
            found.converged[i] = True
    return found


def _empty(result: SemResult, count: int) -> BatchFit:
    values = np.full((count, len(result.table.parameters)), np.nan)
    return BatchFit(values, np.full(count, np.nan), np.zeros(count, dtype=bool))


def _jackknife(result: SemResult, problem: BatchProblem | None, rows: Sequence[Array]) -> tuple[Array, ...]:
    """Return the values without each row in turn, by group."""
    found = []
    for g, y in enumerate(rows):
        parts = []
        for start in range(0, len(y), BATCH):
            out = np.arange(start, min(start + BATCH, len(y)))
            part = _left_out(result, problem, rows, g=g, out=out)
            parts.append(part.values[part.converged])
        found.append(np.concatenate(parts))
    return tuple(found)


def _left_out(
    result: SemResult, problem: BatchProblem | None, rows: Sequence[Array], *, g: int, out: Index
) -> BatchFit:
    found = _empty(result, len(out))
    if problem is not None:
        frequencies = [np.ones((len(out), len(part))) for part in rows]
        frequencies[g][np.arange(len(out)), out] = 0.0
        found = fit_batch(problem, [weighted_moments(y, w) for y, w in zip(rows, frequencies, strict=True)])
    for i in np.flatnonzero(~found.converged):
        again = refit(result, [np.delete(y, out[i], axis=0) if k == g else y for k, y in enumerate(rows)])
        if again is not None:
            found.values[i], found.chisq[i] = again
            found.converged[i] = True
    return found


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


def _doubts(n: int, failed: int, inadmissible: int) -> list[str]:
    found = []
    if failed:
        found.append(f"{failed} of {n} replicates have no solution and were left out.")
    if inadmissible:
        found.append(
            f"{inadmissible} of {n} replicates are inadmissible (a negative variance or a factor correlation above 1); "
            "they stay in, for leaving them out would bias the intervals."
        )
    return found
