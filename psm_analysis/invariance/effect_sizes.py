"""How much non-invariance matters: dMACS of items, and differences of latent means.

References
----------
Nye, C. D., & Drasgow, F. (2011). Effect size indices for analyses of measurement equivalence. Journal of Applied
Psychology, 96, 966-980.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from psm_analysis.invariance.blocks import Block, Blocks, Key
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.result import SemResult

NODES = 61


def dmacs(fit: SemResult, blocks: Blocks) -> pd.DataFrame:
    """Return dMACS of every indicator of one factor, of each block against the first, by the parameters of a fit.

    ``dMACS = sqrt(E[(E_g(y | eta) - E_1(y | eta))^2]) / SD`` over the distribution of the factor in block g (Nye &
    Drasgow, 2011, eq. 3), with the SD of the item pooled over both blocks. The expected answer is ``nu + lambda eta``,
    or for an ordinal item with categories 1, 2, ... ``1 + sum_k Phi((nu + lambda eta - tau_k) / sqrt(theta))``.
    Parameters that are equal in the fit give 0. Columns: ``item, factor, group`` (or ``wave``), ``dmacs,
    intercept_difference, loading_difference``.
    """
    values, implied = blocks.values(fit), blocks.implied(fit)
    loadings = [(lhs, rhs) for lhs, op, rhs in values[0] if op == "=~" and _observed(fit, blocks, rhs)]
    single = [(f, item) for f, item in loadings if sum(other == item for _, other in loadings) == 1]
    first = blocks.members[0]
    rows = []
    for block, mine, moments in zip(blocks.members[1:], values[1:], implied[1:], strict=True):
        for factor, item in single:
            k = block.factor(fit, factor)
            nodes, weights = _normal_nodes(moments.eta_mean[k], moments.C[k, k])
            gap = _expected(mine, factor, item, nodes) - _expected(values[0], factor, item, nodes)
            size = math.sqrt(float(weights @ gap**2)) / _pooled(fit, (first, block), item)
            changes = [_change(mine, values[0], key) for key in ((item, "~1", ""), (factor, "=~", item))]
            rows.append([item, factor, block.label, size, *changes])
    columns = ["item", "factor", blocks.kind, "dmacs", "intercept_difference", "loading_difference"]
    return pd.DataFrame(rows, columns=columns)


def _observed(fit: SemResult, blocks: Blocks, name: str) -> bool:
    return blocks.members[0].names[name] in fit.sample.names


def _change(mine: Mapping[Key, float], reference: Mapping[Key, float], key: Key) -> float:
    return mine.get(key, 0.0) - reference.get(key, 0.0)


def _normal_nodes(mean: float, variance: float) -> tuple[Array, Array]:
    """Return nodes and weights of an expectation over a normal distribution (Gauss and Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return mean + math.sqrt(max(variance, 0.0)) * nodes, weights / weights.sum()


def _expected(values: Mapping[Key, float], factor: str, item: str, eta: Array) -> Array:
    from scipy.special import ndtr

    latent = values.get((item, "~1", ""), 0.0) + values[factor, "=~", item] * eta
    thresholds = np.array([value for (lhs, op, _), value in values.items() if lhs == item and op == "|"])
    if not thresholds.size:
        return np.asarray(latent)
    spread = math.sqrt(max(values[item, "~~", item], 1e-12))
    return np.asarray(1.0 + ndtr((latent[:, None] - thresholds) / spread).sum(axis=1))


def _pooled(fit: SemResult, pair: Sequence[Block], item: str) -> float:
    squares, counts = 0.0, 0
    for block in pair:
        sample, i = block.sample(fit), fit.sample.names.index(block.names[item])
        variance, nobs = float(sample.cov[i, i]), sample.nobs
        if sample.ordinal is not None and sample.rows is not None:
            answers = sample.rows[~np.isnan(sample.rows[:, i]), i]
            codes = np.unique(answers, return_inverse=True)[1]
            variance, nobs = float(codes.var()), len(codes)
        squares += nobs * variance
        counts += nobs
    return math.sqrt(squares / (counts - 2))


def latent_means(fit: SemResult, blocks: Blocks, *, level: float = 0.95) -> pd.DataFrame:
    """Return means of the factors in each block less those of the first, with intervals.

    ``d`` is the difference divided by the standard deviation of the factor pooled over both blocks. Columns: ``factor,
    group`` (or ``wave``), ``estimate, std_error, statistic, p_value, ci_low, ci_high, d``.
    """
    tidy = fit.tidy(level=level)
    records = {(row["lhs"], row["group"]): row for row in tidy[tidy["op"] == "~1"].to_dict("records")}
    implied, labels = blocks.implied(fit), fit.group_labels
    numbers = ["estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]
    rows = []
    for block, moments in zip(blocks.members[1:], implied[1:], strict=True):
        for factor, there in block.names.items():
            if there not in fit.table.roles.latent or (there, labels[block.group - 1]) not in records:
                continue
            first = blocks.members[0]
            spread = [implied[0].C[(first.factor(fit, factor),) * 2], moments.C[(block.factor(fit, factor),) * 2]]
            pooled = math.sqrt(float(np.average(spread, weights=[b.sample(fit).nobs for b in (first, block)])))
            row = records[there, labels[block.group - 1]]
            rows.append([factor, block.label, *(row[name] for name in numbers), row["estimate"] / pooled])
    return pd.DataFrame(rows, columns=["factor", blocks.kind, *numbers, "d"])
