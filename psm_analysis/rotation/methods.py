"""The named rotations: which criterion, orthogonal or oblique, which parameters with which defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psm_analysis._arguments import check_between, check_whole
from psm_analysis._options import check_choice, nearest
from psm_analysis.errors import OptionError
from psm_analysis.rotation import criteria
from psm_analysis.rotation.loadings import read_matrix

FloatArray = NDArray[np.float64]
Criterion = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, slots=True)
class Method:
    """A named rotation: its criterion, its manifold, its parameters, and whether rows are normalised by default."""

    criterion: Callable[..., tuple[FloatArray, FloatArray]]
    oblique: bool
    parameters: Mapping[str, Any] = field(default_factory=dict)
    normalize: bool = False


_CF = criteria.crawford_ferguson
METHODS: dict[str, Method] = {
    "varimax": Method(criteria.varimax, oblique=False, normalize=True),
    "quartimax": Method(criteria.quartimax, oblique=False),
    "equamax": Method(_CF, oblique=False, parameters={"kappa": "equamax"}),
    "parsimax": Method(_CF, oblique=False, parameters={"kappa": "parsimax"}),
    "parsimony": Method(_CF, oblique=False, parameters={"kappa": 1.0}),
    "cfT": Method(_CF, oblique=False, parameters={"kappa": 0.0}),
    "cfQ": Method(_CF, oblique=True, parameters={"kappa": 0.0}),
    "geominT": Method(criteria.geomin, oblique=False, parameters={"delta": 0.01}),
    "geominQ": Method(criteria.geomin, oblique=True, parameters={"delta": 0.01}),
    "bentlerT": Method(criteria.bentler, oblique=False),
    "bentlerQ": Method(criteria.bentler, oblique=True),
    "infomaxT": Method(criteria.infomax, oblique=False),
    "infomaxQ": Method(criteria.infomax, oblique=True),
    "entropy": Method(criteria.entropy, oblique=False),
    "oblimax": Method(criteria.oblimax, oblique=True),
    "oblimin": Method(criteria.oblimin, oblique=True, parameters={"gam": 0.0}),
    "quartimin": Method(criteria.oblimin, oblique=True),
    "simplimax": Method(criteria.simplimax, oblique=True, parameters={"n_zeros": "items"}),
    "bifactor": Method(criteria.bifactor, oblique=False),
    "biquartimin": Method(criteria.bifactor, oblique=True),
    "targetT": Method(criteria.target, oblique=False, parameters={"target": None}),
    "targetQ": Method(criteria.target, oblique=True, parameters={"target": None}),
    "pstT": Method(criteria.partially_specified_target, oblique=False, parameters={"target": None, "weights": None}),
    "pstQ": Method(criteria.partially_specified_target, oblique=True, parameters={"target": None, "weights": None}),
}
ROTATIONS = ("none", "promax", *METHODS)


def is_oblique(method: str) -> bool:
    """Tell whether a named rotation lets the factors correlate.

    Examples
    --------
    >>> is_oblique("oblimin"), is_oblique("varimax"), is_oblique("promax")
    (True, False, True)
    """
    check_choice(method, ROTATIONS, name="rotation")
    return method == "promax" or (method in METHODS and METHODS[method].oblique)


def criterion_of(method: str, *, shape: tuple[int, int], given: Mapping[str, Any]) -> Criterion:
    """Return the criterion of a named rotation with its parameters filled in.

    Parameters
    ----------
    method
        A key of ``METHODS``.
    shape
        Items and factors.
    given
        Parameters the caller set.

    Raises
    ------
    OptionError
        If a parameter does not belong to the method, is missing, or has the wrong shape.
    """
    spec = METHODS[method]
    for name in given:
        if name not in spec.parameters:
            known = ", ".join(spec.parameters) or "none"
            raise OptionError(
                f"Rotation {method!r} has no parameter {name!r}.",
                where=f"argument {name!r}",
                remedy=f"{nearest(name, spec.parameters)}Its parameters: {known}.",
            )
    values = {name: _resolve(given.get(name, default), shape) for name, default in spec.parameters.items()}
    if "target" in values:
        values = _check_target(values, method=method, shape=shape)
    if "n_zeros" in values:
        most = shape[0] * shape[1] - 1
        remedy = "Give how many loadings should be near zero."
        check_whole(values["n_zeros"], name="n_zeros", least=1, most=most, remedy=remedy)
    for name, low, remedy in (("delta", 0.0, "Use 0.01."), ("kappa", -np.inf, "Use 0."), ("gam", -np.inf, "Use 0.")):
        if name in values:
            check_between(values[name], name=name, low=low, high=np.inf, remedy=remedy)
    return partial(spec.criterion, **values)


def _resolve(value: Any, shape: tuple[int, int]) -> Any:
    p, k = shape
    named = {"equamax": k / (2 * p), "parsimax": (k - 1) / max(p + k - 2, 1), "items": p}
    return named[value] if isinstance(value, str) and value in named else value


def _check_target(values: dict[str, Any], *, method: str, shape: tuple[int, int]) -> dict[str, Any]:
    checked = {}
    remedy = "Give one row per item and one column per factor, NaN for what is free."
    for name, value in values.items():
        matrix = None if value is None else read_matrix(value, argument=name, remedy=remedy)
        if matrix is None or matrix.shape != shape:
            found = "none was given" if matrix is None else f"its shape is {matrix.shape}"
            raise OptionError(
                f"Rotation {method!r} needs a {name} of shape {shape}; {found}.",
                where=f"argument {name!r}",
                remedy="Give one row per item and one column per factor.",
            )
        checked[name] = matrix
    if "weights" not in checked and np.isnan(checked["target"]).any():
        raise OptionError(
            "The target has missing entries.",
            where="argument 'target'",
            remedy=f"Use rotation 'pst{method[-1]}' with weights 0 for the entries that are free.",
        )
    return checked
