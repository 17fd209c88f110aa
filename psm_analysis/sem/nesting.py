"""How a restricted model sits inside a less restricted one: at which point, and under which restrictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.linalg

from psm_analysis._options import RestrictionMethod
from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.estimate import Estimation
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sandwich import moment_slopes


def estimation_of(result: SemResult) -> Estimation:
    """Return the estimation behind a result."""
    measures = result.fit_measures
    return Estimation(
        table=result.table,
        sample=result.sample,
        spec=result.spec,
        problem=result.problem,
        constraints=result.constraints,
        solution=result.solution,
        npar=int(measures["npar"]),
        df=int(measures["df"]),
    )


def embedding(free: Estimation, restricted: Estimation) -> tuple[Array, Array]:
    """Return where the restricted solution lies among the free parameters of the other model, and the Jacobian.

    A parameter that the restricted model does not have is 0 there. Shapes ``(n_free,)`` and ``(n_free, n_restricted)``.
    """
    values = restricted.problem.expand(restricted.solution.x)
    rows = {(p.key, p.group): i for i, p in enumerate(restricted.table.parameters)}
    x = np.zeros(free.problem.n_free)
    slopes = np.zeros((free.problem.n_free, restricted.problem.n_free))
    for parameter, place in zip(free.table.parameters, free.problem.position, strict=True):
        row = rows.get((parameter.key, parameter.group))
        if place < 0 or row is None:
            continue
        x[place] = values[row]
        slopes[place] = 0.0
        if restricted.problem.position[row] >= 0:
            slopes[place, restricted.problem.position[row]] = 1.0
    return x, slopes


def at_restricted(free: Estimation, restricted: Estimation) -> Estimation:
    """Return the less restricted model at the estimates of the other one, not fitted."""
    x, _ = embedding(free, restricted)
    return replace(free, solution=replace(free.solution, x=x, value=free.problem.value(x)))


def restrictions(free: Estimation, restricted: Estimation, *, method: RestrictionMethod) -> tuple[Array, Array]:
    """Return ``A`` and ``Z``: the restricted model holds ``A z = 0`` in the directions Z of the free one.

    ``exact`` compares the parameters; ``delta`` the derivatives of the moments, which needs no common parameters
    (``A`` is orthogonal to ``H = (Delta_1)^+ Delta_0``; Satorra, 2000, section 4).

    Raises
    ------
    ModelError
        If the restrictions do not account for the difference in degrees of freedom: the models are not nested.
    """
    units: float | Array = 1.0
    Z1, Z0 = free_directions(free.solution.jacobian), free_directions(restricted.solution.jacobian)
    if method == "exact":
        moved = embedding(free, restricted)[1] @ Z0
        H = Z1.T @ moved
        nested = np.allclose(Z1 @ H, moved, atol=1e-7) and _is_inside(free, restricted)
    else:
        groups = range(len(free.sample.groups))
        slopes1 = np.vstack([moment_slopes(free, g) for g in groups]) @ Z1
        slopes0 = np.vstack([moment_slopes(restricted, g) for g in groups]) @ Z0
        units = _norms(slopes1)
        H, nested = np.linalg.pinv(slopes1 / units) @ (slopes0 / _norms(slopes0)), True
    A = scipy.linalg.null_space(H.T).T * units
    if not nested or len(A) != restricted.df - free.df:
        raise ModelError(
            f"The models are not nested: {len(A)} restrictions for {restricted.df - free.df} degrees of freedom.",
            where=f"method of restrictions {method!r}",
            remedy="Compare models of which one is a special case of the other, or use method='satorra.bentler.2001'.",
        )
    return A, Z1


def _norms(slopes: Array) -> Array:
    """Return the norms of the columns, 1 for one of zeros: ranks must not depend on the units of the variables."""
    norms = np.linalg.norm(slopes, axis=0)
    return np.where(norms > 0, norms, 1.0)


def _is_inside(free: Estimation, restricted: Estimation) -> bool:
    """Tell whether what the free model fixes (or leaves out, at 0) has the same value in the restricted one."""
    fixed = {(p.key, p.group): p for p in free.table.parameters}
    for parameter in restricted.table.parameters:
        if parameter.exogenous or parameter.derived:
            continue
        twin = fixed.get((parameter.key, parameter.group))
        if twin is not None and twin.free:
            continue
        if parameter.free or parameter.value != (0.0 if twin is None else twin.value):
            return False
    return True
