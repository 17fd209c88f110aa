"""``impute``: completed data sets by chained equations, made by statsmodels."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning, require


def impute(
    data: pd.DataFrame, *, n: int = 20, seed: int, burn_in: int = 10, skip: int = 5, neighbours: int = 20
) -> list[pd.DataFrame]:
    """Complete a data frame several times by chained equations with predictive mean matching.

    Every variable with gaps is regressed on all others in turn, with coefficients drawn from their sampling
    distribution, and a gap is filled with the answer of one of the respondents whose prediction is nearest
    (statsmodels' ``MICEData``). Answers stay whole numbers if they are. Give all variables that the model uses, and
    others that predict gaps or answers. Rows without any answer are left out, with a warning.

    Parameters
    ----------
    data
        Numeric columns; missing values are nan.
    n
        Number of completed data sets.
    seed
        Makes the draws; the same seed gives the same data sets.
    burn_in, skip
        Rounds before the first data set, and from one to the next.
    neighbours
        Respondents among whom a donor is drawn.

    Returns
    -------
    list of DataFrame
        With the columns of `data` and its index, for :func:`pool`.

    Raises
    ------
    DataError
        For columns that are not numeric, have no answer, or hold infinite values.
    OptionError
        For fewer than two data sets, or no seed.

    References
    ----------
    van Buuren, S. (2018). Flexible imputation of missing data (2nd ed.). Chapman & Hall. R: ``mice::mice``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rows = pd.DataFrame(rng.normal(size=(100, 1)) + rng.normal(size=(100, 3)), columns=list("abc"))
    >>> rows.loc[:9, "a"] = np.nan
    >>> frames = impute(rows, n=3, seed=1)
    >>> len(frames), int(sum(frame.isna().sum().sum() for frame in frames))
    (3, 0)
    """
    _check(data, n=n, seed=seed, burn_in=burn_in, skip=skip, neighbours=neighbours)
    empty = data.isna().all(axis=1)
    if empty.any():
        text = f"{int(empty.sum())} of {len(data)} rows have no answer at all and were left out."
        warnings.warn(text, PsmAnalysisWarning, stacklevel=2)
        data = data[~empty]
    if not data.isna().any().any():
        return [data.copy() for _ in range(n)]
    mice = require("statsmodels.imputation.mice", purpose="multiple imputation")
    plain = data.astype(float).set_axis([f"v{i}" for i in range(data.shape[1])], axis=1).reset_index(drop=True)
    donors = min(neighbours, max(int(plain.notna().sum().min()) - 1, 1))
    with _seeded(mice.MICEData, seed) as options:
        chain = mice.MICEData(plain, k_pmm=donors, **options)
        found = []
        for number in range(n):
            chain.update_all(burn_in if number == 0 else skip)
            found.append(chain.data.copy().set_axis(data.columns, axis=1).set_axis(data.index, axis=0))
    return found


@contextmanager
def _seeded(chain: Any, seed: int) -> Iterator[dict[str, Any]]:
    """Give the generator as an argument; releases of statsmodels without one are lent the global one, seeded."""
    if "rng" in inspect.signature(chain).parameters:
        yield {"rng": np.random.default_rng(seed)}
        return
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield {}
    finally:
        np.random.set_state(before)


def _check(data: pd.DataFrame, *, n: int, seed: int, burn_in: int, skip: int, neighbours: int) -> None:
    if n < 2 or burn_in < 1 or skip < 1 or neighbours < 1 or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise OptionError(
            f"n={n}, seed={seed!r}, burn_in={burn_in}, skip={skip} and neighbours={neighbours} cannot be used.",
            where="impute",
            remedy="Use two data sets or more (20), a seed of 0 or more, one round and one neighbour or more.",
        )
    if not isinstance(data, pd.DataFrame) or data.shape[1] < 2:
        raise DataError("Imputation needs a DataFrame of two columns or more.", where="argument 'data'")
    for name in data.columns:
        column = data[name]
        if not pd.api.types.is_numeric_dtype(column):
            raise DataError(
                f"The column {name!r} is not numeric.", where=f"column {name!r}", remedy="Code it as numbers."
            )
        values = column.to_numpy(dtype=float, na_value=np.nan)
        if np.isnan(values).all() or np.isinf(values).any():
            raise DataError(
                f"The column {name!r} has {'infinite values' if np.isinf(values).any() else 'no answers'}.",
                where=f"column {name!r}",
                remedy="Set infinite values to missing; drop columns without answers.",
            )
