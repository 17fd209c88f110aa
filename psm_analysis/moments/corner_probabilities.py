"""Bivariate normal probabilities at the corners of many tables, followed along while the correlations move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss

from psm_analysis.moments.bivariate_normal import bivariate_normal_cdf
from psm_analysis.moments.sample import FloatArray, IntArray

REACH = ((0.15, leggauss(5)), (0.01, leggauss(3)))
"""How far an integral may go, as a share of the distance to a correlation of 1, and its nodes and weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Corners:
    """``P(X <= a, Y <= b)`` for the (M, I) inner thresholds of the row items and of the column items of M tables.

    The derivative of this probability by the correlation is the density (Plackett, 1954), so that after a short move of
    the correlation it changes by an integral of the density: Gauss-Legendre with errors below 1e-14. After a long one
    it is computed anew. `move` changes ``cdf`` and ``rho`` in place.

    References
    ----------
    Plackett, R. L. (1954). A reduction formula for normal multivariate integrals. Biometrika, 41, 351-360.
    """

    a: FloatArray
    b: FloatArray
    halves: FloatArray
    product: FloatArray
    cdf: FloatArray
    rho: FloatArray

    @classmethod
    def of(cls, a: FloatArray, b: FloatArray) -> Corners:
        """Return the corners before any probability is known.

        Examples
        --------
        >>> corners = Corners.of(np.zeros((1, 1)), np.zeros((1, 1)))
        >>> for rho in (0.4, 0.5):
        ...     corners.move(np.array([rho]), np.array([0]))
        >>> round(float(corners.cdf[0, 0, 0]), 14)  # 1/4 + asin(1/2) / (2 pi)
        0.33333333333333
        """
        first, second = a[:, :, None], b[:, None, :]
        product = first * second
        nothing = np.full(product.shape, np.nan)
        return cls(a, b, 0.5 * (first**2 + second**2), product, nothing, np.full(len(a), np.nan))

    def move(self, rho: FloatArray, active: IntArray) -> None:
        """Move the tables with the numbers `active` to the correlations `rho`."""
        step = rho - self.rho[active]
        share = np.abs(step) / (1.0 - np.maximum(np.abs(rho), np.abs(self.rho[active])))
        left = ~(share <= REACH[0][0])
        far = active[left]
        self.cdf[far] = bivariate_normal_cdf(
            self.a[far][:, :, None], self.b[far][:, None, :], rho=rho[left, None, None]
        )
        for k, (reach, rule) in enumerate(REACH):
            shortest = REACH[k + 1][0] if k + 1 < len(REACH) else -1.0
            here = (share <= reach) & (share > shortest)
            self._integrate(rho[here], active[here], rule=rule)
        self.rho[active] = rho

    def density(self, rho: FloatArray, active: IntArray) -> FloatArray:
        """Return the bivariate normal density at the corners of some tables."""
        r = rho[:, None, None]
        rest = (1.0 - r) * (1.0 + r)
        exponent = r * self.product[active]
        exponent -= self.halves[active]
        exponent /= rest
        np.exp(exponent, out=exponent)
        exponent *= 1.0 / (2.0 * np.pi * np.sqrt(rest))
        return np.asarray(exponent)

    def bend(self, rho: FloatArray, active: IntArray) -> FloatArray:
        """Return the derivative of the logarithm of the density by the correlation."""
        r = rho[:, None, None]
        rest = (1.0 - r) * (1.0 + r)
        return np.asarray((r + ((1.0 + r * r) * self.product[active] - 2.0 * r * self.halves[active]) / rest) / rest)

    def _integrate(self, rho: FloatArray, active: IntArray, *, rule: tuple[FloatArray, FloatArray]) -> None:
        if not active.size:
            return
        middle, half = 0.5 * (rho + self.rho[active]), 0.5 * (rho - self.rho[active])
        for place, weight in zip(*rule, strict=True):
            self.cdf[active] += (weight * half)[:, None, None] * self.density(middle + place * half, active)
