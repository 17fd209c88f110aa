"""Replicates fitted one by one: incomplete and ordinal data, other estimators, and what the batch could not solve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from psm_analysis.errors import PsmAnalysisError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import estimate
from psm_analysis.sem.incomplete_sample import sample_from_incomplete
from psm_analysis.sem.ordinal_sample import sample_from_ordinal
from psm_analysis.sem.partable import ParameterTable
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import Sample, sample_from_data

GROUP = ".group"


def refit(result: SemResult, rows: Sequence[Array]) -> tuple[Array, float] | None:
    """Return parameter values and chi-square of a fit to other rows (one array per group), or None without a solution.

    A replicate that cannot be fitted - a constant item, a category that nobody drew, a singular matrix - has none.
    """
    try:
        e = estimate(warm(result), _sample(result, rows), result.spec)
    except (PsmAnalysisError, np.linalg.LinAlgError):
        return None
    if not e.solution.converged or not math.isfinite(e.solution.value):
        return None
    return e.problem.expand(e.solution.x), e.scale * e.solution.value


def warm(result: SemResult) -> ParameterTable:
    """Return the table of a fit with its estimates as starting values."""
    started = tuple(
        replace(p, start=float(value)) if p.free else p
        for p, value in zip(result.table.parameters, result.estimates, strict=True)
    )
    return replace(result.table, parameters=started)


def _sample(result: SemResult, rows: Sequence[Array]) -> Sample:
    names = result.sample.names
    frame = pd.DataFrame(np.vstack(rows), columns=list(names))
    several = len(rows) > 1
    if several:
        frame[GROUP] = np.repeat(result.group_labels, [len(part) for part in rows])
    group = GROUP if several else None
    ordered = result.table.options.ordered
    exogenous = result.table.roles.exogenous_observed if result.table.options.fixed_x else ()
    if ordered:
        sample, categories = sample_from_ordinal(
            frame,
            names,
            ordered=[name for name, _ in ordered],
            exogenous=exogenous,
            group=group,
            missing="pairwise" if any(np.isnan(part).any() for part in rows) else "listwise",
        )
        if categories != ordered:
            raise PsmAnalysisError("A category was not drawn.")
        return sample
    if result.spec.function == "FIML":
        return sample_from_incomplete(frame, names, group=group, exogenous=exogenous)
    return sample_from_data(frame, names, group=group)
