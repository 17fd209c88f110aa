"""A synthetic survey of grass-roots public servants whose population is known: the model project to practise on."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._results import Result
from psm_analysis.errors import OptionError
from psm_analysis.survey import synthetic_population as population
from psm_analysis.survey.synthetic_responses import (
    Flags,
    People,
    answer_items,
    draw_careless,
    draw_factors,
    draw_people,
    draw_stayers,
    drop_answers,
    latent_means,
    paradata,
    spoil_answers,
)

MEDIATED = ("psm", "ei", "burden", "support", "training")


@dataclass(frozen=True, slots=True, repr=False)
class PublicServiceSurvey(Result):
    """Waves of a synthetic survey and the population values behind them.

    Attributes
    ----------
    waves
        One DataFrame per wave, one row per respondent: ``person_id``, ``wave``, place and person variables, items
        named by their item id (answered codes, NaN = not answered), ``check1`` and ``duration`` (seconds).
    careless
        The careless respondents: ``person_id``, ``wave``, ``kind`` ("long_string" or "random").
    loadings
        ``instrument, factor, item, loading``: loadings on the latent response of variance 1, in the direction of
        the factor (a reversed item is recoded first); second-order loadings have the factor as the item.
    factor_correlations
        Population correlations of the first-order factors.
    latent_correlations
        Population correlations of covariates, latent variables of the structural model, and their products.
    paths
        ``lhs, op, rhs, estimate``: effects between latent variables of variance 1 (covariates: age per 9 years, grade
        per standard deviation, female and off_establishment per category), indirect and total effects.
    drift
        ``item``, ``wave`` and ``size`` (shift of the latent response in standard deviations).
    latent_means
        One row per wave, one column per latent variable.
    seed
        The seed that gives these data again.
    """

    waves: tuple[pd.DataFrame, ...]
    careless: pd.DataFrame
    loadings: pd.DataFrame
    factor_correlations: pd.DataFrame
    latent_correlations: pd.DataFrame
    paths: pd.DataFrame
    drift: dict[str, str | int | float]
    latent_means: pd.DataFrame
    seed: int

    @property
    def data(self) -> pd.DataFrame:
        """All waves in long form, one row per person and wave."""
        return pd.concat(self.waves, ignore_index=True)

    def tidy(self) -> pd.DataFrame:
        """Return every population value as ``lhs, op, rhs, estimate``."""
        loads = self.loadings.rename(columns={"factor": "lhs", "item": "rhs", "loading": "estimate"}).assign(op="=~")
        columns = ["lhs", "op", "rhs", "estimate"]
        return pd.concat([loads[columns], self.paths[columns]], ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: waves, respondents per wave, careless respondents, drifting item, seed."""
        sizes = {f"nobs_wave{number}": len(wave) for number, wave in enumerate(self.waves, start=1)}
        rest = {"careless": len(self.careless), "drift_item": self.drift["item"], "seed": self.seed}
        return pd.DataFrame([sizes | rest])


def make_public_service_survey(n: int, *, waves: int = 3, seed: int = 20130101) -> PublicServiceSurvey:
    r"""Return a synthetic panel survey of `n` grass-roots public servants with known population values.

    Each item has a latent response :math:`y^* = \lambda f + \sqrt{1-\lambda^2}\,e` cut at thresholds. Four factors
    of public service motivation, four of emotional intelligence and two of burnout have second-order factors, and

    .. math::
        burnout &= -.25\,psm -.25\,ei +.35\,burden -.20\,support -.05\,training
                   -.12\,burden \cdot ei -.08\,burden \cdot training + \zeta_1 \\
        turnover &= .45\,burnout -.15\,psm -.05\,ei -.12\,support -.08\,training
                   -.10\,support \cdot psm -.12\,age + .30\,off + \zeta_2

    with all latent variables of variance 1. Townships in counties have random intercepts; people stay partly the
    same over the waves; ``psm7`` becomes easier to agree with in wave 3; about 10 per cent answer carelessly;
    answers are missing, and people leave the panel, at random given their answers on burden and turnover intention.

    Parameters
    ----------
    n
        Respondents in the first wave, at least 20.
    waves
        Number of waves, 1 to 3.
    seed
        Seed of the generator; the same seed gives the same data.

    Returns
    -------
    PublicServiceSurvey
        The waves and the population.

    Raises
    ------
    OptionError
        If `n` or `waves` is out of range.

    References
    ----------
    Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods, 17(3).

    Examples
    --------
    >>> survey = make_public_service_survey(100, waves=2, seed=1)
    >>> len(survey.waves[0]), survey.waves[0]["psm1"].between(1, 5).mean() > 0.9
    (100, np.True_)
    >>> survey.paths.query("lhs == 'turnover' and rhs == 'burnout'")["estimate"].item()
    0.45
    """
    _check(n, waves=waves)
    rng = np.random.default_rng(seed)
    people = draw_people(n, rng)
    moments = population.latent_moments()
    frames: list[pd.DataFrame] = []
    careless: list[pd.DataFrame] = []
    present: Flags = np.ones(n, dtype=bool)
    for number in range(1, waves + 1):
        frame, kinds, stay = _make_wave(people, rng, wave=number, moments=moments)
        frames.append(frame[present].reset_index(drop=True))
        flagged = present & (kinds != "").to_numpy()
        careless.append(frame.loc[flagged, ["person_id", "wave"]].assign(kind=kinds[flagged]))
        present = present & stay
    return PublicServiceSurvey(
        waves=tuple(frames),
        careless=pd.concat(careless, ignore_index=True),
        loadings=_loadings(),
        factor_correlations=population.first_order_correlations(),
        latent_correlations=_correlations(moments.covariance),
        paths=_paths(),
        drift={"item": population.DRIFT_ITEM, "wave": population.DRIFT_WAVE, "size": population.DRIFT_SIZE},
        latent_means=pd.DataFrame([latent_means(number) for number in range(1, waves + 1)], index=range(1, waves + 1)),
        seed=seed,
    )


def _check(n: int, *, waves: int) -> None:
    if n < 20:
        raise OptionError(f"n={n} is too few respondents.", where="argument 'n'", remedy="Ask for 20 or more.")
    if not 1 <= waves <= 3:
        raise OptionError(f"waves={waves} is not possible.", where="argument 'waves'", remedy="It can be 1, 2 or 3.")


def _make_wave(
    people: People, rng: np.random.Generator, *, wave: int, moments: population.LatentMoments
) -> tuple[pd.DataFrame, pd.Series, Flags]:
    factors = draw_factors(people, rng, wave=wave, moments=moments)
    attentive = answer_items(factors, people, wave=wave, rng=rng)
    careless = draw_careless(len(attentive), rng)
    answers = drop_answers(spoil_answers(attentive, careless, rng=rng), careless, rng=rng)
    person = people.frame.copy()
    person.insert(1, "wave", wave)
    person[["age", "tenure"]] += wave - 1
    frame = pd.concat([person, answers, paradata(careless, rng=rng)], axis=1)
    return frame, careless, draw_stayers(answers, careless, rng=rng)


def _loadings() -> pd.DataFrame:
    rows = [
        (measure.instrument, measure.factor, item, loading)
        for measure in population.MEASURES
        for item, loading in zip(measure.items, measure.loadings, strict=True)
    ]
    instrument_of = {measure.factor: measure.instrument for measure in population.MEASURES}
    rows += [
        (instrument_of[factor], general, factor, loading)
        for factor, (general, loading) in population.SECOND_ORDER.items()
    ]
    return pd.DataFrame(rows, columns=["instrument", "factor", "item", "loading"])


def _correlations(covariance: pd.DataFrame) -> pd.DataFrame:
    sd = np.sqrt(np.diag(covariance))
    return covariance.div(sd, axis=0).div(sd, axis=1)


def _paths() -> pd.DataFrame:
    effects = population.EFFECTS
    rows = [(lhs, "~", rhs, value) for lhs, row in effects.items() for rhs, value in row.items()]
    through = effects["turnover"]["burnout"]
    for name in MEDIATED:
        indirect = effects["burnout"][name] * through
        rows.append((f"indirect_{name}", ":=", f"{name} -> burnout -> turnover", indirect))
        rows.append((f"total_{name}", ":=", f"{name} -> turnover", indirect + effects["turnover"].get(name, 0.0)))
    for product in population.product_names():
        if product in effects["burnout"]:
            index = effects["burnout"][product] * through
            rows.append((f"index_{product}", ":=", "index of moderated mediation", index))
    return pd.DataFrame(rows, columns=["lhs", "op", "rhs", "estimate"])


if __name__ == "__main__":
    from psm_analysis.survey.synthetic_files import main

    sys.exit(main())
