"""Two-level fits: the stages in order."""

from __future__ import annotations

import math
import warnings as python_warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.sem.estimators import EstimatorSpec, resolve
from psm_analysis.sem.inference import admissibility
from psm_analysis.sem.options import FitOptions
from psm_analysis.sem.partable import TableOptions
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.syntax import ParsedModel
from psm_analysis.sem.teststat import ModelTest
from psm_analysis.sem.twolevel.clusters import cluster_statistics
from psm_analysis.sem.twolevel.estimation import (
    TwoLevelEstimation,
    baseline,
    estimate_levels,
    find_reference,
    level_test,
    parameter_covariance,
)
from psm_analysis.sem.twolevel.measures import level_measures
from psm_analysis.sem.twolevel.result import TwoLevelResult, level_sample
from psm_analysis.sem.twolevel.tables import build_levels


def fit_two_level(
    parsed: ParsedModel,
    data: pd.DataFrame | None,
    *,
    model: str,
    options: FitOptions,
    growth_curve: bool,
    level: int = 4,
) -> TwoLevelResult:
    """Fit a model with ``level:`` blocks by maximum likelihood."""
    spec = _checked(options)
    if data is None:
        raise DataError(
            "A two-level model needs rows.", where="argument 'data'", remedy="Give data=, with the clusters."
        )
    assert options.cluster is not None
    levels = build_levels(parsed, _table_options(options, growth_curve), cluster=options.cluster)
    statistics = cluster_statistics(data, within=levels.names(1), between=levels.names(2), cluster=options.cluster)
    reference = find_reference(levels, statistics)
    e = estimate_levels(levels, reference, spec)
    vcov = np.full((e.problem.n_free, e.problem.n_free), math.nan)
    test = base = ModelTest(math.nan, e.df)
    notes = [NOT_CONVERGED]
    if e.solution.converged:
        vcov, test, base = parameter_covariance(e), level_test(e), baseline(e)
        notes = inadmissible(e)
        if e.nobs * e.solution.value < -1e-4:
            notes.append(BETTER_THAN_SATURATED)
    for note in notes:
        python_warnings.warn(note, PsmAnalysisWarning, stacklevel=level)
    return TwoLevelResult(
        model=model,
        table=levels.table,
        sample=level_sample(e, n_rows=len(data)),
        problem=e.problem,
        constraints=e.constraints,
        solution=e.solution,
        free_vcov=vcov,
        fit_measures=level_measures(e, test, base),
        warnings=tuple(notes),
        estimator=spec.name,
        engine="native",
        spec=spec,
        levels=levels,
    )


def _table_options(options: FitOptions, growth_curve: bool) -> TableOptions:
    return TableOptions(
        meanstructure=True,
        std_lv=options.std_lv,
        orthogonal=options.orthogonal,
        fixed_x=options.fixed_x is not False,
        growth=growth_curve,
    )


def _checked(options: FitOptions) -> EstimatorSpec:
    """Return the estimator, or raise an OptionError for what two-level models do not have."""
    if options.cluster is None:
        raise OptionError(
            "The model has 'level:' blocks, but no cluster variable is named.",
            where="argument 'cluster'",
            remedy="Give cluster=, the column that says which unit a row belongs to.",
        )
    refused = {
        "group": options.group is not None,
        "ordered": bool(options.ordered),
        "sampling_weights": options.sampling_weights is not None,
        "missing": options.missing != "listwise",
        "sample_cov": options.sample_cov is not None,
        "rotation": options.rotation is not None,
        "engine": options.engine != "native",
        "meanstructure": options.meanstructure is False,
    }
    for name, given in refused.items():
        if given:
            raise OptionError(
                f"{name}= is not available in two-level models.",
                where=f"argument {name!r}",
                remedy="Leave it out: two-level models are fitted to the complete rows of one group, by ML or MLR.",
            )
    spec = resolve(
        options.estimator or "ML", missing="listwise", se=options.se, test=options.test, information=options.information
    )
    spec = replace(spec, information=options.information or "observed")
    if spec.function != "ML" or spec.se not in SE or spec.test not in ("standard", "yuan.bentler.mplus"):
        raise OptionError(
            f"estimator={spec.name!r} with se={spec.se!r} and test={spec.test!r} is not available in two-level models.",
            where="argument 'estimator'",
            remedy="Use estimator='ML', 'MLF' or 'MLR'.",
        )
    return spec


SE = ("standard", "first.order", "robust.huber.white", "none")


def inadmissible(e: TwoLevelEstimation) -> list[str]:
    """Return what is not admissible in a solution, one sentence each, level by level."""
    found = []
    for level in (1, 2):
        single = Problem((e.problem.layouts[level - 1],), (), (), e.problem.base, e.problem.position)
        parameters = tuple(replace(p, group=int(p.group == level)) for p in e.levels.table.parameters)
        roles = e.levels.within if level == 1 else e.levels.between
        table = replace(e.levels.table, parameters=parameters, roles=roles)
        found += [f"Level {level}: {note}" for note in admissibility(table, single, e.solution.x, group_labels=[""])]
    return found


BETTER_THAN_SATURATED = (
    "The model fits better than the saturated model, whose variances between clusters are kept from being negative: "
    "chi-square is set to 0 and is no test. Fix the negative variances to 0."
)
NOT_CONVERGED = (
    "No minimum was found from any start: the estimates are not a solution, and there are no standard errors. "
    "Look for a variance between clusters near 0, a factor with weak indicators, or too few clusters."
)
