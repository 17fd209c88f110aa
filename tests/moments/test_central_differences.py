"""Central differences against derivatives written down."""

from __future__ import annotations

import numpy as np
import pytest

from psm_analysis.moments.central_differences import central_differences


@pytest.mark.parametrize("step", [1e-4, np.array([1e-4, 1e-5, 1e-3])])
def test_the_jacobian_of_a_known_function(step: float | np.ndarray) -> None:
    at = np.array([0.3, -1.2, 2.0])
    found = central_differences(lambda x: np.array([np.sin(x[0]) * x[2], np.exp(x[1])]), at, step=step)
    expected = [[np.cos(0.3) * 2.0, 0.0, np.sin(0.3)], [0.0, np.exp(-1.2), 0.0]]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_values_may_be_a_matrix() -> None:
    found = central_differences(lambda x: np.outer(x, x), np.array([1.0, 3.0]), step=1e-4)
    np.testing.assert_allclose(found[:, 0], [[2.0, 3.0], [3.0, 0.0]], rtol=1e-6, atol=1e-9)
