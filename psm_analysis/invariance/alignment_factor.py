"""One factor of a configural fit, aligned: means and variances, parameters, and their covariance matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import ModelError
from psm_analysis.invariance.alignment_loss import Alignment, is_well_conditioned, minimum, sensitivity, upward
from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.result import SemResult


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the configural fit says of one factor.

    ``rows`` of the parameter table, loadings then levels, shape ``(P + Q, G)``; ``names`` of both; ``sign`` by which
    they enter (thresholds enter as intercepts of the opposite sign).
    """

    rows: Index
    names: tuple[tuple[str, str], ...]
    n_items: int
    item: Index
    sign: Array


@dataclass(frozen=True, slots=True)
class AlignedFactor:
    """An aligned factor.

    Attributes
    ----------
    factor
        Its name.
    means, variances
        Of each group, shape ``(G,)``.
    covariance
        Of means, then variances, shape ``(2 G, 2 G)``.
    names
        Item and kind (``loading``, ``intercept``, ``threshold 1`` ...) of each parameter.
    parameters
        Aligned values, shape ``(parameters, G)``.
    parameter_covariance
        Of each parameter over groups, shape ``(parameters, G, G)``.
    configural
        The values before alignment.
    item
        The row of the loading that belongs to each parameter.
    contributions
        What each parameter adds to the simplicity function.
    identified
        Whether the minimum determines all means and variances.
    """

    factor: str
    means: Array
    variances: Array
    covariance: Array
    names: tuple[tuple[str, str], ...]
    parameters: Array
    parameter_covariance: Array
    configural: Array
    item: Index
    contributions: Array
    identified: bool


def find_estimates(fit: SemResult, factor: str) -> Estimates:
    """Return where the loadings and the intercepts (or thresholds) of a factor are."""
    parameters, G = fit.table.parameters, len(fit.group_labels)
    at = {(p.lhs, p.op, p.rhs, p.group): i for i, p in enumerate(parameters)}
    items = [p.rhs for p in parameters if p.op == "=~" and p.group == 1 and p.lhs == factor]
    keys: list[tuple[str, str, str]] = [(factor, "=~", name) for name in items]
    names, item = [(name, "loading") for name in items], []
    for k, name in enumerate(items):
        cuts = [p.rhs for p in parameters if p.op == "|" and p.group == 1 and p.lhs == name]
        keys += [(name, "|", cut) for cut in cuts] or [(name, "~1", "")]
        names += [(name, f"threshold {cut[1:]}") for cut in cuts] or [(name, "intercept")]
        item += [k] * max(len(cuts), 1)
    rows = np.array([[at[(*key, g)] for g in range(1, G + 1)] for key in keys], dtype=np.intp)
    for key, row in zip(keys, rows, strict=True):
        if not all(parameters[i].free for i in row):
            raise ModelError(
                f"'{key[0]} {'~ 1' if key[1] == '~1' else ' '.join(key[1:])}' is fixed.",
                where="argument 'model'",
                remedy="Alignment needs a model in which loadings and intercepts are free in all groups.",
            )
    sign = np.array([-1.0 if key[1] == "|" else 1.0 for key in keys])
    return Estimates(rows, tuple(names), len(items), np.array(item, dtype=np.intp), sign)


def align_factor(fit: SemResult, factor: str, *, order: Sequence[int], fixed: bool, product: bool) -> AlignedFactor:
    """Align one factor; the first group of `order` is the reference."""
    found = find_estimates(fit, factor)
    rows, P, G = found.rows[:, list(order)], found.n_items, len(order)
    signs = np.repeat(found.sign[:, None], G, axis=1)
    signs[:P] *= np.where(upward(fit.estimates[rows[:P]]), 1.0, -1.0)
    configural = signs * fit.estimates[rows]
    nobs = np.array([fit.sample.groups[g].nobs for g in order], dtype=float)
    weights = np.sqrt(np.outer(nobs, nobs))
    np.fill_diagonal(weights, 0.0)
    problem = Alignment(configural[:P], configural[P:], found.item, weights, fixed)
    delta = minimum(problem)
    loadings, levels = problem.aligned(delta)
    contributions = np.concatenate([problem.contributions(loadings), problem.contributions(levels)])
    place = fit.problem.position[rows].ravel()
    V = fit.free_vcov[np.ix_(place, place)] * np.outer(signs.ravel(), signs.ravel())
    scale, back = 1.0 if product else float(np.exp(delta[G])), np.argsort(order)
    structure, moves = _jacobians(problem, delta, product=product)
    measured = np.stack([row @ V @ row.T for row in moves])
    means, variances = delta[:G] / scale, np.exp(2.0 * delta[G:]) / scale**2
    both = np.concatenate([back, G + back])
    return AlignedFactor(
        factor=factor,
        means=means[back],
        variances=variances[back],
        covariance=(structure @ V @ structure.T)[np.ix_(both, both)],
        names=found.names,
        parameters=(np.concatenate([loadings * scale, levels]) * found.sign[:, None])[:, back],
        parameter_covariance=measured[:, back][:, :, back],
        configural=configural[:, back] * found.sign[:, None],
        item=np.concatenate([np.arange(P), found.item]),
        contributions=contributions,
        identified=is_well_conditioned(problem, delta),
    )


def _jacobians(problem: Alignment, delta: Array, *, product: bool) -> tuple[Array, Array]:
    """Return derivatives by the estimates of means and variances, and of loadings and levels, as they are reported."""
    G, (P, _), Q = problem.n_groups, problem.loadings.shape, len(problem.levels)
    alpha, log_sd = np.split(delta, 2)
    slopes = sensitivity(problem, delta)
    by_alpha, by_sd = slopes[:G], slopes[G:]
    first = np.zeros_like(by_sd[0]) if product else by_sd[0]
    scale = 1.0 if product else float(np.exp(log_sd[0]))
    variances = np.exp(2.0 * log_sd) / scale**2
    by_mean = (by_alpha - alpha[:, None] * first) / scale
    by_variance = 2.0 * variances[:, None] * (by_sd - first)
    loadings, _ = problem.aligned(delta)
    own = np.eye((P + Q) * G).reshape(P + Q, G, -1)
    raw = np.exp(-log_sd)[:, None] * own[:P] - loadings[:, :, None] * by_sd
    levels = own[P:] - loadings[problem.item][:, :, None] * by_alpha - alpha[:, None] * raw[problem.item]
    whole = scale * (raw + loadings[:, :, None] * first)
    return np.concatenate([by_mean, by_variance]), np.concatenate([whole, levels])
