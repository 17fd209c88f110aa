"""``score_tests``: what each equality constraint of a fit costs, without fitting the model that has it released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from psm_analysis._results import Result
from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array, Index, Mask
from psm_analysis.sem.far_apart import are_far_apart, information_given
from psm_analysis.sem.inference import free_directions
from psm_analysis.sem.nesting import estimation_of
from psm_analysis.sem.result import SemResult


@dataclass(frozen=True, slots=True, repr=False)
class ScoreTests(Result):
    """Score tests of the equality constraints of a fit.

    Attributes
    ----------
    frame
        One row per constraint; see :meth:`tidy`.
    statistic, df, p_value
        The total test: all constraints released at once.
    """

    frame: pd.DataFrame
    statistic: float
    df: int
    p_value: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per parameter that is tied to an earlier one, and one per constraint.

        Columns: ``lhs, op, rhs, group, statistic`` (on 1 df), ``p_value, epc`` (how far the parameter would move from
        the common value). A constraint ``lhs == rhs`` follows as such; its ``epc`` is the change of lhs - rhs.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the total test."""
        return pd.DataFrame([{"statistic": self.statistic, "df": self.df, "p_value": self.p_value}])


def score_tests(result: SemResult) -> ScoreTests:
    """Test each equality constraint of a fit, and all of them together, by Lagrange multipliers.

    With the score ``s`` of the released parameters and ``V`` their information given all others, the statistic of one
    is ``N s^2 / V`` and that of all is ``N s' V^+ s`` with the rank of V as degrees of freedom (for G groups and least
    squares N - G stands for N, as in chi-square). (lavaan counts the
    constraints instead, which is more where releasing all of them is not identified.)

    Parameters
    ----------
    result
        A fit in which parameters are equal: by `group_equal`, labels, ``equal()`` or constraints with ``==``.

    Returns
    -------
    ScoreTests
        Univariate tests in ``tidy()``, the total test in ``glance()``.

    Raises
    ------
    ModelError
        If nothing is equal, or the fit did not converge.

    References
    ----------
    Bentler, P. M., & Chou, C.-P. (1992). Some new covariance structure model improvement statistics. Sociological
    Methods & Research, 21, 259-282. The equivalent in R is ``lavaan::lavTestScore``.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> names = ["x1", "x2", "x3", "x4"]
    >>> r = pd.DataFrame([[1, .5, .4, .3], [.5, 1, .4, .3], [.4, .4, 1, .2], [.3, .3, .2, 1]], names, names)
    >>> fit = psm.cfa("f =~ x1 + a*x2 + a*x3 + x4", sample_cov=r, sample_nobs=200)
    >>> psm.score_tests(fit).tidy()[["rhs", "statistic"]].round(2).values.tolist()
    [['x3', 2.23]]
    """
    if not result.converged:
        raise ModelError("The fit did not converge, so it has no score tests.", where="score_tests")
    rows, equalities = tied_rows(result), result.constraints.equalities
    if not len(rows) and not equalities:
        raise ModelError(
            "No parameters of the fit are equal.",
            where="score_tests",
            remedy="Fit with group_equal=[...], give parameters the same label, or write a constraint with '=='.",
        )
    score, V, good = released_scores(result, rows, equalities=True)
    diagonal = np.diagonal(V)
    statistic = np.where(good, estimation_of(result).scale * score**2 / np.where(good, diagonal, 1.0), np.nan)
    parameters = [result.table.parameters[i] for i in rows]
    identity = [(p.lhs, p.op, p.rhs, result.group_labels[p.group - 1]) for p in parameters]
    identity += [(c.lhs, c.op, c.rhs, "") for c in equalities]
    frame = pd.DataFrame(identity, columns=["lhs", "op", "rhs", "group"]).assign(
        statistic=statistic,
        p_value=_tail(1, statistic),
        epc=np.where(good, score / np.where(good, diagonal, 1.0), np.nan),
    )
    total, df = joint_test(result, score, V)
    return ScoreTests(frame, total, df, float(_tail(df, np.array(total))))


def tied_rows(result: SemResult) -> Index:
    """Return the rows of the table whose place among the free parameters an earlier row has taken."""
    position = result.problem.position
    seen: set[int] = set()
    found = []
    for i, place in enumerate(position):
        if place >= 0 and int(place) in seen:
            found.append(i)
        seen.add(int(place))
    return np.array(found, dtype=np.intp)


def released_scores(
    result: SemResult, rows: Sequence[int] | Index, *, equalities: bool = False
) -> tuple[Array, Array, Mask]:
    """Return the scores of one observation for parameters of their own, and their information given all others.

    The information of each is that with all other equalities in force; rows of fixed parameters may be among them. The
    last array tells of which there is any. With `equalities` the constraints with ``==`` are released too: of those
    with the Jacobian J the k-th moves along the k-th column of ``J^+``, which leaves the others in force.
    """
    problem, n, jacobian = result.problem, result.problem.n_free, result.solution.jacobian
    places = result.problem.position[rows]
    within = np.where(places[:, None] >= 0, np.eye(n)[places], 0.0)
    position = problem.position.copy()
    position[rows] = n + np.arange(len(rows))
    wide = replace(problem, position=position)
    x = np.concatenate([result.solution.x, result.estimates[rows]])
    gradient, information = wide.derivatives(x)
    along = np.vstack([np.eye(n), within])
    tied, released = along @ free_directions(jacobian), np.eye(len(x))[:, n:]
    if equalities and result.constraints.equalities:
        moved = np.linalg.pinv(jacobian)[:, : len(result.constraints.equalities)]
        released = np.hstack([released, along @ moved])
    whole = released.T @ information @ released
    if are_far_apart(wide):
        V = information_given(wide, x, free=tied, tested=released)
    else:
        cross = released.T @ information @ tied
        V = whole - cross @ np.linalg.solve(tied.T @ information @ tied, cross.T)
    return -released.T @ gradient / 2.0, V, np.diagonal(V) > 1e-9 * np.diagonal(whole)


def joint_test(result: SemResult, score: Array, V: Array) -> tuple[float, int]:
    """Return ``N s' V^+ s`` and the rank of V: what cannot be told apart is not counted twice."""
    scale = np.sqrt(np.maximum(np.diagonal(V), 1e-300))
    values, vectors = np.linalg.eigh(V / np.outer(scale, scale))
    good = values > 1e-9 * values[-1]
    z = (vectors[:, good].T @ (score / scale)) / np.sqrt(values[good])
    return float(estimation_of(result).scale * (z @ z)), int(good.sum())


def _tail(df: int, statistic: Array) -> Array:
    from scipy import special

    return np.asarray(special.chdtrc(df, statistic))
