"""The model of all waves at once, written out in the model language.

Waves are treated as groups whose rows belong to the same persons: the parameter table over groups says what is free,
fixed and equal in each; written with one name per wave it is a model of a single group, to which the covariances
between waves are added.

References
----------
Liu, Y., Millsap, R. E., West, S. G., Tein, J.-Y., Tanaka, R., & Grimm, K. J. (2017). Testing measurement invariance in
longitudinal data with ordered-categorical measures. Psychological Methods, 22, 486-506.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from psm_analysis._model_names import quoted
from psm_analysis.errors import ModelError
from psm_analysis.invariance.blocks import Block, Blocks
from psm_analysis.sem.partable import Parameter, ParameterTable
from psm_analysis.sem.roles import Roles


def wave_blocks(roles: Roles, columns: Mapping[str, Mapping[str, str]]) -> Blocks:
    """Return the waves, with a name of its own for every item and factor in each."""
    members = []
    for wave, items in columns.items():
        suffix = re.sub(r"\W", "_", wave)
        members.append(Block(wave, 1, dict(items) | {name: f"{name}_{suffix}" for name in roles.latent}))
    found = Counter(there for block in members for there in block.names.values())
    name, times = found.most_common(1)[0]
    if times > 1:
        raise ModelError(
            f"{name!r} is the name of two things.", where="argument 'waves'", remedy="Rename the factor or the wave."
        )
    return Blocks("wave", tuple(members))


def wave_text(table: ParameterTable, blocks: Blocks, *, lag: int | None) -> str:
    """Return the model of all waves as text.

    Parameters
    ----------
    table
        The parameter table over the waves as if they were groups.
    blocks
        The waves.
    lag
        How many waves apart residuals of an item (and disturbances of a factor) may be to covary; None for any.
    """
    shared = Counter(p.shared for p in table.parameters if p.free)
    lines = [_line(p, blocks.members[p.group - 1], shared) for p in table.parameters if not p.derived]
    lines += _between_waves(table, blocks, lag)
    lines += [f"{quoted(c.lhs) if c.op == ':=' else c.lhs} {c.op} {c.rhs}" for c in table.constraints]
    return "\n".join(lines)


def _line(p: Parameter, block: Block, shared: Mapping[str, int]) -> str:
    label = p.label or (p.shared if p.free and shared[p.shared] > 1 else "")
    parts = [f"{quoted(label)}*" if label else "", "NA*" if p.free else f"{p.value!r}*"]
    parts += [
        f"{name}({value!r})*"
        for name, value in (("start", p.start), ("lower", p.lower), ("upper", p.upper))
        if math.isfinite(value)
    ]
    rhs = p.rhs if p.op == "|" else "1" if p.op == "~1" else quoted(block.names[p.rhs])
    return f"{quoted(block.names[p.lhs])} {'~' if p.op == '~1' else p.op} {''.join(parts)}{rhs}"


def _between_waves(table: ParameterTable, blocks: Blocks, lag: int | None) -> Iterator[str]:
    """Yield the covariances between waves; those of factors that a default would add, but must not, are fixed at 0."""
    roles, waves = table.roles, blocks.members
    first = {p.key: p for p in table.parameters if p.group == 1}
    for s, t in combinations(range(len(waves)), 2):
        for a in roles.indicators:
            if a not in roles.latent and _varies(first, a) and (lag is None or t - s <= lag):
                yield f"{quoted(waves[s].names[a])} ~~ {quoted(waves[t].names[a])}"
        for a in roles.latent:
            for b in roles.latent:
                exogenous = {a, b} <= set(roles.exogenous_latent)
                near = exogenous or lag is None or t - s <= lag
                free = near and (_varies(first, a) if a == b else exogenous and _covary(first, a, b))
                if free or exogenous or {a, b} <= set(roles.outcome_latent):
                    yield f"{quoted(waves[s].names[a])} ~~ {'NA' if free else '0'}*{quoted(waves[t].names[b])}"


def _varies(first: Mapping[tuple[str, str, str], Parameter], name: str) -> bool:
    row = first[name, "~~", name]
    return row.free or row.derived or row.value > 0


def _covary(first: Mapping[tuple[str, str, str], Parameter], a: str, b: str) -> bool:
    row = first.get((min(a, b), "~~", max(a, b)))
    return row is not None and (row.free or row.value != 0.0)


def check_model(roles: Roles, items: Sequence[str]) -> None:
    """Raise a ModelError for observed variables that are not indicators of factors."""
    others = [name for name in roles.observed if name not in items]
    if others:
        raise ModelError(
            f"{others[0]!r} is no indicator of a factor.",
            where="argument 'model'",
            remedy="Give the measurement model only; test invariance first, then add predictors with psm.sem.",
        )
