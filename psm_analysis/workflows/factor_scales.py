"""Scales of a scoring model from fitted measurement models: weights of factor scores, parameters of item responses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis.errors import ModelError
from psm_analysis.instruments.model import Instrument
from psm_analysis.scoring.model import ItemResponse, Scale
from psm_analysis.sem.implied import Implied
from psm_analysis.sem.result import SemResult
from psm_analysis.survey.wave import SurveyWave

Array = NDArray[np.float64]


def empty_scale(name: str, items: tuple[str, ...], required: int) -> Scale:
    """Return a scale without weights, norms and reliability."""
    return Scale(name, items, required, (), constant=0.0, responses=(), alpha=None, std_error=None, norms=())


def linear_scales(wave: SurveyWave, instrument: Instrument, model: str | None, *, method: str) -> tuple[Scale, ...]:
    """Return one scale per factor of a model fitted by maximum likelihood, with the weights of its scores."""
    from psm_analysis.sem.fit import cfa
    from psm_analysis.sem.tables import population

    fit = cfa(model or instrument.model(), wave.items(instrument.id), meanstructure=True)
    _check_converged(fit, instrument)
    implied = population(fit)[0]
    factors = list(fit.table.roles.latent)
    names, n = tuple(fit.sample.names), len(factors)
    if method == "tenberge":
        weights = ten_berge(implied, n)
        constant = implied.eta_mean[:n] - weights @ implied.mu
    else:
        probes = pd.DataFrame(np.vstack([np.zeros(len(names)), np.eye(len(names))]), columns=list(names))
        scores = fit.factor_scores(probes, method="bartlett" if method == "bartlett" else "regression").to_numpy()
        constant, weights = scores[0], (scores[1:] - scores[0]).T
    shared = weights @ implied.D[:, :n]
    error = weights @ implied.Sigma @ weights.T - shared - shared.T + implied.C[:n, :n]
    return tuple(
        replace(
            empty_scale(str(factor), names, len(names)),
            weights=tuple(weights[k].tolist()),
            constant=float(constant[k]),
            std_error=float(np.sqrt(error[k, k])) if error[k, k] > 0 else None,
        )
        for k, factor in enumerate(factors)
    )


def ten_berge(implied: Implied, n: int) -> Array:
    """Return weights, (factors, items), of the scores whose covariance matrix is that of the factors.

    ``W' = Sigma^-1/2 U V' Phi^1/2`` with the singular vectors of ``Sigma^-1/2 Lambda Phi^1/2``: ten Berge, Krijnen,
    Wansbeek & Shapiro (1999). Linear Algebra and its Applications, 289, 311-318, eq. 3.
    """
    root = _power(implied.Sigma, -0.5)
    phi = implied.C[:n, :n]
    U, _, V = np.linalg.svd(root @ implied.D[:, :n] @ _power(phi, -0.5), full_matrices=False)
    return np.asarray((root @ U @ V @ _power(phi, 0.5)).T, dtype=float)


def _power(matrix: Array, exponent: float) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    if values[0] <= 1e-10 * values[-1]:
        raise ModelError(
            "Scores that keep the factor correlations need positive definite covariance matrices of factors and items.",
            where="method='tenberge'",
            remedy="Choose 'regression', or a model without a redundant factor.",
        )
    return np.asarray((vectors * values**exponent) @ vectors.T, dtype=float)


def response_scales(wave: SurveyWave, instrument: Instrument, model: str | None) -> tuple[Scale, ...]:
    """Return scales with item parameters: graded response models, or of the ordinal fit of a model with one factor."""
    answers = wave.items(instrument.id)
    if model is not None:
        return (_ordinal_scale(answers, instrument, model),)
    parts = {part.id: part.items for part in instrument.subscales}
    return tuple(_graded_scale(answers[list(items)], name) for name, items in parts.items())


def _graded_scale(answers: pd.DataFrame, name: str) -> Scale:
    from psm_analysis.irt.fit import graded_response

    fit = graded_response(answers)
    parts = zip(fit.slopes, fit.intercepts, fit.categories, strict=True)
    responses = tuple(_response("logit", float(a), d, categories=own) for a, d, own in parts)
    return replace(empty_scale(name, tuple(answers.columns), 1), responses=responses)


def _ordinal_scale(answers: pd.DataFrame, instrument: Instrument, model: str) -> Scale:
    """Return the scale of a one-factor ordinal fit: ``P(y >= c) = Phi((lambda eta - tau_c) / sqrt(theta))``."""
    from psm_analysis.sem.fit import cfa

    fit = cfa(model, answers, ordered=True, std_lv=True)
    _check_converged(fit, instrument)
    factors, names = fit.table.roles.latent, tuple(fit.sample.names)
    table = fit.tidy()
    correlated = table[(table["op"] == "~~") & (table["lhs"] != table["rhs"])]
    if len(factors) != 1 or len(correlated):
        raise ModelError(
            "Expected a posteriori scores are frozen for one factor whose items are independent given it.",
            where="argument 'model'",
            remedy="Calibrate each factor by itself, or leave the model out.",
        )
    loadings = table[table["op"] == "=~"].set_index("rhs")["estimate"]
    residuals = table[(table["op"] == "~~") & table["lhs"].isin(names)].set_index("lhs")["estimate"]
    thresholds = table[table["op"] == "|"].groupby("lhs")["estimate"].apply(np.array)
    categories = dict(fit.sample.categories)
    responses = []
    for name in names:
        sd = float(np.sqrt(residuals[name]))
        intercepts = -np.asarray(thresholds[name], dtype=float) / sd
        responses.append(_response("probit", float(loadings[name]) / sd, intercepts, categories=categories[name]))
    return replace(empty_scale(str(factors[0]), names, 1), responses=tuple(responses))


def _response(link: str, slope: float, intercepts: Array, *, categories: object) -> ItemResponse:
    codes = tuple(int(code) for code in np.asarray(categories, dtype=float))
    return ItemResponse(link, slope, tuple(np.asarray(intercepts, dtype=float).tolist()), codes)


def _check_converged(fit: SemResult, instrument: Instrument) -> None:
    if not fit.converged:
        raise ModelError(
            "The measurement model did not converge.", where=f"instrument '{instrument.id}'", remedy="Simplify it."
        )
