"""Every item of a new wave against the reference, with a rest score that drifting items do not enter."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.scoring.model import ScoringModel
from psm_analysis.workflows.calibrate import code_proportions

Array = NDArray[np.float64]
PSI_LIMIT = 0.25
SHIFT_LIMIT = 0.2
MISSING_LIMIT = 0.05
ALPHA = 0.01
FEWEST_ANCHORS = 2


def item_rows(model: ScoringModel, values: Array, *, complete: Array) -> pd.DataFrame:
    """Return one row per item; `values` and `complete` hold answers turned round."""
    purged = _purged(model, complete)
    shifts = [_shift(model, j, complete=complete, purged=purged) for j in _all(model)]
    rows = [_row(model, j, values=values, shift=shift) for j, shift in enumerate(shifts)]
    return pd.DataFrame(rows).assign(anchor=[j not in purged for j in _all(model)])


def _all(model: ScoringModel) -> range:
    return range(len(model.items))


def _purged(model: ScoringModel, complete: Array) -> frozenset[int]:
    """Return the items that stay out of the rest scores: the worst item goes, shifts are computed anew, and so on."""
    purged: frozenset[int] = frozenset()
    while True:
        shifts = {j: _shift(model, j, complete=complete, purged=purged) for j in _all(model)}
        worst = [j for j in shifts if j not in purged and _shifted(model, shifts[j]) and _spare(model, j, purged)]
        if not worst:
            return purged
        purged |= {max(worst, key=lambda j: abs(shifts[j][1]))}


def _shifted(model: ScoringModel, shift: tuple[float, float]) -> bool:
    return abs(shift[0]) >= SHIFT_LIMIT and erfc(abs(shift[1]) / sqrt(2)) < ALPHA / len(model.items)


def _scale_places(model: ScoringModel, j: int) -> list[int]:
    scale = next(scale for scale in model.scales if model.item_ids[j] in scale.items)
    return [k for k, name in enumerate(model.item_ids) if name in scale.items]


def _spare(model: ScoringModel, j: int, purged: frozenset[int]) -> bool:
    """Say whether enough items of the scale would remain as anchors without item j."""
    return len(set(_scale_places(model, j)) - purged - {j}) >= FEWEST_ANCHORS


def _row(model: ScoringModel, j: int, *, values: Array, shift: tuple[float, float]) -> dict[str, object]:
    reference, item = model.reference, model.items[j]
    answers = pd.Series(values[:, j])
    old, new = np.array(reference.proportions[j]), np.array(code_proportions(answers, item.codes))
    given = round(reference.n * (1 - reference.missing[j]))
    psi = _psi(np.maximum(old, 0.5 / given), np.maximum(new, 0.5 / max(answers.count(), 1)))
    missing = float(answers.isna().mean())
    reasons = []
    if _shifted(model, shift):
        reasons.append(f"answered {'higher' if shift[0] > 0 else 'lower'} than its scale explains")
    if psi > PSI_LIMIT:
        reasons.append("answers are distributed otherwise")
    if missing - reference.missing[j] >= MISSING_LIMIT:
        reasons.append("left out more often")
    return {
        "item": item.id,
        "mean_reference": reference.means[j],
        "mean": float(answers.mean()),
        "psi": psi,
        "jensen_shannon": _jensen_shannon(old, new),
        "missing_reference": reference.missing[j],
        "missing": missing,
        "shift": shift[0],
        "statistic": shift[1],
        "p_value": erfc(abs(shift[1]) / sqrt(2)),
        "verdict": "; ".join(reasons) or "as before",
    }


def _shift(model: ScoringModel, j: int, *, complete: Array, purged: frozenset[int]) -> tuple[float, float]:
    """Return the adjusted shift in reference standard deviations, and its z."""
    reference = model.reference
    rest = [k for k in _scale_places(model, j) if k != j and k not in purged]
    S, means = np.array(reference.covariance), np.array(reference.complete_means)
    variance = float(S[np.ix_(rest, rest)].mean()) if rest else 0.0
    slope = float(S[j, rest].mean()) / variance if variance > 0 else 0.0
    centred = complete - means
    residual = centred[:, j] - (slope * centred[:, rest].mean(axis=1) if rest else 0.0)
    error = np.sqrt(
        max(S[j, j] - slope**2 * variance, 0.0) / reference.complete_n + residual.var(ddof=1) / len(residual)
    )
    mean = float(residual.mean())
    return (mean / sqrt(S[j, j]) if S[j, j] > 0 else 0.0), (mean / float(error) if error > 0 else 0.0)


def _psi(old: Array, new: Array) -> float:
    return float(np.sum((new - old) * np.log(new / old)))


def _jensen_shannon(old: Array, new: Array) -> float:
    middle = (old + new) / 2
    parts = [np.sum(p[p > 0] * np.log2(p[p > 0] / middle[p > 0])) for p in (old, new)]
    return float(sum(parts) / 2)
