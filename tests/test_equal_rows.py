"""Equal rows: those that `numpy.unique` finds, however wide the rows are."""

from __future__ import annotations

import numpy as np
import pytest

from psm_analysis._equal_rows import equal_rows


@pytest.mark.parametrize(
    "rows",
    [
        np.random.default_rng(1).integers(-1, 5, (500, 4)),
        np.random.default_rng(2).integers(0, 3, (60, 1)).repeat(90, axis=1),
        np.random.default_rng(3).integers(0, 2, (300, 200)),
        np.random.default_rng(4).random((400, 150)) < 0.01,
        np.random.default_rng(5).integers(0, 20, (2000, 3)) * np.array([1, 2**62 // 20, 2**62 // 21]),
        np.array([[2**62, -(2**62)], [2**62, 5], [-(2**62), 5], [2**62, 5]]),
        np.array([[np.inf, 1.5], [-np.inf, 1.5], [0.25, -3.0], [np.inf, 1.5]]),
    ],
)
def test_kinds_are_those_of_numpy(rows: np.ndarray) -> None:
    _, where, member = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    first, kind = equal_rows(rows.T)
    np.testing.assert_array_equal(first, where)
    np.testing.assert_array_equal(kind, member.ravel())


def test_missing_numbers_are_alike_and_last() -> None:
    rows = np.array([[np.nan, 1.0], [2.0, np.nan], [np.nan, 1.0], [2.0, 7.0]])
    first, kind = equal_rows(rows.T)
    assert first.tolist() == [3, 1, 0]
    assert kind.tolist() == [2, 1, 2, 0]


def test_no_rows_have_no_kinds() -> None:
    first, kind = equal_rows(np.empty((3, 0), dtype=np.int64))
    assert len(first) == len(kind) == 0
