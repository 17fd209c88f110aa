"""The two-level estimation problem as a function of the free parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.discrepancy.base import chain
from psm_analysis.sem.hessian import curvature
from psm_analysis.sem.implied import Directions, Implied, directions
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.twolevel.likelihood import TwoLevelLikelihood


@dataclass(frozen=True, slots=True)
class TwoLevelProblem(Problem):
    """A problem whose two layouts, level 1 and level 2, share one likelihood; there are no other discrepancies."""

    likelihood: TwoLevelLikelihood

    def value(self, x: Array) -> float:
        """Return the discrepancy, ``inf`` where it is undefined."""
        total = self.likelihood.value(*self.pair(x))
        return total if np.isfinite(total) else float("inf")

    def derivatives(self, x: Array, *, information: bool = True) -> tuple[Array, Array]:
        """Return the gradient and (if asked) the expected information of one row at ``x``."""
        pair = self.pair(x)
        d, position = self.moved(pair)
        (G, g), (H, h) = self.likelihood.slopes(*pair)
        gradient = np.zeros(self.n_free)
        np.add.at(gradient, position, np.concatenate([chain(d[0], G, g), chain(d[1], H, h)]))
        total = np.zeros((self.n_free, self.n_free))
        if information:
            np.add.at(total, np.ix_(position, position), self.likelihood.information(pair, d))
        return gradient, total

    def hessian(self, x: Array) -> Array:
        """Return the Hessian of the discrepancy at ``x``; half of it is the observed information of one row."""
        pair = self.pair(x)
        d, position = self.moved(pair)
        block = self.likelihood.bend(pair, d)
        k = d[0].U.shape[1]
        parts = (slice(0, k), slice(k, None))
        slopes = self.likelihood.slopes(*pair)
        for part, layout, implied, moved, (G, g) in zip(parts, self.free_layouts, pair, d, slopes, strict=True):
            block[part, part] += curvature(layout, implied, moved, G=G, g=g)
        total = np.zeros((self.n_free, self.n_free))
        np.add.at(total, np.ix_(position, position), block)
        return total

    def scores(self, x: Array) -> Array:
        """Return the scores of the clusters, shape ``(clusters, n_free)``."""
        pair = self.pair(x)
        d, position = self.moved(pair)
        found = np.zeros((self.likelihood.statistics.n_clusters, self.n_free))
        np.add.at(found.T, position, self.likelihood.cluster_scores(pair, d).T)
        return found

    def pair(self, x: Array) -> tuple[Implied, Implied]:
        """Return the implied moments of level 1 and of level 2."""
        within, between = self.implied(x)
        return within, between

    def moved(self, pair: tuple[Implied, Implied]) -> tuple[tuple[Directions, Directions], Index]:
        """Return the derivatives of both levels by their free parameters, and where these stand in ``x``."""
        within, between = self.free_layouts
        position = self.position[np.concatenate([within.rows, between.rows])]
        return (directions(within, pair[0]), directions(between, pair[1])), position

    def shifted(self, constant: float) -> TwoLevelProblem:
        """Return the problem with a constant taken from the discrepancy."""
        return replace(self, likelihood=replace(self.likelihood, constant=constant))
