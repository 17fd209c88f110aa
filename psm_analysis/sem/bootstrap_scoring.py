"""Damped Fisher scoring of many samples at once, for those that a quasi-Newton search did not solve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.bootstrap_gradient import BatchSample
from psm_analysis.sem.optimize import TOLERANCE

MAX_STEPS = 200
REACH = 1.0


class Scorable(Protocol):
    """A discrepancy in many samples: its gradient and information by ``z``, and its value at all parameters."""

    @property
    def basis(self) -> Array:
        """Directions in which the parameters can move, shape ``(n_free, k)``."""

    def values(self, z: Array, moments: Sequence[BatchSample]) -> Array:
        """Return all parameters of the table."""

    def gradient(self, z: Array, moments: Sequence[BatchSample]) -> Array:
        """Return the gradient, shape ``(R, k)``."""

    def information(self, z: Array, moments: Sequence[BatchSample]) -> Array:
        """Return the expected information, shape ``(R, k, k)``."""

    def chisq(self, values: Array, moments: Sequence[BatchSample]) -> Array:
        """Return the value of each sample, nan where it is not defined."""


def scored(problem: Scorable, moments: Sequence[BatchSample]) -> tuple[Array, Mask]:
    """Return the minima from the common start, and which samples reached one.

    Each sample has a damping of its own (Levenberg), which grows while a step does not make its discrepancy smaller.
    """
    count, size = moments[0].count, problem.basis.shape[1]
    z, done = np.zeros((count, size)), np.zeros(count, dtype=bool)
    active, damping = np.arange(count), np.zeros(count)
    value = problem.chisq(problem.values(z, moments), moments)
    for _ in range(MAX_STEPS):
        part = [m.of(active) for m in moments]
        step, length = _steps(problem, z[active], part, damping[active])
        ready = (length < TOLERANCE) & (damping[active] == 0.0)
        trial = problem.chisq(problem.values(z[active] + step, part), part)
        before = value[active]
        better = trial <= before + 1e-13 * (1.0 + np.abs(before))
        z[active[better]] += step[better]
        value[active[better]] = trial[better]
        grown = np.maximum(4.0 * damping[active], 1e-3)
        shrunk = np.where(damping[active] < 1e-4, 0.0, damping[active] / 8.0)
        damping[active] = np.where(better, shrunk, grown)
        done[active[ready & better]] = True
        active = active[~(ready & better) & (damping[active] < 1e6) & np.isfinite(length)]
        if not active.size:
            break
    return z, done


def _steps(problem: Scorable, z: Array, moments: Sequence[BatchSample], damping: Array) -> tuple[Array, Array]:
    """Return steps ``-(1/2)(I + damping diag I)^-1 gradient`` and their length in standard deviations, nan if none."""
    gradient, information = problem.gradient(z, moments), problem.information(z, moments)
    scale = np.sqrt(np.diagonal(information, axis1=-2, axis2=-1))
    damped = information + damping[:, None, None] * np.eye(z.shape[1]) * (scale**2)[:, None, :]
    good = np.isfinite(damped).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    good[good] = np.linalg.slogdet(damped[good])[0] > 0
    step = np.full(z.shape, np.nan)
    step[good] = -0.5 * np.linalg.solve(damped[good], gradient[good][..., None])[..., 0]
    length = np.abs(step * scale).max(axis=1)
    return step * np.minimum(1.0, REACH / np.maximum(length, 1e-300))[:, None], length
