"""The sample as the engine sees it: moments of each group, from rows or from a published matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis._model_names import group_name
from psm_analysis._options import nearest
from psm_analysis.errors import DataError
from psm_analysis.moments.ordered_categories import categories_as_numbers
from psm_analysis.moments.patterns import MissingPatterns
from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.symmetric import eigen, least_eigenvalue


@dataclass(frozen=True, slots=True)
class OrdinalStatistics:
    """Two-step moments of ordinal variables: thresholds, then correlations (lower triangle, by columns).

    ``influence`` holds what each row adds to them, shape ``(n, moments)``, its weight included, or of many rows a
    square matrix with the same cross-product: ``m^2 acov`` for a mass m of the rows (see `GroupSample.mass`).
    """

    moments: Array
    influence: Array
    thresholds: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class GroupSample:
    """Moments of one group.

    Attributes
    ----------
    label
        The value of the grouping variable, blank for a single group.
    nobs
        Number of rows used.
    cov
        Covariance matrix with divisor N.
    mean
        Means, or None where none are known.
    rows
        The complete rows, shape ``(nobs, p)``, or None when only moments were given.
    index
        The index labels of those rows.
    patterns, saturated
        For incomplete rows their missing-data patterns, and -2/n times the saturated log-likelihood without ``log 2
        pi``; `cov` and `mean` are then the maximum-likelihood moments (EM).
    ordinal
        With ordinal variables their two-step moments; `cov` is then the polychoric matrix.
    positions, weights, clusters
        Row numbers in the data, sampling weights (mean 1) and cluster codes of the rows.
    """

    label: str
    nobs: int
    cov: Array
    mean: Array | None
    rows: Array | None
    index: pd.Index | None
    patterns: MissingPatterns | None = None
    saturated: float = 0.0
    ordinal: OrdinalStatistics | None = None
    positions: Index | None = None
    weights: Array | None = None
    clusters: Index | None = None

    @property
    def mass(self) -> float:
        """What the group counts for: its rows, or the sum of their weights."""
        return float(self.nobs if self.weights is None else self.weights.sum())


@dataclass(frozen=True, slots=True)
class Sample:
    """All groups, over the same variables.

    ``group`` is the column that they were told apart by; ``categories`` are the answers of ordinal variables, rising;
    ``words`` are the categories of those columns that are ordered Categoricals.
    """

    names: tuple[str, ...]
    groups: tuple[GroupSample, ...]
    n_rows: int
    group: str | None = None
    categories: tuple[tuple[str, tuple[float, ...]], ...] = ()
    words: tuple[tuple[str, tuple[object, ...]], ...] = ()

    @property
    def nobs(self) -> int:
        """Rows used in all groups."""
        return sum(group.nobs for group in self.groups)

    @property
    def weights(self) -> tuple[float, ...]:
        """Each group's share of the rows used (or of their weights)."""
        return tuple(group.mass / self.nobs for group in self.groups)

    def unbiased(self) -> Sample:
        """Return the sample with covariances of divisor N - 1, as least squares uses them."""
        groups = tuple(replace(g, cov=g.cov * g.nobs / (g.nobs - 1)) for g in self.groups)
        return replace(self, groups=groups)


def sample_from_data(data: pd.DataFrame, names: Sequence[str], *, group: str | None = None) -> Sample:
    """Return the moments of complete rows.

    Parameters
    ----------
    data
        One row per respondent.
    names
        The observed variables; ``a:b`` is the product of two columns.
    group
        Column that holds the group; groups keep their order of first appearance.

    Raises
    ------
    DataError
        For unknown, non-numeric, infinite or constant variables, too few rows, collinear variables.
    """
    groups = []
    for label, place, values, positions in grouped_rows(data, names, group):
        keep: Mask = np.asarray(~np.isnan(values).any(axis=1))
        used = positions[keep]
        index = data.index if len(used) == len(data) else data.index[used]
        groups.append(_moments(values[keep], names, label=label, place=place, index=index, positions=used))
    return Sample(tuple(names), tuple(groups), n_rows=len(data), group=group)


def grouped_rows(
    data: pd.DataFrame, names: Sequence[str], group: str | None
) -> Iterator[tuple[str, str, Array, Index]]:
    """Yield of each group its label, its name in messages, its rows (nan for missing) and their row numbers."""
    values = rows_of(data, names)
    for label, member in _blocks(data, group):
        yield label, f"group {label!r}" if label else "the data", values[member], np.flatnonzero(member)


def sample_matrix(data: pd.DataFrame, names: Sequence[str]) -> tuple[Array, pd.Index]:
    """Return the complete rows of some variables, shape ``(rows, variables)``, and their index."""
    values = rows_of(data, names)
    complete: Mask = np.asarray(~np.isnan(values).any(axis=1))
    return values[complete], data.index[complete]


def rows_of(data: pd.DataFrame, names: Sequence[str]) -> Array:
    """Return the values of some variables, shape ``(rows, variables)``, nan where missing."""
    if not isinstance(data, pd.DataFrame):
        raise DataError(
            "The data are not a DataFrame.", where="argument 'data'", remedy="Give a pandas DataFrame or sample_cov=."
        )
    found = _alike(data, names)
    return np.column_stack([_column(data, name) for name in names]) if found is None else found


def _alike(data: pd.DataFrame, names: Sequence[str]) -> Array | None:
    """Return the values at one stroke if all are columns of finite plain numbers; None if not."""
    columns = data.columns.tolist()
    kinds = dict(zip(columns, data.dtypes.tolist(), strict=True))
    if len(kinds) < len(columns) or not all(_is_plain(kinds.get(name)) for name in names):
        return None
    whole = columns == list(names)
    found: Array = data.to_numpy(float) if whole else np.column_stack([data[name].to_numpy(float) for name in names])
    return None if np.isinf(found).any() else found


def _remedy(name: str, columns: pd.Index[Any]) -> str:
    if any(str(column) == name for column in columns):
        return "The columns are numbers, not names: write data.columns = data.columns.astype(str)."
    return f"{nearest(name, columns)}The data have {len(columns)} columns."


def _is_plain(kind: object) -> bool:
    return isinstance(kind, np.dtype) and kind.kind in "fiu"


def _column(data: pd.DataFrame, name: str) -> Array:
    if ":" in name and name not in data.columns:
        left, right = name.split(":", 1)
        return _column(data, left) * _column(data, right)
    if name not in data.columns:
        raise DataError(
            f"The variable {name!r} is not in the data.",
            where="argument 'data'",
            remedy=_remedy(name, data.columns),
        )
    column = _one_column(data, name)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _finite(categories_as_numbers(column, name), name)
    raw = column.to_numpy() if isinstance(column.dtype, np.dtype) else None
    if raw is not None and raw.dtype.kind in "fiu":
        return _finite(raw.astype(float), name)
    if column.dtype == object and column.map(lambda value: _is_number(value) or value is None or value is pd.NA).all():
        return _finite(pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan), name)
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    if not numeric or pd.api.types.is_complex_dtype(column):
        example = next((value for value in column.dropna() if not _is_number(value)), None)
        raise DataError(
            f"The variable {name!r} is not numeric.",
            where=f"column {name!r}" + (f", for example {str(example)[:40]!r}" if example is not None else ""),
            remedy="Code the answers as numbers, or make the column an ordered pd.Categorical.",
        )
    return _finite(column.to_numpy(dtype=float, na_value=np.nan), name)


def _one_column(data: pd.DataFrame, name: str) -> pd.Series[Any]:
    column = data[name]
    if column.ndim > 1:
        raise DataError(
            f"The column {name!r} stands in the data {column.shape[1]} times.",
            where=f"column {name!r}",
            remedy="Rename one of them.",
        )
    return column


def _finite(values: Array, name: str) -> Array:
    if np.isinf(values).any():
        raise DataError(
            f"The variable {name!r} has infinite values.", where=f"column {name!r}", remedy="Set them to missing."
        )
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number))


def _blocks(data: pd.DataFrame, group: str | None) -> list[tuple[str, Mask]]:
    if group is None:
        return [("", np.ones(len(data), dtype=bool))]
    if group not in data.columns:
        raise DataError(
            f"The group variable {group!r} is not in the data.",
            where="argument 'group'",
            remedy=nearest(group, data.columns) or "Name a column of the data.",
        )
    codes, labels = pd.factorize(_one_column(data, group))
    if len(labels) < 2:
        raise DataError(
            f"The group variable {group!r} has {len(labels)} value.",
            where=f"column {group!r}",
            remedy="Leave 'group' out, or name a column with two groups or more.",
        )
    return [(group_name(label), codes == g) for g, label in enumerate(labels)]


def _moments(
    rows: Array, names: Sequence[str], *, label: str, place: str, index: pd.Index, positions: Index
) -> GroupSample:
    nobs, p = rows.shape
    if nobs <= 1:
        raise DataError(
            f"No complete rows are left: {nobs} of them in {place} have all {p} variables.",
            where=place,
            remedy="Look at psm.missing_patterns(data); leave out variables that are mostly empty.",
        )
    mean = rows.mean(axis=0)
    centred = rows - mean
    _check_spread(rows, names, place)
    if nobs <= p:
        raise DataError(
            f"There are {nobs} complete rows for {p} variables in {place}.",
            where=place,
            remedy="A covariance matrix needs more rows than variables: use fewer variables or merge small groups.",
        )
    cov = centred.T @ centred / nobs
    check_positive_definite(cov, names, place)
    return GroupSample(label, nobs, cov, mean, rows, index, positions=positions)


def _check_spread(rows: Array, names: Sequence[str], place: str) -> None:
    constant = [name for name, spread in zip(names, np.ptp(rows, axis=0), strict=True) if spread == 0.0]
    if constant:
        raise DataError(
            f"The variable {constant[0]!r} has the same value in every row of {place}.",
            where=f"column {constant[0]!r}",
            remedy="Leave it out of the model.",
        )


LEAST_EIGENVALUE = 1e-10


def check_positive_definite(cov: Array, names: Sequence[str], place: str) -> None:
    """Raise a DataError that names the variables of the dependency if a covariance matrix is not positive definite."""
    bad = [name for name, variance in zip(names, np.diagonal(cov), strict=True) if variance <= 0]
    if bad:
        raise DataError(
            f"The variance of {bad[0]!r} in {place} is not positive.",
            where=f"variable {bad[0]!r}",
            remedy="Correct the matrix, or leave the variable out.",
        )
    scale = np.sqrt(cov.diagonal())
    correlations = cov / np.outer(scale, scale)
    if least_eigenvalue(correlations) > LEAST_EIGENVALUE:
        return
    values, vectors = eigen(correlations)
    share = np.abs(vectors[:, 0])
    involved = [names[i] for i in np.argsort(-share) if share[i] > 0.1][:6]
    kind = "singular" if values[0] > -1e-8 else "not positive definite"
    raise DataError(
        f"The covariance matrix of {place} is {kind} (smallest eigenvalue {values[0]:.2g} after scaling).",
        where=f"variables {', '.join(involved)}",
        remedy="One of them is (nearly) a combination of the others, or the matrix has a misprint: leave one out.",
    )
