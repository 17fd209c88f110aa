"""``conditional_effects``: effects at values of a moderator, and the index of moderated mediation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from psm_analysis._options import EffectInterval, ModeratorValues
from psm_analysis._results import Result
from psm_analysis.errors import ModelError
from psm_analysis.moderation.interactions import Moderated, Pairs, find_interactions
from psm_analysis.moderation.places import check_moderator, moderator_places
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.effect_inference import uncertainty_of
from psm_analysis.sem.effect_paths import routes_between
from psm_analysis.sem.result import SemResult

Route = tuple[str, ...]
INDEX, DIFFERENCE = "index of moderated mediation", "difference"


@dataclass(frozen=True, slots=True, repr=False)
class ConditionalEffects(Result):
    """Effects at values of a moderator.

    Attributes
    ----------
    frame
        One row per effect and value; see :meth:`tidy`.
    moderator
        Its name.
    interval, level, replicates
        Where the intervals come from.
    """

    frame: pd.DataFrame
    moderator: str
    interval: EffectInterval
    level: float
    replicates: int

    def tidy(self) -> pd.DataFrame:
        """Return one row per effect and value of the moderator, and the index of moderated mediation.

        Columns: ``effect, kind, predictor, outcome, group, moderator, moderator_value, estimate, std_error, statistic,
        p_value, ci_low, ci_high``. Kinds: indirect, total indirect, direct, total; then ``index of moderated
        mediation`` for effects that are linear in the moderator, and ``difference`` (highest value less lowest) for
        those that are not.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the moderator, how many values, and where the intervals come from."""
        row = {"moderator": self.moderator, "values": self.frame["moderator_value"].nunique()}
        row |= {"interval": self.interval, "level": self.level, "replicates": self.replicates}
        return pd.DataFrame([row])


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A sum of products of slopes along routes at one value of the moderator, less the same at another if there is."""

    name: str
    kind: str
    group: int
    routes: tuple[Route, ...]
    value: float
    less: float | None = None


def conditional_effects(
    result: SemResult,
    *,
    predictor: str,
    outcome: str,
    moderator: str,
    values: ModeratorValues | Sequence[float] = "sd",
    interactions: Pairs | None = None,
    at: Mapping[str, float] | None = None,
    interval: EffectInterval = "delta",
    bootstrap: BootstrapResult | None = None,
    n: int = 20_000,
    seed: int = 0,
    level: float = 0.95,
) -> ConditionalEffects:
    """Return direct and indirect effects at values of a moderator (moderated mediation).

    A path that the product ``xw`` conditions has the slope ``b1 + b3 w``; an indirect effect is the product of the
    slopes along its chain. If the moderator conditions one path of the chain the effect is linear in it, and the *index
    of moderated mediation* (Hayes, 2015) is its change per unit of the moderator, ``a3 b`` or ``a b3``: the test of
    whether the mediation is moderated. If it conditions several, there is no single index, and the difference between
    the highest and the lowest value is given.

    Parameters
    ----------
    result
        A fit in which a product predicts a mediator or the outcome: ``m ~ x + w + x:w``, a column of products, or a
        latent product (:func:`product_indicators`). How an observed product was centred is found from the rows; without
        rows it is taken as not centred. The zero of a latent moderator is its mean.
    predictor, outcome, moderator
        Between which variables, and conditional on what.
    values
        ``sd`` (mean and one standard deviation around it), ``percentiles`` (16th, 50th, 84th; those of the normal
        distribution if it is latent), or numbers. A moderator with two values in the data is looked at in both.
    interactions
        Products that are not written ``x:w``: name of the product to the pair of its variables.
    at
        Where other variables of interactions are held; by default at their mean.
    interval, bootstrap, n, seed, level
        As for :func:`indirect_effects`.

    Returns
    -------
    ConditionalEffects
        One row per effect and value in ``tidy()``.

    Raises
    ------
    ModelError
        If there is no interaction, no path between the variables, or none that the moderator conditions.
    OptionError
        If the moderator takes no part in an interaction.
    DataError
        If a named column is not the product of its variables.

    References
    ----------
    Hayes, A. F. (2015). An index and test of linear moderated mediation. Multivariate Behavioral Research, 50, 1-22
    (eq. 10). Preacher, K. J., Rucker, D. D., & Hayes, A. F. (2007). Multivariate Behavioral Research, 42, 185-227.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> data = pd.DataFrame(rng.normal(size=(500, 2)), columns=["x", "w"])
    >>> data["m"] = 0.4 * data.x + 0.3 * data.x * data.w + rng.normal(size=500)
    >>> data["y"] = 0.5 * data.m + rng.normal(size=500)
    >>> fit = psm.sem("m ~ x + w + x:w; y ~ m + x", data)
    >>> found = psm.conditional_effects(fit, predictor="x", outcome="y", moderator="w", values=[-1, 0, 1]).tidy()
    >>> found[found.kind.isin(["indirect", "index of moderated mediation"])]["estimate"].round(2).tolist()
    [0.02, 0.18, 0.35, 0.16]
    """
    source = uncertainty_of(result, interval=interval, bootstrap=bootstrap, n=n, seed=seed, level=level)
    model = find_interactions(result, given=interactions, at=at or {})
    check_moderator(model, moderator, [predictor, outcome])
    quantities: list[_Quantity] = []
    for group in range(1, len(result.group_labels) + 1):
        routes = sorted(routes_between(model.arrows(group), predictor, outcome), key=len)
        _check_routes(model, routes, group, moderator=moderator, names=(predictor, outcome))
        places = moderator_places(result, moderator, group, values=values)
        quantities += _quantities(model, routes, group, moderator=moderator, places=places)

    def evaluate(table: Array) -> Array:
        return np.stack([_value(model, q, table, moderator) for q in quantities], axis=-1)

    names = pd.DataFrame(
        {
            "effect": [q.name for q in quantities],
            "kind": [q.kind for q in quantities],
            "predictor": predictor,
            "outcome": outcome,
            "group": [result.group_labels[q.group - 1] for q in quantities],
            "moderator": moderator,
            "moderator_value": [q.value if q.less is None else float("nan") for q in quantities],
        }
    )
    frame = pd.concat([names, source.frame(evaluate)], axis=1)
    return ConditionalEffects(frame, moderator, source.interval, source.level, source.replicates)


def _check_routes(
    model: Moderated, routes: Sequence[Route], group: int, *, moderator: str, names: tuple[str, str]
) -> None:
    where = f"from {names[0]!r} to {names[1]!r}"
    if not routes:
        raise ModelError(
            "There is no path between the variables.",
            where=where,
            remedy="Name variables that regressions of the model connect.",
        )
    if not any(_conditions(model, route, group, moderator) for route in routes):
        raise ModelError(
            f"{moderator!r} moderates no path between the variables.",
            where=where,
            remedy="The product must predict a variable on the way: m ~ x + w + x:w.",
        )


def _conditions(model: Moderated, route: Route, group: int, moderator: str) -> int:
    """Return how many paths of a route the moderator conditions."""
    return sum(any(i.other(a) == moderator for i, _ in model.moderating(a, b, group)) for a, b in pairwise(route))


def _quantities(
    model: Moderated, routes: Sequence[Route], group: int, *, moderator: str, places: Sequence[float]
) -> list[_Quantity]:
    indirect = [route for route in routes if len(route) > 2]
    title = f"{routes[0][0]} -> {routes[0][-1]}"
    wholes: list[tuple[str, str, tuple[Route, ...]]] = [
        (" -> ".join(route), "indirect", (route,)) for route in indirect
    ]
    if len(indirect) > 1:
        wholes.append((f"{title}: total indirect", "total indirect", tuple(indirect)))
    others: list[tuple[str, str, tuple[Route, ...]]] = [
        (f"{title}: direct", "direct", (route,)) for route in routes if len(route) == 2
    ]
    if indirect and others:
        others.append((f"{title}: total", "total", tuple(routes)))
    found = [_Quantity(*whole[:2], group, whole[2], place) for whole in (*wholes, *others) for place in places]
    for name, _, parts in wholes:
        times = max(_conditions(model, route, group, moderator) for route in parts)
        if times == 1:
            found.append(_Quantity(name, INDEX, group, parts, 1.0, 0.0))
        elif times > 1 and len(places) > 1:
            found.append(_Quantity(name, DIFFERENCE, group, parts, max(places), min(places)))
    return found


def _value(model: Moderated, quantity: _Quantity, values: Array, moderator: str) -> Array:
    def effect(place: float) -> Array:
        total = np.zeros(values.shape[:-1], dtype=values.dtype)
        for route in quantity.routes:
            product = np.ones_like(total)
            for a, b in pairwise(route):
                product = product * model.slope(values, a, b, group=quantity.group, at={moderator: place})
            total = total + product
        return total

    found = effect(quantity.value)
    return found if quantity.less is None else found - effect(quantity.less)
