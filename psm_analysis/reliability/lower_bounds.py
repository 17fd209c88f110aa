"""Guttman's lower bounds of reliability, and the distribution of split-half coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_instance, check_seed, check_whole
from psm_analysis._results import ESTIMATE, Result
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import BoolArray, FloatArray, read_sample
from psm_analysis.reliability.alpha import scale_matrices
from psm_analysis.reliability.coefficients import (
    coefficient_alpha,
    spearman_brown,
    squared_multiple_correlations,
    total_variance,
)
from psm_analysis.reliability.keying import reverse_items, reversed_names

EXACT_SPLITS = 12_870
COEFFICIENTS = ("lambda1", "lambda2", "lambda3", "lambda4", "lambda5", "lambda6")


@dataclass(frozen=True, slots=True, repr=False)
class GuttmanResult(Result):
    """Guttman's six lower bounds; lambda 3 is alpha, lambda 4 the best split half.

    `lambda4_exact` says whether all splits were tried.
    """

    lambda1: float
    lambda2: float
    lambda3: float
    lambda4: float
    lambda5: float
    lambda6: float
    lambda4_exact: bool
    standardized: bool
    n: int
    n_items: int
    reversed: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per coefficient."""
        return pd.DataFrame({"term": COEFFICIENTS, ESTIMATE: [getattr(self, name) for name in COEFFICIENTS]})

    def glance(self) -> pd.DataFrame:
        """Return everything in one row."""
        row = {name: getattr(self, name) for name in type(self).__slots__}
        return pd.DataFrame([{**row, "reversed": ", ".join(self.reversed)}])


@dataclass(frozen=True, slots=True, repr=False)
class SplitHalfResult(Result):
    """The distribution of the split-half coefficient over splits, and the two conventional splits.

    `maximum` ... `minimum` and the quantiles are of ``4 cov(A, B) / V``; `odd_even` and `first_last` are
    Spearman-Brown corrected correlations of the halves; `exact` says whether all splits were tried.
    """

    maximum: float
    upper: float
    median: float
    mean: float
    lower: float
    minimum: float
    odd_even: float
    first_last: float
    n_splits: int
    exact: bool
    n_items: int
    reversed: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per statistic of the distribution."""
        names = ("maximum", "upper", "median", "mean", "lower", "minimum", "odd_even", "first_last")
        return pd.DataFrame({"term": names, ESTIMATE: [getattr(self, name) for name in names]})

    def glance(self) -> pd.DataFrame:
        """Return everything in one row."""
        row = {name: getattr(self, name) for name in type(self).__slots__}
        return pd.DataFrame([{**row, "reversed": ", ".join(self.reversed)}])


def guttman(
    data: pd.DataFrame, reverse: Sequence[str] = (), *, standardized: bool = False, seed: int = 0
) -> GuttmanResult:
    """Return Guttman's lambda 1 to 6 from the pairwise-complete covariance matrix `C`, ``V = 1'C1``.

    Definition: ``l1 = 1 - tr C / V``; ``l2 = l1 + sqrt(k / (k-1) sum_{i != j} c_ij^2) / V``; ``l3 = k / (k-1) l1``;
    ``l4 = max 4 cov(A, B) / V`` over splits into halves; ``l5 = l1 + 2 sqrt(max_j sum_{i != j} c_ij^2) / V``;
    ``l6 = 1 - sum c_ii (1 - smc_i) / V``. All are lower bounds of reliability if errors are uncorrelated.

    Parameters
    ----------
    data
        The items of one scale in columns.
    reverse
        Items to reverse (minimum + maximum - x).
    standardized
        True: of the pairwise-complete correlations, for the sum of standardised items, as ``psych::guttman`` does.
    seed
        For the random splits tried where there are too many (more than 16 items).

    Raises
    ------
    DataError
        As `alpha`, and if the covariance matrix is singular.

    References
    ----------
    Guttman, L. (1945). A basis for analyzing test-retest reliability. Psychometrika, 10, 255-282. The R call
    ``psych::guttman(data)`` gives those with ``standardized=True``; its lambda 4 is the best of a few splits, and items
    are reversed for it unasked.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.standard_normal((100, 4)) + rng.standard_normal((100, 1)))
    >>> result = guttman(frame)
    >>> result.lambda1 < result.lambda3 <= result.lambda2 <= result.lambda4
    True
    """
    check_seed(seed)
    check_instance(standardized, bool, name="standardized", remedy="Use True or False.")
    sample = reverse_items(read_sample(data, min_items=2), reverse)
    C = correlation_matrix(sample)[0] if standardized else scale_matrices(sample, correlation="pearson")[0]
    k, total, diagonal = len(C), total_variance(C), np.diagonal(C)
    first = 1.0 - float(diagonal.sum()) / total
    squares = (C**2).sum(axis=0) - diagonal**2
    halves, exact = _split_coefficients(C, limit=10_000, seed=seed)
    return GuttmanResult(
        lambda1=first,
        lambda2=first + float(np.sqrt(k / (k - 1.0) * squares.sum())) / total,
        lambda3=coefficient_alpha(C),
        lambda4=float(halves.max()),
        lambda5=first + 2.0 * float(np.sqrt(squares.max())) / total,
        lambda6=1.0 - float((diagonal * (1.0 - squared_multiple_correlations(C))).sum()) / total,
        lambda4_exact=exact,
        standardized=standardized,
        n=int(sample.observed.any(axis=1).sum()),
        n_items=k,
        reversed=reversed_names(reverse),
    )


def split_half(
    data: pd.DataFrame, reverse: Sequence[str] = (), *, n_splits: int = 10_000, seed: int = 0
) -> SplitHalfResult:
    """Return the distribution of split-half reliability over all splits, or over random ones.

    Definition: for halves A and B of the items, ``4 cov(A, B) / V`` (Rulon, Flanagan, Guttman). All splits are
    tried up to 16 items, `n_splits` random ones beyond. The mean over all splits of an even number of items is alpha.

    Parameters
    ----------
    data
        The items of one scale in columns.
    reverse
        Items to reverse (minimum + maximum - x).
    n_splits, seed
        Random splits for more than 16 items, and their seed.

    Raises
    ------
    DataError
        As `alpha`.

    References
    ----------
    Warrens, M. J. (2015). On Cronbach's alpha as the mean of all split-half reliabilities. In Quantitative Psychology
    Research, 293-300. The R call is ``psych::splitHalf(data, covar=TRUE)``,
    which tries half of the splits of an odd number of items only.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 2, 3, 5, 4], "c": [1, 2, 4, 4, 5], "d": [1, 3, 3, 4, 4]})
    >>> result = split_half(frame)
    >>> result.n_splits, result.exact, result.minimum <= result.mean <= result.maximum
    (3, True, True)
    """
    check_whole(n_splits, name="n_splits", least=1, remedy="Use 10000.")
    check_seed(seed)
    sample = reverse_items(read_sample(data, min_items=2), reverse)
    C, _ = scale_matrices(sample, correlation="pearson")
    halves, exact = _split_coefficients(C, limit=n_splits, seed=seed)
    k = len(C)
    lower, median, upper = (float(q) for q in np.quantile(halves, [0.025, 0.5, 0.975]))
    return SplitHalfResult(
        maximum=float(halves.max()),
        upper=upper,
        median=median,
        mean=float(halves.mean()),
        lower=lower,
        minimum=float(halves.min()),
        odd_even=_stepped_up(C, np.arange(k) % 2 == 0),
        first_last=_stepped_up(C, np.arange(k) < (k + 1) // 2),
        n_splits=len(halves),
        exact=exact,
        n_items=k,
        reversed=reversed_names(reverse),
    )


def _split_coefficients(C: FloatArray, *, limit: int, seed: int) -> tuple[FloatArray, bool]:
    """``1 - s'Cs / V`` for sign vectors s that put half of the items on each side."""
    signs, exact = _splits(len(C), limit=limit, seed=seed)
    return 1.0 - np.einsum("si,ij,sj->s", signs, C, signs, optimize=True) / total_variance(C), exact


def _splits(k: int, *, limit: int, seed: int) -> tuple[FloatArray, bool]:
    half = k // 2
    even = k % 2 == 0
    if comb(k, half) <= EXACT_SPLITS:
        chosen = np.array([c for c in combinations(range(k), half) if not even or c[0] == 0])
        signs = -np.ones((len(chosen), k))
        np.put_along_axis(signs, chosen, 1.0, axis=1)
        return signs, True
    base = np.where(np.arange(k) < half, 1.0, -1.0)
    return np.random.default_rng(seed).permuted(np.tile(base, (limit, 1)), axis=1), False


def _stepped_up(C: FloatArray, side: BoolArray) -> float:
    own, other = C[np.ix_(side, side)].sum(), C[np.ix_(~side, ~side)].sum()
    return spearman_brown(float(C[np.ix_(side, ~side)].sum() / np.sqrt(own * other)), 2.0)
