"""Which answers are left out: completely at random, or depending on a variable that is always answered.

References
----------
Rubin, D. B. (1976). Inference and missing data. Biometrika, 63, 581-592.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from psm_analysis._options import nearest
from psm_analysis.errors import OptionError
from psm_analysis.sem.arrays import Array, Mask

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(64)


@dataclass(frozen=True, slots=True)
class MissingPlan:
    """Rates by variable (its place); `by` is the place of the variable that missingness depends on, -1 for none."""

    rates: Mapping[int, float]
    by: int
    slope: float

    def mask(self, scores: Array, rng: np.random.Generator, *, nodes: Array = NODES) -> Mask:
        """Return which answers are missing, given the standardized variables, shape ``(n, p)``.

        `nodes` are the values of the variable in `by` at the quadrature nodes of a standard normal one.
        """
        found = np.zeros(scores.shape, dtype=bool)
        for j, rate in self.rates.items():
            chance: Array = np.full(len(scores), rate)
            if self.by >= 0:
                intercept = logit_intercept(rate, self.slope, nodes=nodes)
                chance = special.expit(intercept + self.slope * scores[:, self.by])
            found[:, j] = rng.random(len(scores)) < chance
        return found


def logit_intercept(rate: float, slope: float, *, nodes: Array = NODES) -> float:
    """Return the intercept at which the mean of ``logit^-1(intercept + slope x)`` is `rate`.

    ``x`` is standard normal, or what it is at the quadrature `nodes` of a standard normal variable.

    Examples
    --------
    >>> round(logit_intercept(0.2, 0.0), 4), round(logit_intercept(0.2, 1.0), 4)
    (-1.3863, -1.6497)
    """

    def excess(intercept: float) -> float:
        return float(WEIGHTS @ special.expit(intercept + slope * nodes)) / float(WEIGHTS.sum()) - rate

    reach = 20.0 + 10.0 * abs(slope)
    return float(optimize.brentq(excess, -reach, reach))


def plan_missing(
    names: Sequence[str], *, rates: float | Mapping[str, float], by: str | None, slope: float
) -> MissingPlan | None:
    """Return the plan, or None where nothing is missing.

    Raises
    ------
    OptionError
        For an unknown variable, a share outside 0 and 1, or missing answers to the variable they depend on.
    """
    given = rates if isinstance(rates, Mapping) else {name: rates for name in names if name != by}
    for name in [*given, *([by] if by is not None else [])]:
        if name not in names:
            raise OptionError(
                f"The variable {name!r} is not in the population.",
                where="arguments 'missing' and 'missing_by'",
                remedy=nearest(name, names) or f"It has {', '.join(names)}.",
            )
    bad = [name for name, rate in given.items() if not 0.0 <= rate < 1.0 or (name == by and rate > 0)]
    if bad:
        raise OptionError(
            f"missing={given[bad[0]]} is not possible for {bad[0]!r}.",
            where="argument 'missing'",
            remedy="Give a share of 0 or more and below 1; the variable in missing_by is always answered.",
        )
    found = {list(names).index(name): float(rate) for name, rate in given.items() if rate > 0}
    if not found:
        return None
    return MissingPlan(found, -1 if by is None else list(names).index(by), slope)
