"""Whether a new wave still answers the items as the reference wave did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._results import Result, format_number
from psm_analysis.errors import DataError
from psm_analysis.scoring.apply import turned
from psm_analysis.scoring.checks import read_answers
from psm_analysis.scoring.model import ScoringModel
from psm_analysis.survey.wave import SurveyWave
from psm_analysis.workflows.careless import careless_share
from psm_analysis.workflows.drift_items import ALPHA, item_rows

Array = NDArray[np.float64]
LOSS_LIMIT = 0.05
CARELESS_LIMIT = 0.12


@dataclass(frozen=True, slots=True, repr=False)
class DriftReport(Result):
    """Comparison of a wave with the reference of a scoring model.

    Attributes
    ----------
    wave, nobs
        Name of the wave and its persons.
    items
        One row per item; see `drift`.
    scales
        One row per scale of two or more items: ``scale, items, alpha_reference, alpha, statistic, p_value, verdict``.
    careless
        Share of rows with two or more flags of `screen`; None if fewer than two of its checks could be computed.
    """

    wave: str
    nobs: int
    items: pd.DataFrame
    scales: pd.DataFrame
    careless: float | None

    @property
    def drifting(self) -> tuple[str, ...]:
        """The items beyond a threshold."""
        return tuple(self.items.loc[self.items["verdict"] != "as before", "item"])

    @property
    def breaches(self) -> tuple[str, ...]:
        """Everything beyond a threshold, in words: items, reliabilities, careless answering."""
        found = [f"{row.item}: {row.verdict}" for row in self.items.itertuples() if row.verdict != "as before"]
        found += [f"{row.scale}: {row.verdict}" for row in self.scales.itertuples() if row.verdict != "as before"]
        if self.careless is not None and self.careless > CARELESS_LIMIT:
            found.append(f"{self.careless:.1%} of the rows look careless")
        return tuple(found)

    def tidy(self) -> pd.DataFrame:
        """Return one row per item."""
        return self.items.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: wave, persons, items, which of them drift, share of careless rows, number of breaches."""
        row = {
            "wave": self.wave,
            "nobs": self.nobs,
            "items": len(self.items),
            "drifting": ", ".join(self.drifting) or "none",
            "careless": float("nan") if self.careless is None else self.careless,
            "breaches": len(self.breaches),
        }
        return pd.DataFrame([row])

    def summary(self) -> str:
        """Return the comparison of items and of reliabilities as text."""
        items = Result.summary(self)
        if self.scales.empty:
            return items
        return f"{items}\n\n{self.scales.to_string(index=False, float_format=format_number)}"


def drift(model: ScoringModel, wave: SurveyWave) -> DriftReport:
    r"""Compare the answers of a new wave with the reference of a scoring model, item by item.

    Answers are turned round first. With the mean :math:`r` of the anchors among the other items of the first scale that
    holds item :math:`j`, the reference gives :math:`\hat x_j = a_j + b_j r`; the adjusted shift is the mean of
    :math:`x_j - \hat x_j` in the complete rows of the new wave, over the standard deviation of the item in the
    reference. It is what remains of a change of the item after the change of its scale. Its z leaves out the sampling
    error of :math:`b_j` and counts that of the reference mean. All items are anchors at first; the drifting item with
    the largest z ceases to be one, shifts are computed anew, and so on until no anchor drifts (at least two remain in a
    scale), so that neighbours of a drifting item are not pulled along.

    Alpha of the complete rows is compared by Feldt's :math:`W = (1 - \alpha) / (1 - \alpha_{ref})`, which has the
    distribution :math:`F(n_{ref} - 1, n - 1)` if alpha is the same.

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
        person), ``jensen_shannon`` (bits), ``missing_reference, missing, shift, statistic, p_value, verdict, anchor``.
        An item drifts if the shift is 0.2 or more (a small effect, Cohen) with p < 0.01 / items (Bonferroni), if the
        index exceeds 0.25 (Siddiqi), or if 5 points of a hundred more than before leave it out (our convention).
        ``scales``: a scale is less reliable if alpha fell by 0.05 or more (our convention) with p < 0.01 / scales.
        ``careless``: a breach above 12 in a hundred, the upper end of what Meade and Craig found.

    Raises
    ------
    DataError
        If columns or answers cannot be used, or fewer than two rows are complete.

    References
    ----------
    Cohen, J. (1988). Statistical power analysis for the behavioral sciences (2nd ed.). Erlbaum.
    Siddiqi, N. (2006). Credit risk scorecards. Wiley.
    Feldt, L. S. (1969). A test of the hypothesis that Cronbach's alpha is the same for two tests. Psychometrika, 34.
    Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods, 17.
    Clauser, B., Mazor, K., & Hambleton, R. K. (1993). The effects of purification of the matching criterion on the
    identification of DIF. Applied Measurement in Education, 6.
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
    return DriftReport(
        wave=wave.name,
        nobs=len(values),
        items=item_rows(model, values, complete=complete),
        scales=_scale_rows(model, complete),
        careless=careless_share(wave),
    )


def _scale_rows(model: ScoringModel, complete: Array) -> pd.DataFrame:
    from scipy.stats import f

    names = ("scale", "items", "alpha_reference", "alpha", "statistic", "p_value", "verdict")
    S, S_new = np.array(model.reference.covariance), np.atleast_2d(np.cov(complete, rowvar=False))
    scales = [scale for scale in model.scales if len(scale.items) > 1]
    rows = []
    for scale in scales:
        places = [model.item_ids.index(item) for item in scale.items]
        before, now = (_alpha(matrix[np.ix_(places, places)]) for matrix in (S, S_new))
        ratio = (1 - now) / (1 - before) if before < 1 else float("nan")
        p = float(f.sf(ratio, model.reference.complete_n - 1, len(complete) - 1))
        worse = before - now >= LOSS_LIMIT and p < ALPHA / len(scales)
        verdict = "less reliable than before" if worse else "as before"
        rows.append((scale.id, len(places), before, now, ratio, p, verdict))
    return pd.DataFrame(rows, columns=list(names))


def _alpha(S: Array) -> float:
    k, total = len(S), float(S.sum())
    return k / (k - 1) * (1 - float(np.trace(S)) / total) if total > 0 else float("nan")
