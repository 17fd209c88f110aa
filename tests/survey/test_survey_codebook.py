"""Codebooks: every mistake at once; codes, missing codes, reversals and roles as stated."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, FileError, OptionError
from psm_analysis.survey.coding import AnswerKey, to_codes
from psm_analysis.survey.wave import SurveyWave

BOOK = """
name = "Test survey"
instruments = ["turnover3", "org_support", "wleis16"]
missing_codes = [-9]
missing_texts = ["不知道"]
omitted = ["wleis16"]
response_time_items = 20

[responses]
wleis16 = [1, 5]

[codes.agreement]
"非常不同意" = 1
"不同意" = 2
"一般" = 3
"同意" = 4
"非常同意" = 5

[answers]
turnover3 = "agreement"

[items]
Q1 = "turnover1"
Q2 = { item = "turnover2", missing = [5] }
Q3 = { item = "support4", already_reversed = true }
Q4 = { item = "support3", codes = { "0" = 1, "1" = 2, "2" = 3, "3" = 4, "4" = 5 } }

[variables.person]
role = "id"
column = "code"

[variables.gender]
role = "group"
codes = { "男" = 1, "女" = 2 }
values = { 1 = { en = "male", zh = "男" }, 2 = { en = "female", zh = "女" } }

[variables.town]
role = "cluster"
label = "Town"
"""


@pytest.fixture
def wave(tmp_path: Path) -> SurveyWave:
    (tmp_path / "book.toml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "a.csv").write_text(
        "code,Q1,Q2,Q3,Q4,gender,town,turnover3,wleis1,extra\n"
        "007,非常同意,5,5,0,男,T1,不知道,5,x\n"
        "008, 同意 ,1,1,4,女,T2,3,-9,y\n",
        encoding="utf-8",
    )
    return psm.read_survey(tmp_path / "a.csv", codebook=tmp_path / "book.toml")


def test_answers_are_coded_as_stated(wave: SurveyWave) -> None:
    assert wave.data["turnover1"].tolist() == [5.0, 4.0]
    assert np.isnan(wave.data["turnover2"][0])
    assert np.isnan(wave.data["turnover3"][0])
    assert wave.data["support3"].tolist() == [1.0, 5.0]
    assert np.isnan(wave.data["wleis1"][1])


def test_identifiers_stay_text_and_roles_are_kept(wave: SurveyWave) -> None:
    assert wave.data["person"].tolist() == ["007", "008"]
    assert wave.data["gender"].tolist() == [1.0, 2.0]
    assert wave.data["town"].tolist() == ["T1", "T2"]
    assert wave.codebook.named("cluster") == ("town",)
    assert "extra" not in wave.data.columns


def test_values_reversed_in_the_file_are_turned_back(wave: SurveyWave) -> None:
    assert wave.data["support4"].tolist() == [1.0, 5.0]
    assert wave.items("org_support")["support4"].tolist() == [5.0, 1.0]
    assert wave.items("org_support", reversed=False)["support4"].tolist() == [1.0, 5.0]


def test_the_codes_that_were_offered_replace_those_of_the_instrument(wave: SurveyWave) -> None:
    assert wave.response_codes("wleis1") == (1, 2, 3, 4, 5)


def test_provenance_identifies_the_file(wave: SurveyWave) -> None:
    assert len(wave.provenance.sha256) == 64
    assert (wave.provenance.file, wave.provenance.rows_in, wave.provenance.rows_out) == ("a.csv", 2, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        wave.name = "other"  # type: ignore[misc]


def test_unknown_names_are_answered_with_the_nearest(wave: SurveyWave) -> None:
    with pytest.raises(DataError, match="Did you mean 'turnover3'"):
        wave.items("turnover")
    with pytest.raises(OptionError, match="does not use the instrument 'psm16'"):
        psm.wave_from_frame(wave.data, codebook=wave.codebook, instruments="psm16")


def test_every_mistake_is_named_with_its_key(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        """
        instruments = ["psm16", "wlei16"]
        instrument = "psm16"
        profile = "qualtrix"
        missing_codes = ["9"]
        omitted = ["psm17"]
        response_time_items = true
        responses = { psm16 = [5, 1] }
        answers = { psm16 = "agree" }
        [items]
        Q1 = "psm1"
        Q2 = { item = "psm1", revers = true }
        Q3 = "psmm3"
        Q4 = 5
        [variables.g]
        rol = "group"
        [variables.h]
        role = "grup"
        [variables.check]
        role = "attention"
        [variables.psm2]
        role = "covariate"
        [variables.a]
        role = "id"
        [variables.b]
        role = "id"
        """,
        encoding="utf-8",
    )
    with pytest.raises(FileError) as caught:
        psm.read_codebook(path)
    text = str(caught.value)
    for part in (
        "name: is missing",
        "Did you mean 'wleis16'",
        "instrument: is not a known key. Did you mean 'instruments'",
        "profile: 'qualtrix'",
        "missing_codes: must hold numbers",
        "omitted: 'psm17'",
        "response_time_items: must be a whole number",
        "responses.psm16: must be the lowest and the highest code",
        "answers.psm16: names the list 'agree'",
        "items.Q2.revers: is not a known key. Did you mean 'reverse'",
        "items.Q2: the item 'psm1' already has the column 'Q1'",
        "items.Q3: 'psmm3'",
        "items.Q4: must be an item id or a table",
        "variables.g.rol: is not a known key",
        "variables.g.role: is missing",
        "variables.h.role: 'grup' is not known",
        "variables.check.correct: is missing",
        "variables.psm2: has the name of an item",
        "only one column can have the role 'id'",
        "bad.toml",
    ):
        assert part in text, part


def test_codebooks_that_are_no_codebooks(tmp_path: Path) -> None:
    (tmp_path / "book.toml").write_text("name = \n", encoding="utf-8")
    with pytest.raises(FileError, match="line 1"):
        psm.read_codebook(tmp_path / "book.toml")
    with pytest.raises(FileError, match=r"Did you mean 'book\.toml'"):
        psm.read_codebook(tmp_path / "bok.toml")


def test_the_codebook_of_the_synthetic_survey_fits_its_instruments() -> None:
    book = psm.read_codebook(Path(__file__).parents[2] / "data" / "codebooks" / "synthetic.toml")
    assert len(book.items) == 16 + 16 + 16 + 3 + 4 + 4 + 4
    assert book.named("group") == ("grade", "establishment", "gender")


def test_cells_become_codes_in_a_stated_order() -> None:
    key = AnswerKey(
        codes={"often": 4, "7": 1},
        labels={"Never": 1, "Often": 9},
        missing=(99,),
        missing_texts=("n/a",),
        missing_ranges=((-5, -1),),
        code_pattern=r"A(\d)",
    )
    cells = pd.Series(["OFTEN", "never", "7", "99", "N/A", "-3", "A2", "３", "2.5", "what", True, np.nan], dtype=object)
    coded = to_codes(cells, key)
    np.testing.assert_equal(coded.values[:9], [4, np.nan, 1, np.nan, np.nan, np.nan, 2, 3, 2.5])
    assert coded.unread.tolist() == [False, True, *[False] * 7, True, True, False]  # a label among numbers
    words = to_codes(cells.iloc[[0, 1, 3, 4]], key)
    np.testing.assert_equal(words.values, [4, 1, np.nan, np.nan])
    assert words.by_label
    numbers = to_codes(pd.Series([7, 99, -3, 4, np.inf]), key)
    np.testing.assert_equal(numbers.values, [1, np.nan, np.nan, 4, np.nan])
