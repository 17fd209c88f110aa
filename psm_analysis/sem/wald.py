"""``wald_test``: hypotheses about the parameters of a fit, without fitting the restricted model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from psm_analysis._results import Result
from psm_analysis.errors import ModelError
from psm_analysis.sem.formulas import chisq_p_value
from psm_analysis.sem.problem import constraint_system
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.syntax import parse_constraints


@dataclass(frozen=True, slots=True, repr=False)
class WaldTest(Result):
    """A Wald test.

    Attributes
    ----------
    frame
        One row per hypothesis; see :meth:`tidy`.
    statistic, df, p_value
        The joint test.
    """

    frame: pd.DataFrame
    statistic: float
    df: int
    p_value: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per hypothesis: ``hypothesis, estimate`` (left minus right), ``std_error, statistic`` (z)."""
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the joint test."""
        return pd.DataFrame([{"statistic": self.statistic, "df": self.df, "p_value": self.p_value}])


def wald_test(result: SemResult, hypotheses: str) -> WaldTest:
    """Test equalities among labelled parameters: ``W = c' (J V J')^-1 c``.

    ``c`` is left minus right of the hypotheses, ``J`` their derivatives by the free parameters and ``V`` the covariance
    matrix of these (robust if the estimator is).

    Parameters
    ----------
    result
        A fit whose parameters bear labels.
    hypotheses
        Lines such as ``"a == b; c == 0"``; definitions (``:=``) of the model may be used.

    Returns
    -------
    WaldTest
        The joint test, chi-square with as many degrees of freedom as there are hypotheses, and each one's z.

    Raises
    ------
    ModelSyntaxError, ModelError
        For text that is not an equality, unknown labels, hypotheses that contradict or repeat each other.

    References
    ----------
    Wald, A. (1943). Tests of statistical hypotheses concerning several parameters. Transactions of the American
    Mathematical Society, 54, 426-482.

    Examples
    --------
    >>> import pandas as pd
    >>> import psm_analysis as psm
    >>> names = ["x1", "x2", "x3", "x4"]
    >>> r = pd.DataFrame([[1, .5, .4, .3], [.5, 1, .4, .3], [.4, .4, 1, .2], [.3, .3, .2, 1]], names, names)
    >>> fit = psm.cfa("f =~ x1 + a*x2 + b*x3 + x4", sample_cov=r, sample_nobs=200)
    >>> test = psm.wald_test(fit, "a == b")
    >>> round(test.statistic, 3), test.df
    (2.072, 1)
    """
    constraints = parse_constraints(hypotheses)
    if any(constraint.op != "==" for constraint in constraints):
        raise ModelError("A Wald test needs equalities.", where="argument 'hypotheses'", remedy="Write 'a == b'.")
    table = replace(result.table, constraints=(*result.table.definitions, *constraints))
    values, jacobian = constraint_system(table).equal(result.problem, result.solution.x)
    spread = jacobian @ result.free_vcov @ jacobian.T
    errors = np.sqrt(np.maximum(np.diagonal(spread), 0.0))
    if not (errors > 0).all() or np.linalg.matrix_rank(spread / np.outer(errors, errors)) < len(values):
        raise ModelError(
            "The hypotheses repeat each other, or hold by the constraints of the model already.",
            where="argument 'hypotheses'",
            remedy="Leave out those that follow from the others.",
        )
    statistic = float(values @ np.linalg.solve(spread, values))
    frame = pd.DataFrame(
        {
            "hypothesis": [f"{c.lhs} == {c.rhs}" for c in constraints],
            "estimate": values,
            "std_error": errors,
            "statistic": values / errors,
            "p_value": [chisq_p_value(float(z) ** 2, 1) for z in values / errors],
        }
    )
    return WaldTest(frame, statistic, len(values), chisq_p_value(statistic, len(values)))
