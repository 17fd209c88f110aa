"""The options of a fit, checked once, as one frozen value."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from psm_analysis._options import (
    Engine,
    Estimator,
    Information,
    Missing,
    Parameterization,
    check_option,
    nearest,
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
    auxiliary: Sequence[str]
    meanstructure: bool | None
    std_lv: bool
    orthogonal: bool
    parameterization: Parameterization
    fixed_x: bool | None
    cluster: str | None
    sampling_weights: str | None
    information: Information | None
    se: str | None
    test: str | None
    n_bootstrap: int
    bootstrap_seed: int
    rotation: str | None
    rotation_args: Mapping[str, Any] | None
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
    auxiliary: Sequence[str] = ()
    meanstructure: bool | None = None
    std_lv: bool = False
    orthogonal: bool = False
    parameterization: Parameterization = "delta"
    fixed_x: bool | None = None
    cluster: str | None = None
    sampling_weights: str | None = None
    information: Information | None = None
    se: str | None = None
    test: str | None = None
    n_bootstrap: int = 1000
    bootstrap_seed: int = 1
    rotation: str | None = None
    rotation_args: Mapping[str, Any] | None = None
    sample_cov: Any = None
    sample_mean: Any = None
    sample_sd: Any = None
    sample_nobs: Any = None
    engine: Engine = "native"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> FitOptions:
        """Return options given by keyword, or raise an OptionError for one that does not exist."""
        known = tuple(cls.__dataclass_fields__)
        for name in options:
            if name not in known:
                raise OptionError(
                    f"There is no argument {name!r}.", remedy=f"{nearest(name, known)}Known: {', '.join(known)}."
                )
        return cls(**options)

    def checked(self) -> FitOptions:
        """Return the options, or raise an OptionError for what is unknown or not available yet."""
        check_option(self.missing, Missing, name="missing")
        check_option(self.parameterization, Parameterization, name="parameterization")
        check_option(self.engine, Engine, name="engine")
        for name in SWITCHES:
            _check_switch(getattr(self, name), name)
        for name in ("group", "cluster", "sampling_weights"):
            _check_column(getattr(self, name), name)
        given = {name: getattr(self, name) for name in LISTS}
        lists = {name: found for name, value in given.items() if (found := _names(value, name)) is not value}
        return (replace(self, **lists) if lists else self)._checked_together()

    def _checked_together(self) -> FitOptions:
        """Refuse options that do not go together."""
        if self.auxiliary and (self.missing != "fiml" or self.engine != "native"):
            raise OptionError(
                "Auxiliary variables inform about missing answers in the likelihood of incomplete rows.",
                where="argument 'auxiliary'",
                remedy="Use missing='fiml' with the native engine, or leave auxiliary= out.",
            )
        self._check_replicates()
        if self.group_equal and self.group is None and not isinstance(self.sample_cov, (list, tuple, dict)):
            raise OptionError("group_equal needs groups.", where="argument 'group_equal'", remedy="Give group= too.")
        return self

    def spec(self) -> EstimatorSpec:
        """Return the estimator with its standard errors, test and information."""
        design = self.cluster is not None or self.sampling_weights is not None
        estimator = self.estimator or ("WLSMV" if self.ordered else "MLR" if design else "ML")
        se = None if self.se == "bootstrap" else self.se
        test = None if self.test == "bollen.stine" else self.test
        if self.ordered and self.missing == "fiml":
            raise OptionError(
                "Models with ordinal variables cannot use incomplete rows by missing='fiml'.",
                where=f"argument 'missing'; {self._ordinal_text()}",
                remedy="Use missing='pairwise', or treat them as continuous by ordered=False.",
            )
        spec = resolve(estimator, missing=self.missing, se=se, test=test, information=self.information)
        if self.ordered and spec.function not in ("WLS", "DWLS", "ULS"):
            raise OptionError(
                f"estimator={estimator!r} cannot be used with ordinal variables.",
                where=f"argument 'estimator'; {self._ordinal_text()}",
                remedy="Use WLSMV (the default with ordinal variables), ULSMV or WLS, or treat them as continuous by "
                "ordered=False.",
            )
        if design:
            self._check_design(spec)
        if self.missing == "pairwise" and not self.ordered:
            raise OptionError(
                "missing='pairwise' is for ordinal variables.",
                where="argument 'missing'",
                remedy="Use missing='fiml', or name the ordinal variables with ordered=.",
            )
        return spec

    def _ordinal_text(self) -> str:
        """Say which variables are ordinal."""
        if isinstance(self.ordered, bool):
            return "all endogenous variables are ordinal"
        return f"ordinal: {', '.join(map(repr, self.ordered[:4]))}{', ...' if len(self.ordered) > 4 else ''}"

    def settled(self, spec: EstimatorSpec) -> FitOptions:
        """Return the options with the default of `fixed_x`, as lavaan has it, for an estimator."""
        if self.fixed_x is not None:
            return self
        return replace(self, fixed_x=spec.likelihood or bool(self.ordered))

    def _check_replicates(self) -> None:
        """Refuse numbers of replicates that cannot be used, or that nothing uses."""
        wanted = self.se == "bootstrap" or self.test == "bollen.stine"
        if not wanted and (self.n_bootstrap, self.bootstrap_seed) != (1000, 1):
            raise OptionError(
                "Replicates are asked for, but no bootstrap.",
                where="arguments 'n_bootstrap' and 'bootstrap_seed'",
                remedy="Use se='bootstrap' or test='bollen.stine', or leave them out.",
            )
        for name, value, least in (("n_bootstrap", self.n_bootstrap, 2), ("bootstrap_seed", self.bootstrap_seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise OptionError(
                    f"{name}={value!r} is not a whole number of {least} or more.",
                    where=f"argument {name!r}",
                    remedy="Use 1000 replicates or more for intervals.",
                )

    def _check_design(self, spec: EstimatorSpec) -> None:
        """Refuse weights and clusters with errors or tests that assume independent, equally weighted rows."""
        if self.sample_cov is not None:
            raise OptionError(
                "Weights and clusters belong to rows.", where="argument 'sample_cov'", remedy="Give data= instead."
            )
        weighted = spec.function == "WLS" and self.cluster is None
        if (spec.se in ("standard", "first.order") or spec.test == "standard") and not weighted:
            raise OptionError(
                f"estimator={spec.name!r} has no standard errors and test for weights or clusters.",
                where="argument 'estimator'",
                remedy="Use estimator='MLR' (ordinal variables: 'WLSMV').",
            )


SWITCHES = ("meanstructure", "std_lv", "orthogonal", "fixed_x")
LISTS = ("group_equal", "group_partial", "auxiliary", "ordered")


def _check_switch(value: Any, name: str) -> None:
    optional = name in ("meanstructure", "fixed_x")
    if not isinstance(value, (bool, np.bool_)) and not (optional and value is None):
        raise OptionError(
            f"{name}={value!r} is neither True nor False.",
            where=f"argument {name!r}",
            remedy=f"Give True or False{', or leave it out' if optional else ''}.",
        )


def _check_column(value: Any, name: str) -> None:
    if not isinstance(value, Hashable):
        raise OptionError(
            f"{name}={value!r} is not one column.",
            where=f"argument {name!r}",
            remedy="Name one column; to combine several, make one of them first, such as "
            "data['a'].astype(str) + data['b'].astype(str).",
        )


def _names(value: Any, name: str) -> Any:
    """Return a list of names as a tuple; None is an empty one, and `ordered` may be True or False."""
    if value is None:
        return ()
    if name == "ordered" and isinstance(value, bool):
        return value
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise OptionError(
            f"{name} is a text." if isinstance(value, str) else f"{name}={value!r} is not a list.",
            where=f"argument {name!r}",
            remedy=f"Give a list: {name}=[...].",
        )
    found = tuple(value)
    for entry in found:
        if not isinstance(entry, str):
            raise OptionError(
                f"{name} holds {entry!r}, which is not a name.", where=f"argument {name!r}", remedy="Give texts."
            )
    return found
