"""How far two implementations of an exploratory factor analysis are apart."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from psm_analysis._arguments import check_between
from psm_analysis._options import EfaEngine
from psm_analysis._results import Result, format_number
from psm_analysis.efa.fit import efa
from psm_analysis.efa.result import EfaResult
from psm_analysis.errors import PsmAnalysisWarning
from psm_analysis.rotation import congruence

_WORST = 5


@dataclass(frozen=True, slots=True, repr=False)
class EfaCrosscheck(Result):
    """The same factor analysis of the same correlations by two engines; factors matched by congruence.

    Attributes
    ----------
    first, second
        The result that was checked, and the one of the other engine.
    tolerance
        The largest difference of a loading that counts as agreement.
    """

    first: EfaResult
    second: EfaResult
    tolerance: float

    @property
    def matched(self) -> pd.DataFrame:
        """Loadings of the other engine, its factors in the order and with the signs of the checked ones."""
        likeness = congruence(self.second.loadings, self.first.loadings).to_numpy()
        other, mine = linear_sum_assignment(-np.abs(likeness))
        other = other[np.argsort(mine)]
        sign = np.sign(likeness[other, np.arange(len(other))])
        return pd.DataFrame(
            self.second.loadings.to_numpy()[:, other] * np.where(sign == 0.0, 1.0, sign),
            index=self.first.loadings.index,
            columns=self.first.loadings.columns,
        )

    @property
    def largest_difference(self) -> float:
        """The largest difference of a loading."""
        return float(self.tidy()["difference"].abs().max())

    @property
    def largest_communality_difference(self) -> float:
        """The largest difference of a communality, which no rotation changes."""
        return float((self.first.communalities - self.second.communalities).abs().max())

    @property
    def agree(self) -> bool:
        """Whether loadings and communalities all agree within the tolerance."""
        return max(self.largest_difference, self.largest_communality_difference) <= self.tolerance

    def tidy(self) -> pd.DataFrame:
        """Return one row per loading: item, factor, estimate, estimate_other, difference (checked minus other)."""
        frame = self.first.tidy()[["item", "factor", "estimate"]].copy()
        frame["estimate_other"] = self.matched.to_numpy().ravel()
        frame["difference"] = frame["estimate"] - frame["estimate_other"]
        return frame

    def glance(self) -> pd.DataFrame:
        """Return one row: engines, largest differences, tolerance, and whether they agree."""
        row = {
            "engine": self.first.engine,
            "engine_other": self.second.engine,
            "largest_difference": self.largest_difference,
            "largest_communality_difference": self.largest_communality_difference,
            "tolerance": self.tolerance,
            "agree": self.agree,
        }
        return pd.DataFrame([row])

    def summary(self) -> str:
        """Return the verdict, the largest differences, and the loadings that differ most."""
        verdict = "agree" if self.agree else "DO NOT AGREE"
        frame = self.tidy()
        worst = frame.loc[frame["difference"].abs().sort_values(ascending=False, kind="stable").index[:_WORST]]
        return "\n".join(
            [
                f"{self.first.engine} and {self.second.engine} {verdict} (tolerance {self.tolerance:g})",
                "",
                f"  Largest difference, loadings       {self.largest_difference:.1e}",
                f"  Largest difference, communalities  {self.largest_communality_difference:.1e}",
                "",
                "The loadings that differ most:",
                worst.to_string(index=False, float_format=format_number),
            ]
        )


def refit(result: EfaResult, *, tolerance: float = 1e-3) -> EfaCrosscheck:
    """Repeat a factor analysis with the other engine, on the same correlations, and compare the loadings.

    Raises
    ------
    OptionError
        If the tolerance is not positive, or the other engine has no such extraction or rotation.

    Examples
    --------
    >>> L = np.array([[0.8, 0], [0.7, 0.1], [0.6, 0], [0, 0.7], [0, 0.6], [0.1, 0.5]])
    >>> R = L @ np.array([[1, 0.3], [0.3, 1]]) @ L.T
    >>> np.fill_diagonal(R, 1.0)
    >>> check = refit(efa(R, 2, nobs=300))
    >>> check.agree, check.second.engine
    (True, 'factor_analyzer')
    """
    check_between(tolerance, name="tolerance", high=math.inf, remedy="Try 1e-3.")
    other: EfaEngine = "factor_analyzer" if result.engine == "native" else "native"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsmAnalysisWarning)
        second = efa(
            result.correlation,
            result.n_factors,
            extraction=result.extraction,  # type: ignore[arg-type]
            rotation=result.rotation,
            engine=other,
            nobs=result.nobs,
            rotation_options=dict(result.rotation_options) or None,
        )
    return EfaCrosscheck(result, second, tolerance)
