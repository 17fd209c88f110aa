"""The result of a structural equation model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from psm_analysis._options import BootstrapInterval, BootstrapKind, ResidualKind, ScoreMethod, check_option
from psm_analysis._results import Result
from psm_analysis.errors import OptionError
from psm_analysis.sem import modindices, residuals, tables
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimators import EstimatorSpec
from psm_analysis.sem.inference import parameter_names
from psm_analysis.sem.optimize import Solution
from psm_analysis.sem.partable import ParameterTable
from psm_analysis.sem.problem import ConstraintSystem, Problem
from psm_analysis.sem.sample import Sample
from psm_analysis.sem.score_table import score_table
from psm_analysis.sem.standardize import Kind
from psm_analysis.sem.summary import summary_html, summary_text

if TYPE_CHECKING:
    from psm_analysis.sem.bootstrap_result import BootstrapResult


@dataclass(frozen=True, slots=True, repr=False)
class SemResult(Result):
    """A fitted structural equation model.

    Attributes
    ----------
    model
        The model text.
    table, sample, problem, constraints, solution
        What was fitted, to what, and where the search ended.
    free_vcov
        Covariance matrix of the free parameters, shape ``(n_free, n_free)``.
    fit_measures
        Chi-square, CFI, RMSEA ... under lavaan's names with underscores.
    warnings
        What is doubtful about the solution.
    estimator, engine, spec
        How it was estimated.
    resampled
        With ``se="bootstrap"`` the resamples that standard errors and intervals come from.
    """

    model: str
    table: ParameterTable
    sample: Sample
    problem: Problem
    constraints: ConstraintSystem
    solution: Solution
    free_vcov: Array
    fit_measures: Mapping[str, float]
    warnings: tuple[str, ...]
    estimator: str
    engine: str
    spec: EstimatorSpec
    resampled: BootstrapResult | None = field(default=None, kw_only=True)

    @property
    def nobs(self) -> int:
        """The number of rows used."""
        return self.sample.nobs

    @property
    def converged(self) -> bool:
        """Whether the search ended in a minimum."""
        return self.solution.converged

    @property
    def iterations(self) -> int:
        """The number of iterations of the search."""
        return self.solution.iterations

    @property
    def group_labels(self) -> list[str]:
        """Values of the grouping variable in order of first appearance; one blank for a single group."""
        return [group.label for group in self.sample.groups]

    @property
    def estimates(self) -> Array:
        """Values of all parameters of the table, in its order."""
        return self.problem.expand(self.solution.x)

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the free parameters, named by label or ``lhs op rhs``."""
        names = parameter_names(self.table, self.problem)
        return pd.DataFrame(self.free_vcov, index=names, columns=names)

    def tidy(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter, fixed and defined ones included.

        Columns: ``lhs, op, rhs, group, label, estimate, std_error, statistic, p_value, ci_low, ci_high, std_lv,
        std_all``. The statistic is z; fixed parameters have a standard error of 0 and neither z nor p. Intervals are
        normal, those of ``se="bootstrap"`` percentiles of the replicates.
        """
        return tables.parameter_frame(self, level=level)

    def glance(self) -> pd.DataFrame:
        """Return one row: estimator, N, parameters, chi-square and the common fit measures, those to be reported.

        With an estimator that scales its test, ``chisq, df, p_value`` are scaled; CFI, TLI and RMSEA are robust where
        they exist, else scaled. ``test`` and ``measures`` say which; :attr:`fit_measures` holds every version.
        """
        return tables.glance_frame(self)

    def standardized(self, kind: Kind = "std_all", *, level: float = 0.95) -> pd.DataFrame:
        """Return the standardized solution with delta-method standard errors.

        Parameters
        ----------
        kind
            ``std_all``, ``std_lv`` (factors only) or ``std_nox`` (all but exogenous observed variables).
        level
            Of the confidence intervals.
        """
        check_option(kind, Kind, name="kind")
        return tables.standardized_frame(self, kind=kind, level=level)

    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Return what each fixed or absent parameter would gain by being freed, largest first.

        Columns: ``lhs, op, rhs, group, mi`` (expected fall of chi-square on 1 df), ``epc`` (expected change of the
        parameter) and ``sepc_all`` (standardized), for parameters with ``mi >= minimum``.

        References
        ----------
        Sörbom, D. (1989). Model modification. Psychometrika, 54, 371-384.
        """
        from psm_analysis.sem.nesting import estimation_of

        records = modindices.modification_indices(
            self.table,
            self.problem,
            self.solution.x,
            jacobian=self.solution.jacobian,
            scale=estimation_of(self).scale,
            names=self.sample.names,
        )
        frame = modindices.as_frame(records, self.group_labels)
        given: Any = minimum
        if isinstance(given, bool) or not isinstance(given, Real):
            raise OptionError(
                f"minimum={minimum!r} is not a number.", where="argument 'minimum'", remedy="Give one, such as 10."
            )
        return frame.iloc[: int((frame["mi"] >= minimum).sum())].copy()

    def residuals(self, kind: ResidualKind = "raw") -> Any:
        """Return residual covariances as a DataFrame (a dict by group if there are several).

        Parameters
        ----------
        kind
            ``raw`` (sample minus implied; with ordinal variables those of ``cor``), ``cor`` (of the correlations) or
            ``standardized`` (divided by their standard error, so that values beyond about 2 are worth a look). With
            ordinal and exogenous variables these are conditional on the exogenous ones, whose cells hold slopes.
        """
        check_option(kind, ResidualKind, name="kind")
        if kind == "standardized":
            from psm_analysis.sem.nesting import estimation_of

            values = residuals.standardized_residuals(estimation_of(self))
        else:
            kind = "cor" if self.table.roles.ordered else kind
            pairs = zip(self.sample.groups, self._implied(), strict=True)
            values = [residuals.covariance_residuals(group, implied, kind) for group, implied in pairs]
        return self._by_group(
            {group.label: self._square(found) for group, found in zip(self.sample.groups, values, strict=True)}
        )

    def implied(self) -> Any:
        """Return implied moments: ``{"cov": DataFrame, "mean": Series}`` (a dict of these by group if several)."""
        names = list(self.sample.names)
        found = {
            group.label: {"cov": self._square(i.Sigma)}
            | ({"mean": pd.Series(i.mu, index=names)} if self.table.options.meanstructure else {})
            for group, i in zip(self.sample.groups, self._implied(), strict=True)
        }
        return self._by_group(found)

    @property
    def r_squared(self) -> dict[str, Any]:
        """Explained variance of every outcome and indicator (a dict by group if there are several)."""
        return dict(self._by_group(tables.explained_variance(self)))

    def factor_scores(
        self, data: pd.DataFrame | None = None, method: ScoreMethod = "regression", *, std_errors: bool = False
    ) -> pd.DataFrame:
        """Return factor scores, one column per factor, indexed by the rows used.

        Rows are scored by what they have answered, but incomplete rows that a fit to complete continuous rows left out
        are left out.

        Parameters
        ----------
        data
            New rows with the observed variables of the model, and the column of the groups if there are several; None
            for those of the fit.
        method
            ``regression`` (Thurstone, 1935), ``bartlett`` (1937), ``ebm`` (empirical Bayes: the mode of the factors
            given the answers) or ``eap`` (their mean, by quadrature over up to four factors). With ordinal variables
            ``regression`` is ``ebm``; without them, ``ebm`` and ``eap`` are ``regression``.
        std_errors
            Whether columns ``<factor>_std_error`` follow: the standard deviation of the factor about its score, given
            the answers, the parameters of the fit taken as known.

        Raises
        ------
        DataError
            If the model was fitted to published moments and no rows are given, a variable is missing, or a new row has
            an answer or group that the fit does not know.
        ModelError
            If there are ordinal variables and the solution is not admissible.

        Warns
        -----
        PsmAnalysisWarning
            If ordinal variables have residual covariances: their answers are taken as independent given the factors.

        References
        ----------
        Muthén, B. (1984). Psychometrika, 49, 115-132. The R call is ``lavPredict(fit, method = "EBM")``.
        """
        chosen: Any = method.lower() if isinstance(method, str) else method
        return score_table(self, data, method=check_option(chosen, ScoreMethod, name="method"), std_errors=std_errors)

    def group_fit(self) -> pd.DataFrame:
        """Return what each group contributes to the misfit, one row per group.

        Columns: ``group, nobs, chisq`` (the contributions add up to chi-square), ``chisq_scaled`` (with a scaled test:
        divided by the scaling factor, plus the group's share of the shift), ``share`` of chi-square, and ``srmr, crmr``
        of the group alone.
        """
        from psm_analysis.sem.group_fit import group_fit_frame

        return group_fit_frame(self)

    def bootstrap(
        self,
        n: int,
        *,
        seed: int,
        ci: BootstrapInterval = "percentile",
        kind: BootstrapKind = "ordinary",
        level: float = 0.95,
        processes: int = 1,
        progress: bool = False,
    ) -> BootstrapResult:
        """Return the fit to `n` resamples of its rows (stratified by group), with standard errors and intervals.

        Parameters
        ----------
        n
            Number of replicates: 1,000 or more for intervals.
        seed
            Makes the resamples; the same seed gives the same numbers.
        ci
            ``percentile``, ``bca`` (bias-corrected and accelerated), ``studentized``, ``basic`` or ``normal``.
        kind
            ``ordinary``; ``cluster``: whole clusters are drawn, for a fit with ``cluster=``; or ``bollen-stine``: rows
            made to fit the model, for its test.
        level
            Of the confidence intervals.
        processes
            Number of processes that share the work; the numbers do not depend on it.
        progress
            Show a progress bar. Ctrl-C ends the bootstrap with the replicates that it has, and a warning.

        References
        ----------
        Efron, B., & Tibshirani, R. (1993). An introduction to the bootstrap. Chapman & Hall.
        """
        from psm_analysis.sem.bootstrap import bootstrap

        return bootstrap(self, n, seed=seed, ci=ci, kind=kind, level=level, processes=processes, progress=progress)

    def summary(self) -> str:
        """Return the result as text: how it was fitted, fit measures, parameters, warnings."""
        return summary_text(self)

    def _repr_html_(self) -> str:
        return summary_html(self)

    def _implied(self) -> Any:
        return tables.population(self)

    def _square(self, values: Array) -> pd.DataFrame:
        names = list(self.sample.names)
        return pd.DataFrame(values, index=names, columns=names)

    def _by_group(self, found: dict[str, Any]) -> Any:
        return next(iter(found.values())) if len(found) == 1 else found
