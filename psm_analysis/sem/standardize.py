"""Standardized solutions: each estimate times a factor made of implied standard deviations, with delta-method errors.

``std_lv`` scales the factors to variance 1, ``std_all`` the observed variables too, ``std_nox`` all but exogenous ones.
Covariances of residuals are scaled by residual standard deviations and so become correlations (Bollen, 1989, p. 349).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from psm_analysis.sem.arrays import Array
from psm_analysis.sem.implied import Implied, imply
from psm_analysis.sem.matrices import BETA, DELTA, LAMBDA, NU, PSI, TAU, THETA, Layout
from psm_analysis.sem.problem import Problem, expand_complex

Kind = Literal["std_lv", "std_all", "std_nox"]


@dataclass(frozen=True, slots=True)
class _Scales:
    """Standard deviations of one group: of ``eta``, of ``y``, and of their residuals."""

    eta: Any
    y: Any
    zeta: Any
    epsilon: Any


def standardized(problem: Problem, values: Any, *, kind: Kind, exogenous: frozenset[str]) -> Any:
    """Return all parameters of the table standardized; ``values`` of shape ``(..., n_parameters)``, complex allowed."""
    return scaled(problem, values, population(problem, values), kind=kind, exogenous=exogenous)


def scaled(problem: Problem, values: Any, implied: Sequence[Implied], *, kind: Kind, exogenous: frozenset[str]) -> Any:
    """Return the same by the moments of the population that the parameters imply."""
    found = values.copy()
    for layout, moments in zip(problem.layouts, implied, strict=True):
        found[..., layout.rows] *= factors(layout, moments, kind=kind, exogenous=exogenous)
    return found


def population(problem: Problem, values: Any) -> list[Implied]:
    """Return the implied moments of every group, not conditional on anything."""
    return [imply(unconditional(layout), values) for layout in problem.layouts]


def unconditional(layout: Layout) -> Layout:
    """Return the layout without given variables, whose moments are those of the whole population."""
    return replace(layout, given=layout.given[:0]) if layout.given.size else layout


@np.errstate(divide="ignore", invalid="ignore")
def factors(layout: Layout, implied: Implied, *, kind: Kind, exogenous: frozenset[str]) -> Any:
    """Return what each parameter of a group is multiplied by."""
    s = _scales(layout, implied, kind=kind, exogenous=exogenous)
    shape = (*implied.Sigma.shape[:-2], len(layout.rows))
    found = np.ones(shape, dtype=implied.Sigma.dtype)
    for code, here, row, column in layout.places:
        variance = row == column
        if code == LAMBDA:
            found[..., here] = s.eta[..., column] / s.y[..., row]
        elif code == BETA:
            found[..., here] = s.eta[..., column] / s.eta[..., row]
        elif code == PSI:
            found[..., here] = 1.0 / np.where(variance, s.eta[..., row] ** 2, s.zeta[..., row] * s.zeta[..., column])
        elif code == THETA:
            residual = s.epsilon[..., row] * s.epsilon[..., column]
            found[..., here] = 1.0 / np.where(variance, s.y[..., row] ** 2, residual)
        elif code == TAU:
            found[..., here] = 1.0 / s.y[..., layout.threshold_item[row]]
        elif code == DELTA:
            found[..., here] = 1.0 if kind == "std_lv" else 1.0 / implied.matrices.delta[..., row]
        else:
            found[..., here] = 1.0 / (s.y if code == NU else s.eta)[..., row]
    return found


def _scales(layout: Layout, implied: Implied, *, kind: Kind, exogenous: frozenset[str]) -> _Scales:
    s = _deviations(implied)
    if kind == "std_all":
        return s
    keep_y = np.array([kind == "std_lv" or name in exogenous for name in layout.observed], dtype=bool)
    keep_eta = (layout.dummies >= 0) & keep_y[layout.dummies]
    return _Scales(
        eta=np.where(keep_eta, 1.0, s.eta),
        y=np.where(keep_y, 1.0, s.y),
        zeta=np.where(keep_eta, 1.0, s.zeta),
        epsilon=np.where(keep_y, 1.0, s.epsilon),
    )


def _deviations(implied: Implied) -> _Scales:
    """Return all standard deviations, nan for variances that are not positive; worked out once for all moments."""
    if "deviations" not in implied.memo:
        matrices = (implied.C, implied.Sigma, implied.matrices.Psi, implied.matrices.Theta)
        implied.memo["deviations"] = _Scales(*map(_roots, matrices))
    found: _Scales = implied.memo["deviations"]
    return found


def _roots(matrix: Any) -> Any:
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
    positive = diagonal.real > 0
    return np.where(positive, np.sqrt(np.where(positive, diagonal, 1.0)), np.nan)


def standardized_jacobian(problem: Problem, x: Array, *, kind: Kind, exogenous: frozenset[str]) -> Array:
    """Return the derivative of the standardized parameters with respect to the free ones, by complex steps.

    Shape ``(n_parameters, n_free)``; exact to machine precision (Squire & Trapp, 1998).
    """
    step = 1e-30
    points = x + 1j * step * np.eye(len(x))
    moved = standardized(problem, expand_complex(problem, points), kind=kind, exogenous=exogenous)
    return np.asarray(moved.imag.T / step)
