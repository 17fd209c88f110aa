"""The region of significance of a slope that is linear in a moderator (Johnson & Neyman, 1936)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from psm_analysis._options import Region


@dataclass(frozen=True, slots=True)
class SignificanceRegion:
    """Where ``b1 + b3 w`` differs from 0: ``outside`` or ``between`` two bounds, ``above`` or ``below`` one, or not."""

    low: float
    high: float
    where: Region

    def holds(self, value: float) -> bool:
        """Tell whether the slope differs from 0 at a value of the moderator."""
        match self.where:
            case "outside":
                return value < self.low or value > self.high
            case "between":
                return self.low < value < self.high
            case "above":
                return value > self.low
            case "below":
                return value < self.high
        return self.where == "everywhere"


def significance_region(b1: float, b3: float, *, v: tuple[float, float, float], critical: float) -> SignificanceRegion:
    """Return where ``(b1 + b3 w)^2 > critical^2 (v11 + 2 w v13 + w^2 v33)`` (Bauer & Curran, 2005, eq. 11).

    `v` holds the variance of b1, their covariance and the variance of b3.

    Examples
    --------
    >>> region = significance_region(0.5, 0.2, v=(0.01, 0.0, 0.0025), critical=1.96)
    >>> region.where, round(region.low, 2), round(region.high, 2)
    ('outside', -5.26, -1.32)
    """
    c2, (v11, v13, v33) = critical**2, v
    a, b, c = b3**2 - c2 * v33, 2.0 * (b1 * b3 - c2 * v13), b1**2 - c2 * v11
    if math.isclose(a, 0.0, abs_tol=1e-300):
        if b == 0.0:
            return SignificanceRegion(math.nan, math.nan, "everywhere" if c > 0 else "nowhere")
        root = -c / b
        return SignificanceRegion(root, math.inf, "above") if b > 0 else SignificanceRegion(-math.inf, root, "below")
    inside = b * b - 4.0 * a * c
    if inside <= 0.0:
        return SignificanceRegion(math.nan, math.nan, "everywhere" if a > 0 else "nowhere")
    roots = sorted((-b + sign * math.sqrt(inside)) / (2.0 * a) for sign in (-1.0, 1.0))
    return SignificanceRegion(roots[0], roots[1], "outside" if a > 0 else "between")
