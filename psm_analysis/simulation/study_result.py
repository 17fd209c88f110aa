"""What a Monte Carlo study found: how estimates, standard errors, intervals and tests behave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from psm_analysis._results import Result
from psm_analysis.sem.arrays import Array
from psm_analysis.simulation.population import Population
from psm_analysis.simulation.replicates import Replicates
from psm_analysis.simulation.truth import Target


@dataclass(frozen=True, slots=True, repr=False)
class MonteCarloResult(Result):
    """A Monte Carlo study.

    Attributes
    ----------
    people, model, sizes, seed, asked, alpha
        What was drawn from, what it was analysed with, respondents per group, and what was asked for.
    target
        Parameters of the analysis with their true values.
    replicates
        Estimates, standard errors and fit of every sample.
    warnings
        What is doubtful.
    """

    people: Population
    model: str
    sizes: tuple[int, ...]
    seed: int
    asked: int
    alpha: float
    target: Target
    replicates: Replicates
    warnings: tuple[str, ...]

    @property
    def estimates(self) -> pd.DataFrame:
        """Estimates of the parameters that vary, one row per sample that converged, one column per parameter."""
        used = self.replicates.estimates[self.replicates.converged]
        keep = self._varying(used)
        return pd.DataFrame(used[:, keep], columns=[self._label(int(i)) for i in np.flatnonzero(keep)])

    def tidy(self) -> pd.DataFrame:
        """Return one row per parameter that is estimated, definitions last.

        Columns: ``lhs, op, rhs, group, label``; ``true``; ``estimate`` (mean of the estimates), ``bias`` and
        ``relative_bias`` (bias / true); ``sd`` of the estimates, ``std_error`` (mean of the standard errors) and
        ``se_ratio`` (one by the other); ``mse``; ``coverage`` (share of intervals with the true value) and ``power``
        (share of samples in which the parameter differs significantly from 0) with ``power_se``, its simulation error.
        """
        done = self.replicates.converged
        used, errors, true = self.replicates.estimates[done], self.replicates.errors[done], self.target.values
        z = float(special.ndtri(1.0 - self.alpha / 2.0))
        mean, sd, error = used.mean(axis=0), used.std(axis=0, ddof=1), errors.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            covered = (np.abs(used - true) <= z * errors).mean(axis=0)
            power = (np.abs(used) > z * errors).mean(axis=0)
            frame = self.target.names.assign(
                true=true,
                estimate=mean,
                bias=mean - true,
                relative_bias=np.where(true != 0, (mean - true) / true, np.nan),
                sd=sd,
                std_error=error,
                se_ratio=error / sd,
                mse=((used - true) ** 2).mean(axis=0),
                coverage=covered,
                power=power,
                power_se=np.sqrt(power * (1.0 - power) / len(used)),
            )
        tested = errors.max(axis=0) > 0
        frame.loc[~tested, ["std_error", "se_ratio", "coverage", "power", "power_se"]] = np.nan
        return frame[self._varying(used)].reset_index(drop=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: samples, how many converged and are admissible, rejections of the model, mean fit."""
        done = self.replicates.converged
        p_value = self.replicates.measure("pvalue")[done]
        row = {
            "nobs": sum(self.sizes),
            "replicates": len(done),
            "converged": int(done.sum()),
            "failed": int((~done).sum()),
            "inadmissible": int((done & ~self.replicates.admissible).sum()),
            "rejected": float((p_value < self.alpha).mean()) if self.target.df else float("nan"),
            "alpha": self.alpha,
            **{name: float(self.replicates.measure(name)[done].mean()) for name in ("chisq", "df", "cfi", "rmsea")},
        }
        return pd.DataFrame([row])

    def _varying(self, used: Array) -> Array:
        """Tell which parameters are not the same in all samples."""
        return np.asarray(np.ptp(used, axis=0) > 1e-10)

    def _label(self, row: int) -> str:
        name = self.target.names.iloc[row]
        text = " ".join(part for part in (name["lhs"], name["op"], name["rhs"]) if part)
        several = self.target.names["group"].nunique() > 1 and name["group"]
        return f"{text} [{name['group']}]" if several else text
