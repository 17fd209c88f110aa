"""Every item of a new wave against the reference: distribution, missing answers, shift apart from its scale."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.scoring.model import ScoringModel
from psm_analysis.workflows.calibrate import code_proportions
from psm_analysis.workflows.drift_distribution import (
    jensen_shannon,
    normal_p_value,
    share_p_value,
    stability_index,
    stability_p_value,
)
from psm_analysis.workflows.drift_shift import Shift

Array = NDArray[np.float64]


def item_rows(model: ScoringModel, values: Array, *, shifts: list[Shift], purged: frozenset[int]) -> pd.DataFrame:
    """Return one row per item; `values` are turned round. Missing answers are counted among persons with an answer."""
    persons = int((~np.isnan(values).all(axis=1)).sum())
    rows = [_row(model, j, values=values[:, j], shift=shift, persons=persons) for j, shift in enumerate(shifts)]
    return pd.DataFrame(rows).assign(anchor=[j not in purged for j in range(len(rows))])


def distribution_rows(model: ScoringModel, values: Array) -> pd.DataFrame:
    """Return ``item, code, reference, new``: the share of each code among the answers, turned round."""
    rows = [
        (item.id, code, old, new)
        for j, item in enumerate(model.items)
        for code, old, new in zip(
            item.codes, model.reference.proportions[j], _proportions(values[:, j], item.codes), strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["item", "code", "reference", "new"])


def _proportions(answers: Array, codes: tuple[int, ...]) -> tuple[float, ...]:
    if np.isnan(answers).all():
        return (float("nan"),) * len(codes)
    return code_proportions(pd.Series(answers), codes)


def _row(model: ScoringModel, j: int, *, values: Array, shift: Shift, persons: int) -> dict[str, object]:
    reference, item = model.reference, model.items[j]
    given, n = round(reference.n * (1 - reference.missing[j])), int((~np.isnan(values)).sum())
    persons_old = round(reference.n * (1 - reference.empty))
    missing_old, missing = 1 - given / persons_old, 1 - n / persons
    row: dict[str, object] = {"item": item.id, "nobs": n, "mean_reference": reference.means[j]}
    row |= _mean(values, mean=reference.means[j], sd=reference.sds[j], n_old=given)
    row |= _distribution(reference.proportions[j], _proportions(values, item.codes), n_old=given, n_new=n)
    return row | {
        "missing_reference": missing_old,
        "missing": missing,
        "p_missing": share_p_value(missing_old, missing, n_old=persons_old, n_new=persons),
        "rest_r_reference": shift.rest_r_reference,
        "rest_r": shift.rest_r,
        "shift": shift.size,
        "statistic": shift.statistic,
        "p_value": normal_p_value(shift.statistic),
    }


def _mean(values: Array, *, mean: float, sd: float, n_old: int) -> dict[str, float]:
    """Return the mean, its difference from the reference in standard deviations of the reference, and the p value."""
    answers = values[~np.isnan(values)]
    if len(answers) < 2:
        return dict.fromkeys(("mean", "smd", "p_mean"), float("nan"))
    difference = float(answers.mean()) - mean
    error = sqrt(sd**2 / n_old + float(answers.var(ddof=1)) / len(answers))
    return {
        "mean": float(answers.mean()),
        "smd": difference / sd if sd > 0 else float("nan"),
        "p_mean": normal_p_value(difference / error) if error > 0 else float("nan"),
    }


def _distribution(old: tuple[float, ...], new: tuple[float, ...], *, n_old: int, n_new: int) -> dict[str, float]:
    if not n_new:
        return dict.fromkeys(("psi", "jensen_shannon", "p_distribution"), float("nan"))
    p, q = np.array(old), np.array(new)
    index = stability_index(p, q, n_old=n_old, n_new=n_new)
    return {
        "psi": index,
        "jensen_shannon": jensen_shannon(p, q),
        "p_distribution": stability_p_value(index, categories=len(p), n_old=n_old, n_new=n_new),
    }
