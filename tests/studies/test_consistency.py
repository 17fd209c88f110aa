from __future__ import annotations

import math

import pytest

from psm_analysis.errors import StudyError
from psm_analysis.studies.consistency import DIFFERS, EQUAL, LAST_DIGIT, compare_printed, printed_decimals


@pytest.mark.parametrize(
    ("printed", "recomputed", "verdict"),
    [
        ("0.850", 0.8504, EQUAL),
        ("0.85", 0.8546, EQUAL),
        ("0.850", 0.8546, DIFFERS),
        ("0.850", 0.8506, LAST_DIGIT),
        ("0.850", 0.8489, LAST_DIGIT),
        ("0.850", 0.8516, DIFFERS),
        ("-.401", -0.40149, EQUAL),
        ("−0.401", -0.40149, EQUAL),
        ("-.401", 0.401, DIFFERS),
        ("206", 206.0, EQUAL),
        ("206", 207.0, LAST_DIGIT),
        ("1012.654", 1012.65449, EQUAL),
        ("0.0005", 0.00055, EQUAL),
        ("0.000", 3e-9, EQUAL),
        ("< .001", 0.0002, EQUAL),
        ("<.001", 0.002, DIFFERS),
        ("> .05", 0.2, EQUAL),
    ],
)
def test_verdict_follows_the_printed_decimals(printed: str, recomputed: float, verdict: str) -> None:
    assert compare_printed({"x": printed}, {"x": recomputed})["verdict"].tolist() == [verdict]


def test_frame_keeps_the_printed_text_and_the_unrounded_number() -> None:
    frame = compare_printed({"cfi": "0.850", "df": "206"}, {"df": 206, "cfi": 0.84961, "other": 1.0})
    assert list(frame.columns) == ["quantity", "printed", "recomputed", "difference", "verdict"]
    assert frame["printed"].tolist() == ["0.850", "206"]
    assert frame["difference"].tolist() == pytest.approx([-0.00039, 0.0])


def test_a_bound_has_no_difference() -> None:
    assert math.isnan(compare_printed({"p": "< .001"}, {"p": 0.0})["difference"].iloc[0])


@pytest.mark.parametrize(("text", "decimals"), [("-.40", 2), ("206", 0), ("< .001", 3), ("0.8500", 4)])
def test_printed_decimals(text: str, decimals: int) -> None:
    assert printed_decimals(text) == decimals


@pytest.mark.parametrize("text", ["", "5.", "n.s.", "1,012.654", ".", "0.4*"])
def test_what_is_not_a_number_is_said(text: str) -> None:
    with pytest.raises(StudyError, match="not a printed number"):
        compare_printed({"x": text}, {"x": 1.0})


def test_a_printed_quantity_that_was_not_recomputed() -> None:
    with pytest.raises(StudyError, match="Did you mean 'rmsea'"):
        compare_printed({"rmsae": "0.08"}, {"rmsea": 0.08})
