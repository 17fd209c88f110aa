"""``simple_slopes``: what a predictor does at values of a moderator, and where that differs from 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from psm_analysis._options import EffectInterval, ModeratorValues
from psm_analysis._results import Result
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.moderation.interactions import Moderated, Pairs, column_of, find_interactions, spread
from psm_analysis.moderation.johnson_neyman import SignificanceRegion, significance_region
from psm_analysis.moderation.places import check_moderator, moderator_places
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.effect_inference import Uncertainty, uncertainty_of
from psm_analysis.sem.result import SemResult


@dataclass(frozen=True, slots=True)
class _Path:
    predictor: str
    moderator: str
    outcome: str
    group: int


@dataclass(frozen=True, slots=True, repr=False)
class SimpleSlopes(Result):
    """Slopes of one path at values of a moderator, and the Johnson-Neyman region.

    Attributes
    ----------
    frame
        One row per value; see :meth:`tidy`.
    region
        Where the slope differs from 0 at the level of the intervals, by its estimate and z error.
    observed
        Lowest and highest value of the moderator (of a latent one: three standard deviations around its mean).
    share
        Share of the moderator's distribution that lies in the region: of the rows, or of the normal distribution.
    model, path, source
        What slopes are computed from.
    """

    frame: pd.DataFrame
    region: SignificanceRegion
    observed: tuple[float, float]
    share: float
    model: Moderated
    path: _Path
    source: Uncertainty

    def tidy(self) -> pd.DataFrame:
        """Return one row per value of the moderator.

        Columns: ``predictor, moderator, outcome, moderator_value, estimate, std_error, statistic, p_value, ci_low,
        ci_high``.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the bounds of the region, where in relation to them the slope differs from 0, and the share.

        Columns: ``predictor, moderator, outcome, region`` (outside, between, above, below, everywhere, nowhere),
        ``region_low, region_high, share, observed_low, observed_high, level``.
        """
        row: dict[str, object] = {"predictor": self.path.predictor, "moderator": self.path.moderator}
        row |= {"outcome": self.path.outcome, "region": self.region.where}
        row |= {"region_low": self.region.low, "region_high": self.region.high, "share": self.share}
        row |= {"observed_low": self.observed[0], "observed_high": self.observed[1], "level": self.source.level}
        return pd.DataFrame([row])

    def curve(self, points: int = 101) -> pd.DataFrame:
        """Return the slope over the range of the moderator, to be drawn with its band.

        Columns: those of ``tidy()``, and ``significant`` by the region.
        """
        frame = _slope_frame(self.model, self.path, self.source, np.linspace(*self.observed, points))
        return frame.assign(significant=[self.region.holds(w) for w in frame["moderator_value"]])

    def lines(self) -> pd.DataFrame:
        """Return the predicted outcome at low and high predictor, one line per value of the moderator.

        The predictor runs two standard deviations around its mean. The prediction is the difference from somebody who
        is average in predictor and moderator, other things equal, in units of the outcome. Columns: ``predictor,
        moderator, outcome, moderator_value, predictor_value, predicted``.
        """
        fit, path = self.model.fit, self.path
        mean, sd = spread(fit, path.predictor, path.group)
        w_mean = spread(fit, path.moderator, path.group)[0]
        values, rows = fit.estimates, []

        def slope(of: str, at: Mapping[str, float]) -> float:
            arrows = self.model.arrows(path.group)
            if path.outcome not in arrows.get(of, {}):
                return 0.0
            return float(self.model.slope(values, of, path.outcome, group=path.group, at=at))

        for w in self.frame["moderator_value"]:
            moved = slope(path.moderator, {path.predictor: mean}) * (w - w_mean)
            steep = slope(path.predictor, {path.moderator: w})
            rows += [(w, mean + step * sd, moved + steep * step * sd) for step in (-2.0, 2.0)]
        found = pd.DataFrame(rows, columns=["moderator_value", "predictor_value", "predicted"])
        return pd.concat([_names(path, len(found)), found], axis=1)


def simple_slopes(
    result: SemResult,
    *,
    predictor: str,
    moderator: str,
    outcome: str,
    values: ModeratorValues | Sequence[float] = "sd",
    interactions: Pairs | None = None,
    at: Mapping[str, float] | None = None,
    group: str = "",
    interval: EffectInterval = "delta",
    bootstrap: BootstrapResult | None = None,
    n: int = 20_000,
    seed: int = 0,
    level: float = 0.95,
) -> SimpleSlopes:
    """Return the slope of an outcome on a predictor at values of a moderator, with the Johnson-Neyman region.

    The simple slope is ``b1 + b3 w`` with the variance ``v11 + 2 w v13 + w^2 v33`` (Aiken & West, 1991). The region is
    where its z interval leaves out 0. Observed and latent interactions are treated alike.

    Parameters
    ----------
    result, predictor, moderator, outcome, values, interactions, at
        As for :func:`conditional_effects`.
    group
        Which group of a fit with several.
    interval, bootstrap, n, seed, level
        As for :func:`indirect_effects`.

    Returns
    -------
    SimpleSlopes
        Slopes in ``tidy()``, the region in ``glance()``, what figures show in ``curve()`` and ``lines()``.

    Raises
    ------
    ModelError
        If there is no interaction or no such path, or the moderator does not condition it.
    OptionError
        If the moderator takes no part in an interaction, or the group is unknown.

    References
    ----------
    Aiken, L. S., & West, S. G. (1991). Multiple regression. Sage. Bauer, D. J., & Curran, P. J. (2005). Probing
    interactions in fixed and multilevel regression. Multivariate Behavioral Research, 40, 373-400. The R calls are
    ``semTools::probe2WayMC`` and ``interactions::johnson_neyman``.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> data = pd.DataFrame(rng.normal(size=(400, 2)), columns=["x", "w"])
    >>> data["y"] = 0.2 * data.x + 0.3 * data.x * data.w + rng.normal(size=400)
    >>> slopes = psm.simple_slopes(psm.sem("y ~ x + w + x:w", data), predictor="x", moderator="w", outcome="y")
    >>> slopes.tidy()["estimate"].round(2).tolist(), slopes.region.where
    ([-0.18, 0.1, 0.39], 'outside')
    """
    source = uncertainty_of(result, interval=interval, bootstrap=bootstrap, n=n, seed=seed, level=level)
    model = find_interactions(result, given=interactions, at=at or {})
    check_moderator(model, moderator, [predictor, outcome])
    path = _Path(predictor, moderator, outcome, _group_number(result, group))
    if outcome not in model.arrows(path.group).get(predictor, {}):
        raise ModelError(
            f"The model has no path from {predictor!r} to {outcome!r}.",
            where="simple_slopes",
            remedy="For effects through mediators use conditional_effects.",
        )
    if not any(i.other(predictor) == moderator for i, _ in model.moderating(predictor, outcome, path.group)):
        raise ModelError(
            f"{moderator!r} does not moderate the path from {predictor!r} to {outcome!r}.",
            where="simple_slopes",
            remedy=f"The product must predict {outcome!r}: {outcome} ~ {predictor} + {moderator} + product.",
        )
    region = _region(model, path, source)
    observed, share = _support(model.fit, path, region)
    places = np.array(moderator_places(result, moderator, path.group, values=values))
    return SimpleSlopes(_slope_frame(model, path, source, places), region, observed, share, model, path, source)


def _group_number(fit: SemResult, group: str) -> int:
    labels = fit.group_labels
    if len(labels) == 1:
        return 1
    if group not in labels:
        raise OptionError(
            f"The fit has {len(labels)} groups, of which none is {group!r}.",
            where="argument 'group'",
            remedy=f"Choose one: {', '.join(labels)}.",
        )
    return labels.index(group) + 1


def _names(path: _Path, n: int) -> pd.DataFrame:
    row = {"predictor": path.predictor, "moderator": path.moderator, "outcome": path.outcome}
    return pd.DataFrame([row] * n)


def _slope_frame(model: Moderated, path: _Path, source: Uncertainty, places: Array) -> pd.DataFrame:
    def slopes(values: Array) -> Array:
        parts = [
            model.slope(values, path.predictor, path.outcome, group=path.group, at={path.moderator: float(w)})
            for w in places
        ]
        return np.stack(parts, axis=-1)

    frame = source.frame(slopes)
    names = _names(path, len(places)).assign(moderator_value=places)
    return pd.concat([names, frame], axis=1)


def _region(model: Moderated, path: _Path, source: Uncertainty) -> SignificanceRegion:
    """Return the region from the line ``b1 + b3 w``, of which the slopes at 0 and 1 are two points."""

    def line(values: Array) -> Array:
        at_0, at_1 = (
            model.slope(values, path.predictor, path.outcome, group=path.group, at={path.moderator: w})
            for w in (0.0, 1.0)
        )
        return np.stack([at_0, at_1 - at_0], axis=-1)

    b1, b3 = line(source.fit.estimates[None])[0]
    V = source.covariance(line)
    critical = float(special.ndtri(0.5 + source.level / 2.0))
    return significance_region(
        float(b1), float(b3), v=(float(V[0, 0]), float(V[0, 1]), float(V[1, 1])), critical=critical
    )


def _support(fit: SemResult, path: _Path, region: SignificanceRegion) -> tuple[tuple[float, float], float]:
    column = column_of(fit, path.moderator, path.group)
    if column is not None:
        share = float(np.mean([region.holds(float(w)) for w in column]))
        return (float(column.min()), float(column.max())), share
    mean, sd = spread(fit, path.moderator, path.group)
    grid = mean + sd * special.ndtri((np.arange(2000) + 0.5) / 2000)
    return (mean - 3.0 * sd, mean + 3.0 * sd), float(np.mean([region.holds(float(w)) for w in grid]))
