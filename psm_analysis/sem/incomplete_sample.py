"""The sample with incomplete rows: missing-data patterns, and saturated moments by EM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from psm_analysis.errors import DataError
from psm_analysis.moments.missing import em_moments
from psm_analysis.moments.patterns import find_patterns
from psm_analysis.sem.arrays import Array, Mask
from psm_analysis.sem.design import row_weights
from psm_analysis.sem.discrepancy.fiml import FullInformation
from psm_analysis.sem.sample import GroupSample, Sample, check_positive_definite, grouped_rows
from psm_analysis.sem.saturated import saturated_implied


def sample_from_incomplete(
    data: pd.DataFrame,
    names: Sequence[str],
    *,
    group: str | None = None,
    exogenous: Sequence[str] = (),
    weights: str | None = None,
) -> Sample:
    """Return the sample of all rows with at least one answer.

    Parameters
    ----------
    data, names, group
        As for complete rows.
    exogenous
        Variables whose moments are given: rows without them are left out, for nothing is said about their distribution.
    weights
        Column of sampling weights: each row's log-likelihood counts by its weight (pseudo maximum likelihood).
    """
    given = [list(names).index(name) for name in exogenous]
    blocks = []
    for label, place, values, positions in grouped_rows(data, names, group):
        keep: Mask = np.asarray(~np.isnan(values).all(axis=1) & ~np.isnan(values[:, given]).any(axis=1))
        blocks.append((label, place, values[keep], positions[keep]))
    w = None if weights is None else row_weights(data, weights, np.concatenate([block[3] for block in blocks]))
    groups = []
    for label, place, values, positions in blocks:
        mine = None if w is None else w[positions]
        found = _group(values, data.index[positions], names, label=label, place=place, weights=mine)
        groups.append(replace(found, positions=positions))
    return Sample(tuple(names), tuple(groups), n_rows=len(data), group=group)


def _group(
    rows: Array, index: pd.Index, names: Sequence[str], *, label: str, place: str, weights: Array | None
) -> GroupSample:
    _check_coverage(rows, names, place)
    patterns = find_patterns(rows, weights=weights)
    try:
        moments = em_moments(patterns)
    except DataError:
        _name_dependency(rows, names, place)
        raise
    check_positive_definite(moments.covariance, names, place)
    group = GroupSample(label, len(rows), moments.covariance, moments.mean, rows, index, patterns, weights=weights)
    return replace(group, saturated=FullInformation(patterns, 0.0).value(saturated_implied(group)))


def _name_dependency(rows: Array, names: Sequence[str], place: str) -> None:
    """Raise a DataError that names the variables whose answers depend on each other exactly, if it can be seen which.

    Copies are seen in the rows that have both answers, sums in the complete rows, if these are enough.
    """
    frame = pd.DataFrame(rows)
    copies = np.argwhere(np.tril(frame.corr(min_periods=3).abs().to_numpy() > 1.0 - 1e-12, -1))
    if len(copies):
        b, a = copies[0]
        raise DataError(
            f"{names[a]!r} and {names[b]!r} are the same but for their units in {place}.",
            where=f"columns {names[a]!r} and {names[b]!r}",
            remedy="Leave one of them out.",
        )
    complete = frame.dropna()
    if len(complete) > len(names):
        check_positive_definite(complete.cov(ddof=0).to_numpy(), names, place)


def _check_coverage(rows: Array, names: Sequence[str], place: str) -> None:
    present = ~np.isnan(rows)
    together = present.T.astype(float) @ present.astype(float)
    for i, name in enumerate(names):
        answers = rows[present[:, i], i]
        if len(answers) < 2 or np.ptp(answers) == 0.0:
            raise DataError(
                f"The variable {name!r} has {'no' if not len(answers) else 'the same'} answer in {place}.",
                where=f"column {name!r}",
                remedy="Leave it out of the model.",
            )
    a, b = divmod(int(together.argmin()), len(names))
    if together[a, b] < 2:
        raise DataError(
            f"{names[a]!r} and {names[b]!r} were hardly ever answered by the same person in {place}.",
            where=f"columns {names[a]!r} and {names[b]!r}",
            remedy="Their covariance cannot be estimated: leave one of them out.",
        )
    if len(rows) <= len(names):
        raise DataError(
            f"There are {len(rows)} rows for {len(names)} variables in {place}.",
            where=place,
            remedy="Use fewer variables or merge small groups.",
        )
