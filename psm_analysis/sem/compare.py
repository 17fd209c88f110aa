"""``compare``: nested models side by side, with likelihood-ratio tests and differences of fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from psm_analysis._options import DifferenceMethod, RestrictionMethod, check_option
from psm_analysis._results import Result
from psm_analysis.errors import DataError, ModelError, OptionError
from psm_analysis.sem.difference_test import DifferenceTest, difference_test
from psm_analysis.sem.nesting import estimation_of
from psm_analysis.sem.reported import measure_kind, measures_of
from psm_analysis.sem.result import SemResult

DIFFERENCES = ("cfi", "rmsea", "srmr", "aic", "bic")


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Result):
    """Models from the least to the most restricted, each against the one before.

    Attributes
    ----------
    frame
        One row per model; see :meth:`tidy`.
    tests
        The difference test of each model against the one before.
    method
        How the difference was tested.
    measures
        Which CFI and RMSEA stand in the table: ``standard``, ``scaled`` or ``robust``.
    warnings
        What is doubtful: a restricted model that fits better than a free one.
    """

    frame: pd.DataFrame
    tests: tuple[DifferenceTest, ...]
    method: str
    measures: str
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per model.

        Columns: ``model, df, chisq, npar, aic, bic, cfi, rmsea, srmr, statistic`` (of the difference test), ``df_diff,
        p_value`` and ``delta_cfi, delta_rmsea, delta_srmr, delta_aic, delta_bic`` against the row before.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the number of models, the method, and the last difference test."""
        last = self.tests[-1]
        row = {"n_models": len(self.frame), "method": self.method, "measures": self.measures}
        return pd.DataFrame([row | {"statistic": last.statistic, "df": last.df, "p_value": last.p_value}])


def compare(
    *fits: SemResult,
    names: Sequence[str] | None = None,
    method: DifferenceMethod | None = None,
    restriction: RestrictionMethod = "delta",
) -> Comparison:
    """Compare nested models: likelihood-ratio test and differences of CFI, RMSEA, SRMR, AIC and BIC.

    The models are put in the order of their degrees of freedom. With ``T_0, T_1`` the unscaled chi-squares of the
    restricted and the free model on ``d_0, d_1`` degrees of freedom and ``c_0, c_1`` their scaling factors,

    - ``standard``: ``T_0 - T_1``;
    - ``satorra.bentler.2001``: ``(T_0 - T_1) / c`` with ``c = (d_0 c_0 - d_1 c_1) / (d_0 - d_1)``; the default for MLM
      and MLR. It is undefined (nan) if c is not positive;
    - ``satorra.bentler.2010``: the same with ``c_1`` at the estimates of the restricted model, where c is positive;
    - ``satorra.2000``: scaled, adjusted or shifted by the traces of the restrictions; the default for WLSMV, ULSMV,
      MLMV and MLMVS (the test that Mplus calls DIFFTEST).

    Parameters
    ----------
    *fits
        Two or more results on the same rows by the same estimator.
    names
        What the models are called, in the order of `fits`; numbered by default.
    method
        Of the difference test, if not that which goes with the estimator.
    restriction
        How ``satorra.2000`` finds the restrictions: ``delta`` from derivatives of the moments, ``exact`` from the
        parameters.

    Returns
    -------
    Comparison
        One row per model in ``tidy()``.

    Raises
    ------
    OptionError
        For fewer than two fits, different estimators, or a method that does not go with them.
    DataError
        If rows, groups or variables differ.
    ModelError
        If two models have equally many degrees of freedom, a fit did not converge, or models are not nested.

    References
    ----------
    Satorra, A., & Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment structure analysis.
    Psychometrika, 66, 507-514.
    Satorra, A., & Bentler, P. M. (2010). Ensuring positiveness of the scaled difference chi-square test statistic.
    Psychometrika, 75, 243-248.
    Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment structures. The
    equivalent in R is ``lavaan::lavTestLRT``.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> names = ["x1", "x2", "x3", "x4"]
    >>> r = pd.DataFrame([[1, .5, .4, .3], [.5, 1, .4, .3], [.4, .4, 1, .2], [.3, .3, .2, 1]], names, names)
    >>> free = psm.cfa("f =~ x1 + x2 + x3 + x4", sample_cov=r, sample_nobs=200)
    >>> equal = psm.cfa("f =~ x1 + a*x2 + a*x3 + x4", sample_cov=r, sample_nobs=200)
    >>> found = psm.compare(free, equal)
    >>> found.tidy()[["model", "df", "statistic", "df_diff"]].round(2).values.tolist()
    [['1', 2, nan, nan], ['2', 3, 2.23, 1.0]]
    """
    if method is not None:
        check_option(method, DifferenceMethod, name="method")
    check_option(restriction, RestrictionMethod, name="restriction")
    labels = list(names) if names is not None else [str(i + 1) for i in range(len(fits))]
    if len(fits) < 2 or len(labels) != len(fits):
        raise OptionError(
            f"{len(fits)} fits and {len(labels)} names were given.",
            where="arguments of compare",
            remedy="Give two fits or more, and one name for each.",
        )
    for fit, label in zip(fits, labels, strict=True):
        if not isinstance(fit, SemResult):
            raise OptionError(
                f"What is compared as {label!r} is no fit but a {type(fit).__name__}.",
                where="arguments of compare",
                remedy="Give results of psm.sem, psm.cfa or psm.growth.",
            )
    order = sorted(range(len(fits)), key=lambda i: fits[i].fit_measures["df"])
    ordered, labels = [fits[i] for i in order], [labels[i] for i in order]
    for fit, label in zip(ordered, labels, strict=True):
        _check_same(ordered[0], fit, label)
    tests = tuple(_test(free, restricted, method, restriction) for free, restricted in pairwise(ordered))
    kind = measure_kind(ordered)
    return Comparison(_frame(ordered, labels, tests, kind), tests, tests[0].method, kind, _doubts(labels, tests))


def _test(
    free: SemResult, restricted: SemResult, method: DifferenceMethod | None, restriction: RestrictionMethod
) -> DifferenceTest:
    if free.fit_measures["df"] == restricted.fit_measures["df"]:
        raise ModelError(
            f"Two models have {free.fit_measures['df']:.0f} degrees of freedom each: neither is nested in the other.",
            where="arguments of compare",
            remedy="Compare them by AIC or BIC of their fit_measures.",
        )
    chisq = restricted.fit_measures["chisq"] - free.fit_measures["chisq"]
    e1, e0 = estimation_of(free), estimation_of(restricted)
    if free.sample.names != restricted.sample.names:
        restriction = "exact"
    return difference_test(e1, e0, chisq=chisq, method=method, restriction=restriction)


def _check_same(first: SemResult, other: SemResult, label: str) -> None:
    where = f"model {label!r}"
    if not (first.converged and other.converged):
        raise ModelError("A model did not converge, so its chi-square means nothing.", where=where)
    if first.spec != other.spec or first.engine != other.engine:
        raise OptionError(
            f"The models were fitted in different ways: {first.estimator} and {other.estimator}.",
            where=where,
            remedy="Use the same estimator, missing, test and se in all of them.",
        )
    if first.table.options.meanstructure != other.table.options.meanstructure:
        raise OptionError("Only some models have a mean structure.", where=where, remedy="Use meanstructure=True.")
    if set(first.sample.names) != set(other.sample.names):
        differing = sorted(set(first.sample.names) ^ set(other.sample.names))
        raise DataError(
            f"The models have different observed variables: {', '.join(differing[:5])}.",
            where=where,
            remedy="Nested models explain the same variables: fix parameters to 0 in place of leaving variables out.",
        )
    same = first.group_labels == other.group_labels and _same_moments(first, other)
    if not same:
        raise DataError(
            "The models were fitted to different rows.",
            where=where,
            remedy="Fit all of them to the same data, with the same groups and the same treatment of missing values.",
        )


def _same_moments(first: SemResult, other: SemResult) -> bool:
    for g, (a, b) in enumerate(zip(first.sample.groups, other.sample.groups, strict=True)):
        names, others = first.problem.layouts[g].observed, other.problem.layouts[g].observed
        if set(names) != set(others):
            return False
        order = [others.index(name) for name in names]
        if a.nobs != b.nobs or not np.allclose(a.cov, b.cov[np.ix_(order, order)], rtol=1e-6, atol=1e-9):
            return False
    return True


def _frame(
    fits: Sequence[SemResult], labels: Sequence[str], tests: Sequence[DifferenceTest], kind: str
) -> pd.DataFrame:
    rows, before = [], dict.fromkeys(DIFFERENCES, math.nan)
    for fit, label, test in zip(fits, labels, [None, *tests], strict=True):
        now = measures_of(fit, kind)
        m = fit.fit_measures
        row = {"model": label, "df": int(m["df"]), "chisq": m["chisq"], "npar": int(m["npar"])}
        row |= {name: now[name] for name in ("aic", "bic", "cfi", "rmsea", "srmr")}
        row |= {
            "statistic": test.statistic if test else math.nan,
            "df_diff": test.df if test else math.nan,
            "p_value": test.p_value if test else math.nan,
        }
        rows.append(row | {f"delta_{name}": now[name] - before[name] for name in DIFFERENCES})
        before = now
    return pd.DataFrame(rows)


def _doubts(labels: Sequence[str], tests: Sequence[DifferenceTest]) -> tuple[str, ...]:
    found = []
    for label, test in zip(labels[1:], tests, strict=True):
        if math.isnan(test.statistic):
            found.append(
                f"The scaling factor of the difference at model {label!r} is not positive: use "
                "method='satorra.bentler.2010'."
            )
        elif test.statistic < -1e-4 and test.shift == 0.0:
            found.append(
                f"Model {label!r} fits better than the one before: they are not nested, or one is a local fit."
            )
    return tuple(found)
