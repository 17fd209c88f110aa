"""Full-information maximum likelihood of incomplete rows in many samples at once.

The gradient of the observed likelihood is that of the complete one at the moments that are expected given what was
observed (Fisher's identity; Dempster, Laird & Rubin, 1977). With ``K = Sigma^-1`` and the missing items m of a row
these expectations are ``mu_m - K_mm^-1 K_mo (y_o - mu_o)``, with the covariance matrix ``K_mm^-1``, and the
log-determinant of what was observed is ``log|Sigma| + log|K_mm|``: all from matrices as small as the number of missing
items.

References
----------
Dempster, A. P., Laird, N. M., & Rubin, D. B. (1977). Maximum likelihood from incomplete data via the EM algorithm.
Journal of the Royal Statistical Society B, 39, 1-38.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask, symmetric
from psm_analysis.sem.bootstrap_gradient import Moments, log_determinants
from psm_analysis.sem.bootstrap_incomplete_rows import Block, Expected, expected_moments
from psm_analysis.sem.implied import imply
from psm_analysis.sem.matrices import Layout


@dataclass(frozen=True, slots=True)
class IncompleteSample:
    """The rows of one group in every replicate.

    Attributes
    ----------
    blocks
        The incomplete rows, by the number of their missing items.
    complete
        Sums of products of the complete rows less ``centre``, with a column of ones, shape ``(R, p + 1, p + 1)``.
    centre
        What is taken off every row, shape ``(p,)``.
    nobs, usable
        Rows of each replicate, and which replicates a fit would not refuse.
    x
        Moments in which those of fixed exogenous variables can be looked up.
    saturated, at
        -2/n times the saturated log-likelihood without ``log 2 pi``, of each replicate, and the means and covariances
        (lower triangle by columns) at which it has its maximum.
    """

    blocks: tuple[Block, ...]
    complete: Array
    centre: Array
    nobs: Array
    usable: Mask
    x: Moments
    saturated: Array
    at: Array

    @property
    def count(self) -> int:
        """The number of replicates."""
        return len(self.complete)

    def of(self, which: Mask | Index) -> Self:
        """Return some replicates."""
        places = np.arange(self.count)[which]
        return type(self)(
            tuple(block.of(places, self.count) for block in self.blocks),
            self.complete[places],
            self.centre,
            self.nobs[places],
            self.usable[places],
            self.x.of(places),
            self.saturated[places],
            self.at[places],
        )

    def exogenous(self, first: Index, second: Index) -> Array:
        """Return covariances of fixed variables, or means where `second` is -1."""
        return self.x.exogenous(first, second)

    def expected(self, mu: Array, Sigma: Array) -> Expected:
        """Return the moments that are expected given what was observed, at means and covariance matrices."""
        return expected_moments(self.blocks, self.complete, mu - self.centre, Sigma)

    def gradient(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the gradient by the free parameters, shape ``(R, q)``, at all, ``(R, n)``."""
        implied = imply(layout, values)
        found = self.expected(implied.mu, implied.Sigma)
        complete = Moments(found.cov + found.spread, found.mean + self.centre)
        return complete.gradient(layout, free, values, means=True)

    def value(self, layout: Layout, values: Array, *, means: bool) -> Array:
        """Return -2/n times the log-likelihood less that of the saturated model."""
        implied = imply(layout, values)
        found = self.expected(implied.mu, implied.Sigma)
        d = found.mean + self.centre - implied.mu
        T = found.cov + d[:, :, None] * d[:, None, :]
        size = log_determinants(implied.Sigma) + found.log_determinant
        return np.asarray(size + np.einsum("rij,rji->r", np.linalg.inv(implied.Sigma), T) - self.saturated)

    def information(self, layout: Layout, free: Layout, values: Array, *, means: bool) -> Array:
        """Return the expected information of complete rows, which is the larger one: steps are those of EM."""
        return Moments(self.x.cov, self.x.mean).information(layout, free, values, means=True)

    def against(self, saturated: Array, at: Array) -> Self:
        """Return the sample with the values of its saturated model."""
        return replace(self, saturated=saturated, at=at)

    def saturated_moments(self, i: int) -> tuple[Array, Array]:
        """Return mean and covariance matrix of replicate `i`, by maximum likelihood."""
        p = len(self.centre)
        return self.at[i, :p], symmetric(self.at[i, p:], p)
