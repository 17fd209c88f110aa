"""The saturated two-level model, and the moments of exogenous variables, by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.matrices import find_layout
from psm_analysis.sem.optimize import fisher_scoring
from psm_analysis.sem.problem import positions
from psm_analysis.sem.roles import Roles
from psm_analysis.sem.twolevel.clusters import ClusterStatistics
from psm_analysis.sem.twolevel.likelihood import TwoLevelLikelihood
from psm_analysis.sem.twolevel.problem import TwoLevelProblem
from psm_analysis.sem.twolevel.tables import Levels, moment_levels


@dataclass(frozen=True, slots=True)
class Moments:
    """Means and covariance matrices of the two levels, each over the variables of its level, in order."""

    within_mean: Array
    within_cov: Array
    between_mean: Array
    between_cov: Array

    def level(self, level: int) -> tuple[Array, Array]:
        """Return mean and covariance matrix of a level."""
        return (self.within_mean, self.within_cov) if level == 1 else (self.between_mean, self.between_cov)


def crude_moments(statistics: ClusterStatistics) -> Moments:
    """Return consistent moments in closed form: those that Muthén (1990) starts from.

    Within: pooled, but for variables of level 1 only all of their variance. Between: ``(S_B - S_PW) / c``, made
    positive definite, with ``c = (N - sum n_j^2 / N) / (J - 1)``.
    """
    s = statistics
    n = s.cluster_sizes.astype(float)
    mean, sizes = s.rows.mean(axis=0), n[:, None]
    apart = s.cluster_means - mean
    w, b = s.at_within, s.at_between
    c = (n.sum() - (n**2).sum() / n.sum()) / (len(n) - 1)
    full = np.zeros((len(s.names), len(s.names)))
    full[np.ix_(w, w)] = s.pooled
    cov = ((apart * sizes).T @ apart / (len(n) - 1) - full) / c
    lone = np.setdiff1d(w, b)
    within_cov = s.pooled.copy()
    total = np.cov(s.rows[:, lone].T, bias=True).reshape(len(lone), len(lone))
    within_cov[np.ix_(lone, lone)] = total
    within_mean = np.where(np.isin(w, b), 0.0, mean[w])
    only = np.setdiff1d(b, w)
    level_mean = np.where(np.isin(np.arange(len(mean)), only), s.cluster_means.mean(axis=0), mean)
    cov[np.ix_(only, only)] = np.cov(s.cluster_means[:, only].T, bias=True).reshape(len(only), len(only))
    spread = np.cov(s.cluster_means.T, bias=True).reshape(full.shape)
    return Moments(within_mean, within_cov, level_mean[b], _positive(cov, spread)[np.ix_(b, b)])


def _positive(cov: Array, reference: Array) -> Array:
    """Return the matrix with eigenvalues of at least 2 percent in the units of a reference covariance matrix."""
    scale = np.sqrt(np.maximum(np.diagonal(reference), 1e-300))
    values, vectors = np.linalg.eigh(cov / np.outer(scale, scale))
    return np.asarray((vectors * np.maximum(values, 0.02)) @ vectors.T * np.outer(scale, scale))


def two_level_problem(levels: Levels, values: Array, likelihood: TwoLevelLikelihood) -> tuple[TwoLevelProblem, Array]:
    """Return the problem of a joined table and the start, from values of all of its parameters."""
    parameters = levels.table.parameters
    layouts = (
        find_layout(parameters, group=1, observed=levels.names(1), roles=levels.within),
        find_layout(parameters, group=2, observed=levels.names(2), roles=levels.between),
    )
    position = positions(parameters)
    base = np.where(position >= 0, 0.0, values)
    problem = TwoLevelProblem(layouts, (), (), base, position, likelihood)
    start = np.zeros(problem.n_free)
    free = np.flatnonzero(position >= 0)[::-1]
    start[position[free]] = values[free]
    return problem, start


def moment_values(levels: Levels, moments: Moments) -> Array:
    """Return the values of a table of means, variances and covariances at given moments."""
    at = [{name: i for i, name in enumerate(levels.names(level))} for level in (1, 2)]
    found = []
    for p in levels.table.parameters:
        mean, cov = moments.level(p.group)
        place = at[p.group - 1]
        found.append(mean[place[p.lhs]] if p.op == "~1" else cov[place[p.lhs], place[p.rhs]])
    return np.array(found)


def exogenous_moments(levels: Levels, statistics: ClusterStatistics, crude: Moments) -> tuple[Moments, float]:
    """Return the moments with those of exogenous variables by maximum likelihood, and their ``-2 log L / N``.

    The likelihood is that of the exogenous variables alone, given which the model is fitted.
    """
    given = [levels.exogenous(level) for level in (1, 2)]
    if not any(given):
        return crude, 0.0
    places = [[levels.names(k + 1).index(name) for name in given[k]] for k in (0, 1)]
    part = moment_levels(_named(levels, *given), correlated=True)
    subset = _subset(statistics, given[0], given[1])
    start = Moments(
        *(crude.within_mean[places[0]], crude.within_cov[np.ix_(places[0], places[0])]),
        *(crude.between_mean[places[1]], crude.between_cov[np.ix_(places[1], places[1])]),
    )
    fitted, value = saturate(part, subset, start)
    found = Moments(*(array.copy() for array in (*crude.level(1), *crude.level(2))))
    for level in (1, 2):
        mean, cov = found.level(level)
        i = places[level - 1]
        mean[i], cov[np.ix_(i, i)] = fitted.level(level)
    return found, value


def _named(levels: Levels, within: tuple[str, ...], between: tuple[str, ...]) -> Levels:
    """Return levels of some variables, none of them given."""
    roles = [Roles((), names, (), (), (), (), ()) for names in (within, between)]
    return Levels(replace(levels.table, parameters=()), roles[0], roles[1])


def _subset(s: ClusterStatistics, within: tuple[str, ...], between: tuple[str, ...]) -> ClusterStatistics:
    names = tuple(dict.fromkeys((*within, *between)))
    keep = np.array([s.names.index(name) for name in names], dtype=np.intp)
    inside = np.array([s.names.index(name) for name in within], dtype=np.intp)
    at = {name: i for i, name in enumerate(names)}
    return replace(
        s,
        names=names,
        at_within=np.array([at[name] for name in within], dtype=np.intp),
        at_between=np.array([at[name] for name in between], dtype=np.intp),
        means=s.means[:, keep],
        scatters=s.scatters[:, keep[:, None], keep],
        pooled=s.pooled[np.ix_(inside, inside)],
        rows=s.rows[:, keep],
        cluster_means=s.cluster_means[:, keep],
    )


def saturate(levels: Levels, statistics: ClusterStatistics, start: Moments) -> tuple[Moments, float]:
    """Return the maximum-likelihood moments of a table of moments, and ``-2 log L / N`` (but for constants).

    The covariance matrix between clusters is kept positive semidefinite: where the free maximum is not, the maximum is
    sought over its Cholesky factor.
    """
    problem, x = two_level_problem(levels, moment_values(levels, start), TwoLevelLikelihood(statistics))
    solution = _free_maximum(levels, problem, x)
    if solution is None or np.linalg.eigvalsh(problem.pair(solution)[1].Sigma).min(initial=0.0) < 0.0:
        solution = factored_maximum(levels, problem, x)
    within, between = problem.pair(solution)
    return Moments(within.mu, within.Sigma, between.mu, between.Sigma), problem.value(solution)


def _free_maximum(levels: Levels, problem: TwoLevelProblem, start: Array) -> Array | None:
    z, _, converged = fisher_scoring(problem, start, np.eye(len(start)))
    return start + z if converged else None


def factored_maximum(levels: Levels, problem: TwoLevelProblem, start: Array) -> Array:
    """Return the maximum over Cholesky factors of both covariance matrices, by quasi-Newton steps.

    Exogenous variables come first in the factors, so that their part stays what it is.
    """
    from scipy.optimize import minimize

    parts = [_Factor.of(levels, level, problem, start) for level in (1, 2)]
    means = np.array([p.op == "~1" for p in levels.table.parameters])
    at_mean = problem.position[means & (problem.position >= 0)]
    split = np.cumsum([len(at_mean), parts[0].size])

    def point(z: Array) -> Array:
        x = start.copy()
        x[at_mean] = z[: split[0]]
        for part, piece in zip(parts, np.split(z, split)[1:], strict=True):
            Sigma = part.covariance(piece)
            x[part.position] = Sigma[part.row, part.column]
        return x

    def objective(z: Array) -> tuple[float, Array]:
        x = point(z)
        value = problem.value(x)
        if not np.isfinite(value):
            return 1e10, np.zeros(len(z))
        gradient = problem.derivatives(x, information=False)[0]
        pieces = zip(parts, np.split(z, split)[1:], strict=True)
        return value, np.concatenate([gradient[at_mean], *(part.slope(piece, gradient) for part, piece in pieces)])

    z = np.concatenate([start[at_mean], *(part.start for part in parts)])
    options: Any = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-14, "gtol": 1e-8, "maxcor": 30}
    return point(minimize(objective, z, jac=True, method="L-BFGS-B", options=options).x)


@dataclass(frozen=True, slots=True)
class _Factor:
    """The free rows of a Cholesky factor of one level, and the elements of ``x`` that they make."""

    order: Index
    fixed: Array
    free: Index
    start: Array
    position: Index
    row: Index
    column: Index

    @property
    def size(self) -> int:
        """The number of free elements."""
        return len(self.start)

    @classmethod
    def of(cls, levels: Levels, level: int, problem: TwoLevelProblem, x: Array) -> _Factor:
        """Return the factor of the start."""
        names, given = levels.names(level), levels.exogenous(level)
        order = np.argsort([name not in given for name in names], kind="stable")
        Sigma = problem.pair(x)[level - 1].Sigma[np.ix_(order, order)]
        L = np.linalg.cholesky(Sigma)
        row, column = np.tril_indices(len(names))
        free = np.flatnonzero(row >= len(given))
        layout = problem.layouts[level - 1]
        is_cov = np.array([levels.table.parameters[i].op == "~~" for i in layout.rows], dtype=bool)
        keep = is_cov & (problem.position[layout.rows] >= 0)
        return cls(
            order=order,
            fixed=L,
            free=free,
            start=L[row[free], column[free]],
            position=problem.position[layout.rows[keep]],
            row=layout.row[keep],
            column=layout.column[keep],
        )

    def _factor(self, z: Array) -> Array:
        row, column = np.tril_indices(len(self.fixed))
        L = self.fixed.copy()
        L[row[self.free], column[self.free]] = z
        return L

    def covariance(self, z: Array) -> Array:
        """Return the covariance matrix in the order of the variables."""
        L = self._factor(z)
        back = np.argsort(self.order)
        return np.asarray((L @ L.T)[np.ix_(back, back)])

    def slope(self, z: Array, gradient: Array) -> Array:
        """Return the gradient by the free elements from that by the covariances."""
        G = np.zeros_like(self.fixed)
        G[self.row, self.column] += 0.5 * gradient[self.position]
        G[self.column, self.row] += 0.5 * gradient[self.position]
        row, column = np.tril_indices(len(G))
        slopes = 2.0 * G[np.ix_(self.order, self.order)] @ self._factor(z)
        return np.asarray(slopes[row[self.free], column[self.free]])
