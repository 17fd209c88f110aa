"""Options that would do nothing: refused by name, or said on the result."""

from __future__ import annotations

from psm_analysis.errors import OptionError
from psm_analysis.sem.equalities import Key, equal_kinds, equality_kind, partial_keys
from psm_analysis.sem.options import FitOptions
from psm_analysis.sem.partable import ParameterTable


def refuse_idle(options: FitOptions, *, ordinal: bool, rows: bool) -> None:
    """Refuse options about ordinal variables, equalities, rows or moments where there are none.

    Raises
    ------
    OptionError
        With the argument that has no effect.
    """
    idle = {
        "parameterization": (not ordinal and options.parameterization == "theta", "There are no ordinal variables."),
        "group_equal": (
            not ordinal and "thresholds" in options.group_equal,
            "There are no ordinal variables, whose thresholds could be equal.",
        ),
        "group_partial": (
            bool(options.group_partial) and not options.group_equal,
            "group_partial releases equalities, and nothing is equal.",
        ),
        "group": (not rows and options.group is not None, "Groups are told apart in rows, and moments are given."),
        "missing": (not rows and options.missing != "listwise", "Rows can be incomplete, and moments are given."),
    }
    for name in ("sample_mean", "sample_sd", "sample_nobs"):
        idle[name] = (rows and getattr(options, name) is not None, f"{name} belongs to sample_cov, and rows are given.")
    for name, (present, what) in idle.items():
        if present:
            raise OptionError(what, where=f"argument {name!r}", remedy=REMEDIES.get(name, "Leave it out."))


REMEDIES = {
    "parameterization": "Name the ordinal variables with ordered=, or leave it out.",
    "group_equal": "Name the ordinal variables with ordered=, or leave 'thresholds' out.",
    "group_partial": "Give group_equal= too, such as ['loadings', 'intercepts'].",
    "group": "Give a list or mapping of matrices, one per group, in sample_cov=.",
}


def idle_equalities(table: ParameterTable) -> list[str]:
    """Return what `group_equal` and `group_partial` name in vain, one sentence each."""
    wanted, kinds = _equal(table)
    found = [
        f"group_equal names {kind!r}, but the model has no such parameters: nothing is equal by it."
        for kind in wanted
        if kind not in kinds.values()
    ]
    return found + idle_releases(table)


def idle_releases(table: ParameterTable) -> list[str]:
    """Return what `group_partial` names in vain beside `group_equal`, one sentence each."""
    wanted, kinds = _equal(table)
    released = partial_keys(table.options.group_partial) if wanted else {}
    return [
        f"group_partial releases {text!r}, which is free in every group already."
        for key, text in released.items()
        if kinds[key] not in wanted
    ]


def _equal(table: ParameterTable) -> tuple[tuple[str, ...], dict[Key, str]]:
    """Return the classes that are equal over groups, and that of every parameter; nothing if no groups are equal."""
    wanted = tuple(equal_kinds(table.options.group_equal))
    if not wanted or table.options.n_groups < 2:
        return (), {}
    return wanted, {p.key: equality_kind(p, table.roles) for p in table.parameters}
