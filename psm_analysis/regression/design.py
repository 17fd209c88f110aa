"""From a data frame to the checked arrays of a regression: complete rows, indicator columns, clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import nearest
from psm_analysis.errors import DataError, OptionError

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Design:
    """The arrays of one regression, all of the same rows.

    Attributes
    ----------
    y
        Outcome, shape (n,).
    X
        Predictors without a constant, shape (n, k), one column per term.
    terms
        For every predictor as it was named, the terms it became: itself, or its indicators.
    clusters
        Codes 0..G-1 of the cluster of each row, or None.
    n_dropped
        Rows left out because a value of them is missing.
    """

    outcome: str
    y: NDArray[np.float64]
    X: pd.DataFrame
    terms: dict[str, tuple[str, ...]]
    clusters: NDArray[np.int64] | None
    n_dropped: int

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters, or None."""
        return None if self.clusters is None else int(self.clusters.max()) + 1


def make_design(data: pd.DataFrame, outcome: str, *, predictors: Sequence[str], cluster: str | None = None) -> Design:
    """Check the columns, keep the complete rows, and turn categories into indicators against the first of them.

    Raises
    ------
    DataError
        For an unknown, constant, infinite or perfectly collinear column, too few rows, or a single cluster.
    OptionError
        If a predictor is named twice or is the outcome itself.
    """
    names = _checked_names(data, outcome, predictors=predictors, cluster=cluster)
    kept = data.loc[:, names].dropna()
    if kept.empty:
        raise DataError(
            "No row has a value in every variable of the regression.",
            where=", ".join(names),
            remedy="Look at psm.missing_patterns(data) and leave out the variable that is missing most.",
        )
    y = _numeric(kept[outcome], role="outcome")
    if np.ptp(y) == 0:
        raise DataError(
            f"The outcome has the same value {y[0]:g} in all {len(y)} complete rows.",
            where=f"column {outcome!r}",
            remedy="A regression needs an outcome that varies.",
        )
    columns = {name: _terms_of(kept[name]) for name in predictors}
    X = pd.concat(columns.values(), axis=1)
    _check_rank(X)
    return Design(
        outcome=outcome,
        y=y,
        X=X,
        terms={name: tuple(frame.columns) for name, frame in columns.items()},
        clusters=None if cluster is None else _cluster_codes(kept[cluster]),
        n_dropped=len(data) - len(kept),
    )


def check_known(names: Iterable[str], known: Iterable[str], *, where: str = "data") -> None:
    """Raise a DataError that names the first of `names` that is not `known`, with the nearest known one."""
    columns = [str(column) for column in known]
    for name in names:
        if name not in columns:
            shown = ", ".join(columns[:12]) + (", ..." if len(columns) > 12 else "")
            raise DataError(
                f"There is no variable {name!r}.", where=where, remedy=f"{nearest(name, columns)}There are: {shown}."
            )


def _checked_names(data: pd.DataFrame, outcome: str, *, predictors: Sequence[str], cluster: str | None) -> list[str]:
    if isinstance(predictors, str) or not predictors:
        raise OptionError("Predictors are a non-empty list of column names.", where="predictors")
    names = [outcome, *predictors, *([] if cluster is None or cluster in predictors else [cluster])]
    check_known(names, data.columns, where="columns of the data")
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"{name!r} is used twice in one regression.", where="outcome, predictors, cluster")
    return names


def _numeric(column: pd.Series, *, role: str) -> NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(column):
        raise DataError(
            f"The {role} is not numeric; its first value is {column.iloc[0]!r}.",
            where=f"column {column.name!r}",
            remedy="Give its codes as numbers.",
        )
    values = column.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise DataError(f"The {role} has infinite values.", where=f"column {column.name!r}")
    return values


def _terms_of(column: pd.Series) -> pd.DataFrame:
    name = str(column.name)
    if pd.api.types.is_numeric_dtype(column):
        return pd.DataFrame({name: _numeric(column, role="predictor")}, index=column.index)
    levels = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else sorted(column.unique())
    used = [level for level in levels if (column == level).any()]
    if len(used) < 2:
        raise _constant(name)
    return pd.DataFrame(
        {f"{name}[{level}]": (column == level).to_numpy(dtype=float) for level in used[1:]}, column.index
    )


def _constant(name: str) -> DataError:
    return DataError("The predictor is constant.", where=f"column {name!r}", remedy="Leave it out.")


def _check_rank(X: pd.DataFrame) -> None:
    n, k = X.shape
    if n <= k + 1:
        raise DataError(
            f"{n} complete rows cannot carry {k} terms and a constant.", remedy="Use fewer predictors or more data."
        )
    centred = X.to_numpy(dtype=float) - X.to_numpy(dtype=float).mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    for j, name in enumerate(X.columns):
        if norms[j] <= TOLERANCE * (1 + np.abs(X.iloc[:, j]).max()):
            raise _constant(str(name))
        before = centred[:, :j] / norms[:j]
        weights, *_ = np.linalg.lstsq(before, centred[:, j] / norms[j], rcond=None)
        left = np.linalg.norm(centred[:, j] / norms[j] - before @ weights)
        if left < TOLERANCE:
            others = [str(term) for term, weight in zip(X.columns, weights, strict=False) if abs(weight) > 1e-6]
            raise DataError(
                f"The predictor is an exact linear combination of {', '.join(others)}.",
                where=f"term {name!r}",
                remedy="Perfectly collinear predictors have no separate effects: leave one of them out.",
            )


def _cluster_codes(column: pd.Series) -> NDArray[np.int64]:
    codes, values = pd.factorize(column, sort=False)
    if len(values) < 2:
        raise DataError(
            f"All complete rows are in one cluster, {values[0]!r}.",
            where=f"column {column.name!r}",
            remedy="Cluster-robust errors need at least two clusters, and are reliable from about forty.",
        )
    return np.asarray(codes, dtype=np.int64)
