"""A scoring model frozen from a reference wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._options import ScoringMethod, check_option, nearest
from psm_analysis.errors import DataError, InstrumentError, ModelError, OptionError
from psm_analysis.instruments.model import Instrument
from psm_analysis.scoring.fingerprint import instrument_hash
from psm_analysis.scoring.model import CheckScores, Norms, Reference, Scale, ScoredItem, ScoringModel
from psm_analysis.scoring.packing import FACTOR
from psm_analysis.survey.wave import SurveyWave
from psm_analysis.workflows.careless import careless_share
from psm_analysis.workflows.measurement import frozen_measurement

Array = NDArray[np.float64]


def calibrate(
    wave: SurveyWave,
    instrument: str,
    *,
    model: str | None = None,
    method: ScoringMethod = "mean",
    groups: Sequence[str] = (),
) -> ScoringModel:
    r"""Freeze how an instrument is scored, with norms and moments of a reference wave.

    The standard error of measurement is :math:`s \sqrt{1 - \alpha}` for means and sums, and for factor scores
    :math:`\sqrt{\mathrm{diag}(\Phi - W \Sigma W')}` (regression) or :math:`\sqrt{\mathrm{diag}(W \Sigma W' - \Phi)}`
    (Bartlett).

    Parameters
    ----------
    wave
        The reference wave.
    instrument
        Id of an instrument of the wave.
    model
        Measurement model as lavaan text, for factor scores; by default that of the instrument with correlated factors.
        It is fitted by maximum likelihood with a mean structure to the complete rows.
    method
        ``mean``, ``sum`` (complete answers), ``prorated`` sum, ``pomp`` (percent of the maximum possible),
        ``regression`` or ``bartlett``.
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

    References
    ----------
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
    if model is not None and method not in FACTOR:
        raise OptionError(
            f"method={method!r} uses no measurement model.",
            where="argument 'model'",
            remedy=f"Leave it out, or choose {' or '.join(FACTOR)}.",
        )
    scales = _factor_scales(wave, known, model, method=method) if method in FACTOR else _rule_scales(known, method)
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
    scores = frozen.scores_of(wave.data[ids].to_numpy(dtype=float))
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


def _rule_scales(instrument: Instrument, method: str) -> tuple[Scale, ...]:
    parts = {part.id: part.items for part in instrument.subscales}
    if instrument.total and len(parts) > 1:
        parts[instrument.factor] = instrument.item_ids
    return tuple(
        _scale(name, items, len(items) if method == "sum" else instrument.missing_rule.required(len(items)))
        for name, items in parts.items()
    )


def _scale(name: str, items: tuple[str, ...], required: int) -> Scale:
    return Scale(name, items, required, weights=(), constant=0.0, alpha=None, std_error=None, norms=())


def _factor_scales(wave: SurveyWave, instrument: Instrument, model: str | None, *, method: str) -> tuple[Scale, ...]:
    from psm_analysis.sem.fit import cfa
    from psm_analysis.sem.tables import population

    fit = cfa(model or instrument.model(), wave.items(instrument.id), meanstructure=True)
    if not fit.converged:
        raise ModelError(
            "The measurement model did not converge.", where=f"instrument '{instrument.id}'", remedy="Simplify it."
        )
    names = list(fit.sample.names)
    probes = pd.DataFrame(np.vstack([np.zeros(len(names)), np.eye(len(names))]), columns=names)
    scores = fit.factor_scores(probes, method="bartlett" if method == "bartlett" else "regression")
    constant, weights = scores.to_numpy()[0], (scores.to_numpy()[1:] - scores.to_numpy()[0]).T
    implied = population(fit)[0]
    paths = np.linalg.inv(np.eye(len(implied.matrices.Beta)) - implied.matrices.Beta)
    n = len(constant)
    Phi = (paths @ implied.matrices.Psi @ paths.T)[:n, :n]
    variances = np.diag(Phi - weights @ implied.Sigma @ weights.T) * (-1 if method == "bartlett" else 1)
    return tuple(
        replace(
            _scale(str(factor), tuple(names), len(names)),
            weights=tuple(weights[k].tolist()),
            constant=float(constant[k]),
            std_error=float(np.sqrt(variances[k])) if variances[k] > 0 else None,
        )
        for k, factor in enumerate(scores.columns)
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
                norms.append(_norms(within, str(variable), str(value)))
    if method in FACTOR:
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
