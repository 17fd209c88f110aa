"""The values of a moderator at which effects are looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from psm_analysis._options import ModeratorValues, check_option
from psm_analysis.errors import OptionError
from psm_analysis.moderation.interactions import Moderated, column_of, spread
from psm_analysis.sem.result import SemResult

PERCENTILES = (0.16, 0.50, 0.84)


def moderator_places(
    fit: SemResult, moderator: str, group: int, *, values: ModeratorValues | Sequence[float]
) -> list[float]:
    """Return values of a moderator: given ones, mean and one SD around it, or the 16th, 50th and 84th percentile.

    A moderator with two values in the data is looked at in both of them, unless values are given.
    """
    if not isinstance(values, str):
        places = [float(value) for value in values]
        if not places or not np.isfinite(places).all():
            raise OptionError(
                "The values of the moderator must be finite numbers, one at least.", where="argument 'values'"
            )
        return places
    check_option(values, ModeratorValues, name="values")
    column = column_of(fit, moderator, group)
    if column is not None and len(np.unique(column)) == 2:
        return [float(value) for value in np.unique(column)]
    mean, sd = spread(fit, moderator, group)
    if values == "sd":
        return [mean - sd, mean, mean + sd]
    if column is not None:
        return [float(value) for value in np.quantile(column, PERCENTILES)]
    return [float(mean + sd * special.ndtri(share)) for share in PERCENTILES]


def check_moderator(model: Moderated, moderator: str, variables: Sequence[str]) -> None:
    """Raise if a variable is no moderator of the model, or is one of the variables between which effects run."""
    members = list(dict.fromkeys(name for i in model.interactions for name in i.pair))
    if moderator not in members:
        raise OptionError(
            f"{moderator!r} is not a moderator in the model.",
            where="argument 'moderator'",
            remedy=f"Variables of its interactions are: {', '.join(members)}.",
        )
    if moderator in variables:
        raise OptionError(
            f"{moderator!r} cannot be the moderator of its own effect.",
            where="argument 'moderator'",
            remedy="Name the other variable of the product.",
        )
