"""``monte_carlo``: draw many samples from a population, analyse each, and see how the analysis does."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from typing import Unpack

from psm_analysis.errors import ConvergenceError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.chunks import run_chunks
from psm_analysis.sem.formulas import rmsea
from psm_analysis.sem.options import SemKeywords
from psm_analysis.simulation.analysis import checked_analysis, with_truth
from psm_analysis.simulation.population import Population, group_sizes
from psm_analysis.simulation.replicates import BATCH, Job, Replicates
from psm_analysis.simulation.study_result import MonteCarloResult
from psm_analysis.simulation.truth import EXACT, Target, find_target


def monte_carlo(
    people: Population,
    model: str,
    *,
    nobs: int | Sequence[int],
    seed: int,
    replicates: int = 1_000,
    truth: Mapping[str, float] | None = None,
    alpha: float = 0.05,
    processes: int = 1,
    batch: int = BATCH,
    progress: bool = False,
    **options: Unpack[SemKeywords],
) -> MonteCarloResult:
    """Analyse many samples of a population and compare the estimates with what is true there.

    True is what the analysis would find in the whole population: the values of the population in the units of the
    analysis model. If that model does not hold there, they are the nearest it can come, and a warning says so.

    Parameters
    ----------
    people
        Made by :func:`population`.
    model
        The model that every sample is analysed with: the same as that of the population, with labels in place of the
        values, or another one.
    nobs
        Respondents of each sample: of all groups, which are then equally large, or of each group.
    seed
        Makes the samples: replicate i is ``people.generate(nobs, seed=seed, replicate=i)``.
    replicates
        Number of samples, two or more.
    truth
        True values that differ from those found, by label or by ``"lhs op rhs"``.
    alpha
        Significance level of tests, and one less the level of the intervals.
    processes
        Number of processes that share the work; the numbers do not depend on it.
    batch
        Replicates that are fitted at once; the numbers do not depend on it.
    progress
        Show a progress bar.
    **options
        Arguments of :func:`sem` for the analysis: ``estimator, ordered, missing, group="group", cluster="cluster"`` ...

    Returns
    -------
    MonteCarloResult
        ``tidy()`` has bias, standard errors, coverage and power of every parameter; ``glance()`` convergence and the
        test of the model.

    Raises
    ------
    OptionError
        For fewer than two replicates, an unknown true value, or arguments of `sem` that do not fit the population.
    ConvergenceError
        If fewer than two replicates have a solution.

    References
    ----------
    Muthén, L. K., & Muthén, B. O. (2002). How to use a Monte Carlo study to decide on sample size and determine power.
    Structural Equation Modeling, 9, 599-620. R: ``simsem::sim``.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> people = psm.population("m ~ 0.4*x; y ~ 0.4*m + 0.2*x; x ~~ 1*x", standardized=True)
    >>> study = psm.monte_carlo(people, "m ~ a*x; y ~ b*m + x; ab := a*b", nobs=150, seed=1, replicates=500)
    >>> row = study.tidy().set_index("label").loc["ab"]
    >>> float(round(row["true"], 2)), bool(row["power"] > 0.97)
    (0.16, True)
    """
    if replicates < 2 or not 0 < alpha < 1 or processes < 1 or batch < 1:
        raise OptionError(
            f"replicates={replicates}, alpha={alpha}, processes={processes} and batch={batch} cannot be used.",
            where="monte_carlo",
            remedy="Use two replicates or more (1,000 for a power), an alpha such as 0.05, one process or more.",
        )
    sizes = group_sizes(people, nobs)
    analysis = checked_analysis(model, options)
    target = with_truth(find_target(people, analysis, sizes), truth)
    job = Job(people, analysis, sizes, target, seed)
    done = run_chunks(job, replicates, batch=batch, processes=processes, progress=progress)
    found = Replicates.joined(done.parts)
    if found.converged.sum() < 2:
        raise ConvergenceError(
            f"Only {int(found.converged.sum())} of {replicates} replicates have a solution.",
            where="monte_carlo",
            remedy="Use more respondents, or a simpler model.",
        )
    notes = _doubts(found, target, job, asked=replicates)
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    return MonteCarloResult(
        people=people,
        model=model,
        sizes=sizes,
        seed=seed,
        asked=replicates,
        alpha=alpha,
        target=target,
        replicates=found,
        warnings=tuple(notes),
    )


def _doubts(found: Replicates, target: Target, job: Job, *, asked: int) -> list[str]:
    notes, count = [], len(found.converged)
    if count < asked:
        notes.append(f"The study was stopped: it has {count} of {asked} replicates.")
    failed = int((~found.converged).sum())
    if failed:
        notes.append(f"{failed} of {count} replicates have no solution and were left out.")
    bad = int((found.converged & ~found.admissible).sum())
    if bad:
        notes.append(f"{bad} of {count} replicates have an inadmissible or doubtful solution; they stay in.")
    if target.misfit > EXACT and target.df:
        size = rmsea(target.df + target.misfit * 1e9, target.df, 1e9)
        notes.append(
            f"The analysis model does not hold in the population (RMSEA {size:.3f}): "
            "'true' values are those it comes to there."
        )
    return notes
