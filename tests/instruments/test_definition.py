"""TOML definitions of a user: what is read, and every way in which one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from psm_analysis.errors import FileError, InstrumentError
from psm_analysis.instruments.registry import get_instrument

GOOD = """
id = "mine"
version = "1"
construct = "zeal"
factor = "zeal"
reverse = ["z2"]
items = ["z1", { id = "z2", label = { en = "Second", zh = "第二" } }, "z3"]
[name]
en = "Zeal"
zh = "热忱"
[missing]
rule = "count"
minimum = 2
[source]
citation = "Nobody (2020)."
licence = "CC0"
permission = "none needed"
key_source = "here"
[[subscales]]
id = "first"
name = { en = "First", zh = "一" }
items = ["z1", "z2"]
[[subscales]]
id = "second"
name = { en = "Second", zh = "二" }
items = ["z3"]
[[response_scales]]
id = "yes_no"
codes = [0, 1]
labels = [{ en = "no", zh = "否" }, { en = "yes", zh = "是" }]
"""


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        get_instrument(path)
    message = str(caught.value)
    assert "mine.toml" in message
    assert caught.value.remedy
    return message


def test_a_good_definition_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    instrument = get_instrument(str(path))
    assert instrument.item_ids == ("z1", "z2", "z3")
    assert instrument.reverse_items == ("z2",)
    assert instrument.item("z1").label.en == "First 1"
    assert instrument.item("z2").label.zh == "第二"
    assert instrument.scoring == "mean"
    assert not instrument.verified
    assert instrument.missing_rule.required(3) == 2
    assert instrument.response_of("z3").code_labels() == {0: "no", 1: "yes"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"z3"]\n[name]', '"z1"]\n[name]', ["'z1' occurs twice", "items"]),
        ('items = ["z3"]', 'items = ["z4"]', ["'z4' is unknown", "subscales.second.items", "Known: z1"]),
        ('items = ["z3"]', 'items = ["z1"]', ["'z1' is in two subscales"]),
        ('items = ["z3"]', 'items = ["z3", "z3"]', ["listed twice"]),
        ('items = ["z3"]\n', "", ["no items", "second"]),
        ('reverse = ["z2"]', 'reverse = ["z9"]', ["'z9' is unknown", "reverse"]),
        ("codes = [0, 1]", "codes = [1, 0]", ["not a response scale", "codes"]),
        ("codes = [0, 1]", "codes = [0, 1, 2]", ["3 codes have 2 labels"]),
        ("codes = [0, 1]", "codes = [0, true]", ["not a response scale"]),
        ("codes = [0, 1]", 'codes = [0, 1]\nitems = ["z1"]', ["'z2' has no response scale"]),
        ("codes = [0, 1]", 'codes = [0, 1]\nitems = ["zz"]', ["'zz' is unknown", "response_scales.yes_no.items"]),
        ('construct = "zeal"', 'construct = "zeal"\nreversed = ["z2"]', ["'reversed'", "unknown", "'reverse'"]),
        ('licence = "CC0"', 'licence = "CC0"\nurl = "x"', ["source.url", "unknown"]),
        ('licence = "CC0"\n', "", ["source.licence", "missing"]),
        ('licence = "CC0"', 'licence = "CC0"\ndoi = "doi.org/1"', ["not a DOI"]),
        ('version = "1"', "version = 1", ["wrong type", "version"]),
        ('version = "1"', 'version = " "', ["empty", "version"]),
        ('version = "1"', 'version = "1"\nscoring = "median"', ["scoring", "mean, sum"]),
        ("minimum = 2", "minimum = 0.5", ["missing.minimum", "whole number"]),
        ('rule = "count"', 'rule = "proportion"', ["proportion above 0"]),
        ('factor = "zeal"', 'factor = "z1"', ["both an item and a factor"]),
        ('factor = "zeal"', 'factor = "first"', ["also a subscale"]),
        ('factor = "zeal"', 'factor = "my zeal"', ["cannot be a name"]),
        ('zh = "热忱"\n', "", ["name.zh", "missing"]),
        ('id = "second"', 'id = "first"', ["'first' occurs twice", "subscales"]),
        ('items = ["z1", {', 'items = ["z 1", {', ["cannot be an item id"]),
        ('items = ["z1", {', "items = [1, {", ["wrong type"]),
        ("[name]", "[name", ["not valid TOML"]),
    ],
)
def test_a_bad_definition_says_what_and_where(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert old in GOOD
    message = refused(tmp_path, GOOD.replace(old, new, 1))
    for word in words:
        assert word in message


def test_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(FileError, match="UTF-8"):
        get_instrument(path)
