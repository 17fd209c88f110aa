"""How far two implementations of the same estimation are apart."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol, overload

import pandas as pd

from psm_analysis._arguments import is_number
from psm_analysis._results import Result, format_number
from psm_analysis.errors import ConvergenceError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.fit import fit_table
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.semopy_engine import fit_semopy

_IDENTITY = ["lhs", "op", "rhs", "group", "label"]
_WORST = 5


@dataclass(frozen=True, slots=True, repr=False)
class Crosscheck(Result):
    """Two fits of the same model to the same data by different engines.

    Attributes
    ----------
    first, second
        The result that was checked, and its refit with the other engine.
    tolerance
        The largest relative difference that counts as agreement.
    """

    first: SemResult
    second: SemResult
    tolerance: float

    @property
    def largest_difference(self) -> float:
        """The largest relative difference of an estimate: ``|a - b| / max(|a|, |b|, std_error)``."""
        return float(self.tidy()["relative_difference"].max())

    @property
    def largest_std_error_difference(self) -> float:
        """The largest relative difference of a standard error: ``|a - b| / max(a, b)``."""
        frame = self.tidy()
        return float(_relative(frame["std_error"], frame["std_error_other"]).max())

    @property
    def chisq_difference(self) -> float:
        """The difference of the chi-squares, checked result minus refit."""
        return self.first.fit_measures["chisq"] - self.second.fit_measures["chisq"]

    @property
    def agree(self) -> bool:
        """Whether estimates, standard errors and chi-square all agree within the tolerance."""
        chisq = abs(self.chisq_difference) / max(1.0, self.first.fit_measures["chisq"])
        return max(self.largest_difference, self.largest_std_error_difference, chisq) <= self.tolerance

    def tidy(self) -> pd.DataFrame:
        """Return one row per parameter: estimates and standard errors of both engines and their differences.

        Columns: ``lhs, op, rhs, group, label, estimate, std_error`` of the checked result, ``estimate_other,
        std_error_other``, ``difference, std_error_difference`` (checked minus other) and ``relative_difference``.
        """
        a, b = self.first.tidy(), self.second.tidy()
        frame = a[[*_IDENTITY, "estimate", "std_error"]].copy()
        frame["estimate_other"], frame["std_error_other"] = b["estimate"], b["std_error"]
        frame["difference"] = frame["estimate"] - frame["estimate_other"]
        frame["std_error_difference"] = frame["std_error"] - frame["std_error_other"]
        frame["relative_difference"] = _relative(a["estimate"], b["estimate"], floor=a["std_error"])
        return frame

    def glance(self) -> pd.DataFrame:
        """Return one row: engines, chi-squares, largest relative differences, tolerance, and whether they agree."""
        row: dict[str, Any] = {
            "engine": self.first.engine,
            "engine_other": self.second.engine,
            "chisq": self.first.fit_measures["chisq"],
            "chisq_other": self.second.fit_measures["chisq"],
            "largest_difference": self.largest_difference,
            "largest_std_error_difference": self.largest_std_error_difference,
            "chisq_difference": self.chisq_difference,
            "tolerance": self.tolerance,
            "agree": self.agree,
        }
        return pd.DataFrame([row])

    def summary(self) -> str:
        """Return the verdict, the largest differences, and the parameters that differ most."""
        row = self.glance().iloc[0]
        verdict = "agree" if self.agree else "DO NOT AGREE"
        frame = self.tidy().sort_values("relative_difference", ascending=False, kind="stable").head(_WORST)
        shown = pd.DataFrame(
            {
                "parameter": [f"{p.lhs} {p.op} {p.rhs}".strip() for p in frame.itertuples()],
                row["engine"]: frame["estimate"].map(format_number).to_numpy(),
                row["engine_other"]: frame["estimate_other"].map(format_number).to_numpy(),
                "difference": [f"{value:.1e}" for value in frame["difference"]],
                "relative": [f"{value:.1e}" for value in frame["relative_difference"]],
            }
        )
        return "\n".join(
            [
                f"{row['engine']} and {row['engine_other']} {verdict} (tolerance {self.tolerance:g}, relative)",
                "",
                f"  Chi-square                    {row['chisq']:.6f} | {row['chisq_other']:.6f}"
                f"   difference {row['chisq_difference']:.1e}",
                f"  Largest difference, estimates        {row['largest_difference']:.1e}",
                f"  Largest difference, standard errors  {row['largest_std_error_difference']:.1e}",
                "",
                "The parameters that differ most:",
                shown.to_string(index=False),
            ]
        )


def _relative(a: pd.Series[float], b: pd.Series[float], *, floor: pd.Series[float] | float = 0.0) -> pd.Series[float]:
    """Return ``|a - b|`` over the larger magnitude (or the floor, if larger); 0 where both are 0."""
    size = pd.concat([a.abs(), b.abs(), 0.0 * a + floor], axis=1).max(axis=1)
    return (a - b).abs() / size.where(size > 0, 1.0)


class Checked(Protocol):
    """A result of another part that repeats itself with its second engine."""

    def crosscheck(self, *, tolerance: float = ...) -> Result: ...


@overload
def crosscheck(result: SemResult, *, tolerance: float | None = None) -> Crosscheck: ...
@overload
def crosscheck(result: Checked, *, tolerance: float | None = None) -> Result: ...


def crosscheck(result: SemResult | Checked, *, tolerance: float | None = None) -> Result:
    """Refit a result with the other engine and compare the two.

    Parameters
    ----------
    result
        A converged fit: of ``sem`` with ``engine="native"``, which is refitted with semopy, or of ``efa`` with
        ``engine="native"``, which is repeated with factor_analyzer; and the other way round.
    tolerance
        The largest difference that counts as agreement. For ``sem`` (default 1e-4) relative: of estimates
        ``|a - b| / max(|a|, |b|, std_error)``, of standard errors ``|a - b| / max(a, b)``, of chi-squares
        ``|a - b| / max(1, a)``; none depends on the units of the variables. For ``efa`` (default 1e-3) the difference
        of a loading or a communality, factors being matched by congruence.

    Returns
    -------
    Crosscheck
        ``agree``, the largest differences, and both estimates of every parameter in ``tidy()``.

    Raises
    ------
    OptionError
        If the tolerance is not positive, the estimator is not ML, or semopy cannot estimate the model (groups, means,
        constraints, bounds).
    ConvergenceError
        If either engine found no solution: there is nothing to compare.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> names = ["x1", "x2", "x3", "x4"]
    >>> r = pd.DataFrame([[1, .5, .4, .3], [.5, 1, .4, .3], [.4, .4, 1, .2], [.3, .3, .2, 1]], names, names)
    >>> check = crosscheck(psm.cfa("f =~ x1 + x2 + x3 + x4", sample_cov=r, sample_nobs=200))
    >>> check.agree, check.second.engine
    (True, 'semopy')
    """
    if not isinstance(result, SemResult):
        if not hasattr(result, "crosscheck"):
            raise OptionError(
                f"A {type(result).__name__} has no second engine.",
                where="argument 'result'",
                remedy="Give what sem(), cfa(), growth() or efa() returned.",
            )
        return result.crosscheck() if tolerance is None else result.crosscheck(tolerance=tolerance)
    tolerance = 1e-4 if tolerance is None else tolerance
    if not (is_number(tolerance) and tolerance > 0):
        raise OptionError(f"tolerance={tolerance!r} is not positive.", where="argument 'tolerance'", remedy="Try 1e-4.")
    if result.estimator != "ML":
        raise OptionError(
            f"The result was estimated by {result.estimator}, and semopy is a second opinion on ML only.",
            where="argument 'result'",
            remedy="Cross-check the fit with estimator='ML'.",
        )
    if type(result) is not SemResult:
        raise OptionError(
            "semopy has neither two-level models nor exploratory blocks.",
            where="argument 'result'",
            remedy="Cross-check a model of one level with ordinary factors.",
        )
    refit = fit_semopy if result.engine == "native" else fit_table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsmAnalysisWarning)
        second = refit(result.table, result.sample, model=result.model) if result.converged else result
    for fit in (result, second):
        if not fit.converged:
            raise ConvergenceError(
                f"The engine {fit.engine!r} found no solution, so there is nothing to compare.",
                where="crosscheck",
                remedy="Look at the fit's warnings, and change the model or its start() values.",
            )
    return Crosscheck(result, second, tolerance)
