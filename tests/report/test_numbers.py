"""Numbers in the style of APA 7, sections 6.36 and 6.43-6.44."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from psm_analysis.report.numbers import (
    FIGURE_SPACE,
    format_decimal,
    format_integer,
    format_interval,
    format_p,
    is_missing,
    pad_stars,
    stars,
)


@pytest.mark.parametrize(
    ("value", "decimals", "zero", "text"),
    [
        (0.317, 2, False, ".32"),
        (0.317, 2, True, "0.32"),
        (-0.5, 2, False, "−.50"),
        (-0.0004, 3, True, "0.000"),
        (-0.0, 2, False, ".00"),
        (1.0, 2, False, "1.00"),
        (-1.234, 1, False, "−1.2"),
        (1012.654, 3, True, "1012.654"),
        (float("inf"), 2, True, "∞"),
        (float("nan"), 2, True, ""),
        (None, 2, True, ""),
        (np.float32(0.25), 1, True, "0.2"),
    ],
)
def test_decimals(value: float, decimals: int, zero: bool, text: str) -> None:
    assert format_decimal(value, decimals, leading_zero=zero) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "< .001"),
        (0.00099, "< .001"),
        (0.001, ".001"),
        (0.0455, ".045"),
        (0.5, ".500"),
        (1.0, "> .999"),
        (None, ""),
    ],
)
def test_p_values(value: float, text: str) -> None:
    assert format_p(value) == text


def test_counts_keep_what_is_not_whole() -> None:
    assert [format_integer(value) for value in (206, 206.0, 24.37, np.nan)] == ["206", "206", "24.37", ""]


def test_stars_at_their_limits() -> None:
    assert [stars(value) for value in (0.05, 0.0499, 0.01, 0.0099, 0.001, 0.0009)] == ["", "*", "*", "**", "**", "***"]


def test_an_interval_needs_both_limits() -> None:
    assert format_interval(-0.123, 0.4) == "[−0.12, 0.40]"
    assert format_interval(0.0714, 0.1137, decimals=3, leading_zero=False) == "[.071, .114]"
    assert format_interval(0.1, float("nan")) == ""


def test_padding_keeps_points_in_line() -> None:
    padded = pad_stars([".40***", "−.10", "(.91)"])
    assert [text.index(".") for text in padded] == [1, 1, 1]
    assert len({len(text) for text in padded}) == 1
    assert padded[1].endswith(FIGURE_SPACE * 3)


def test_every_kind_of_missing() -> None:
    assert all(map(is_missing, (None, np.nan, pd.NA, pd.NaT, np.float64("nan"))))
    assert not any(map(is_missing, (0, "", False, "nan")))
