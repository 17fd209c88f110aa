"""Whether a new wave still answers the items as the reference wave did."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._results import Result
from psm_analysis.errors import DataError
from psm_analysis.scoring.apply import turned
from psm_analysis.scoring.checks import read_answers
from psm_analysis.scoring.model import ScoringModel
from psm_analysis.survey.wave import SurveyWave
from psm_analysis.workflows.calibrate import code_proportions

Array = NDArray[np.float64]
PSI_LIMIT = 0.25
SHIFT_LIMIT = 0.2
MISSING_LIMIT = 0.05
ALPHA = 0.01


@dataclass(frozen=True, slots=True, repr=False)
class DriftReport(Result):
    """Comparison of a wave with the reference of a scoring model.

    Attributes
    ----------
    wave, nobs
        Name of the wave and its persons.
    items
        One row per item; see `drift`.
    """

    wave: str
    nobs: int
    items: pd.DataFrame

    @property
    def drifting(self) -> tuple[str, ...]:
        """The items beyond a threshold."""
        return tuple(self.items.loc[self.items["verdict"] != "as before", "item"])

    def tidy(self) -> pd.DataFrame:
        """Return one row per item."""
        return self.items.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: wave, persons, items, which of them drift."""
        names = ", ".join(self.drifting) or "none"
        return pd.DataFrame([{"wave": self.wave, "nobs": self.nobs, "items": len(self.items), "drifting": names}])


def drift(model: ScoringModel, wave: SurveyWave) -> DriftReport:
    r"""Compare the answers of a new wave with the reference of a scoring model, item by item.

    Answers are turned round first. With the mean :math:`r` of the other items of the first scale that holds item
    :math:`j`, the reference gives :math:`\hat x_j = a_j + b_j r`; the adjusted shift is the mean of
    :math:`x_j - \hat x_j` in the complete rows of the new wave, over the standard deviation of the item in the
    reference. It is what remains of a change of the item after the change of its scale. Its z leaves out the sampling
    error of :math:`b_j` and counts that of the reference mean.

    Parameters
    ----------
    model
        A scoring model.
    wave
        The new wave, with every item of the model.

    Returns
    -------
    DriftReport
        ``tidy()``: ``item, mean_reference, mean, psi`` (population stability index, shares of zero replaced by half a
        person), ``jensen_shannon`` (bits), ``missing_reference, missing, shift, statistic, p_value, verdict``.
        An item drifts if the shift is 0.2 or more (a small effect, Cohen) with p < 0.01 / items (Bonferroni), if the
        index exceeds 0.25 (Siddiqi), or if 5 points of a hundred more than before leave it out (our convention).

    Raises
    ------
    DataError
        If columns or answers cannot be used, or fewer than two rows are complete.

    References
    ----------
    Cohen, J. (1988). Statistical power analysis for the behavioral sciences (2nd ed.). Erlbaum.
    Siddiqi, N. (2006). Credit risk scorecards. Wiley.
    Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on Information Theory, 37.

    Examples
    --------
    >>> from psm_analysis.survey.read import wave_from_frame
    >>> from psm_analysis.workflows.calibrate import calibrate
    >>> answers = pd.DataFrame({f"turnover{j}": [1, 2, 4, 5, 3, 3 + j - 2] for j in (1, 2, 3)})
    >>> wave = wave_from_frame(answers, instruments="turnover3")
    >>> drift(calibrate(wave, "turnover3"), wave).drifting
    ()
    """
    values = turned(model, read_answers(model, wave.data, id=None, bad_values="refuse").values)
    complete = values[~np.isnan(values).any(axis=1)]
    if len(complete) < 2:
        raise DataError(
            f"Only {len(complete)} persons answered every item.",
            where=f"wave {wave.name!r}",
            remedy="Use a larger wave.",
        )
    rows = [_row(model, j, values=values, complete=complete) for j in range(len(model.items))]
    return DriftReport(wave.name, nobs=len(values), items=pd.DataFrame(rows))


def _row(model: ScoringModel, j: int, *, values: Array, complete: Array) -> dict[str, object]:
    reference, item = model.reference, model.items[j]
    answers = pd.Series(values[:, j])
    old, new = np.array(reference.proportions[j]), np.array(code_proportions(answers, item.codes))
    given = round(reference.n * (1 - reference.missing[j]))
    psi = _psi(np.maximum(old, 0.5 / given), np.maximum(new, 0.5 / max(answers.count(), 1)))
    shift, z = _shift(model, j, complete=complete)
    p = erfc(abs(z) / sqrt(2))
    missing = float(answers.isna().mean())
    reasons = []
    if abs(shift) >= SHIFT_LIMIT and p < ALPHA / len(model.items):
        reasons.append(f"answered {'higher' if shift > 0 else 'lower'} than its scale explains")
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
        "shift": shift,
        "statistic": z,
        "p_value": p,
        "verdict": "; ".join(reasons) or "as before",
    }


def _shift(model: ScoringModel, j: int, *, complete: Array) -> tuple[float, float]:
    """Return the adjusted shift in reference standard deviations, and its z."""
    reference = model.reference
    scale = next(scale for scale in model.scales if model.item_ids[j] in scale.items)
    rest = [k for k, name in enumerate(model.item_ids) if name in scale.items and k != j]
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
