"""The test of the model against the saturated one: chi-square, and its corrections for non-normal data.

References
----------
Satorra, A., & Bentler, P. M. (1994). Corrections to test statistics and standard errors in covariance structure
analysis.

Asparouhov, T., & Muthén, B. (2010). Simple second order chi-square correction (scaled and shifted).

Yuan, K.-H., & Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure analysis with
nonnormal missing data. Sociological Methodology, 30, 165-200.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.casewise import row_scores
from psm_analysis.sem.design import aggregated
from psm_analysis.sem.discrepancy.fiml import FullInformation
from psm_analysis.sem.estimate import Estimation, complete_rows
from psm_analysis.sem.estimators import MOMENT_TESTS
from psm_analysis.sem.far_apart import are_far_apart, moment_remainders
from psm_analysis.sem.gamma import (
    casewise_moments,
    normal_product,
    normal_quadratic,
    normal_trace,
    normal_weight,
    normal_weight_products,
)
from psm_analysis.sem.implied import moment_vector, stacked
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.missing_fit import complete_data_fit
from psm_analysis.sem.ordinal_fit import correlation_fit
from psm_analysis.sem.sandwich import (
    first_order,
    group_moments,
    information,
    moment_slopes,
    projector,
    row_moments,
    weighed,
)
from psm_analysis.sem.saturated import saturated_directions, saturated_implied


@dataclass(frozen=True, slots=True)
class ModelTest:
    """Chi-square of a model, and the scaled one if the estimator has it.

    ``scaling`` divides the statistic and ``shift`` is added (scaled-shifted test). Robust fit measures put
    ``robust_chisq - robust_offset`` in the place of ``chisq - df``; the offset is ``tr(U Gamma)``.
    """

    chisq: float
    df: int
    scaled: float = math.nan
    scaled_df: float = math.nan
    scaling: float = math.nan
    shift: float = 0.0
    h0: float = math.nan
    h1: float = math.nan
    robust_chisq: float = math.nan
    robust_offset: float = math.nan

    @property
    def is_scaled(self) -> bool:
        """Whether a scaled statistic exists."""
        return not math.isnan(self.scaled)


def model_test(e: Estimation) -> ModelTest:
    """Return the test that the estimator is paired with."""
    chisq = max(e.scale * e.solution.value, 0.0)
    if e.df == 0:
        scaled = math.nan if e.spec.test == "standard" else chisq
        return ModelTest(chisq, 0, scaled, 0.0, robust_chisq=0.0, robust_offset=0.0)
    if e.spec.function == "FIML":
        robust_chisq, offset = complete_data_fit(e)
        plain = ModelTest(chisq, e.df, robust_chisq=robust_chisq, robust_offset=offset)
        return plain if e.spec.test == "standard" else _yuan_bentler(e, plain)
    if e.spec.test == "standard":
        return ModelTest(browne_residual(e) if browne_residual_test(e) else chisq, e.df)
    if e.spec.test in MOMENT_TESTS:
        return _moment_test(e, chisq)
    return _yuan_bentler(e, ModelTest(chisq, e.df))


def browne_residual_test(e: Estimation) -> bool:
    """Tell whether chi-square is Browne's residual statistic."""
    return e.spec.test == "standard" and not e.ordinal and e.spec.function in ("ULS", "DWLS")


def browne_residual(e: Estimation) -> float:
    """Return Browne's residual statistic, for discrepancies whose minimum is not a chi-square.

    ``(n - 1) r'(V - V Delta (Delta'V Delta)^-1 Delta'V) r``, n - 1 of each group, with residual moments ``r`` and
    normal-theory weights ``V`` at the sample moments (Browne, 1984, eq. 2.20a, with these weights in place of the
    distribution-free ones).
    """
    return float(browne_contributions(e).sum())


def reweighted_residual(e: Estimation) -> float:
    """Return the same with normal-theory weights at the implied moments, and n for a likelihood.

    A likelihood without restricted means has ``Delta'V r = 0``, and nothing to project.
    """
    total, b = 0.0, np.zeros(e.problem.n_free)
    A = e.sample.nobs * e.problem.derivatives(e.solution.x)[1] if e.spec.likelihood else np.zeros((len(b), len(b)))
    for g, (group, implied) in enumerate(zip(e.sample.groups, e.problem.implied(e.solution.x), strict=True)):
        n, r, W = group.mass - (not e.spec.likelihood), residual_moments(e, g), np.linalg.inv(implied.Sigma)
        total += n * normal_quadratic(r, W)
        if e.spec.likelihood and not e.means:
            continue
        delta = moment_slopes(e, g)
        b += n * (delta.T @ normal_product(r, W))
        if not e.spec.likelihood:
            A += n * normal_weight_products(delta, W)
    return total - float(b @ projector(e, A) @ b) if b.any() else total


def browne_contributions(e: Estimation) -> Array:
    """Return the parts of it by group, ``(r - Delta d)'V(r - Delta d)`` with the ``d`` that minimises their sum."""
    d, inverses, found = browne_minimiser(e), _sample_inverses(e), []
    for g, group in enumerate(e.sample.groups):
        left = residual_moments(e, g) - moment_slopes(e, g) @ d
        found.append((group.nobs - 1) * normal_quadratic(left, inverses[g]))
    return np.array(found)


def browne_minimiser(e: Estimation) -> Array:
    """Return the ``d`` that minimises ``sum (r - Delta d)'V(r - Delta d)`` under the constraints."""
    A, b = np.zeros((e.problem.n_free, e.problem.n_free)), np.zeros(e.problem.n_free)
    for g, (group, W) in enumerate(zip(e.sample.groups, _sample_inverses(e), strict=True)):
        slopes = moment_slopes(e, g)
        A += (group.nobs - 1) * normal_weight_products(slopes, W)
        b += (group.nobs - 1) * (slopes.T @ normal_product(residual_moments(e, g), W))
    return np.asarray(projector(e, A) @ b)


def _sample_inverses(e: Estimation) -> list[Array]:
    """Return the inverse of the sample covariance matrix of every group."""
    return [np.linalg.inv(group.cov) for group in e.sample.groups]


def residual_moments(e: Estimation, g: int) -> Array:
    """Return sample minus implied moments of one group."""
    group = e.sample.groups[g]
    implied = moment_vector(e.problem.implied(e.solution.x)[g], means=e.means)
    return np.asarray(stacked(group.mean if e.means else None, group.cov) - implied)


def _moment_test(e: Estimation, chisq: float) -> ModelTest:
    first, second = u_gamma_traces(e, squared=e.spec.test != "satorra.bentler")
    if e.spec.test == "satorra.bentler":
        scaling, df, shift = first / e.df, float(e.df), 0.0
    elif e.spec.test == "mean.var.adjusted":
        df = first**2 / second
        scaling, shift = first / df, 0.0
    else:
        scaling, df = math.sqrt(second / e.df), float(e.df)
        shift = e.df - first / scaling
    robust_chisq, offset = correlation_fit(e) if e.ordinal else (chisq, first)
    return ModelTest(
        chisq, e.df, chisq / scaling + shift, df, scaling, shift, robust_chisq=robust_chisq, robust_offset=offset
    )


def u_gamma_traces(e: Estimation, *, squared: bool) -> tuple[float, float]:
    """Return ``tr(U Gamma)`` and, if asked, ``tr[(U Gamma)^2]`` with ``U = V - V Delta E^-1 Delta'V``."""
    if are_far_apart(e.problem):
        return _graded_traces(e)
    E_inverse = projector(e, e.by_size.derivatives(e.solution.x)[1])
    B, C = np.zeros_like(E_inverse), np.zeros_like(E_inverse)
    first = second = 0.0
    for g, share in enumerate(e.by_size.weights):
        delta, weight, parts = group_moments(e, g)
        n, weighted = e.sample.groups[g].mass, weighed(weight, parts.T).T
        scores = weighted @ delta
        first += float(np.einsum("ij,ij->", weighted, parts)) / n
        B += share * (scores.T @ scores) / n
        if squared:
            product = weighted.T @ parts / n if parts.shape[1] <= len(parts) else weighted @ parts.T / n
            second += float(np.sum(product * product.T))
            through = parts.T @ scores / n
            C += share * (through.T @ weighed(weight, through))
    EB = E_inverse @ B
    return first - float(np.trace(EB)), second - 2.0 * float(np.trace(E_inverse @ C)) + float(np.sum(EB * EB.T))


def _graded_traces(e: Estimation) -> tuple[float, float]:
    """Return the same where weights are far apart: ``Y'U Y`` of the rows Y without making U or its parts."""
    basis = free_directions(e.solution.jacobian)
    groups = range(len(e.sample.groups))
    rows = [group_moments(e, g)[2].T / math.sqrt(e.sample.groups[g].mass) for g in groups]
    left = moment_remainders(e.by_size, e.solution.x, basis=basis, moments=rows)
    product = left @ left.T if left.shape[0] < left.shape[1] else left.T @ left
    return float(np.trace(product)), float(np.sum(product * product))


def _yuan_bentler(e: Estimation, plain: ModelTest) -> ModelTest:
    """Return ``chisq / c`` with ``c = [tr(B1 A1^-1) - tr(B0 A0^-1)] / df``."""
    h0 = float(np.trace(projector(e, information(e)) @ first_order(e)))
    h1 = sum(_saturated_trace(e, g) for g in range(len(e.sample.groups)))
    scaling = (h1 - h0) / e.df
    complete = math.isnan(plain.robust_chisq)
    return replace(
        plain,
        scaled=plain.chisq / scaling,
        scaled_df=float(e.df),
        scaling=scaling,
        h0=h0 / e.npar if e.npar else math.nan,
        h1=h1 / (e.npar + e.df),
        robust_chisq=plain.chisq if complete else plain.robust_chisq,
        robust_offset=h1 - h0 if complete else plain.robust_offset,
    )


def _saturated_trace(e: Estimation, g: int) -> float:
    """Return ``tr(B1 A1^-1)`` of one group's saturated model.

    Yuan and Bentler (2000) evaluate A1 at the implied moments, Mplus (and MLR) at those of the sample.
    """
    group, function = e.sample.groups[g], e.problem.discrepancies[g]
    if isinstance(function, FullInformation):
        return _incomplete_saturated_trace(e, g, function)
    at: Array = group.cov if e.spec.test.endswith("mplus") else e.problem.implied(e.solution.x)[g].Sigma
    if group.clusters is None and group.weights is None and not e.exogenous:
        return normal_trace(complete_rows(group, e.spec.name), np.linalg.inv(at), means=e.means)
    parts = aggregated(row_moments(e, g), group)
    weight = normal_weight(at, means=e.means)
    return float(np.einsum("ij,ij->", parts @ weight, parts)) / group.mass


def _incomplete_saturated_trace(e: Estimation, g: int, function: FullInformation) -> float:
    """Return the same for incomplete rows, less what the exogenous variables, which are complete, contribute."""
    group = e.sample.groups[g]
    implied = saturated_implied(group)
    rows = complete_rows(group, e.spec.name)
    scores = row_scores(saturated_directions(len(group.cov)), implied, rows - implied.mu, group.patterns)
    sums = aggregated(scores, group)
    A = function.saturated_information(implied, expected=e.spec.information == "expected")
    whole = float(np.trace(np.linalg.solve(A, sums.T @ sums))) / group.mass
    if not e.exogenous:
        return whole
    x = rows[:, e.exogenous]
    given = aggregated(casewise_moments(x, means=True, exogenous=[], weights=group.weights), group)
    weight = normal_weight(group.cov[np.ix_(e.exogenous, e.exogenous)], means=True)
    return whole - float(np.einsum("ij,ij->", given @ weight, given)) / group.mass


def correction_doubts(test: ModelTest) -> list[str]:
    """Return a note about a correction of chi-square that is not positive, which makes no test."""
    if not test.is_scaled or test.df == 0 or test.scaling > 0.0:
        return []
    return [
        f"The scaling factor of the chi-square is not positive ({test.scaling:.3g}): the rows are too few, or too far "
        "from normal, for its correction. The scaled statistic is no test, and there are no robust fit measures."
    ]
