"""Precision of the estimates: covariance matrix of the free parameters, identification, admissibility."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimators import EstimatorSpec
from psm_analysis.sem.partable import Parameter, ParameterTable
from psm_analysis.sem.problem import Problem
from psm_analysis.sem.sample import Sample
from psm_analysis.sem.symmetric import eigen, least_eigenvalue

SINGULAR = 1e-11


def free_directions(jacobian: Array) -> Array:
    """Return a basis of the directions in which the active constraints let the parameters move."""
    n = jacobian.shape[1]
    return scipy.linalg.null_space(jacobian) if len(jacobian) else np.eye(n)


def covariance(information: Array, jacobian: Array, *, nobs: int, names: Sequence[str]) -> Array:
    """Return the covariance matrix of the free parameters.

    With the information of one observation ``I`` and a basis ``Z`` of the directions that constraints leave free:
    ``Z (Z' I Z)^-1 Z' / N`` (Silvey, 1959; Aitchison & Silvey, 1958).

    Raises
    ------
    ModelError
        If the information is singular: the named parameters are not identified.
    """
    Z = free_directions(jacobian)
    if not Z.shape[1]:
        return np.zeros_like(information)
    inner = Z.T @ information @ Z
    scale = np.sqrt(np.maximum(inner.diagonal(), 1e-300))
    values, vectors = eigen(inner / np.outer(scale, scale))
    if values[0] < SINGULAR:
        unit = np.sqrt(np.maximum(np.diagonal(information), 1e-300))
        loose = Z @ (vectors[:, values < SINGULAR] / scale[:, None])
        raise _not_identified(np.linalg.norm(loose, axis=1) * unit, names)
    root = (Z / scale) @ (vectors / np.sqrt(values))
    return np.asarray(root @ root.T / nobs)


def _not_identified(share: Array, names: Sequence[str]) -> ModelError:
    largest = np.sort(np.argsort(-share, kind="stable")[:12])
    involved = [names[i] for i in largest if share[i] > 0.1 * share.max()]
    return ModelError(
        "The model is not identified: the data cannot tell these parameters apart.",
        where=", ".join(involved),
        remedy="Fix one of them (for example a loading or a factor variance to 1), or simplify the model.",
    )


def parameter_names(table: ParameterTable, problem: Problem) -> list[str]:
    """Return a name for each free parameter: its label, or ``lhs op rhs`` with the group if there are several."""
    names = [""] * problem.n_free
    for parameter, place in zip(table.parameters, problem.position, strict=True):
        if place >= 0 and not names[place]:
            group = f".g{parameter.group}" if table.options.n_groups > 1 and parameter.group > 1 else ""
            names[place] = parameter.label or f"{parameter.lhs}{parameter.op}{parameter.rhs}{group}"
    return names


def admissibility(table: ParameterTable, problem: Problem, x: Array, *, group_labels: Sequence[str]) -> list[str]:
    """Return what is not admissible in a solution, one sentence each.

    Negative variances (Heywood cases) and covariance matrices of factors or residuals that are not positive definite.
    """
    found = []
    values = problem.expand(x)
    for g, (label, implied) in enumerate(zip(group_labels, problem.implied(x), strict=True)):
        place = f" in group {label!r}" if label else ""
        negative = [p for p, v in zip(table.parameters, values, strict=True) if v < 0 and _is_variance(p, g + 1)]
        found += [
            f"The estimated {'residual ' if p.lhs in table.roles.indicators else ''}variance of {p.lhs!r} is "
            f"negative{place} (a Heywood case)."
            for p in negative
        ]
        n_latent = len(problem.layouts[g].factors)
        C = implied.C[:n_latent, :n_latent]
        if n_latent > 1 and not negative and least_eigenvalue(C) < -1e-10 * np.abs(C.diagonal()).max():
            found.append(
                f"The covariance matrix of the factors is not positive definite{place}: a correlation is above 1, "
                "or factors depend on each other."
            )
        Theta = implied.matrices.Theta
        if not negative and least_eigenvalue(Theta) < -1e-10 * max(np.abs(Theta.diagonal()).max(), 1e-300):
            found.append(f"The covariance matrix of the residuals is not positive definite{place}.")
    return found


def unit_doubts(sample: Sample, spec: EstimatorSpec) -> list[str]:
    """Return what is doubtful about the units of continuous variables under unweighted least squares."""
    if spec.function != "ULS" or sample.groups[0].ordinal is not None:
        return []
    found = []
    for group in sample.groups:
        sd = np.sqrt(np.diagonal(group.cov))
        most, least = int(sd.argmax()), int(sd.argmin())
        if sd[most] > FAR_APART * sd[least]:
            place = f" in group {group.label!r}" if group.label else ""
            found.append(
                f"{sample.names[most]!r} varies {sd[most] / sd[least]:.0f} times as much as {sample.names[least]!r}"
                f"{place}: unweighted least squares depends on units, and hardly sees the latter. Bring them to like "
                "units, or use another estimator."
            )
    return found


FAR_APART = 100.0


def _is_variance(p: Parameter, group: int) -> bool:
    return p.group == group and p.op == "~~" and p.lhs == p.rhs and p.free
