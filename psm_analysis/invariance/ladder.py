"""The steps of invariance, each with what it makes equal over groups.

Continuous indicators: configural, metric (loadings), scalar (intercepts), strict (residuals). Ordinal indicators begin
with thresholds (Wu & Estabrook, 2016): thresholds, then loadings, then intercepts, each of which the step before
identifies by freeing scales and intercepts of later groups. Latent variances, covariances and means may follow.

References
----------
Meredith, W. (1993). Measurement invariance, factor analysis and factorial invariance. Psychometrika, 58, 525-543.

Wu, H., & Estabrook, R. (2016). Identification of confirmatory factor analysis models of different levels of invariance
for ordered categorical outcomes. Psychometrika, 81, 1014-1045.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psm_analysis._options import check_choice
from psm_analysis.errors import OptionError

ADDED = {
    "configural": (),
    "thresholds": ("thresholds",),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
    "residual_covariances": ("residual_covariances",),
    "variances": ("loadings", "lv_variances"),
    "covariances": ("loadings", "lv_covariances"),
    "means": ("loadings", "intercepts", "means"),
    "regressions": ("regressions",),
}
CONTINUOUS = ("configural", "metric", "scalar", "strict")
ORDINAL = ("configural", "thresholds", "metric", "scalar")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what is equal in it, and what of that the step before did not have."""

    name: str
    equal: tuple[str, ...]
    added: tuple[str, ...]


def ladder(steps: Sequence[str] | None, *, ordinal: bool, theta: bool) -> tuple[Step, ...]:
    """Return the steps with everything that is equal in each.

    Every step keeps what the steps before made equal, and brings what it cannot do without: scalar the loadings.

    Raises
    ------
    OptionError
        For an unknown or repeated step, or one that the kind of indicators does not have.
    """
    names = tuple(steps) if steps is not None else ORDINAL if ordinal else CONTINUOUS
    found: list[Step] = []
    for name in names:
        check_choice(name, ADDED, name="step")
        added = ADDED[name]
        if ordinal and "loadings" in added:
            added = ("thresholds", *added)
        equal = tuple(dict.fromkeys([*(found[-1].equal if found else ()), *added]))
        if name in [step.name for step in found] or (found and equal == found[-1].equal):
            raise OptionError(f"The step {name!r} adds nothing.", where="argument 'steps'", remedy="Leave it out.")
        _check(name, ordinal=ordinal, theta=theta)
        before = found[-1].equal if found else ()
        found.append(Step(name, equal, tuple(part for part in equal if part not in before)))
    if not found:
        raise OptionError("There are no steps.", where="argument 'steps'", remedy="Give at least 'configural'.")
    return tuple(found)


def _check(name: str, *, ordinal: bool, theta: bool) -> None:
    if name == "thresholds" and not ordinal:
        raise OptionError(
            "Only ordinal indicators have thresholds.", where="argument 'steps'", remedy="Leave the step out."
        )
    if name == "strict" and ordinal and not theta:
        raise OptionError(
            "Residual variances of ordinal indicators are not parameters in the delta parameterization.",
            where="argument 'steps'",
            remedy="Use parameterization='theta', or leave 'strict' out.",
        )
