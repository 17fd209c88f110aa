"""Scale scores by the instrument's own rule: reverse coding, mean or sum, missing rule."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import nearest
from psm_analysis.errors import DataError, InstrumentError, PsmAnalysisWarning
from psm_analysis.instruments.model import Instrument
from psm_analysis.instruments.registry import get_instrument


def score_scales(frame: pd.DataFrame, instrument: Instrument | str, *, reversed_already: bool = False) -> pd.DataFrame:
    r"""Return subscale scores, and the total score where the instrument has one.

    A reversed item becomes :math:`x' = \min + \max - x` over its response scale. With :math:`k` items of which the
    :math:`m` in :math:`A` are answered, :math:`m` at least what the missing rule asks for,

    .. math:: mean = \frac{1}{m} \sum_{j \in A} x'_j, \qquad sum = \frac{k}{m} \sum_{j \in A} x'_j

    (a prorated sum); with fewer answers the score is NaN.

    Parameters
    ----------
    frame
        One row per respondent; item columns named by item id, codes as answered, NaN = not answered.
        Other columns are ignored.
    instrument
        An `Instrument`, or the id of one that is shipped.
    reversed_already
        True if the reversed items were recoded before, so that they are not turned a second time.

    Returns
    -------
    DataFrame
        Index of `frame`; one column per subscale, named by its id, then the total named by ``instrument.factor`` if the
        instrument has a total and more than one subscale. In the units of the response scale.

    Raises
    ------
    DataError
        If item columns are missing, hold text, or hold codes outside the response scale.
    InstrumentError
        If only the structure of the instrument is known.

    Warns
    -----
    PsmAnalysisWarning
        If the key of the instrument is marked as unverified.

    References
    ----------
    Person-mean imputation within a scale: Downey, R. G., & King, C. V. (1998). Missing data in Likert ratings.
    Journal of General Psychology, 125(2), 175-191.

    Examples
    --------
    >>> answers = pd.DataFrame({"support1": [5, 4], "support2": [4, None], "support3": [4, None], "support4": [1, 2]})
    >>> score_scales(answers, "org_support")
       support
    0      4.5
    1      4.0
    """
    known = get_instrument(instrument) if isinstance(instrument, str) else instrument
    _check_instrument(known)
    answers = _codes(frame, known)
    if not reversed_already:
        for item in known.reverse_items:
            scale = known.response_of(item)
            answers[item] = scale.minimum + scale.maximum - answers[item]
    scores = {part.id: _score(answers, part.items, instrument=known) for part in known.subscales}
    if known.total and len(known.subscales) > 1:
        scores[known.factor] = _score(answers, known.item_ids, instrument=known)
    return pd.DataFrame(scores, index=frame.index)


def _check_instrument(instrument: Instrument) -> None:
    if instrument.structure_only:
        raise InstrumentError(
            "Only the dimensions of this instrument are known, so it cannot be scored.",
            where=f"instrument '{instrument.id}'",
            remedy="Write a TOML definition with your items and their key, and give its path to get_instrument.",
        )
    if not instrument.verified:
        warnings.warn(
            f"The key of '{instrument.id}' was not read in a source: compare it with the article first.",
            PsmAnalysisWarning,
            stacklevel=3,
        )


def _codes(frame: pd.DataFrame, instrument: Instrument) -> dict[str, NDArray[np.float64]]:
    absent = [item for item in instrument.item_ids if item not in frame.columns]
    if absent:
        raise DataError(
            f"{len(absent)} of {len(instrument.items)} items are not in the data: {', '.join(absent)}.",
            where=f"instrument '{instrument.id}'",
            remedy=f"{nearest(absent[0], frame.columns)}Rename your columns to the item ids.",
        )
    twice = [item for item in instrument.item_ids if list(frame.columns).count(item) > 1]
    if twice:
        raise DataError("The column occurs more than once.", where=f"column '{twice[0]}'", remedy="Keep one of them.")
    return {item: _item_codes(frame[item], instrument) for item in instrument.item_ids}


def _item_codes(column: pd.Series, instrument: Instrument) -> NDArray[np.float64]:
    where = f"column '{column.name}'"
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise DataError(
            f"The answers are {column.dtype}, not numbers.", where=where, remedy="Recode them to the codes of the item."
        )
    codes = column.to_numpy(dtype=float, na_value=np.nan)
    scale = instrument.response_of(str(column.name))
    strange = ~np.isnan(codes) & ~np.isin(codes, scale.codes)
    if strange.any():
        values = ", ".join(f"{value:g}" for value in np.unique(codes[strange])[:5])
        rows = ", ".join(str(label) for label in column.index[strange][:5])
        raise DataError(
            f"{strange.sum()} answers are not codes of {_span(scale.codes)}: {values} (rows {rows}).",
            where=where,
            remedy="Declare missing codes, recode, or use instrument.with_response(minimum, maximum).",
        )
    return codes


def _span(codes: tuple[int, ...]) -> str:
    steps = {b - a for a, b in pairwise(codes)}
    return f"{codes[0]}-{codes[-1]}" if steps == {1} else "/".join(map(str, codes))


def _score(
    answers: Mapping[str, NDArray[np.float64]], items: tuple[str, ...], *, instrument: Instrument
) -> NDArray[np.float64]:
    total = np.zeros(len(answers[items[0]]))
    answered = np.zeros(len(total))
    for item in items:
        present = ~np.isnan(answers[item])
        total += np.where(present, answers[item], 0.0)
        answered += present
    enough = answered >= instrument.missing_rule.required(len(items))
    mean: NDArray[np.float64] = np.full(len(total), np.nan)
    np.divide(total, answered, out=mean, where=enough & (answered > 0))
    return mean * len(items) if instrument.scoring == "sum" else mean
