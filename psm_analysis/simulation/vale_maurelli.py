"""Correlated variables with given skewness and kurtosis: cubic polynomials of normal ones.

References
----------
Fleishman, A. I. (1978). A method for simulating non-normal distributions. Psychometrika, 43, 521-532.
Vale, C. D., & Maurelli, V. A. (1983). Simulating multivariate nonnormal distributions. Psychometrika, 48, 465-471.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from psm_analysis._options import nearest
from psm_analysis.errors import OptionError
from psm_analysis.sem.arrays import Array


@dataclass(frozen=True, slots=True)
class NormalScores:
    """Normal variables with correlations `correlations` whose cubics have the shape and correlations that are wanted.

    ``coefficients`` has the columns b, c, d of ``y = -c + b z + c z^2 + d z^3``, one row per variable.
    """

    skewness: Array
    kurtosis: Array
    coefficients: Array
    correlations: Array

    def shaped(self, z: Array) -> Array:
        """Return the cubics of normal scores, shape ``(n, p)``: mean 0, variance 1."""
        return self.cubic(z, slice(None))

    def cubic(self, z: Array, variables: int | slice) -> Array:
        """Return the cubics of some of the variables."""
        b, c, d = self.coefficients[variables].T
        return np.asarray(-c + z * (b + z * (c + z * d)))


def plan_shape(
    names: Sequence[str],
    correlations: Sequence[Array],
    *,
    skewness: float | Mapping[str, float],
    kurtosis: float | Mapping[str, float],
) -> tuple[NormalScores, ...] | None:
    """Return normal scores for the correlations of each group, or None where every variable is normal.

    Raises
    ------
    OptionError
        For an unknown variable, a shape that no cubic has, or correlations that variables of this shape cannot have.
    """
    skew, excess = _by_variable(skewness, names, "skewness"), _by_variable(kurtosis, names, "kurtosis")
    if not skew.any() and not excess.any():
        return None
    coefficients = np.array([fleishman(s, k) for s, k in zip(skew, excess, strict=True)])
    return tuple(NormalScores(skew, excess, coefficients, _intermediate(coefficients, R)) for R in correlations)


def _by_variable(given: float | Mapping[str, float], names: Sequence[str], argument: str) -> Array:
    if not isinstance(given, Mapping):
        return np.full(len(names), float(given))
    for name in given:
        if name not in names:
            raise OptionError(
                f"The variable {name!r} is not in the population.",
                where=f"argument {argument!r}",
                remedy=nearest(name, names) or f"It has {', '.join(names)}.",
            )
    return np.array([float(given.get(name, 0.0)) for name in names])


def fleishman(skewness: float, kurtosis: float) -> tuple[float, float, float]:
    """Return b, c, d of the cubic of a standard normal variable with this skewness and excess kurtosis.

    They solve ``b^2 + 6bd + 2c^2 + 15d^2 = 1``, ``2c(b^2 + 24bd + 105d^2 + 2) = skewness`` and ``24[bd + c^2(1 + b^2 +
    28bd) + d^2(12 + 48bd + 141c^2 + 225d^2)] = kurtosis`` (Fleishman, 1978, eq. 18-20).

    Raises
    ------
    OptionError
        If there is no such cubic: the kurtosis is too small for the skewness.

    Examples
    --------
    >>> [round(value, 5) for value in fleishman(1.75, 3.75)]
    [0.92966, 0.3995, -0.03647]
    """

    def gaps(x: Array) -> Array:
        b, c, d = x
        spread = b * b + 6 * b * d + 2 * c * c + 15 * d * d - 1
        skew = 2 * c * (b * b + 24 * b * d + 105 * d * d + 2) - skewness
        fourth = b * d + c * c * (1 + b * b + 28 * b * d) + d * d * (12 + 48 * b * d + 141 * c * c + 225 * d * d)
        return np.array([spread, skew, 24 * fourth - kurtosis])

    for start in ((1.0, 0.0, 0.0), (0.9, 0.3 * np.sign(skewness), 0.02), (1.2, 0.2 * np.sign(skewness), -0.1)):
        found = optimize.root(gaps, start, tol=1e-13)
        if np.abs(gaps(found.x)).max() < 1e-9 and found.x[0] > 0:
            b, c, d = (float(value) for value in found.x)
            return b, c, d
    raise OptionError(
        f"No cubic of a normal variable has skewness {skewness:g} and excess kurtosis {kurtosis:g}.",
        where="arguments 'skewness' and 'kurtosis'",
        remedy=f"With this skewness use a kurtosis of about {1.6410373 * skewness**2 - 1.2264489 + 0.05:.2f} or more.",
    )


def _intermediate(coefficients: Array, correlations: Array) -> Array:
    """Return the correlations of the normal variables (Vale & Maurelli, 1983, eq. 11), by bisection."""
    b, c, d = coefficients.T
    first = np.outer(b, b) + 3 * np.outer(b, d) + 3 * np.outer(d, b) + 9 * np.outer(d, d)
    second, third = 2 * np.outer(c, c), 6 * np.outer(d, d)
    low, high = np.full(correlations.shape, -1.0), np.full(correlations.shape, 1.0)
    for _ in range(60):
        middle = (low + high) / 2.0
        above = middle * (first + middle * (second + middle * third)) > correlations
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    found = (low + high) / 2.0
    reached = found * (first + found * (second + found * third))
    np.fill_diagonal(found, 1.0)
    off = ~np.eye(len(found), dtype=bool)
    if np.abs(reached - correlations)[off].max(initial=0.0) > 1e-8 or np.linalg.eigvalsh(found)[0] <= 1e-10:
        raise OptionError(
            "Variables of this shape cannot have the correlations of the model.",
            where="arguments 'skewness' and 'kurtosis'",
            remedy="Use smaller values, or more similar ones.",
        )
    return np.asarray(found)
