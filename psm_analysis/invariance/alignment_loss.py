"""The alignment of one factor: the simplicity function, its minimum, and how that moves with the estimates.

In every group g the configural model has a factor of mean 0 and variance 1 with loadings ``lambda0`` and levels
``nu0`` (intercepts, or thresholds with the sign changed). A factor of mean ``alpha_g`` and standard deviation
``exp(l_g)`` fits as well with ``lambda = lambda0 exp(-l)`` and ``nu = nu0 - alpha lambda``. Alignment minimises

``F = sum sqrt(N_g N_h) [sum_p rho(lambda_pg - lambda_ph) + sum_q rho(nu_qg - nu_qh)]``, ``rho(x) = (x^2 + eps)^(1/4)``,

over pairs of groups, under ``sum_g l_g = 0``; with ``fixed`` also ``alpha_1 = 0``.

References
----------
Asparouhov, T., & Muthén, B. (2014). Multiple-group factor analysis alignment. Structural Equation Modeling, 21,
495-508.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask

EPSILON = 0.01
SMOOTHING = (1.0, 0.1, EPSILON)
PIVOTS = 3
ANCHORS = 3


@dataclass(frozen=True, slots=True)
class Alignment:
    """The problem of one factor.

    Attributes
    ----------
    loadings, levels
        Estimates of the configural model, shapes ``(P, G)`` and ``(Q, G)``.
    item
        The item of each level, shape ``(Q,)``.
    weights
        ``sqrt(N_g N_h)``, with zeros on the diagonal, shape ``(G, G)``.
    fixed
        Whether the mean of the first group is 0.
    epsilon
        Smoothness of the loss at 0.
    """

    loadings: Array
    levels: Array
    item: Index
    weights: Array
    fixed: bool
    epsilon: float = EPSILON

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return int(self.loadings.shape[1])

    @property
    def basis(self) -> Array:
        """Directions in which ``(alpha, log_sd)`` may move, shape ``(2 G, free)``."""
        G = self.n_groups
        whole = np.zeros((2 * G, 2 * G - 1))
        whole[:G, :G] = np.eye(G)
        whole[G : 2 * G - 1, G:] = np.eye(G - 1)
        whole[2 * G - 1, G:] = -1.0
        return whole[:, 1:] if self.fixed else whole

    def aligned(self, delta: Array) -> tuple[Array, Array]:
        """Return aligned loadings and levels at ``delta = (alpha, log_sd)``."""
        alpha, log_sd = np.split(delta, 2)
        loadings = self.loadings * np.exp(-log_sd)
        return loadings, self.levels - alpha * loadings[self.item]

    def value(self, delta: Array) -> float:
        """Return F."""
        return float(sum(self.contributions(part).sum() for part in self.aligned(delta)))

    def contributions(self, rows: Array) -> Array:
        """Return what each row of aligned loadings or levels adds to F."""
        d = rows[:, :, None] - rows[:, None, :]
        return np.asarray((self.weights * (d**2 + self.epsilon) ** 0.25).sum(axis=(1, 2)) / 2.0)

    def gradient(self, delta: Array) -> Array:
        """Return the derivative of F by ``(alpha, log_sd)``."""
        alpha, _ = np.split(delta, 2)
        loadings, levels = self.aligned(delta)
        by_loading, by_level = self._slopes(loadings), self._slopes(levels)
        sloped = (loadings[self.item] * by_level).sum(axis=0)
        return np.concatenate([-sloped, alpha * sloped - (loadings * by_loading).sum(axis=0)])

    def _slopes(self, rows: Array) -> Array:
        d = rows[:, :, None] - rows[:, None, :]
        return np.asarray((self.weights * 0.5 * d * (d**2 + self.epsilon) ** -0.75).sum(axis=2))

    def _bends(self, rows: Array) -> Array:
        """Return the second derivatives of F by the entries of each row, shape ``(rows, G, G)``."""
        d = rows[:, :, None] - rows[:, None, :]
        smooth = d**2 + self.epsilon
        bend = self.weights * (0.5 * smooth**-0.75 - 0.75 * d**2 * smooth**-1.75)
        found = -bend
        groups = np.arange(rows.shape[1])
        found[:, groups, groups] += bend.sum(axis=2)
        return np.asarray(found)

    def hessian(self, delta: Array) -> Array:
        """Return the second derivatives of F by ``(alpha, log_sd)``."""
        alpha, _ = np.split(delta, 2)
        loadings, levels = self.aligned(delta)
        lifted = loadings[self.item]
        by_loading, by_level = self._slopes(loadings), self._slopes(levels)
        inner = np.einsum("qg,qh,qgh->gh", lifted, lifted, self._bends(levels))
        sloped = (lifted * by_level).sum(axis=0)
        mixed = -inner * alpha + np.diag(sloped)
        scale = np.einsum("pg,ph,pgh->gh", loadings, loadings, self._bends(loadings))
        scale += alpha[:, None] * inner * alpha
        scale += np.diag((loadings * by_loading).sum(axis=0) - alpha * sloped)
        return np.block([[inner, mixed], [mixed.T, scale]])

    def by_estimates(self, delta: Array) -> Array:
        """Return the derivative of the gradient by the estimates, loadings then levels: ``(2 G, P G + Q G)``."""
        alpha, log_sd = np.split(delta, 2)
        G, shrink = self.n_groups, np.exp(-log_sd)
        loadings, levels = self.aligned(delta)
        lifted, bends = loadings[self.item], self._bends(levels)
        by_loading, by_level = self._slopes(loadings), self._slopes(levels)
        alpha_level = -lifted[:, :, None] * bends
        chained = np.zeros((len(loadings), G, G))
        np.add.at(chained, self.item, alpha_level * (-alpha * shrink))
        own = np.zeros_like(loadings)
        np.add.at(own, self.item, by_level)
        groups = np.arange(G)
        chained[:, groups, groups] -= own * shrink
        scale_loading = -loadings[:, :, None] * self._bends(loadings) * shrink - alpha[:, None] * chained
        scale_loading[:, groups, groups] -= by_loading * shrink
        scale_level = -alpha[:, None] * alpha_level
        top = np.concatenate([chained, alpha_level]).transpose(1, 0, 2).reshape(G, -1)
        bottom = np.concatenate([scale_loading, scale_level]).transpose(1, 0, 2).reshape(G, -1)
        return np.vstack([top, bottom])


def minimum(problem: Alignment) -> Array:
    """Return ``(alpha, log_sd)`` at the smallest minimum found.

    From some groups as pivots the search goes from a smooth to the sharp loss; from the best of the points at which one
    item is invariant it begins with the sharp one.
    """
    anchored = sorted(_anchors(problem), key=problem.value)[:ANCHORS]
    found = [_descend(problem, start, SMOOTHING) for start in _pivots(problem)]
    found += [_descend(problem, start, SMOOTHING[-1:]) for start in anchored]
    return min(found, key=problem.value)


def _pivots(problem: Alignment) -> Iterator[Array]:
    """Yield starts at which each pivot's parameters are matched by medians over the items."""
    G = problem.n_groups
    for pivot in np.unique(np.linspace(0, G - 1, min(G, PIVOTS)).astype(int)):
        log_sd = np.log(np.median(problem.loadings / problem.loadings[:, [pivot]], axis=0).clip(0.05, 20.0))
        log_sd -= log_sd.mean()
        lifted = (problem.loadings * np.exp(-log_sd))[problem.item]
        yield _start(problem, np.median((problem.levels - problem.levels[:, [pivot]]) / lifted, axis=0), log_sd)


def _anchors(problem: Alignment) -> Iterator[Array]:
    """Yield starts at which the loading of one item and one level are the same in all groups."""
    for row in problem.loadings:
        log_sd = np.log((row / row[0]).clip(0.05, 20.0))
        log_sd -= log_sd.mean()
        lifted = (problem.loadings * np.exp(-log_sd))[problem.item]
        for level, slope in zip(problem.levels, lifted, strict=True):
            yield _start(problem, (level - level[0]) / slope, log_sd)


def _start(problem: Alignment, alpha: Array, log_sd: Array) -> Array:
    return np.concatenate([alpha - alpha[0] if problem.fixed else alpha - alpha.mean(), log_sd])


def _descend(problem: Alignment, start: Array, smoothing: Sequence[float]) -> Array:
    delta = start
    for epsilon in smoothing:
        delta = _minimised(replace(problem, epsilon=epsilon), delta)
    return _polished(problem, delta)


def _minimised(problem: Alignment, start: Array) -> Array:
    """Return the minimum downhill from a start (trust regions, exact second derivatives)."""
    from scipy.optimize import minimize

    B, scale = problem.basis, problem.value(start)

    def value(z: Array) -> float:
        return problem.value(start + B @ z) / scale

    def gradient(z: Array) -> Array:
        return np.asarray(B.T @ problem.gradient(start + B @ z) / scale)

    def hessian(z: Array) -> Array:
        return np.asarray(B.T @ problem.hessian(start + B @ z) @ B / scale)

    found = minimize(
        value,
        np.zeros(B.shape[1]),
        jac=gradient,
        hess=hessian,
        method="trust-exact",
        options={"gtol": 1e-7, "maxiter": 500},
    )
    return np.asarray(start + B @ found.x)


def _polished(problem: Alignment, delta: Array) -> Array:
    """Return the stationary point nearby, by Newton's method, where the loss is curved upwards."""
    B = problem.basis
    for _ in range(20):
        H = B.T @ problem.hessian(delta) @ B
        if np.linalg.eigvalsh(H)[0] <= 0:
            return delta
        step = B @ np.linalg.solve(H, B.T @ problem.gradient(delta))
        if problem.value(delta - step) > problem.value(delta) * (1 + 1e-12):
            return delta
        delta = delta - step
        if np.abs(step).max() < 1e-12:
            break
    return delta


def sensitivity(problem: Alignment, delta: Array) -> Array:
    """Return the derivative of ``(alpha, log_sd)`` at the minimum by the estimates (implicit function theorem)."""
    B = problem.basis
    H = B.T @ problem.hessian(delta) @ B
    return np.asarray(-B @ np.linalg.solve(H, B.T @ problem.by_estimates(delta)))


def is_well_conditioned(problem: Alignment, delta: Array) -> bool:
    """Tell whether the minimum determines all means and variances."""
    B = problem.basis
    values = np.linalg.eigvalsh(B.T @ problem.hessian(delta) @ B)
    return bool(values[0] > 1e-5 * values[-1])


def upward(loadings: Array) -> Mask:
    """Return in which groups the factor points the way that most loadings of the first do, shape ``(G,)``."""
    return np.asarray((loadings * loadings[:, [0]]).sum(axis=0) > 0)
