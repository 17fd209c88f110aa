"""The options of a fit, checked once, as one frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import pandas as pd

from psm_analysis._options import (
    Engine,
    Estimator,
    Information,
    Missing,
    Parameterization,
    check_option,
)
from psm_analysis.errors import OptionError
from psm_analysis.sem.estimators import EstimatorSpec, resolve


class SemKeywords(TypedDict, total=False):
    """The keyword arguments of ``sem``, which ``cfa`` and ``growth`` share."""

    estimator: Estimator | None
    ordered: Sequence[str] | bool
    group: str | None
    group_equal: Sequence[str]
    group_partial: Sequence[str]
    missing: Missing
    meanstructure: bool | None
    std_lv: bool
    orthogonal: bool
    parameterization: Parameterization
    fixed_x: bool
    cluster: str | None
    sampling_weights: str | None
    information: Information | None
    se: str | None
    test: str | None
    rotation: str | None
    sample_cov: pd.DataFrame | Sequence[pd.DataFrame] | None
    sample_mean: Any
    sample_sd: Any
    sample_nobs: int | Sequence[int] | None
    engine: Engine


@dataclass(frozen=True, slots=True)
class FitOptions:
    """All options of a fit; a list or a single text is taken for sequences of names."""

    estimator: Estimator | None = None
    ordered: Sequence[str] | bool = ()
    group: str | None = None
    group_equal: Sequence[str] = ()
    group_partial: Sequence[str] = ()
    missing: Missing = "listwise"
    meanstructure: bool | None = None
    std_lv: bool = False
    orthogonal: bool = False
    parameterization: Parameterization = "delta"
    fixed_x: bool = True
    cluster: str | None = None
    sampling_weights: str | None = None
    information: Information | None = None
    se: str | None = None
    test: str | None = None
    rotation: str | None = None
    sample_cov: Any = None
    sample_mean: Any = None
    sample_sd: Any = None
    sample_nobs: Any = None
    engine: Engine = "native"

    def checked(self) -> FitOptions:
        """Return the options, or raise an OptionError for what is unknown or not available yet."""
        check_option(self.missing, Missing, name="missing")
        check_option(self.parameterization, Parameterization, name="parameterization")
        check_option(self.engine, Engine, name="engine")
        for name in ("group_equal", "group_partial"):
            if isinstance(getattr(self, name), str):
                raise OptionError(
                    f"{name} is a text.", where=f"argument {name!r}", remedy=f"Give a list: {name}=[...]."
                )
        if self.group_equal and self.group is None and not isinstance(self.sample_cov, (list, tuple, dict)):
            raise OptionError("group_equal needs groups.", where="argument 'group_equal'", remedy="Give group= too.")
        self._check_available()
        return self

    def _check_available(self) -> None:
        unavailable = {
            "cluster": self.cluster is not None,
            "sampling_weights": self.sampling_weights is not None,
            "rotation": self.rotation is not None,
        }
        for name, given in unavailable.items():
            if given:
                raise OptionError(
                    f"{name}={getattr(self, name)!r} is not available in this version.",
                    where=f"argument {name!r}",
                    remedy="Leave the argument out.",
                )

    def spec(self) -> EstimatorSpec:
        """Return the estimator with its standard errors, test and information."""
        estimator = self.estimator or ("WLSMV" if self.ordered else "ML")
        spec = resolve(estimator, missing=self.missing, se=self.se, test=self.test, information=self.information)
        if self.ordered and spec.function not in ("WLS", "DWLS", "ULS"):
            raise OptionError(
                f"estimator={estimator!r} cannot be used with ordinal variables.",
                where="argument 'estimator'",
                remedy="Use WLSMV (the default with ordered=), ULSMV, WLS, or leave ordered= out.",
            )
        if self.missing == "pairwise" and not self.ordered:
            raise OptionError(
                "missing='pairwise' is for ordinal variables.",
                where="argument 'missing'",
                remedy="Use missing='fiml', or name the ordinal variables with ordered=.",
            )
        return spec
