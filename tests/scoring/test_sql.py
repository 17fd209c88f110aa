"""The SQL statement of a scoring model gives the scores of pandas, whatever the names."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"
METHODS = ["mean", "sum", "pomp", "prorated", "regression", "bartlett", "tenberge"]


@pytest.fixture(scope="module")
def wave() -> psm.SurveyWave:
    return psm.read_survey(WAVES / "wave1.csv", instruments=["psm16", "olbi", "wleis16", "org_support"])


def by_sql(model: psm.ScoringModel, frame: pd.DataFrame, **options: str) -> pd.DataFrame:
    duckdb = importlib.import_module("duckdb")
    with duckdb.connect() as base:
        table = options.get("table", "wave")
        base.register("given", frame)
        base.execute(f'CREATE TABLE "{table.replace(chr(34), chr(34) * 2)}" AS SELECT * FROM given')
        return base.execute(model.to_sql(**options)).df()


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(found.columns) == list(expected.columns)
    for name in expected:
        if pd.api.types.is_numeric_dtype(expected[name]):
            np.testing.assert_array_equal(found[name].to_numpy(float, na_value=np.nan), expected[name].to_numpy(float))
        else:
            assert found[name].tolist() == expected[name].tolist()


@pytest.mark.parametrize("instrument", ["psm16", "olbi", "wleis16"])
@pytest.mark.parametrize("method", METHODS)
def test_the_statement_gives_the_same_bits(wave, instrument: str, method: str) -> None:
    model = psm.calibrate(wave, instrument, method=method)
    new = wave.data[["person_id", *model.item_ids]].copy()
    new.iloc[0, 1:] = np.nan
    new.iloc[1, 1:4] = np.nan
    assert_same(by_sql(model, new, id="person_id"), model.score(new, id="person_id").reset_index(drop=True))


def test_bad_answers_count_as_missing_and_are_flagged(wave) -> None:
    model = psm.calibrate(wave, "org_support")
    rows = pd.DataFrame([[5, 4, 9, 2], [5, -1, 9, 8], [5, 4, 3.5, 2]], columns=list(model.item_ids))
    assert_same(by_sql(model, rows), model.score(rows, bad_values="missing"))


def test_names_are_quoted(wave) -> None:
    model = psm.calibrate(wave, "org_support")
    names = ["支持一", 'a"b', "x; DROP TABLE wave --", "it's"]
    renamed = replace(
        model,
        items=tuple(replace(item, id=name) for item, name in zip(model.items, names, strict=True)),
        scales=(replace(model.scales[0], id="总分'\"", items=tuple(names)),),
    )
    rows = pd.DataFrame([[5, 4, 3, 2], [None, None, None, 1]], columns=names)
    assert_same(by_sql(renamed, rows, table='表 "1"'), renamed.score(rows))


def test_an_unknown_dialect_and_an_unusable_name_are_refused(wave) -> None:
    model = psm.calibrate(wave, "org_support")
    with pytest.raises(OptionError, match="dialect"):
        model.to_sql("oracle")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="flags"):
        model.to_sql(id="flags")
    with pytest.raises(DataError, match="SQL"):
        model.to_sql(table="")
