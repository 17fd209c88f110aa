"""``group_differences``: do paths and effects differ between the groups of a fit?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from psm_analysis._options import EffectInterval
from psm_analysis._results import Result
from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.effect_inference import Uncertainty, uncertainty_of
from psm_analysis.sem.effect_paths import Effect, comparable_effects, products
from psm_analysis.sem.formulas import chisq_p_value
from psm_analysis.sem.result import SemResult


@dataclass(frozen=True, slots=True, repr=False)
class GroupDifferences(Result):
    """Differences of paths and effects between groups.

    Attributes
    ----------
    frame
        One row per path or effect and pair of groups; see :meth:`tidy`.
    tests
        One row per path or effect, the Wald test that it is the same in all groups: ``effect, kind, statistic, df,
        p_value``.
    interval, level
        Kind and level of the intervals.
    """

    frame: pd.DataFrame
    tests: pd.DataFrame
    interval: EffectInterval
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per difference, first group minus second.

        Columns: ``effect, kind, predictor, outcome, group, other_group, estimate, std_error, statistic, p_value,
        ci_low, ci_high``. What is equal by constraint has a difference and an error of 0 and no test.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: how much was compared, and the smallest p value of the Wald tests."""
        row = {"effects": len(self.tests), "differences": len(self.frame), "interval": self.interval}
        return pd.DataFrame([row | {"level": self.level, "smallest_p_value": self.tests["p_value"].min()}])


def group_differences(
    result: SemResult,
    *,
    predictor: str | None = None,
    outcome: str | None = None,
    interval: EffectInterval = "delta",
    bootstrap: BootstrapResult | None = None,
    n: int = 20_000,
    seed: int = 0,
    level: float = 0.95,
) -> GroupDifferences:
    """Compare every regression path and every effect made of paths between the groups of a fit.

    Each pair of groups has a difference with its interval; each path or effect has a Wald test that it is the same in
    all groups, ``W = d' V^-1 d`` with the differences ``d`` from the first group and their covariance matrix ``V``.
    Unstandardized coefficients of latent variables can be compared if loadings are invariant: give
    ``group_equal=["loadings"]`` to the fit.

    Parameters
    ----------
    result
        A fit with ``group=``.
    predictor, outcome
        Where paths begin and end; by default all.
    interval, bootstrap, n, seed, level
        As for :func:`indirect_effects`.

    Returns
    -------
    GroupDifferences
        Differences in ``tidy()``, Wald tests in ``tests``.

    Raises
    ------
    ModelError
        For a fit of one group, without regressions, or that did not converge.
    OptionError
        For a variable without regressions or replicates of another fit.

    References
    ----------
    Ryu, E., & Cheong, J. (2017). Comparing indirect effects in different groups in single-group and multi-group
    structural equation models. Frontiers in Psychology, 8, 747.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> data = pd.DataFrame({"x": rng.normal(size=400), "sex": ["f", "m"] * 200})
    >>> data["y"] = np.where(data.sex == "f", 0.6, 0.0) * data.x + rng.normal(size=400)
    >>> found = psm.group_differences(psm.sem("y ~ x", data, group="sex"))
    >>> found.tidy()[["effect", "group", "other_group", "estimate"]].round(2).values.tolist()
    [['x -> y', 'f', 'm', 0.6]]
    """
    labels = result.group_labels
    if len(labels) < 2:
        raise ModelError(
            "The fit has one group, so there is nothing to compare.",
            where="argument 'result'",
            remedy="Fit the model with group='column'.",
        )
    source = uncertainty_of(result, interval=interval, bootstrap=bootstrap, n=n, seed=seed, level=level)
    effects = comparable_effects(result.table, predictor=predictor, outcome=outcome)
    rows = [_differences(parts, source, labels) for parts in effects]
    tests = [_test(parts, source) for parts in effects]
    return GroupDifferences(pd.concat(rows, ignore_index=True), pd.DataFrame(tests), source.interval, source.level)


def _differences(parts: Sequence[Effect], source: Uncertainty, labels: Sequence[str]) -> pd.DataFrame:
    pairs = list(combinations(range(len(parts)), 2))
    first, second = [a for a, _ in pairs], [b for _, b in pairs]

    def minus(values: Array) -> Array:
        found = products(parts, values)
        return np.asarray(found[..., first] - found[..., second])

    names = pd.DataFrame([_names(parts[0]) for _ in pairs])
    names["group"] = [labels[parts[a].group - 1] for a in first]
    names["other_group"] = [labels[parts[b].group - 1] for b in second]
    return pd.concat([names, source.frame(minus)], axis=1)


def _names(effect: Effect) -> dict[str, str]:
    return {"effect": effect.name, "kind": effect.kind, "predictor": effect.predictor, "outcome": effect.outcome}


def _test(parts: Sequence[Effect], source: Uncertainty) -> dict[str, object]:
    def from_first(values: Array) -> Array:
        found = products(parts, values)
        return np.asarray(found[..., 1:] - found[..., :1])

    d, V = from_first(source.fit.estimates[None])[0], source.covariance(from_first)
    df = int(np.linalg.matrix_rank(V, tol=1e-12 * max(1.0, float(np.abs(V).max()))))
    statistic = float(d @ np.linalg.pinv(V, hermitian=True) @ d) if df else float("nan")
    p_value = chisq_p_value(statistic, df) if df else float("nan")
    return {"effect": parts[0].name, "kind": parts[0].kind, "statistic": statistic, "df": df, "p_value": p_value}
