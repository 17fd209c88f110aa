"""Two-step polychoric correlations of all pairs at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from psm_analysis.moments.influence import MANY, InfluenceTable, influence_table
from psm_analysis.moments.newton import BOUND
from psm_analysis.moments.ordinal import (
    check_codes,
    count_answers,
    pair_indices,
    thresholds_of,
)
from psm_analysis.moments.pair_likelihood import fill_empty_cell, fit_correlations
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray

Kept = Literal["rows", "root", "table", "nothing"]


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalMoments:
    """Thresholds and polychoric correlations as plain arrays.

    The order of all parameter vectors is: thresholds item by item, then correlations of the
    lower triangle column by column, (2,1), (3,1), ..., (3,2), ...

    Attributes
    ----------
    thresholds
        (t,) all thresholds, item by item.
    threshold_item
        (t,) the item that each threshold belongs to.
    correlations
        (p, p) polychoric correlations.
    pair_counts
        (p, p) cases that answered both items; cases of each item on the diagonal.
    at_bound
        (p, p) True where a correlation ran to the bound of +-0.9999.
    n_rows
        Rows of the data.
    influence
        (N, q) casewise influence functions, in which missing answers contribute 0, or their (q, q) root, or None.
    table
        What they are made from, or None.
    """

    thresholds: FloatArray
    threshold_item: IntArray
    correlations: FloatArray
    pair_counts: IntArray
    at_bound: BoolArray
    n_rows: int
    influence: FloatArray | None
    table: InfluenceTable | None

    @property
    def estimates(self) -> FloatArray:
        """(q,) thresholds, then lower-triangle correlations column by column."""
        row, column = pair_indices(len(self.correlations))
        return np.concatenate([self.thresholds, self.correlations[row, column]])

    @property
    def gamma(self) -> FloatArray | None:
        """(q, q) N times the asymptotic covariance of `estimates` (the NACOV of WLSMV), or None."""
        return None if self.influence is None else self.influence.T @ self.influence / self.n_rows


def ordinal_moments(
    codes: IntArray,
    n_categories: IntArray,
    *,
    weights: FloatArray | None = None,
    keep: Kept = "rows",
) -> OrdinalMoments:
    """Estimate thresholds and polychoric correlations in two steps, pairwise complete.

    Step one takes each item's thresholds from its own cumulative proportions; step two maximises, for all
    pairs together by Fisher scoring, the likelihood of the two-way table over the correlation (Olsson
    1979). Zero cells: a 2 x 2 table with an empty cell gets 0.5 in that cell and its margins are kept; larger
    tables are not touched (the policy of lavaan). Correlations are bounded by +-0.9999.

    Parameters
    ----------
    codes
        (N, p) categories 0 ... K-1; -1 is missing.
    n_categories
        (p,) number of categories of each item; every category must occur.
    weights
        (N,) sampling weights with the mean 1, or None.
    keep
        What is kept of the casewise influence functions (Muthén 1984): the "rows"; their "root", a square matrix with
        the same cross-product, if there are more than 50,000 rows; the "table" they are made from only; or "nothing".

    Raises
    ------
    DataError
        If a category is empty or out of range.

    References
    ----------
    Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
    Psychometrika, 44, 443-460.
    Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and
    continuous latent variable indicators. Psychometrika, 49, 115-132.

    Examples
    --------
    >>> codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 10, 10, 40], axis=0)
    >>> moments = ordinal_moments(codes, np.array([2, 2]))
    >>> round(float(moments.correlations[0, 1]), 4)  # sin(pi/2 * 0.6), as both thresholds are 0
    0.809
    """
    check_codes(codes, n_categories)
    counts, tables = count_answers(codes, int(n_categories.max()), weights=weights)
    thresholds = thresholds_of(counts, n_categories)
    row, column = pair_indices(codes.shape[1])
    fitted = fill_empty_cell(tables, (n_categories[row], n_categories[column]))
    rho = fit_correlations(fitted, (thresholds[row], thresholds[column]))
    own = np.arange(thresholds.shape[1]) < (n_categories - 1)[:, None]
    table = influence = None
    if keep != "nothing":
        table = influence_table(n_categories, thresholds=thresholds, counts=counts, tables=tables, rho=rho)
    if table is not None and keep != "table":
        work = table.root if keep == "root" and len(codes) > MANY else table.casewise
        influence = work(codes, weights)
    answered = (codes >= 0).astype(np.float64)
    return OrdinalMoments(
        thresholds=thresholds[own],
        threshold_item=np.nonzero(own)[0],
        correlations=_symmetric(rho, np.ones(len(n_categories))),
        pair_counts=(answered.T @ answered).astype(np.int64),
        at_bound=_symmetric(np.abs(rho) >= BOUND, np.zeros(len(n_categories))).astype(bool),
        n_rows=len(codes),
        influence=influence,
        table=table,
    )


def _symmetric(lower: FloatArray | BoolArray, diagonal: FloatArray) -> FloatArray:
    p = len(diagonal)
    matrix = np.zeros((p, p))
    row, column = pair_indices(p)
    matrix[row, column] = matrix[column, row] = lower
    np.fill_diagonal(matrix, diagonal)
    return matrix
