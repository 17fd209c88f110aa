"""What a DataFrame may hold: every kind of number and text has the scores of whole numbers, the rest is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"
ITEMS = [f"support{j}" for j in range(1, 5)]
ROWS = pd.DataFrame(np.random.default_rng(5).integers(1, 6, (12, 4)), columns=ITEMS)


@pytest.fixture(scope="module")
def model() -> psm.ScoringModel:
    return psm.calibrate(psm.read_survey(WAVES / "wave1.csv", instruments="org_support"), "org_support")


SAME: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "nullable": lambda d: d.astype("Int64"),
    "nullable decimal": lambda d: d.astype("Float64"),
    "small": lambda d: d.astype("uint8"),
    "arrow": lambda d: d.astype("int64[pyarrow]"),
    "arrow text": lambda d: d.astype(str).astype("string[pyarrow]"),
    "arrow decimal": lambda d: d.astype("int64[pyarrow]").astype(pd.ArrowDtype(pa.decimal128(21, 1))),
    "arrow dictionary": lambda d: pa.table({c: pa.array(d[c]).dictionary_encode() for c in d}).to_pandas(
        types_mapper=pd.ArrowDtype
    ),
    "objects": lambda d: d.astype(object),
    "decimals": lambda d: d.map(lambda value: Decimal(int(value))),
    "mixed": lambda d: d.astype(object).map(lambda value: str(value) if value > 3 else value),
    "categories": lambda d: d.apply(lambda c: pd.Categorical(c, categories=[5, 4, 3, 2, 1], ordered=True)),
    "categories of text": lambda d: d.astype(str).astype("category"),
    "sparse": lambda d: d.astype(pd.SparseDtype("float64", np.nan)),
    "index of texts": lambda d: d.set_axis([f"r{i}" for i in range(len(d))]),
    "index of one value": lambda d: d.set_axis([0] * len(d)),
    "index of nothing": lambda d: d.set_axis([np.nan] * len(d)),
    "index of two levels": lambda d: d.set_axis(pd.MultiIndex.from_product([[1, 2, 3], list("abcd")])),
    "index of days": lambda d: d.set_axis(pd.date_range("2024-01-01", periods=len(d))),
    "columns of numbers beside": lambda d: d.assign(extra=1).rename(columns={"extra": 7}),
}


@pytest.mark.parametrize("kind", SAME)
def test_kinds_of_numbers(model, kind: str) -> None:
    frame = SAME[kind](ROWS)
    before = frame.copy()
    found = model.score(frame)
    np.testing.assert_array_equal(found["support"], model.score(ROWS)["support"])
    assert found.index.equals(frame.index)
    pd.testing.assert_frame_equal(frame, before)


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], Any], str]] = {
    "truth": (lambda d: d > 2, "12 answers are not codes"),
    "truth with gaps": (lambda d: (d > 2).astype("boolean").mask(d > 4), "answers are not codes"),
    "truth among numbers": (lambda d: d.astype(object).mask(d == 1, True), "True in rows"),
    "lists": (lambda d: d.map(lambda value: [value]), r"\[\d\]"),
    "records": (lambda d: d.map(lambda value: {"a": value}), "'a'"),
    "complex": (lambda d: d.astype(complex), "not codes"),
    "days": (lambda d: d.apply(pd.to_datetime), "not codes"),
    "spans of time": (lambda d: d.apply(pd.to_timedelta), "not codes"),
    "fractions": (lambda d: d + 0.5, "not codes"),
    "twice": (lambda d: pd.concat([d, d[["support1"]]], axis=1), "'support1' occurs 2 times.*one column of each name"),
    "a row": (lambda d: d.iloc[0], "not Series"),
    "a dict": (lambda d: d.to_dict("list"), "not dict"),
    "an array": (lambda d: d.to_numpy(), "not ndarray"),
    "nothing": (lambda d: None, "not NoneType"),
    "a table": (pa.Table.from_pandas, "not Table.*to_pandas"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_are_no_answers(model, kind: str) -> None:
    make, words = REFUSED[kind]
    with pytest.raises(DataError, match=f"(?s){words}"):
        model.score(make(ROWS))


def test_ids(model) -> None:
    whole = pd.array([1, None, *range(2, 12)], dtype="Int64")
    assert model.score(ROWS.assign(who=whole), id="who")["who"].dtype == "Int64"
    with pytest.raises(DataError, match=r"'who' is missing\. It is the index: use reset_index"):
        model.score(ROWS.assign(who=range(12)).set_index("who"), id="who")
    with pytest.raises(DataError, match=r"(?s)1 id occurs more than once \(3\).*every person an id of their own"):
        model.score(ROWS.assign(who=3), id="who")
    with pytest.raises(OptionError, match="no name"):
        model.score(ROWS, id=["who"])


def test_the_accessor_takes_models_only() -> None:
    with pytest.raises(OptionError, match="no scoring model"):
        ROWS.psm.score(3)
