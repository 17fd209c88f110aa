"""Bootstrap intervals of omega."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_level, check_whole
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, STD_ERROR
from psm_analysis.efa.extraction import extract
from psm_analysis.efa.schmid_leiman import schmid_leiman_of
from psm_analysis.errors import DataError, OptionError
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import FloatArray, read_sample
from psm_analysis.reliability.keying import reverse_items
from psm_analysis.reliability.resampling import bootstrap_correlations, check_replicates, percentile_interval
from psm_analysis.rotation import rotate

TERMS = ("omega_total", "omega_hierarchical", "explained_common_variance")


def omega_interval(
    data: pd.DataFrame,
    n_factors: int = 1,
    *,
    reverse: Sequence[str] = (),
    response_range: tuple[float, float] | None = None,
    n_replicates: int = 1_000,
    seed: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return omega total, omega hierarchical and ECV with percentile bootstrap intervals.

    Rows are drawn with replacement; of each sample's pairwise-complete Pearson correlations omega is computed as by
    `omega` (minres, oblimin, Schmid-Leiman). With one factor omega total and hierarchical are the same.

    Parameters
    ----------
    data
        The items of one scale in columns, three at least.
    n_factors
        Number of group factors.
    reverse, response_range
        As `omega`.
    n_replicates, seed
        Bootstrap samples and their seed.
    level
        Level of the interval.

    Returns
    -------
    DataFrame
        term, estimate, std_error, ci_low, ci_high.

    Raises
    ------
    DataError
        If there are fewer than three items, or items are constant, not numeric or empty.
    OptionError
        If so many factors are not identified, or there are fewer than 100 replicates.

    References
    ----------
    Kelley, K., & Pornprasertmanit, S. (2016). Confidence intervals for population reliability coefficients.
    Psychological Methods, 21, 69-92.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.standard_normal((200, 1)) + rng.standard_normal((200, 4)))
    >>> row = omega_interval(frame, n_replicates=100, seed=1).iloc[0]
    >>> bool(row["ci_low"] < row["estimate"] < row["ci_high"])
    True
    """
    sample = reverse_items(read_sample(data), reverse, response_range=response_range)
    if sample.n_items < 3:
        raise DataError(
            f"Omega needs at least 3 items, {sample.n_items} are given: the loadings of two items are not identified.",
            where=f"columns {', '.join(sample.names)}",
            remedy="Use the Spearman-Brown coefficient of two items.",
        )
    check_whole(n_factors, name="n_factors", least=1, remedy="Use 1.")
    check_level(level)
    if (sample.n_items - n_factors) ** 2 < sample.n_items + n_factors:
        raise OptionError(
            f"{n_factors} factor(s) of {sample.n_items} items are not identified.",
            where="argument 'n_factors'",
            remedy="Use fewer factors.",
        )
    R, _ = correlation_matrix(sample)
    seed = check_replicates(n_replicates, seed)
    drawn = bootstrap_correlations(sample.values, n_replicates, seed=seed)
    replicates = np.array([_omegas(matrix, n_factors) for matrix in drawn])
    low, high = percentile_interval(replicates, level=level)
    return pd.DataFrame(
        {
            "term": TERMS,
            ESTIMATE: _omegas(R, n_factors),
            STD_ERROR: replicates.std(axis=0, ddof=1),
            CI_LOW: low,
            CI_HIGH: high,
        }
    )


def _omegas(R: FloatArray, n_factors: int) -> tuple[float, float, float]:
    unrotated, total = extract(R, n_factors).loadings, float(R.sum())
    if n_factors == 1:
        share = float(unrotated.sum() ** 2) / total
        common = float((unrotated**2).sum())
        return 1.0 - (len(R) - common) / total, share, 1.0
    turned = rotate(unrotated, method="oblimin")
    solution = schmid_leiman_of(pd.DataFrame(turned.loadings), pd.DataFrame(turned.factor_correlations))
    general = float(solution.loadings["g"].sum()) ** 2 / total
    return 1.0 - float(solution.uniquenesses.sum()) / total, general, solution.explained_common_variance
