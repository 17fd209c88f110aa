"""Data that the tests of the engine share."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def holzinger(golden_data) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return golden_data("holzinger.csv")


@pytest.fixture(scope="session")
def democracy(golden_data) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    return golden_data("democracy.csv")
