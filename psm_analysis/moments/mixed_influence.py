"""Casewise influence functions of the mixed two-step moments (Muthén, du Toit & Spisic 1997)."""

from __future__ import annotations

import numpy as np

from psm_analysis.moments.margins import Margin
from psm_analysis.moments.pair_scores import PairScores
from psm_analysis.moments.sample import FloatArray


def margin_influence(margin: Margin, weights: FloatArray) -> FloatArray:
    """Return (N, k): ``w_n A11^-1 s_n`` over the internal parameters of one variable; rows that are missing are 0.

    ``A11`` is the sum of products of the casewise scores, as in lavaan.

    Examples
    --------
    >>> from psm_analysis.moments.covariates import read_covariates
    >>> from psm_analysis.moments.margins import fit_ordinal_margin
    >>> none = read_covariates(None, n_rows=2)
    >>> median_split = fit_ordinal_margin(np.array([0.0, 1.0]), none, n_categories=2, weights=np.ones(2), name="a")
    >>> margin_influence(median_split, np.ones(2)).round(4).ravel().tolist()
    [0.6267, -0.6267]
    """
    w = np.where(margin.observed, weights, 0.0)
    scores = margin.chain(*margin.own_derivatives())
    weighted = w[:, None] * scores
    return np.asarray(weighted @ np.linalg.inv(scores.T @ weighted))


def correlation_influence(
    scores: PairScores,
    margins: tuple[Margin, list[Margin]],
    *,
    step_one: tuple[FloatArray, list[FloatArray]],
    weights: FloatArray,
) -> FloatArray:
    """Return (N, c): ``A22^-1 (w_n s_n - A21 A11^-1 w_n s1_n)``, the influence on the correlations of one anchor.

    ``A21`` and ``A22`` are sums of products of casewise scores: of the correlation with the parameters of step one in
    the likelihood of the pair, and with itself.

    Parameters
    ----------
    scores
        Casewise scores of the pairs.
    margins, step_one
        The anchor and its c partners, and what `margin_influence` returned for them.
    weights
        (N, c) case weights, 0 where either variable is missing.
    """
    anchor, partners = margins
    own, others = step_one
    weighted = weights * scores.correlation
    information = (weighted * scores.correlation).sum(axis=0)
    result = weighted.copy()
    anchor_a21 = np.empty((own.shape[1], len(partners)))
    for c, partner in enumerate(partners):
        s = weighted[:, c]
        anchor_a21[:, c] = anchor.chain_sum(s * scores.anchor[0][:, c], s * scores.anchor[1][:, c])
        a21 = partner.chain_sum(s * scores.partner[0][:, c], s * scores.partner[1][:, c])
        result[:, c] -= others[c] @ a21
    result -= own @ anchor_a21
    return np.asarray(result / np.where(information > 0.0, information, np.inf))
