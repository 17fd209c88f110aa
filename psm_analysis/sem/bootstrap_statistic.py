"""``bootstrap_statistic``: the bootstrap of whatever a function makes of a fit."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis._options import BootstrapInterval, BootstrapKind, check_option
from psm_analysis._results import Result
from psm_analysis.errors import ConvergenceError, OptionError, PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap import check_bootstrap, doubts
from psm_analysis.sem.bootstrap_intervals import accelerations, deviations, interval
from psm_analysis.sem.bootstrap_job import SINGLES
from psm_analysis.sem.bootstrap_refit import resampled, warm
from psm_analysis.sem.bootstrap_resample import Units, bootstrap_units, drawn_units
from psm_analysis.sem.chunks import run_chunks
from psm_analysis.sem.fit import fit_table
from psm_analysis.sem.result import SemResult

Statistic = Callable[[SemResult], Any]


@dataclass(frozen=True, slots=True, repr=False)
class StatisticBootstrap(Result):
    """Replicates of a statistic.

    Attributes
    ----------
    estimate, draws
        The statistic of the fit, and of the replicates that have one, one row each; columns are its parts.
    low, high
        Limits of the intervals.
    n, failed, inadmissible
        Replicates that were drawn, those without a solution or without the statistic, and those with a doubtful one.
    seed, kind, ci, level
        What was asked for.
    warnings
        What is doubtful.
    """

    estimate: pd.Series
    draws: pd.DataFrame
    low: Array
    high: Array
    n: int
    failed: int
    inadmissible: int
    seed: int
    kind: BootstrapKind
    ci: BootstrapInterval
    level: float
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per part of the statistic: ``term, estimate, std_error, bias, ci_low, ci_high``."""
        values = self.draws.to_numpy(dtype=float)
        return pd.DataFrame(
            {
                "term": self.estimate.index,
                "estimate": self.estimate.to_numpy(dtype=float),
                "std_error": deviations(values),
                "bias": values.mean(axis=0) - self.estimate.to_numpy(dtype=float),
                "ci_low": self.low,
                "ci_high": self.high,
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: replicates drawn, used, failed and inadmissible."""
        row: dict[str, object] = {"kind": self.kind, "ci": self.ci, "level": self.level, "n": self.n}
        row |= {"used": len(self.draws), "failed": self.failed, "inadmissible": self.inadmissible}
        return pd.DataFrame([row])


def bootstrap_statistic(
    result: SemResult,
    statistic: Statistic,
    *,
    n: int,
    seed: int,
    ci: BootstrapInterval = "percentile",
    kind: BootstrapKind = "ordinary",
    level: float = 0.95,
    processes: int = 1,
    progress: bool = False,
) -> StatisticBootstrap:
    """Refit a model to resamples of its rows and apply a function to every fit: reliability, fit measures, anything.

    The resamples are those of ``result.bootstrap(n, seed=seed)``. For parameters, standardized ones and indirect
    effects that method is much faster.

    Parameters
    ----------
    result
        A fit to rows of data, by any estimator.
    statistic
        A function of a fit that returns a number, a mapping, a Series or a DataFrame of numbers, such as
        ``psm.reliability`` or ``lambda fit: fit.fit_measures["cfi"]``.
    n, seed, kind, level, processes, progress
        As :meth:`SemResult.bootstrap`; with several processes the function must be one that can be pickled.
    ci
        ``percentile``, ``basic``, ``normal`` or ``bca``.

    Returns
    -------
    StatisticBootstrap
        Estimate, standard error, bias and interval of every part of the statistic.

    Raises
    ------
    OptionError
        For ``ci="studentized"``, or a statistic that is not made of numbers.
    DataError, ModelError, ConvergenceError
        As :meth:`SemResult.bootstrap`.

    References
    ----------
    Efron, B., & Tibshirani, R. (1993). An introduction to the bootstrap. Chapman & Hall. R:
    ``lavaan::bootstrapLavaan(fit, FUN = )``.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> rows = pd.DataFrame(rng.normal(size=(200, 1)) + rng.normal(size=(200, 4)), columns=list("abcd"))
    >>> fit = psm.cfa("f =~ a + b + c + d", rows)
    >>> found = psm.bootstrap_statistic(fit, psm.reliability, n=50, seed=1).tidy()
    >>> found["term"].tolist(), bool((found["ci_low"] < found["ci_high"]).all())
    (['f alpha', 'f omega', 'f ave'], True)
    """
    check_bootstrap(result, n, kind=kind, level=level, processes=processes)
    check_option(ci, BootstrapInterval, name="ci")
    if ci == "studentized":
        raise OptionError(
            "A statistic of a fit has no standard error of its own.", where="argument 'ci'", remedy="Use ci='bca'."
        )
    estimate = flattened(statistic(result))
    job = StatisticJob(result, statistic, bootstrap_units(result, kind), seed, tuple(estimate.index))
    done = run_chunks(job, n, batch=SINGLES, processes=processes, progress=progress)
    values, clean = (np.concatenate([part[k] for part in done.parts]) for k in (0, 1))
    good = np.isfinite(values).all(axis=1)
    if good.sum() < 2:
        raise ConvergenceError(
            f"Only {good.sum()} of {len(good)} replicates have the statistic.", where="bootstrap_statistic"
        )
    a = accelerations(job.jackknife()) if ci == "bca" else None
    low, high = interval(values[good], estimate.to_numpy(dtype=float), ci=ci, level=level, acceleration=a)
    failed, bad = int((~good).sum()), int((good & ~clean).sum())
    notes = [f"The bootstrap was stopped: it has {len(good)} of {n} replicates."] if done.stopped else []
    notes += doubts(len(good), failed, bad)
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    return StatisticBootstrap(
        estimate=estimate,
        draws=pd.DataFrame(values[good], columns=list(estimate.index)),
        low=low,
        high=high,
        n=len(good),
        failed=failed,
        inadmissible=bad,
        seed=seed,
        kind=kind,
        ci=ci,
        level=level,
        warnings=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class StatisticJob:
    """Draws, fits and applies the statistic by the number of the replicate."""

    result: SemResult
    statistic: Statistic
    units: tuple[Units, ...]
    seed: int
    names: tuple[str, ...]

    def run(self, start: int, stop: int) -> tuple[Array, Mask]:
        """Return the statistic of each replicate, nan where it has none, and which fits are free of doubts."""
        drawn = drawn_units([unit.count for unit in self.units], start, stop, seed=self.seed)
        found = [
            self._one([unit.members(d[i]) for unit, d in zip(self.units, drawn, strict=True)])
            for i in range(stop - start)
        ]
        return np.array([values for values, _ in found]), np.array([clean for _, clean in found])

    def jackknife(self) -> list[Array]:
        """Return the statistic without each unit in turn, by group."""
        everyone = [np.arange(len(unit.rows)) for unit in self.units]
        found = []
        for g, unit in enumerate(self.units):
            kept = [np.flatnonzero(row) for row in unit.without(np.arange(unit.count))]
            values = np.array([self._one([*everyone[:g], rows, *everyone[g + 1 :]])[0] for rows in kept])
            found.append(values[np.isfinite(values).all(axis=1)])
        return found

    def _one(self, chosen: Sequence[Index]) -> tuple[Array, bool]:
        nothing = np.full(len(self.names), math.nan)
        rows = [unit.rows[which] for unit, which in zip(self.units, chosen, strict=True)]
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore", PsmAnalysisWarning)
            try:
                fit = fit_table(
                    warm(self.result), resampled(self.result, rows), model=self.result.model, spec=self.result.spec
                )
                if not fit.converged:
                    return nothing, False
                found = flattened(self.statistic(fit))
            except (PsmAnalysisError, np.linalg.LinAlgError):
                return nothing, False
        return found.reindex(list(self.names)).to_numpy(dtype=float), not fit.warnings


def flattened(value: Any) -> pd.Series:
    """Return a statistic as one Series of numbers; rows and columns of a DataFrame are joined by a blank.

    Raises
    ------
    OptionError
        If it is not made of numbers.

    Examples
    --------
    >>> flattened(pd.DataFrame({"omega": [0.8, 0.7]}, index=["f", "g"])).to_dict()
    {'f omega': 0.8, 'g omega': 0.7}
    """
    if isinstance(value, pd.DataFrame):
        parts = {f"{_name(row)} {column}": value.loc[row, column] for row in value.index for column in value.columns}
    elif isinstance(value, (Mapping, pd.Series)):
        parts = {_name(name): part for name, part in value.items()}
    else:
        parts = {"statistic": value}
    try:
        return pd.Series({name: float(part) for name, part in parts.items()}, dtype=float)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"The statistic is not made of numbers: {error}.",
            where="argument 'statistic'",
            remedy="Return a number, or a mapping, Series or DataFrame of numbers.",
        ) from error


def _name(label: Any) -> str:
    return " ".join(map(str, label)) if isinstance(label, tuple) else str(label)
