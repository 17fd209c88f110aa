"""The table as a value, and its five renderings."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from psm_analysis.errors import DataError, FileError, OptionError
from psm_analysis.report.columns import CellStyle, Column, RowGroup, Spanner
from psm_analysis.report.render_csv import safe_cell
from psm_analysis.report.render_text import display_width
from psm_analysis.report.tables import Table

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NASTY = 'a & b_c <b>50%</b> "x" #1 $2 {y} ~ ^ \\'


def make(lang: str = "en", **parts: object) -> Table:
    frame = pd.DataFrame(
        {
            "item": ["psm1", "公共服务动机", NASTY],
            "b": [0.41239, -0.0004, np.nan],
            "se": [0.05, 0.06, np.nan],
            "p": [0.0002, 0.9, np.nan],
            "low": [0.3, -0.12, np.nan],
            "high": [0.5, 0.12, np.nan],
            "n": [512, 510, 3],
        }
    )
    columns = [
        Column("item", "Item"),
        Column("b", "B", "stars", p="p", se="se", italic=True),
        Column("p", "p", "p", italic=True),
        Column("low", "95% CI", "ci", upper="high"),
        Column("n", "N", "integer"),
    ]
    settings = {
        "groups": [RowGroup("First", 0), RowGroup("", 2)],
        "spanners": [Spanner("Model & fit", ("b", "p"))],
        "note": "All of it.",
        "number": "1",
    }
    return Table.from_frame(frame, columns=columns, title="A title", lang=lang, **{**settings, **parts})


def test_text_snapshot(snapshot: Callable[[str, str], None]) -> None:
    snapshot("table.txt", make().to_text() + "\n")


def test_latex_snapshot(snapshot: Callable[[str, str], None]) -> None:
    snapshot("table.tex", make().to_latex(label="one"))


def test_csv_snapshot(snapshot: Callable[[str, str], None]) -> None:
    snapshot("table.csv", make().to_csv())


def test_a_table_is_a_value() -> None:
    table = make()
    assert table == make()
    assert hash(table) == hash(make())
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.title = "other"  # type: ignore[misc]
    copy = table.frame
    copy.loc[0, "b"] = 99.0
    assert table.frame["b"].iloc[0] == 0.41239
    assert table.with_number(7).number == "7"
    assert table.number == "1"


def test_the_frame_keeps_raw_values() -> None:
    frame = make().frame
    assert frame["b"].iloc[1] == -0.0004
    assert np.isnan(frame["b"].iloc[2])
    assert frame["n"].tolist() == [512, 510, 3]


def test_nothing_is_ever_printed_as_nan_or_minus_zero() -> None:
    table = make()
    for text in (table.to_text(), table.to_html(), table.to_latex(), table.to_csv()):
        assert "nan" not in text.lower()
        assert "-0.00 " not in text
        assert "−0.00 " not in text


def test_every_line_of_the_text_is_equally_wide() -> None:
    lines = make().to_text().splitlines()
    rules = [line for line in lines if set(line) == {"─"}]
    rows = [line for line in lines if "[" in line]
    assert len({display_width(rule) for rule in rules}) == 1
    assert {display_width(row) for row in rows} == {display_width(rules[0])}


def test_html_is_escaped_and_self_contained() -> None:
    page = make().to_html(page=True)
    assert page.startswith("<!DOCTYPE html>")
    assert "&lt;b&gt;50%&lt;/b&gt;" in page
    assert "http" not in page
    assert "<em>A title</em>" in page
    assert make().to_html() == make().to_html()
    assert make()._repr_html_().startswith("<div")


def test_latex_escapes_everything() -> None:
    text = make().to_latex()
    assert r"a \& b\_c $<$b$>$50\%$<$/b$>$" in text
    assert r"\#1 \$2 \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{}" in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert r"\multicolumn{2}{c}{Model \& fit}" in text
    assert "ctex" in make().to_latex().splitlines()[0]


def test_a_row_that_begins_with_a_star_is_no_argument_of_the_line_break() -> None:
    frame = pd.DataFrame({"a": ["*x", "[y]"], "b": [1, 2]})
    table = Table.from_frame(frame, columns=[Column("a", "A"), Column("b", "B", "integer")], title="T")
    assert "{}*x & 1" in table.to_latex()
    assert "{[}y{]} & 2" in table.to_latex()


def word_document(path: Path) -> ElementTree.Element:
    with zipfile.ZipFile(path) as archive:
        return ElementTree.parse(io.BytesIO(archive.read("word/document.xml"))).getroot()


def test_word_holds_a_real_table_with_rules_and_fonts(tmp_path: Path) -> None:
    root = word_document(make(lang="zh").to_docx(tmp_path / "t.docx"))
    table = root.find(f".//{WORD}tbl")
    assert table is not None
    rows = table.findall(f"{WORD}tr")
    assert len(rows) == 2 + 3 + 1
    first = rows[0].find(f".//{WORD}tcBorders")
    assert first is not None
    assert first.find(f"{WORD}top") is not None
    assert rows[-1].find(f".//{WORD}tcBorders/{WORD}bottom") is not None
    assert root.find(f".//{WORD}insideV") is None
    assert {fonts.get(f"{WORD}eastAsia") for fonts in root.iter(f"{WORD}rFonts")} == {"SimSun"}
    assert rows[0].find(f".//{WORD}tblHeader") is not None
    assert "表 1" in [text.text for text in root.iter(f"{WORD}t")]


def test_elements_of_a_word_cell_are_in_the_order_of_the_schema(tmp_path: Path) -> None:
    order = ["tcW", "gridSpan", "vMerge", "tcBorders", "shd", "noWrap", "tcMar"]
    root = word_document(make().to_docx(tmp_path / "t.docx"))
    for properties in root.iter(f"{WORD}tcPr"):
        names = [child.tag.removeprefix(WORD) for child in properties]
        assert names == sorted(names, key=order.index)


def test_save_writes_four_files_whole(tmp_path: Path) -> None:
    paths = make().save(tmp_path / "new", "table_1")
    assert [path.name for path in paths] == ["table_1.html", "table_1.tex", "table_1.docx", "table_1.csv"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)
    assert paths[3].read_bytes().startswith(b"\xef\xbb\xbf")
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in make().save(tmp_path / "new", "table_1")] == before


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="cannot be written"):
        make().save(tmp_path / "file", "t")
    with pytest.raises(OptionError, match="not the name of a file"):
        make().save(tmp_path, "a/b")


@pytest.mark.parametrize(
    ("value", "text"),
    [("=1+1", "'=1+1"), ("+x", "'+x"), ("-x", "'-x"), ("@a", "'@a"), ("-0.5", "-0.5"), (-0.5, "-0.5"), ("psm", "psm")],
)
def test_formulas_are_neutralised_in_text_only(value: object, text: str) -> None:
    assert safe_cell(value) == text


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"spanners": [Spanner("x", ("nope",))]}, "no column 'nope'"),
        ({"styles": [CellStyle((9,))]}, "row outside"),
        ({"groups": [RowGroup("x", 5)]}, "row outside"),
        ({"lang": "fr"}, "lang='fr'"),
    ],
)
def test_wrong_parts_are_named(parts: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make(**parts)


def test_wrong_columns_and_empty_frames() -> None:
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(OptionError, match="Did you mean 'a'"):
        Table.from_frame(frame, columns=[Column("aa", "A")], title="T")
    with pytest.raises(OptionError, match="kind='number'"):
        Table.from_frame(frame, columns=[Column("a", "A", "number")], title="T")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="at least one row"):
        Table.from_frame(frame.head(0), columns=[Column("a", "A")], title="T")
    with pytest.raises(DataError, match="named twice"):
        Table.from_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]), columns=[Column("a", "A")], title="T")
