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
        """Return one row per parameter that is tied to an earlier one.

        Columns: ``lhs, op, rhs, group, statistic`` (on 1 df), ``p_value, epc`` (how far the parameter would move from
        the common value).
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
        A fit in which parameters are equal: by `group_equal`, by labels or by ``equal()``.

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
    rows = tied_rows(result)
    if not len(rows):
        raise ModelError(
            "No parameters of the fit are equal.",
            where="score_tests",
            remedy="Fit with group_equal=[...], or give parameters the same label.",
        )
    score, V, good = released_scores(result, rows)
    diagonal = np.diagonal(V)
    statistic = np.where(good, estimation_of(result).scale * score**2 / np.where(good, diagonal, 1.0), np.nan)
    parameters = [result.table.parameters[i] for i in rows]
    frame = pd.DataFrame(
        {
            "lhs": [p.lhs for p in parameters],
            "op": [p.op for p in parameters],
            "rhs": [p.rhs for p in parameters],
            "group": [result.group_labels[p.group - 1] for p in parameters],
            "statistic": statistic,
            "p_value": _tail(1, statistic),
            "epc": np.where(good, score / np.where(good, diagonal, 1.0), np.nan),
        }
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


def released_scores(result: SemResult, rows: Sequence[int] | Index) -> tuple[Array, Array, Mask]:
    """Return the scores of one observation for parameters of their own, and their information given all others.

    The information of each is that with all other equalities in force; rows of fixed parameters may be among them. The
    last array tells of which there is any.
    """
    problem, n = result.problem, result.problem.n_free
    places = result.problem.position[rows]
    within = np.where(places[:, None] >= 0, np.eye(n)[places], 0.0)
    position = problem.position.copy()
    position[rows] = n + np.arange(len(rows))
    wide = replace(problem, position=position)
    x = np.concatenate([result.solution.x, result.estimates[rows]])
    gradient, information = wide.derivatives(x)
    tied = np.vstack([np.eye(n), within]) @ free_directions(result.solution.jacobian)
    if are_far_apart(wide):
        V = information_given(wide, x, free=tied, tested=np.eye(len(x))[:, n:])
    else:
        cross = information[n:] @ tied
        V = information[n:, n:] - cross @ np.linalg.solve(tied.T @ information @ tied, cross.T)
    return -gradient[n:] / 2.0, V, np.diagonal(V) > 1e-9 * np.diagonal(information)[n:]


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
