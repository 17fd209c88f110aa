"""The data of Holzinger and Swineford, and a survey with a latent interaction."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

DATA = Path(__file__).parents[1] / "golden" / "data"


@pytest.fixture(scope="session")
def holzinger() -> pd.DataFrame:
    """Nine ability tests of 301 pupils of two schools."""
    return pd.read_csv(DATA / "holzinger.csv")
