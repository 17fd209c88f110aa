"""A scoring model frozen from a reference wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._model_names import group_name
from psm_analysis._options import ScoringMethod, check_option, nearest
from psm_analysis.errors import DataError, InstrumentError, OptionError
from psm_analysis.instruments.model import Instrument
from psm_analysis.scoring.apply import scored_answers
from psm_analysis.scoring.fingerprint import instrument_hash
from psm_analysis.scoring.model import CheckScores, Norms, Reference, Scale, ScoredItem, ScoringModel
from psm_analysis.scoring.packing import FACTOR
from psm_analysis.survey.wave import SurveyWave
from psm_analysis.workflows.careless import careless_share
from psm_analysis.workflows.factor_scales import empty_scale, linear_scales, response_scales
from psm_analysis.workflows.measurement import frozen_measurement

Array = NDArray[np.float64]
MODELLED = (*FACTOR, "eap")


def calibrate(
    wave: SurveyWave,
    instrument: str,
    *,
    model: str | None = None,
    method: ScoringMethod = "mean",
    groups: Sequence[str] = (),
) -> ScoringModel:
    r"""Freeze how an instrument is scored, with norms and moments of a reference wave.

    The standard error of measurement is :math:`s \sqrt{1 - \alpha}` for means and sums. For factor scores with weights
    :math:`W` it is the root of the diagonal of :math:`\mathrm{cov}(W y - \eta) = W \Sigma W' - W C - C' W' + \Phi`,
    :math:`C = \mathrm{cov}(y, \eta)`. Expected a posteriori scores are :math:`E(\theta \mid y)` under graded response
    models, one per subscale, with the standard deviation of :math:`\theta` given the answers as error of each person.

    Parameters
    ----------
    wave
        The reference wave.
    instrument
        Id of an instrument of the wave.
    model
        Measurement model as lavaan text, for factor scores; by default that of the instrument with correlated factors.
        It is fitted by maximum likelihood with a mean structure to the complete rows. For ``eap`` a model of one
        factor, fitted to the items as ordinal by WLSMV (normal link); by default graded response models by marginal
        maximum likelihood (logistic link).
    method
        ``mean``, ``sum`` (complete answers), ``prorated`` sum, ``pomp`` (percent of the maximum possible),
        ``regression``, ``bartlett`` or ``tenberge`` (factor scores that keep the factor covariances), or ``eap``.
    groups
        Columns of the wave within which norms are kept too.

    Returns
    -------
    ScoringModel

    Raises
    ------
    DataError
        If an item, a group column or the answers of a scale are missing.
    InstrumentError
        If only the structure of the instrument is known.
    OptionError
        If `model` is given for a method that does not use one.
    ModelError
        If the measurement model does not converge, or ``eap`` is asked for a model of several factors.

    References
    ----------
    Bock, R. D., & Mislevy, R. J. (1982). Applied Psychological Measurement, 6, 431-444. ten Berge, J. M. F., Krijnen,
    W. P., Wansbeek, T., & Shapiro, A. (1999). Linear Algebra and its Applications, 289, 311-318.
    Lord, F. M., & Novick, M. R. (1968). Statistical theories of mental test scores. Addison-Wesley, chapter 3.

    Examples
    --------
    >>> from psm_analysis.survey.read import wave_from_frame
    >>> answers = pd.DataFrame({f"turnover{j}": [1, 2, 4, 5] for j in (1, 2, 3)})
    >>> frozen = calibrate(wave_from_frame(answers, instruments="turnover3"), "turnover3")
    >>> frozen.score(pd.DataFrame({f"turnover{j}": [3] for j in (1, 2, 3)}))[["turnover", "turnover_t"]]
       turnover  turnover_t
    0       3.0        50.0
    """
    check_option(method, ScoringMethod, name="method")
    known = wave.instrument(instrument)
    _check(wave, known, groups=groups)
    if model is not None and method not in MODELLED:
        raise OptionError(
            f"method={method!r} uses no measurement model.",
            where="argument 'model'",
            remedy=f"Leave it out, or choose one of {', '.join(MODELLED)}.",
        )
    scales = _scales(wave, known, model, method=method)
    used = {item for scale in scales for item in scale.items}
    ids = [item for item in known.item_ids if item in used]
    items = tuple(ScoredItem(item, tuple(wave.response_codes(item)), wave.is_reverse(item)) for item in ids)
    turned = wave.items(known.id)[ids]
    frozen = ScoringModel(
        instrument=known.id,
        version=known.version,
        instrument_hash=instrument_hash(known),
        method=method,
        items=items,
        scales=scales,
        reference=_reference(turned, items, careless=careless_share(wave)),
        measurement=frozen_measurement(turned, model or known.model()),
        check=CheckScores((), ()),
    )
    scores, errors = scored_answers(frozen, wave.data[ids].to_numpy(dtype=float))
    if method == "eap":
        scales = tuple(_with_error(scale, errors[:, k]) for k, scale in enumerate(scales))
    normed = tuple(
        _with_norms(scale, scores[:, k], turned=turned, data=wave.data[list(groups)], method=method)
        for k, scale in enumerate(scales)
    )
    frozen = replace(frozen, scales=normed)
    return replace(frozen, check=_check_scores(frozen))


def _check(wave: SurveyWave, instrument: Instrument, *, groups: Sequence[str]) -> None:
    if instrument.structure_only:
        raise InstrumentError(
            "Only the dimensions of this instrument are known, so it cannot be scored.",
            where=f"instrument '{instrument.id}'",
            remedy="Write a TOML definition with your items and their key.",
        )
    absent = [name for name in (*instrument.item_ids, *groups) if name not in wave.data.columns]
    if absent:
        raise DataError(
            f"The reference wave lacks {len(absent)} columns: {', '.join(absent)}.",
            where=f"wave {wave.name!r}",
            remedy=f"{nearest(absent[0], wave.data.columns)}Calibrate on a wave with all of them.",
        )


def _scales(wave: SurveyWave, instrument: Instrument, model: str | None, *, method: str) -> tuple[Scale, ...]:
    if method == "eap":
        return response_scales(wave, instrument, model)
    if method in FACTOR:
        return linear_scales(wave, instrument, model, method=method)
    return _rule_scales(instrument, method)


def _with_error(scale: Scale, errors: Array) -> Scale:
    known = errors[~np.isnan(errors)]
    return replace(scale, std_error=float(np.sqrt(np.mean(known**2))) if len(known) else None)


def _rule_scales(instrument: Instrument, method: str) -> tuple[Scale, ...]:
    parts = {part.id: part.items for part in instrument.subscales}
    if instrument.total and len(parts) > 1:
        parts[instrument.factor] = instrument.item_ids
    return tuple(
        empty_scale(name, items, len(items) if method == "sum" else instrument.missing_rule.required(len(items)))
        for name, items in parts.items()
    )


def _with_norms(scale: Scale, scores: Array, *, turned: pd.DataFrame, data: pd.DataFrame, method: str) -> Scale:
    if np.isnan(scores).all():
        raise DataError(
            "No person of the reference wave has a score.",
            where=f"scale '{scale.id}'",
            remedy="Calibrate on a wave in which the scale was answered.",
        )
    norms = [_norms(scores, "", "")]
    for variable in data.columns:
        for value in sorted(data[variable].dropna().unique()):
            within = scores[(data[variable] == value).to_numpy(dtype=bool)]
            if not np.isnan(within).all():
                norms.append(_norms(within, str(variable), group_name(value)))
    if method in MODELLED:
        return replace(scale, norms=tuple(norms))
    alpha = _alpha(turned[list(scale.items)])
    sd = norms[0].sd
    error = sd * float(np.sqrt(1 - alpha)) if sd is not None and alpha is not None and alpha <= 1 else None
    return replace(scale, alpha=alpha, std_error=error, norms=tuple(norms))


def _norms(scores: Array, variable: str, group: str) -> Norms:
    known = scores[~np.isnan(scores)]
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else None
    quantiles = tuple(np.percentile(known, np.arange(1, 100)).tolist())
    return Norms(variable, group, n=len(known), mean=float(known.mean()), sd=sd, quantiles=quantiles)


def _alpha(answers: pd.DataFrame) -> float | None:
    """Return coefficient alpha of the complete rows; None for one item or answers that do not vary."""
    complete = answers.dropna()
    k = complete.shape[1]
    if k < 2 or len(complete) < 2:
        return None
    S = np.cov(complete.to_numpy(), rowvar=False)
    return float(k / (k - 1) * (1 - np.trace(S) / S.sum())) if S.sum() > 0 else None


def _reference(turned: pd.DataFrame, items: tuple[ScoredItem, ...], *, careless: float | None) -> Reference:
    complete = turned.dropna().to_numpy()
    if len(complete) < 2 or turned.count().min() < 2:
        raise DataError(
            f"Only {len(complete)} persons answered every item.",
            where="reference wave",
            remedy="Calibrate on a larger wave.",
        )
    return Reference(
        n=len(turned),
        means=tuple(turned.mean().tolist()),
        sds=tuple(turned.std().tolist()),
        missing=tuple(turned.isna().mean().tolist()),
        empty=float(turned.isna().all(axis=1).mean()),
        proportions=tuple(code_proportions(turned[item.id], item.codes) for item in items),
        complete_n=len(complete),
        complete_means=tuple(complete.mean(axis=0).tolist()),
        covariance=tuple(tuple(row) for row in np.atleast_2d(np.cov(complete, rowvar=False)).tolist()),
        careless=careless,
    )


def code_proportions(answers: pd.Series, codes: tuple[int, ...]) -> tuple[float, ...]:
    """Return the share of each code among the answers given."""
    given = answers.dropna()
    return tuple(float((given == code).mean()) for code in codes)


def _check_scores(model: ScoringModel) -> CheckScores:
    codes = [item.codes for item in model.items]
    rows: list[list[int | None]] = [[offered[0] for offered in codes], [offered[-1] for offered in codes]]
    rows += [[offered[(j + shift) % len(offered)] for j, offered in enumerate(codes)] for shift in (0, 1, 3)]
    rows.append([None, *rows[2][1:]])
    rows.append([None] * len(codes))
    scores = model.scores_of(np.array(rows, dtype=float))
    kept = tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in scores)
    return CheckScores(tuple(map(tuple, rows)), kept)
