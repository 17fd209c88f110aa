"""How far an item moved apart from its scale, with anchors that drifting items leave.

With the other items of the scale that are anchors, and the covariances ``s`` of the reference, the slope of item j on
their mean is ``mean of s_jk / mean of s_kl (k < l)``: the ratio of true-score regressions, so that a change of the
people moves no item. It is corrected for the unreliability of the anchors (Shealy & Stout, 1993), which the plain
regression is not: there every item would seem to move when the people change.

References
----------
Shealy, R., & Stout, W. (1993). A model-based standardization approach that separates true bias/DIF from group ability
differences. Psychometrika, 58, 159-194.
Clauser, B., Mazor, K., & Hambleton, R. K. (1993). The effects of purification of the matching criterion on the
identification of DIF. Applied Measurement in Education, 6, 269-279.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from psm_analysis.scoring.model import ScoringModel
from psm_analysis.workflows.drift_distribution import normal_p_value

Array = NDArray[np.float64]
SHIFT_LIMIT = 0.2
ALPHA = 0.01
AGAINST = 0.1
FEWEST_ANCHORS = 2


@dataclass(frozen=True, slots=True)
class Shift:
    """Adjusted shift in standard deviations of the reference, its z, and the item-rest correlations."""

    size: float
    statistic: float
    rest_r_reference: float
    rest_r: float


NOTHING = Shift(float("nan"), float("nan"), float("nan"), float("nan"))


def complete_rows(values: Array, absent: frozenset[int]) -> Array:
    """Return the rows in which every item was answered, items that nobody answered left aside."""
    kept = [j for j in range(values.shape[1]) if j not in absent]
    return np.asarray(values[~np.isnan(values[:, kept]).any(axis=1)])


def shifts(model: ScoringModel, complete: Array, *, absent: frozenset[int]) -> tuple[list[Shift], frozenset[int]]:
    """Return the shift of every item, and the items that stay out of the anchors.

    All are anchors at first but those that nobody answered or that run against their scale; the shifted item with the
    largest z ceases to be one, shifts are computed anew, and so on.
    """
    n, m = len(complete), len(model.items)
    if n < 2:
        return [NOTHING] * m, absent
    turned = [j for j in range(m) if j not in absent and against(_shift(model, j, complete, absent), n)]
    purged = absent
    for j in turned:
        if _spare(model, j, purged):
            purged |= {j}
    while True:
        found = [NOTHING if j in absent else _shift(model, j, complete, purged) for j in range(m)]
        worst = [j for j in range(m) if j not in purged and shifted(found[j], m) and _spare(model, j, purged)]
        if not worst:
            return found, purged
        purged |= {max(worst, key=lambda j: abs(found[j].statistic))}


def shifted(shift: Shift, items: int) -> bool:
    """Say whether an item moved: 0.2 standard deviations or more, with p < .01 / items (Bonferroni)."""
    return abs(shift.size) >= SHIFT_LIMIT and normal_p_value(shift.statistic) < ALPHA / items


def against(shift: Shift, n: int) -> bool:
    """Say whether an item runs against its scale: item-rest correlation below -0.1 and 0 by more than two errors."""
    return shift.rest_r_reference > 0 and shift.rest_r < -max(AGAINST, 2 / sqrt(n))


def scale_places(model: ScoringModel, j: int) -> list[int]:
    """Return the places of the items of the first scale that holds item j."""
    scale = next(scale for scale in model.scales if model.item_ids[j] in scale.items)
    return [k for k, name in enumerate(model.item_ids) if name in scale.items]


def _spare(model: ScoringModel, j: int, purged: frozenset[int]) -> bool:
    """Say whether enough items of the scale would remain as anchors without item j."""
    return len(set(scale_places(model, j)) - purged - {j}) >= FEWEST_ANCHORS


def _shift(model: ScoringModel, j: int, complete: Array, purged: frozenset[int]) -> Shift:
    reference = model.reference
    rest = [k for k in scale_places(model, j) if k != j and k not in purged]
    S, S_new = np.array(reference.covariance), np.atleast_2d(np.cov(complete, rowvar=False))
    slope = _slope(S, j, rest)
    change = complete - np.array(reference.complete_means)
    residual = change[:, j] - (slope * change[:, rest].mean(axis=1) if rest else 0.0)
    old = S[j, j] - 2 * slope * S[j, rest].sum() / max(len(rest), 1)
    old += slope**2 * (float(S[np.ix_(rest, rest)].mean()) if rest else 0.0)
    error = sqrt(max(old, 0.0) / reference.complete_n + residual.var(ddof=1) / len(residual))
    mean = float(residual.mean())
    return Shift(
        size=mean / sqrt(S[j, j]) if S[j, j] > 0 else 0.0,
        statistic=mean / error if error > 0 else 0.0,
        rest_r_reference=_rest_correlation(S, j, rest),
        rest_r=_rest_correlation(S_new, j, rest),
    )


def _slope(S: Array, j: int, rest: list[int]) -> float:
    """Return the slope on the true score of the anchors; with one anchor, as if it were as reliable as the item."""
    if not rest:
        return 0.0
    block = S[np.ix_(rest, rest)]
    if len(rest) == 1:
        return sqrt(S[j, j] / block[0, 0]) if block[0, 0] > 0 and S[j, rest[0]] > 0 else 0.0
    shared = float(block.sum() - np.trace(block)) / (len(rest) * (len(rest) - 1))
    return float(S[j, rest].mean()) / shared if shared > 0 else 0.0


def _rest_correlation(S: Array, j: int, rest: list[int]) -> float:
    variance = float(S[np.ix_(rest, rest)].sum()) if rest else 0.0
    scale = sqrt(S[j, j] * variance) if S[j, j] > 0 and variance > 0 else 0.0
    return float(S[j, rest].sum()) / scale if scale > 0 else float("nan")
