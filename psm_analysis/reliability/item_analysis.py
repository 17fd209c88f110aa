"""Item analysis: what a questionnaire's author looks at before any model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_range
from psm_analysis._results import Result
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.moments.descriptives import standardized_moments
from psm_analysis.moments.sample import FloatArray, Sample, read_sample
from psm_analysis.reliability.alpha import scale_matrices
from psm_analysis.reliability.coefficients import coefficient_alpha
from psm_analysis.reliability.items import item_table, undefined_statistics
from psm_analysis.reliability.keying import reverse_items, reversed_names

EXTREME_SHARE = 0.27
REDUNDANT_R = 0.80


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ItemAnalysis(Result):
    """Statistics of the items of one or several subscales.

    Attributes
    ----------
    items
        DataFrame, index item: subscale, n, missing (share), mean, sd, skew, kurtosis, floor and ceiling (share of
        answers at the ends of the response scale), item_rest_r, item_total_r, item_corrected_r, discrimination (mean
        of the upper minus the lower 27 % of the rest score, over the range of the response scale), alpha_if_dropped,
        redundant_r and redundant_with (the highest correlation with another item), reversed.
    frequencies
        DataFrame, index item, a column per answer: share of the answers given.
    subscales
        DataFrame, index subscale: items, n, alpha, average_r, min_r, max_r.
    reversed
        The items that were reversed.
    warnings
        What is doubtful about the items.
    """

    items: pd.DataFrame
    frequencies: pd.DataFrame
    subscales: pd.DataFrame
    reversed: tuple[str, ...]
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per item."""
        return self.items.reset_index()

    def glance(self) -> pd.DataFrame:
        """Return one row per subscale."""
        return self.subscales.reset_index()


def item_analysis(
    data: pd.DataFrame,
    reverse: Sequence[str] = (),
    *,
    subscales: Mapping[str, Sequence[str]] | None = None,
    response_range: tuple[float, float] | None = None,
) -> ItemAnalysis:
    """Analyse the items of a scale or of its subscales.

    Parameters
    ----------
    data
        Items in columns, respondents in rows; NaN is missing.
    reverse
        Items to reverse (minimum + maximum - x); no item is ever reversed unasked.
    subscales
        Subscale -> items; all columns form one scale, named "scale", if None.
    response_range
        Smallest and largest answer of the response scale; those of the data if None.

    Raises
    ------
    DataError
        Naming the column that is constant, not numeric, empty or not there; or the subscale with fewer than two items.

    Warns
    -----
    PsmAnalysisWarning
        If an item runs against its subscale, two items correlate above 0.80, or statistics are undefined (items that
        are combinations of others, subscales of two items). The texts stay in ``.warnings``.

    References
    ----------
    Kelley, T. L. (1939). The selection of upper and lower groups for the validation of test items. Journal of
    Educational Psychology, 30, 17-24 (the 27 %). Nunnally, J. C., & Bernstein, I. H. (1994). Psychometric theory.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 1, 3, 5, 4], "c": [3, 5, 3, 3, 1]})
    >>> result = item_analysis(frame, ["c"], response_range=(1, 5))
    >>> result.items["item_rest_r"].round(2).tolist(), result.items["ceiling"].tolist()
    ([0.81, 0.81, 0.71], [0.2, 0.2, 0.2])
    """
    sample = reverse_items(read_sample(data, min_items=2), reverse, response_range=response_range)
    given = check_range(response_range, name="response_range")
    span = given or (float(np.nanmin(sample.values)), float(np.nanmax(sample.values)))
    turned = reversed_names(reverse)
    tables, summaries, notes = [], [], []
    for name, members in _subscales(subscales, sample).items():
        part = _part(sample, name, members=members)
        C, R = scale_matrices(part, correlation="pearson")
        table = pd.concat([_shape_columns(part, span), _relation_columns(part, C, R=R, span=span)], axis=1)
        tables.append(table.assign(subscale=name))
        summaries.append(_summary(name, part, C=C, R=R))
        notes += _notes(name, table)
    for note in notes:
        warnings.warn(note, PsmAnalysisWarning, stacklevel=2)
    items = pd.concat(tables)
    items["reversed"] = items.index.isin(turned)
    items = items[["subscale", *[column for column in items.columns if column != "subscale"]]]
    summary = pd.DataFrame(summaries).set_index("subscale")
    return ItemAnalysis(items, _frequencies(sample), summary, turned, tuple(notes))


def _subscales(given: Mapping[str, Sequence[str]] | None, sample: Sample) -> dict[str, list[str]]:
    if given is None:
        return {"scale": list(sample.names)}
    if not isinstance(given, Mapping) or not given:
        raise OptionError(
            "The subscales are no mapping of names to items.",
            where="argument 'subscales'",
            remedy="Give {'compassion': ['psm7', 'psm8', 'psm9']}, or leave it out for one scale.",
        )
    members = {str(name): [items] if isinstance(items, str) else list(items) for name, items in given.items()}
    for name, items in members.items():
        twice = next((item for item in items if items.count(item) > 1), None)
        if twice is not None:
            raise OptionError(f"The item {twice!r} is named twice.", where=f"subscale {name!r}", remedy="Name it once.")
    return members


def _part(sample: Sample, name: str, *, members: Sequence[str]) -> Sample:
    columns = [sample.position(member, argument="subscales") for member in members]
    if len(columns) < 2:
        raise DataError(
            f"The subscale has {len(columns)} item(s); at least 2 are needed.",
            where=f"subscale {name!r}",
            remedy="Leave the subscale out.",
        )
    return Sample(tuple(sample.names[j] for j in columns), sample.values[:, columns], sample.index)


def _shape_columns(sample: Sample, span: tuple[float, float]) -> pd.DataFrame:
    rows = []
    for j in range(sample.n_items):
        x = sample.values[sample.observed[:, j], j]
        skew, kurtosis = standardized_moments(x)
        rows.append(
            {
                "missing": 1.0 - x.size / sample.n_rows,
                "skew": skew,
                "kurtosis": kurtosis,
                "floor": float((x == span[0]).mean()),
                "ceiling": float((x == span[1]).mean()),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(sample.names, name="item"))


def _relation_columns(sample: Sample, C: FloatArray, *, R: FloatArray, span: tuple[float, float]) -> pd.DataFrame:
    others = np.where(np.eye(len(R), dtype=bool), -np.inf, R)
    nearest = others.argmax(axis=1)
    return item_table(sample, C, R=R).assign(
        discrimination=discrimination(sample.values, span=span),
        redundant_r=others.max(axis=1),
        redundant_with=[sample.names[j] for j in nearest],
    )


def discrimination(values: FloatArray, *, span: tuple[float, float]) -> FloatArray:
    """Return each item's mean in the upper minus that in the lower 27 % of the rest score, over the scale's range.

    The rest score is the mean of the other answered items; ties at the cut-offs belong to the groups.

    Examples
    --------
    >>> discrimination(np.array([[1.0, 1.0], [2.0, 3.0], [5.0, 5.0]]), span=(1, 5)).tolist()
    [1.0, 1.0]
    """
    result = np.empty(values.shape[1])
    seen = ~np.isnan(values)
    filled = np.where(seen, values, 0.0)
    sums, counts = filled.sum(axis=1), seen.sum(axis=1)
    for j in range(values.shape[1]):
        rows = seen[:, j] & (counts > 1)
        rest = (sums - filled[:, j])[rows] / (counts[rows] - 1)
        low, high = np.quantile(rest, [EXTREME_SHARE, 1.0 - EXTREME_SHARE])
        own = values[rows, j]
        result[j] = (own[rest >= high].mean() - own[rest <= low].mean()) / (span[1] - span[0])
    return result


def _frequencies(sample: Sample) -> pd.DataFrame:
    answers = np.unique(sample.values[sample.observed])
    counts = (sample.values[:, :, None] == answers).sum(axis=0)
    table = counts / counts.sum(axis=1, keepdims=True)
    return pd.DataFrame(table, index=pd.Index(sample.names, name="item"), columns=[float(x) for x in answers])


def _summary(name: str, sample: Sample, *, C: FloatArray, R: FloatArray) -> dict[str, object]:
    pairs = R[np.tril_indices(len(R), -1)]
    return {
        "subscale": name,
        "items": sample.n_items,
        "n": int(sample.observed.any(axis=1).sum()),
        "alpha": coefficient_alpha(C),
        "average_r": float(pairs.mean()),
        "min_r": float(pairs.min()),
        "max_r": float(pairs.max()),
    }


def _notes(name: str, table: pd.DataFrame) -> list[str]:
    notes = [f"In {name}: {text}" for text in undefined_statistics(table)]
    against = table.index[table["item_rest_r"] < 0.0].tolist()
    if against:
        notes.append(
            f"In {name}, item(s) {', '.join(against)} run against the others; if they are worded the other way, "
            "ask for their reversal with reverse=[...]."
        )
    same = table[table["redundant_r"] > REDUNDANT_R]
    for item, other, r in zip(same.index, same["redundant_with"], same["redundant_r"], strict=True):
        if str(item) < str(other) or table.loc[other, "redundant_with"] != item:
            notes.append(f"In {name}, items {item} and {other} correlate {r:.2f}: they may be redundant.")
    return notes
