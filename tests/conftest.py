"""What all tests share: the reference data."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

GOLDEN = Path(__file__).resolve().parent / "golden"


@pytest.fixture(scope="session")
def golden_data():  # type: ignore[no-untyped-def]
    """Return a function that reads a data set of the references by name."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(GOLDEN / "data" / name)

    return read
