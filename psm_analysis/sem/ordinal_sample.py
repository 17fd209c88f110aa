"""The sample with ordinal variables: thresholds, polychoric correlations, and their influence functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis._options import Missing
from psm_analysis.errors import DataError
from psm_analysis.moments.mixed import MixedMoments, mixed_moments
from psm_analysis.moments.mixed_checks import check_values
from psm_analysis.moments.newton import BOUND
from psm_analysis.moments.ordered_categories import category_text
from psm_analysis.moments.polychoric import ordinal_moments
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.design import row_weights
from psm_analysis.sem.sample import GroupSample, OrdinalStatistics, Sample, grouped_rows

MAX_CATEGORIES = 20


def sample_from_ordinal(
    data: pd.DataFrame,
    names: Sequence[str],
    *,
    ordered: Sequence[str],
    exogenous: Sequence[str],
    group: str | None,
    missing: Missing,
    weights: str | None = None,
    compact: bool = False,
) -> tuple[Sample, tuple[tuple[str, int], ...]]:
    """Return the sample with ordinal variables, and the number of thresholds of each.

    Parameters
    ----------
    data, names, group
        As for continuous variables; the values of an ordinal variable are its categories, in their order.
    ordered
        The ordinal variables; the others are continuous.
    exogenous
        Variables that all moments are conditional on; rows without them are left out.
    missing
        ``listwise``: rows with all answers; ``pairwise``: every correlation from the rows that have both.
    weights
        Column of sampling weights: thresholds and correlations maximise weighted (pairwise) likelihoods.
    compact
        Keep of the influence functions of many rows their cross-product only: not where they are summed by clusters.

    Raises
    ------
    DataError
        For decimals, a single category, more than 20, or a category that a group does not use.
    """
    blocks = list(grouped_rows(data, names, group))
    categories = {
        name: _categories(np.concatenate([b[2][:, j] for b in blocks]), name)
        for j, name in enumerate(names)
        if name in ordered
    }
    given = np.isin(names, list(exogenous))
    used = [positions[_used(values, given, missing)] for _, _, values, positions in blocks]
    w = None if weights is None else row_weights(data, weights, np.concatenate(used))
    groups = []
    for (label, place, values, _), positions in zip(blocks, used, strict=True):
        rows, mine = values[_used(values, given, missing)], None if w is None else w[positions]
        _check_size(rows, names, place)
        _check_used(rows, names, categories, place=place, data=data)
        found = _group(rows, names, categories, given=given, label=label, weights=mine, compact=compact)
        groups.append(replace(found, index=data.index[positions], positions=positions))
    counts = tuple((name, len(found) - 1) for name, found in categories.items())
    answers = tuple((name, tuple(found.tolist())) for name, found in categories.items())
    return Sample(tuple(names), tuple(groups), n_rows=len(data), group=group, categories=answers), counts


def _counted(n: int) -> str:
    return {0: "no answers", 1: "a single category"}.get(n, f"{n} categories")


def ordinal_doubts(sample: Sample) -> list[str]:
    """Return what is doubtful about the polychoric correlations of a sample, one sentence each.

    Pairs at the bound of a correlation, and a matrix that is not positive definite.
    """
    found = []
    for group in sample.groups:
        if group.ordinal is None:
            continue
        place = f" in group {group.label!r}" if group.label else ""
        sd = np.sqrt(np.diagonal(group.cov))
        R = group.cov / np.outer(sd, sd)
        found += [
            f"The correlation of {sample.names[j]!r} and {sample.names[i]!r} is at its bound{place} ({R[i, j]:.4f}): "
            "they measure the same thing, or their table has too many empty cells."
            for i, j in np.argwhere(np.abs(np.tril(R, -1)) >= BOUND)
        ]
        if np.linalg.eigvalsh(R)[0] <= 0.0:
            found.append(
                f"The matrix of polychoric correlations is not positive definite{place}: the rows are too few for so "
                "many variables, or some depend on each other. Robust CFI and RMSEA are not available."
            )
    return found


def _used(values: Array, given: Mask, missing: Missing) -> Mask:
    """Return which rows are used."""
    gaps = np.isnan(values)
    bad = gaps.any(axis=1) if missing == "listwise" else gaps[:, ~given].all(axis=1) | gaps[:, given].any(axis=1)
    return np.asarray(~bad)


def _categories(values: Array, name: str) -> Array:
    found = np.unique(values[~np.isnan(values)])
    if (found != np.round(found)).any():
        raise DataError(
            f"The ordinal variable {name!r} has decimals, for example {found[found != np.round(found)][0]:g}.",
            where=f"column {name!r}",
            remedy="Take it out of ordered=, or code its categories as whole numbers.",
        )
    if len(found) < 2 or len(found) > MAX_CATEGORIES:
        raise DataError(
            f"The ordinal variable {name!r} has {_counted(len(found))}.",
            where=f"column {name!r}",
            remedy="Leave it out." if len(found) < 2 else "Treat it as continuous, or merge categories.",
        )
    return found


def _group(
    values: Array,
    names: Sequence[str],
    categories: Mapping[str, Array],
    *,
    given: Mask,
    label: str,
    weights: Array | None,
    compact: bool,
) -> GroupSample:
    y_names = [name for name, x in zip(names, given, strict=True) if not x]
    coded = np.column_stack([_coded(values[:, list(names).index(name)], name, categories) for name in y_names])
    check_values(coded, y_names)
    ordinal = np.array([name in categories for name in y_names])
    x = values[:, given]
    share = 1.0 if weights is None else float(weights.mean())
    scaled = None if weights is None else weights / share
    if ordinal.all() and not given.any():
        codes = np.where(np.isnan(coded), -1, coded).astype(np.int64)
        k = np.array([len(categories[name]) for name in y_names])
        plain = ordinal_moments(codes, k, weights=scaled, keep="root" if compact else "rows")
        assert plain.influence is not None
        thresholds = tuple(plain.thresholds[plain.threshold_item == j] for j in range(len(y_names)))
        statistics = OrdinalStatistics(plain.estimates, share * plain.influence, thresholds)
        cov, mean = plain.correlations, np.zeros(len(names))
    else:
        moments = mixed_moments(coded, ordinal, x=x if given.any() else None, weights=scaled, names=y_names)
        assert moments.influence is not None
        statistics = OrdinalStatistics(moments.estimates, share * moments.influence, moments.thresholds)
        cov, mean = _joint(moments, x, given, weights=scaled)
    return GroupSample(label, len(values), cov, mean, values, None, ordinal=statistics, weights=weights)


def _check_size(rows: Array, names: Sequence[str], place: str) -> None:
    if len(rows) <= len(names):
        found = "is 1 row" if len(rows) == 1 else f"are {len(rows)} rows"
        raise DataError(
            f"There {found} for {len(names)} variables in {place}.",
            where=place,
            remedy="Use fewer variables, merge small groups, or with missing answers missing='pairwise'.",
        )


def _coded(column: Array, name: str, categories: Mapping[str, Array]) -> Array:
    """Return category numbers of an ordinal variable (nan for missing), or the values of a continuous one."""
    if name not in categories:
        return column
    codes = np.full(len(column), np.nan)
    seen = ~np.isnan(column)
    codes[seen] = np.searchsorted(categories[name], column[seen])
    return codes


def _check_used(rows: Array, names: Sequence[str], categories: Mapping[str, Array], *, place: str, data: Any) -> None:
    """Refuse a category that nobody of a group chose."""
    for name, known in categories.items():
        unused = np.setdiff1d(known, rows[:, list(names).index(name)])
        if len(unused):
            raise DataError(
                f"Nobody in {place} chose category {category_text(data[name], unused[0])} of {name!r}.",
                where=f"column {name!r}",
                remedy="Merge this category with its neighbour in all groups.",
            )


def _joint(moments: MixedMoments, x: Array, given: Mask, *, weights: Array | None) -> tuple[Array, Array]:
    """Return covariance matrix (divisor N - 1 for exogenous variables, as lavaan has it) and means of all variables."""
    p, y = len(given), np.flatnonzero(~given)
    cov, mean = np.zeros((p, p)), np.zeros(p)
    cov[np.ix_(y, y)], mean[y] = moments.covariances, moments.means
    if given.any():
        centre = np.average(x, axis=0, weights=weights)
        w = np.ones(len(x)) if weights is None else weights
        within = (x - centre).T @ ((x - centre) * w[:, None]) / (len(x) - 1)
        across = moments.slopes @ within
        cov[np.ix_(y, y)] += across @ moments.slopes.T
        cov[np.ix_(y, given)], cov[np.ix_(given, y)] = across, across.T
        cov[np.ix_(given, given)], mean[given] = within, centre
    return cov, mean
