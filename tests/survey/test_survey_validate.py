"""Every rule of `validate`, on answers broken on purpose; and none on answers that are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.survey.codebook import Codebook
from psm_analysis.survey.codebook_toml import codebook_from_table
from psm_analysis.survey.validate import ValidationReport
from psm_analysis.survey.violation import Violation


@pytest.fixture
def answers() -> pd.DataFrame:
    """Sixty right answer sheets to PSM-16."""
    rng = np.random.default_rng(7)
    latent = rng.normal(size=(60, 1))
    codes = np.clip(np.round(3 + latent + 0.7 * rng.normal(size=(60, 16))), 1, 5)
    codes[:5] = np.arange(1.0, 6.0)[:, None]
    frame = pd.DataFrame(codes, columns=[f"psm{i}" for i in range(1, 17)])
    frame.insert(0, "id", [f"P{i:03}" for i in range(60)])
    return frame


def book(**extra: object) -> Codebook:
    return codebook_from_table({"name": "test", "instruments": ["psm16"], **extra}, source="test", folder=Path())


def report(frame: pd.DataFrame, **extra: object) -> ValidationReport:
    wave = (
        psm.wave_from_frame(frame, codebook=book(**extra)) if extra else psm.wave_from_frame(frame, instruments="psm16")
    )
    return psm.validate(wave)


def found(frame: pd.DataFrame, rule: str, **extra: object) -> list[Violation]:
    return [violation for violation in report(frame, **extra).violations if violation.rule == rule]


def test_right_answers_pass(answers: pd.DataFrame) -> None:
    result = report(answers)
    assert result.ok
    assert [v for v in result.violations if v.severity != "note"] == []
    assert result.glance()["items"].item() == 16
    assert "Nothing stands in the way" in result.summary()


def test_missing_and_misspelt_columns_name_each_other(answers: pd.DataFrame) -> None:
    frame = answers.rename(columns={"psm7": "psm_7"}).drop(columns="psm16")
    missing = found(frame, "missing_column")
    assert [violation.column for violation in missing] == ["psm7", "psm16"]
    assert "Did you mean 'psm_7'" in missing[0].remedy
    assert "Did you mean 'psm7'" in found(frame, "misspelt_column")[0].remedy


def test_unknown_columns_are_noted_only_when_columns_were_declared(answers: pd.DataFrame) -> None:
    frame = answers.assign(mood=1)
    assert not found(frame, "unknown_column")
    variables = {"id": {"role": "id"}}
    assert [v.column for v in found(frame, "unknown_column", variables=variables)] == ["mood"]


def test_capital_letters_are_forgiven_and_noted(answers: pd.DataFrame) -> None:
    frame = answers.rename(columns=str.upper)
    assert report(frame).ok
    assert len(found(frame, "capital_letters")) == 16


def test_text_is_counted_with_its_rows(answers: pd.DataFrame) -> None:
    frame = answers.astype({"psm3": object})
    frame.loc[[4, 9], "psm3"] = ["four", "four"]
    (violation,) = found(frame, "text_in_number")
    assert (violation.column, violation.count, violation.rows) == ("psm3", 2, (5, 10))
    assert violation.found == "'four'"
    assert not report(frame).ok


def test_undeclared_missing_codes_are_told_from_wrong_values(answers: pd.DataFrame) -> None:
    frame = answers.copy()
    frame.loc[0, "psm1"] = 9
    frame.loc[1, "psm2"] = -99
    frame.loc[2, "psm3"] = 44
    frame.loc[3, "psm4"] = 3.5
    assert [(v.column, v.found) for v in found(frame, "undeclared_missing")] == [("psm1", "9"), ("psm2", "-99")]
    assert "missing_codes = [9]" in found(frame, "undeclared_missing")[0].remedy
    assert [(v.column, v.found) for v in found(frame, "outside_scale")] == [("psm3", "44")]
    assert [(v.column, v.found) for v in found(frame, "not_a_code")] == [("psm4", "3.5")]
    assert not found(frame, "undeclared_missing", missing_codes=[9, -99])


def test_a_longer_scale_in_one_group_is_not_a_missing_code(answers: pd.DataFrame) -> None:
    frame = answers.assign(country=np.repeat(["de", "uk"], 30))
    frame.loc[5:14, "psm1"] = [6, 7, 8, 9, 10] * 2
    (violation,) = found(frame, "outside_scale", variables={"country": {"role": "group"}, "id": {"role": "id"}})
    assert violation.found == "6, 7, 8, 9, 10"
    assert "All of them where country is de." in violation.message
    assert not found(frame, "undeclared_missing")


@pytest.mark.parametrize(("step", "codes"), [(-1, "0 to 4"), (1, "2 to 6")])
def test_codes_that_are_shifted_by_one(answers: pd.DataFrame, step: int, codes: str) -> None:
    frame = answers.copy()
    frame.iloc[:, 1:] += step
    (violation,) = found(frame, "shifted_scale")
    assert f"look coded {codes}, but the scale runs from 1 to 5" in violation.message
    assert f'"{1 + step}" = 1' in violation.remedy
    assert violation.column == "psm1 ... psm16"
    assert not found(frame, "outside_scale")
    recode = {str(code + step): code for code in range(1, 6)}
    assert report(frame, codes={"shift": recode}, answers={"psm16": "shift"}).ok


def test_identifiers(answers: pd.DataFrame) -> None:
    frame = answers.copy()
    frame.loc[7, "id"] = "P003"
    frame.loc[8, "id"] = None
    (violation,) = found(frame, "duplicated_id")
    assert (violation.count, violation.rows, violation.found) == (2, (4, 8), "'P003'")
    assert found(frame, "missing_id")[0].rows == (9,)
    two_waves = pd.concat([answers.assign(t=1), answers.assign(t=2)], ignore_index=True)
    assert not found(two_waves, "duplicated_id", variables={"id": {"role": "id"}, "t": {"role": "wave"}})
    assert found(two_waves, "duplicated_id")


def test_rows_and_items_without_information(answers: pd.DataFrame) -> None:
    frame = answers.copy()
    frame["psm2"] = 4.0
    frame.iloc[6, 1:] = np.nan
    frame["psm5"] = np.nan
    frame["psm9"] = frame["psm9"].replace({5.0: 4.0})
    assert found(frame, "all_missing_row")[0].rows == (7,)
    assert [v.column for v in found(frame, "constant_item")] == ["psm2"]
    assert [v.column for v in found(frame, "never_answered")] == ["psm5"]
    assert ("psm9", "5") in [(v.column, v.found) for v in found(frame, "empty_category")]


def test_weights_must_be_positive(answers: pd.DataFrame) -> None:
    frame = answers.assign(w=[0.0, -1.0, np.nan] + [1.0] * 57)
    (violation,) = found(frame, "weight_not_positive", variables={"w": {"role": "weight"}})
    assert violation.count == 3


def test_an_item_that_was_not_reversed_is_reported_and_not_flipped(answers: pd.DataFrame) -> None:
    frame = answers.copy()
    frame["psm6"] = 6 - frame["psm6"]
    wave = psm.wave_from_frame(frame, instruments="psm16")
    (violation,) = [v for v in psm.validate(wave).violations if v.rule == "likely_not_reversed"]
    assert violation.column == "psm6"
    assert violation.severity == "warning"
    pd.testing.assert_series_equal(wave.items("psm16")["psm6"], frame["psm6"])
    assert not found(frame, "likely_not_reversed", items={"psm6": {"item": "psm6", "reverse": True}})


def test_an_item_miscoded_in_one_group(answers: pd.DataFrame) -> None:
    frame = pd.concat([answers] * 3, ignore_index=True).drop(columns="id").assign(g=np.repeat(["a", "b", "c"], 60))
    frame.loc[frame["g"] == "c", "psm6"] = 6 - frame["psm6"]
    rng = np.random.default_rng(3)
    frame.loc[frame["g"] == "b", "psm2"] = rng.permutation(frame.loc[frame["g"] == "b", "psm2"])
    variables = {"g": {"role": "group"}}
    (violation,) = found(frame, "likely_not_reversed_in_group", variables=variables)
    assert (violation.column, violation.found[:5]) == ("psm6", "g = c")
    (violation,) = found(frame, "item_differs_between_groups", variables=variables)
    assert (violation.column, "g = b" in violation.found) == ("psm2", True)


def test_an_item_that_does_not_go_with_its_scale(answers: pd.DataFrame) -> None:
    frame = pd.concat([answers] * 10, ignore_index=True).drop(columns="id")
    assert not found(frame, "unrelated_item")
    frame["psm6"] = np.random.default_rng(4).permutation(frame["psm6"])
    (violation,) = found(frame, "unrelated_item")
    assert (violation.column, violation.severity) == ("psm6", "warning")
    rest = frame[["psm5", "psm7", "psm8"]].sum(axis=1)
    assert f"r = {frame['psm6'].corr(rest):.2f}, n = 600" in violation.found
    assert not found(frame.head(20), "unrelated_item")


def test_labels_that_contradict_codes(answers: pd.DataFrame) -> None:
    turned = {"非常同意": 1, "非常不同意": 5}
    contradiction = found(answers, "label_contradicts_code", codes={"t": turned}, answers={"psm16": "t"})
    assert len(contradiction) == 16
    assert "1 is labelled '非常同意', which is 5" in contradiction[0].found
    items = {"psm1": {"item": "psm1", "codes": {"meist": 4}}, "psm2": {"item": "psm2", "codes": {"meist": 2}}}
    (violation,) = found(answers, "label_contradicts_code", items=items)
    assert violation.column == "psm2"


def test_the_table_has_one_vocabulary_and_the_worst_comes_first(answers: pd.DataFrame) -> None:
    frame = answers.drop(columns="psm1").assign(psm2=9.0, psm9=answers["psm9"].clip(upper=4))
    table = report(frame).tidy()
    assert table.columns.tolist() == ["severity", "rule", "column", "count", "rows", "found", "message", "remedy"]
    assert table["severity"].iloc[0] == "error"
    assert (table["remedy"].str.len() > 10).all()
    assert "notes not shown" in report(frame).summary()
