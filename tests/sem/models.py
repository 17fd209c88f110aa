"""Models and samples that the tests of the engine share."""

from __future__ import annotations

import numpy as np
import pandas as pd

HOLZINGER = """
visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
speed =~ x7 + x8 + x9
"""
DEMOCRACY = """
ind60 =~ x1 + x2 + x3
dem60 =~ y1 + a*y2 + b*y3 + c*y4
dem65 =~ y5 + a*y6 + b*y7 + c*y8
dem60 ~ p*ind60
dem65 ~ q*ind60 + r*dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4 ~~ y8
y6 ~~ y8
indirect := p*r
total := q + p*r
"""


def three_factors(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Return the first and the last of three factors in a row, each acting on the next, and the items of all three."""
    x = rng.normal(size=n)
    m = 0.5 * x + 0.8 * rng.normal(size=n)
    y = 0.4 * m + 0.2 * x + 0.8 * rng.normal(size=n)
    parts = [np.outer(f, [1.0, 0.9, 0.8]) + 0.6 * rng.normal(size=(n, 3)) for f in (x, m, y)]
    return x, y, pd.DataFrame(np.hstack(parts), columns=[f"{c}{i}" for c in "xmy" for i in (1, 2, 3)])
