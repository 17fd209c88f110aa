"""``monte_carlo_difference``: how often a restriction is rejected, by the difference test or by a change of fit."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd
from scipy import special

from psm_analysis._results import Result
from psm_analysis.errors import ConvergenceError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.chunks import run_chunks
from psm_analysis.sem.options import SemKeywords
from psm_analysis.simulation.analysis import checked_analysis
from psm_analysis.simulation.population import Population, group_sizes
from psm_analysis.simulation.replicates import BATCH, Job, Replicates
from psm_analysis.simulation.truth import Analysis, find_target

Restriction = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class DifferenceStudy(Result):
    """A Monte Carlo study of two nested models.

    Attributes
    ----------
    chisq, cfi, rmsea
        Chi-square of the restricted less that of the free model, loss of CFI and gain of RMSEA, one value per sample in
        which both converged.
    df
        Difference of their degrees of freedom.
    thresholds
        From which loss of CFI and gain of RMSEA on the restriction is rejected.
    nobs, alpha, failed
        Respondents, significance level, samples in which one of the two did not converge.
    warnings
        What is doubtful.
    """

    chisq: Array
    cfi: Array
    rmsea: Array
    df: int
    thresholds: tuple[float, float]
    nobs: int
    alpha: float
    failed: int
    warnings: tuple[str, ...]

    def rejected(self) -> dict[str, Mask]:
        """Return which samples reject the restriction, by criterion: chisq, cfi, rmsea."""
        critical = float(special.chdtri(self.df, self.alpha))
        return {
            "chisq": np.asarray(self.chisq > critical),
            "cfi": np.asarray(self.cfi > self.thresholds[0]),
            "rmsea": np.asarray(self.rmsea > self.thresholds[1]),
        }

    def tidy(self) -> pd.DataFrame:
        """Return one row per criterion: ``criterion, threshold, mean, sd, power, power_se``."""
        found, n = self.rejected(), len(self.chisq)
        rows = {"chisq": self.chisq, "cfi": self.cfi, "rmsea": self.rmsea}
        thresholds = (float(special.chdtri(self.df, self.alpha)), *self.thresholds)
        records = []
        for (name, values), threshold in zip(rows.items(), thresholds, strict=True):
            power = float(found[name].mean())
            spread = float(values.std(ddof=1))
            error = float(np.sqrt(power * (1.0 - power) / n))
            records.append((name, threshold, float(values.mean()), spread, power, error))
        columns = ["criterion", "threshold", "mean", "sd", "power", "power_se"]
        return pd.DataFrame.from_records(records, columns=columns)

    def glance(self) -> pd.DataFrame:
        """Return one row: respondents, samples used and failed, degrees of freedom of the difference."""
        row = {"nobs": self.nobs, "replicates": len(self.chisq), "failed": self.failed, "df": self.df}
        return pd.DataFrame([row | {"alpha": self.alpha}])


def monte_carlo_difference(
    people: Population,
    model: str,
    *,
    restricted: Restriction,
    nobs: int | Sequence[int],
    seed: int,
    replicates: int = 1_000,
    alpha: float = 0.05,
    thresholds: tuple[float, float] = (0.01, 0.015),
    processes: int = 1,
    progress: bool = False,
    **options: Unpack[SemKeywords],
) -> DifferenceStudy:
    """Fit two nested models to many samples and count how often the restricted one is rejected.

    Parameters
    ----------
    people, model, nobs, seed, replicates, alpha, processes, progress
        As :func:`monte_carlo`; `model` is the free one.
    restricted
        The text of the restricted model, or the arguments of :func:`sem` that restrict it, such as
        ``{"group_equal": ["loadings"]}``.
    thresholds
        Loss of CFI and gain of RMSEA from which on the restriction counts as rejected (Chen, 2007).
    **options
        Arguments of :func:`sem` for both models.

    Returns
    -------
    DifferenceStudy
        ``tidy()`` has the share of samples that reject, by chi-square difference, CFI and RMSEA.

    Raises
    ------
    OptionError
        If the second model is not a restriction of the first, or for arguments that cannot be used.
    ConvergenceError
        If both models converged in fewer than two samples.

    References
    ----------
    Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
    Modeling, 14, 464-504.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> text = "f =~ c(0.8, 0.8)*x1 + c(0.7, 0.5)*x2 + 0.6*x3 + 0.7*x4; f ~~ 1*f"
    >>> people = psm.population(text, standardized=True)
    >>> model, equal = "f =~ x1 + x2 + x3 + x4", {"group_equal": ["loadings"]}
    >>> study = psm.monte_carlo_difference(
    ...     people, model, group="group", restricted=equal, nobs=600, seed=1, replicates=200
    ... )
    >>> study.tidy()[["criterion", "power"]].round(1).values.tolist()
    [['chisq', 0.5], ['cfi', 0.3], ['rmsea', 0.6]]
    """
    if replicates < 2 or not 0 < alpha < 1 or processes < 1:
        raise OptionError(
            f"replicates={replicates}, alpha={alpha} and processes={processes} cannot be used.",
            where="monte_carlo_difference",
            remedy="Use two replicates or more, an alpha such as 0.05, one process or more.",
        )
    sizes = group_sizes(people, nobs)
    free, tied = two_analyses(model, restricted, options)
    jobs = [Job(people, analysis, sizes, find_target(people, analysis, sizes), seed) for analysis in (free, tied)]
    df = jobs[1].target.df - jobs[0].target.df
    if df <= 0:
        raise OptionError(
            f"The restricted model has {jobs[1].target.df} degrees of freedom, the free one {jobs[0].target.df}.",
            where="argument 'restricted'",
            remedy="Give a model with more degrees of freedom than the free one.",
        )
    done = [run_chunks(job, replicates, batch=BATCH, processes=processes, progress=progress) for job in jobs]
    both = [Replicates.joined(part.parts) for part in done]
    count = min(len(part.converged) for part in both)
    good = both[0].converged[:count] & both[1].converged[:count]
    if good.sum() < 2:
        raise ConvergenceError("Fewer than two samples have both solutions.", where="monte_carlo_difference")
    change = {name: (both[1].measure(name)[:count] - both[0].measure(name)[:count])[good] for name in MEASURED}
    failed = int((~good).sum())
    notes = (f"{failed} of {count} replicates have no solution and were left out.",) if failed else ()
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    return DifferenceStudy(
        chisq=change["chisq"],
        cfi=-change["cfi"],
        rmsea=change["rmsea"],
        df=df,
        thresholds=thresholds,
        nobs=sum(sizes),
        alpha=alpha,
        failed=failed,
        warnings=notes,
    )


MEASURED = ("chisq", "cfi", "rmsea")


def two_analyses(model: str, restricted: Restriction, options: Mapping[str, Any]) -> tuple[Analysis, Analysis]:
    """Return the analysis by the free and by the restricted model."""
    if isinstance(restricted, str):
        return checked_analysis(model, options), checked_analysis(restricted, options)
    changed = {name: value for name, value in restricted.items() if name != "model"}
    return checked_analysis(model, options), checked_analysis(restricted.get("model", model), {**options, **changed})
