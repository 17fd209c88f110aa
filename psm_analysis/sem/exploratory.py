"""Exploratory blocks in a model: ``efa("block")*f1 + efa("block")*f2 =~ ...`` and their unrotated identification.

The factors of a block share all of its items. Before rotation they have variance 1 and no covariances, and
k (k - 1) / 2 loadings are 0: those of k items, the most different ones, form a triangle. Any rotation of that solution
fits equally.

References
----------
Asparouhov, T., & Muthén, B. (2009). Exploratory structural equation modeling. Structural Equation Modeling, 16,
397-438.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg

from psm_analysis.errors import ModelError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.partable import Parameter, ParameterTable
from psm_analysis.sem.sample import GroupSample, Sample
from psm_analysis.sem.syntax import Modifiers, ParsedModel, Term


@dataclass(frozen=True, slots=True)
class Block:
    """An exploratory block: all of its factors load on all of its items."""

    name: str
    factors: tuple[str, ...]
    items: tuple[str, ...]


def exploratory_blocks(parsed: ParsedModel) -> tuple[Block, ...]:
    """Return the exploratory blocks of a model, in the order of the text.

    Raises
    ------
    ModelError
        If a block has one factor, too few items, other items for each factor, or relations that its factors do not
        share.
    """
    found: dict[str, list[Term]] = {}
    for term in parsed.terms:
        if term.modifiers.efa and term.op != "=~":
            raise ModelError(
                f"efa() stands in '{term.lhs} {term.op} {term.rhs}'.",
                where=f"line {term.line} of the model",
                remedy="Use it before the factors of a '=~' line only.",
            )
        if term.modifiers.efa:
            found.setdefault(term.modifiers.efa, []).append(term)
    return tuple(_block(name, terms, parsed) for name, terms in found.items())


def _block(name: str, terms: Sequence[Term], parsed: ParsedModel) -> Block:
    factors = tuple(dict.fromkeys(term.lhs for term in terms))
    items = tuple(dict.fromkeys(term.rhs for term in terms))
    where = f"block {name!r}, line {terms[0].line} of the model"
    if len(factors) < 2 or len(items) <= len(factors) or len(terms) != len(factors) * len(items):
        raise ModelError(
            f"The exploratory block has {len(factors)} factors, {len(items)} items and {len(terms)} loadings.",
            where=where,
            remedy='Give two factors or more on the same items: efa("b")*f1 + efa("b")*f2 =~ x1 + x2 + x3 + x4 + x5.',
        )
    for term in terms:
        if replace(term.modifiers, efa="", label=()) != Modifiers():
            raise ModelError(
                f"The loading '{term.lhs} =~ {term.rhs}' of an exploratory block has a value or a bound.",
                where=where,
                remedy="Only labels are possible; rotation='target' moves loadings towards 0.",
            )
    _check_alike(factors, items, parsed, where=where)
    return Block(name, factors, items)


def _check_alike(factors: tuple[str, ...], items: tuple[str, ...], parsed: ParsedModel, *, where: str) -> None:
    """Refuse relations that not all factors of a block have: they would not survive a rotation."""
    relations: dict[str, set[tuple[str, str, str]]] = {factor: set() for factor in factors}
    for term in parsed.terms:
        inside = {term.lhs, term.rhs} & set(factors)
        plain = not (term.modifiers.fixed or term.modifiers.equal or term.modifiers.lower or term.modifiers.upper)
        measured = term.op == "=~" and (term.lhs not in factors or term.rhs not in items)
        if inside and (len(inside) == 2 or term.lhs == term.rhs or not plain or measured):
            raise ModelError(
                f"'{term.lhs} {term.op} {term.rhs}' cannot be combined with rotation.",
                where=where,
                remedy="Leave it out: variances are 1, covariances of the block follow from the rotation.",
            )
        for factor in inside:
            other = term.rhs if term.lhs == factor else term.lhs
            relations[factor].add((term.op, "left" if term.lhs == factor else "right", other))
    if any(relations[factor] != relations[factors[0]] for factor in factors):
        raise ModelError(
            "The factors of an exploratory block are not all related to the same variables.",
            where=where,
            remedy=f"Write the same regressions and covariances for {', '.join(factors)}.",
        )


def without_efa(parsed: ParsedModel) -> ParsedModel:
    """Return the model with its blocks as ordinary factors."""
    if not any(term.modifiers.efa for term in parsed.terms):
        return parsed
    terms = tuple(replace(term, modifiers=replace(term.modifiers, efa="")) for term in parsed.terms)
    return replace(parsed, terms=terms)


def unrotated_table(table: ParameterTable, sample: Sample, blocks: Sequence[Block]) -> ParameterTable:
    """Return the table with the blocks identified before rotation, and with starting values."""
    parameters = list(table.parameters)
    for group in range(1, table.options.n_groups + 1):
        for block in blocks:
            start = _triangular(_principal_factors(sample.groups[group - 1], sample.names, block))
            parameters = [_identified(p, block, start) if p.group == group else p for p in parameters]
            parameters += _missing_covariances(parameters, block, group)
    found = replace(table, parameters=tuple(parameters))
    _check_tied(found, blocks)
    return found


def _identified(p: Parameter, block: Block, start: Array) -> Parameter:
    if p.op == "=~" and p.lhs in block.factors:
        value = float(start[block.items.index(p.rhs), block.factors.index(p.lhs)])
        if value == 0.0:
            return replace(p, free=False, value=0.0)
        return replace(p, free=True, value=float("nan"), start=value)
    if p.op == "~~" and {p.lhs, p.rhs} <= set(block.factors):
        return replace(p, free=False, value=1.0 if p.lhs == p.rhs else 0.0)
    return p


def _missing_covariances(parameters: Sequence[Parameter], block: Block, group: int) -> list[Parameter]:
    """Return the covariances of the block's factors that the defaults left out."""
    present = {p.key for p in parameters if p.group == group}
    found = []
    for i, a in enumerate(block.factors):
        for b in block.factors[i + 1 :]:
            p = Parameter(a, "~~", b, group, False, 0.0, shared=f".efa{group}.{a}.{b}.")
            if p.key not in present:
                found.append(p)
    return found


def _check_tied(table: ParameterTable, blocks: Sequence[Block]) -> None:
    """Refuse equality of parameters that rotation changes, and constraints on them."""
    factors = {name for block in blocks for name in block.factors}
    moved = [p for p in table.parameters if {p.lhs, p.rhs} & factors and (p.free or p.op == "=~")]
    shared = [p.shared for p in moved]
    used = {name for c in table.constraints if c.op != ":=" for name in c.left.labels() | c.right.labels()}
    for p in moved:
        others = [q for q in table.parameters if q.shared == p.shared]
        if shared.count(p.shared) > 1 or len(others) > 1 or p.label in used:
            raise ModelError(
                f"'{p.lhs} {p.op} {p.rhs}' is constrained, but rotation changes it.",
                where=f"label {p.label!r}" if p.label else "argument 'group_equal'",
                remedy="Constrain only what is not related to exploratory factors, or use ordinary factors.",
            )


def _principal_factors(group: GroupSample, names: Sequence[str], block: Block) -> Array:
    """Return unrotated principal-axis loadings of the items, in their units."""
    at = [names.index(item) for item in block.items]
    S = group.cov[np.ix_(at, at)]
    sd = np.sqrt(np.diagonal(S))
    reduced = S / np.outer(sd, sd)
    np.fill_diagonal(reduced, np.clip(1.0 - 1.0 / np.diagonal(np.linalg.inv(reduced)), 0.1, 0.9))
    values, vectors = np.linalg.eigh(reduced)
    k = len(block.factors)
    return np.asarray(vectors[:, -k:] * np.sqrt(np.maximum(values[-k:], 0.1)) * sd[:, None])


def _triangular(loadings: Array) -> Array:
    """Return the loadings rotated so that those of the k most different items form a lower triangle."""
    k = loadings.shape[1]
    sd = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    pivots = scipy.linalg.qr((loadings / sd).T, pivoting=True, mode="economic")[2][:k]
    Q, R = np.linalg.qr(loadings[pivots].T)
    turned = loadings @ (Q * np.sign(np.diagonal(R)))
    turned = np.where(turned == 0.0, 1e-8, turned)
    turned[pivots] = np.tril(turned[pivots])
    return np.asarray(turned)
