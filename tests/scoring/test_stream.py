"""Files scored by DuckDB: the scores of pandas, and pandas again for every file that is not clean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.scoring.stream import stream_scores

WAVE = Path(__file__).resolve().parents[2] / "data" / "synthetic" / "wave2.csv"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reference = psm.read_survey(WAVE.with_name("wave1.csv"), instruments="olbi")
    return psm.calibrate(reference, "olbi").save(tmp_path_factory.mktemp("m") / "olbi.json")


def run(source: Path, stored: Path, out: Path, *more: str) -> int:
    return main(["score", str(source), "--model", str(stored), "--out", str(out), "--id", "person_id", *more])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_duckdb_gives_the_scores_of_pandas(stored: Path, tmp_path: Path, kind: str) -> None:
    source, out = tmp_path / f"它's.{kind}", tmp_path / "o.parquet"
    frame = pd.read_csv(WAVE)
    frame.loc[3, [f"olbi{j}" for j in range(1, 17)]] = np.nan
    frame.to_csv(source, index=False) if kind == "csv" else frame.to_parquet(source)
    assert run(source, stored, out) == 0
    report = json.loads(Path(f"{out}.run.json").read_text("utf-8"))
    assert (report["engine"], report["rows_out"]) == ("duckdb", 1019)
    expected = psm.load_scoring_model(stored).score(frame, id="person_id")
    found = pd.read_parquet(out)
    assert found["person_id"].tolist() == expected["person_id"].tolist()
    assert found["flags"].tolist() == expected["flags"].tolist()
    numbers = expected.columns[1:-1]
    np.testing.assert_array_equal(found[numbers].to_numpy(float), expected[numbers].to_numpy(float))
    assert report["without_score"] == {name: int(expected[name].isna().sum()) for name in report["without_score"]}
    first = out.read_bytes()
    assert run(source, stored, out, "--overwrite") == 0
    assert out.read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, "o.parquet", "o.parquet.run.json"])


@pytest.mark.parametrize("fault", ["code", "text", "id", "column", "twice"])
def test_a_file_that_is_not_clean_is_left_to_pandas(stored: Path, tmp_path: Path, fault: str) -> None:
    lines = [line.split(",") for line in WAVE.read_text("utf-8").splitlines()]
    place = lines[0].index("olbi2")
    if fault == "code":
        lines[9][place] = "7"
    elif fault == "text":
        lines[9][place] = "4 - agree"
    elif fault == "id":
        lines[9][0] = lines[8][0]
    elif fault == "column":
        lines[0][place] = "olbi_2"
    else:
        lines[0][lines[0].index("check1")] = "olbi2"
    source = tmp_path / "in.csv"
    source.write_text("\n".join(map(",".join, lines)), "utf-8")
    model = psm.load_scoring_model(stored)
    assert stream_scores(model, source, target=tmp_path / "o.parquet", id="person_id") is None
    assert run(source, stored, tmp_path / "o.parquet") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_single_bad_answers_pass_if_asked(stored: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(WAVE)
    frame.loc[2, "olbi2"] = 9
    frame.to_parquet(tmp_path / "in.parquet")
    assert run(tmp_path / "in.parquet", stored, tmp_path / "o.parquet", "--bad-values", "missing") == 0
    report = json.loads((tmp_path / "o.parquet.run.json").read_text("utf-8"))
    assert (report["engine"], report["bad_answers"]) == ("pandas", {"olbi2": 1})
