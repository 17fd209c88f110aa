"""Samples of other rows of a fit, and replicates fitted one by one: what has no batches, and standard errors."""

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
from psm_analysis.sem.inference import parameter_names
from psm_analysis.sem.ordinal_sample import sample_from_ordinal
from psm_analysis.sem.partable import ParameterTable
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import Sample, sample_from_data
from psm_analysis.sem.sandwich import parameter_covariance

GROUP = ".group"


def refit(result: SemResult, rows: Sequence[Array], *, errors: bool = False) -> tuple[Array, float, Array] | None:
    """Return values, chi-square and (if asked) covariances of a fit to other rows, or None without a solution.

    `rows` has one array per group. A replicate that cannot be fitted - a constant item, a category that nobody drew, a
    singular matrix - has no solution.
    """
    try:
        e = estimate(warm(result), resampled(result, rows), result.spec)
        vcov = parameter_covariance(e, parameter_names(e.table, e.problem)) if errors else np.zeros((0, 0))
    except (PsmAnalysisError, np.linalg.LinAlgError):
        return None
    if not e.solution.converged or not math.isfinite(e.solution.value):
        return None
    return e.problem.expand(e.solution.x), e.scale * e.solution.value, vcov


def warm(result: SemResult) -> ParameterTable:
    """Return the table of a fit with its estimates as starting values."""
    started = tuple(
        replace(p, start=float(value)) if p.free else p
        for p, value in zip(result.table.parameters, result.estimates, strict=True)
    )
    return replace(result.table, parameters=started)


def resampled(result: SemResult, rows: Sequence[Array]) -> Sample:
    """Return the sample of other rows with the variables, groups and categories of a fit."""
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
