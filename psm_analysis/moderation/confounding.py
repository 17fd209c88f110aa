"""``mediation_sensitivity``: how strong must a confounder of mediator and outcome be to explain an indirect effect?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import EffectInterval
from psm_analysis._results import Result
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.effect_inference import uncertainty_of
from psm_analysis.sem.effect_paths import arrows_of
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.tables import explained_variance

GRID = tuple(round(-0.95 + 0.05 * k, 2) for k in range(39))


@dataclass(frozen=True, slots=True, repr=False)
class MediationSensitivity(Result):
    """An indirect effect as a function of the residual correlation of mediator and outcome.

    Attributes
    ----------
    frame
        One row per correlation; see :meth:`tidy`.
    rho_zero
        The residual correlation at which the indirect effect is 0.
    residual_share, total_share
        Products of the shares of variance of mediator and outcome that such a confounder explains: of the variance
        that the model leaves, ``rho^2``, and of all variance, ``rho^2 (1 - R2 of mediator) (1 - R2 of outcome)``.
    path, interval, level
        Predictor, mediator and outcome; kind and level of the intervals.
    """

    frame: pd.DataFrame
    rho_zero: float
    residual_share: float
    total_share: float
    path: tuple[str, str, str]
    interval: EffectInterval
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per correlation: ``effect, rho`` and the inference columns; rho = 0 is the model itself."""
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: ``effect, estimate, rho_zero, residual_share, total_share``.

        ``rho_insignificant`` is the correlation nearest to 0 in the grid at which the interval holds 0.
        """
        at_zero = self.frame.iloc[(self.frame["rho"].abs()).argmin()]
        open_ = self.frame[(self.frame["ci_low"] <= 0.0) & (self.frame["ci_high"] >= 0.0)]
        nearest = open_["rho"].iloc[open_["rho"].abs().argmin()] if len(open_) else float("nan")
        row = {"effect": " -> ".join(self.path), "estimate": at_zero["estimate"], "rho_zero": self.rho_zero}
        row |= {"rho_insignificant": nearest, "residual_share": self.residual_share}
        return pd.DataFrame([row | {"total_share": self.total_share, "interval": self.interval, "level": self.level}])


def mediation_sensitivity(
    result: SemResult,
    *,
    predictor: str,
    mediator: str,
    outcome: str,
    rho: Sequence[float] = GRID,
    interval: EffectInterval = "delta",
    bootstrap: BootstrapResult | None = None,
    n: int = 20_000,
    seed: int = 0,
    level: float = 0.95,
) -> MediationSensitivity:
    """Return an indirect effect under every correlation that an omitted confounder could give the residuals.

    Mediation assumes that nothing outside the model causes both mediator and outcome. If something does, the residuals
    of the two correlate by ``rho``, which data cannot show. With the paths ``a`` into the mediator and ``b`` out of it
    and the residual variances ``psi_m, psi_y`` of the model the indirect effect is then

    ``a (b - rho / sqrt(1 - rho^2) sqrt(psi_y / psi_m))``

    (Imai, Keele & Yamamoto, 2010, Theorem 4, written in the parameters of the model). It is 0 at ``rho_zero = b
    sqrt(psi_m) / sqrt(b^2 psi_m + psi_y)``, the correlation of the residuals when the mediator is left out of the
    outcome's equation. Fitting the model with that residual correlation fixed gives the same numbers.

    Parameters
    ----------
    result
        A fit with ``mediator ~ predictor`` and ``outcome ~ mediator``, latent or observed, of one group, with
        covariates as wanted.
    predictor, mediator, outcome
        The indirect effect.
    rho
        Correlations in (-1, 1).
    interval, bootstrap, n, seed, level
        As for :func:`indirect_effects`.

    Returns
    -------
    MediationSensitivity
        The curve in ``tidy()``, where it crosses 0 in ``glance()``.

    Raises
    ------
    ModelError
        If a path is missing, other mediators lead into the outcome, the residuals are correlated in the model already,
        or there are several groups.
    OptionError
        For correlations outside of (-1, 1).

    References
    ----------
    Imai, K., Keele, L., & Yamamoto, T. (2010). Identification, inference and sensitivity analysis for causal mediation
    effects. Statistical Science, 25, 51-71. The R call is ``mediation::medsens(mediate(...), rho.by = 0.05)``.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> names = ["x", "m", "y"]
    >>> r = pd.DataFrame([[1, .5, .4], [.5, 1, .6], [.4, .6, 1]], names, names)
    >>> fit = psm.sem("m ~ x; y ~ m + x", sample_cov=r, sample_nobs=200)
    >>> found = psm.mediation_sensitivity(fit, predictor="x", mediator="m", outcome="y", rho=[0.0, 0.3])
    >>> found.tidy()["estimate"].round(3).tolist(), round(found.rho_zero, 3)
    ([0.267, 0.123], 0.504)
    """
    source = uncertainty_of(result, interval=interval, bootstrap=bootstrap, n=n, seed=seed, level=level)
    values = np.array([float(r) for r in rho])
    if not len(values) or not (np.abs(values) < 1.0).all():
        raise OptionError(
            "A residual correlation lies between -1 and 1.", where="argument 'rho'", remedy="Give rho=[-0.5, 0, 0.5]."
        )
    a, b, psi_m, psi_y = _rows(result, predictor, mediator=mediator, outcome=outcome)

    def curve(table: Array) -> Array:
        ratio = np.sqrt(table[..., [psi_y]] / table[..., [psi_m]])
        return np.asarray(table[..., [a]] * (table[..., [b]] - values / np.sqrt(1.0 - values**2) * ratio))

    estimate = result.estimates
    if not (estimate[psi_m] > 0 and estimate[psi_y] > 0):
        raise ModelError("A residual variance is not positive.", where=f"{mediator!r} or {outcome!r}")
    spread = estimate[b] * np.sqrt(estimate[psi_m])
    rho_zero = float(spread / np.sqrt(spread**2 + estimate[psi_y]))
    explained = next(iter(explained_variance(result).values()))
    path = (predictor, mediator, outcome)
    names = pd.DataFrame({"effect": " -> ".join(path), "rho": values})
    frame = pd.concat([names, source.frame(curve)], axis=1)
    unexplained = (1.0 - explained[mediator]) * (1.0 - explained[outcome])
    return MediationSensitivity(
        frame, rho_zero, rho_zero**2, rho_zero**2 * unexplained, path, source.interval, source.level
    )


def _rows(fit: SemResult, predictor: str, *, mediator: str, outcome: str) -> tuple[int, int, int, int]:
    """Return the rows of both paths and both residual variances, after a check that the formula holds."""
    if len(fit.group_labels) > 1:
        raise ModelError("The fit has several groups.", where="argument 'result'", remedy="Fit one group at a time.")
    arrows = arrows_of(fit.table, 1)
    for start, end in ((predictor, mediator), (mediator, outcome)):
        if end not in arrows.get(start, {}):
            raise ModelError(
                f"The model has no path from {start!r} to {end!r}.",
                where="mediation_sensitivity",
                remedy="An indirect effect needs mediator ~ predictor and outcome ~ mediator.",
            )
    dependent = {end for to in arrows.values() for end in to}
    others = [a for a, to in arrows.items() if outcome in to and a != mediator and a in dependent]
    if others:
        raise ModelError(
            f"{others[0]!r} is a second mediator in the equation of {outcome!r}, for which the formula does not hold.",
            where="mediation_sensitivity",
            remedy="Look at one mediator at a time, in a model of its own.",
        )
    rows = {p.key: i for i, p in enumerate(fit.table.parameters)}
    pair = tuple(sorted((mediator, outcome)))
    if (pair[0], "~~", pair[1]) in rows:
        raise ModelError(
            f"The residuals of {mediator!r} and {outcome!r} are correlated in the model already.",
            where="mediation_sensitivity",
            remedy=f"Leave '{mediator} ~~ {outcome}' out: the correlation is what is varied.",
        )
    variances = [rows[name, "~~", name] for name in (mediator, outcome)]
    return arrows[predictor][mediator], arrows[mediator][outcome], variances[0], variances[1]
