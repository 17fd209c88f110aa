"""``group:`` blocks of a model: which relations hold in which group."""

from __future__ import annotations

from collections.abc import Sequence

from psm_analysis._options import nearest
from psm_analysis.errors import ModelError
from psm_analysis.sem.options import FitOptions
from psm_analysis.sem.roles import Roles, find_roles
from psm_analysis.sem.syntax import ParsedModel, Term


def has_group_blocks(model: ParsedModel) -> bool:
    """Tell whether groups have relations of their own."""
    return any(block.kind == "group" for block in model.blocks)


def check_group_blocks(model: ParsedModel, options: FitOptions) -> None:
    """Refuse blocks of groups without groups, with blocks of another kind, or with exploratory factors."""
    if not has_group_blocks(model):
        return
    if options.group is None and not isinstance(options.sample_cov, (list, tuple, dict)):
        raise ModelError(
            "The model has 'group:' blocks, but there are no groups.",
            where="argument 'group'",
            remedy="Give group=, the column of the groups, or one matrix per group in sample_cov=.",
        )
    for term in model.terms:
        if term.modifiers.efa:
            raise ModelError(
                "Exploratory factors cannot stand in 'group:' blocks.",
                where=f"line {term.line} of the model",
                remedy="Write efa() once, without blocks, for all groups.",
            )


def terms_by_group(model: ParsedModel, labels: Sequence[str]) -> tuple[tuple[Term, ...], ...]:
    """Return the relations of every group, in the order of the groups; without blocks all have the same.

    Blocks are named by the labels of the groups, or (if none is) by their numbers in order of appearance.

    Raises
    ------
    ModelError
        For relations outside of the blocks, a group without a block or with two, groups that are not in the data,
        values by group inside a block, or observed variables that groups do not share.
    """
    if not has_group_blocks(model):
        return (model.terms,) * len(labels)
    places = _places(model, labels)
    found = tuple(tuple(term for term in model.terms if places[term.block] == g) for g in range(len(labels)))
    for term in model.terms:
        _check_term(term)
    for label, terms in zip(labels, found, strict=True):
        if not terms:
            raise ModelError(
                f"The model has no relation for the group {label!r}.",
                where="argument 'model'",
                remedy=f"Add a block 'group: \"{label}\"'.",
            )
        _check_variables(find_roles(terms), find_roles(model.terms), label)
    return found


def _places(model: ParsedModel, labels: Sequence[str]) -> list[int]:
    """Return the place of each block's group among the labels; -1 for what stands before the first block."""
    by_label = any(block.value in labels for block in model.blocks[1:])
    known = list(labels) if by_label else [str(g + 1) for g in range(len(labels))]
    places = [-1]
    for block in model.blocks[1:]:
        if block.kind != "group" or block.value not in known:
            raise ModelError(
                f"The block '{block.kind}: {block.value}' belongs to no group of the data.",
                where="argument 'model'",
                remedy=f"{nearest(block.value, labels)}The groups are {', '.join(map(repr, labels))}.",
            )
        if known.index(block.value) in places:
            raise ModelError(
                f"There are two blocks 'group: {block.value}'.", where="argument 'model'", remedy="Join them."
            )
        places.append(known.index(block.value))
    return places


def _check_term(term: Term) -> None:
    where = f"line {term.line} of the model"
    shown = f"'{term.lhs} {term.op} {term.rhs}'"
    if term.block == 0:
        raise ModelError(
            f"{shown} stands before the first group.",
            where=where,
            remedy="Put every relation below a 'group:' line, once for each group.",
        )
    m = term.modifiers
    if max(map(len, (m.fixed, m.start, m.label, m.lower, m.upper, m.equal))) > 1:
        raise ModelError(
            f"{shown} has values for several groups inside the block of one.",
            where=where,
            remedy="Give one value in each block, or use c() without 'group:' blocks.",
        )


def _check_variables(roles: Roles, everywhere: Roles, label: str) -> None:
    for name in everywhere.observed:
        if name not in roles.observed:
            raise ModelError(
                f"The variable {name!r} is not in the model of the group {label!r}.",
                where="argument 'model'",
                remedy=f"All groups need the same variables: add '{name} ~~ {name}' to the block, or leave it out.",
            )
    odd = frozenset(everywhere.exogenous_observed) ^ frozenset(roles.exogenous_observed)
    if odd:
        name = sorted(odd)[0]
        raise ModelError(
            f"The variable {name!r} is exogenous in one group and not in another.",
            where=f"the block of the group {label!r}",
            remedy=f"Write '{name} ~~ {name}' in every block, so that it is modelled in all groups.",
        )
