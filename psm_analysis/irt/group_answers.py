"""Answers of several groups: group labels matched to rows, categories that every group uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from psm_analysis._equal_rows import equal_rows
from psm_analysis.errors import DataError
from psm_analysis.irt.group_estimation import GroupAnswers
from psm_analysis.irt.patterns import ResponsePatterns, read_patterns
from psm_analysis.moments.sample import IntArray


def align(values: pd.Series | Sequence[object], n: int, *, name: str) -> pd.Series:
    """Return one value per row, whatever the index, or raise."""
    if not isinstance(values, pd.Series) and (isinstance(values, str) or np.ndim(np.asarray(values)) != 1):
        raise DataError(
            "One value per row is needed.", where=f"argument {name!r}", remedy="Give one column, e.g. data['grade']."
        )
    series = pd.Series(values).reset_index(drop=True)
    if len(series) != n:
        raise DataError(
            f"{len(series)} values are given for {n} rows.",
            where=f"argument {name!r}",
            remedy="Give one value per row, in the order of the rows.",
        )
    return series


def group_levels(labels: pd.Series) -> list[object]:
    """Return the groups in order, two at least."""
    levels = sorted(labels.dropna().unique(), key=str)
    if len(levels) < 2:
        raise DataError(
            f"There is {len(levels)} group.", where="argument 'group'", remedy="Compare two groups at least."
        )
    return levels


def read_groups(
    data: pd.DataFrame, group: pd.Series | Sequence[object]
) -> tuple[ResponsePatterns, GroupAnswers, list[object], tuple[str, ...]]:
    """Read answers by group; a category that a group never chose is merged with the one below, and this is noted."""
    labels = align(group, len(data), name="group")
    levels = group_levels(labels)
    known = labels.notna().to_numpy()
    patterns = read_patterns(data[known])
    member = np.array([levels.index(label) for label in labels[known]])[answered(data[known])]
    codes, categories, merged = patterns.codes[patterns.row_pattern].copy(), [], []
    for j, own in enumerate(patterns.categories):
        shared = _shared(codes[:, j], member, n_groups=len(levels), name=patterns.names[j])
        if len(shared) < len(own):
            merged.append(patterns.names[j])
        place = np.maximum(np.searchsorted(shared, codes[:, j], side="right") - 1, 0)
        codes[:, j] = np.where(codes[:, j] >= 0, place, -1)
        categories.append(own[shared])
    first, kind = equal_rows([member, *codes.T])
    counts = np.bincount(kind).astype(float)
    answers = GroupAnswers(codes[first], member[first], counts, tuple(len(own) for own in categories))
    joined = replace(
        patterns,
        categories=tuple(categories),
        codes=codes[first],
        counts=counts,
        row_pattern=kind,
    )
    notes = (f"Categories of {', '.join(merged)} were merged: not every group chose all.",) if merged else ()
    return joined, answers, levels, notes


def answered(data: pd.DataFrame) -> IntArray:
    """Return the places of the rows with an answer."""
    return np.flatnonzero(data.notna().any(axis=1).to_numpy())


def _shared(codes: IntArray, member: IntArray, *, n_groups: int, name: str) -> IntArray:
    used = [set(np.unique(codes[(member == g) & (codes >= 0)]).tolist()) for g in range(n_groups)]
    shared = sorted(set.intersection(*used))
    if len(shared) < 2:
        raise DataError(
            "The groups have fewer than two categories of the item in common.",
            where=f"column {name!r}",
            remedy="Leave the item out, or compare larger groups.",
        )
    return np.array(shared)
