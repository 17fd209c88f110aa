"""The saturated model: every mean and every covariance is a parameter."""

from __future__ import annotations

import numpy as np

from psm_analysis.sem.arrays import lower_triangle
from psm_analysis.sem.implied import Directions, Implied, imply
from psm_analysis.sem.matrices import NU, THETA, Layout, make_plan
from psm_analysis.sem.sample import GroupSample


def saturated_layout(p: int) -> Layout:
    """Return the layout whose parameters are ``mu`` and the lower triangle of ``Sigma``, by columns."""
    column, row = lower_triangle(p)
    k, none = p + len(row), np.zeros(0, dtype=np.intp)
    matrix = np.concatenate([np.full(p, NU), np.full(len(row), THETA)]).astype(np.intp)
    rows = np.concatenate([np.arange(p), row]).astype(np.intp)
    columns = np.concatenate([np.zeros(p), column]).astype(np.intp)
    every = np.arange(k, dtype=np.intp)
    return Layout(
        observed=tuple(str(i) for i in range(p)),
        eta=(),
        dummies=none,
        rows=every,
        matrix=matrix,
        row=rows,
        column=columns,
        ordinal=np.zeros(p, dtype=bool),
        threshold_item=none,
        derived=none,
        theta=False,
        given=none,
        plan=make_plan(n_observed=p, n_thresholds=0, dummies=none, rows=every, matrix=matrix, row=rows, column=columns),
    )


def saturated_implied(group: GroupSample) -> Implied:
    """Return the sample moments of a group as implied moments."""
    column, row = lower_triangle(len(group.cov))
    mean = group.mean if group.mean is not None else np.zeros(len(group.cov))
    return imply(saturated_layout(len(group.cov)), np.concatenate([mean, group.cov[row, column]]))


def saturated_directions(p: int) -> Directions:
    """Return the derivatives of the moments by themselves as vectors ``u, v, m``."""
    column, row = lower_triangle(p)
    k = p + len(row)
    UV, M = np.zeros((p, 2 * k)), np.zeros((p, k))
    places = p + np.arange(len(row))
    UV[row, places] = np.where(row == column, 0.5, 1.0)
    UV[column, k + places] = 1.0
    M[np.arange(p), np.arange(p)] = 1.0
    return Directions(UV, M)
