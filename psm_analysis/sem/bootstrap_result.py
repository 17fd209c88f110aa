"""What a bootstrap holds: replicates, what went wrong in them, and the table of parameters with their intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import BootstrapInterval, BootstrapKind
from psm_analysis._results import Result
from psm_analysis.sem import tables
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.bootstrap_inference import delta_errors
from psm_analysis.sem.bootstrap_intervals import accelerations, deviations, interval
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.standardize import standardized


@dataclass(frozen=True, slots=True, repr=False)
class BootstrapResult(Result):
    """Replicates of a fit.

    Attributes
    ----------
    fit
        The fit that was resampled.
    values
        All parameters of its table in the replicates that converged, shape ``(used, n_parameters)``.
    chisq
        N times their minima of the discrepancy (of least squares N - G times): what chi-square is, but for ULS and DWLS
        of continuous variables, whose test is another.
    vcov
        Covariance matrices of the free parameters in each, for ``ci="studentized"``.
    admissible
        Which of them have no negative variance and no factor covariance matrix that is not positive definite.
    n, failed
        Replicates that were drawn, and those among them without a solution, which take no part in anything.
    seed, kind, ci, level
        What was asked for.
    jackknife
        Leave-one-out values of each group, for ``ci="bca"``.
    warnings
        What is doubtful.
    """

    fit: SemResult
    values: Array
    chisq: Array
    vcov: Array
    admissible: Mask
    n: int
    failed: int
    seed: int
    kind: BootstrapKind
    ci: BootstrapInterval
    level: float
    jackknife: tuple[Array, ...]
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per parameter, definitions last.

        Columns: ``lhs, op, rhs, group, label, estimate, std_error`` (standard deviation of the replicates),
        ``statistic, p_value`` (z), ``ci_low, ci_high, bias`` and ``std_all, std_all_std_error, std_all_ci_low,
        std_all_ci_high``.
        """
        draws, estimate, low, high, error = summarised(self, lambda values: quantities(self.fit, values)[0])
        _, estimate_std, std_low, std_high, std_error = summarised(self, lambda values: quantities(self.fit, values)[1])
        frame = tables.inference_frame(estimate, error, self.level)
        frame["ci_low"], frame["ci_high"] = low, high
        frame["bias"] = np.where(error > 0, np.nanmean(draws, axis=0) - estimate, 0.0)
        frame["std_all"], frame["std_all_std_error"] = estimate_std, std_error
        frame["std_all_ci_low"], frame["std_all_ci_high"] = std_low, std_high
        return pd.concat([tables.identity_frame(self.fit), frame], axis=1)

    def glance(self) -> pd.DataFrame:
        """Return one row: replicates drawn, used, failed and inadmissible, and for Bollen-Stine the test of the model.

        ``p_value`` is the share of replicates, in which the model holds, whose minimum of the discrepancy reaches that
        of the sample.
        """
        row: dict[str, object] = {"kind": self.kind, "ci": self.ci, "level": self.level, "n": self.n}
        row |= {"used": len(self.values), "failed": self.failed, "inadmissible": int((~self.admissible).sum())}
        row["chisq"] = self.fit.fit_measures["chisq"]
        row["p_value"] = self.p_value
        return pd.DataFrame([row])

    @property
    def p_value(self) -> float:
        """The Bollen-Stine p value; nan for the ordinary bootstrap, in which the model does not hold."""
        if self.kind != "bollen-stine":
            return float("nan")
        fit = self.fit
        scale = fit.sample.nobs - (0 if fit.spec.likelihood else len(fit.sample.groups))
        return float((self.chisq >= scale * fit.solution.value).mean())

    @property
    def replicates(self) -> pd.DataFrame:
        """The free and defined parameters in every replicate used, one column each."""
        draws, _ = quantities(self.fit, self.values)
        names = tables.identity_frame(self.fit)
        several = len(self.fit.group_labels) > 1
        labels = [
            " ".join([lhs, op, rhs]).strip() + (f" [{group}]" if several and group else "")
            for lhs, op, rhs, group in names[["lhs", "op", "rhs", "group"]].astype(str).to_numpy()
        ]
        n = len(self.fit.problem.position)
        free = [*np.flatnonzero(self.fit.problem.position >= 0), *range(n, len(names))]
        return pd.DataFrame(draws[:, free], columns=[labels[i] for i in free])


def quantities(fit: SemResult, values: Array) -> tuple[Array, Array]:
    """Return parameters with definitions, and the same standardized, of shape ``(R, n_parameters + definitions)``."""
    std = standardized(fit.problem, values, kind="std_all", exogenous=frozenset(fit.table.roles.exogenous_observed))
    everything = tables.all_free(fit.problem)
    parts = [np.concatenate([v, fit.constraints.defined(everything, v)[0]], axis=-1) for v in (values, std)]
    return parts[0], parts[1]


def summarised(result: BootstrapResult, function: Callable[[Array], Array]) -> tuple[Array, Array, Array, Array, Array]:
    """Return draws, estimate, lower and upper limits and standard errors of a function of the parameters.

    The function takes all parameters of the table, shape ``(R, n_parameters)``, and returns ``(R, k)``; what does not
    vary keeps its value.
    """
    draws, estimate = function(result.values), function(result.fit.estimates[None])[0]
    error = deviations(draws)
    moves = error > 1e-12 * np.maximum(np.abs(estimate), 1e-12)
    left_out = [function(part)[:, moves] for part in result.jackknife]
    errors = None
    if result.ci == "studentized":
        own = delta_errors(result.fit, function, result.fit.estimates[None], vcov=result.fit.free_vcov[None])
        errors = delta_errors(result.fit, function, result.values, vcov=result.vcov)[:, moves], own[0][moves]
    low, high = estimate.copy(), estimate.copy()
    low[moves], high[moves] = interval(
        draws[:, moves],
        estimate[moves],
        ci=result.ci,
        level=result.level,
        acceleration=accelerations(left_out) if left_out else None,
        errors=errors,
    )
    return draws, estimate, low, high, np.where(moves, error, 0.0)
