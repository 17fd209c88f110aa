"""The population of the synthetic survey: every number that a recovery study may want to find again."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

EXOGENOUS = ("psm", "ei", "burden", "support", "training")
ENDOGENOUS = ("burnout", "turnover")
COVARIATES = ("age", "grade", "female", "off_establishment")
PRODUCTS = (("burden", "ei"), ("burden", "training"), ("support", "psm"))


@dataclass(frozen=True, slots=True)
class Measure:
    """One first-order factor: its items, their loadings on the latent response (variance 1) and the thresholds."""

    instrument: str
    factor: str
    items: tuple[str, ...]
    loadings: tuple[float, ...]
    thresholds: tuple[float, ...]
    reversed_items: tuple[str, ...] = ()
    minimum: int = 1

    @property
    def maximum(self) -> int:
        """The highest code."""
        return self.minimum + len(self.thresholds)

    def cuts(self, position: int) -> Array:
        """Return the thresholds of the item at `position`: those of the scale, moved by a step of its own."""
        return np.asarray(self.thresholds) + 0.12 * ((position * 2) % 5 - 2)


def _names(stem: str, numbers: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"{stem}{number}" for number in numbers)


def _block(stem: str, first: int) -> tuple[str, ...]:
    return _names(stem, tuple(range(first, first + 4)))


_PSM = (-2.1, -1.25, -0.35, 0.85)
_WLEIS = (-2.1, -1.5, -0.9, -0.25, 0.5, 1.35)
_OLBI = (-1.05, 0.1, 1.15)
_BURDEN = (-1.7, -0.95, -0.2, 0.8)
_SUPPORT = (-1.25, -0.5, 0.3, 1.3)
_TRAINING = (-1.0, -0.3, 0.5, 1.4)
_TURNOVER = (-0.45, 0.3, 0.95, 1.75)
_DISENGAGEMENT = _names("olbi", (1, 3, 6, 7, 9, 11, 13, 15))
_EXHAUSTION = _names("olbi", (2, 4, 5, 8, 10, 12, 14, 16))

MEASURES = (
    Measure("psm16", "aps", _block("psm", 1), (0.72, 0.78, 0.70, 0.66), _PSM),
    Measure("psm16", "cpv", _block("psm", 5), (0.70, 0.75, 0.68, 0.62), _PSM),
    Measure("psm16", "com", _block("psm", 9), (0.65, 0.72, 0.74, 0.60), _PSM),
    Measure("psm16", "ss", _block("psm", 13), (0.68, 0.76, 0.73, 0.70), _PSM),
    Measure("wleis16", "sea", _block("wleis", 1), (0.74, 0.80, 0.78, 0.66), _WLEIS),
    Measure("wleis16", "oea", _block("wleis", 5), (0.72, 0.76, 0.70, 0.74), _WLEIS),
    Measure("wleis16", "uoe", _block("wleis", 9), (0.68, 0.74, 0.80, 0.72), _WLEIS),
    Measure("wleis16", "roe", _block("wleis", 13), (0.78, 0.76, 0.66, 0.82), _WLEIS),
    Measure(
        "olbi",
        "exhaustion",
        _EXHAUSTION,
        (0.60, 0.70, 0.58, 0.72, 0.62, 0.68, 0.64, 0.66),
        _OLBI,
        _names("olbi", (2, 4, 8, 12)),
    ),
    Measure(
        "olbi",
        "disengagement",
        _DISENGAGEMENT,
        (0.62, 0.58, 0.66, 0.60, 0.64, 0.56, 0.60, 0.68),
        _OLBI,
        _names("olbi", (3, 6, 9, 11)),
    ),
    Measure("turnover3", "turnover", _names("turnover", (1, 2, 3)), (0.84, 0.80, 0.76), _TURNOVER),
    Measure("admin_burden", "burden", _block("burden", 1), (0.70, 0.76, 0.72, 0.66), _BURDEN),
    Measure("org_support", "support", _block("support", 1), (0.74, 0.78, 0.66, 0.60), _SUPPORT, ("support4",)),
    Measure("training_access", "training", _block("training", 1), (0.70, 0.75, 0.72, 0.64), _TRAINING),
)

SECOND_ORDER = {
    "aps": ("psm", 0.85),
    "cpv": ("psm", 0.88),
    "com": ("psm", 0.72),
    "ss": ("psm", 0.70),
    "sea": ("ei", 0.74),
    "oea": ("ei", 0.72),
    "uoe": ("ei", 0.80),
    "roe": ("ei", 0.76),
    "exhaustion": ("burnout", 0.86),
    "disengagement": ("burnout", 0.82),
}

# Correlations of the exogenous disturbances within a level, in the order of EXOGENOUS.
DISTURBANCE_CORRELATIONS = np.array(
    [
        [1.00, 0.40, -0.15, 0.25, 0.15],
        [0.40, 1.00, -0.10, 0.20, 0.15],
        [-0.15, -0.10, 1.00, -0.35, -0.15],
        [0.25, 0.20, -0.35, 1.00, 0.35],
        [0.15, 0.15, -0.15, 0.35, 1.00],
    ]
)

EFFECTS: dict[str, dict[str, float]] = {
    "psm": {"age": 0.08, "grade": 0.10},
    "ei": {"female": 0.15},
    "burden": {"grade": -0.08},
    "support": {},
    "training": {"off_establishment": -0.20},
    "burnout": {
        "psm": -0.25,
        "ei": -0.25,
        "burden": 0.35,
        "support": -0.20,
        "training": -0.05,
        "burden:ei": -0.12,
        "burden:training": -0.08,
    },
    "turnover": {
        "burnout": 0.45,
        "psm": -0.15,
        "ei": -0.05,
        "support": -0.12,
        "training": -0.08,
        "support:psm": -0.10,
        "age": -0.12,
        "off_establishment": 0.30,
    },
}

TOWNSHIP_SHARE = {
    "psm": 0.04, "ei": 0.02, "burden": 0.14, "support": 0.12, "training": 0.10, "burnout": 0.05, "turnover": 0.04,
}  # fmt: skip
COUNTY_SHARE = {
    "psm": 0.01, "ei": 0.01, "burden": 0.04, "support": 0.03, "training": 0.05, "burnout": 0.01, "turnover": 0.01,
}  # fmt: skip
STABILITY = 0.65
RESIDUAL_STABILITY = 0.30
WAVE_MEAN_STEPS = {"burden": 0.10, "psm": -0.05}

GRADE_PROBABILITIES = (0.55, 0.27, 0.13, 0.05)
GRADE_AGE_LOADING = 0.6
FEMALE_PROBABILITY = 0.46
OFF_PROBABILITY = 0.30

DRIFT_ITEM, DRIFT_WAVE, DRIFT_SIZE = "psm7", 3, 0.50
CARELESS_PROBABILITY = 0.10
CARELESS_LONG_STRING_SHARE = 0.55


def grade_cuts() -> Array:
    """Return the cuts of the normal variable that becomes the grade."""
    return np.array([NormalDist().inv_cdf(p) for p in np.cumsum(GRADE_PROBABILITIES)[:-1]])


def grade_moments() -> tuple[float, float]:
    """Return mean and standard deviation of the grade, coded 1 to 4."""
    codes = np.arange(1, 5)
    mean = float(codes @ np.asarray(GRADE_PROBABILITIES))
    return mean, float(np.sqrt((codes - mean) ** 2 @ np.asarray(GRADE_PROBABILITIES)))


@dataclass(frozen=True, slots=True)
class LatentMoments:
    """Covariance matrix of covariates, latent variables and products, and what the disturbances leave."""

    covariance: pd.DataFrame
    exogenous_scale: Array
    burnout_disturbance: float
    turnover_disturbance: float

    def between(self, first: str, second: str) -> float:
        """Return the covariance of two variables."""
        names = list(self.covariance.columns)
        return float(self.covariance.to_numpy()[names.index(first), names.index(second)])


def latent_moments() -> LatentMoments:
    """Return the exact moments of the latent variables, all of variance 1, from the tables of this module.

    A product of two centred normal variables is uncorrelated with every normal variable;
    two products have covariance r_ik r_jl + r_il r_jk (Isserlis 1918). The binary covariates make this an
    approximation in the fourth decimal.

    Returns
    -------
    LatentMoments
        Covariances in the order covariates, exogenous, products (``"burden:ei"``), burnout, turnover.
    """
    covariate = _covariate_covariance()
    gamma = _coefficients(EXOGENOUS, COVARIATES)
    scale = np.sqrt(1.0 - np.diag(gamma @ covariate @ gamma.T))
    disturbance = DISTURBANCE_CORRELATIONS * _level_weights() * np.outer(scale, scale)
    exogenous = gamma @ covariate @ gamma.T + disturbance
    products = _product_covariance(exogenous)
    n_c, n_x, n_p = len(COVARIATES), len(EXOGENOUS), len(PRODUCTS)
    size = n_c + n_x + n_p
    total = np.zeros((size + 2, size + 2))
    total[:n_c, :n_c] = covariate
    total[n_c : n_c + n_x, :n_c] = gamma @ covariate
    total[:n_c, n_c : n_c + n_x] = covariate @ gamma.T
    total[n_c : n_c + n_x, n_c : n_c + n_x] = exogenous
    total[n_c + n_x : size, n_c + n_x : size] = products
    names = (*COVARIATES, *EXOGENOUS, *product_names(), *ENDOGENOUS)
    left = [_add_outcome(total, position, names=names) for position in (size, size + 1)]
    return LatentMoments(pd.DataFrame(total, index=names, columns=names), scale, left[0], left[1])


def product_names() -> tuple[str, ...]:
    """Return the names of the products: ``"burden:ei"``."""
    return tuple(f"{first}:{second}" for first, second in PRODUCTS)


def first_order_correlations() -> pd.DataFrame:
    """Return the correlations of all first-order factors, implied by the second-order loadings and the paths."""
    latent = latent_moments()
    factors = [measure.factor for measure in MEASURES]
    loads = {name: SECOND_ORDER.get(name, (name, 1.0)) for name in factors}
    general = np.array([[latent.between(loads[a][0], loads[b][0]) for b in factors] for a in factors])
    loading = np.array([loads[name][1] for name in factors])
    matrix = general * np.outer(loading, loading)
    np.fill_diagonal(matrix, 1.0)
    return pd.DataFrame(matrix, index=factors, columns=factors)


def _covariate_covariance() -> Array:
    binary = [p * (1 - p) for p in (FEMALE_PROBABILITY, OFF_PROBABILITY)]
    covariance = np.diag([1.0, 1.0, *binary])
    densities = sum(NormalDist().pdf(cut) for cut in grade_cuts())
    covariance[0, 1] = covariance[1, 0] = GRADE_AGE_LOADING * densities / grade_moments()[1]
    return covariance


def _coefficients(outcomes: tuple[str, ...], predictors: tuple[str, ...]) -> Array:
    return np.array([[EFFECTS[outcome].get(name, 0.0) for name in predictors] for outcome in outcomes])


def _level_weights() -> Array:
    town = np.array([TOWNSHIP_SHARE[name] for name in EXOGENOUS])
    county = np.array([COUNTY_SHARE[name] for name in EXOGENOUS])
    shares = np.stack([town, county, 1.0 - town - county])
    weights: Array = np.sqrt(shares).T @ np.sqrt(shares)
    return weights


def _product_covariance(exogenous: Array) -> Array:
    pairs = [(EXOGENOUS.index(a), EXOGENOUS.index(b)) for a, b in PRODUCTS]
    x = exogenous
    return np.array([[x[i, k] * x[j, m] + x[i, m] * x[j, k] for k, m in pairs] for i, j in pairs])


def _add_outcome(total: Array, position: int, *, names: tuple[str, ...]) -> float:
    weights = _coefficients((names[position],), names[:position])[0]
    block = total[:position, :position]
    total[position, :position] = total[:position, position] = block @ weights
    total[position, position] = 1.0
    return float(1.0 - weights @ block @ weights)
