"""Clustered rows as the two-level likelihood sees them: sums of squares within, means of clusters by cluster size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import DataError
from psm_analysis.sem.arrays import Array, Index
from psm_analysis.sem.sample import check_positive_definite, sample_matrix


@dataclass(frozen=True, slots=True)
class ClusterStatistics:
    """Sufficient statistics of the normal two-level likelihood.

    Attributes
    ----------
    names
        All observed variables, those of level 1 first.
    at_within, at_between
        Places of the variables of each level among `names`.
    sizes, counts
        The distinct cluster sizes and how many clusters have each.
    means, scatters
        Of the clusters of each size: the mean of their mean vectors, shape ``(sizes, p)``, and their covariance
        matrix (divisor: the number of clusters), shape ``(sizes, p, p)``.
    pooled
        Covariance matrix within clusters, divisor ``N - J``, of the variables of level 1.
    rows, codes, cluster_means, index
        The rows used, the cluster of each, the mean vector of each cluster, and the labels of rows and of clusters.
    """

    names: tuple[str, ...]
    at_within: Index
    at_between: Index
    sizes: Array
    counts: Array
    means: Array
    scatters: Array
    pooled: Array
    rows: Array
    codes: Index
    cluster_means: Array
    index: pd.Index
    labels: pd.Index

    @property
    def nobs(self) -> int:
        """The number of rows."""
        return len(self.rows)

    @property
    def n_clusters(self) -> int:
        """The number of clusters."""
        return len(self.cluster_means)

    @property
    def cluster_sizes(self) -> Index:
        """The number of rows of each cluster."""
        return np.bincount(self.codes)


def cluster_statistics(
    data: pd.DataFrame, *, within: Sequence[str], between: Sequence[str], cluster: str
) -> ClusterStatistics:
    """Return the statistics of the rows that are complete in all variables and in the cluster variable.

    Raises
    ------
    DataError
        For an unknown cluster column, a single cluster, clusters of one row only, variables of level 2 that vary within
        clusters, or variables of level 1 that do not.
    """
    names = (*within, *(name for name in between if name not in within))
    codes, labels, rows, index = _rows(data, names, cluster)
    sizes = np.bincount(codes)
    means = _sums(rows, codes) / sizes[:, None]
    deviations = rows - means[codes]
    _check_levels(rows, deviations, names=names, n_within=len(within), cluster=cluster)
    inside = deviations[:, : len(within)]
    pooled = inside.T @ inside / (len(rows) - len(sizes))
    check_positive_definite(pooled, list(within), "the rows within clusters")
    distinct, group = np.unique(sizes, return_inverse=True)
    counts = np.bincount(group).astype(float)
    grand = _sums(means, group) / counts[:, None]
    apart = means - grand[group]
    scatters = np.stack([apart[group == g].T @ apart[group == g] / counts[g] for g in range(len(distinct))])
    at = {name: i for i, name in enumerate(names)}
    return ClusterStatistics(
        names=names,
        at_within=np.arange(len(within), dtype=np.intp),
        at_between=np.array([at[name] for name in between], dtype=np.intp),
        sizes=distinct.astype(float),
        counts=counts,
        means=grand,
        scatters=scatters,
        pooled=pooled,
        rows=rows,
        codes=codes,
        cluster_means=means,
        index=index,
        labels=labels,
    )


def _sums(values: Array, codes: Index) -> Array:
    """Return sums of rows by code, shape ``(codes, columns)``."""
    return np.stack([np.bincount(codes, weights=column) for column in values.T], axis=1)


def _rows(data: pd.DataFrame, names: Sequence[str], cluster: str) -> tuple[Index, pd.Index, Array, pd.Index]:
    if not isinstance(data, pd.DataFrame) or cluster not in data.columns:
        known = data.columns if isinstance(data, pd.DataFrame) else []
        raise DataError(
            f"The cluster variable {cluster!r} is not in the data.",
            where="argument 'cluster'",
            remedy=nearest(cluster, known) or "Name the column of data= that holds the units.",
        )
    known_cluster = data[data[cluster].notna()]
    rows, at = sample_matrix(known_cluster.reset_index(drop=True), names)
    used = known_cluster.iloc[at]
    codes, labels = pd.factorize(used[cluster])
    if len(labels) < 2 or len(labels) == len(rows):
        found = f"{len(labels)} value" if len(labels) < 2 else "another value in every row"
        raise DataError(
            f"The cluster variable {cluster!r} has {found} in the {len(rows)} complete rows.",
            where=f"column {cluster!r}",
            remedy="A two-level model needs several clusters, of several rows each: name the column of the units.",
        )
    return np.asarray(codes, dtype=np.intp), pd.Index(labels), rows, used.index


def _check_levels(rows: Array, deviations: Array, *, names: Sequence[str], n_within: int, cluster: str) -> None:
    spread = np.abs(deviations).max(axis=0)
    scale = np.abs(rows).max(axis=0) + 1e-300
    for i, name in enumerate(names):
        if i < n_within and spread[i] <= 1e-10 * scale[i]:
            raise DataError(
                f"The variable {name!r} of level 1 does not vary within the clusters of {cluster!r}.",
                where=f"column {name!r}",
                remedy="Use it at level 2 only.",
            )
        if i >= n_within and spread[i] > 1e-10 * scale[i]:
            raise DataError(
                f"The variable {name!r} is used at level 2 only, but varies within the clusters of {cluster!r}.",
                where=f"column {name!r}",
                remedy="Use it at level 1 as well (such as 'x ~~ x'), or give the mean of each cluster.",
            )
