"""The parameter table: the one representation of a model, from which everything else is read.

Defaults are those of lavaan's ``cfa()``, ``sem()`` and ``growth()``: the first loading of a factor is 1 (or, with
``std_lv``, its variance), residual variances are free, exogenous factors and pure outcomes covary, exogenous observed
variables keep their sample moments, the residual of a lone indicator is 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from typing import Any

from psm_analysis._model_names import unquoted
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem.equalities import check_partial, equal_kinds, equality_kind, partial_keys, row_key
from psm_analysis.sem.group_blocks import has_group_blocks, terms_by_group
from psm_analysis.sem.roles import Roles, find_roles
from psm_analysis.sem.syntax import Constraint, Modifiers, ParsedModel, Term

NAN = math.nan
NONE = Modifiers()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of the table.

    ``value`` is the fixed value (nan while free, and for sample moments of exogenous variables); ``shared`` names what
    the parameter is estimated with: parameters of the same name are one.
    """

    lhs: str
    op: str
    rhs: str
    group: int
    free: bool
    value: float
    label: str = ""
    shared: str = ""
    start: float = NAN
    lower: float = -math.inf
    upper: float = math.inf
    user: bool = False
    exogenous: bool = False
    derived: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """The parameter without its group; covariances in alphabetical order."""
        return row_key(self.lhs, self.op, self.rhs)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What turns a parsed model into a full table."""

    meanstructure: bool = False
    std_lv: bool = False
    orthogonal: bool = False
    fixed_x: bool = True
    growth: bool = False
    ordered: tuple[tuple[str, int], ...] = ()
    theta: bool = False
    auxiliary: tuple[str, ...] = ()
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()
    group_labels: tuple[str, ...] = ("",)

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return len(self.group_labels)


@dataclass(frozen=True, slots=True)
class ParameterTable:
    """All parameters of a model in all groups, its definitions and its constraints.

    ``memo`` keeps what follows from these alone, for a table is fitted many times.
    """

    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...]
    roles: Roles
    options: TableOptions
    memo: dict[Any, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def definitions(self) -> tuple[Constraint, ...]:
        """The ``:=`` rows."""
        return tuple(c for c in self.constraints if c.op == ":=")


@lru_cache(maxsize=64)
def build_table(model: ParsedModel, options: TableOptions) -> ParameterTable:
    """Complete a parsed model by the defaults, for every group; tables made before are remembered.

    Raises
    ------
    ModelError
        For blocks or modifiers that cannot be used, or an option that names nothing in the model.
    """
    _check_supported(model, options)
    by_group = terms_by_group(model, options.group_labels)
    completed = [_completed(terms, options) for terms in (by_group if has_group_blocks(model) else by_group[:1])]
    equal = frozenset(equal_kinds(options.group_equal))
    partial = partial_keys(options.group_partial)
    check_partial(partial, {row.key for _, rows in completed for row, _ in rows})
    found: list[Row] = []
    tied: dict[tuple[str, str, str], str] = {}
    for group in range(1, options.n_groups + 1):
        roles, rows = completed[min(group, len(completed)) - 1]
        for row, modifiers in rows:
            kept = equal - {equality_kind(row, roles)} if row.key in partial else equal
            parameter = _modified(_in_group(row, roles, options, group=group, equal=kept), modifiers, group=group)
            shared = f".p{len(found) + 1}."
            if equality_kind(row, roles) in kept:
                shared = tied.setdefault(parameter.key, shared)
            found.append((replace(parameter, shared=parameter.label or shared), modifiers))
    roles = roles if len(completed) == 1 else _roles(model.terms, options)
    return ParameterTable(_equalised(found), model.constraints, roles, options)


def _roles(terms: Sequence[Term], options: TableOptions) -> Roles:
    roles = with_auxiliary(find_roles(terms), options.auxiliary)
    return replace(roles, ordered=tuple(name for name, _ in options.ordered))


def _completed(terms: tuple[Term, ...], options: TableOptions) -> tuple[Roles, list[Row]]:
    """Return the roles of the variables of a group, and the rows of its model with the defaults."""
    roles = _roles(terms, options)
    return roles, _with_defaults(terms, roles, options)


def with_auxiliary(roles: Roles, auxiliary: Sequence[str]) -> Roles:
    """Return the roles with auxiliary variables, which covary with all observed variables and their residuals."""
    for name in auxiliary:
        if name in roles.observed or name in roles.latent:
            raise OptionError(
                f"The auxiliary variable {name!r} is in the model.",
                where="argument 'auxiliary'",
                remedy="Leave it out of auxiliary=: what is in the model informs it already.",
            )
    found = tuple(dict.fromkeys(auxiliary))
    return replace(roles, observed=(*roles.observed, *found), auxiliary=found)


def _check_supported(model: ParsedModel, options: TableOptions) -> None:
    ordered, theta = frozenset(name for name, _ in options.ordered), options.theta
    if len(model.blocks) > 1 and not has_group_blocks(model):
        block = model.blocks[1]
        raise ModelError(
            f"The block '{block.kind}: {block.value}' cannot be estimated here.",
            where="argument 'model'",
            remedy="Use group= with c() modifiers for groups, and psm.sem or psm.cfa with cluster= for two levels.",
        )
    for term in model.terms:
        where = f"line {term.line} of the model"
        wrong = [n for n in map(len, astuple(term.modifiers)) if n > 1 and n != options.n_groups]
        if wrong and not term.modifiers.efa:
            raise ModelError(
                f"'{term.lhs} {term.op} {term.rhs}' has modifiers for {wrong[0]} groups, and the data have "
                f"{options.n_groups}.",
                where=where,
                remedy="Give c() one value per group.",
            )
        if term.modifiers.efa:
            raise ModelError("efa() belongs to psm.sem, cfa and growth.", where=where, remedy="Use one of them.")
        if term.op in ("|", "~*~") and term.lhs not in ordered:
            raise ModelError(
                f"{term.lhs!r} has a {'threshold' if term.op == '|' else 'scaling factor'}, but is not ordinal.",
                where=where,
                remedy=f"Add it to ordered=, or leave '{term.op}' out.",
            )
        if term.op == "|" and term.rhs not in (known := [f"t{k + 1}" for k in range(dict(options.ordered)[term.lhs])]):
            raise ModelError(
                f"{term.lhs!r} has no threshold {term.rhs!r}.", where=where, remedy=f"It has {', '.join(known)}."
            )
        if term.lhs in ordered and term.op == "~~" and term.lhs == term.rhs and not theta:
            raise ModelError(
                f"The residual variance of the ordinal variable {term.lhs!r} follows from the other parameters.",
                where=where,
                remedy="Leave it out, or use parameterization='theta'.",
            )


Row = tuple[Parameter, Modifiers]


def _with_defaults(terms: Sequence[Term], roles: Roles, options: TableOptions) -> list[Row]:
    rows = [(Parameter(t.lhs, t.op, t.rhs, 1, True, NAN, user=True), t.modifiers) for t in terms]
    seen = {row.key for row, _ in rows}
    if len(seen) < len(rows):
        repeated = Counter(row.key for row, _ in rows).most_common(1)[0][0]
        raise ModelError(
            f"The covariance '{repeated[0]} ~~ {repeated[2]}' is written twice.", remedy="Keep one of the two."
        )
    for row in _default_rows(roles, options):
        if row.key not in seen:
            seen.add(row.key)
            rows.append((row, Modifiers()))
    return _identified(rows, roles, options)


def _default_rows(roles: Roles, options: TableOptions) -> Iterator[Parameter]:
    exogenous = roles.exogenous_observed
    endogenous = [name for name in roles.observed if name not in exogenous]
    for name, n_thresholds in options.ordered:
        for k in range(1, n_thresholds + 1):
            yield Parameter(name, "|", f"t{k}", 1, True, NAN)
    for name in (*endogenous, *roles.latent):
        if name not in roles.ordered:
            yield Parameter(name, "~~", name, 1, True, NAN)
        elif options.theta:
            yield Parameter(name, "~~", name, 1, False, 1.0)
        else:
            yield Parameter(name, "~~", name, 1, False, 0.0, derived=True)
    for name in roles.auxiliary:
        others = roles.observed[: roles.observed.index(name)]
        yield from (Parameter(other, "~~", name, 1, True, NAN) for other in others)
    for a, b in combinations(roles.exogenous_latent, 2):
        yield Parameter(a, "~~", b, 1, True, NAN)
    for a, b in combinations((*roles.outcome_latent, *roles.outcome_observed), 2):
        yield Parameter(a, "~~", b, 1, True, NAN)
    fixed = options.fixed_x
    for i, a in enumerate(exogenous):
        for b in exogenous[i:]:
            yield Parameter(a, "~~", b, 1, not fixed, NAN, exogenous=fixed)
    for name in roles.ordered:
        yield Parameter(name, "~*~", name, 1, False, 1.0, derived=options.theta)
    if options.meanstructure:
        yield from _intercept_rows(roles, options, endogenous=endogenous)


def _intercept_rows(roles: Roles, options: TableOptions, *, endogenous: list[str]) -> Iterator[Parameter]:
    for name in endogenous:
        free = name not in roles.ordered and (not options.growth or name not in roles.indicators)
        yield Parameter(name, "~1", "", 1, free, NAN if free else 0.0)
    for name in roles.exogenous_observed:
        yield Parameter(name, "~1", "", 1, not options.fixed_x, NAN, exogenous=options.fixed_x)
    for name in roles.latent:
        yield Parameter(name, "~1", "", 1, options.growth, NAN if options.growth else 0.0)


def _identified(rows: list[Row], roles: Roles, options: TableOptions) -> list[Row]:
    """Give every factor a scale, fix lone residuals, drop covariances if orthogonal."""
    first = {row.lhs: row.rhs for row, _ in reversed(rows) if row.op == "=~"}
    lone = _lone_indicators(rows)
    latent = frozenset(roles.latent)
    found = []
    for row, modifiers in rows:
        value = NAN
        variance, inside = row.op == "~~" and row.lhs == row.rhs, {row.lhs, row.rhs} <= latent
        marker = row.op == "=~" and not options.std_lv and first[row.lhs] == row.rhs
        if marker or (variance and inside and options.std_lv):
            value = 1.0
        elif row.op == "~~" and not row.user and (row.lhs in lone if variance else inside and options.orthogonal):
            value = 0.0
        found.append((row if math.isnan(value) else replace(row, free=False, value=value), modifiers))
    return found


def _lone_indicators(rows: list[Row]) -> frozenset[str]:
    loadings = [row for row, _ in rows if row.op == "=~"]
    size = Counter(row.lhs for row in loadings)
    uses = Counter(row.rhs for row in loadings)
    return frozenset(row.rhs for row in loadings if size[row.lhs] == 1 and uses[row.rhs] == 1)


def _in_group(row: Parameter, roles: Roles, options: TableOptions, *, group: int, equal: frozenset[str]) -> Parameter:
    """Free latent means and variances of later groups where equal intercepts or loadings identify them.

    Equal thresholds identify, in later groups, intercepts of ordinal variables and, for three categories or more, their
    scale: scaling factors (delta) or residual variances (theta).
    """
    if group == 1:
        return row
    row = replace(row, group=group)
    if row.free:
        return row
    if row.lhs in roles.ordered and not row.user and "thresholds" in equal:
        scale = row.op == ("~~" if options.theta else "~*~") and not (options.theta and "residuals" in equal)
        scale = scale and dict(options.ordered)[row.lhs] > 1
        level = row.op == "~1" and "intercepts" not in equal
        if scale or level:
            return replace(row, free=True, value=NAN)
    means = row.op == "~1" and row.lhs in roles.latent and "intercepts" in equal and "means" not in equal
    spread = row.op == "~~" and row.lhs == row.rhs and row.lhs in roles.latent
    spread = spread and options.std_lv and "loadings" in equal and "lv_variances" not in equal
    return replace(row, free=True, value=NAN) if means or spread else row


def _modified(row: Parameter, modifiers: Modifiers, *, group: int) -> Parameter:
    """Apply the modifiers of the group; a single value serves all groups."""
    if modifiers == NONE:
        return row

    def of_group(values: tuple[float, ...] | tuple[str, ...]) -> float | str | None:
        if not values:
            return None
        return values[0] if len(values) == 1 else values[group - 1]

    fixed = of_group(modifiers.fixed)
    changes: dict[str, object] = {
        name: value
        for name in ("start", "label", "lower", "upper")
        if (value := of_group(getattr(modifiers, name))) is not None
    }
    if fixed is not None:
        free = math.isnan(float(fixed))
        changes |= {"free": free, "value": NAN if free else float(fixed), "exogenous": False}
    if modifiers.equal:
        changes["shared"] = of_group(modifiers.equal)
    return replace(row, **changes)  # type: ignore[arg-type]


def _equalised(rows: list[Row]) -> tuple[Parameter, ...]:
    """Resolve ``equal("f =~ x1")`` to what that parameter is estimated with; a tied fixed parameter fixes its twins.

    The name is that of the parameter in the first group, with ``.g2`` behind it that of the second, or a label.
    """
    at = {
        unquoted(f"{p.lhs}{p.op}{p.rhs}") + (f".g{p.group}" if p.group > 1 else ""): i for i, (p, _) in enumerate(rows)
    }
    labels = {p.label: name for name, i in reversed(at.items()) if (p := rows[i][0]).label}

    def meant(name: str) -> str:
        return labels.get(name, unquoted(name))

    resolved = [parameter for parameter, _ in rows]
    asked = [(i, modifiers.equal) for i, (_, modifiers) in enumerate(rows) if modifiers.equal]
    for i, wanted in asked:
        name = meant(wanted[0] if len(wanted) == 1 else wanted[resolved[i].group - 1])
        if name not in at:
            raise ModelError(
                f"equal({name!r}) names no parameter of the model.",
                where=f"'{resolved[i].lhs} {resolved[i].op} {resolved[i].rhs}'",
                remedy='Write it as in the model, such as equal("f =~ x1"); with .g2 behind it for the second group.',
            )
        old, new = resolved[i].shared, resolved[at[name]].shared
        resolved = [replace(p, shared=new) if p.shared == old else p for p in resolved]
    twins = {i for i, _ in asked} | {i for i, p in enumerate(resolved) if p.label}
    named = twins | {at[meant(name)] for _, wanted in asked for name in wanted}
    fixed = {p.shared: p.value for i, p in enumerate(resolved) if not p.free and i in named}
    return tuple(
        replace(p, free=False, value=fixed[p.shared]) if p.free and i in twins and p.shared in fixed else p
        for i, p in enumerate(resolved)
    )
