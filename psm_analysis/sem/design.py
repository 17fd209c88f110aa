"""Sampling weights and clusters: how rows are weighted, and which of them are not independent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import DataError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.sample import GroupSample, Sample


def with_design(sample: Sample, data: pd.DataFrame, *, cluster: str | None, weights: str | None) -> Sample:
    """Return the sample with the weights (scaled to a mean of 1) and clusters of its rows.

    Samples of incomplete rows and of ordinal variables have been weighted when they were made.

    Raises
    ------
    DataError
        For unknown columns, missing values in them, weights that are not positive, or a single cluster.
    """
    rows = np.concatenate([group.positions for group in sample.groups if group.positions is not None])
    w = None if weights is None else row_weights(data, weights, rows)
    c = None if cluster is None else _clusters(data, cluster, rows)
    return replace(sample, groups=tuple(_with_design(group, w, c) for group in sample.groups))


def _with_design(group: GroupSample, weights: Array | None, clusters: Array | None) -> GroupSample:
    assert group.rows is not None
    assert group.positions is not None
    codes = None if clusters is None else np.unique(clusters[group.positions], return_inverse=True)[1]
    group = replace(group, clusters=codes)
    if weights is None or group.weights is not None:
        return group
    w = weights[group.positions]
    total = w.sum()
    mean = w @ group.rows / total
    centred = group.rows - mean
    return replace(group, weights=w, mean=mean, cov=(centred * w[:, None]).T @ centred / total)


def _column(data: pd.DataFrame, name: str, rows: Array, *, argument: str) -> pd.Series:
    if name not in data.columns:
        raise DataError(
            f"The column {name!r} is not in the data.",
            where=f"argument {argument!r}",
            remedy=nearest(name, data.columns) or "Name a column of the data.",
        )
    missing = data[name].isna().to_numpy()[rows]
    if missing.any():
        raise DataError(
            f"{int(missing.sum())} of the rows that are used have no value of {name!r}.",
            where=f"column {name!r}",
            remedy="Complete them, or leave these rows out.",
        )
    return data[name]


def row_weights(data: pd.DataFrame, name: str, rows: Array) -> Array:
    """Return the weights of all rows of the data, scaled to a mean of 1 over the `rows` that are used.

    Raises
    ------
    DataError
        For an unknown column, and for weights of these rows that are missing, not numbers or not positive.
    """
    column = _column(data, name, rows, argument="sampling_weights")
    if not pd.api.types.is_numeric_dtype(column):
        raise DataError(
            f"The weights {name!r} are not numbers.", where=f"column {name!r}", remedy="Give numeric weights."
        )
    values = column.to_numpy(dtype=float, na_value=np.nan)
    if not (values[rows] > 0).all() or not np.isfinite(values[rows]).all():
        raise DataError(
            f"The weights {name!r} are not all positive.",
            where=f"column {name!r}",
            remedy="Leave out rows of weight zero, and correct negative or infinite weights.",
        )
    return np.asarray(values / values[rows].mean())


def _clusters(data: pd.DataFrame, name: str, rows: Array) -> Array:
    codes = np.asarray(pd.factorize(_column(data, name, rows, argument="cluster"))[0])
    n = len(np.unique(codes[rows]))
    if n < 2 or n == len(rows):
        raise DataError(
            f"The cluster variable {name!r} has {'one value' if n < 2 else 'another value in every row'}.",
            where=f"column {name!r}",
            remedy="Leave cluster= out, or name the column of the units.",
        )
    return codes


def aggregated(parts: Array, group: GroupSample, *, weighted: bool = False) -> Array:
    """Return contributions of rows weighted and summed by cluster; `weighted` ones bear their weights already.

    Sums of J clusters are multiplied by ``sqrt(J / (J - 1))``, so that their cross-product is the unbiased one.
    """
    if group.weights is not None and not weighted:
        parts = parts * group.weights[:, None]
    if group.clusters is None:
        return parts
    total = np.zeros((int(group.clusters.max()) + 1, parts.shape[1]))
    np.add.at(total, group.clusters, parts)
    return np.asarray(total * np.sqrt(len(total) / (len(total) - 1)))
