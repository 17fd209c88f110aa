"""What answers say about the factors of a model with ordinal variables: their distribution given a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis._equal_rows import equal_rows
from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.implied import Implied
from psm_analysis.sem.matrices import Layout
from psm_analysis.sem.ordinal_scores import Posterior, means, modes

DEPENDENT = (
    "Ordinal answers are taken as independent given the factors, but the model has residual covariances or direct "
    "paths of {}: the scores are approximate."
)


@dataclass(frozen=True, slots=True)
class ResponseModel:
    """One group: ``eta = m + T v + rest``, ``y* = mu + K v + e`` with standard normal v, all given x.

    Attributes
    ----------
    T, rest
        ``(factors, d)`` for the d directions that answers tell something about, and the variances ``(factors,)`` of
        what they tell nothing about.
    K, R
        ``(p, d)`` loadings, and the covariance matrix ``(p, p)`` of the residuals e.
    ordinal, continuous, given
        Places of the variables.
    """

    layout: Layout
    implied: Implied
    T: Array
    rest: Array
    K: Array
    R: Array
    ordinal: Index
    continuous: Index
    given: Index

    @classmethod
    def of(cls, layout: Layout, implied: Implied, *, n_latent: int, place: str) -> ResponseModel:
        """Return the response model of a group; the implied moments are conditional on the given variables.

        Raises
        ------
        ModelError
            For a covariance matrix of factors or a residual variance that is not positive.
        """
        C = implied.C[:n_latent, :n_latent]
        values, vectors = np.linalg.eigh(C)
        if values[0] < -1e-8 * values[-1]:
            raise ModelError(
                "Factors whose covariance matrix is not positive definite have no scores.",
                where=place,
                remedy="Look at .warnings: merge factors that correlate by 1 or more, or fix a negative variance to 0.",
            )
        kept = values > 1e-10 * values[-1]
        root = vectors[:, kept] * np.sqrt(values[kept])
        loadings = implied.D[:, :n_latent] @ (vectors[:, kept] / np.sqrt(values[kept]))
        _, sizes, turn = np.linalg.svd(loadings, full_matrices=True)
        d = int((sizes > 1e-10 * max(sizes.max(initial=0.0), 1e-300)).sum())
        K, T = loadings @ turn[:d].T, root @ turn[:d].T
        given = layout.dummies[layout.given]
        dependent = np.setdiff1d(np.arange(len(layout.observed)), given)
        ordinal = dependent[layout.ordinal[dependent]]
        found = cls(
            layout=layout,
            implied=implied,
            T=T,
            rest=((root @ turn[d:].T) ** 2).sum(axis=1),
            K=K,
            R=implied.Sigma - K @ K.T,
            ordinal=ordinal,
            continuous=dependent[~layout.ordinal[dependent]],
            given=given,
        )
        found._check(place)
        return found

    def _check(self, place: str) -> None:
        for j in (*self.ordinal, *self.continuous):
            if self.R[j, j] <= 1e-8 * self.implied.Sigma[j, j]:
                raise ModelError(
                    f"The residual variance of {self.layout.observed[j]!r} is not positive, so there are no scores.",
                    where=place,
                    remedy="Look at .warnings; leave the indicator out, or simplify the model.",
                )

    def dependent_pairs(self) -> list[str]:
        """Return the names of ordinal variables that are not independent of all others given the factors."""
        sd = np.sqrt(np.diagonal(self.R))
        mine = (*self.ordinal, *self.continuous)
        off = np.abs(self.R[np.ix_(self.ordinal, mine)]) / np.outer(sd[self.ordinal], sd[list(mine)])
        off[np.arange(len(self.ordinal)), np.arange(len(self.ordinal))] = 0.0
        return [self.layout.observed[j] for j, worst in zip(self.ordinal, off.max(axis=1), strict=True) if worst > 1e-6]

    def scores(self, rows: Array, categories: Sequence[Array], *, mode: bool) -> tuple[Array, Array]:
        """Return scores and their standard errors, each ``(n, factors)``; alike rows are scored once.

        `rows` hold all variables of the layout, nan where there is no answer; `categories` are those of each ordinal
        variable, rising.
        """
        first, kind = equal_rows(rows.T)
        distinct = rows[first]
        x = distinct[:, self.given]
        implied, given = self.implied, self.layout.given
        mu = implied.mu + x @ implied.L[:, given].T
        centre = (implied.eta_mean + x @ implied.A[:, given].T)[:, : len(self.T)]
        posterior = self._posterior(distinct, mu, categories)
        v, spread = modes(posterior) if mode else means(posterior)
        variance = np.einsum("fi,nij,fj->nf", self.T, spread, self.T, optimize=True) + self.rest
        return (centre + v @ self.T.T)[kind], np.sqrt(variance)[kind]

    def _posterior(self, rows: Array, mu: Array, categories: Sequence[Array]) -> Posterior:
        sd = np.sqrt(np.diagonal(self.R)[self.ordinal])
        lower, upper = np.full((2, len(rows), len(self.ordinal)), np.inf)
        lower *= -1.0
        tau = self.implied.matrices.tau
        for k, j in enumerate(self.ordinal):
            seen = ~np.isnan(rows[:, j])
            code = np.searchsorted(categories[k], rows[seen, j])
            edges = np.concatenate([[-np.inf], tau[self.layout.threshold_item == j], [np.inf]])
            lower[seen, k] = (edges[code] - mu[seen, j]) / sd[k]
            upper[seen, k] = (edges[code + 1] - mu[seen, j]) / sd[k]
        P, b = self._continuous_part(rows - mu)
        return Posterior(P, b, self.K[self.ordinal] / sd[:, None], lower, upper)

    def _continuous_part(self, centred: Array) -> tuple[Array, Array]:
        """Return the precision of v given the continuous answers, and what it is multiplied by to give their mode."""
        d = self.K.shape[1]
        P, b = np.tile(np.eye(d), (len(centred), 1, 1)), np.zeros((len(centred), d))
        answers = centred[:, self.continuous]
        present = ~np.isnan(answers)
        first, kind = equal_rows(present.T)
        for k, seen in enumerate(present[first]):
            at = self.continuous[seen]
            weights = np.linalg.solve(self.R[np.ix_(at, at)], self.K[at])
            mine = np.flatnonzero(kind == k)
            P[mine] += self.K[at].T @ weights
            b[mine] = answers[np.ix_(mine, np.flatnonzero(seen))] @ weights
        return P, b
