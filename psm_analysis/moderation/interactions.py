"""Which variables of a model are products of two others, how they were centred, and the coefficients they condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from psm_analysis._options import nearest
from psm_analysis.errors import DataError, ModelError, OptionError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.effect_paths import Arrows, arrows_of
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.tables import population

Pairs = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Interaction:
    """A product ``(first - zero of first)(second - zero of second) + constant``; zeros by group."""

    product: str
    pair: tuple[str, str]
    zeros: tuple[tuple[float, float], ...]

    def other(self, name: str) -> str:
        """Return the variable that `name` is multiplied with."""
        return self.pair[1] if name == self.pair[0] else self.pair[0]

    def zero(self, name: str, group: int) -> float:
        """Return where the centred variable is 0 in a group (counted from 1)."""
        return self.zeros[group - 1][self.pair.index(name)]


@dataclass(frozen=True, slots=True)
class Moderated:
    """The regressions of a fit, its interactions, and where variables that are not asked about are held."""

    fit: SemResult
    interactions: tuple[Interaction, ...]
    held: tuple[Mapping[str, float], ...]

    def arrows(self, group: int) -> Arrows:
        """Return the regressions without the products."""
        products = {i.product for i in self.interactions}
        return {a: to for a, to in arrows_of(self.fit.table, group).items() if a not in products}

    def moderating(self, start: str, end: str, group: int) -> list[tuple[Interaction, int]]:
        """Return the interactions that condition a path, with the row of the product's coefficient."""
        arrows = arrows_of(self.fit.table, group)
        return [
            (i, arrows[i.product][end])
            for i in self.interactions
            if start in i.pair and end in arrows.get(i.product, {})
        ]

    def slope(self, values: Array, start: str, end: str, *, group: int, at: Mapping[str, float]) -> Array:
        """Return the coefficient of a path at values of its moderators, ``b1 + b3 (w - zero)``; held ones elsewhere."""
        found = values[..., self.arrows(group)[start][end]]
        for interaction, row in self.moderating(start, end, group):
            moderator = interaction.other(start)
            place = at.get(moderator, self.held[group - 1].get(moderator, 0.0))
            found = found + values[..., row] * (place - interaction.zero(moderator, group))
        return np.asarray(found)


def find_interactions(fit: SemResult, *, given: Pairs | None, at: Mapping[str, float]) -> Moderated:
    """Return the products of a fit: those written ``x:w`` and those that are named.

    Raises
    ------
    ModelError
        If the model has no product, or a variable of one is not in its regressions.
    DataError
        If a named product is not the product of its variables.
    OptionError
        If a variable to hold is not part of any product.
    """
    everywhere = {name: to for g in range(len(fit.group_labels)) for name, to in arrows_of(fit.table, g + 1).items()}
    pairs = {name: tuple(name.split(":", 1)) for name in everywhere if ":" in name} | dict(given or {})
    if not pairs:
        raise ModelError(
            "The model has no interaction.",
            where="argument 'interactions'",
            remedy="Write 'y ~ x + w + x:w', or name the product: interactions={'xw': ('x', 'w')}.",
        )
    found = []
    for product, pair in pairs.items():
        if len(pair) != 2:
            raise OptionError(
                f"{product!r} is not given as a pair of variables.",
                where="argument 'interactions'",
                remedy="Write interactions={'xw': ('x', 'w')}.",
            )
        for name in (product, *pair):
            if name not in everywhere:
                raise ModelError(
                    f"{name!r} predicts nothing in the model, so {product!r} cannot be an interaction of it.",
                    where="argument 'interactions'",
                    remedy=f"{nearest(name, everywhere)}Both variables and their product must be predictors.",
                )
        zeros = tuple(_zeros(fit, product, (pair[0], pair[1]), g) for g in range(len(fit.group_labels)))
        found.append(Interaction(product, (pair[0], pair[1]), zeros))
    members = list(dict.fromkeys(name for i in found for name in i.pair))
    for name in at:
        if name not in members:
            raise OptionError(
                f"{name!r} is no part of an interaction.",
                where="argument 'at'",
                remedy=f"{nearest(name, members)}It can be: {', '.join(members)}.",
            )
    held = tuple(
        {name: at.get(name, spread(fit, name, g + 1)[0]) for name in members} for g in range(len(fit.group_labels))
    )
    return Moderated(fit, tuple(found), held)


def spread(fit: SemResult, name: str, group: int) -> tuple[float, float]:
    """Return mean and standard deviation (divisor N - 1) of a variable in a group; latent ones as the model implies."""
    sample, layout = fit.sample.groups[group - 1], fit.problem.layouts[group - 1]
    if name in fit.table.roles.ordered:
        raise OptionError(
            f"{name!r} is ordinal: it has no mean or standard deviation to hold it at.",
            where="a moderator",
            remedy="Use it as a number, or compare groups with group= and group_differences().",
        )
    if name in fit.table.roles.latent:
        implied, at = population(fit)[group - 1], layout.eta.index(name)
        mean = float(implied.eta_mean[at]) if fit.table.options.meanstructure else 0.0
        return mean, float(np.sqrt(implied.C[at, at]))
    at = fit.sample.names.index(name)
    mean = 0.0 if sample.mean is None else float(sample.mean[at])
    return mean, float(np.sqrt(sample.cov[at, at] * sample.nobs / (sample.nobs - 1)))


def column_of(fit: SemResult, name: str, group: int) -> Array | None:
    """Return the answers of an observed variable in a group without missing ones, or None if there are no rows."""
    rows = fit.sample.groups[group - 1].rows
    if rows is None or name not in fit.sample.names:
        return None
    values = rows[:, fit.sample.names.index(name)]
    return np.asarray(values[~np.isnan(values)])


def _zeros(fit: SemResult, product: str, pair: tuple[str, str], g: int) -> tuple[float, float]:
    latent = fit.table.roles.latent
    if product in latent:
        first, second = (0.0 if name in latent else spread(fit, name, g + 1)[0] for name in pair)
        return first, second
    rows = fit.sample.groups[g].rows
    if any(name in latent for name in pair):
        raise ModelError(
            f"The product {product!r} of a latent variable is observed.",
            where="argument 'interactions'",
            remedy="Measure it by product indicators: psm.product_indicators(...).",
        )
    if rows is None:
        return 0.0, 0.0
    return _centres(rows[:, [fit.sample.names.index(name) for name in (*pair, product)]], product, pair)


def _centres(rows: Array, product: str, pair: Sequence[str]) -> tuple[float, float]:
    """Return a and b of ``product = x w - b x - a w + c``, for centred and residual-centred products."""
    x, w, xw = rows[~np.isnan(rows).any(axis=1)].T
    design = np.column_stack([np.ones(len(x)), x, w, x * w])
    coefficients, *_ = np.linalg.lstsq(design, xw, rcond=None)
    off = np.abs(xw - design @ coefficients).max(initial=0.0)
    if off > 1e-6 * max(1.0, float(np.abs(xw).max(initial=0.0))) or abs(coefficients[3] - 1.0) > 1e-6:
        raise DataError(
            f"The column {product!r} is not the product of {pair[0]!r} and {pair[1]!r}.",
            where="argument 'interactions'",
            remedy=f"Compute it as data[{pair[0]!r}] * data[{pair[1]!r}] (centred or not), or write "
            f"'{pair[0]}:{pair[1]}' in the model.",
        )
    return float(-coefficients[2]), float(-coefficients[1])
