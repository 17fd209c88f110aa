"""From the population to answer sheets: latent draws, answers, careless respondents, non-response, attrition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.survey.synthetic_population import (
    CARELESS_LONG_STRING_SHARE,
    CARELESS_PROBABILITY,
    COUNTY_SHARE,
    DISTURBANCE_CORRELATIONS,
    DRIFT_ITEM,
    DRIFT_SIZE,
    DRIFT_WAVE,
    EFFECTS,
    ENDOGENOUS,
    EXOGENOUS,
    FEMALE_PROBABILITY,
    GRADE_AGE_LOADING,
    MEASURES,
    OFF_PROBABILITY,
    PRODUCTS,
    RESIDUAL_STABILITY,
    SECOND_ORDER,
    STABILITY,
    TOWNSHIP_SHARE,
    WAVE_MEAN_STEPS,
    Array,
    LatentMoments,
    Measure,
    grade_cuts,
    grade_moments,
)

Values = dict[str, Array]
Flags = NDArray[np.bool_]
PEOPLE_PER_TOWNSHIP, TOWNSHIPS_PER_COUNTY = 20, 5
ITEMS_PER_PAGE = 6


@dataclass(frozen=True, slots=True)
class People:
    """The sampled persons and what stays with them over the waves."""

    frame: pd.DataFrame
    covariates: Values
    places: Values
    traits: Values
    residuals: Array


def draw_people(n: int, rng: np.random.Generator) -> People:
    """Draw `n` persons in townships in counties, with their lasting traits."""
    n_townships = max(4, round(n / PEOPLE_PER_TOWNSHIP))
    county_of = np.arange(n_townships) // TOWNSHIPS_PER_COUNTY
    weights = rng.gamma(6.0, size=n_townships)
    township = np.sort(rng.choice(n_townships, size=n, p=weights / weights.sum()))
    age = rng.standard_normal(n)
    grade = 1 + np.searchsorted(
        grade_cuts(), GRADE_AGE_LOADING * age + np.sqrt(1 - GRADE_AGE_LOADING**2) * rng.standard_normal(n)
    )
    female = rng.random(n) < FEMALE_PROBABILITY
    off = rng.random(n) < OFF_PROBABILITY
    years = np.clip(np.rint(38 + 9 * age), 22, 60).astype(int)
    mean, sd = grade_moments()
    frame = pd.DataFrame(
        {
            "person_id": [f"P{number:0{max(5, len(str(n)))}d}" for number in range(1, n + 1)],
            "county": [f"C{number + 1:02d}" for number in county_of[township]],
            "township": [f"T{number + 1:03d}" for number in township],
            "grade": grade,
            "establishment": 1 - off.astype(int),
            "gender": 1 + female.astype(int),
            "age": years,
            "tenure": np.rint((years - 22) * rng.beta(3.0, 1.2, size=n)).astype(int),
        }
    )
    covariates = {
        "age": age,
        "grade": (grade - mean) / sd,
        "female": female - FEMALE_PROBABILITY,
        "off_establishment": off - OFF_PROBABILITY,
    }
    places = _places(rng, township=township, county=county_of[township])
    n_items = sum(len(measure.items) for measure in MEASURES)
    return People(frame, covariates, places, _individual(rng, n), rng.standard_normal((n, n_items)))


def _correlated(rng: np.random.Generator, n: int) -> Values:
    draws = rng.standard_normal((n, len(EXOGENOUS))) @ np.linalg.cholesky(DISTURBANCE_CORRELATIONS).T
    values = {name: draws[:, column] for column, name in enumerate(EXOGENOUS)}
    return values | {name: rng.standard_normal(n) for name in ENDOGENOUS}


def _places(rng: np.random.Generator, *, township: NDArray[np.intp], county: NDArray[np.intp]) -> Values:
    by_township = _correlated(rng, int(township.max()) + 1)
    by_county = _correlated(rng, int(county.max()) + 1)
    return {
        name: np.sqrt(TOWNSHIP_SHARE[name]) * by_township[name][township]
        + np.sqrt(COUNTY_SHARE[name]) * by_county[name][county]
        for name in by_township
    }


def _individual(rng: np.random.Generator, n: int) -> Values:
    return _correlated(rng, n) | {factor: rng.standard_normal(n) for factor in SECOND_ORDER}


def draw_factors(people: People, rng: np.random.Generator, *, wave: int, moments: LatentMoments) -> Values:
    """Return the values of all factors of first and second order at one wave."""
    state = _individual(rng, len(people.frame))
    personal = {name: np.sqrt(STABILITY) * people.traits[name] + np.sqrt(1 - STABILITY) * state[name] for name in state}
    disturbance = {
        name: people.places[name] + np.sqrt(1 - TOWNSHIP_SHARE[name] - COUNTY_SHARE[name]) * personal[name]
        for name in (*EXOGENOUS, *ENDOGENOUS)
    }
    values: Values = dict(people.covariates)
    for position, name in enumerate(EXOGENOUS):
        values[name] = moments.exogenous_scale[position] * disturbance[name] + _weighted(name, values)
    for first, second in PRODUCTS:
        values[f"{first}:{second}"] = values[first] * values[second] - moments.between(first, second)
    for name, variance in zip(ENDOGENOUS, (moments.burnout_disturbance, moments.turnover_disturbance), strict=True):
        values[name] = np.sqrt(variance) * disturbance[name] + _weighted(name, values)
    means = latent_means(wave)
    values |= {name: values[name] + means[name] for name in means}
    for factor, (general, loading) in SECOND_ORDER.items():
        values[factor] = loading * values[general] + np.sqrt(1 - loading**2) * personal[factor]
    return values


def latent_means(wave: int) -> dict[str, float]:
    """Return the means of the latent variables at `wave`; all are 0 at wave 1."""
    means = {name: (wave - 1) * WAVE_MEAN_STEPS.get(name, 0.0) for name in EXOGENOUS}
    for name in ENDOGENOUS:
        means[name] = sum(EFFECTS[name].get(other, 0.0) * mean for other, mean in means.items())
    return means


def _weighted(outcome: str, values: Values) -> Array:
    total = np.zeros(len(next(iter(values.values()))))
    for name, effect in EFFECTS[outcome].items():
        total += effect * values[name]
    return total


def answer_items(factors: Values, people: People, *, wave: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the answers as codes: latent responses cut at the thresholds, in the wording direction of each item."""
    answers: Values = {}
    for measure in MEASURES:
        for position, (item, loading) in enumerate(zip(measure.items, measure.loadings, strict=True)):
            lasting = people.residuals[:, len(answers)]
            error = np.sqrt(RESIDUAL_STABILITY) * lasting + np.sqrt(1 - RESIDUAL_STABILITY) * rng.standard_normal(
                len(lasting)
            )
            response = loading * factors[measure.factor] + np.sqrt(1 - loading**2) * error
            if item == DRIFT_ITEM and wave == DRIFT_WAVE:
                response = response + DRIFT_SIZE
            code = measure.minimum + np.searchsorted(measure.cuts(position), response).astype(float)
            answers[item] = measure.minimum + measure.maximum - code if item in measure.reversed_items else code
    return pd.DataFrame(answers)[list(item_order())]


def item_order() -> tuple[str, ...]:
    """Return all items in the order of the questionnaire."""
    blocks = dict.fromkeys(measure.instrument for measure in MEASURES)
    return tuple(
        item
        for block in blocks
        for item in sorted(
            (item for measure in MEASURES if measure.instrument == block for item in measure.items),
            key=lambda item: int(item.lstrip("abcdefghijklmnopqrstuvwxyz")),
        )
    )


def item_measures() -> dict[str, Measure]:
    """Return the measure of every item."""
    return {item: measure for measure in MEASURES for item in measure.items}


def draw_careless(n: int, rng: np.random.Generator) -> pd.Series:
    """Return for every row "", "long_string" or "random"."""
    careless = rng.random(n) < CARELESS_PROBABILITY
    long_string = rng.random(n) < CARELESS_LONG_STRING_SHARE
    return pd.Series(np.where(careless, np.where(long_string, "long_string", "random"), ""), dtype=object)


def spoil_answers(answers: pd.DataFrame, careless: pd.Series, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return `answers` with the rows of careless respondents replaced: one code per page, or random codes."""
    measures = item_measures()
    low = np.array([measures[item].minimum for item in answers.columns], dtype=float)
    high = np.array([measures[item].maximum for item in answers.columns], dtype=float)
    values = answers.to_numpy(copy=True)
    straight = np.flatnonzero(careless == "long_string")
    pages = np.arange(len(low)) // ITEMS_PER_PAGE
    code = rng.integers(1, 6, size=(len(straight), pages[-1] + 1)).astype(float)
    values[straight] = np.clip(code[:, pages], low, high)
    random = np.flatnonzero(careless == "random")
    values[random] = low + np.floor(rng.random((len(random), len(low))) * (high - low + 1))
    return pd.DataFrame(values, columns=answers.columns)


def paradata(careless: pd.Series, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return the attention check (4 is the instructed answer) and the seconds that the questionnaire took."""
    n, flag = len(careless), (careless != "").to_numpy()
    passed = rng.random(n) < np.where(flag, 0.2, 0.97)
    wrong = rng.choice([1.0, 2.0, 3.0, 5.0], size=n)
    seconds = np.exp(np.where(flag, 5.0, 6.3) + 0.35 * rng.standard_normal(n))
    return pd.DataFrame({"check1": np.where(passed, 4.0, wrong), "duration": np.rint(seconds)})


def drop_answers(answers: pd.DataFrame, careless: pd.Series, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return `answers` with item non-response that depends on the (always complete) burden items: missing at random."""
    chance = 1 / (1 + np.exp(4.6 - 0.8 * (burden_mean(answers) - 3.3)))
    chance = np.where(careless == "", chance, 0.0)
    missing = rng.random(answers.shape) < chance[:, None]
    missing[:, [item.startswith("burden") for item in answers.columns]] = False
    return answers.mask(missing)


def burden_mean(answers: pd.DataFrame) -> Array:
    """Return the mean of the four burden items."""
    means: Array = answers.filter(regex=r"^burden\d$").mean(axis=1).to_numpy()
    return means


def draw_stayers(answers: pd.DataFrame, careless: pd.Series, *, rng: np.random.Generator) -> Flags:
    """Return who answers the next wave: fewer of those who, by their answers, are burdened, leaving or careless."""
    leaving = answers.filter(regex=r"^turnover\d$").mean(axis=1).fillna(2.5).to_numpy()
    score = 1.7 - 0.35 * (leaving - 2.5) - 0.25 * (burden_mean(answers) - 3.3) - 0.6 * (careless != "").to_numpy()
    stay: Flags = rng.random(len(answers)) < 1 / (1 + np.exp(-score))
    return stay
