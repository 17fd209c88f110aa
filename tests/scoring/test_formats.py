"""One model, many formats: the same scores whatever the wave and the scores are kept in."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.errors import FileError
from psm_analysis.scoring.encode import encode

WAVE = Path(__file__).resolve().parents[2] / "data" / "synthetic" / "wave2.csv"
READ = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".xlsx": pd.read_excel,
    ".sav": lambda path: importlib.import_module("pyreadstat").read_sav(str(path))[0],
    ".dta": pd.read_stata,
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reference = psm.read_survey(WAVE.with_name("wave1.csv"), instruments="olbi")
    return psm.calibrate(reference, "olbi").save(tmp_path_factory.mktemp("m") / "olbi.json")


def assert_scores(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(found.columns) == list(expected.columns)
    assert found["person_id"].tolist() == expected["person_id"].tolist()
    assert [text if isinstance(text, str) else "" for text in found["flags"]] == expected["flags"].tolist()
    numbers = expected.columns[1:-1]
    np.testing.assert_allclose(found[numbers].to_numpy(float), expected[numbers].to_numpy(float), rtol=1e-14)


@pytest.mark.parametrize("kind", list(READ))
def test_a_wave_of_any_format_has_the_same_scores_in_any_format(stored: Path, tmp_path: Path, kind: str) -> None:
    frame = pd.read_csv(WAVE)
    source, out = tmp_path / f"wave{kind}", tmp_path / f"scores{kind}"
    source.write_bytes(encode(frame, kind))
    call = ["score", str(source), "--model", str(stored), "--out", str(out), "--id", "person_id"]
    assert main(call) == 0
    assert_scores(READ[kind](out), psm.load_scoring_model(stored).score(frame, id="person_id"))
    first = out.read_bytes()
    assert main([*call, "--overwrite"]) == 0
    assert out.read_bytes() == first


def test_user_missing_codes_of_spss_are_missing(tmp_path: Path) -> None:
    frozen = psm.calibrate(psm.read_survey(WAVE.with_name("wave1.csv"), instruments="olbi"), "olbi")
    frozen.save(tmp_path / "m.json")
    for kind in ("csv", "sav"):
        source, out = WAVE.with_name(f"wave1.{kind}"), tmp_path / f"{kind}.parquet"
        call = ["score", str(source), "--model", str(tmp_path / "m.json"), "--out", str(out), "--id", "person_id"]
        assert main(call) == 0
    assert_scores(pd.read_parquet(tmp_path / "sav.parquet"), pd.read_parquet(tmp_path / "csv.parquet"))


def test_files_of_two_days_have_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = pd.DataFrame({"id": ["a", "b"], "x": [1.5, np.nan]})
    first = {kind: encode(scores, kind) for kind in READ}
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    importlib.import_module("time").tzset()
    importlib.import_module("time").sleep(2.1)  # the resolution of a zip file
    assert {kind: encode(scores, kind) for kind in READ} == first
    monkeypatch.undo()
    importlib.import_module("time").tzset()


def test_a_formula_does_not_run_in_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "s.xlsx").write_bytes(encode(pd.DataFrame({"id": ["=cmd()"], "x": [1.0]}), ".xlsx"))
    book = importlib.import_module("openpyxl").load_workbook(tmp_path / "s.xlsx")
    assert (book.active["A2"].value, book.active["A2"].data_type) == ("'=cmd()", "s")


@pytest.mark.parametrize("kind", [".sav", ".dta"])
def test_names_that_spss_and_stata_cannot_have_are_refused(kind: str) -> None:
    with pytest.raises(FileError, match="cannot have a column"):
        encode(pd.DataFrame({"a b": [1.0]}), kind)
