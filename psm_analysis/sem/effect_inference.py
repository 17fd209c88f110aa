"""Estimates, errors and intervals of functions of the parameters: delta method, Monte Carlo draws, or replicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import EffectInterval, check_option
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem import tables
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_intervals import deviations, interval
from psm_analysis.sem.bootstrap_result import BootstrapResult, summarised
from psm_analysis.sem.problem import expand_complex
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.standardize import standardized

Function = Callable[[Array], Array]
"""From all parameters of the table, shape ``(R, n_parameters)``, to ``(R, k)``; complex numbers must pass through."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Where the errors and intervals of a fit's effects come from.

    Attributes
    ----------
    fit
        The fit.
    interval, level
        Kind and level of the intervals.
    bootstrap
        Replicates, for ``interval="bootstrap"``.
    draws
        Monte Carlo draws of all parameters, shape ``(n, n_parameters)``, for ``interval="monte-carlo"``.
    """

    fit: SemResult
    interval: EffectInterval
    level: float
    bootstrap: BootstrapResult | None
    draws: Array | None

    @property
    def replicates(self) -> int:
        """The number of draws behind the intervals, 0 for the delta method."""
        drawn = self.bootstrap.values if self.bootstrap is not None else self.draws
        return 0 if drawn is None else len(drawn)

    def frame(self, function: Function) -> pd.DataFrame:
        """Return one row of the inference columns per element of a function of the parameters."""
        estimate = function(self.fit.estimates[None])[0]
        if self.bootstrap is not None:
            _, estimate, low, high, errors = summarised(self.bootstrap, function)
            return tables.inference_frame(estimate, errors, self.level).assign(ci_low=low, ci_high=high)
        if self.draws is not None:
            drawn = function(self.draws)
            frame = tables.inference_frame(estimate, deviations(drawn), self.level)
            frame["ci_low"], frame["ci_high"] = interval(drawn, estimate, ci="percentile", level=self.level)
            return frame
        errors = np.sqrt(np.maximum(np.diagonal(self.covariance(function)), 0.0))
        return tables.inference_frame(estimate, errors, self.level)

    def covariance(self, function: Function) -> Array:
        """Return the covariance matrix of the elements of a function of the parameters."""
        drawn = self.bootstrap.values if self.bootstrap is not None else self.draws
        if drawn is not None:
            return np.atleast_2d(np.cov(function(drawn), rowvar=False))
        x, step = self.fit.solution.x, 1e-30
        moved = function(expand_complex(self.fit.problem, x + 1j * step * np.eye(len(x))))
        slopes = moved.imag.T / step
        return np.asarray(slopes @ self.fit.free_vcov @ slopes.T)

    def standardized(self, values: Array) -> Array:
        """Return all parameters completely standardized."""
        exogenous = frozenset(self.fit.table.roles.exogenous_observed)
        return np.asarray(standardized(self.fit.problem, values, kind="std_all", exogenous=exogenous))


def uncertainty_of(
    fit: SemResult,
    *,
    interval: EffectInterval,
    bootstrap: BootstrapResult | None,
    n: int,
    seed: int,
    level: float,
) -> Uncertainty:
    """Return where errors come from, after a check of what was asked for; a bootstrap decides kind and level itself.

    Raises
    ------
    OptionError
        For an unknown kind, a bad number of draws or level, or replicates that are missing or of another fit.
    ModelError
        If the fit did not converge.
    """
    check_option(interval, EffectInterval, name="interval")
    if bootstrap is not None:
        interval, level = "bootstrap", bootstrap.level
    if not fit.converged:
        raise ModelError("The fit did not converge, so it has no effects.", where="argument 'result'")
    if interval == "bootstrap" and (bootstrap is None or bootstrap.kind == "bollen-stine"):
        raise OptionError(
            "interval='bootstrap' needs replicates of rows or clusters; those of Bollen and Stine are drawn as if the "
            "model held.",
            where="argument 'bootstrap'",
            remedy="Give bootstrap=fit.bootstrap(2000, seed=1), with kind='cluster' if rows are nested.",
        )
    if bootstrap is not None and bootstrap.fit is not fit:
        raise OptionError(
            "The replicates belong to another fit.", where="argument 'bootstrap'", remedy="Bootstrap this fit."
        )
    if n < 2 or not 0 < level < 1:
        raise OptionError(
            f"n={n} and level={level} cannot be used.",
            where="arguments 'n' and 'level'",
            remedy="Use 20,000 draws and a level such as 0.95.",
        )
    draws = _draws(fit, n, seed) if interval == "monte-carlo" else None
    return Uncertainty(fit, interval, level, bootstrap, draws)


def _draws(fit: SemResult, n: int, seed: int) -> Array:
    """Return draws of all parameters of the table from the sampling distribution of the free ones."""
    values, vectors = np.linalg.eigh(fit.free_vcov)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = np.random.default_rng(seed).normal(size=(n, len(values)))
    return fit.problem.expand(fit.solution.x + noise @ root.T)
