"""``sem``, ``cfa`` and ``growth``: the stages of a fit, in order."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import pandas as pd

from psm_analysis._options import Engine, Estimator, Information, Missing, Parameterization
from psm_analysis.errors import OptionError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import Estimation, estimate
from psm_analysis.sem.estimators import SPECS, EstimatorSpec
from psm_analysis.sem.exploratory import Block, exploratory_blocks, unrotated_table, without_efa
from psm_analysis.sem.exploratory_result import ExploratoryResult
from psm_analysis.sem.fitmeasures import fit_measures
from psm_analysis.sem.group_blocks import check_group_blocks
from psm_analysis.sem.idle_options import idle_equalities, refuse_idle
from psm_analysis.sem.independence import baseline_test
from psm_analysis.sem.inference import admissibility, parameter_names, unit_doubts
from psm_analysis.sem.observed import find_sample, ordinal_names, wants_means
from psm_analysis.sem.options import FitOptions, SemKeywords
from psm_analysis.sem.ordered_columns import with_ordered_columns, word_doubts
from psm_analysis.sem.ordinal_sample import ordinal_doubts
from psm_analysis.sem.partable import ParameterTable, TableOptions, build_table
from psm_analysis.sem.resampled import check_resampling, with_resampling
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.rotated import find_rotation, rotated_estimation
from psm_analysis.sem.sample import Sample
from psm_analysis.sem.sandwich import parameter_covariance
from psm_analysis.sem.syntax import parse_model
from psm_analysis.sem.teststat import ModelTest, correction_doubts, model_test
from psm_analysis.sem.twolevel.fit import fit_two_level
from psm_analysis.sem.twolevel.tables import is_two_level


def sem(
    model: str,
    data: pd.DataFrame | None = None,
    *,
    estimator: Estimator | None = None,
    ordered: Sequence[str] | bool = (),
    group: str | None = None,
    group_equal: Sequence[str] = (),
    group_partial: Sequence[str] = (),
    missing: Missing = "listwise",
    auxiliary: Sequence[str] = (),
    meanstructure: bool | None = None,
    std_lv: bool = False,
    orthogonal: bool = False,
    parameterization: Parameterization = "delta",
    fixed_x: bool | None = None,
    cluster: str | None = None,
    sampling_weights: str | None = None,
    information: Information | None = None,
    se: str | None = None,
    test: str | None = None,
    n_bootstrap: int = 1000,
    bootstrap_seed: int = 1,
    rotation: str | None = None,
    rotation_args: Mapping[str, Any] | None = None,
    sample_cov: Any = None,
    sample_mean: Any = None,
    sample_sd: Any = None,
    sample_nobs: Any = None,
    engine: Engine = "native",
) -> SemResult:
    """Fit a structural equation model by maximum likelihood or least squares.

    Maximum likelihood minimises ``F = log|Sigma| + tr(S Sigma^-1) + (m - mu)' Sigma^-1 (m - mu) - log|S| - p`` over the
    free parameters of ``Sigma = Lambda (I - B)^-1 Psi (I - B)^-T Lambda' + Theta`` (and of ``mu``); ``N F`` is the
    chi-square. Least squares minimises ``(s - sigma)' W (s - sigma)`` over sample and implied moments.

    Parameters
    ----------
    model
        The model in lavaan's language: ``=~`` is measured by, ``~`` is regressed on, ``~~`` covaries with, ``~ 1`` has
        the intercept, ``:=`` is defined as, ``==  <  >`` constrain labels; modifiers stand before a ``*``.
    data
        One row per respondent; `missing` says what becomes of incomplete rows.
    estimator
        ``ML, MLM, MLMV, MLMVS, MLF, MLR, GLS, ULS, ULSM, ULSMV, WLS, DWLS, WLSM, WLSMV``.
    missing
        ``listwise``, ``fiml`` (likelihood of incomplete rows) or ``pairwise`` (ordinal variables).
    information, se, test
        In place of those that the estimator is paired with. ``se="bootstrap"`` takes standard errors and percentile
        intervals from resamples of the rows; ``test="bollen.stine"`` adds ``pvalue_bollen_stine`` to the fit measures.
    n_bootstrap, bootstrap_seed
        Number of resamples, and what makes them: the same seed gives the same numbers.
    ordered, parameterization
        Names of ordinal variables, or True for all that are not exogenous; ``delta`` or ``theta``. Indicators and
        outcomes that are ordered Categoricals in the data are ordinal without being named; False takes their numbers
        (their own if these rise, otherwise 1, 2, 3, ...) as continuous.
    cluster
        Column of the units that respondents belong to; standard errors and tests allow for dependence within units
        (``MLR`` by default, means are modelled). With ``level: 1`` and ``level: 2`` blocks in the model, both levels
        are modelled instead (``ML`` by default).
    sampling_weights
        Column of positive weights, scaled to a mean of 1 (``MLR`` by default).
    rotation, rotation_args
        Of exploratory blocks, ``efa("b")*f1 + efa("b")*f2 =~ ...``: ``geomin`` (the default), ``oblimin``, ``varimax``,
        ``target`` ... or ``none``, with arguments of the criterion such as ``{"target": matrix}`` (nan: not specified).
    group
        Column of the groups; the model is fitted to all groups at once. With ``group: 1`` (or ``group: "label"``)
        blocks each group has a model of its own.
    group_equal
        What is equal over groups: ``loadings, intercepts, means, thresholds, regressions, residuals,
        residual_covariances, lv_variances, lv_covariances``.
    group_partial
        Parameters that stay free all the same, such as ``"x3 ~ 1"``.
    auxiliary
        With ``missing="fiml"``, variables outside the model that tell something about missing answers: they covary with
        all observed variables and residuals (saturated correlates; Graham, 2003).
    meanstructure
        Whether means are modelled; by default if the model has intercepts, or there are groups, clusters or
        ``sample_mean``.
    std_lv
        Fix factor variances, not first loadings, to 1.
    orthogonal
        Fix covariances of factors to 0.
    fixed_x
        Keep means and covariances of exogenous observed variables at their sample values; by default (as in lavaan)
        unless continuous variables are fitted by least squares.
    sample_cov, sample_mean, sample_sd, sample_nobs
        Published moments in place of data: a covariance matrix with names on both axes (or correlations and
        ``sample_sd``), divisor N - 1, one per group in a list; the number of respondents.
    engine
        ``native``, or ``semopy`` for an independent second opinion.

    Returns
    -------
    SemResult
        Estimates, tests, fit measures and everything after the fit.

    Raises
    ------
    ModelSyntaxError, ModelError
        For a model that cannot be read, is not identified, or contradicts itself.
    DataError
        For variables that are unknown, not numeric, constant or collinear, and matrices that are not valid.
    OptionError
        For an argument that is unknown or not available.

    References
    ----------
    Jöreskog, K. G. (1969). A general approach to confirmatory maximum likelihood factor analysis. Psychometrika, 34.
    Bollen, K. A. (1989). Structural equations with latent variables. Wiley. Eq. 4.67 and 8.15.
    Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software, 48(2).

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["x1", "x2", "x3", "x4"]
    >>> r = pd.DataFrame([[1, .5, .4, .3], [.5, 1, .4, .3], [.4, .4, 1, .2], [.3, .3, .2, 1]], names, names)
    >>> fit = sem("f =~ x1 + x2 + x3 + x4", sample_cov=r, sample_nobs=200)
    >>> round(fit.fit_measures["chisq"], 3), int(fit.fit_measures["df"])
    (0.397, 2)
    """
    given = {name: value for name, value in locals().items() if name not in ("model", "data")}
    return _fit(model, data, FitOptions(**given).checked())


def cfa(model: str, data: pd.DataFrame | None = None, **options: Unpack[SemKeywords]) -> SemResult:
    """Fit a confirmatory factor analysis: as :func:`sem`, whose arguments it shares.

    Factors covary, first loadings are 1 (``std_lv=True``: factor variances are).

    Parameters
    ----------
    model, data
        As :func:`sem`.
    **options
        Every other argument of :func:`sem`, by keyword.

    Returns
    -------
    SemResult
        Estimates, tests, fit measures and everything after the fit.

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["x1", "x2", "x3"]
    >>> r = pd.DataFrame([[1, .5, .4], [.5, 1, .4], [.4, .4, 1]], names, names)
    >>> fit = cfa("f =~ x1 + x2 + x3", sample_cov=r, sample_nobs=200, std_lv=True)
    >>> [round(value, 3) for value in fit.tidy()["std_all"][:3]]
    [0.707, 0.707, 0.566]
    """
    return _fit(model, data, FitOptions.of(options).checked())


def growth(model: str, data: pd.DataFrame | None = None, **options: Unpack[SemKeywords]) -> SemResult:
    """Fit a growth curve model: as :func:`sem`, but intercepts of indicators are 0 and means of factors are free.

    Parameters
    ----------
    model, data
        As :func:`sem`.
    **options
        Every other argument of :func:`sem`, by keyword.

    Returns
    -------
    SemResult
        Estimates, tests, fit measures and everything after the fit.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> level, slope = rng.normal(3, 1, 400), rng.normal(0.5, 0.3, 400)
    >>> waves = pd.DataFrame({f"y{t}": level + t * slope + rng.normal(0, 0.5, 400) for t in range(4)})
    >>> fit = growth("i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3; s =~ 0*y0 + 1*y1 + 2*y2 + 3*y3", waves)
    >>> means = fit.tidy().query("op == '~1' and lhs in ['i', 's']")["estimate"]
    >>> bool(abs(means.iloc[0] - 3) < 0.2 and abs(means.iloc[1] - 0.5) < 0.1)
    True
    """
    return _fit(model, data, FitOptions.of(options).checked(), growth_curve=True)


def _fit(model: str, data: pd.DataFrame | None, options: FitOptions, *, growth_curve: bool = False) -> SemResult:
    parsed = parse_model(model)
    options = with_ordered_columns(options, parsed, data)
    if is_two_level(parsed):
        return fit_two_level(parsed, data, model=model, options=options, growth_curve=growth_curve)
    spec = options.spec()
    options = options.settled(spec)
    check_group_blocks(parsed, options)
    blocks = exploratory_blocks(parsed)
    _check_rotation(options, blocks)
    check_resampling(options, blocks=bool(blocks))
    ordinal = ordinal_names(parsed, options)
    refuse_idle(options, ordinal=bool(ordinal), rows=options.sample_cov is None)
    sample, categories = find_sample(parsed, data, options, ordinal)
    table = build_table(
        without_efa(parsed),
        TableOptions(
            meanstructure=growth_curve or wants_means(parsed, options, sample),
            std_lv=options.std_lv,
            orthogonal=options.orthogonal,
            fixed_x=bool(options.fixed_x),
            growth=growth_curve,
            group_labels=tuple(group.label for group in sample.groups),
            ordered=categories,
            theta=options.parameterization == "theta",
            auxiliary=tuple(options.auxiliary),
            group_equal=tuple(options.group_equal),
            group_partial=tuple(options.group_partial),
        ),
    )
    if options.engine == "semopy":
        from psm_analysis.sem.semopy_engine import fit_semopy

        return fit_semopy(table, sample, model=model, spec=spec)
    if blocks:
        return _fit_exploratory(table, sample, blocks, model=model, spec=spec, options=options)
    return with_resampling(_with_notes(fit_table(table, sample, model=model, spec=spec)), options)


def _with_notes(result: SemResult) -> SemResult:
    """Return the fit with what its equalities name in vain among its warnings."""
    notes = idle_equalities(result.table)
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=4)
    return replace(result, warnings=(*result.warnings, *notes)) if notes else result


def _check_rotation(options: FitOptions, blocks: tuple[Block, ...]) -> None:
    """Refuse a rotation without blocks to rotate, and blocks where rotation is not available."""
    if not blocks and (options.rotation is not None or options.rotation_args is not None):
        raise OptionError(
            "There is nothing to rotate.",
            where="argument 'rotation'",
            remedy='Mark factors as exploratory: efa("b")*f1 + efa("b")*f2 =~ ...; or use psm.efa.',
        )
    if blocks and options.engine == "semopy":
        raise OptionError("semopy has no exploratory blocks.", where="argument 'engine'", remedy="Leave it out.")


def _fit_exploratory(
    table: ParameterTable,
    sample: Sample,
    blocks: tuple[Block, ...],
    *,
    model: str,
    spec: EstimatorSpec,
    options: FitOptions,
) -> ExploratoryResult:
    """Estimate a model with exploratory blocks, then rotate them."""
    rotation = find_rotation(options.rotation, options.rotation_args, orthogonal=options.orthogonal)
    e = estimate(unrotated_table(table, sample, blocks), sample, spec)
    if rotation is not None and e.solution.converged:
        e = rotated_estimation(e, blocks, rotation)
    return ExploratoryResult(
        **_results(e, model=model, level=5), rotation=rotation.method if rotation else "none", blocks=blocks
    )


def fit_table(
    table: ParameterTable,
    sample: Sample,
    *,
    model: str,
    spec: EstimatorSpec = SPECS["ML"],
    level: int = 5,
    known: Array | None = None,
) -> SemResult:
    """Estimate a completed parameter table: the part of a fit that invariance and simulation repeat.

    A `known` minimum over the free parameters is not searched for.
    """
    return SemResult(**_results(estimate(table, sample, spec, known=known), model=model, level=level + 1))


def _results(e: Estimation, *, model: str, level: int) -> dict[str, Any]:
    """Return the fields of a result; doubts are warned of at the caller's place."""
    vcov = np.full((e.problem.n_free, e.problem.n_free), math.nan)
    test = baseline = ModelTest(math.nan, e.df)
    units = unit_doubts(e.sample, e.spec)
    for note in units:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=level)
    notes = [NOT_CONVERGED]
    if e.solution.converged:
        vcov = parameter_covariance(e, parameter_names(e.table, e.problem))
        test, baseline = model_test(e), baseline_test(e)
        notes = admissibility(e.table, e.problem, e.solution.x, group_labels=[g.label for g in e.sample.groups])
        notes += correction_doubts(test) + ordinal_doubts(e.sample) + word_doubts(e.sample, e.table.roles)
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=level)
    return {
        "model": model,
        "table": e.table,
        "sample": e.sample,
        "problem": e.problem,
        "constraints": e.constraints,
        "solution": e.solution,
        "free_vcov": vcov,
        "fit_measures": fit_measures(e, test, baseline),
        "warnings": (*units, *notes),
        "estimator": e.spec.name,
        "engine": "native",
        "spec": e.spec,
    }


NOT_CONVERGED = (
    "No minimum was found from any start: the estimates are not a solution, and there are no standard errors. "
    "Look for a factor with weak indicators, a wrong sign, too few rows, or constraints that cannot hold together; "
    "give start() values, or simplify the model."
)
