"""Starting values: one principal factor per latent variable, sample moments for the rest.

Factors are taken from the largest to the smallest; where indicators are shared (bifactor models, cross-loadings) what a
factor explains is taken out of the correlations before the next one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.partable import Parameter, ParameterTable
from psm_analysis.sem.sample import GroupSample, Sample
from psm_analysis.sem.symmetric import eigen


def starting_values(table: ParameterTable, sample: Sample) -> Array:
    """Return a value for every parameter of the table; fixed parameters keep theirs."""
    values = np.array([p.value for p in table.parameters])
    for g, group in enumerate(sample.groups):
        mine = [(i, p) for i, p in enumerate(table.parameters) if p.group == g + 1]
        guess = _group_values([p for _, p in mine], table, group, sample.names)
        for (i, p), value in zip(mine, guess, strict=True):
            if p.exogenous:
                values[i] = value
            elif p.free:
                given = value if math.isnan(p.start) else p.start
                values[i] = min(max(given, p.lower), p.upper)
    return values


def _group_values(
    parameters: Sequence[Parameter], table: ParameterTable, group: GroupSample, names: Sequence[str]
) -> list[float]:
    at = {name: i for i, name in enumerate(names)}
    loadings, spread = _measurement(parameters, table.roles.latent, group.cov, at)
    mean = group.mean if group.mean is not None else np.zeros(len(at))
    measured = frozenset(table.roles.indicators)

    thresholds = group.ordinal.thresholds if group.ordinal else ()
    exogenous = table.roles.exogenous_observed if table.options.fixed_x else ()
    order = [name for name in names if name not in exogenous]

    def guess(p: Parameter) -> float:
        if p.op == "|":
            return float(thresholds[order.index(p.lhs)][int(p.rhs[1:]) - 1])
        if p.op == "~*~":
            return 1.0
        if p.op == "=~":
            return loadings[p.lhs, p.rhs]
        if p.op == "~1":
            return float(mean[at[p.lhs]]) if p.lhs in at else 0.0
        if p.op != "~~":
            return 0.0
        if p.exogenous:
            return float(group.cov[at[p.lhs], at[p.rhs]])
        if p.lhs != p.rhs:
            return 0.0
        if p.lhs not in at:
            return spread[p.lhs]
        variance = float(group.cov[at[p.lhs], at[p.lhs]])
        return variance / 2 if p.lhs in measured else variance

    return [guess(p) for p in parameters]


def _measurement(
    parameters: Sequence[Parameter], latent: Sequence[str], cov: Array, at: dict[str, int]
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Return loadings by (factor, indicator) and factor variances."""
    scale = np.sqrt(cov.diagonal())
    residual = cov / np.outer(scale, scale)
    blocks: dict[str, list[Parameter]] = {name: [] for name in latent}
    for p in parameters:
        if p.op == "=~":
            blocks[p.lhs].append(p)
    fixed = {p.lhs: p.value for p in parameters if p.op == "~~" and p.lhs == p.rhs and not p.free}
    loadings: dict[tuple[str, str], float] = {}
    spread = dict.fromkeys(latent, 1.0)
    first_order = [name for name in latent if all(p.rhs in at for p in blocks[name]) and blocks[name]]
    indicators = [p.rhs for name in first_order for p in blocks[name]]
    shared = len(set(indicators)) < len(indicators)
    for name in sorted(first_order, key=lambda name: -len(blocks[name])):
        places = np.array([at[p.rhs] for p in blocks[name]])
        square = (places[:, None], places)
        weights = _principal_factor(residual[square])
        if shared:
            residual[square] -= np.outer(weights, weights)
            residual[places, places] = np.maximum(residual[places, places], 0.05)
        _scaled(blocks[name], (weights, scale[places]), fixed.get(name), loadings, spread)
    for name in latent:
        if name not in first_order and blocks[name]:
            sizes = [scale[at[p.rhs]] if p.rhs in at else math.sqrt(spread[p.rhs] or 1.0) for p in blocks[name]]
            _scaled(blocks[name], (np.full(len(sizes), 0.7), np.array(sizes)), fixed.get(name), loadings, spread)
    return loadings, spread


def _principal_factor(correlations: Array) -> Array:
    """Return loadings of the first principal factor, communalities from the largest correlation of each row."""
    if len(correlations) == 1:
        return np.array([0.95])
    reduced = correlations.copy()
    np.fill_diagonal(reduced, 0.0)
    np.fill_diagonal(reduced, np.abs(reduced).max(axis=0).clip(0.05, 0.95))
    values, vectors = eigen(reduced)
    weights = vectors[:, -1] * math.sqrt(max(values[-1], 0.05))
    weights *= 1.0 if weights.sum() >= 0 else -1.0
    return np.asarray(weights.clip(-0.95, 0.95))


def _scaled(
    block: Sequence[Parameter],
    standardized: tuple[Array, Array],
    variance: float | None,
    loadings: dict[tuple[str, str], float],
    spread: dict[str, float],
) -> None:
    """Put loadings (in standard deviations, and these) on the scale that a fixed loading or a fixed variance sets."""
    name = block[0].lhs
    weights, deviations = standardized
    marker = next((i for i, p in enumerate(block) if not p.free and p.value), None)
    if variance is not None and variance > 0:
        unit = math.sqrt(variance)
    elif marker is not None:
        floor = 0.2 * float(np.abs(weights).max())
        size = max(abs(float(weights[marker])), floor) * float(deviations[marker])
        sign = math.copysign(1.0, float(weights[marker]) * block[marker].value)
        unit = sign * size / abs(block[marker].value)
    else:
        unit = 1.0
    spread[name] = unit**2 if variance is None else variance
    values = weights * deviations / unit
    loadings.update({(name, p.rhs): float(value) for p, value in zip(block, values, strict=True)})
