"""``se="bootstrap"`` and ``test="bollen.stine"``: a fit whose errors or test come from resamples of its rows."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.sem.options import FitOptions

if TYPE_CHECKING:
    from psm_analysis._options import BootstrapKind
    from psm_analysis.sem.bootstrap_result import BootstrapResult
    from psm_analysis.sem.result import SemResult


def check_resampling(options: FitOptions, *, blocks: bool) -> None:
    """Refuse a bootstrap, before anything is fitted, where rows cannot be drawn or replicates not be compared.

    Raises
    ------
    OptionError
        For moments instead of rows, weights, clusters, exploratory blocks, the second engine; for the Bollen-Stine test
        also incomplete rows and ordinal variables.
    """
    asked = [f"{name}={value!r}" for name, value in (("se", options.se), ("test", options.test)) if value in RESAMPLED]
    if not asked:
        return
    obstacles = {
        "sample_cov": options.sample_cov is not None,
        "cluster": options.cluster is not None,
        "sampling_weights": options.sampling_weights is not None,
        "efa() blocks": blocks,
        "engine='semopy'": options.engine != "native",
    }
    if options.test in RESAMPLED:
        obstacles |= {"missing='fiml'": options.missing == "fiml", "ordered": bool(options.ordered)}
    for name, present in obstacles.items():
        if present:
            raise OptionError(
                f"{asked[-1]} is not available with {name}.",
                where="arguments 'se' and 'test'",
                remedy="Rows must be independent draws of complete cases: use estimator='MLR' (ordinal: 'WLSMV').",
            )


RESAMPLED = ("bootstrap", "bollen.stine")


def with_resampling(result: SemResult, options: FitOptions) -> SemResult:
    """Return the fit with bootstrap standard errors, or the p value of Bollen and Stine (1992), if asked for.

    The covariance matrix of the free parameters is that of their replicates (divisor R - 1).
    """
    if not result.converged:
        return result
    if options.test == "bollen.stine":
        p_value = _drawn(result, options, kind="bollen-stine").p_value
        result = replace(result, fit_measures={**result.fit_measures, "pvalue_bollen_stine": p_value})
    if options.se == "bootstrap":
        drawn = _drawn(result, options, kind="ordinary")
        _, first = np.unique(result.problem.position, return_index=True)
        free = first[-result.problem.n_free :]
        vcov = np.atleast_2d(np.cov(drawn.values[:, free], rowvar=False))
        result = replace(result, free_vcov=vcov, resampled=drawn, warnings=(*result.warnings, *drawn.warnings))
        for note in drawn.warnings:
            python_warnings.warn(note, PsmAnalysisWarning, stacklevel=4)
    return result


def _drawn(result: SemResult, options: FitOptions, *, kind: BootstrapKind) -> BootstrapResult:
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", PsmAnalysisWarning)
        return result.bootstrap(options.n_bootstrap, seed=options.bootstrap_seed, kind=kind)
