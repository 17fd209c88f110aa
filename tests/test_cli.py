"""The command line: ten broken files, what is printed, and how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from psm_analysis.cli import main
from psm_analysis.studies import registry

DATA = Path(__file__).parents[1] / "data"
WAVE1 = str(DATA / "synthetic" / "wave1.csv")
CODEBOOK = str(DATA / "codebooks" / "synthetic.toml")
Writer = Callable[[pd.DataFrame, Path], Path]


@pytest.fixture
def answers() -> pd.DataFrame:
    """Forty right answer sheets to PSM-16."""
    rng = np.random.default_rng(5)
    latent = rng.normal(size=(40, 1))
    codes = np.clip(np.round(3 + latent + 0.7 * rng.normal(size=(40, 16))), 1, 5).astype(int)
    codes[:5] = np.arange(1, 6)[:, None]
    frame = pd.DataFrame(codes, columns=[f"psm{i}" for i in range(1, 17)])
    frame.insert(0, "id", [f"P{i:03}" for i in range(40)])
    return frame


def csv(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path


def truncated_sav(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "truncated.sav"
    pyreadstat.write_sav(frame, str(path))
    path.write_bytes(path.read_bytes()[:-700])
    return path


def ragged_row(frame: pd.DataFrame, folder: Path) -> Path:
    path = csv(frame, folder / "ragged.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[6] += ",3"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def text_answer(frame: pd.DataFrame, folder: Path) -> Path:
    frame = frame.astype({"psm4": object})
    frame.loc[8, "psm4"] = "mostly"
    return csv(frame, folder / "text.csv")


def undeclared_nine(frame: pd.DataFrame, folder: Path) -> Path:
    frame.loc[[3, 5], "psm2"] = 9
    return csv(frame, folder / "nine.csv")


def duplicated_id(frame: pd.DataFrame, folder: Path) -> Path:
    frame.loc[7, "id"] = "P003"
    return csv(frame, folder / "twice.csv")


def missing_column(frame: pd.DataFrame, folder: Path) -> Path:
    return csv(frame.drop(columns="psm16"), folder / "missing.csv")


def misspelt_column(frame: pd.DataFrame, folder: Path) -> Path:
    return csv(frame.rename(columns={"psm7": "pms7"}), folder / "misspelt.csv")


def empty_file(_: pd.DataFrame, folder: Path) -> Path:
    path = folder / "empty.csv"
    path.touch()
    return path


def wrong_encoding(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "latin.csv"
    path.write_bytes(frame.assign(town="Orléans").to_csv(index=False).encode("latin-1"))
    return path


def zero_to_four(frame: pd.DataFrame, folder: Path) -> Path:
    frame.iloc[:, 1:] -= 1
    return csv(frame, folder / "zero.csv")


BROKEN = [
    (truncated_sav, ["cut off"]),
    (ragged_row, ["17 cells", "line 7 has 18"]),
    (text_answer, ["text_in_number", "psm4", "line 10", "'mostly'"]),
    (undeclared_nine, ["undeclared_missing", "psm2", "lines 5, 7", "missing_codes = [9]"]),
    (duplicated_id, ["duplicated_id", "lines 5, 9", "'P003'"]),
    (missing_column, ["missing_column", "psm16"]),
    (misspelt_column, ["missing_column", "psm7", "Did you mean 'pms7'"]),
    (empty_file, ["The file is empty"]),
    (wrong_encoding, ["encoding", "0xe9", "line 2"]),
    (zero_to_four, ["shifted_scale", "coded 0 to 4", "1 to 5"]),
]


@pytest.mark.parametrize("instrument", [["--instrument", "psm16"], []], ids=["named", "found"])
@pytest.mark.parametrize(("write", "parts"), BROKEN, ids=[write.__name__ for write, _ in BROKEN])
def test_a_broken_file_gives_one_clear_report(
    answers: pd.DataFrame,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    write: Writer,
    parts: list[str],
    instrument: list[str],
) -> None:
    path = write(answers, tmp_path)
    assert main(["validate", str(path), *instrument]) == 1
    out, err = capsys.readouterr()
    report = out + err
    assert "Traceback" not in report
    for part in parts:
        assert part in report
    errors = [line for line in report.splitlines() if line.startswith(("ERROR", "psm-analysis: The"))]
    assert len(errors) == 1


def test_a_right_file_ends_with_zero(answers: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(answers, tmp_path / "right.csv")
    assert main(["validate", str(path), "--instrument", "psm16"]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out


def test_the_broken_process_prints_no_traceback_and_no_bar(answers: pd.DataFrame, tmp_path: Path) -> None:
    path = undeclared_nine(answers, tmp_path)
    run = subprocess.run(
        [sys.executable, "-m", "psm_analysis", "validate", str(path), "--instrument", "psm16"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr == ""
    assert "undeclared_missing" in run.stdout


def test_a_reader_who_has_gone_changes_no_exit_code(answers: pd.DataFrame, tmp_path: Path) -> None:
    path = undeclared_nine(answers, tmp_path)
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "psm_analysis", "validate", str(path), "--instrument", "psm16"]
    run = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_what_cannot_be_printed_is_said_without_a_traceback() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "psm_analysis", "instruments"]
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "psm-analysis: Nothing can be printed: No space left on device.\n")


def test_reports_as_csv_and_json(answers: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(undeclared_nine(answers, tmp_path))
    assert main(["validate", path, "--instrument", "psm16", "--format", "csv"]) == 1
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table.loc[0, ["rule", "column", "count"]].tolist() == ["undeclared_missing", "psm2", 2]
    assert main(["validate", path, "--instrument", "psm16", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["errors"] == 1
    assert report["violations"][0]["rule"] == "undeclared_missing"
    assert main(["validate", str(tmp_path / "none.csv"), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["what"] == "There is no such file."


def test_the_synthetic_survey_passes_and_its_careless_rows_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", WAVE1, "--codebook", CODEBOOK]) == 0
    capsys.readouterr()
    assert main(["screen", WAVE1, "--codebook", CODEBOOK, "--rows", "3", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rows"] == 1200
    assert len(report["rows_flagged"]) == report["flagged_3_or_more"] > 30
    assert main(["screen", WAVE1, "--codebook", CODEBOOK]) == 0
    assert "No row was dropped" in capsys.readouterr().out
    assert main(["screen", WAVE1, "--codebook", CODEBOOK, "--format", "csv"]) == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["check"].iloc[0] == "long_string"


def test_instruments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instruments"]) == 0
    assert "wleis16" in capsys.readouterr().out
    assert main(["instruments", "olbi", "--lang", "zh"]) == 0
    assert "奥尔登堡" in capsys.readouterr().out
    assert main(["instruments", "psm_structure"]) == 0
    assert "only the structure" in capsys.readouterr().out
    assert main(["instruments", "wleis"]) == 1
    assert "Did you mean 'wleis16'" in capsys.readouterr().err


def test_report_prints_and_writes_the_dossier_of_each_instrument(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    survey = ["report", "data/synthetic/wave1.csv", "--instrument", "turnover3", "--seed", "3"]
    assert main([*survey, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("turnover3")
    assert "Reliability and average variance extracted" in printed
    assert "second-order" not in printed
    assert (tmp_path / "tables" / "turnover3_reliability.docx").stat().st_size > 0
    assert (tmp_path / "figures" / "turnover3_scree.svg").stat().st_size > 0
    assert main([*survey, "--format", "json", "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "tables" / "turnover3_fit.csv").exists()
    (dossier,) = json.loads(capsys.readouterr().out)
    assert dossier["instrument"] == "turnover3"
    assert dossier["n_used"] > 1000
    assert main([*survey, "--codebook", "data/codebooks/synthetic.toml"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("turnover3")
    assert "psm16" not in printed
    assert main([*survey, "--max-flags", "-1"]) == 1
    assert "Raise max_flags" in capsys.readouterr().err


def test_reproduce_lists_prints_and_writes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["reproduce"]) == 0
    assert registry.STUDY_IDS[0] in capsys.readouterr().out
    assert main(["reproduce", "eaves_payne_2019", "--out", str(tmp_path / "build")]) == 0
    assert "files in" in capsys.readouterr().out
    assert list((tmp_path / "build" / "tables").glob("*.csv"))
    assert main(["reproduce", "byrne"]) == 1
    assert "Did you mean 'byrne_mbi'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [[], ["valdate"], ["validate"], ["validate", "a.csv", "--profile", "x"], ["screen", "a.csv", "--rows", "0"]],
    ids=str,
)
def test_wrong_usage_ends_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "usage:" in capsys.readouterr().err


def test_nothing_says_what_the_columns_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), tmp_path / "other.csv")
    assert main(["validate", str(path)]) == 2
    assert "--instrument" in capsys.readouterr().err


def test_an_interruption_ends_cleanly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("psm_analysis.cli.commands.read_survey", interrupt)
    assert main(["validate", WAVE1]) == 130
    assert "Interrupted" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("psm-analysis ")
