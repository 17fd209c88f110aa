"""The sample with ordinal variables: thresholds, polychoric correlations, and their influence functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from psm_analysis._options import Missing
from psm_analysis.errors import DataError
from psm_analysis.moments.polychoric import ordinal_moments
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.sample import GroupSample, OrdinalStatistics, Sample, grouped_rows

MAX_CATEGORIES = 20


def sample_from_ordinal(
    data: pd.DataFrame, names: Sequence[str], *, group: str | None, missing: Missing
) -> tuple[Sample, tuple[tuple[str, int], ...]]:
    """Return the sample of ordinal variables and the number of thresholds of each.

    Parameters
    ----------
    data, names, group
        As for continuous variables; the values of a variable are its categories, in their order.
    missing
        ``listwise``: rows with all answers; ``pairwise``: every correlation from the rows that have both.

    Raises
    ------
    DataError
        For decimals, a single category, more than 20, or a category that a group does not use.
    """
    blocks = list(grouped_rows(data, names, group))
    categories = [_categories(np.concatenate([b[2][:, j] for b in blocks]), name) for j, name in enumerate(names)]
    groups = []
    for label, place, values, index in blocks:
        missing_values = np.isnan(values)
        bad = missing_values.any(axis=1) if missing == "listwise" else missing_values.all(axis=1)
        keep: Mask = np.asarray(~bad)
        groups.append(_group(values[keep], index[keep], names, categories, label=label, place=place))
    counts = tuple((name, len(found) - 1) for name, found in zip(names, categories, strict=True))
    return Sample(tuple(names), tuple(groups), n_rows=len(data)), counts


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
            f"The ordinal variable {name!r} has {len(found)} categories.",
            where=f"column {name!r}",
            remedy="Leave it out." if len(found) < 2 else "Treat it as continuous, or merge categories.",
        )
    return found


def _group(
    values: Array, index: pd.Index, names: Sequence[str], categories: Sequence[Array], *, label: str, place: str
) -> GroupSample:
    if len(values) <= len(names):
        raise DataError(
            f"There are {len(values)} rows for {len(names)} variables in {place}.",
            where=place,
            remedy="Use fewer variables, merge small groups, or missing='pairwise'.",
        )
    codes = np.full(values.shape, -1, dtype=np.int64)
    for j, (name, found) in enumerate(zip(names, categories, strict=True)):
        seen = ~np.isnan(values[:, j])
        codes[seen, j] = np.searchsorted(found, values[seen, j])
        unused = np.setdiff1d(np.arange(len(found)), codes[:, j])
        if len(unused):
            raise DataError(
                f"Nobody in {place} chose category {found[unused[0]]:g} of {name!r}.",
                where=f"column {name!r}",
                remedy="Merge this category with its neighbour in all groups.",
            )
    moments = ordinal_moments(codes, np.array([len(found) for found in categories]))
    assert moments.influence is not None
    thresholds = tuple(moments.thresholds[moments.threshold_item == j] for j in range(len(names)))
    statistics = OrdinalStatistics(moments.estimates, moments.influence, thresholds)
    zeros = np.zeros(len(names))
    return GroupSample(label, len(values), moments.correlations, zeros, values, index, ordinal=statistics)
