"""The second opinion: the same parameter table estimated by semopy (complete-data maximum likelihood).

semopy gets the table as its own model text, finds the minimum with its own objective, gradient and search, and gives
its own information matrix. Taken from it: estimates, discrepancy (hence chi-square) and standard errors. Not taken: its
log-likelihood, AIC, BIC, GFI and RMSEA, which are not what their names say (semopy 2.3.11); those follow here from its
estimates by the formulas of this package.

References
----------
Meshcheryakov, G., Igolkina, A. A., & Samsonova, M. G. (2021). semopy 2: A structural equation modeling package with
random effects in Python. arXiv:2106.01140.
"""

from __future__ import annotations

import logging
import warnings as python_warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis.errors import ModelError, OptionError, PsmAnalysisWarning, require
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import Estimation, assemble, count_moments
from psm_analysis.sem.estimators import SPECS, EstimatorSpec
from psm_analysis.sem.fitmeasures import fit_measures
from psm_analysis.sem.independence import baseline_test
from psm_analysis.sem.inference import admissibility, covariance, parameter_names
from psm_analysis.sem.optimize import Solution
from psm_analysis.sem.partable import ParameterTable
from psm_analysis.sem.problem import Problem, constraint_system
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import Sample
from psm_analysis.sem.semopy_text import semopy_text
from psm_analysis.sem.teststat import ModelTest, model_test

TIGHT = 1e-14
FLAT = 1e-5
ROUNDS = 4


def fit_semopy(table: ParameterTable, sample: Sample, *, model: str, spec: EstimatorSpec = SPECS["ML"]) -> SemResult:
    """Estimate a parameter table with semopy.

    Parameters
    ----------
    table
        The completed table: one group, no mean structure, no constraints but equal labels.
    sample
        The moments; semopy sees the covariance matrix with divisor N.
    model
        The model text, kept on the result.
    spec
        The estimator that was asked for; only plain ML can be had.

    Returns
    -------
    SemResult
        With semopy's estimates, discrepancy and inverse information matrix; ``engine`` is ``"semopy"``.

    Raises
    ------
    OptionError
        For what semopy cannot do or gets wrong: other estimators, groups, means, bounds, ``==``, ``<``, ``>``.
    ModelError
        If the model has more parameters than moments.
    MissingExtraError
        If semopy is not installed.
    """
    _check_possible(table, spec)
    problem, starts = assemble(table, sample, SPECS["ML"])
    constraints = constraint_system(table)
    df = count_moments(table, sample) - problem.n_free
    if df < 0:
        raise ModelError(
            f"The model is not identified: it has {problem.n_free} free parameters for {problem.n_free + df} moments.",
            where="argument 'model'",
            remedy="Fix parameters, or measure factors by more indicators (three or more each).",
        )
    semopy = require("semopy", extra="engines", purpose="engine='semopy'")
    with _quiet():
        for start in starts:
            fitted = semopy.Model(semopy_text(table, problem, sample), cov_diag=True)
            solution, information = _search(fitted, problem, start, sample)
            if solution.converged:
                break
    e = Estimation(table, sample, SPECS["ML"], problem, constraints, solution, problem.n_free, df)
    return _result(e, information, model=model)


def _result(e: Estimation, information: Array, *, model: str) -> SemResult:
    vcov = np.full_like(information, np.nan)
    test = baseline = ModelTest(np.nan, e.df)
    notes = [_NOT_CONVERGED]
    if e.solution.converged:
        names = parameter_names(e.table, e.problem)
        vcov = covariance(information, e.solution.jacobian, nobs=e.sample.nobs, names=names)
        test, baseline = model_test(e), baseline_test(e)
        notes = admissibility(e.table, e.problem, e.solution.x, group_labels=[g.label for g in e.sample.groups])
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=5)
    return SemResult(
        model=model,
        table=e.table,
        sample=e.sample,
        problem=e.problem,
        constraints=e.constraints,
        solution=e.solution,
        free_vcov=vcov,
        fit_measures=fit_measures(e, test, baseline),
        warnings=tuple(notes),
        estimator="ML",
        engine="semopy",
        spec=SPECS["ML"],
    )


_NOT_CONVERGED = "semopy found no minimum: the estimates are not a solution, and there are no standard errors."


def _check_possible(table: ParameterTable, spec: EstimatorSpec) -> None:
    refused = {
        "anything but plain ML": spec != SPECS["ML"],
        "groups": table.options.n_groups > 1,
        "a mean structure": table.options.meanstructure,
        "constraints (==, <, >)": any(constraint.op != ":=" for constraint in table.constraints),
        "bounds": any(np.isfinite((p.lower, p.upper)).any() for p in table.parameters),
    }
    for what, present in refused.items():
        if present:
            raise OptionError(
                f"semopy cannot estimate {what} here.",
                where="argument 'engine'",
                remedy="Use engine='native'" + (", or give equal parameters the same label." if "==" in what else "."),
            )


def _search(fitted: Any, problem: Problem, start: Array, sample: Sample) -> tuple[Solution, Array]:
    """Return where semopy's search, and its continuation, end; and semopy's information of one observation there."""
    names = [f"v{i}" for i in range(len(sample.names))]
    cov = pd.DataFrame(sample.groups[0].cov, index=names, columns=names)
    active = {int(name[1:]): parameter for name, parameter in fitted.parameters.items() if parameter.active}
    order = np.array(list(active))
    for place, parameter in active.items():
        parameter.start, parameter.bound = float(start[place]), (None, None)
    found = fitted.fit(cov=cov, n_samples=sample.nobs, solver="SLSQP", options={"ftol": TIGHT})
    point, iterations = np.asarray(found.x, dtype=float), int(found.n_it)
    x, gradient = np.zeros(problem.n_free), np.full(problem.n_free, np.nan)
    information = np.full((problem.n_free, problem.n_free), np.nan)
    if np.isfinite(found.fun):
        point, more = _continued(fitted, point, sample.nobs)
        iterations += more
        gradient[order] = fitted.grad_mlw(point)
        information[np.ix_(order, order)] = fitted.calc_fim() / sample.nobs
    x[order] = point
    scale = np.sqrt(np.maximum(np.diagonal(information), 1e-12))
    converged = bool(np.isfinite(gradient).all() and np.abs(gradient / scale).max() < FLAT)
    value = float(fitted.obj_mlw(point))
    no_constraints = np.zeros((0, problem.n_free))
    return Solution(x, value, iterations, converged, no_constraints, gradient), information


def _continued(fitted: Any, point: Array, nobs: int) -> tuple[Array, int]:
    """Follow semopy's objective and gradient on to where they are flat, in parameters that its information makes alike.

    semopy's own search stops early where variables differ much in scale.
    """
    iterations = 0
    for _ in range(ROUNDS):
        fitted.update_matrices(point)
        values, vectors = np.linalg.eigh(fitted.calc_fim() / nobs)
        turn = vectors / np.sqrt(np.maximum(values, 1e-12 * values[-1]))
        z, more = _descent(fitted, point, turn)
        point, iterations = point + turn @ z, iterations + more
        if np.abs(z).max() < FLAT:
            break
    fitted.update_matrices(point)
    return point, iterations


def _descent(fitted: Any, origin: Array, turn: Array) -> tuple[Array, int]:
    """Minimise semopy's objective over ``z`` in ``origin + turn z``."""
    from scipy.optimize import minimize

    def value(z: Array) -> float:
        return float(fitted.obj_mlw(origin + turn @ z))

    def slope(z: Array) -> Array:
        return np.asarray(turn.T @ fitted.grad_mlw(origin + turn @ z))

    found = minimize(value, np.zeros(len(origin)), jac=slope, method="BFGS", options={"gtol": FLAT * 1e-3})
    return np.asarray(found.x), int(found.nit)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep semopy from printing through the root logger, which it also sets up, and numpy from warning inside it."""

    def foreign(record: logging.LogRecord) -> bool:
        return "semopy" not in record.pathname.replace("\\", "/").split("/")

    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)
    root.addFilter(foreign)
    try:
        with python_warnings.catch_warnings(), np.errstate(all="ignore"):
            python_warnings.filterwarnings("ignore", module=r"semopy(\.|$)")
            python_warnings.filterwarnings("ignore", module=r"scipy\.optimize")
            yield
    finally:
        root.removeFilter(foreign)
        root.removeHandler(silent)
