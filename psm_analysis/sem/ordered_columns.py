"""Ordered Categoricals in the data of a model: as in lavaan, those that are outcomes or indicators are ordinal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from psm_analysis.errors import DataError
from psm_analysis.moments.ordered_categories import category_numbers, ordered_columns
from psm_analysis.sem.options import FitOptions
from psm_analysis.sem.roles import Roles, find_roles
from psm_analysis.sem.sample import Sample
from psm_analysis.sem.syntax import ParsedModel


def with_ordered_columns(options: FitOptions, parsed: ParsedModel, data: object) -> FitOptions:
    """Return the options with the ordered Categoricals of the data among the ordinal variables."""
    ordered = ordinal_with_columns(options.ordered, find_roles(parsed.terms), data)
    return options if ordered is options.ordered else replace(options, ordered=ordered)


def ordinal_with_columns(ordered: Sequence[str] | bool, roles: Roles, data: object) -> Sequence[str] | bool:
    """Return `ordered` and, unless it is True or False, the ordered Categoricals that are not exogenous."""
    if isinstance(ordered, bool):
        return ordered
    endogenous = [name for name in roles.observed if name not in roles.exogenous_observed]
    found = ordered_columns(data, endogenous)
    return (*ordered, *(name for name in found if name not in ordered)) if found else ordered


def with_words(sample: Sample, data: pd.DataFrame | None, *, among: Sequence[str]) -> Sample:
    """Return the sample with the categories of ordered Categoricals, so that new rows are numbered as these are."""
    if data is None or not among:
        return sample
    found = tuple((name, tuple(data[name].cat.categories)) for name in ordered_columns(data, among))
    return replace(sample, words=found) if found else sample


def numbered_as(sample: Sample, data: Any) -> Any:
    """Return new rows with the answers in words numbered as in the sample.

    Raises
    ------
    DataError
        For an answer that is not among the categories of the sample.
    """
    if not sample.words or not isinstance(data, pd.DataFrame):
        return data
    columns = {}
    for name, words in sample.words:
        if name not in data.columns or data[name].ndim > 1:
            continue
        answers = data[name].astype(object)
        known = dict(zip(words, category_numbers(pd.Index(words)), strict=True))
        unknown = answers[answers.notna() & ~answers.isin(list(words))]
        if len(unknown):
            raise DataError(
                f"{name!r} has the answer {unknown.iloc[0]!r}, which is no category of the rows of the fit.",
                where=f"column {name!r}",
                remedy=f"Correct it, or set it to missing. The categories are {', '.join(map(repr, words))}.",
            )
        columns[name] = answers.map(known).astype(float)
    return data.assign(**columns) if columns else data


def word_doubts(sample: Sample, roles: Roles) -> list[str]:
    """Return a note about exogenous ordered Categoricals, whose numbers enter as they are."""
    found = [repr(name) for name, _ in sample.words if name in roles.exogenous_observed]
    if not found:
        return []
    return [
        f"The exogenous {', '.join(found)} of ordered categories enter the model by the numbers of their categories, "
        "as if these were equally far apart; 0/1 indicators make no such assumption."
    ]
