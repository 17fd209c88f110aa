"""Step two of the mixed moments: the correlations of all pairs, each kind by its own likelihood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from psm_analysis.moments.margins import Margin
from psm_analysis.moments.mixed_influence import correlation_influence
from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.ordinal_pairs import fit_ordinal_pairs, ordinal_pair_scores
from psm_analysis.moments.pair_scores import PairScores
from psm_analysis.moments.polychoric import ordinal_moments
from psm_analysis.moments.polyserial import fit_polyserial, polyserial_scores
from psm_analysis.moments.product_moment import fit_product_moment, product_moment_scores
from psm_analysis.moments.sample import FloatArray, IntArray

BATCH_CELLS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class PairResults:
    """Correlations (p, p), and the influence functions of the pairs of `pair_indices` as rows, (pairs, N), or None.

    The influence functions are those of the correlations and sum over cases to 0; they are not yet multiplied by N.
    """

    correlations: FloatArray
    influence: FloatArray | None


def pair_number(i: int, j: int, *, p: int) -> int:
    """Return the place of a pair in the lower triangle column by column.

    Examples
    --------
    >>> [pair_number(i, j, p=3) for i, j in [(1, 0), (2, 0), (1, 2)]]
    [0, 1, 2]
    """
    column, row = min(i, j), max(i, j)
    return column * p - column * (column + 1) // 2 + row - column - 1


def estimate_pairs(
    margins: list[Margin], *, weights: FloatArray, step_one: list[FloatArray] | None, n_categories: IntArray
) -> PairResults:
    """Estimate the correlations of all pairs of variables and, if `step_one` is given, their influence functions.

    Pairs of ordinal variables without covariates share one two-way table each; all other pairs are casewise, in batches
    of one variable with many partners.
    """
    p, n = len(margins), len(weights)
    correlations = np.eye(p)
    influence = None if step_one is None else np.empty((p * (p - 1) // 2, n))
    ordinal = [j for j, margin in enumerate(margins) if margin.ordinal]
    if len(ordinal) > 1 and margins[0].covariates.count == 0:
        _from_tables(margins, ordinal, weights=weights, n_categories=n_categories, results=(correlations, influence))
    for anchor, partners in _batches(margins):
        chosen = [margins[j] for j in partners]
        w = np.column_stack([weights * (margins[anchor].observed & margin.observed) for margin in chosen])
        rho = _fit(margins[anchor], chosen, weights=w)
        correlations[anchor, partners] = correlations[partners, anchor] = rho
        if step_one is None or influence is None:
            continue
        own = step_one[anchor], [step_one[j] for j in partners]
        scores = _scores(margins[anchor], chosen, rho=rho)
        change = correlation_influence(scores, (margins[anchor], chosen), step_one=own, weights=w)
        influence[[pair_number(anchor, j, p=p) for j in partners]] = change.T
    return PairResults(correlations, influence)


def _from_tables(
    margins: list[Margin],
    ordinal: list[int],
    *,
    weights: FloatArray,
    n_categories: IntArray,
    results: tuple[FloatArray, FloatArray | None],
) -> None:
    correlations, influence = results
    codes = np.column_stack([np.where(margins[j].observed, margins[j].categories, -1) for j in ordinal])
    moments = ordinal_moments(
        codes, n_categories[ordinal], weights=weights, keep="nothing" if influence is None else "rows"
    )
    correlations[np.ix_(ordinal, ordinal)] = moments.correlations
    if influence is not None and moments.influence is not None:
        row, column = pair_indices(len(ordinal))
        at = [pair_number(ordinal[i], ordinal[j], p=len(margins)) for i, j in zip(row, column, strict=True)]
        influence[at] = moments.influence[:, len(moments.thresholds) :].T / len(codes)


def _batches(margins: list[Margin]) -> Iterator[tuple[int, list[int]]]:
    ordinal = [j for j, margin in enumerate(margins) if margin.ordinal]
    continuous = [j for j, margin in enumerate(margins) if not margin.ordinal]
    casewise = margins[0].covariates.count > 0
    size = max(1, BATCH_CELLS // max(len(margins[0].observed), 1))
    for kind, own in ((ordinal, casewise), (continuous, True)):
        for place, anchor in enumerate(kind):
            later = kind[place + 1 :] if own else []
            for partners in (later, continuous if kind is ordinal else []):
                for start in range(0, len(partners), size):
                    yield anchor, partners[start : start + size]


def _residuals(margins: list[Margin]) -> tuple[FloatArray, FloatArray]:
    return np.column_stack([m.lower for m in margins]), np.column_stack([m.upper for m in margins])


def _fit(anchor: Margin, partners: list[Margin], *, weights: FloatArray) -> FloatArray:
    lower, upper = _residuals(partners)
    if not anchor.ordinal:
        return fit_product_moment(anchor.upper, upper, weights=weights)
    limits = anchor.lower, anchor.upper
    if partners[0].ordinal:
        return fit_ordinal_pairs(limits, (lower, upper), weights=weights)
    return fit_polyserial(limits, upper, weights=weights)


def _scores(anchor: Margin, partners: list[Margin], *, rho: FloatArray) -> PairScores:
    lower, upper = _residuals(partners)
    if not anchor.ordinal:
        return product_moment_scores(anchor.upper, upper, rho=rho)
    limits = anchor.lower, anchor.upper
    if partners[0].ordinal:
        return ordinal_pair_scores(limits, (lower, upper), rho=rho)
    return polyserial_scores(limits, upper, rho=rho)
