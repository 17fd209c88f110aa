"""Whether a new wave still answers the items as the reference wave did."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import BadValues
from psm_analysis.errors import DataError
from psm_analysis.report.drift_words import Pair, doubtful_reference, nobody_answered, unread_cells
from psm_analysis.scoring.apply import turned
from psm_analysis.scoring.checks import read_answers
from psm_analysis.scoring.model import ScoringModel
from psm_analysis.survey.wave import SurveyWave
from psm_analysis.workflows.careless import careless_share
from psm_analysis.workflows.drift_checks import (
    careless_finding,
    check_frame,
    empty_finding,
    item_findings,
    scale_findings,
    structure_findings,
)
from psm_analysis.workflows.drift_discrimination import discrimination
from psm_analysis.workflows.drift_items import distribution_rows, item_rows
from psm_analysis.workflows.drift_reliability import scale_rows
from psm_analysis.workflows.drift_result import DriftReport, item_verdicts
from psm_analysis.workflows.drift_shift import complete_rows, shifts
from psm_analysis.workflows.drift_structure import Structure, structure_of

Array = NDArray[np.float64]
WEAK = 0.2


def drift(model: ScoringModel, wave: SurveyWave, *, bad_values: BadValues = "refuse") -> DriftReport:
    r"""Compare the answers of a new wave with the reference of a scoring model.

    Items, scales, the measurement model and the people are checked; each check has a threshold with a source and a
    verdict in plain words (``verdict()``, ``overview()``, ``lang="zh"`` for Chinese; ``save("report.html")`` for a
    page). Answers are turned round first.

    *Distribution*: population stability index :math:`\sum_c (q_c - p_c) \ln(q_c / p_c)`, Jensen-Shannon divergence in
    bits, mean difference in standard deviations of the reference, share of missing answers.

    *Shift apart from the scale*: the mean of :math:`x_j - \bar x_j^{ref} - c_j (r - \bar r^{ref})` over the complete
    rows, in standard deviations of the reference, with the mean :math:`r` of the anchors among the other items of the
    first scale that holds item :math:`j`, and :math:`c_j` the ratio of its mean covariance with the anchors to theirs
    among each other: what remains after a change of the people. All items are anchors at first; the drifting item with
    the largest z ceases to be one, shifts are computed anew, and so on (two anchors remain in a scale at least).

    *Discrimination*: the fall of the item-rest correlation in Fisher's z (Cohen's q), less the median fall of the items
    of the scale: an item that hangs together less with its scale than before, whatever its mean.

    *Reliability*: the fall of alpha over its standard error, from both covariance matrices under normality.

    *Measurement model*: its fit with all parameters at the estimates of the reference; then configural, metric and
    scalar invariance of reference and wave from their moments, equalities given up one by one by score tests, and dMACS
    of the items so released (non-uniform: loading, uniform: intercept).

    *Careless answering*: share of rows with two or more flags of `screen`.

    Parameters
    ----------
    model
        A scoring model.
    wave
        The new wave, with every item of the model.
    bad_values
        What happens to answers that are not codes of the item; see `ScoringModel.score`.

    Returns
    -------
    DriftReport
        ``tidy()``: per item ``item, nobs, mean_reference, mean, smd, p_mean, psi, jensen_shannon, p_distribution,
        missing_reference, missing, p_missing, rest_r_reference, rest_r, shift, statistic, p_value, anchor, dmacs,
        rest_r_fall, p_rest_r, verdict``. ``drifting`` names the items; ``checks`` holds every value beside its
        threshold. Thresholds and sources: ``overview()``, and the page on drift of the methods.

    Raises
    ------
    DataError
        If columns or answers cannot be used, or there are fewer than two persons.

    References
    ----------
    Shealy, R., & Stout, W. (1993). Psychometrika, 58, 159-194. Clauser, B., Mazor, K., & Hambleton, R. K. (1993).
    Applied Measurement in Education, 6, 269-279. Van Zyl, J. M., Neudecker, H., & Nel,
    D. G. (2000). Psychometrika, 65, 271-280. Siddiqi, N. (2006).
    Credit risk scorecards. Wiley. Lin, J. (1991). IEEE Transactions on Information Theory, 37, 145-151. Chen, F. F.
    (2007). Structural Equation Modeling, 14, 464-504. Nye, C. D., & Drasgow, F. (2011). Journal of Applied Psychology,
    96, 966-980. Cohen, J. (1988). Statistical power analysis for the behavioral sciences. Erlbaum. Meade, A. W., &
    Craig, S. B. (2012). Psychological Methods, 17, 437-455.

    Examples
    --------
    >>> from psm_analysis.survey.read import wave_from_frame
    >>> from psm_analysis.workflows.calibrate import calibrate
    >>> answers = pd.DataFrame({f"turnover{j}": [1, 2, 4, 5, 3, 3 + j - 2] for j in (1, 2, 3)})
    >>> wave = wave_from_frame(answers, instruments="turnover3")
    >>> drift(calibrate(wave, "turnover3"), wave).drifting
    ()
    """
    values = turned(model, read_answers(model, wave.data, id=None, bad_values=bad_values).values)
    absent = frozenset(np.flatnonzero(np.isnan(values).all(axis=0)).tolist())
    complete = complete_rows(values, absent)
    if len(absent) == len(model.items) or len(values) < 2:
        raise DataError(
            f"The wave has {int((~np.isnan(values).all(axis=1)).sum())} persons with an answer.",
            where=f"wave {wave.name!r}",
            remedy="Give the file with the answers of at least two persons.",
        )
    moves, purged = shifts(model, complete, absent=absent)
    structure = _structure(model, complete, absent=absent)
    items = item_rows(model, values, shifts=moves, purged=purged)
    items["dmacs"] = [structure.dmacs.get(item, np.nan) for item in items["item"]]
    items = items.join(discrimination(model, items, nobs=len(complete)))
    scales = scale_rows(model, complete)
    careless = careless_share(wave)
    checks = check_frame(
        [
            *item_findings(items),
            *scale_findings(scales),
            *structure_findings(structure, model.measurement),
            empty_finding(
                model.reference.empty,
                float(np.isnan(values).all(axis=1).mean()),
                n_reference=model.reference.n,
                nobs=len(values),
            ),
            careless_finding(model.reference.careless, careless, nobs=len(wave)),
        ]
    )
    items["verdict"] = item_verdicts(checks, items)
    worse = set(checks[checks["breach"] & (checks["check"] == "reliability")]["subject"])
    verdicts = ["less reliable than before" if scale in worse else "as before" for scale in scales["scale"]]
    return DriftReport(
        wave=wave.name,
        instrument=model.instrument,
        nobs=len(values),
        complete=len(complete),
        reference_nobs=model.reference.n,
        items=items,
        scales=scales.assign(verdict=verdicts),
        fit=structure.fixed,
        invariance=structure.steps,
        distributions=distribution_rows(model, values),
        checks=checks,
        careless=careless,
        reservations=(*_unread(wave), *_doubts(items), *((structure.problem,) if structure.problem else ())),
    )


def _unread(wave: SurveyWave) -> list[Pair]:
    """Say which columns hold cells that could not be read and count as missing."""
    errors = [finding for finding in wave.findings if finding.severity == "error" and finding.column]
    return [unread_cells(finding.column, finding.count, found=finding.found) for finding in errors]


def _doubts(items: pd.DataFrame) -> list[Pair]:
    """Say which items hardly belong to their scale in the reference itself."""
    weak = items[items["rest_r_reference"] < WEAK]
    if weak.empty:
        return []
    listed = ", ".join(f"{row['item']} (r = {row['rest_r_reference']:.2f})" for row in weak.to_dict("records"))
    return [doubtful_reference(listed)]


def _structure(model: ScoringModel, complete: Array, *, absent: frozenset[int]) -> Structure:
    if absent:
        names = ", ".join(model.item_ids[j] for j in sorted(absent))
        return Structure({}, pd.DataFrame(), {}, nobody_answered(names))
    return structure_of(model, complete)
