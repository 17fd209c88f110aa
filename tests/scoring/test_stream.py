"""Files scored by DuckDB: the scores, the counts and the messages of data in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.scoring import stream_memory

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


FAULTS = {
    "code": "'olbi2': 1 answer is not a code (1, 2, 3, 4): 7 in row 9",
    "text": "'olbi2': 1 answer is not a code (1, 2, 3, 4): 4 - agree in row 9",
    "id": "1 id occurs more than once (P00009)",
    "column": "column 'olbi2' is missing. Did you mean 'olbi_2'",
    "twice": "Several columns have one name: 'olbi2'",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_with_a_fault_is_refused_and_nothing_is_written(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
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
    assert run(source, stored, tmp_path / "o.parquet") == 1
    streamed = capsys.readouterr().err
    assert run(source, stored, tmp_path / "o.csv") == 1
    in_memory = capsys.readouterr().err
    assert FAULTS[fault].replace("P00009", lines[8][0]) in streamed
    assert streamed == in_memory
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("policy", ["missing", "drop"])
def test_policies_give_the_same_in_blocks_and_in_memory(stored: Path, tmp_path: Path, policy: str) -> None:
    frame = pd.read_csv(WAVE, dtype={"person_id": str})
    frame.loc[[2, 5], "olbi2"] = [9.0, 2.5]
    frame.loc[5, "olbi4"] = np.inf
    frame.loc[7, "olbi4"] = -9
    frame.loc[frame.index[-1], [f"olbi{j}" for j in range(1, 17)]] = np.nan
    frame.to_parquet(tmp_path / "in.parquet")
    reports = {}
    for kind in ("parquet", "csv"):
        out = tmp_path / f"o.{kind}"
        assert run(tmp_path / "in.parquet", stored, out, "--bad-values", policy) == 0
        reports[kind] = json.loads(Path(f"{out}.run.json").read_text("utf-8"))
    engines = [report.pop("engine") for report in reports.values()]
    assert engines == ["duckdb", "pandas"]
    assert reports["parquet"] == reports["csv"]
    report = reports["csv"]
    assert report["bad_answers"] == {"olbi2": 2, "olbi4": 2}
    assert report["rows_dropped"] == (3 if policy == "drop" else 0)
    assert report["flags"].get("bad_value", 0) == (0 if policy == "drop" else 3)
    assert report["flags"]["all_missing"] == 1
    found, expected = pd.read_parquet(tmp_path / "o.parquet"), pd.read_csv(tmp_path / "o.csv", dtype={"flags": str})
    assert found["person_id"].tolist() == expected["person_id"].tolist()
    pd.testing.assert_frame_equal(found.drop(columns="flags"), expected.drop(columns="flags"), check_dtype=False)
    assert found["flags"].tolist() == expected["flags"].fillna("").tolist()


def test_another_coding_is_refused_whatever_the_policy(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(WAVE)
    items = [f"olbi{j}" for j in range(1, 17)]
    frame[items] = frame[items] - 1
    frame.to_parquet(tmp_path / "in.parquet")
    for kind in ("parquet", "csv"):
        assert run(tmp_path / "in.parquet", stored, tmp_path / f"o.{kind}", "--bad-values", "missing") == 1
        assert "16 of 16 items seem to be coded 0-3 instead of 1-4: add 1" in capsys.readouterr().err


def test_scores_alone(stored: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(WAVE)
    model = psm.load_scoring_model(stored)
    whole = model.score(frame, id="person_id")
    expected = whole[["person_id", *(scale.id for scale in model.scales), "flags"]]
    pd.testing.assert_frame_equal(model.score(frame, id="person_id", columns="scores"), expected)
    report = psm.score_file(model, WAVE, out=tmp_path / "o.parquet", id="person_id", columns="scores")
    assert (report["engine"], report["columns"]) == ("duckdb", "scores")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "o.parquet"), expected, check_dtype=False, check_exact=True
    )


def test_ids_need_not_rise(stored: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(WAVE).iloc[::-1].assign(person_id=lambda x: np.arange(len(x))[::-1])
    frame.to_parquet(tmp_path / "in.parquet", index=False)
    assert run(tmp_path / "in.parquet", stored, tmp_path / "o.parquet") == 0
    assert pd.read_parquet(tmp_path / "o.parquet")["person_id"].tolist() == frame["person_id"].tolist()
    frame.iloc[5, 0] = frame.iloc[900, 0]
    frame.to_parquet(tmp_path / "in.parquet", index=False)
    assert run(tmp_path / "in.parquet", stored, tmp_path / "o.parquet", "--overwrite") == 1


def test_single_bad_answers_pass_if_asked(stored: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(WAVE)
    frame.loc[2, "olbi2"] = 9
    frame.to_parquet(tmp_path / "in.parquet")
    assert run(tmp_path / "in.parquet", stored, tmp_path / "o.parquet", "--bad-values", "missing") == 0
    report = json.loads((tmp_path / "o.parquet.run.json").read_text("utf-8"))
    assert (report["engine"], report["bad_answers"]) == ("duckdb", {"olbi2": 1})


def test_too_little_memory_is_given_more_and_the_file_is_not_loaded(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, again = tmp_path / "usual.parquet", tmp_path / "again.parquet"
    assert run(WAVE, stored, usual) == 0
    monkeypatch.setattr(stream_memory, "MEMORY", "1MB")
    assert run(WAVE, stored, again) == 0
    assert json.loads(Path(f"{again}.run.json").read_text("utf-8"))["engine"] == "duckdb"
    assert again.read_bytes() == usual.read_bytes()


def test_a_file_that_needs_too_much_memory_is_refused_with_a_way_out(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stream_memory, "MEMORY", "1MB")
    monkeypatch.setattr(stream_memory, "ROOMY", "2MB")
    assert run(WAVE, stored, tmp_path / "o.parquet") == 1
    said = capsys.readouterr().err
    assert "Scoring needs more than 2MB of memory." in said
    assert "--columns scores" in said
    assert not list(tmp_path.iterdir())


def test_wide_scores_of_large_row_groups_get_one_thread(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three scales of six columns of 8 bytes and 500,000 rows are 72 MB; three columns are 12 MB."""
    monkeypatch.setattr(stream_memory.os, "cpu_count", lambda: 8)
    model, file = psm.load_scoring_model(stored), tmp_path / "in.parquet"
    pd.DataFrame({"id": np.arange(500_000)}).to_parquet(file, row_group_size=500_000)
    widths = {columns: stream_memory.writing_threads(model, file, columns=columns) for columns in ("all", "scores")}
    assert (len(model.scales), widths) == (3, {"all": 2, "scores": 8})
    pd.DataFrame({"id": np.arange(2_000_000)}).to_parquet(file, row_group_size=2_000_000)
    assert stream_memory.writing_threads(model, file, columns="all") == 1


@pytest.mark.parametrize("ids", ["numbers", "texts"])
def test_a_repeated_id_is_found_wherever_it_stands(stored: Path, tmp_path: Path, capsys, ids: str) -> None:
    """In a row that is dropped too, as in memory; ids that rise are told apart without a table of them."""
    frame = pd.read_csv(WAVE)
    frame["person_id"] = np.arange(len(frame)) if ids == "numbers" else [f"p{i:06d}" for i in range(len(frame))]
    frame.loc[9, "olbi2"] = 7
    frame.to_parquet(tmp_path / "in.parquet")
    assert run(tmp_path / "in.parquet", stored, tmp_path / "o.parquet", "--bad-values", "drop") == 0
    frame.loc[9, "person_id"] = frame.loc[40, "person_id"]
    frame.to_parquet(tmp_path / "in.parquet")
    frame.to_csv(tmp_path / "in.csv", index=False)
    for source in ("in.parquet", "in.csv"):
        for kind in ("parquet", "csv"):
            capsys.readouterr()
            assert run(tmp_path / source, stored, tmp_path / f"no.{kind}", "--bad-values", "drop") == 1
            assert f"1 id occurs more than once ({frame.loc[40, 'person_id']})" in capsys.readouterr().err
