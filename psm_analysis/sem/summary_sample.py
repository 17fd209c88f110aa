"""The sample from published moments: a covariance or correlation matrix, means, and the number of respondents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis._options import nearest
from psm_analysis.errors import DataError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.sample import GroupSample, Sample, check_positive_definite


def sample_from_moments(
    names: Sequence[str], *, covs: Any, means: Any = None, sds: Any = None, nobs: Any = None
) -> Sample:
    """Return the sample behind published moments (divisor N - 1, as matrices are printed).

    Parameters
    ----------
    names
        The observed variables of the model.
    covs
        DataFrame with names on both axes, or a list or mapping of them, one per group; lower triangles are completed.
    means, sds
        Series or mapping by variable (or one per group); with `sds`, `covs` are correlations.
    nobs
        Number of respondents, or one number per group.

    Raises
    ------
    DataError
        For matrices that are not square, named, symmetric and positive definite, or numbers that are missing.
    """
    labels = [str(label) for label in covs] if isinstance(covs, Mapping) else None
    matrices = _per_group(covs, labels, argument="sample_cov")
    sizes = _sizes(nobs, labels, len(matrices))
    spreads = None if sds is None else _per_group(sds, labels, argument="sample_sd", n_groups=len(matrices))
    centres = None if means is None else _per_group(means, labels, argument="sample_mean", n_groups=len(matrices))
    groups = []
    for g, matrix in enumerate(matrices):
        label = labels[g] if labels else "" if len(matrices) == 1 else str(g + 1)
        place = f"group {label!r}" if label else "sample_cov"
        cov = _covariance(matrix, names, place)
        if spreads is not None:
            sd = _deviations(spreads[g], names)
            cov = cov * np.outer(sd, sd)
        mean = None if centres is None else _vector(centres[g], names, "sample_mean")
        check_positive_definite(cov, names, place)
        groups.append(GroupSample(label, sizes[g], cov * (sizes[g] - 1) / sizes[g], mean, None, None))
    return Sample(tuple(names), tuple(groups), n_rows=sum(sizes))


def _per_group(given: Any, labels: list[str] | None, *, argument: str, n_groups: int | None = None) -> list[Any]:
    """Return one entry per group; those of a mapping by group in the order of the matrices."""
    found = [given]
    if isinstance(given, (list, tuple)) and not all(np.isscalar(value) for value in given):
        found = list(given)
    elif isinstance(given, Mapping) and all(not np.isscalar(value) for value in given.values()):
        found = _ordered(given, labels, argument=argument)
    if n_groups is not None and len(found) != n_groups:
        raise DataError(
            f"There are {n_groups} matrices, but {argument} has {len(found)} entries.",
            where=f"argument {argument!r}",
            remedy="Give one per matrix, in a list or a mapping by group.",
        )
    return found


def _ordered(given: Mapping[Any, Any], labels: list[str] | None, *, argument: str) -> list[Any]:
    by_label = {str(label): value for label, value in given.items()}
    if labels is None or set(by_label) == set(labels):
        return [by_label[label] for label in labels or by_label]
    odd = next(iter(set(by_label) ^ set(labels)))
    raise DataError(
        f"The group {odd!r} is not in both sample_cov and {argument}.",
        where=f"argument {argument!r}",
        remedy="Give the same groups in both.",
    )


def _sizes(nobs: Any, labels: list[str] | None, n_groups: int) -> list[int]:
    if nobs is None:
        raise DataError(
            "The number of respondents is not known.", where="argument 'sample_nobs'", remedy="Give sample_nobs=."
        )
    if isinstance(nobs, Mapping):
        nobs = _ordered(nobs, labels, argument="sample_nobs")
    sizes: list[Any] = [nobs] if np.isscalar(nobs) else list(nobs)
    if len(sizes) != n_groups or not all(_is_count(n) for n in sizes):
        raise DataError(
            f"sample_nobs={nobs!r} does not fit {n_groups} matri{'x' if n_groups == 1 else 'ces'}.",
            where="argument 'sample_nobs'",
            remedy="Give one whole number above 1 per matrix.",
        )
    return [int(n) for n in sizes]


def _is_count(n: Any) -> bool:
    return isinstance(n, (int, float, np.number)) and float(n).is_integer() and bool(n >= 2)


def _covariance(matrix: Any, names: Sequence[str], place: str) -> Array:
    if not isinstance(matrix, pd.DataFrame) or list(matrix.index) != list(matrix.columns):
        raise DataError(
            "The matrix has no variable names, or other ones on its rows than on its columns.",
            where=place,
            remedy="Give a DataFrame with the same names as index and columns.",
        )
    missing = [name for name in names if name not in matrix.columns]
    if missing:
        raise DataError(
            f"The variable {missing[0]!r} is not in the matrix.",
            where=place,
            remedy=nearest(missing[0], matrix.columns) or f"It has {', '.join(map(str, matrix.columns[:10]))}.",
        )
    twice = [name for name in names if list(matrix.columns).count(name) > 1]
    if twice:
        raise DataError(f"The variable {twice[0]!r} stands in the matrix twice.", where=place, remedy="Rename one.")
    full = _numbers(matrix, place)
    matrix = pd.DataFrame(full, index=matrix.index, columns=matrix.columns)
    values = matrix.loc[list(names), list(names)].to_numpy()
    if np.isnan(full[np.triu_indices(len(full), 1)]).all() and not np.isnan(full[np.tril_indices(len(full))]).any():
        whole = pd.DataFrame(np.where(np.isnan(full), full.T, full), index=matrix.index, columns=matrix.columns)
        values = whole.loc[list(names), list(names)].to_numpy(dtype=float)
    return _symmetric(values, names, place)


def _symmetric(values: Array, names: Sequence[str], place: str) -> Array:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"The matrix has no value for {names[bad[0][0]]!r} with {names[bad[0][1]]!r}.",
            where=place,
            remedy="Complete it, or give the lower triangle and leave the upper empty.",
        )
    gap = np.abs(values - values.T)
    if gap.max() > 1e-8 * max(1.0, np.abs(values).max()):
        i, j = divmod(int(gap.argmax()), len(gap))
        raise DataError(
            f"The matrix is not symmetric: {names[i]!r} with {names[j]!r} is {values[i, j]:g} and {values[j, i]:g}.",
            where=place,
            remedy="Correct the wrong one of the two.",
        )
    return (values + values.T) / 2


def _vector(given: Any, names: Sequence[str], argument: str) -> Array:
    series = pd.Series(given)
    missing = [name for name in names if name not in series.index]
    if missing:
        raise DataError(
            f"There is no value for {missing[0]!r}.",
            where=f"argument {argument!r}",
            remedy="Give a mapping or a Series with one value per variable.",
        )
    values = _numbers(series.loc[list(names)], f"argument {argument!r}")
    if not np.isfinite(values).all():
        raise DataError(f"{argument} has missing values.", where=f"argument {argument!r}")
    return values


def _deviations(given: Any, names: Sequence[str]) -> Array:
    sd = _vector(given, names, "sample_sd")
    bad = [name for name, value in zip(names, sd, strict=True) if value <= 0]
    if bad:
        raise DataError(
            f"The standard deviation of {bad[0]!r} is not positive.",
            where="argument 'sample_sd'",
            remedy="Correct it, or leave the variable out.",
        )
    return sd


def _numbers(given: pd.DataFrame | pd.Series[Any], place: str) -> Array:
    try:
        return given.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"A value is not a number: {error}.", where=place, remedy="Give numbers; leave unknown ones empty."
        ) from error
