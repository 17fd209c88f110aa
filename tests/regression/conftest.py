from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def survey() -> pd.DataFrame:
    """240 respondents in 24 townships; R read exactly these numbers for the expected values of the tests."""
    rng = np.random.default_rng(20240501)
    n = 240
    township = np.repeat(np.arange(24), 10)
    unit = rng.normal(size=24)[township] * 0.5
    age = rng.integers(22, 60, size=n).astype(float)
    grade = np.array(["clerk", "deputy", "head"])[rng.integers(0, 3, size=n)]
    psm = rng.normal(size=n) + 0.3 * unit
    burnout = 0.4 * psm + rng.normal(size=n) - 0.01 * age + unit
    stay = 2 + 0.5 * psm - 0.6 * burnout + 0.02 * age + 0.3 * (grade == "head") + unit + rng.normal(size=n)
    latent = -0.5 * psm + 0.8 * burnout + unit + rng.logistic(size=n)
    columns = {"township": township, "age": age, "grade": grade, "psm": psm, "burnout": burnout, "stay": stay}
    return pd.DataFrame({**columns, "quit": np.digitize(latent, [-1.5, 0, 1.2]) + 1})
