"""Discriminant validity from correlations: the heterotrait-monotrait ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_level
from psm_analysis._options import Correlation, PairMissing, check_option
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE
from psm_analysis.errors import DataError, ModelError
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import FloatArray, IntArray, Sample, as_frame, read_sample
from psm_analysis.reliability.measurement import measurement_items
from psm_analysis.reliability.resampling import bootstrap_correlations, check_replicates, percentile_interval

Model = str | Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    factors: tuple[str, ...]
    sample: Sample
    columns: tuple[IntArray, ...]


def htmt(
    model: Model,
    data: pd.DataFrame,
    *,
    geometric: bool = False,
    correlation: Correlation = "pearson",
    missing: PairMissing = "listwise",
) -> pd.DataFrame:
    """Return the heterotrait-monotrait ratio of correlations of every pair of factors.

    Definition: the mean absolute correlation between the items of two factors over the geometric mean of the two mean
    absolute correlations among the items of one factor (Henseler et al. 2015, equation 6); with
    ``geometric=True`` all means are geometric, which drops the assumption of tau-equivalence (HTMT2, Roemer et al.
    2021; the default of semTools).
    Values below .85 (.90 for related concepts) speak for discriminant validity.

    Parameters
    ----------
    model
        lavaan text (its ``=~`` lines are used) or a mapping of factor to items.
    data
        DataFrame that holds the items.
    geometric
        Whether HTMT2 is returned.
    correlation
        "pearson", "spearman" or "polychoric".
    missing
        "listwise", as semTools, or "pairwise".

    Returns
    -------
    DataFrame
        Factors on both axes, 1 on the diagonal.

    Raises
    ------
    ModelError
        If there are fewer than two factors, or a factor has fewer than two items.
    DataError
        If an item is not among the columns, is constant, not numeric or empty; if a geometric mean does not exist
        because a correlation is 0, or the items of a factor do not correlate.

    References
    ----------
    Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). Journal of the Academy of Marketing Science, 43, 115-135.
    Roemer, E., Schuberth, F., & Henseler, J. (2021). Industrial Management & Data Systems, 121, 2637-2650.
    The R call is ``semTools::htmt(model, data, htmt2 = geometric)``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> f = rng.standard_normal((400, 1)) @ np.ones((1, 4))
    >>> frame = pd.DataFrame(f + rng.standard_normal((400, 4)), columns=["a", "b", "c", "d"])
    >>> bool(htmt({"f": ["a", "b"], "g": ["c", "d"]}, frame).loc["f", "g"] > 0.9)  # one factor, really
    True
    """
    check_option(correlation, Correlation, name="correlation")
    check_option(missing, PairMissing, name="missing")
    blocks = _blocks(model, data)
    R, _ = correlation_matrix(blocks.sample, method=correlation, missing=missing)
    ratios = heterotrait_ratios(R[None], blocks.columns, geometric=geometric)[0]
    _check_ratios(ratios, blocks.factors, geometric=geometric)
    return pd.DataFrame(ratios, index=list(blocks.factors), columns=list(blocks.factors))


def htmt_interval(
    model: Model,
    data: pd.DataFrame,
    *,
    geometric: bool = False,
    n_replicates: int = 2_000,
    seed: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the heterotrait-monotrait ratio of every pair of factors with a percentile bootstrap interval.

    Rows without a missing answer are drawn with replacement; correlations are Pearson's.

    Parameters
    ----------
    model, data, geometric
        As `htmt`.
    n_replicates, seed
        Bootstrap samples and their seed.
    level
        Level of the interval.

    Returns
    -------
    DataFrame
        lhs, rhs, estimate, ci_low, ci_high: one row per pair of factors.

    Raises
    ------
    ModelError, DataError
        As `htmt`.

    References
    ----------
    Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). Journal of the Academy of Marketing Science, 43, 115-135.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.standard_normal((300, 1)) + rng.standard_normal((300, 4)), columns=list("abcd"))
    >>> row = htmt_interval({"f": ["a", "b"], "g": ["c", "d"]}, frame, n_replicates=200, seed=1).iloc[0]
    >>> bool(row["ci_low"] < row["estimate"] < row["ci_high"])
    True
    """
    check_level(level)
    seed = check_replicates(n_replicates, seed)
    blocks = _blocks(model, data)
    complete = blocks.sample.complete()
    R, _ = correlation_matrix(complete)
    estimate = heterotrait_ratios(R[None], blocks.columns, geometric=geometric)[0]
    _check_ratios(estimate, blocks.factors, geometric=geometric)
    drawn = bootstrap_correlations(complete.values, n_replicates, seed=seed)
    replicates = heterotrait_ratios(drawn, blocks.columns, geometric=geometric)
    for replicate in replicates[~np.isfinite(replicates).all(axis=(1, 2))]:
        _check_ratios(replicate, blocks.factors, geometric=geometric)
    low, high = percentile_interval(replicates, level=level)
    row, column = np.tril_indices(len(blocks.factors), -1)
    return pd.DataFrame(
        {
            "lhs": [blocks.factors[i] for i in row],
            "rhs": [blocks.factors[j] for j in column],
            ESTIMATE: estimate[row, column],
            CI_LOW: low[row, column],
            CI_HIGH: high[row, column],
        }
    )


def heterotrait_ratios(R: FloatArray, columns: Sequence[IntArray], *, geometric: bool) -> FloatArray:
    """Return (B, k, k) ratios of a stack of correlation matrices (B, p, p); `columns` lists the items of each factor.

    Examples
    --------
    >>> R = np.array([[1, 0.5, 0.2, 0.2], [0.5, 1, 0.2, 0.2], [0.2, 0.2, 1, 0.5], [0.2, 0.2, 0.5, 1]])
    >>> heterotrait_ratios(R[None], [np.array([0, 1]), np.array([2, 3])], geometric=False)[0, 0, 1].round(3).item()
    0.4
    """
    size = np.abs(R)
    k = len(columns)
    within = np.empty((len(R), k))
    ratios = np.broadcast_to(np.eye(k), (len(R), k, k)).copy()
    for a in range(k):
        block = size[:, columns[a][:, None], columns[a]]
        within[:, a] = _mean(block[:, *np.tril_indices(len(columns[a]), -1)], geometric=geometric)
    for a in range(k):
        for b in range(a):
            block = size[:, columns[a][:, None], columns[b]].reshape(len(R), -1)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = _mean(block, geometric=geometric) / np.sqrt(within[:, a] * within[:, b])
            ratios[:, a, b] = ratios[:, b, a] = ratio
    return ratios


def _mean(values: FloatArray, *, geometric: bool) -> FloatArray:
    if not geometric:
        return np.asarray(values.mean(axis=1))
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(np.log(values).mean(axis=1)))


def _blocks(model: Model, data: pd.DataFrame) -> _Blocks:
    data = as_frame(data)
    members = measurement_items(model)
    if len(members) < 2:
        raise ModelError(
            f"The model has {len(members)} factor(s); discriminant validity needs at least 2.",
            where="argument 'model'",
            remedy="Add factors.",
        )
    for factor, items in members.items():
        if len(items) < 2:
            raise ModelError(
                f"The factor {factor!r} has {len(items)} item(s); at least 2 are needed.",
                where="argument 'model'",
                remedy="Leave it out.",
            )
    names = list(dict.fromkeys(item for items in members.values() for item in items))
    absent = [name for name in names if name not in data.columns]
    if absent:
        raise DataError(
            f"The item {absent[0]!r} of the model is not among the columns.",
            where="argument 'data'",
            remedy="Check its spelling.",
        )
    sample = read_sample(data[names])
    columns = tuple(np.array([names.index(item) for item in items]) for items in members.values())
    return _Blocks(tuple(members), sample, columns)


def _check_ratios(ratios: FloatArray, factors: tuple[str, ...], *, geometric: bool) -> None:
    bad = np.argwhere(~np.isfinite(ratios) | ((ratios == 0.0) & geometric))
    if bad.size:
        a, b = factors[int(bad[0][0])], factors[int(bad[0][1])]
        raise DataError(
            "The ratio is undefined: a correlation it divides by or averages geometrically is 0.",
            where=f"factors {a!r} and {b!r}",
            remedy="Use geometric=False, or check the items.",
        )
