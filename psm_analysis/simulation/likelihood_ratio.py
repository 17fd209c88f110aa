"""``likelihood_ratio_power``: power of a test of fit or of a restriction, without simulation (Satorra & Saris)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import pandas as pd

from psm_analysis._results import Result
from psm_analysis.errors import ConvergenceError, OptionError
from psm_analysis.sem.options import SemKeywords
from psm_analysis.simulation.analysis import checked_analysis
from psm_analysis.simulation.difference import Restriction, two_analyses
from psm_analysis.simulation.population import Population, group_sizes
from psm_analysis.simulation.rmsea_power import check_target, chi_square_power, smallest
from psm_analysis.simulation.truth import EXACT, find_target


@dataclass(frozen=True, slots=True, repr=False)
class LikelihoodRatioPower(Result):
    """Power of a chi-square test.

    Attributes
    ----------
    df, misfit
        Degrees of freedom of the test, and the noncentrality per respondent.
    nobs, alpha
        Respondents and significance level.
    power, target, nobs_needed
        Power with so many respondents, the power that is wanted, and the respondents it needs.
    """

    df: int
    misfit: float
    nobs: int
    alpha: float
    power: float
    target: float
    nobs_needed: int

    def tidy(self) -> pd.DataFrame:
        """Return one row: ``df, noncentrality, nobs, power, target, nobs_needed``."""
        row = {"df": self.df, "noncentrality": self.nobs * self.misfit, "nobs": self.nobs, "power": self.power}
        return pd.DataFrame([row | {"target": self.target, "nobs_needed": self.nobs_needed}])

    def glance(self) -> pd.DataFrame:
        """Return the same row."""
        return self.tidy()


def likelihood_ratio_power(
    people: Population,
    model: str,
    *,
    nobs: int | Sequence[int],
    restricted: Restriction | None = None,
    target: float = 0.80,
    alpha: float = 0.05,
    **options: Unpack[SemKeywords],
) -> LikelihoodRatioPower:
    """Return the power of the chi-square test of a model, or of a restriction of it, in a normal population.

    The model is fitted to the moments of the population; N times the discrepancy there (with `restricted`: the
    difference of the two) is the noncentrality of the test (Satorra & Saris, 1985).

    Parameters
    ----------
    people
        Made by :func:`population`; the truth, in which the tested model does not hold.
    model
        The tested model; with `restricted` the free one.
    nobs
        Respondents: of all groups, or of each group.
    restricted
        The text of the tested restricted model, or the arguments of :func:`sem` that restrict it.
    target
        The power for which the number of respondents is wanted.
    alpha
        Significance level.
    **options
        Arguments of :func:`sem` for both models.

    Returns
    -------
    LikelihoodRatioPower
        Degrees of freedom, noncentrality, power, and respondents for the power that is wanted.

    Raises
    ------
    OptionError
        If the tested model holds in the population, so that there is nothing to find.

    References
    ----------
    Satorra, A., & Saris, W. E. (1985). Power of the likelihood ratio test in covariance structure analysis.
    Psychometrika, 50, 83-90. R: ``semTools::SSpower``.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> people = psm.population("m ~ 0.4*x; y ~ 0.4*m + 0.2*x; x ~~ 1*x", standardized=True)
    >>> found = psm.likelihood_ratio_power(people, "m ~ x; y ~ m", nobs=150)
    >>> found.df, round(found.power, 3), found.nobs_needed
    (1, 0.735, 176)
    """
    check_target(target, floor=alpha)
    sizes = group_sizes(people, nobs)
    if restricted is None:
        found = find_target(people, checked_analysis(model, options), sizes)
        df, misfit = found.df, found.misfit
    else:
        free, tied = (find_target(people, a, sizes) for a in two_analyses(model, restricted, options))
        df, misfit = tied.df - free.df, tied.misfit - free.misfit
        found = tied
    if found.fit is None or not found.fit.spec.likelihood:
        raise OptionError("This power is that of maximum likelihood.", where="**options", remedy="Use monte_carlo.")
    if not found.fit.converged:
        raise ConvergenceError("The model has no solution in the population.", where="argument 'model'")
    if df <= 0 or misfit < EXACT:
        raise OptionError(
            "There is nothing to find: what is tested is true in the population, or has no degrees of freedom.",
            where="likelihood_ratio_power",
            remedy="Test a model that lacks something which the population has.",
        )

    def power(n: int) -> float:
        return chi_square_power(df, 0.0, n * misfit, alpha=alpha)

    needed = smallest(lambda n: power(n) >= target, first=2)
    return LikelihoodRatioPower(df, misfit, sum(sizes), alpha, power(sum(sizes)), target, needed)
