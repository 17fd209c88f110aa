"""Item fit of the graded response model by summed scores: S-X2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from psm_analysis._results import P_VALUE, STATISTIC
from psm_analysis.irt.adjusted import holm
from psm_analysis.irt.graded_kernel import category_probabilities, quadrature
from psm_analysis.irt.patterns import ResponsePatterns
from psm_analysis.moments.sample import FloatArray, IntArray


def summed_score_likelihood(probabilities: Sequence[FloatArray]) -> FloatArray:
    """Return P(sum of the item codes = k | node), (q, k), item after item (Lord & Wingersky, 1984).

    Examples
    --------
    >>> half = np.array([[0.5, 0.5]])
    >>> summed_score_likelihood([half, half]).tolist()
    [[0.25, 0.5, 0.25]]
    """
    found = np.ones((len(probabilities[0]), 1))
    for P in probabilities:
        longer = np.zeros((len(found), found.shape[1] + P.shape[1] - 1))
        for c in range(P.shape[1]):
            longer[:, c : c + found.shape[1]] += found * P[:, [c]]
        found = longer
    return found


def expected_proportions(probabilities: Sequence[FloatArray], weights: FloatArray, *, item: int) -> FloatArray:
    r"""Return the share of each category of one item among people of each summed score, (scores, categories).

    .. math:: E_{kz} = \frac{\int P_z(\theta)\, f^*(k-z \mid \theta)\,\phi(\theta)\,d\theta}
        {\int f(k \mid \theta)\,\phi(\theta)\,d\theta}

    with f* the likelihood of the sum of the other items (Orlando & Thissen, 2000, equation 5; Kang & Chen, 2008).

    Examples
    --------
    >>> half = np.array([[0.5, 0.5]])
    >>> expected_proportions([half, half, half], np.ones(1), item=0).round(3).tolist()
    [[1.0, 0.0], [0.667, 0.333], [0.333, 0.667], [0.0, 1.0]]
    """
    own = probabilities[item]
    rest = summed_score_likelihood([P for j, P in enumerate(probabilities) if j != item])
    joint = np.zeros((rest.shape[1] + own.shape[1] - 1, own.shape[1]))
    for z in range(own.shape[1]):
        joint[z : z + rest.shape[1], z] = weights @ (own[:, [z]] * rest)
    return np.asarray(joint / joint.sum(axis=1, keepdims=True), dtype=float)


def merge_sparse(observed: FloatArray, expected: FloatArray, *, minimum: float) -> tuple[FloatArray, FloatArray]:
    """Merge neighbouring categories of one summed score until each is expected `minimum` times.

    Examples
    --------
    >>> merge_sparse(np.array([1.0, 0.0, 9.0]), np.array([0.4, 0.8, 8.8]), minimum=1.0)[0].tolist()
    [1.0, 9.0]
    """
    o, e = observed.tolist(), expected.tolist()
    while len(e) > 1 and min(e) < minimum:
        at = int(np.argmin(e))
        beside = [k for k in (at - 1, at + 1) if 0 <= k < len(e)]
        other = min(beside, key=lambda k: e[k])
        first, last = min(at, other), max(at, other)
        o[first : last + 1], e[first : last + 1] = [o[first] + o[last]], [e[first] + e[last]]
    return np.array(o), np.array(e)


def item_fit(
    patterns: ResponsePatterns,
    slopes: FloatArray,
    *,
    intercepts: Sequence[FloatArray],
    n_nodes: int,
    minimum: float,
) -> pd.DataFrame:
    """Return S-X2 of every item from the people who answered all items.

    The degrees of freedom are the cells left, less one per summed score, less the parameters of the item.

    Returns
    -------
    DataFrame
        Index item; n, statistic, df, p_value, rmsea, p_adjusted (Holm). NaN where no degree of freedom is left.
    """
    from scipy.special import chdtrc

    theta, weights = quadrature(n_nodes)
    pairs = zip(slopes, intercepts, strict=True)
    probabilities = [category_probabilities(float(a), d, theta=theta) for a, d in pairs]
    complete = (patterns.codes >= 0).all(axis=1)
    codes, counts = patterns.codes[complete], patterns.counts[complete]
    rows = {}
    for j, name in enumerate(patterns.names):
        expected = expected_proportions(probabilities, weights, item=j)
        observed = _observed(codes, counts, item=j, shape=expected.shape)
        chisq, cells = _discrepancy(observed, expected, minimum=minimum)
        df = cells - patterns.sizes[j]
        chisq = chisq if df > 0 else np.nan
        rows[name] = {STATISTIC: chisq, "df": df, P_VALUE: chdtrc(max(df, 1), chisq)}
    n = float(counts.sum())
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("item")
    excess = np.maximum(table[STATISTIC] - table["df"], 0.0)
    table.insert(0, "n", int(n))
    table["rmsea"] = np.sqrt(excess / (table["df"].where(table["df"] > 0) * max(n - 1.0, 1.0)))
    return table.assign(p_adjusted=holm(table[P_VALUE].to_numpy(dtype=float))).astype({"df": int})


def _observed(codes: IntArray, counts: FloatArray, *, item: int, shape: tuple[int, ...]) -> FloatArray:
    found = np.zeros(shape)
    np.add.at(found, (codes.sum(axis=1), codes[:, item]), counts)
    return found


def _discrepancy(observed: FloatArray, expected: FloatArray, *, minimum: float) -> tuple[float, int]:
    """Return the sum over summed scores that leave a choice, and their cells less one each."""
    chisq, cells = 0.0, 0
    for seen, share in zip(observed[1:-1], expected[1:-1], strict=True):
        n = seen.sum()
        o, e = merge_sparse(seen, n * share, minimum=minimum)
        if len(e) > 1:
            chisq += float(((o - e) ** 2 / e).sum())
            cells += len(e) - 1
    return chisq, cells
