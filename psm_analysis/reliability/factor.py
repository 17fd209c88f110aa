"""Reliability of the factors of a fitted model: alpha, omega, average variance extracted."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psm_analysis._arguments import check_instance
from psm_analysis.errors import ModelError, PsmAnalysisWarning
from psm_analysis.moments.sample import FloatArray, IntArray
from psm_analysis.reliability.categorical import categorical_omega
from psm_analysis.reliability.coefficients import coefficient_alpha
from psm_analysis.sem.result import SemResult

if TYPE_CHECKING:
    from psm_analysis.sem.implied import Implied
    from psm_analysis.sem.sample import GroupSample

COLUMNS = ("alpha", "omega", "ave")


def reliability(result: SemResult, *, observed_variance: bool = True) -> pd.DataFrame:
    r"""Return alpha, omega and the average variance extracted of every factor of a model.

    With the items :math:`I` of a factor, its loadings :math:`\lambda`, its variance :math:`\phi` and the covariances
    :math:`s_{ij}` of the items,

    .. math::
        \omega = \frac{(\sum_{i \in I} \lambda_i)^2 \phi}{\sum_{i, j \in I} s_{ij}}, \qquad
        AVE = \frac{\sum_{i \in I} \lambda_i^2 \phi}{\sum_{i \in I} s_{ii}},

    and alpha is that of the sample covariances. Omega is the share of the variance of the plain sum of the items that
    the factor explains; what residual covariances add to that variance is not the factor's. Where items load on several
    factors the same formula gives omega hierarchical: of the general factor of a bifactor model, and of a second-order
    factor, whose loadings on the items are the products along the way (semTools' ``omegaL1``).

    For ordinal items omega is that of the sum of the answers, not of the latent responses (Green & Yang 2009, eq. 21),
    AVE that of the latent responses, and alpha that of the answers.

    Parameters
    ----------
    result
        A fit of `cfa` or `sem`.
    observed_variance
        Whether the variances of the items and of their sum are those of the sample, as in semTools, or those implied by
        the model.

    Returns
    -------
    DataFrame
        Index ``factor``, or ``group, factor`` for several groups; columns alpha, omega, ave.

    Raises
    ------
    ModelError
        If the model has no factor, did not converge, or has a factor with both ordinal and continuous items.

    Warns
    -----
    PsmAnalysisWarning
        If a factor has one item, so that its alpha is undefined and shown as NaN.

    References
    ----------
    McDonald, R. P. (1999). Test theory, eq. 6.20b. Fornell, C., & Larcker, D. F. (1981). Journal of Marketing Research,
    18, 39-50. Bollen, K. A. (1980). American Sociological Review, 45, 370-390 (residual covariances). Green, S. B., &
    Yang, Y. (2009). Psychometrika, 74, 155-167. The R calls are ``semTools::AVE(fit)`` and
    ``semTools::compRelSEM(fit, obs.var = observed_variance)``.

    Examples
    --------
    >>> from psm_analysis.sem.fit import cfa
    >>> names = ["x1", "x2", "x3"]
    >>> r = pd.DataFrame([[1, .5, .5], [.5, 1, .5], [.5, .5, 1]], names, names)
    >>> reliability(cfa("f =~ x1 + x2 + x3", sample_cov=r, sample_nobs=200)).round(3).loc["f"].to_dict()
    {'alpha': 0.75, 'omega': 0.75, 'ave': 0.5}
    """
    check_instance(result, SemResult, name="result", remedy="Give a fit of cfa() or sem(); for answers use alpha().")
    if not result.converged:
        raise ModelError(
            "The model did not converge, so its factors have no reliability.",
            where="argument 'result'",
            remedy="Look at result.warnings.",
        )
    implied = result.problem.implied(result.solution.x)
    parts = {
        group.label: _group(result, g, implied=implied[g], observed=observed_variance)
        for g, group in enumerate(result.sample.groups)
    }
    return next(iter(parts.values())) if len(parts) == 1 else pd.concat(parts, names=["group"])


def _group(result: SemResult, g: int, *, implied: Implied, observed: bool) -> pd.DataFrame:
    loadings = _loadings(result, g)
    phi = dict(zip(result.problem.layouts[g].eta, np.diagonal(implied.C), strict=True))
    threshold_item = result.problem.layouts[g].threshold_item
    ordinal = np.isin(np.arange(len(loadings)), threshold_item)
    rows = {}
    for factor in map(str, loadings):
        own = np.flatnonzero(loadings[factor].to_numpy())
        weights = loadings[factor].to_numpy()[own] * np.sqrt(phi[factor])
        if ordinal[own].any() and not ordinal[own].all():
            raise ModelError(
                "The factor has both ordinal and continuous items: no omega is defined for their sum.",
                where=f"factor {factor!r}",
                remedy="Treat its items alike: name all of them in ordered=, or none.",
            )
        group = result.sample.groups[g]
        coefficients = partial(_ordinal, threshold_item=threshold_item) if ordinal[own].any() else _continuous
        rows[factor] = coefficients(weights, own, implied=implied, group=group, observed=observed, factor=factor)
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS)).rename_axis("factor")


def _continuous(
    weights: FloatArray, own: IntArray, *, implied: Implied, group: GroupSample, observed: bool, factor: str
) -> dict[str, float]:
    covariance = (group.cov if observed else implied.Sigma)[np.ix_(own, own)]
    return {
        "alpha": _alpha(group.cov[np.ix_(own, own)], factor),
        "omega": float(weights.sum() ** 2 / covariance.sum()),
        "ave": float((weights**2).sum() / np.trace(covariance)),
    }


def _ordinal(
    weights: FloatArray,
    own: IntArray,
    *,
    implied: Implied,
    group: GroupSample,
    observed: bool,
    factor: str,
    threshold_item: IntArray,
) -> dict[str, float]:
    sd = np.sqrt(np.diagonal(implied.Sigma))
    cuts = [(implied.matrices.tau[threshold_item == j] - implied.mu[j]) / sd[j] for j in own]
    standardized = weights / sd[own]
    R = (group.cov if observed else implied.Sigma / np.outer(sd, sd))[np.ix_(own, own)]
    total = R.copy()
    np.fill_diagonal(total, 1.0)
    answers = None if group.rows is None else group.rows[:, own]
    complete = total if answers is None else np.cov(answers[np.isfinite(answers).all(axis=1)], rowvar=False)
    return {
        "alpha": _alpha(np.atleast_2d(complete), factor),
        "omega": categorical_omega(np.outer(standardized, standardized), total, thresholds=cuts),
        "ave": float((standardized**2).mean()),
    }


def _loadings(result: SemResult, g: int) -> pd.DataFrame:
    """Return the loadings of all items on all factors: direct ones, and those through first-order factors."""
    pairs = zip(result.table.parameters, result.estimates, strict=True)
    measured = [(p.lhs, p.rhs, value) for p, value in pairs if p.op == "=~" and p.group == g + 1]
    factors = list(dict.fromkeys(lhs for lhs, _, _ in measured))
    if not factors:
        raise ModelError(
            "The model has no factor.",
            where="argument 'result'",
            remedy="Fit a measurement model such as 'f =~ x1 + x2'.",
        )
    names = [*result.sample.names, *factors]
    direct = pd.DataFrame(0.0, index=names, columns=factors)
    for factor, indicator, value in measured:
        direct.loc[indicator, factor] = value
    between = direct.loc[factors].to_numpy()
    through = np.linalg.inv(np.eye(len(factors)) - between)
    items = list(result.sample.names)
    return pd.DataFrame(direct.loc[items].to_numpy() @ through, index=items, columns=factors)


def _alpha(covariance: FloatArray, factor: str) -> float:
    if len(covariance) < 2:
        text = f"Factor '{factor}' has one item: its alpha is undefined (NaN)."
        warnings.warn(text, PsmAnalysisWarning, stacklevel=5)
        return float(np.nan)
    return coefficient_alpha(covariance)
