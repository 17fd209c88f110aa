"""An analysis that is repeated, checked before it is; and its parameters by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from psm_analysis._model_names import unquoted
from psm_analysis._options import nearest
from psm_analysis.errors import OptionError
from psm_analysis.sem.arrays import Index
from psm_analysis.sem.options import FitOptions
from psm_analysis.simulation.truth import Analysis, Target


def checked_analysis(model: str, options: Mapping[str, Any]) -> Analysis:
    """Return the analysis, or raise an OptionError for arguments that `sem` does not know or that bring other data."""
    given = FitOptions.of(options).checked()
    given.spec()
    bad = [name for name in ("sample_cov", "sample_mean", "sample_sd", "sample_nobs") if name in options]
    if bad:
        raise OptionError(
            f"{bad[0]} does not belong to a simulation.", where=f"argument {bad[0]!r}", remedy="Leave it out."
        )
    return Analysis(model, dict(options))


def with_truth(target: Target, truth: Mapping[str, float] | None) -> Target:
    """Return the target with other true values."""
    values = target.values.copy()
    for name, value in (truth or {}).items():
        values[find_rows(target, name)] = value
    return replace(target, values=values)


def find_rows(target: Target, name: str) -> Index:
    """Return the rows of a parameter that is named by its label or as ``lhs op rhs``.

    Raises
    ------
    OptionError
        If the analysis has no such parameter.
    """
    written = target.names["lhs"] + target.names["op"] + target.names["rhs"]
    here = (target.names["label"] == name) | (written.map(unquoted) == unquoted(name))
    rows = np.flatnonzero(here.to_numpy())
    if not rows.size:
        known = [*filter(None, dict.fromkeys(target.names["label"])), *written]
        raise OptionError(
            f"The analysis has no parameter {name!r}.",
            where="the name of a parameter",
            remedy=nearest(name, known) or "Give a label of the model, or a parameter such as 'M ~ X'.",
        )
    return rows
