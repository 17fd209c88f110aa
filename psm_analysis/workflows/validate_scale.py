"""The validation dossier of a scale: what a reviewer expects, in one call."""

from __future__ import annotations

import warnings
from typing import get_args

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_instance, check_seed, check_whole
from psm_analysis._options import Correlation, Language, Missing, ModelKind, check_option
from psm_analysis.efa.fit import efa
from psm_analysis.efa.retention import retention
from psm_analysis.efa.suitability import sampling_adequacy
from psm_analysis.errors import DataError, ModelError, OptionError, PsmAnalysisError, PsmAnalysisWarning
from psm_analysis.instruments.model import Instrument
from psm_analysis.reliability.factor import reliability
from psm_analysis.reliability.item_analysis import item_analysis
from psm_analysis.reliability.validity import htmt
from psm_analysis.sem.fit import cfa
from psm_analysis.sem.result import SemResult
from psm_analysis.survey.screen import screen
from psm_analysis.survey.wave import SurveyWave
from psm_analysis.workflows.score_differences import score_differences
from psm_analysis.workflows.validation_result import ScaleValidation

FEWEST = 100
ONE: ModelKind = "one-factor"


def validate_scale(
    wave: SurveyWave,
    instrument: str,
    *,
    seed: int,
    ordered: bool = False,
    max_flags: int = 1,
    n_iterations: int = 100,
    lang: Language = "en",
) -> ScaleValidation:
    """Validate a scale in one wave: screening, items, dimensions, competing models, reliability, validity, groups.

    Respondents with more than `max_flags` screening flags are set aside. The others are split at random: one half
    for the exploratory analysis (minres, oblimin, as many factors as the instrument has subscales), the other for the
    confirmatory models of the instrument, of all its rows: full information where answers are missing, or pairwise for
    ordinal items. Items are reversed as the instrument says. All are used to compare scores between the groups of every
    variable that the codebook gives the role "group".

    Parameters
    ----------
    wave
        A survey wave that holds the instrument.
    instrument
        Its id.
    seed
        Of the split and of the parallel analysis.
    ordered
        Whether items are ordinal: polychoric correlations and WLSMV instead of Pearson's and MLR.
    max_flags
        Screening flags that a respondent may have and still be used.
    n_iterations
        Replicates of the parallel analysis.
    lang
        Language of the tables and figures, "en" or "zh".

    Returns
    -------
    ScaleValidation
        The results of every step, ``.tables`` and ``.figures()``; ``tidy()`` lists the main numbers.

    Raises
    ------
    DataError
        If fewer than 100 respondents per half remain.
    ModelError
        If no model of the instrument can be estimated.

    References
    ----------
    Worthington, R. L., & Whittaker, T. A. (2006). Scale development research. The Counseling Psychologist, 34, 806-838.

    Examples
    --------
    >>> import psm_analysis as psm
    >>> frame = psm.make_public_service_survey(600, waves=1, seed=1).data
    >>> wave = psm.wave_from_frame(frame, instruments="psm16")
    >>> dossier = validate_scale(wave, "psm16", seed=1, n_iterations=20)
    >>> dossier.best_model in dossier.models
    True
    """
    check_option(lang, Language, name="lang")
    check_instance(wave, SurveyWave, name="wave", remedy="Make one with wave_from_frame() or read_survey().")
    if check_seed(seed) is None:
        raise OptionError("The split into halves needs a seed.", where="argument 'seed'", remedy="Give seed=1.")
    check_whole(max_flags, name="max_flags", least=0, remedy="Raise max_flags, e.g. to 1.")
    definition = wave.instrument(instrument)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PsmAnalysisWarning)
        screening = screen(wave)
        items = wave.items(instrument)
        used = items[screening.keep(max_flags=max_flags).to_numpy() & items.notna().any(axis=1).to_numpy()]
        first, second = _halves(used, seed)
        correlation: Correlation = "polychoric" if ordered else "pearson"
        groups = {s.id: [name for name in s.items if name in items] for s in definition.subscales}
        explored = efa(first, max(len(groups), 1), correlation=correlation)
        counted = retention(first, n_iterations=n_iterations, seed=seed, correlation=correlation)
        models, failed = _models(definition, second, ordered=ordered)
        best = _best(models)
        name = "correlated" if "correlated" in models else best
        found = ScaleValidation(
            instrument=definition,
            n_screened=len(items),
            n_used=len(used),
            screening=screening,
            items=item_analysis(used, subscales=groups or None),
            suitability=sampling_adequacy(first, correlation=correlation),
            retention=counted,
            exploratory=explored,
            models=models,
            best_model=best,
            reliability=reliability(models[name]),
            htmt=htmt(groups, second, correlation=correlation, missing="pairwise") if len(groups) > 1 else None,
            groups=score_differences(wave, instrument, items=used, lang=lang),
            lang=lang,
            warnings=(),
        )
    failed += _opposed(definition, used)
    notes = tuple(dict.fromkeys([*failed, *(str(w.message) for w in caught)]))
    return found.with_warnings(notes)


def _halves(items: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    if len(items) < 2 * FEWEST:
        raise DataError(
            f"{len(items)} respondents remain after screening; {2 * FEWEST} are needed for two halves.",
            where="argument 'wave'",
            remedy="Raise max_flags, or analyse the scale with cfa() and alpha() alone.",
        )
    order = np.random.default_rng(seed).permutation(len(items))
    middle = len(items) // 2
    return items.iloc[np.sort(order[:middle])], items.iloc[np.sort(order[middle:])]


def _models(definition: Instrument, data: pd.DataFrame, *, ordered: bool) -> tuple[dict[str, SemResult], list[str]]:
    """Fit every measurement model that the instrument has; say of the others why not."""
    missing: Missing = "pairwise" if ordered else "fiml"
    if not data.isna().any(axis=None):
        missing = "listwise"
    fits: dict[str, SemResult] = {}
    failed = []
    kinds = get_args(ModelKind) if len(definition.subscales) > 1 else (ONE,)
    for kind in kinds:
        try:
            text = definition.model(kind)
            fit = cfa(
                text,
                data,
                estimator="WLSMV" if ordered else "MLR",
                ordered=ordered,
                missing=missing,
                orthogonal=kind == "bifactor",
                std_lv=kind == "bifactor",
            )
        except PsmAnalysisError as error:
            failed.append(f"Model {kind}: {error}")
            continue
        if fit.converged:
            fits[kind] = fit
        else:
            failed.append(f"Model {kind} did not converge.")
    if not fits:
        raise ModelError(
            "No measurement model of the instrument can be estimated.",
            where=f"instrument {definition.id!r}",
            remedy=" ".join(failed),
        )
    return fits, failed


def _opposed(definition: Instrument, items: pd.DataFrame) -> list[str]:
    """Say which subscales run against the rest of the total that they are part of."""
    if not definition.total:
        return []
    means = {s.id: items[[name for name in s.items if name in items]].mean(axis=1) for s in definition.subscales}
    parts = pd.DataFrame(means)
    rest = {name: parts[name].corr(parts.drop(columns=name).mean(axis=1)) for name in parts} if len(means) > 1 else {}
    return [
        f"The subscale {name!r} falls where the rest of the total rises (r = {r:.2f}): say in the instrument which of "
        "its items are reversed, or that the subscales make no total (total = false)."
        for name, r in rest.items()
        if r < -2.0 / np.sqrt(len(items))
    ]


def _best(models: dict[str, SemResult]) -> str:
    """Return the model of the smallest BIC, or of the smallest RMSEA where there is no likelihood."""
    if all(np.isfinite(fit.fit_measures.get("bic", np.nan)) for fit in models.values()):
        return min(models, key=lambda kind: models[kind].fit_measures["bic"])
    return min(models, key=lambda kind: float(models[kind].glance()["rmsea"].iloc[0]))
