"""How far results can move because a matrix was printed to few decimals."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from psm_analysis.errors import OptionError, StudyError

Recompute = Callable[[pd.DataFrame], Mapping[str, float]]


def rounding_range(
    matrix: pd.DataFrame, recompute: Recompute, *, decimals: int, draws: int = 50, seed: int
) -> pd.DataFrame:
    """Recompute results from matrices that would all have been printed alike.

    Every element that is not a one on the diagonal is replaced by a draw from the uniform distribution on
    printed ± half a unit of the last decimal; each drawn matrix rounds to the printed one.

    Parameters
    ----------
    matrix
        Printed correlations or covariances, names on both axes.
    recompute
        Function of a matrix that returns quantity -> number.
    decimals
        Decimals of the printed matrix.
    draws
        Number of matrices drawn.
    seed
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        Columns ``quantity, from_printed, lowest, highest, half_range``. The range grows slowly with `draws`: it shows
        the order of magnitude and is not a confidence interval; sampling error is another matter, and larger.

    Raises
    ------
    StudyError
        If a drawn matrix is not positive definite: the printed decimals do not determine a possible matrix.
    OptionError
        If `draws` is less than 2.

    Examples
    --------
    >>> R = pd.DataFrame([[1.0, 0.5], [0.5, 1.0]], ["x", "y"], ["x", "y"])
    >>> table = rounding_range(R, lambda m: {"r squared": m.loc["x", "y"] ** 2}, decimals=2, draws=200, seed=1)
    >>> bool(table["lowest"].iloc[0] > 0.495**2), bool(table["half_range"].iloc[0] > 0.004)
    (True, True)
    """
    if draws < 2:
        raise OptionError(f"draws={draws} cannot show a range.", where="argument 'draws'", remedy="Use 2 or more.")
    rng = np.random.default_rng(seed)
    printed = matrix.to_numpy(dtype=float)
    free = np.tril(np.ones(printed.shape, dtype=bool)) & ~(np.eye(len(printed), dtype=bool) & (printed == 1))
    rows = []
    for draw in range(draws):
        lower = np.where(free, rng.uniform(-0.5, 0.5, printed.shape) * 10.0**-decimals, 0.0)
        drawn = printed + lower + np.tril(lower, -1).T
        if np.linalg.eigvalsh(drawn)[0] <= 0:
            raise StudyError(
                f"Draw {draw + 1} is not positive definite.",
                where=f"a matrix printed to {decimals} decimals",
                remedy="The printed decimals are too few to recompute anything from this matrix.",
            )
        rows.append(recompute(pd.DataFrame(drawn, index=matrix.index, columns=matrix.columns)))
    results = pd.DataFrame(rows)
    low, high = results.min(), results.max()
    centre = pd.Series(recompute(matrix))[results.columns]
    columns = {"from_printed": centre, "lowest": low, "highest": high, "half_range": (high - low) / 2}
    return pd.DataFrame(columns).rename_axis("quantity").reset_index()
