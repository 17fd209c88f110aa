"""Draws samples from a population: normal scores, their shape, categories, missing answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psm_analysis.errors import OptionError
from psm_analysis.sem.arrays import Array
from psm_analysis.simulation.missingness import NODES

if TYPE_CHECKING:
    from psm_analysis.simulation.population import Population

GROUP, CLUSTER = "group", "cluster"


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean vector and covariance matrix of one group."""

    mean: Array
    cov: Array

    @property
    def deviations(self) -> Array:
        """Standard deviations."""
        return np.asarray(np.sqrt(np.diagonal(self.cov)))


def generator(seed: int, replicate: int) -> np.random.Generator:
    """Return the generator of one replicate, which depends on nothing but the seed and its number.

    Raises
    ------
    OptionError
        If there is no seed.
    """
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise OptionError(
            f"seed={seed!r} cannot be used.", where="argument 'seed'", remedy="Give a whole number, such as seed=1."
        )
    return np.random.default_rng([int(seed), replicate])


def normal_rows(nobs: int, p: int, rng: np.random.Generator) -> Array:
    """Return independent standard normal scores, shape ``(nobs, p)``."""
    return rng.standard_normal((nobs, p))


def generate_rows(people: Population, sizes: Sequence[int], rng: np.random.Generator) -> list[Array]:
    """Return the rows of each group: category numbers from 1 for ordinal variables, nan for missing answers."""
    return [_group_rows(people, g, size, rng) for g, size in enumerate(sizes)]


def _group_rows(people: Population, g: int, size: int, rng: np.random.Generator) -> Array:
    moments = people.moments[g]
    scores = normal_rows(size, len(people.names), rng)
    if people.clusters is not None:
        scores = people.clusters.mix(scores, rng)
    if people.shape is None:
        centred = scores @ root(moments.cov).T
        standard = centred / moments.deviations
    else:
        shape = people.shape[g]
        standard = shape.shaped(scores @ root(shape.correlations).T)
        centred = standard * moments.deviations
    rows = centred + moments.mean
    for name, cuts in people.thresholds.items():
        j = people.names.index(name)
        rows[:, j] = 1.0 + np.searchsorted(cuts[g], rows[:, j])
    plan = people.missing
    if plan is not None:
        nodes = NODES if people.shape is None or plan.by < 0 else people.shape[g].cubic(NODES, plan.by)
        rows[plan.mask(standard, rng, nodes=nodes)] = np.nan
    return np.asarray(rows)


def root(matrix: Array) -> Array:
    """Return the lower Cholesky factor."""
    return np.linalg.cholesky(matrix)


def generate_frame(people: Population, sizes: Sequence[int], *, seed: int, replicate: int) -> pd.DataFrame:
    """Return the rows of one replicate with group and cluster columns where there are any."""
    parts = generate_rows(people, sizes, generator(seed, replicate))
    frame = pd.DataFrame(np.vstack(parts), columns=list(people.names))
    if len(sizes) > 1:
        frame[GROUP] = np.repeat(people.groups, sizes)
    if people.clusters is not None:
        codes, begin = [], 0
        for size in sizes:
            codes.append(begin + people.clusters.codes(size))
            begin = int(codes[-1][-1]) + 1
        frame[CLUSTER] = np.concatenate(codes)
    return frame
