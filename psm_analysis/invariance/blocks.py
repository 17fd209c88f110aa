"""What is compared, groups or waves, and under which names each has its parameters in a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psm_analysis.sem.implied import Implied
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.sample import GroupSample

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Block:
    """A group or a wave.

    ``group`` is the number, from 1, of the group of the fit that it lies in; ``names`` maps the names of the model to
    those that they have in the fit.
    """

    label: str
    group: int
    names: Mapping[str, str]

    def sample(self, fit: SemResult) -> GroupSample:
        """Return the sample that holds the block."""
        return fit.sample.groups[self.group - 1]

    def factor(self, fit: SemResult, name: str) -> int:
        """Return the place of a factor among those of the fit."""
        return fit.problem.layouts[self.group - 1].eta.index(self.names[name])


@dataclass(frozen=True, slots=True)
class Blocks:
    """All groups or all waves; ``kind`` says which (and names the column of tables)."""

    kind: str
    members: tuple[Block, ...]

    def model_key(self, key: Key) -> Key:
        """Return the key of a parameter of the fit in the words of the model."""
        plain = {there: here for block in self.members for here, there in block.names.items()}
        return plain.get(key[0], key[0]), key[1], plain.get(key[2], key[2])

    def values(self, fit: SemResult) -> list[dict[Key, float]]:
        """Return of each block the values of its parameters, in the words of the model."""
        found: list[dict[Key, float]] = []
        for block in self.members:
            inside = {there: here for here, there in block.names.items()} | {"": ""}
            found.append(
                {
                    (inside[p.lhs], p.op, inside.get(p.rhs, p.rhs)): float(value)
                    for p, value in zip(fit.table.parameters, fit.estimates, strict=True)
                    if p.group == block.group and p.lhs in inside and (p.op == "|" or p.rhs in inside)
                }
            )
        return found

    def implied(self, fit: SemResult) -> list[Implied]:
        """Return the implied moments that hold each block."""
        moments = fit.problem.implied(fit.solution.x)
        return [moments[block.group - 1] for block in self.members]


def group_blocks(fit: SemResult) -> Blocks:
    """Return the groups of a fit, where every variable has the name of the model."""
    names = {name: name for name in (*fit.table.roles.observed, *fit.table.roles.latent)}
    return Blocks("group", tuple(Block(label, g, names) for g, label in enumerate(fit.group_labels, start=1)))
