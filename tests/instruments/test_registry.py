"""What is shipped: keys against the facts that were read, and the flags of what was not."""

from __future__ import annotations

from pathlib import Path

import pytest

import psm_analysis as psm
from psm_analysis.errors import FileError, InstrumentError
from psm_analysis.instruments.registry import get_instrument, list_instruments

ALL = list_instruments()["id"].tolist()
OWN = ["admin_burden", "org_support", "training_access", "turnover3"]


def numbers(*values: int, stem: str) -> tuple[str, ...]:
    return tuple(f"{stem}{value}" for value in values)


def test_every_named_instrument_is_shipped() -> None:
    assert set(ALL) == {
        "psm16", "psm24", "psm_structure", "wleis16", "ei_structure", "olbi", "cbi", "bat12", "bat23", "mbi22",
        "tis6", "turnover3", "admin_burden", "org_support", "training_access",
    }  # fmt: skip
    assert psm.get_instrument("olbi") is get_instrument("olbi")
    assert psm.list_instruments().equals(list_instruments())


@pytest.mark.parametrize("name", ALL)
def test_file_name_is_id_and_texts_are_bilingual(name: str) -> None:
    instrument = get_instrument(name)
    assert instrument.id == name
    texts = [instrument.name, *(part.name for part in instrument.subscales), *(item.label for item in instrument.items)]
    texts += [label for scale in instrument.response_scales for label in scale.labels]
    assert all(text.get("en").strip() and text.get("zh").strip() for text in texts)
    for text in (instrument.citation, instrument.licence, instrument.permission, instrument.key_source):
        assert len(text) > 4


@pytest.mark.parametrize("name", ALL)
def test_wording_is_shipped_only_where_it_is_ours(name: str) -> None:
    instrument = get_instrument(name)
    assert all((item.wording is not None) == (name in OWN) for item in instrument.items)


def test_psm16_has_four_by_four_items_and_no_reversal() -> None:
    instrument = get_instrument("psm16")
    assert [part.id for part in instrument.subscales] == ["aps", "cpv", "com", "ss"]
    assert [len(part.items) for part in instrument.subscales] == [4, 4, 4, 4]
    assert instrument.reverse_items == ()
    codes = [instrument.item(item).source_code for item in instrument.subscale("aps").items]
    assert codes == ["APS5", "APS7", "CP11", "CP12"]


def test_wleis_order_is_self_others_use_regulation() -> None:
    instrument = get_instrument("wleis16")
    assert instrument.subscale("oea").items == numbers(5, 6, 7, 8, stem="wleis")
    assert instrument.subscale("roe").items == numbers(13, 14, 15, 16, stem="wleis")
    assert instrument.response_of("wleis1").codes == (1, 2, 3, 4, 5, 6, 7)


def test_olbi_key() -> None:
    instrument = get_instrument("olbi")
    assert instrument.subscale("disengagement").items == numbers(1, 3, 6, 7, 9, 11, 13, 15, stem="olbi")
    assert instrument.reverse_items == numbers(2, 3, 4, 6, 8, 9, 11, 12, stem="olbi")
    assert instrument.response_of("olbi1").labels[0].en == "Strongly agree"


def test_cbi_key() -> None:
    instrument = get_instrument("cbi")
    assert [len(part.items) for part in instrument.subscales] == [6, 7, 6]
    assert instrument.reverse_items == ("cbi13",)
    assert instrument.response_of("cbi8").id == "degree"
    assert instrument.response_of("cbi18").id == "frequency"
    assert instrument.response_of("cbi18").codes == (0, 25, 50, 75, 100)


def test_bat12_is_part_of_bat23() -> None:
    short, long = get_instrument("bat12"), get_instrument("bat23")
    assert short.item_ids == numbers(1, 3, 4, 9, 11, 13, 14, 17, 18, 19, 20, 23, stem="bat")
    for part in short.subscales:
        assert set(part.items) < set(long.subscale(part.id).items)


def test_mbi_key() -> None:
    instrument = get_instrument("mbi22")
    assert instrument.subscale("emotional_exhaustion").items == numbers(1, 2, 3, 6, 8, 13, 14, 16, 20, stem="mbi")
    assert instrument.subscale("depersonalization").items == numbers(5, 10, 11, 15, 22, stem="mbi")
    assert not instrument.total


def test_what_was_not_read_is_marked() -> None:
    flags = list_instruments().set_index("id")["verified"]
    assert flags[~flags].index.tolist() == ["psm24", "tis6"]
    assert get_instrument("psm24").structure_only
    assert len(get_instrument("psm24").items) == 24
    assert not get_instrument("cbi").missing_rule.verified
    assert not get_instrument("psm16").source.doi_verified
    assert get_instrument("bat23").source.doi_verified


def test_unknown_id_names_the_nearest() -> None:
    with pytest.raises(InstrumentError, match="Did you mean 'psm16'"):
        get_instrument("psm_16")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"mine\.toml"):
        get_instrument(tmp_path / "mine.toml")


def test_unknown_item_subscale_and_scale_name_the_nearest() -> None:
    instrument = get_instrument("olbi")
    with pytest.raises(InstrumentError, match="Did you mean 'olbi1'"):
        instrument.item("olbi_1")
    with pytest.raises(InstrumentError, match="exhaustion"):
        instrument.subscale("exhausted")


def test_response_format_can_be_changed() -> None:
    five = get_instrument("wleis16").with_response(1, 5)
    scale = five.response_of("wleis3")
    assert scale.codes == (1, 2, 3, 4, 5)
    assert [label.en for label in scale.labels] == ["Strongly disagree", "2", "3", "4", "Strongly agree"]
    assert not scale.verified
    assert get_instrument("wleis16").response_of("wleis3").maximum == 7
    one = get_instrument("cbi").with_response(1, 5, scale="degree")
    assert (one.response_of("cbi7").maximum, one.response_of("cbi1").maximum) == (5, 100)
    with pytest.raises(InstrumentError, match="minimum below"):
        five.with_response(5, 1)
    with pytest.raises(InstrumentError, match="no response scale"):
        five.with_response(1, 5, scale="nothing")


@pytest.mark.parametrize("name", ALL)
def test_card_is_readable_in_both_languages(name: str) -> None:
    instrument = get_instrument(name)
    english, chinese = instrument.summary(), instrument.summary("zh")
    assert english == str(instrument)
    assert instrument.name.zh in chinese
    assert ("Items: " + str(len(instrument.items))) in english
    assert instrument.citation in english.replace("\n", " ")
    assert "<table>" in instrument._repr_html_()


def test_card_marks_what_was_not_read() -> None:
    assert "Reversed items: tis2, tis6 [not verified in a source]" in get_instrument("tis6").summary()
    assert "未经来源核实" in get_instrument("tis6").summary("zh")
    assert "ijerph17249495 [not" not in get_instrument("bat23").summary()
