"""Tests of a restricted model against a less restricted one, for normal and for non-normal or ordinal data.

References
----------
Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment structures.

Satorra, A., & Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment structure analysis.
Psychometrika, 66, 507-514.

Satorra, A., & Bentler, P. M. (2010). Ensuring positiveness of the scaled difference chi-square test statistic.
Psychometrika, 75, 243-248.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from psm_analysis._options import DifferenceMethod, RestrictionMethod
from psm_analysis.errors import OptionError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.far_apart import are_far_apart, information_inverse
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.nesting import at_restricted, restrictions
from psm_analysis.sem.sandwich import information, moment_covariance, moment_meat
from psm_analysis.sem.teststat import ModelTest, model_test

ONE_FACTOR = ("satorra.bentler", "yuan.bentler", "yuan.bentler.mplus")


@dataclass(frozen=True, slots=True)
class DifferenceTest:
    """Chi-square difference: ``statistic = (chisq_0 - chisq_1) / scaling + shift`` on `df` degrees of freedom."""

    statistic: float
    df: float
    method: DifferenceMethod
    scaling: float = 1.0
    shift: float = 0.0

    @property
    def p_value(self) -> float:
        """Probability of a larger statistic under the restricted model; nan for an undefined test."""
        from scipy import special

        return float(special.chdtrc(self.df, max(self.statistic, 0.0))) if self.df > 0 else math.nan


def default_method(e: Estimation) -> DifferenceMethod:
    """Return the method that goes with the test statistic of an estimation."""
    if e.spec.test == "standard":
        return "standard"
    return "satorra.bentler.2001" if e.spec.test in ONE_FACTOR else "satorra.2000"


def difference_test(
    free: Estimation,
    restricted: Estimation,
    *,
    chisq: float,
    method: DifferenceMethod | None = None,
    restriction: RestrictionMethod = "delta",
) -> DifferenceTest:
    """Test the restricted model against the free one, given the difference `chisq` of their unscaled statistics.

    Raises
    ------
    OptionError
        If the method cannot be used with the test statistic of the models.
    ModelError
        If the models are not nested.
    """
    df, chosen = restricted.df - free.df, method or default_method(free)
    robust = free.spec.test != "standard"
    if (chosen == "standard") == robust or (chosen.startswith("satorra.b") and free.spec.test not in ONE_FACTOR):
        raise OptionError(
            f"method={chosen!r} does not go with the test statistic {free.spec.test!r}.",
            where="argument 'method'",
            remedy=f"Use {default_method(free)!r}, which is the default.",
        )
    if chosen == "standard":
        return DifferenceTest(chisq, df, chosen)
    if chosen == "satorra.2000":
        return _satorra_2000(free, restricted, chisq, restriction)
    lower = at_restricted(free, restricted) if chosen.endswith("2010") else free
    if not _is_regular(lower):
        return DifferenceTest(math.nan, df, chosen, math.nan)
    scaling = (restricted.df * _scaling(restricted) - free.df * _scaling(lower)) / df
    return DifferenceTest(chisq / scaling if scaling > 0 else math.nan, df, chosen, scaling)


def _is_regular(e: Estimation) -> bool:
    """Tell whether the information is positive definite, which away from a minimum the observed one need not be."""
    Z = free_directions(e.solution.jacobian)
    inner = Z.T @ information(e) @ Z
    return bool(np.isfinite(inner).all() and np.linalg.eigvalsh(inner)[0] > 0)


def _scaling(e: Estimation) -> float:
    found: ModelTest | None = model_test(e) if e.df else None
    return found.scaling if found else 1.0


def _spreads(e: Estimation, Z: Array) -> tuple[Array, Array]:
    """Return ``(Z'I Z)^-1`` with the information I, and N times the robust covariance matrix along Z."""
    if are_far_apart(e.problem):
        return information_inverse(e.problem, e.solution.x, basis=Z), Z.T @ (e.scale * moment_covariance(e)) @ Z
    P = np.linalg.inv(Z.T @ information(e) @ Z)
    return P, P @ Z.T @ moment_meat(e) @ Z @ P


def _satorra_2000(
    free: Estimation, restricted: Estimation, chisq: float, restriction: RestrictionMethod
) -> DifferenceTest:
    """Return the test from the traces of ``U Gamma`` with ``U = V Delta P A'(A P A')^-1 A P Delta'V`` (eq. 20-24).

    They are those of ``(A P A')^-1 A P Delta'V Gamma V Delta P A'``.

    Scaled and shifted; for mean.var.adjusted the degrees of freedom are adjusted instead.
    """
    if free.spec.function == "FIML":
        raise OptionError(
            "method='satorra.2000' needs complete rows.",
            where="argument 'method'",
            remedy="Use 'satorra.bentler.2001' with missing='fiml'.",
        )
    A, Z = restrictions(free, restricted, method=restriction)
    P, V = _spreads(replace(free, spec=replace(free.spec, se="robust.sem")), Z)
    product = np.linalg.solve(A @ P @ A.T, A @ V @ A.T)
    first, second, df = float(np.trace(product)), float(np.sum(product * product.T)), len(A)
    if free.spec.test == "mean.var.adjusted":
        scaling, shift, out = second / first, 0.0, first**2 / second
    else:
        scaling, out = math.sqrt(second / df), float(df)
        shift = df - first / scaling
    return DifferenceTest(chisq / scaling + shift, out, "satorra.2000", scaling, shift)
