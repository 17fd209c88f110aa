"""Pooled results of multiply imputed data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from psm_analysis._results import Result
from psm_analysis.imputation.rubin import PooledTest, degrees_of_freedom, total_variance, wald_d1
from psm_analysis.reliability.factor import reliability
from psm_analysis.sem import tables
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.problem import constraint_system
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.syntax import parse_constraints


@dataclass(frozen=True, slots=True, repr=False)
class PooledResult(Result):
    """A model pooled over imputations.

    Attributes
    ----------
    fits
        The fits of the imputations that have a solution.
    combined
        A fit with the pooled estimates, their total covariance matrix and the mean moments; it has no rows. Its own fit
        measures are those of the first imputation: use `fit_measures` of this result.
    test, chisq
        ``D2`` or ``D3``, and the pooled test of the model (None without degrees of freedom).
    fit_measures
        Those of the pooled chi-squares, under the names of :attr:`SemResult.fit_measures`.
    complete_df
        Degrees of freedom of t tests if nothing were missing.
    failed
        Imputations without a solution.
    warnings
        What is doubtful.
    """

    fits: tuple[SemResult, ...]
    combined: SemResult
    test: str
    chisq: PooledTest | None
    fit_measures: Mapping[str, float]
    complete_df: float
    failed: int
    warnings: tuple[str, ...]

    def tidy(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter, definitions last.

        Columns: ``lhs, op, rhs, group, label, estimate, std_error, statistic`` (t), ``df, p_value, ci_low, ci_high``;
        ``fmi``, the fraction of the variance that is due to missing answers, ``lambda = (1 + 1/m) B / T``; ``riv``, the
        relative increase in variance; ``std_all`` at the pooled estimates.
        """
        estimates = np.array([self._all(fit.solution.x, fit)[0] for fit in self.fits])
        within = np.array([self._errors(fit) for fit in self.fits]) ** 2
        m = len(self.fits)
        mean, between = estimates.mean(axis=0), estimates.var(axis=0, ddof=1)
        total = within.mean(axis=0) + (1.0 + 1.0 / m) * between
        free = within.mean(axis=0) > 0
        error = np.where(free, np.sqrt(total), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(free, (1.0 + 1.0 / m) * between / total, np.nan)
            df = degrees_of_freedom(share, m, complete=self.complete_df)
            t = np.where(free, mean / error, np.nan)
        reach = np.where(free, _t_quantile(df, 0.5 + level / 2.0) * error, 0.0)
        frame = tables.identity_frame(self.combined).assign(
            estimate=mean,
            std_error=error,
            statistic=t,
            df=df,
            p_value=_t_p_value(t, df),
            ci_low=mean - reach,
            ci_high=mean + reach,
            fmi=share,
            riv=share / (1.0 - share),
        )
        frame["std_all"] = self.combined.tidy()["std_all"].to_numpy()
        return pd.DataFrame(frame)

    def glance(self) -> pd.DataFrame:
        """Return one row: imputations, the pooled test as F and as chi-square, and the common fit measures.

        ``statistic, df, df2, p_value`` are the F test; ``chisq`` is ``df`` times F.
        """
        test, measures = self.chisq, self.fit_measures
        row: dict[str, object] = {
            "estimator": self.combined.estimator,
            "imputations": len(self.fits),
            "nobs": self.combined.nobs,
            "npar": int(measures["npar"]),
            "test": self.test,
            "statistic": np.nan if test is None else test.statistic,
            "df": int(measures["df"]),
            "df2": np.nan if test is None else test.df2,
            "p_value": np.nan if test is None else test.p_value,
            "chisq": measures["chisq"],
        }
        names = ("cfi", "tli", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "srmr")
        return pd.DataFrame([row | {name: measures.get(name, np.nan) for name in names}])

    def wald(self, hypotheses: str) -> PooledTest:
        """Return the test D1 of equalities among labelled parameters (Li, Raghunathan & Rubin, 1991).

        Parameters
        ----------
        hypotheses
            Lines such as ``"a == b; c == 0"``, as in :func:`wald_test`.
        """
        fit = self.combined
        table = replace(fit.table, constraints=(*fit.table.definitions, *parse_constraints(hypotheses)))
        values, J = constraint_system(table).equal(fit.problem, fit.solution.x)
        estimates = np.array([one.solution.x for one in self.fits])
        within = np.array([one.free_vcov for one in self.fits])
        _, _, between = total_variance(estimates, within)
        return wald_d1(values, J @ within.mean(axis=0) @ J.T, J @ between @ J.T, m=len(self.fits))

    def reliability(self) -> pd.DataFrame:
        """Return alpha, omega and AVE of every factor: means over imputations."""
        return pd.DataFrame(self.mean_of(reliability))

    def mean_of(self, statistic: Callable[[SemResult], Any]) -> Any:
        """Return the mean over imputations of a DataFrame, Series or number that a function makes of a fit."""
        first, *others = [statistic(fit) for fit in self.fits]
        return sum(others, first) / len(self.fits)

    def _all(self, x: Array, fit: SemResult) -> tuple[Array, Array]:
        """Return parameters and definitions, and their derivatives by the free parameters."""
        defined, slopes = fit.constraints.defined(fit.problem, x)
        values = np.concatenate([fit.problem.expand(x), defined])
        return values, np.vstack([tables.selection(fit.problem), slopes])

    def _errors(self, fit: SemResult) -> Array:
        _, J = self._all(fit.solution.x, fit)
        return np.asarray(np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", J, fit.free_vcov, J), 0.0)))


def _t_quantile(df: Array, probability: float) -> Array:
    z = float(special.ndtri(probability))
    return np.where(np.isfinite(df), special.stdtrit(np.where(np.isfinite(df), df, 1.0), probability), z)


def _t_p_value(t: Array, df: Array) -> Array:
    finite = np.isfinite(df)
    p = np.where(finite, 2.0 * special.stdtr(np.where(finite, df, 1.0), -np.abs(t)), 2.0 * special.ndtr(-np.abs(t)))
    return np.where(np.isnan(t), np.nan, p)
