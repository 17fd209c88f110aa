"""Two-step moments of ordinal and continuous variables, with or without exogenous covariates (for WLSMV)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis.moments.covariates import Covariates, read_covariates
from psm_analysis.moments.margins import Margin, fit_continuous_margin, fit_ordinal_margin
from psm_analysis.moments.mixed_checks import (
    case_weights,
    category_counts,
    check_correlations,
    check_covariates,
    check_values,
)
from psm_analysis.moments.mixed_influence import margin_influence
from psm_analysis.moments.mixed_layout import MomentLayout, moment_layout
from psm_analysis.moments.mixed_pairs import PairResults, estimate_pairs
from psm_analysis.moments.newton import BOUND
from psm_analysis.moments.ordinal import pair_indices
from psm_analysis.moments.sample import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class MixedMoments:
    """Moments of p variables, of which some are ordinal, given q covariates.

    Attributes
    ----------
    ordinal
        (p,) True where the variable is ordinal.
    estimates
        (k,) all moments in one vector: thresholds (ordinal) or mean / intercept (continuous), variable by variable;
        slopes, variable by variable; (residual) variances of the continuous variables; lower triangle of
        `covariances` column by column, (2,1), (3,1), ..., (3,2), ...
    layout
        Which entry of `estimates` is what, and lavaan's order.
    covariances
        (p, p) polychoric correlations, polyserial covariances, covariances; of the residuals if there are covariates.
        The diagonal is 1 for ordinal variables, the variance (divisor N) for continuous ones.
    pair_counts
        (p, p) cases that answered both variables.
    at_bound
        (p, p) True where a polychoric correlation ran to the bound of +-0.9999.
    n_rows
        Rows of the data.
    influence
        (N, k) casewise influence functions of `estimates`, or None; cases contribute 0 where they take no part.
    """

    ordinal: BoolArray
    estimates: FloatArray
    layout: MomentLayout
    covariances: FloatArray
    pair_counts: IntArray
    at_bound: BoolArray
    n_rows: int
    influence: FloatArray | None

    @property
    def thresholds(self) -> tuple[FloatArray, ...]:
        """Thresholds of every variable; empty for a continuous one."""
        return tuple(self.estimates[at] for at in self.layout.thresholds)

    @property
    def means(self) -> FloatArray:
        """(p,) means, or intercepts given the covariates; 0 for ordinal variables."""
        means = np.zeros(len(self.ordinal))
        means[~self.ordinal] = self.estimates[self.layout.means]
        return means

    @property
    def slopes(self) -> FloatArray:
        """(p, q) slopes on the covariates: probit for ordinal, linear for continuous variables."""
        return np.asarray(self.estimates[self.layout.slopes])

    @property
    def variances(self) -> FloatArray:
        """(p,) (residual) variances; 1 for ordinal variables."""
        return np.diagonal(self.covariances).copy()

    @property
    def gamma(self) -> FloatArray | None:
        """(k, k) N times the asymptotic covariance of `estimates`, ``influence' influence / N``, or None."""
        return None if self.influence is None else self.influence.T @ self.influence / self.n_rows


def mixed_moments(
    values: FloatArray,
    ordinal: BoolArray,
    *,
    n_categories: IntArray | None = None,
    x: FloatArray | None = None,
    weights: FloatArray | None = None,
    casewise: bool = True,
    names: Sequence[str] | None = None,
    x_names: Sequence[str] | None = None,
) -> MixedMoments:
    """Estimate the moments that WLSMV fits: thresholds, means, slopes, variances and correlations, in two steps.

    Step one fits every variable on its own: an ordered probit regression ``P(y <= k | x) = Phi(tau_k - x' beta)``
    (without covariates: thresholds from the cumulative proportions), or a linear regression with the
    maximum-likelihood variance. Step two maximises, pair by pair and with the estimates of step one held fixed, the
    bivariate likelihood over the (residual) correlation: polychoric, polyserial or product-moment. The covariance
    matrix of all estimates propagates the uncertainty of step one: ``A^-1 B A^-T`` with the block-triangular derivative
    A of the scores.

    Parameters
    ----------
    values
        (N, p); ordinal columns hold category numbers 0 ... K-1. NaN is missing: every variable and every pair then
        uses the cases that it has (lavaan's ``missing = "pairwise"``).
    ordinal
        (p,) True for ordinal columns.
    n_categories
        (p,) numbers of categories, ignored for continuous columns; taken from the data if not given.
    x
        (N, q) complete covariates, or None.
    weights
        (N,) positive sampling weights; rescaled to the mean 1.
    casewise
        Whether the casewise influence functions are computed.
    names, x_names
        Names for messages.

    Returns
    -------
    MixedMoments

    Raises
    ------
    DataError
        For an ordinal item with an empty or a single category, a constant continuous item, covariates that are
        incomplete, collinear, or that separate the categories of an item or determine it, and for a polyserial or
        product-moment correlation of +-1; the item is named.

    Notes
    -----
    The derivative A is estimated by sums of products of casewise scores, as in lavaan. For continuous variables this
    presumes normal residuals. Conventions: variances and covariances have the divisor N; gamma is N times the
    covariance matrix, N being all rows, also with pairwise missing values; thresholds given covariates are those at
    x = 0; lavaan stores minus the means (see `MomentLayout.lavaan_order`).

    Known differences from lavaan 0.6: rows whose pairwise likelihood is below 1.5e-8 are kept (lavaan drops them, which
    for a continuous variable depends on its unit of measurement); polychoric correlations may go to +-0.9999 (lavaan:
    0.999), and polyserial ones beyond +-0.995, where lavaan stops, are refused; the maximum is found to 1e-11 (lavaan's
    polyserial correlations are off by up to 1e-5).

    References
    ----------
    Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous
    latent variable indicators. Psychometrika, 49, 115-132.
    Muthén, B., du Toit, S. H. C., & Spisic, D. (1997). Robust inference using weighted least squares and quadratic
    estimating equations in latent variable modeling with categorical and continuous outcomes.
    Olsson, U., Drasgow, F., & Dorans, N. J. (1982). The polyserial correlation coefficient. Psychometrika, 47, 337-347.

    Examples
    --------
    >>> z = np.random.default_rng(3).standard_normal((2000, 2)) @ np.array([[1.0, 0.5], [0.0, 0.75**0.5]])
    >>> moments = mixed_moments(np.column_stack([z[:, 0] > 0, 10 + 2 * z[:, 1]]), np.array([True, False]))
    >>> moments.covariances.round(0).tolist()  # a polyserial correlation of 0.5 times the standard deviation of 2
    [[1.0, 1.0], [1.0, 4.0]]
    """
    values, ordinal = np.asarray(values, dtype=np.float64), np.asarray(ordinal, dtype=bool)
    labels = [f"y{j + 1}" for j in range(values.shape[1])] if names is None else list(names)
    check_values(values, labels)
    counts = category_counts(values, ordinal, n_categories=n_categories, names=labels)
    case_weight = case_weights(weights, n_rows=len(values))
    covariates = read_covariates(x, n_rows=len(values), names=x_names)
    check_covariates(values, covariates, names=labels, x_names=x_names)
    margins = [
        _fit_margin(values[:, j], covariates, n_categories=int(counts[j]), weights=case_weight, name=name)
        for j, name in enumerate(labels)
    ]
    step_one = [margin_influence(margin, case_weight) for margin in margins] if casewise else None
    pairs = estimate_pairs(margins, weights=case_weight, step_one=step_one, n_categories=counts)
    check_correlations(pairs.correlations, ordinal, names=labels)
    layout = moment_layout(ordinal, counts, n_covariates=covariates.count)
    answered = (~np.isnan(values)).astype(np.float64)
    both = ordinal[:, None] & ordinal & ~np.eye(len(ordinal), dtype=bool)
    sd = np.array([margin.sd for margin in margins])
    covariances = pairs.correlations * np.outer(sd, sd)
    return MixedMoments(
        ordinal=ordinal,
        estimates=_estimates(margins, covariances, layout=layout),
        layout=layout,
        covariances=covariances,
        pair_counts=(answered.T @ answered).astype(np.int64),
        at_bound=both & (np.abs(pairs.correlations) >= BOUND),
        n_rows=len(values),
        influence=None if step_one is None else _influence(margins, pairs, step_one=step_one, layout=layout),
    )


def _fit_margin(
    column: FloatArray, covariates: Covariates, *, n_categories: int, weights: FloatArray, name: str
) -> Margin:
    if n_categories:
        return fit_ordinal_margin(column, covariates, n_categories=n_categories, weights=weights, name=name)
    return fit_continuous_margin(column, covariates, weights=weights, name=name)


def _estimates(margins: list[Margin], covariances: FloatArray, *, layout: MomentLayout) -> FloatArray:
    estimates = np.empty(layout.size)
    for j, margin in enumerate(margins):
        t = margin.n_locations
        estimates[layout.locations(j)] = margin.parameters[:t]
        estimates[layout.slopes[j]] = margin.parameters[t : t + margin.covariates.count]
    estimates[layout.variances] = [margin.parameters[-1] for margin in margins if not margin.ordinal]
    estimates[layout.covariances] = covariances[pair_indices(len(margins))]
    return estimates


def _influence(
    margins: list[Margin], pairs: PairResults, *, step_one: list[FloatArray], layout: MomentLayout
) -> FloatArray:
    """Influence functions in the units of the data: N times the rows of ``A^-1 s``, by the delta method."""
    n_rows = len(step_one[0])
    result = np.empty((n_rows, layout.size))
    variances = iter(layout.variances)
    for j, (margin, part) in enumerate(zip(margins, step_one, strict=True)):
        own = part @ margin.transform.T
        t = margin.n_locations
        result[:, layout.locations(j)] = own[:, :t]
        result[:, layout.slopes[j]] = own[:, t : t + margin.covariates.count]
        if not margin.ordinal:
            result[:, next(variances)] = own[:, -1]
    changes = np.empty((0, n_rows)) if pairs.influence is None else pairs.influence
    for position, row, column, change in zip(layout.covariances, *pair_indices(len(margins)), changes, strict=True):
        rho = pairs.correlations[row, column]
        for j in (row, column):
            if not margins[j].ordinal:
                change = change + 0.5 * rho * step_one[j][:, -1]
        result[:, position] = margins[row].sd * margins[column].sd * change
    return n_rows * result
