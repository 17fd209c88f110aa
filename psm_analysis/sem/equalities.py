"""What `group_equal` and `group_partial` mean: classes of parameters, and terms written as in a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from psm_analysis.errors import OptionError
from psm_analysis.sem.roles import Roles
from psm_analysis.sem.syntax import parse_model

if TYPE_CHECKING:
    from psm_analysis.sem.partable import Parameter

GROUP_EQUAL = {
    "loadings": "loadings",
    "intercepts": "intercepts",
    "means": "means",
    "thresholds": "thresholds",
    "regressions": "regressions",
    "residuals": "residuals",
    "residual_covariances": "residual_covariances",
    "residual.covariances": "residual_covariances",
    "lv_variances": "lv_variances",
    "lv.variances": "lv_variances",
    "lv_covariances": "lv_covariances",
    "lv.covariances": "lv_covariances",
}
Key = tuple[str, str, str]


def row_key(lhs: str, op: str, rhs: str) -> Key:
    """Return what makes a parameter one, but for its group; covariances in alphabetical order."""
    return (rhs, op, lhs) if op == "~~" and rhs < lhs else (lhs, op, rhs)


def equality_kind(row: Parameter, roles: Roles) -> str:
    """Return the class of parameters that `group_equal` names; blank for moments of exogenous variables."""
    latent = row.lhs in roles.latent
    if row.op == "~1":
        return "means" if latent else "" if row.exogenous else "intercepts"
    if row.op == "~~":
        if row.exogenous:
            return ""
        if row.lhs == row.rhs:
            return "lv_variances" if latent else "residuals"
        return "lv_covariances" if latent and row.rhs in roles.latent else "residual_covariances"
    return {"=~": "loadings", "~": "regressions", "|": "thresholds"}.get(row.op, "")


def equal_kinds(names: Sequence[str]) -> Iterator[str]:
    """Yield the classes of parameters that are equal over groups."""
    for name in names:
        if name not in GROUP_EQUAL:
            raise OptionError(
                f"group_equal={name!r} is not known.",
                where="argument 'group_equal'",
                remedy=f"It can be: {', '.join(sorted(set(GROUP_EQUAL.values())))}.",
            )
        yield GROUP_EQUAL[name]


def partial_keys(partial: Sequence[str]) -> dict[Key, str]:
    """Return the parameters that stay free, and the text that names each."""
    return {row_key(t.lhs, t.op, t.rhs): text for text in partial for t in parse_model(text).terms}


def check_partial(keys: dict[Key, str], known: set[Key]) -> None:
    """Refuse a text that names no parameter."""
    for key, text in keys.items():
        if key not in known:
            raise OptionError(
                f"{text!r} names no parameter of the model.",
                where="argument 'group_partial'",
                remedy="Write it as in the model, such as 'x3 ~ 1' or 'f =~ x2'.",
            )
