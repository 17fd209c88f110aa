"""Step one of the two-step moments: each variable on its own, given the covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psm_analysis.errors import DataError
from psm_analysis.moments.covariates import Covariates
from psm_analysis.moments.normal_interval import interval_probability, normal_density, residual_limits
from psm_analysis.moments.probit import fit_ordered_probit
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """What step one says about one variable.

    The residual of an ordinal variable lies between two limits, that of a continuous variable is a point. A likelihood
    is differentiated with respect to these two numbers first (`lower`, `upper` limit; or mean and log variance in
    units of the residual standard deviation), then, by the chain rule, with respect to the parameters.

    Attributes
    ----------
    name, ordinal
        The variable and its kind.
    observed
        (N,) True where it is answered.
    categories
        (N,) category, 0 where missing or continuous.
    lower, upper
        (N,) limits of the standardised residual of an ordinal variable; both the residual itself if continuous.
    covariates
        The standardised covariates.
    parameters
        (k,) thresholds or intercept, slopes, and the variance if continuous, in the units of the data.
    transform
        (k, k) from internal parameters (standardised covariates; units of the residual standard deviation, log
        variance) to `parameters`.
    """

    name: str
    ordinal: bool
    observed: BoolArray
    categories: IntArray
    lower: FloatArray
    upper: FloatArray
    covariates: Covariates
    parameters: FloatArray
    transform: FloatArray

    @property
    def n_locations(self) -> int:
        """Number of thresholds, or 1 for a mean."""
        return len(self.parameters) - self.covariates.count - (0 if self.ordinal else 1)

    @property
    def sd(self) -> float:
        """Residual standard deviation; 1 for an ordinal variable."""
        return 1.0 if self.ordinal else float(np.sqrt(self.parameters[-1]))

    def own_derivatives(self) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives of the casewise log-likelihood of this variable alone; see `Margin`."""
        if not self.ordinal:
            return self.upper, 0.5 * (self.upper**2 - 1.0)
        probability = interval_probability(self.lower, self.upper)
        return -normal_density(self.lower) / probability, normal_density(self.upper) / probability

    def chain(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Return (N, k) derivatives over the internal parameters from those over the two numbers of `Margin`."""
        x = self.covariates.values
        if not self.ordinal:
            return np.column_stack([first, first[:, None] * x, second])
        k = np.arange(self.n_locations)
        at = self.categories[:, None]
        return np.hstack(
            [
                np.where(at == k, second[:, None], 0.0) + np.where(at == k + 1, first[:, None], 0.0),
                -(first + second)[:, None] * x,
            ]
        )

    def chain_sum(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Return the (k,) column sums of `chain`."""
        x = self.covariates.values
        if not self.ordinal:
            return np.concatenate([[first.sum()], first @ x, [second.sum()]])
        k = self.n_locations + 1
        upper = np.bincount(self.categories, weights=second, minlength=k)[:-1]
        lower = np.bincount(self.categories, weights=first, minlength=k)[1:]
        return np.concatenate([upper + lower, -(first + second) @ x])


def fit_ordinal_margin(
    answers: FloatArray, covariates: Covariates, *, n_categories: int, weights: FloatArray, name: str
) -> Margin:
    """Fit the thresholds and probit slopes of one ordinal variable; NaN is missing.

    Examples
    --------
    >>> from psm_analysis.moments.covariates import read_covariates
    >>> answers = np.array([0.0, 1.0])
    >>> none = read_covariates(None, n_rows=2)
    >>> fit_ordinal_margin(answers, none, n_categories=2, weights=np.ones(2), name="a").parameters.tolist()
    [0.0]
    """
    observed = ~np.isnan(answers)
    categories = np.where(observed, answers, 0.0).astype(np.int64)
    x = covariates.values
    fit = fit_ordered_probit(
        categories[observed], x[observed], n_categories=n_categories, weights=weights[observed], name=name
    )
    lower, upper = residual_limits(fit.thresholds, categories, predictor=x @ fit.slopes)
    inner, q = len(fit.thresholds), covariates.count
    transform = np.eye(inner + q)
    transform[:inner, inner:] = covariates.centre / covariates.scale
    transform[inner:, inner:] /= covariates.scale[:, None]
    internal = np.concatenate([fit.thresholds, fit.slopes])
    return Margin(name, True, observed, categories, lower, upper, covariates, transform @ internal, transform)


def fit_continuous_margin(answers: FloatArray, covariates: Covariates, *, weights: FloatArray, name: str) -> Margin:
    """Fit the mean, or the regression, and the residual variance (divisor: the sum of the weights); NaN is missing.

    Raises
    ------
    DataError
        If the variable is constant, or the covariates determine it.

    Examples
    --------
    >>> from psm_analysis.moments.covariates import read_covariates
    >>> scores = np.array([1.0, 2.0, 3.0, np.nan])
    >>> none = read_covariates(None, n_rows=4)
    >>> fit_continuous_margin(scores, none, weights=np.ones(4), name="a").parameters.round(4).tolist()
    [2.0, 0.6667]
    """
    observed = ~np.isnan(answers)
    y, w = answers[observed], weights[observed]
    centre, spread = float(y.mean()), float(y.std())
    if spread <= 1e-12 * max(float(np.abs(y).max()), 1e-300):
        raise DataError("The variable is constant.", where=f"item {name!r}", remedy="Leave it out.")
    design = np.column_stack([np.ones(len(y)), covariates.values[observed]])
    root = np.sqrt(w)[:, None]
    beta = np.linalg.lstsq(root * design, root[:, 0] * (y - centre) / spread, rcond=None)[0]
    residual = (y - centre) / spread - design @ beta
    variance = float(w @ residual**2 / w.sum())
    if variance < 1e-14:
        raise DataError(
            "The covariates determine the variable: its residual variance is 0.",
            where=f"item {name!r}",
            remedy="Leave out the variable, or the covariate that it was computed from.",
        )
    sd = np.sqrt(variance)
    z = np.zeros(len(answers))
    z[observed] = residual / sd
    transform = _continuous_transform(covariates, float(sd * spread))
    parameters = transform @ np.concatenate([beta / sd, [1.0]])
    parameters[0] += centre
    return Margin(name, False, observed, np.zeros(len(z), dtype=np.int64), z, z, covariates, parameters, transform)


def _continuous_transform(covariates: Covariates, sd: float) -> FloatArray:
    q = covariates.count
    transform = np.zeros((q + 2, q + 2))
    transform[0, 0] = sd
    transform[0, 1:-1] = -sd * covariates.centre / covariates.scale
    transform[1:-1, 1:-1] = np.diag(sd / covariates.scale)
    transform[-1, -1] = sd**2
    return transform
