"""Files as pipelines meet them: encodings, delimiters, workbooks, and paths that must not be written to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

import psm_analysis as psm
from psm_analysis.cli import main

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"
ITEMS = [f"support{j}" for j in range(1, 5)]
KINDS = ["csv", "parquet"]


def people(n: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame(rng.integers(1, 6, (n, 4)), columns=ITEMS).assign(who=[f"员工{i}" for i in range(n)])


def run(source: Path, stored: Path, out: Path, *more: str) -> int:
    return main(["score", str(source), "--model", str(stored), "--out", str(out), "--id", "who", *more])


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(stored: Path, tmp_path: Path, kind: str, encoding: str, delimiter: str) -> None:
    people().to_csv(tmp_path / "in.csv", index=False, encoding=encoding, sep=delimiter)
    assert run(tmp_path / "in.csv", stored, tmp_path / f"o.{kind}") == 0
    found = read(tmp_path / f"o.{kind}")
    expected = psm.load_scoring_model(stored).score(people(), id="who")
    assert found["who"].tolist() == expected["who"].tolist()
    np.testing.assert_array_equal(found["support"], expected["support"])


@pytest.mark.parametrize("kind", KINDS)
def test_other_encodings_are_named(stored: Path, tmp_path: Path, kind: str, capsys) -> None:
    ids = [f"é{i}" for i in range(20)]
    people().assign(who=ids).to_csv(tmp_path / "in.csv", index=False, encoding="latin-1")
    assert run(tmp_path / "in.csv", stored, tmp_path / f"o.{kind}") == 1
    assert "encoding" in capsys.readouterr().err
    assert run(tmp_path / "in.csv", stored, tmp_path / f"o.{kind}", "--encoding", "latin-1") == 0
    assert read(tmp_path / f"o.{kind}")["who"].tolist() == ids


@pytest.mark.parametrize("kind", KINDS)
def test_a_quotation_mark_that_is_not_closed_is_refused(stored: Path, tmp_path: Path, kind: str, capsys) -> None:
    text = people().to_csv(index=False).replace("员工5", '"员工5')
    (tmp_path / "in.csv").write_text(text, "utf-8")
    assert run(tmp_path / "in.csv", stored, tmp_path / f"o.{kind}") == 1
    assert "quotation mark" in capsys.readouterr().err
    assert not list(tmp_path.glob("o.*"))


def test_a_quoted_comma_far_down_is_read_in_blocks(stored: Path, tmp_path: Path) -> None:
    frame = people(40_000)
    frame.loc[39_000, "who"] = 'Li, "Wei"'
    frame.to_csv(tmp_path / "in.csv", index=False)
    assert run(tmp_path / "in.csv", stored, tmp_path / "o.parquet") == 0
    assert json.loads((tmp_path / "o.parquet.run.json").read_text("utf-8"))["engine"] == "duckdb"
    assert read(tmp_path / "o.parquet").loc[39_000, "who"] == 'Li, "Wei"'


@pytest.mark.parametrize("kind", KINDS)
def test_a_decimal_comma_is_named(stored: Path, tmp_path: Path, kind: str, capsys) -> None:
    frame = people().astype(dict.fromkeys(ITEMS, float))
    frame.to_csv(tmp_path / "in.csv", index=False, sep=";", decimal=",")
    assert run(tmp_path / "in.csv", stored, tmp_path / f"o.{kind}") == 1
    text = capsys.readouterr().err
    assert "in.csv" in text
    assert "decimal point, not a comma" in text


def workbook(path: Path, frame: pd.DataFrame, *, formulas: bool = False) -> Path:
    book = openpyxl.Workbook()
    book.active.append([f" {name}\u00a0" for name in frame.columns])
    for row in frame.astype(object).to_numpy().tolist():
        book.active.append([f"={cell}+0" if formulas and isinstance(cell, int) else str(cell) for cell in row])
    book.save(path)
    return path


def test_workbooks_with_numbers_as_text_and_padded_names(stored: Path, tmp_path: Path) -> None:
    assert run(workbook(tmp_path / "in.xlsx", people()), stored, tmp_path / "o.csv") == 0
    expected = psm.load_scoring_model(stored).score(people())
    np.testing.assert_array_equal(read(tmp_path / "o.csv")["support"], expected["support"])


def test_formulas_without_results_are_not_read_as_missing(stored: Path, tmp_path: Path, capsys) -> None:
    assert run(workbook(tmp_path / "in.xlsx", people(), formulas=True), stored, tmp_path / "o.csv") == 1
    assert "80 cells hold formulas whose results are not stored in the file, the first in A2" in capsys.readouterr().err
    assert not (tmp_path / "o.csv").exists()


def test_formulas_with_results_are_read(stored: Path, tmp_path: Path) -> None:
    """As spreadsheet programs write them; a formula whose result is an empty text is an empty cell."""
    import zipfile

    made, out = workbook(tmp_path / "made.xlsx", people(2), formulas=True), tmp_path / "in.xlsx"
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = content.replace(b"<v></v>", b"<v>4</v>").replace(b"<v/>", b"<v>4</v>")
                content = content.replace(b'r="A2"', b'r="A2" t="str"').replace(b"<v>4</v>", b"<v></v>", 1)
            target.writestr(name, content)
    assert run(out, stored, tmp_path / "o.csv") == 0
    assert read(tmp_path / "o.csv")["support_n"].tolist() == [3, 4]


def test_the_other_sheets_of_a_workbook(stored: Path, tmp_path: Path, capsys) -> None:
    with pd.ExcelWriter(tmp_path / "in.xlsx") as writer:
        pd.DataFrame({"info": []}).to_excel(writer, sheet_name="info", index=False)
        people().to_excel(writer, sheet_name="data", index=False)
    assert run(tmp_path / "in.xlsx", stored, tmp_path / "o.csv") == 1
    assert "--sheet" in capsys.readouterr().err
    assert run(tmp_path / "in.xlsx", stored, tmp_path / "o.csv", "--sheet", "data") == 0


def test_extended_missing_values_of_stata_are_missing(stored: Path, tmp_path: Path) -> None:
    frame = people().assign(who=range(20)).astype({"support1": object})
    frame.loc[[0, 3], "support1"] = ["a", "b"]
    pyreadstat.write_dta(frame, str(tmp_path / "in.dta"), missing_user_values={"support1": ["a", "b"]})
    assert run(tmp_path / "in.dta", stored, tmp_path / "o.csv") == 0
    assert read(tmp_path / "o.csv")["support_n"].tolist() == [3, 4, 4, 3, *[4] * 16]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["same", "link"])
def test_the_input_is_never_replaced(stored: Path, tmp_path: Path, kind: str, name: str, capsys) -> None:
    source = tmp_path / f"in.{kind}"
    people().to_csv(source, index=False) if kind == "csv" else people().to_parquet(source)
    before = source.read_bytes()
    out = source if name == "same" else tmp_path / f"link.{kind}"
    if name == "link":
        out.symlink_to(source)
    assert run(source, stored, out, "--overwrite") == 1
    assert "is read, so it is not replaced" in capsys.readouterr().err
    assert source.read_bytes() == before
    for page in (source, stored):
        assert run(source, stored, tmp_path / f"o.{kind}", "--overwrite", "--drift", str(page)) == 1
    assert main(["calibrate", str(source), "--instrument", "org_support", "--out", str(source), "--overwrite"]) == 1
    assert source.read_bytes() == before
    assert not (tmp_path / f"o.{kind}").exists()


def test_a_page_that_cannot_be_written_is_said_before_anything_is_scored(stored: Path, tmp_path: Path, capsys) -> None:
    people().to_csv(tmp_path / "in.csv", index=False)
    for page in (tmp_path / "absent" / "d.html", tmp_path / "o.csv"):
        assert run(tmp_path / "in.csv", stored, tmp_path / "o.csv", "--drift", str(page)) == 1
        assert "page cannot be written" in capsys.readouterr().err
        assert not (tmp_path / "o.csv").exists()


def test_a_name_that_no_file_can_have_is_one_message(stored: Path, tmp_path: Path, capsys) -> None:
    people().to_csv(tmp_path / "in.csv", index=False)
    assert run(tmp_path / "in.csv", stored, tmp_path / f"{'x' * 300}.csv") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_dangling_link_is_an_output_that_exists(stored: Path, tmp_path: Path, capsys) -> None:
    people().to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "o.csv").symlink_to(tmp_path / "nowhere.csv")
    assert run(tmp_path / "in.csv", stored, tmp_path / "o.csv") == 1
    assert "exists" in capsys.readouterr().err


def test_rows_without_a_score_are_told(stored: Path, tmp_path: Path, capsys) -> None:
    people().assign(**dict.fromkeys(ITEMS)).to_csv(tmp_path / "in.csv", index=False)
    assert run(tmp_path / "in.csv", stored, tmp_path / "o.csv") == 0
    assert "rows without a score: support 20" in capsys.readouterr().out


def test_a_measurement_model_from_a_file(tmp_path: Path, capsys) -> None:
    (tmp_path / "m.txt").write_text(f"f =~ {' + '.join(ITEMS)}", "utf-8")
    call = ["calibrate", str(WAVES / "wave1.csv"), "--instrument", "org_support", "--method", "regression"]
    assert main([*call, "--model", str(tmp_path / "m.txt"), "--out", str(tmp_path / "m.json")]) == 0
    assert [scale.id for scale in psm.load_scoring_model(tmp_path / "m.json").scales] == ["f"]
    assert main([*call, "--model", str(tmp_path / "absent.txt"), "--out", str(tmp_path / "n.json")]) == 1
    assert "measurement model cannot be read" in capsys.readouterr().err
