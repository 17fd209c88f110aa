"""The result of a two-level model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from psm_analysis._options import BootstrapInterval, BootstrapKind, ResidualKind, ScoreMethod, check_option
from psm_analysis.errors import OptionError
from psm_analysis.sem import tables
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.inference import parameter_names
from psm_analysis.sem.residuals import covariance_residuals
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import GroupSample, Sample
from psm_analysis.sem.standardize import Kind
from psm_analysis.sem.twolevel.clusters import ClusterStatistics
from psm_analysis.sem.twolevel.estimation import TwoLevelEstimation
from psm_analysis.sem.twolevel.tables import Levels

if TYPE_CHECKING:
    from psm_analysis.sem.bootstrap_result import BootstrapResult

LEVELS = ("within", "between")


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoLevelSample(Sample):
    """Clustered rows; ``groups`` holds the saturated moments within and between clusters."""

    statistics: ClusterStatistics

    @property
    def nobs(self) -> int:
        """Rows used."""
        return self.statistics.nobs

    @property
    def n_clusters(self) -> int:
        """Clusters used."""
        return self.statistics.n_clusters


def level_sample(e: TwoLevelEstimation, *, n_rows: int) -> TwoLevelSample:
    """Return the sample with the saturated moments of both levels."""
    s = e.reference.statistics
    groups = []
    for k, (label, count) in enumerate(zip(LEVELS, (s.nobs, s.n_clusters), strict=True)):
        mean, cov = e.reference.moments.level(k + 1)
        groups.append(GroupSample(label, count, cov, mean, None, None))
    return TwoLevelSample(s.names, tuple(groups), n_rows=n_rows, statistics=s)


@dataclass(frozen=True, slots=True, repr=False)
class TwoLevelResult(SemResult):
    """A fitted two-level model: as :class:`SemResult`, with a column or a key for the level.

    Attributes
    ----------
    levels
        The table of both levels and the roles of the variables at each.
    """

    levels: Levels

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the free parameters, named by label or ``lhs op rhs`` (level 2: with ``.l2``)."""
        plain = parameter_names(self.table, self.problem)
        names = [f"{name.removesuffix('.g2')}.l2" if name.endswith(".g2") else name for name in plain]
        return pd.DataFrame(self.free_vcov, index=names, columns=names)

    def tidy(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter; column ``level`` is 1 within clusters, 2 between, blank for definitions."""
        return self._with_level(tables.parameter_frame(self, level=level))

    def standardized(self, kind: Kind = "std_all", *, level: float = 0.95) -> pd.DataFrame:
        """Return the standardized solution of each level with delta-method standard errors."""
        check_option(kind, Kind, name="kind")
        return self._with_level(tables.standardized_frame(self, kind=kind, level=level))

    def _with_level(self, frame: pd.DataFrame) -> pd.DataFrame:
        numbers: list[Any] = [p.group for p in self.table.parameters]
        frame.insert(4, "level", numbers + [""] * (len(frame) - len(numbers)))
        return frame.assign(group="")

    @property
    def group_labels(self) -> list[str]:
        """One blank: the levels are not groups."""
        return [""]

    def residuals(self, kind: ResidualKind = "raw") -> Any:
        """Return residuals against the saturated model, ``{"within": DataFrame, "between": DataFrame}``."""
        check_option(kind, ResidualKind, name="kind")
        if kind == "standardized":
            _refuse("Standardized residuals", "residuals", "Use kind='raw' or 'cor'.")
        found = {}
        for k, label in enumerate(LEVELS):
            values = covariance_residuals(self.sample.groups[k], self._implied()[k], kind)
            found[label] = self._labelled(values, k + 1)
        return found

    def implied(self) -> Any:
        """Return implied moments, ``{"within": {"cov": ..., "mean": ...}, "between": ...}``."""
        found = {}
        for k, label in enumerate(LEVELS):
            implied = self._implied()[k]
            mean = pd.Series(implied.mu, index=list(self.levels.names(k + 1)))
            found[label] = {"cov": self._labelled(implied.Sigma, k + 1), "mean": mean}
        return found

    @property
    def intraclass_correlations(self) -> dict[str, float]:
        """Share of the variance between clusters, of every variable of both levels, by the saturated model."""
        within, between = self.sample.groups
        inside = dict(zip(self.levels.names(1), np.diagonal(within.cov), strict=True))
        outside = dict(zip(self.levels.names(2), np.diagonal(between.cov), strict=True))
        return {name: float(v / (v + inside[name])) for name, v in outside.items() if name in inside}

    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Not available for two-level models."""
        _refuse("Modification indices", "modification_indices", "Fit the larger model and use psm.compare.")

    def factor_scores(
        self, data: pd.DataFrame | None = None, method: ScoreMethod = "regression", *, std_errors: bool = False
    ) -> pd.DataFrame:
        """Not available for two-level models."""
        _refuse("Factor scores", "factor_scores", "Fit a model of one level with cluster= for robust errors.")

    def group_fit(self) -> pd.DataFrame:
        """Not available for two-level models, which have no groups."""
        _refuse("Fit by group", "group_fit", "fit_measures has srmr_within and srmr_between.")

    def bootstrap(
        self,
        n: int,
        *,
        seed: int,
        ci: BootstrapInterval = "percentile",
        kind: BootstrapKind = "ordinary",
        level: float = 0.95,
        processes: int = 1,
        progress: bool = False,
    ) -> BootstrapResult:
        """Not available for two-level models."""
        _refuse("The bootstrap", "bootstrap", "Use estimator='MLR' for robust standard errors.")

    def _labelled(self, values: Array, level: int) -> pd.DataFrame:
        names = list(self.levels.names(level))
        return pd.DataFrame(values, index=names, columns=names)


def _refuse(what: str, where: str, remedy: str) -> NoReturn:
    raise OptionError(f"{what}: not available for two-level models.", where=where, remedy=remedy)
