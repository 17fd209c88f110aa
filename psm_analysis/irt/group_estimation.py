"""Graded response model of several groups by EM: item parameters equal or free, trait mean and variance free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from psm_analysis.irt.expectation_maximisation import posterior_of
from psm_analysis.irt.graded_kernel import TINY, maximise_item
from psm_analysis.moments.sample import FloatArray, IntArray

GRID = np.linspace(-6.0, 6.0, 61)
Sharing = Literal["equal", "slope", "free"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupAnswers:
    """Distinct rows of answers of each group.

    Attributes
    ----------
    codes
        (R, p) category numbers from 0, -1 where missing.
    group, counts
        (R,) group number, and how many of its people gave the row.
    sizes
        Categories of each item.
    """

    codes: IntArray
    group: IntArray
    counts: FloatArray
    sizes: tuple[int, ...]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1

    def take(self, items: Sequence[int]) -> GroupAnswers:
        """Return the answers to some of the items; rows without any are left out."""
        codes = self.codes[:, list(items)]
        seen = (codes >= 0).any(axis=1)
        return GroupAnswers(codes[seen], self.group[seen], self.counts[seen], tuple(self.sizes[j] for j in items))


@dataclass(frozen=True, slots=True, eq=False)
class ItemParameters:
    """One slope and the intercepts that go with it, and for each set of intercepts the groups it counts for."""

    item: int
    slope: float
    intercepts: tuple[FloatArray, ...]
    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class GroupEstimates:
    """Item parameters, mean and standard deviation of the trait by group, log-likelihood, and whether it settled."""

    items: tuple[ItemParameters, ...]
    means: FloatArray
    deviations: FloatArray
    loglik: float
    converged: bool


def release(found: GroupEstimates, item: int, *, sharing: Sharing) -> GroupEstimates:
    """Give one item thresholds of its own in every group ("slope" stays equal), or all parameters ("free")."""
    changed: list[ItemParameters] = []
    single = tuple((g,) for g in range(len(found.means)))
    for one in found.items:
        if one.item != item:
            changed.append(one)
        elif sharing == "slope":
            changed.append(ItemParameters(item, one.slope, one.intercepts[:1] * len(single), single))
        else:
            own = one.intercepts if len(one.intercepts) > 1 else one.intercepts * len(single)
            changed += [ItemParameters(item, one.slope, (d,), (g,)) for d, g in zip(own, single, strict=True)]
    return GroupEstimates(tuple(changed), found.means, found.deviations, found.loglik, False)


def estimate_groups(
    answers: GroupAnswers, start: GroupEstimates, *, max_iterations: int, tolerance: float
) -> GroupEstimates:
    """Iterate until the log-likelihood rises by less than `tolerance`; the first group has mean 0 and variance 1.

    Bock, R. D., & Zimowski, M. F. (1997). In W. J. van der Linden & R. K. Hambleton (Eds.), Handbook of modern item
    response theory (pp. 433-448). Springer.
    """
    items, means, deviations = start.items, start.means, start.deviations
    X = np.hstack([_indicators(answers, one) for one in items])
    sizes = [len(d) + 1 for one in items for d in one.intercepts]
    before = -np.inf
    for _ in range(max_iterations):
        weights = _weights(means, deviations)[answers.group]
        slopes = np.array([one.slope for one in items for _ in one.intercepts])
        intercepts = [d for one in items for d in one.intercepts]
        posterior, logs = posterior_of(X, slopes, intercepts=intercepts, nodes=(GRID, weights))
        loglik = float(answers.counts @ logs)
        if loglik - before < tolerance:
            return GroupEstimates(items, means, deviations, loglik, True)
        before = loglik
        weighted = posterior * answers.counts[:, None]
        items = _maximise(items, np.split(weighted.T @ X, np.cumsum(sizes)[:-1], axis=1))
        means, deviations = _moments(weighted, answers)
    return GroupEstimates(items, means, deviations, before, False)


def _indicators(answers: GroupAnswers, one: ItemParameters) -> FloatArray:
    codes = answers.codes[:, [one.item]]
    shown = (codes == np.arange(answers.sizes[one.item])).astype(float)
    return np.hstack([shown * np.isin(answers.group, groups)[:, None] for groups in one.groups])


def _weights(means: FloatArray, deviations: FloatArray) -> FloatArray:
    density = np.exp(-0.5 * ((GRID - means[:, None]) / deviations[:, None]) ** 2)
    return np.asarray(np.maximum(density / density.sum(axis=1, keepdims=True), TINY), dtype=float)


def _maximise(items: tuple[ItemParameters, ...], expected: list[FloatArray]) -> tuple[ItemParameters, ...]:
    updated, at = [], 0
    for one in items:
        own = expected[at : at + len(one.intercepts)]
        slope, intercepts = maximise_item(one.slope, one.intercepts, theta=GRID, expected=own)
        updated.append(ItemParameters(one.item, slope, tuple(intercepts), one.groups))
        at += len(one.intercepts)
    return tuple(updated)


def _moments(weighted: FloatArray, answers: GroupAnswers) -> tuple[FloatArray, FloatArray]:
    mass = np.stack([weighted[answers.group == g].sum(axis=0) for g in range(answers.n_groups)])
    mass /= mass.sum(axis=1, keepdims=True)
    means = mass @ GRID
    deviations = np.sqrt(mass @ GRID**2 - means**2)
    means[0], deviations[0] = 0.0, 1.0
    return means, deviations
