"""Spark gives the scores of pandas: a driver and two worker processes on this machine, one session for all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
WAVES = ROOT / "data" / "synthetic"
METHODS = ["mean", "pomp", "prorated", "regression", "eap"]
pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("psm_analysis")
    options = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "1g",
        "spark.executorEnv.PYTHONPATH": str(ROOT),
        "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    }
    for name, value in options.items():
        builder = builder.config(name, value)
    found = builder.getOrCreate()
    found.sparkContext.setLogLevel("ERROR")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def wave() -> psm.SurveyWave:
    return psm.read_survey(WAVES / "wave1.csv", instruments=["psm16", "org_support"])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, wave) -> Path:
    items = [*(f"psm{j}" for j in range(1, 17)), *(f"support{j}" for j in range(1, 5))]
    frame = wave.data[["person_id", *items]].copy()
    frame.iloc[0, 1:] = np.nan
    frame.iloc[1, 1:6] = np.nan
    frame.iloc[2, [3, 18]] = 9
    frame.iloc[3, 19] = 2.5
    path = tmp_path_factory.mktemp("spark") / "wave.parquet"
    frame.to_parquet(path, index=False, row_group_size=300)
    return path


def collected(found: Any) -> pd.DataFrame:
    return found.toArrow().to_pandas().sort_values("person_id", ignore_index=True)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    expected = expected.sort_values("person_id", ignore_index=True)
    assert list(found.columns) == list(expected.columns)
    assert found["flags"].tolist() == expected["flags"].tolist()
    numbers = expected.columns[1:-1]
    np.testing.assert_allclose(
        found[numbers].to_numpy(float), expected[numbers].to_numpy(float), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("method", METHODS)
def test_two_workers_give_the_scores_of_pandas(session, wave, answers: Path, method: str) -> None:
    from psm_analysis.scoring.spark import score

    model = psm.calibrate(wave, "org_support", method=method)
    found = score(session.read.parquet(str(answers)), model, id="person_id")
    assert_same(collected(found), model.score(pd.read_parquet(answers), id="person_id", bad_values="missing"))


def test_whole_numbers_and_scores_alone(session, wave, answers: Path) -> None:
    from psm_analysis.scoring.spark import score

    model = psm.calibrate(wave, "psm16")
    given = session.read.parquet(str(answers)).selectExpr(
        "person_id", *(f"CAST(psm{j} AS INT) psm{j}" for j in range(1, 17))
    )
    frame = pd.read_parquet(answers)
    assert_same(
        collected(score(given, model, id="person_id", columns="scores")),
        model.score(frame, id="person_id", bad_values="missing", columns="scores"),
    )


def test_names_are_quoted(session, wave) -> None:
    from psm_analysis.scoring.spark import score

    model = psm.calibrate(wave, "org_support")
    renamed = replace(
        model,
        items=tuple(replace(item, id=f"题 `{item.id}`") for item in model.items),
        scales=tuple(
            replace(scale, id=f"it's \\ {scale.id}", items=tuple(f"题 `{item}`" for item in scale.items))
            for scale in model.scales
        ),
    )
    rows = pd.DataFrame([[3.0] * 4, [5.0] * 3 + [np.nan]], columns=list(renamed.item_ids)).assign(person_id=[1, 2])
    given = session.createDataFrame(pa.Table.from_pandas(rows, preserve_index=False))
    assert_same(collected(score(given, renamed, id="person_id")), renamed.score(rows, id="person_id"))


def test_columns_are_checked_before_anything_runs(session, wave, answers: Path) -> None:
    from psm_analysis.scoring.spark import score

    model = psm.calibrate(wave, "psm16")
    given = session.read.parquet(str(answers)).withColumnRenamed("psm3", "psm_3").selectExpr("*", "'4 - agree' AS x")
    with pytest.raises(DataError, match=r"'psm3' is missing. Did you mean 'psm_3'"):
        score(given, model)
    text = given.withColumnRenamed("psm_3", "psm3").drop("psm4").withColumnRenamed("x", "psm4")
    with pytest.raises(DataError, match="'psm4' holds string"):
        score(text, model, id="person_id")
