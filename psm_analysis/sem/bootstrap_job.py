"""The replicates of a bootstrap, in batches where that is possible and one by one where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.bootstrap_batch import BatchProblem, fit_batch
from psm_analysis.sem.bootstrap_inference import free_covariances
from psm_analysis.sem.bootstrap_refit import refit
from psm_analysis.sem.bootstrap_resample import Units, drawn_units
from psm_analysis.sem.bootstrap_samples import Sampler
from psm_analysis.sem.result import SemResult

SINGLES = 10


@dataclass(frozen=True, slots=True)
class Part:
    """Values of all parameters of the table, chi-square, whether there is a solution, and covariances of the estimates.

    One row per replicate; ``vcov`` has the shape ``(R, n_free, n_free)``, or ``(R, 0, 0)`` if none were asked for.
    """

    values: Array
    chisq: Array
    converged: Mask
    vcov: Array

    @classmethod
    def joined(cls, parts: Sequence[Part]) -> Part:
        """Return all parts behind one another."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class BootstrapJob:
    """Draws and fits replicates by their numbers; ``errors`` asks for covariances of the estimates of each.

    Without a ``problem`` and ``samplers`` they are fitted one by one.
    """

    result: SemResult
    problem: BatchProblem | None
    samplers: tuple[Sampler, ...]
    units: tuple[Units, ...]
    seed: int
    errors: bool

    @property
    def batch(self) -> int:
        """How many replicates are fitted at once."""
        return min((sampler.batch for sampler in self.samplers), default=SINGLES)

    def run(self, start: int, stop: int) -> Part:
        """Return the replicates from `start` to before `stop`."""
        drawn = drawn_units([unit.count for unit in self.units], start, stop, seed=self.seed)
        if self.problem is not None:
            return self._batch(self.problem, [u.frequencies(d) for u, d in zip(self.units, drawn, strict=True)])
        return self._singles(
            [[unit.members(d[i]) for unit, d in zip(self.units, drawn, strict=True)] for i in range(stop - start)]
        )

    def left_out(self, g: int, which: Index) -> Part:
        """Return the fits without each of some units of group `g`."""
        if self.problem is not None:
            ones = [np.ones((len(which), len(unit.rows))) for unit in self.units]
            ones[g] = self.units[g].without(which)
            return self._batch(self.problem, ones)
        everyone = [np.arange(len(unit.rows)) for unit in self.units]
        kept = [np.flatnonzero(row) for row in self.units[g].without(which)]
        return self._singles([[*everyone[:g], rows, *everyone[g + 1 :]] for rows in kept])

    def _batch(self, problem: BatchProblem, frequencies: Sequence[Array]) -> Part:
        samples = [sampler.draw(w) for sampler, w in zip(self.samplers, frequencies, strict=True)]
        found = fit_batch(problem, samples)
        vcov = np.zeros((len(found.values), 0, 0))
        if self.errors:
            with np.errstate(all="ignore"):
                vcov = free_covariances(problem, found.values, samples)
        return Part(found.values, found.chisq, found.converged, vcov)

    def _singles(self, rows: Sequence[Sequence[Index]]) -> Part:
        size = self.result.problem.n_free if self.errors else 0
        values = np.full((len(rows), len(self.result.table.parameters)), np.nan)
        chisq, vcov = np.full(len(rows), np.nan), np.full((len(rows), size, size), np.nan)
        converged = np.zeros(len(rows), dtype=bool)
        for i, chosen in enumerate(rows):
            found = refit(
                self.result,
                [unit.rows[which] for unit, which in zip(self.units, chosen, strict=True)],
                errors=self.errors,
            )
            if found is not None:
                values[i], chisq[i], vcov[i] = found
                converged[i] = True
        return Part(values, chisq, converged, vcov)
