"""Fit a graded response model."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_between, check_whole
from psm_analysis._results import CI_HIGH, CI_LOW, ESTIMATE, P_VALUE, STATISTIC, STD_ERROR
from psm_analysis.errors import PsmAnalysisWarning
from psm_analysis.irt.expectation_maximisation import Estimates, estimate, information_matrix
from psm_analysis.irt.patterns import ResponsePatterns, read_patterns
from psm_analysis.irt.result import GradedResponseResult
from psm_analysis.moments.sample import FloatArray

RARE = 5


def graded_response(
    data: pd.DataFrame, *, n_nodes: int = 41, max_iterations: int = 2_000, tolerance: float = 1e-5
) -> GradedResponseResult:
    r"""Fit Samejima's graded response model by marginal maximum likelihood.

    .. math:: P(x_j \ge c \mid \theta) = \frac{1}{1+\exp(-a_j(\theta - b_{jc}))}, \qquad \theta \sim N(0, 1)

    EM over distinct rows of answers, with Gauss-Hermite quadrature of the trait; missing answers are ignored
    (missing at random). The slope is in the logistic metric, without the constant 1.702. Standard errors come from the
    outer product of the scores of the people.

    Parameters
    ----------
    data
        Items of one scale in columns with whole-number answers, reversed items already reversed; NaN is missing.
    n_nodes
        Quadrature nodes, 11 at least.
    max_iterations, tolerance
        EM steps at most, and the rise of the log-likelihood below which they stop.

    Returns
    -------
    GradedResponseResult
        ``tidy()`` has slopes and thresholds; ``person_scores()``, ``category_curves()``, ``information_curves()``.

    Raises
    ------
    DataError
        If there are fewer than three items, or an item is constant, not numeric, or not in whole categories.
    OptionError
        If there are fewer than 11 nodes.

    Warns
    -----
    PsmAnalysisWarning
        If EM did not settle, a slope is negative, or a category was chosen by fewer than five people.

    References
    ----------
    Samejima, F. (1969). Psychometrika Monograph 17. Bock, R. D., & Aitkin, M. (1981). Psychometrika, 46, 443-459. In R:
    ``mirt::mirt(data, 1, itemtype = "graded")``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.standard_normal((500, 1))
    >>> latent = 1.5 * trait + rng.logistic(size=(500, 4))
    >>> fit = graded_response(pd.DataFrame(np.digitize(latent, [-1.0, 1.0])), tolerance=1e-3)
    >>> fit.converged, bool(fit.slopes.between(1.0, 2.2).all())
    (True, True)
    """
    check_whole(n_nodes, name="n_nodes", least=11, remedy="Use 41 nodes to integrate over the trait.")
    check_whole(max_iterations, name="max_iterations", least=1, remedy="Use 2000.")
    check_between(tolerance, name="tolerance", remedy="Use 1e-5.")
    patterns = read_patterns(data)
    found = estimate(patterns, n_nodes=n_nodes, max_iterations=max_iterations, tolerance=tolerance)
    notes = _doubts(patterns, found)
    for text in notes:
        warnings.warn(text, PsmAnalysisWarning, stacklevel=2)
    parameters, vcov = _parameters(patterns, found, n_nodes=n_nodes)
    return GradedResponseResult(
        parameters=parameters,
        slopes=pd.Series(found.slopes, index=pd.Index(patterns.names, name="item"), name="slope"),
        intercepts=found.intercepts,
        categories=patterns.categories,
        vcov=vcov,
        loglik=found.loglik[-1],
        history=found.loglik,
        converged=found.converged,
        n_nodes=n_nodes,
        nobs=int(patterns.counts.sum()),
        patterns=patterns,
        warnings=notes,
    )


def _doubts(patterns: ResponsePatterns, found: Estimates) -> tuple[str, ...]:
    notes = []
    if not found.converged:
        notes.append(f"EM did not settle in {len(found.loglik)} steps; raise max_iterations.")
    against = [name for name, a in zip(patterns.names, found.slopes, strict=True) if a < 0.0]
    if against:
        notes.append(f"The slope of {', '.join(against)} is negative: reverse items worded the other way.")
    used = patterns.counts @ patterns.indicators()
    names = np.repeat(patterns.names, patterns.sizes)
    rare = list(dict.fromkeys(names[used < RARE].tolist()))
    if rare:
        notes.append(f"Fewer than {RARE} people chose a category of {', '.join(rare)}; merge it with its neighbour.")
    return tuple(notes)


def _parameters(patterns: ResponsePatterns, found: Estimates, *, n_nodes: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Slopes and thresholds b = -d / a with delta-method covariance."""
    from scipy.special import ndtr, ndtri

    covariance = np.linalg.pinv(information_matrix(patterns, found, n_nodes=n_nodes), hermitian=True)
    jacobian, estimates, rows, at = np.zeros_like(covariance), [], [], 0
    pieces = zip(patterns.names, found.slopes, found.intercepts, patterns.categories, strict=True)
    for name, a, d, own in pieces:
        k = len(d)
        jacobian[at, at] = 1.0
        jacobian[at + 1 : at + 1 + k, at] = d / a**2
        jacobian[at + 1 : at + 1 + k, at + 1 : at + 1 + k] = -np.eye(k) / a
        estimates += [float(a), *(-d / a)]
        rows += [(name, "slope", np.nan), *((name, "threshold", float(c)) for c in own[1:])]
        at += 1 + k
    vcov: FloatArray = jacobian @ covariance @ jacobian.T
    table = pd.DataFrame(rows, columns=["item", "parameter", "category"])
    table[ESTIMATE], table[STD_ERROR] = estimates, np.sqrt(np.diagonal(vcov))
    table[STATISTIC] = table[ESTIMATE] / table[STD_ERROR]
    table[P_VALUE] = 2.0 * ndtr(-table[STATISTIC].abs())
    margin = float(ndtri(0.975)) * table[STD_ERROR]
    table[CI_LOW], table[CI_HIGH] = table[ESTIMATE] - margin, table[ESTIMATE] + margin
    labels = [f"{item}:{kind}" if kind == "slope" else f"{item}:{c:g}" for item, kind, c in rows]
    return table, pd.DataFrame(vcov, index=labels, columns=labels)
