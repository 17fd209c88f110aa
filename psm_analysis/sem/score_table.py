"""Factor scores of a fit as a table: which rows are scored, by which formula, in which group."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psm_analysis._model_names import group_name
from psm_analysis._options import ScoreMethod, nearest
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import Implied
from psm_analysis.sem.matrices import Layout
from psm_analysis.sem.ordered_columns import numbered_as
from psm_analysis.sem.response_model import DEPENDENT, ResponseModel
from psm_analysis.sem.sample import rows_of
from psm_analysis.sem.scores import score_rows
from psm_analysis.sem.tables import population

if TYPE_CHECKING:
    from psm_analysis.sem.result import SemResult


def score_table(result: SemResult, data: pd.DataFrame | None, *, method: ScoreMethod, std_errors: bool) -> pd.DataFrame:
    """Return the scores of the rows of the fit, or of new ones, indexed by them."""
    if method == "bartlett" and result.table.roles.ordered:
        raise OptionError(
            "Bartlett's formula is for continuous variables.",
            where="argument 'method'",
            remedy="Use 'ebm' (the mode given the answers) or 'eap' (their mean).",
        )
    parts = []
    for g, rows, index in _rows(result, data):
        latent = list(result.problem.layouts[g].factors)
        scores, errors = (_ordinal if result.table.roles.ordered else _linear)(result, g, rows, method=method)
        frame = pd.DataFrame(scores, index=index, columns=latent)
        if std_errors:
            frame[[f"{name}_std_error" for name in latent]] = errors
        parts.append(frame)
    whole = pd.concat(parts)
    if len(parts) == 1:
        return whole
    if data is not None and data.index.is_unique:
        return whole.loc[data.index[data.index.isin(whole.index)]]
    return whole.sort_index() if data is None and whole.index.is_unique else whole


def _linear(result: SemResult, g: int, rows: Array, *, method: ScoreMethod) -> tuple[Array, Array]:
    layout, implied = result.problem.layouts[g], population(result)[g]
    if not result.table.options.meanstructure:
        implied = _with_means(implied, layout, _known_mean(result.sample.groups[g].mean))
    return score_rows(
        rows,
        layout,
        implied=implied,
        latent=layout.factors,
        indicators=result.table.roles.indicators,
        method="bartlett" if method == "bartlett" else "regression",
    )


def _with_means(implied: Implied, layout: Layout, mean: Array) -> Implied:
    """Return implied moments with saturated means, where intercepts of factors are 0."""
    n, B = len(layout.factors), implied.matrices.Beta
    observed = mean[layout.dummies[n:]]
    latent = np.linalg.solve(np.eye(n) - B[:n, :n], B[:n, n:] @ observed)
    eta = np.concatenate([latent, observed])
    matrices = replace(implied.matrices, nu=mean - implied.matrices.Lambda @ eta, alpha=eta - B @ eta)
    return replace(implied, mu=mean, eta_mean=eta, matrices=matrices)


def _ordinal(result: SemResult, g: int, rows: Array, *, method: ScoreMethod) -> tuple[Array, Array]:
    layout, label = result.problem.layouts[g], result.sample.groups[g].label
    model = ResponseModel.of(
        layout,
        result.problem.implied(result.solution.x)[g],
        n_latent=len(layout.factors),
        place=f"group {label!r}" if label else "factor_scores",
    )
    dependent = model.dependent_pairs()
    if dependent:
        warnings.warn(DEPENDENT.format(", ".join(dependent)), PsmAnalysisWarning, stacklevel=4)
    categories = dict(result.sample.categories)
    known = [np.array(categories[layout.observed[j]]) for j in model.ordinal]
    for j, found in zip(model.ordinal, known, strict=True):
        _check_categories(rows[:, j], found, layout.observed[j])
    return model.scores(rows, known, mode=method != "eap")


def _check_categories(column: Array, known: Array, name: str) -> None:
    unknown = column[~np.isnan(column) & ~np.isin(column, known)]
    if len(unknown):
        raise DataError(
            f"{name!r} has the answer {unknown[0]:g}, which the rows of the fit do not have.",
            where=f"column {name!r}",
            remedy=f"Correct it, or set it to missing. Known answers: {', '.join(f'{value:g}' for value in known)}.",
        )


def _rows(result: SemResult, data: pd.DataFrame | None) -> Iterator[tuple[int, Array, pd.Index]]:
    """Yield the number of each group that has rows, the rows to be scored and their index."""
    sample = result.sample
    if data is None:
        for g, group in enumerate(sample.groups):
            if group.rows is None or group.index is None:
                raise DataError(
                    "Scores need rows, but the model was fitted to published moments.",
                    where="factor_scores",
                    remedy="Give data= with the observed variables.",
                )
            yield g, group.rows, group.index
        return
    values = rows_of(numbered_as(sample, data), sample.names)
    gaps = np.isnan(values)
    incomplete = result.spec.function == "FIML" or bool(result.table.roles.ordered)
    given = np.isin(sample.names, result.table.roles.exogenous_observed if result.table.options.fixed_x else ())
    left_out = gaps[:, given].any(axis=1) | gaps[:, ~given].all(axis=1) if incomplete else gaps.any(axis=1)
    member = _membership(result, data)
    for g in range(len(sample.groups)):
        mine = np.flatnonzero((member == g) & ~left_out)
        if len(mine) or len(sample.groups) == 1:
            yield g, values[mine], data.index[mine]


def _membership(result: SemResult, data: pd.DataFrame) -> Array:
    """Return the number of the group of each new row, -1 for rows without one."""
    sample = result.sample
    if len(sample.groups) == 1:
        return np.zeros(len(data), dtype=np.intp)
    if sample.group is None or sample.group not in data.columns:
        name = sample.group or "of the groups"
        raise DataError(
            f"New rows of a model of several groups need the column {name!r}.",
            where="argument 'data'",
            remedy=nearest(name, data.columns) or "Add the column that says which group each row belongs to.",
        )
    column, labels = data[sample.group], result.group_labels
    texts = column.map(group_name).to_numpy()
    missing = column.isna().to_numpy()
    unknown = sorted(set(texts[~missing]) - set(labels))
    if unknown:
        raise DataError(
            f"The model has no group {unknown[0]!r}.",
            where=f"column {sample.group!r}",
            remedy=f"Its groups are {', '.join(labels)}: leave the other rows out.",
        )
    found = np.array([labels.index(text) if text in labels else -1 for text in texts], dtype=np.intp)
    return np.where(missing, -1, found)


def _known_mean(mean: Array | None) -> Array:
    if mean is None:
        raise DataError(
            "Scores need the means of the sample that was fitted.",
            where="factor_scores",
            remedy="Fit with sample_mean= as well.",
        )
    return mean
