"""Results of regressions: frozen, with tidy() and glance() in the vocabulary of the package."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from psm_analysis._results import Result


@dataclass(frozen=True, slots=True, repr=False)
class RegressionResult(Result):
    """One least-squares regression.

    Attributes
    ----------
    name
        Name of the model, e.g. the block that was entered last.
    outcome
        Name of the outcome.
    coefficients
        One row per term: ``term, estimate, std_error, statistic, p_value, ci_low, ci_high, beta``;
        `beta` is the standardized coefficient b sd(x) / sd(y), and empty for the constant.
    fit
        One row: ``outcome, nobs, n_clusters, r_squared, adj_r_squared, statistic, df1, df2, p_value``; models of a
        series also ``delta_r_squared, f_change, df1_change, p_change``.
    """

    name: str
    outcome: str
    coefficients: pd.DataFrame
    fit: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per term."""
        return self.coefficients.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row with R², the F test of the model and, in a series, the F test of the change."""
        return self.fit.copy()

    @property
    def r_squared(self) -> float:
        """Share of the variance of the outcome that the predictors account for."""
        return float(self.fit["r_squared"].iloc[0])


@dataclass(frozen=True, slots=True, repr=False)
class HierarchicalRegression(Result):
    """A series of regressions of one outcome, each with one block of predictors more than the one before.

    Attributes
    ----------
    models
        One :class:`RegressionResult` per block.
    n_dropped
        Rows left out because a value in any block is missing; every model uses the same rows.
    cluster
        Column by which the errors are clustered, or None.
    """

    models: tuple[RegressionResult, ...]
    n_dropped: int
    cluster: str | None

    def tidy(self) -> pd.DataFrame:
        """Return one row per model and term, the model named in the first column."""
        return pd.concat([model.tidy().assign(model=model.name) for model in self.models], ignore_index=True)[
            ["model", *self.models[0].coefficients.columns]
        ]

    def glance(self) -> pd.DataFrame:
        """Return the one row of the last, full model."""
        return self.models[-1].glance()

    @property
    def steps(self) -> pd.DataFrame:
        """One row per block: R², its change, and the F test of the change."""
        rows = pd.concat([model.glance() for model in self.models], ignore_index=True)
        rows.insert(0, "model", [model.name for model in self.models])
        return rows


@dataclass(frozen=True, slots=True, repr=False)
class OrderedLogitResult(Result):
    """A proportional-odds (ordered logit) regression.

    Attributes
    ----------
    outcome
        Name of the outcome.
    categories
        Values of the outcome from low to high.
    coefficients
        One row per predictor and threshold: ``term, kind, estimate, std_error, statistic, p_value, ci_low, ci_high,
        odds_ratio, odds_ratio_low, odds_ratio_high``; the odds ratios of thresholds are empty.
    fit
        One row: ``outcome, nobs, n_clusters, logl, logl_null, pseudo_r_squared, statistic, df1, p_value, test, aic,
        bic``.
    n_dropped
        Rows left out because a value is missing.
    """

    outcome: str
    categories: tuple[float, ...]
    coefficients: pd.DataFrame
    fit: pd.DataFrame
    n_dropped: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per predictor, then one per threshold."""
        return self.coefficients.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row with the log-likelihood, McFadden's R² and the test of all predictors."""
        return self.fit.copy()
