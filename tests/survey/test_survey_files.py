"""Reading cells: encodings, delimiters, ragged rows, workbooks, SPSS, Stata, parquet, and files that are broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import psm_analysis as psm
from psm_analysis.errors import FileError, OptionError
from psm_analysis.survey.formats import read_table
from psm_analysis.survey.profile import load_profile, profile_ids

PLAIN = load_profile("plain")
TEXT = "id,psm1,单位\n甲,4,乡镇\n乙,,县城\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
def test_every_encoding_gives_the_same_cells(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wave.csv"
    path.write_bytes(TEXT.encode(encoding))
    table = read_table(path, PLAIN)
    assert table.frame.columns.tolist() == ["id", "psm1", "单位"]
    assert table.frame["单位"].tolist() == ["乡镇", "县城"]
    assert table.frame["psm1"].isna().tolist() == [False, True]
    assert table.rows.tolist() == [2, 3]


def test_latin1_is_refused_with_its_line_unless_named(tmp_path: Path) -> None:
    path = tmp_path / "wave.csv"
    path.write_bytes("id,town\n1,Paris\n2,Orléans\n".encode("latin-1"))
    with pytest.raises(FileError, match=r"0xe9.*line 3"):
        read_table(path, PLAIN)
    assert read_table(path, PLAIN, encoding="latin-1").frame["town"].tolist() == ["Paris", "Orléans"]
    with pytest.raises(FileError, match=r"utf-8.*line 3"):
        read_table(path, PLAIN, encoding="utf-8")
    with pytest.raises(OptionError, match="klingon"):
        read_table(path, PLAIN, encoding="klingon")


@pytest.mark.parametrize(("mark", "name"), [(",", "a.csv"), (";", "a.csv"), ("\t", "a.tsv"), ("|", "a.txt")])
def test_the_delimiter_is_found(tmp_path: Path, mark: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(TEXT.replace(",", mark), encoding="utf-8")
    table = read_table(path, PLAIN)
    assert table.delimiter == mark
    assert table.frame.shape == (2, 3)


def test_quoted_cells_may_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,comment,psm1\r\n1,"a, b\r\nc",4\r\n\r\n2,"say ""x""",5\r\n', encoding="utf-8", newline="")
    table = read_table(path, PLAIN)
    assert table.frame["comment"].tolist() == ["a, b\nc", 'say "x"']
    assert table.rows.tolist() == [2, 5]


def test_ragged_rows_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n1,2,3\n1,2\n1,2,3\n1,2,3,4\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"3 cells, but line 3 has 2; line 5 has 4\. \(a\.csv, line 3\)"):
        read_table(path, PLAIN)


def test_a_file_cut_off_in_its_last_line_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n1,2,3\n1,2", encoding="utf-8")
    with pytest.raises(FileError, match="breaks off in its last line"):
        read_table(path, PLAIN)


def test_a_quotation_mark_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,2\n1,"oh\n1,2\n', encoding="utf-8")
    with pytest.raises(FileError, match="begins at line 3"):
        read_table(path, PLAIN)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.sav", "a.dta", "a.parquet"])
def test_empty_and_truncated_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    with pytest.raises(FileError, match="is empty"):
        read_table(path, PLAIN)
    frame = pd.DataFrame(np.arange(600.0).reshape(100, 6), columns=list("abcdef"))
    writers = {
        "a.xlsx": lambda: frame.to_excel(path, index=False),
        "a.sav": lambda: pyreadstat.write_sav(frame, str(path)),
        "a.dta": lambda: pyreadstat.write_dta(frame, str(path)),
        "a.parquet": lambda: frame.to_parquet(path),
    }
    if name in writers:
        writers[name]()
        assert read_table(path, PLAIN).frame.to_numpy(float).tolist() == frame.to_numpy().tolist()
        path.write_bytes(path.read_bytes()[:-900])
        with pytest.raises(FileError, match="cut off, damaged"):
            read_table(path, PLAIN)


def test_a_header_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(FileError, match="no rows of answers"):
        read_table(path, PLAIN)


def test_names_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "wave1.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"Did you mean 'wave1\.csv'"):
        read_table(tmp_path / "wave_1.csv", PLAIN)
    with pytest.raises(FileError, match="a folder"):
        read_table(tmp_path, PLAIN)
    (tmp_path / "wave.doc").write_text("x", encoding="utf-8")
    with pytest.raises(FileError, match=r"'\.doc' is not known"):
        read_table(tmp_path / "wave.doc", PLAIN)


def test_files_under_a_false_name_and_with_a_password(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0]})
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    (tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    with pytest.raises(FileError, match="Excel or zip"):
        read_table(tmp_path / "a.csv", PLAIN)
    (tmp_path / "b.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 100)
    with pytest.raises(FileError, match="password"):
        read_table(tmp_path / "b.xlsx", PLAIN)
    (tmp_path / "c.sav").write_bytes(b"\x1c\0\0\0\0\0\0\0ENCRYPTEDSAV" + b"\0" * 100)
    with pytest.raises(FileError, match="password"):
        read_table(tmp_path / "c.sav", PLAIN)


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("psm1,psm1\n1,2\n", encoding="utf-8")
    with pytest.raises(FileError, match="'psm1'"):
        read_table(path, PLAIN)


def test_sheets_and_blank_rows_of_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="notes", index=False)
        pd.DataFrame({"psm1": [1, None, 3], "x": ["u", None, "v"]}).to_excel(
            book, sheet_name="data", index=False, startrow=2
        )
    assert "first of 2" in read_table(path, PLAIN).notes[0]
    table = read_table(path, PLAIN, sheet="data")
    assert table.rows.tolist() == [4, 6]
    assert table.frame["psm1"].tolist() == [1, 3]
    with pytest.raises(FileError, match="Its sheets: notes, data"):
        read_table(path, PLAIN, sheet="other")


def test_spss_keeps_labels_and_declared_missing_ranges(tmp_path: Path) -> None:
    path = tmp_path / "a.zsav"
    frame = pd.DataFrame({"psm1": [1.0, 5.0, 9.0, 7.0], "name": ["a", "", "c", "d"]})
    pyreadstat.write_sav(
        frame,
        str(path),
        compress=False,
        row_compress=False,
        variable_value_labels={"psm1": {1: "非常不同意", 5: "非常同意", 9: "拒绝回答"}},
        missing_ranges={"psm1": [{"lo": 7, "hi": 9}]},
        column_labels={"psm1": "公共服务", "name": "姓名"},
    )
    table = read_table(path, PLAIN)
    assert table.missing_ranges == {"psm1": ((7.0, 9.0),)}
    assert table.value_labels["psm1"][5.0] == "非常同意"
    wave = psm.read_survey(path, instruments="psm16")
    assert wave.data["psm1"].isna().tolist() == [False, False, True, True]
    assert wave.labels["psm1"] == "公共服务"
    assert table.frame["name"].isna().tolist() == [False, True, False, False]


def test_every_profile_loads_and_says_whether_it_was_checked(tmp_path: Path) -> None:
    for name in profile_ids():
        profile = load_profile(name)
        assert profile.verified == (profile.unverified == "")
        assert profile.header_rows >= max(1, profile.label_row)
    with pytest.raises(OptionError, match="Did you mean 'qualtrics'"):
        load_profile("qualtrix")


def test_qualtrics_has_three_header_rows(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(
        "StartDate,Duration (in seconds),ResponseId,psm1,psm2\n"
        'Start Date,Duration (in seconds),Response ID,"First\nquestion","Second, question"\n'
        '"{""ImportId"":""startDate""}","{""ImportId"":""duration""}","{""ImportId"":""_recordId""}",'
        '"{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"\n'
        "2025-01-01 10:00:00,120,R_1,4,5\n2025-01-01 10:00:00,90,R_2,3,2\n",
        encoding="utf-8",
    )
    wave = psm.read_survey(path, instruments="psm16", profile="qualtrics")
    assert wave.data["psm1"].tolist() == [4.0, 3.0]
    assert wave.labels["psm1"] == "First\nquestion"
    assert wave.rows.tolist() == [5, 6]
    assert wave.codebook.named("id") == ("ResponseId",)
    assert wave.data["Duration (in seconds)"].tolist() == [120.0, 90.0]
    assert wave.warnings == ()


def test_unverified_profiles_say_so_and_read_their_answers(tmp_path: Path) -> None:
    lime = tmp_path / "lime.csv"
    lime.write_text('"id","submitdate","psm1","psm2"\n"1","2020-01-01","A4","A5"\n"2","","A1",""\n', encoding="utf-8")
    wave = psm.read_survey(lime, instruments="psm16", profile="limesurvey")
    assert wave.data["psm1"].tolist() == [4.0, 1.0]
    assert "not verified" in wave.warnings[0]

    chinese = tmp_path / "wjx.csv"
    chinese.write_text("序号,所用时间,psm1,psm2\n1,75秒,非常同意,(跳过)\n2,1分5秒,不同意,3\n", encoding="gb18030")
    wave = psm.read_survey(chinese, instruments="psm16", profile="wenjuanxing")
    assert wave.data["所用时间"].tolist() == [75.0, 65.0]
    assert wave.data["psm1"].tolist() == [5.0, 2.0]
    assert wave.data["psm2"].isna().tolist() == [True, False]
    assert any("labels" in warning for warning in wave.warnings)
