"""How much room the variables of a path diagram and their trees of indicators take, in inches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psm_analysis.report.numbers import format_decimal
from psm_analysis.report.path_geometry import Side
from psm_analysis.report.path_model import PathModel
from psm_analysis.report.path_text import Measure, wrap_label

BOX_SIZE, FACTOR_SIZE = 7.5, 9.0
BOX_GAP, BLOCK_GAP = 0.09, 0.30
FANS = {"left": 1.15, "right": 1.15, "top": 0.86, "bottom": 0.86}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Text, width and height of every variable."""

    text: Mapping[str, str]
    width: Mapping[str, float]
    height: Mapping[str, float]


def measure_nodes(model: PathModel, labels: Mapping[str, str], *, measure: Measure) -> Sizes:
    """Return the size of every variable; indicators are equally wide, and so are factors and other boxes."""
    owned = {name for name, _ in model.owners}
    explained = dict(model.r_squared)
    items = [name for name in model.observed if name in owned]
    text: dict[str, str] = {}
    width: dict[str, float] = {}
    height: dict[str, float] = {}
    for name in (*model.latents, *model.observed):
        item, latent = name in items, name in model.latents
        text[name] = wrap_label(labels.get(name, name), 24 if item else 18)
        if name in explained:
            text[name] += f"\nR² = {format_decimal(explained[name], 2, leading_zero=False)}"
        across, along = measure(text[name], BOX_SIZE if item else FACTOR_SIZE)
        width[name] = max(1.0, 1.22 * across + 0.28) if latent else across + (0.16 if item else 0.3)
        height[name] = max(0.56, 1.25 * along + 0.26) if latent else along + (0.09 if item else 0.2)
    width |= _equal(width, items, least=0.45, most=9.0)
    width |= _equal(width, model.latents, least=1.0, most=1.6)
    width |= _equal(width, [name for name in model.observed if name not in items], least=0.6, most=1.6)
    return Sizes(text, width, height)


def _equal(width: Mapping[str, float], names: Sequence[str], *, least: float, most: float) -> dict[str, float]:
    common = min(max((width[name] for name in names), default=least), most)
    return {name: max(width[name], common, least) for name in names}


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of indicators of a model, each growing from its factor to one side.

    An indicator that stands above or below its factor is turned by a quarter: it is as wide as its text is high.
    """

    model: PathModel
    sizes: Sizes

    def across(self, name: str, side: Side) -> float:
        """Return the size of a variable at right angles to the direction of growth."""
        level = side in ("left", "right") or not self._turns(name)
        return (self.sizes.height if level else self.sizes.width)[name]

    def along(self, name: str, side: Side) -> float:
        """Return the size of a variable in the direction of growth."""
        level = side in ("left", "right") or not self._turns(name)
        return (self.sizes.width if level else self.sizes.height)[name]

    def _turns(self, name: str) -> bool:
        return name in self.model.latents or not self.is_item(name)

    def is_item(self, name: str) -> bool:
        """Say whether a variable is an observed indicator."""
        return name not in self.model.latents and any(item == name for item, _ in self.model.owners)

    def extent(self, name: str, side: Side) -> float:
        """Return the room that a tree takes at right angles to its growth, with the gap to the next one."""
        children = self.model.children(name)
        if not children:
            return self.across(name, side) + BOX_GAP
        return max(self.across(name, side) + BLOCK_GAP, sum(self.extent(child, side) for child in children))

    def depth(self, name: str, side: Side) -> float:
        """Return how far a tree reaches from the centre of its factor."""
        children = self.model.children(name)
        half = self.along(name, side) / 2
        if not children:
            return half
        reach = max(self.along(child, side) / 2 + self.depth(child, side) for child in children)
        return half + FANS[side] + reach
