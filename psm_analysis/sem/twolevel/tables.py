"""Parameter tables of two-level models: each level completed by its own defaults, then joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement

from psm_analysis.errors import ModelError
from psm_analysis.sem.partable import NAN, Parameter, ParameterTable, TableOptions, build_table
from psm_analysis.sem.roles import Roles, find_roles
from psm_analysis.sem.syntax import Block, Modifiers, ParsedModel, Term

WITHIN = ("1", "within")


@dataclass(frozen=True, slots=True)
class Levels:
    """The joined table, and the roles of the variables at each level; group 1 is level 1, group 2 is level 2."""

    table: ParameterTable
    within: Roles
    between: Roles

    def names(self, level: int) -> tuple[str, ...]:
        """Return the observed variables of a level."""
        return (self.within if level == 1 else self.between).observed

    def exogenous(self, level: int) -> tuple[str, ...]:
        """Return the observed variables of a level whose moments are given."""
        roles = self.within if level == 1 else self.between
        return roles.exogenous_observed if self.table.options.fixed_x else ()

    @property
    def between_only(self) -> tuple[str, ...]:
        """Variables of level 2 that level 1 does not have."""
        return tuple(name for name in self.between.observed if name not in self.within.observed)

    @property
    def within_only(self) -> tuple[str, ...]:
        """Variables of level 1 that level 2 does not have."""
        return tuple(name for name in self.within.observed if name not in self.between.observed)

    def single(self, level: int) -> ParameterTable:
        """Return the table of one level as that of a single group."""
        parameters = tuple(replace(p, group=1) for p in self.table.parameters if p.group == level)
        roles = self.within if level == 1 else self.between
        return ParameterTable(parameters, (), roles, replace(self.table.options, group_labels=("",)))


def is_two_level(parsed: ParsedModel) -> bool:
    """Tell whether a model has ``level:`` blocks."""
    return any(block.kind == "level" for block in parsed.blocks)


def build_levels(parsed: ParsedModel, options: TableOptions, *, cluster: str) -> Levels:
    """Complete both levels by the defaults and join them; parameters of one label are one.

    Raises
    ------
    ModelError
        If there are not exactly two levels, or relations outside of them.
    """
    first, second = _freed(*(_terms(parsed, level, cluster) for level in (1, 2)))
    within = build_table(ParsedModel(first, (), (Block("", ""),)), replace(options, growth=False))
    between = build_table(ParsedModel(second, (), (Block("", ""),)), options)
    both = frozenset(within.roles.observed) & frozenset(between.roles.observed)
    lower = [_centred(p, both) for p in within.parameters]
    upper = [
        replace(p, group=2, shared=f".b{p.shared}" if p.shared.startswith(".p") else p.shared)
        for p in between.parameters
    ]
    rows = _tied([*lower, *upper])
    roles = _joined(within.roles, between.roles)
    joined = ParameterTable(
        tuple(rows), parsed.constraints, roles, replace(options, group_labels=("within", "between"))
    )
    return Levels(joined, within.roles, between.roles)


def _freed(first: tuple[Term, ...], second: tuple[Term, ...]) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Write down variances and covariances of variables that are exogenous at one level and explained at the other.

    Such a variable is random at both levels, so that its part at the level where it is exogenous is estimated too.
    """
    roles = (find_roles(first), find_roles(second))
    completed = []
    for terms, here, there in zip((first, second), roles, reversed(roles), strict=True):
        mixed = [n for n in here.exogenous_observed if n in there.observed and n not in there.exogenous_observed]
        pairs = combinations_with_replacement(mixed, 2)
        completed.append((*terms, *(Term(a, "~~", b, Modifiers(), 0, 0) for a, b in pairs)))
    return completed[0], completed[1]


def _terms(parsed: ParsedModel, level: int, cluster: str) -> tuple[Term, ...]:
    wanted = []
    for i, block in enumerate(parsed.blocks[1:], start=1):
        if block.kind != "level":
            raise ModelError(
                f"The model has levels and a block '{block.kind}: {block.value}'.",
                where="argument 'model'",
                remedy="Two-level models of several groups are not available: use 'level:' blocks only.",
            )
        if block.value.lower() not in (*WITHIN, "2", "between", cluster.lower()):
            raise ModelError(
                f"The level {block.value!r} is not known.",
                where="argument 'model'",
                remedy="Use 'level: 1' and 'level: 2', or 'level: within' and 'level: between'.",
            )
        if (block.value.lower() in WITHIN) == (level == 1):
            wanted.append(i)
    outside = [term for term in parsed.terms if term.block == 0]
    if outside:
        raise ModelError(
            f"'{outside[0].lhs} {outside[0].op} {outside[0].rhs}' stands before the first level.",
            where=f"line {outside[0].line} of the model",
            remedy="Put every relation below 'level: 1' or 'level: 2'.",
        )
    terms = tuple(replace(term, block=0) for term in parsed.terms if term.block in wanted)
    if not terms:
        raise ModelError(
            f"The model has no relation at level {level}.",
            where="argument 'model'",
            remedy=f"Add a block 'level: {level}'; variances are enough, such as 'x1 ~~ x1'.",
        )
    return terms


def _centred(p: Parameter, both: frozenset[str]) -> Parameter:
    """Fix means within clusters of variables that level 2 has as well: their means belong there."""
    if p.op == "~1" and p.lhs in both and (p.exogenous or (p.free and not p.user)):
        return replace(p, free=False, value=0.0, exogenous=False)
    return p


def _tied(rows: Sequence[Parameter]) -> list[Parameter]:
    """Fix parameters whose label belongs to a fixed one, as within one level."""
    fixed = {p.label: p.value for p in rows if p.label and not p.free}
    return [replace(p, free=False, value=fixed[p.label]) if p.free and p.label in fixed else p for p in rows]


def _joined(within: Roles, between: Roles) -> Roles:
    def both(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*getattr(within, name), *getattr(between, name))))

    return Roles(
        latent=both("latent"),
        observed=both("observed"),
        indicators=both("indicators"),
        exogenous_observed=both("exogenous_observed"),
        exogenous_latent=both("exogenous_latent"),
        outcome_observed=both("outcome_observed"),
        outcome_latent=both("outcome_latent"),
    )


def moment_levels(levels: Levels, *, correlated: bool) -> Levels:
    """Return the saturated model, or with `correlated` False the baseline model of uncorrelated variables."""
    rows: list[Parameter] = []
    for level in (1, 2):
        given, names = levels.exogenous(level), levels.names(level)
        predictors = (levels.within if level == 1 else levels.between).exogenous_observed
        pairs = [(name, name) for name in names]
        pairs += [(a, b) for a, b in combinations(names, 2) if correlated or {a, b} <= {*predictors}]
        for a, b in pairs:
            fixed = a in given and b in given
            rows.append(Parameter(a, "~~", b, level, not fixed, NAN, exogenous=fixed))
        for name in names:
            if level == 2 or name in levels.within_only:
                rows.append(Parameter(name, "~1", "", level, name not in given, NAN, exogenous=name in given))
            else:
                rows.append(Parameter(name, "~1", "", level, False, 0.0))
    named = tuple(replace(p, shared=f".m{i}.") for i, p in enumerate(rows))
    within, between = (
        Roles((), roles.observed, (), roles.exogenous_observed, (), (), ()) for roles in (levels.within, levels.between)
    )
    table = ParameterTable(named, (), _joined(within, between), levels.table.options)
    return Levels(table, within, between)
