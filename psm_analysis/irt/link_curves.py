"""The linear transformation that brings two calibrations of the same items onto one scale.

A trait of the new calibration is ``A theta + B`` on the scale of the reference; slopes become ``a / A`` and thresholds
``A b + B`` (Kolen & Brennan, 2014, eqs. 6.2-6.4).

References
----------
Kolen, M. J., & Brennan, R. L. (2014). Test equating, scaling, and linking (3rd ed.). Springer, chapter 6.
Haebara, T. (1980). Japanese Psychological Research, 22, 144-149. Stocking, M. L., & Lord, F. M. (1983). Applied
Psychological Measurement, 7, 201-210. Kim, S., & Lee, W.-C. (2006). Journal of Educational Measurement, 43, 53-76.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.irt.graded_kernel import category_probabilities, quadrature
from psm_analysis.moments.central_differences import central_differences
from psm_analysis.moments.sample import FloatArray

NODES = 41
STEP = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """Slope and thresholds of one item."""

    slope: float
    thresholds: FloatArray

    def moved(self, A: float, B: float) -> Anchor:
        """Return the item on the scale ``A theta + B``."""
        return Anchor(self.slope / A, A * self.thresholds + B)

    def probabilities(self, theta: FloatArray) -> FloatArray:
        """Return the probability of each category at the traits, (q, m)."""
        return category_probabilities(self.slope, -self.slope * self.thresholds, theta=theta)


Anchors = Sequence[Anchor]
Curves = Callable[[Anchors, FloatArray], FloatArray]
Coefficients = Callable[[Anchors, Anchors], tuple[float, float]]
Equations = Callable[[Anchors, Anchors, FloatArray], FloatArray]


def mean_sigma(old: Anchors, new: Anchors) -> tuple[float, float]:
    """Return A, the ratio of the standard deviations of all thresholds, and B from their means.

    Examples
    --------
    >>> item = Anchor(1.2, np.array([-1.0, 0.0, 2.0]))
    >>> A, B = mean_sigma([item], [item.moved(0.5, 1.0)])
    >>> round(A, 12), round(B, 12)
    (2.0, -2.0)
    """
    b_old, b_new = (np.concatenate([item.thresholds for item in items]) for items in (old, new))
    A = float(b_old.std() / b_new.std())
    return A, float(b_old.mean() - A * b_new.mean())


def mean_mean(old: Anchors, new: Anchors) -> tuple[float, float]:
    """Return A, the ratio of the mean slopes, and B from the means of all thresholds."""
    b_old, b_new = (np.concatenate([item.thresholds for item in items]) for items in (old, new))
    A = float(np.mean([item.slope for item in new]) / np.mean([item.slope for item in old]))
    return A, float(b_old.mean() - A * b_new.mean())


def haebara(old: Anchors, new: Anchors) -> tuple[float, float]:
    """Return A and B with the least squared differences of the category curves of every item."""
    return _closest(old, new, category_curves)


def stocking_lord(old: Anchors, new: Anchors) -> tuple[float, float]:
    """Return A and B with the least squared difference of the expected sum of the items (categories 0, 1, ...)."""
    return _closest(old, new, expected_sum)


def category_curves(items: Anchors, theta: FloatArray) -> FloatArray:
    """Return the probability of every category of every item at the traits, (q, sum of m)."""
    return np.hstack([item.probabilities(theta) for item in items])


def expected_sum(items: Anchors, theta: FloatArray) -> FloatArray:
    """Return the expected sum of the items at the traits, (q, 1)."""
    parts = [item.probabilities(theta) @ np.arange(len(item.thresholds) + 1.0) for item in items]
    return np.asarray(np.sum(parts, axis=0)[:, None])


def _closest(old: Anchors, new: Anchors, shape: Curves) -> tuple[float, float]:
    """Minimise over both scales: nodes of a standard normal trait in the reference, and in the new calibration."""
    from scipy.optimize import least_squares

    def residuals(x: FloatArray) -> FloatArray:
        return _residuals(old, new, shape, A=float(np.exp(x[0])), B=float(x[1]))

    A, B = mean_sigma(old, new)
    found = least_squares(residuals, [np.log(A), B], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    return float(np.exp(found.x[0])), float(found.x[1])


def _residuals(old: Anchors, new: Anchors, shape: Curves, *, A: float, B: float) -> FloatArray:
    theta, weight = quadrature(NODES)
    root = np.sqrt(weight)[:, None]
    there = shape(old, theta) - shape([item.moved(A, B) for item in new], theta)
    back = shape(new, theta) - shape([item.moved(1 / A, -B / A) for item in old], theta)
    return np.concatenate([(root * there).ravel(), (root * back).ravel()])


def moments_apart(method: Coefficients) -> Equations:
    """Return the equations of a method of moments: (A, B) less what the items give."""
    return lambda old, new, x: np.asarray(x - np.array(method(old, new)))


def gradient(shape: Curves) -> Equations:
    """Return the equations of a method of curves: half the derivative of the sum of squares by A and B."""

    def equations(old: Anchors, new: Anchors, x: FloatArray) -> FloatArray:
        def residuals(at: FloatArray) -> FloatArray:
            return _residuals(old, new, shape, A=float(at[0]), B=float(at[1]))

        return np.asarray(central_differences(residuals, x, step=STEP).T @ residuals(x))

    return equations
