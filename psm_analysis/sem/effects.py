"""``indirect_effects``: what one variable does to another, directly and through mediators."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import EffectInterval
from psm_analysis._results import Result
from psm_analysis.errors import ModelError, PsmAnalysisWarning
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.effect_inference import Uncertainty, uncertainty_of
from psm_analysis.sem.effect_paths import Effect, effects_between, products
from psm_analysis.sem.result import SemResult


@dataclass(frozen=True, slots=True, repr=False)
class IndirectEffects(Result):
    """Direct, indirect and total effects.

    Attributes
    ----------
    frame
        One row per effect; see :meth:`tidy`.
    interval, level
        Where the intervals come from.
    replicates
        The number of draws behind them, 0 for the delta method.
    effects, source
        The effects as sums of products of coefficients, and where their errors come from.
    """

    frame: pd.DataFrame
    interval: EffectInterval
    level: float
    replicates: int
    effects: tuple[Effect, ...]
    source: Uncertainty

    def tidy(self) -> pd.DataFrame:
        """Return one row per effect.

        Columns: ``effect, kind`` (indirect, total indirect, direct, total), ``predictor, outcome, group, estimate,
        std_error, statistic, p_value, ci_low, ci_high`` and the standardized ``std_all, std_all_std_error,
        std_all_ci_low, std_all_ci_high``.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the number of effects and where the intervals come from."""
        row = {"effects": len(self.frame), "interval": self.interval, "level": self.level}
        return pd.DataFrame([row | {"replicates": self.replicates}])

    def proportion_mediated(self) -> pd.DataFrame:
        """Return the share of each total effect that runs through mediators, ``total indirect / total``.

        One row per predictor, outcome and group, with the inference columns. Where the direct and the indirect effect
        have opposite signs (inconsistent mediation) the ratio is no share, and where the total effect does not differ
        from 0 it is unstable: both give a PsmAnalysisWarning (MacKinnon, Krull & Lockwood, 2000). Needs some pair of
        variables with both kinds of effect.
        """
        pairs = _indirect_and_total(self.effects)
        if not pairs:
            raise ModelError(
                "No effect is both direct and indirect, so there is no share that is mediated.",
                where="proportion_mediated",
                remedy="Add the direct path: Y ~ X beside M ~ X and Y ~ M.",
            )
        parts = [part for pair in pairs for part in pair]

        def ratio(values: Array) -> Array:
            found = products(parts, values)
            with np.errstate(all="ignore"):
                return np.asarray(found[..., 0::2] / found[..., 1::2])

        totals = [total for _, total in pairs]
        names = pd.DataFrame([_name(total, self.source.fit.group_labels) for total in totals])
        frame = self.source.frame(ratio)
        _warn_of_ratios(names["effect"].tolist(), frame["estimate"], self.source.frame(lambda v: products(totals, v)))
        return pd.concat([names[["predictor", "outcome", "group"]], frame], axis=1)


def indirect_effects(
    result: SemResult,
    *,
    predictor: str | None = None,
    outcome: str | None = None,
    interval: EffectInterval = "delta",
    bootstrap: BootstrapResult | None = None,
    n: int = 20_000,
    seed: int = 0,
    level: float = 0.95,
) -> IndirectEffects:
    """List every specific indirect effect between variables, and their total indirect, direct and total effects.

    A specific indirect effect is the product of the coefficients along one chain of regressions, such as ``X -> M1 ->
    M2 -> Y``; the total effect is the sum over all chains, the direct one included (Bollen, 1987).

    Parameters
    ----------
    result
        A fit with regressions among latent or observed variables.
    predictor, outcome
        Where the chains begin and end; by default every pair with an indirect effect.
    interval
        ``delta`` (Sobel, 1982), ``monte-carlo`` (draws of the coefficients from their normal sampling distribution;
        MacKinnon, Lockwood & Williams, 2004), or ``bootstrap``.
    bootstrap
        The replicates of ``result.bootstrap(...)``, whose kind of interval and level are used; gives
        ``interval="bootstrap"``.
    n, seed
        Number of Monte Carlo draws, and what makes them.
    level
        Of the confidence intervals.

    Returns
    -------
    IndirectEffects
        One row per effect in ``tidy()``, which :func:`effects_table` prints.

    Raises
    ------
    OptionError
        For a variable without regressions, or a bootstrap that is missing or of another fit.
    ModelError
        If there is no indirect effect, or paths run in a circle, or the fit did not converge.

    References
    ----------
    Bollen, K. A. (1987). Total, direct, and indirect effects in structural equation models. Sociological Methodology,
    17, 37-69.
    MacKinnon, D. P., Lockwood, C. M., & Williams, J. (2004). Confidence limits for the indirect effect. Multivariate
    Behavioral Research, 39, 99-128.

    Examples
    --------
    >>> import pandas as pd, psm_analysis as psm
    >>> names = ["x", "m", "y"]
    >>> r = pd.DataFrame([[1, .5, .4], [.5, 1, .6], [.4, .6, 1]], names, names)
    >>> fit = psm.sem("m ~ x; y ~ m + x", sample_cov=r, sample_nobs=200)
    >>> found = psm.indirect_effects(fit).tidy()
    >>> found[["effect", "estimate"]].round(3).values.tolist()
    [['x -> m -> y', 0.267], ['x -> y: total indirect', 0.267], ['x -> y: direct', 0.133], ['x -> y: total', 0.4]]
    """
    source = uncertainty_of(result, interval=interval, bootstrap=bootstrap, n=n, seed=seed, level=level)
    effects = effects_between(result.table, predictor=predictor, outcome=outcome)
    names = pd.DataFrame([_name(effect, result.group_labels) for effect in effects])
    raw = source.frame(lambda values: products(effects, values))
    scaled = source.frame(lambda values: products(effects, source.standardized(values)))
    renamed = scaled[["estimate", "std_error", "ci_low", "ci_high"]]
    renamed.columns = pd.Index(["std_all", "std_all_std_error", "std_all_ci_low", "std_all_ci_high"])
    frame = pd.concat([names, raw, renamed], axis=1)
    return IndirectEffects(frame, source.interval, source.level, source.replicates, tuple(effects), source)


def _name(effect: Effect, groups: Sequence[str]) -> dict[str, str]:
    label = groups[effect.group - 1]
    name = f"{effect.name} [{label}]" if label else effect.name
    row = {"effect": name, "kind": effect.kind, "predictor": effect.predictor, "outcome": effect.outcome}
    return row | {"group": label}


def _indirect_and_total(effects: Sequence[Effect]) -> list[tuple[Effect, Effect]]:
    by_kind = {(e.predictor, e.outcome, e.group, e.kind): e for e in effects}
    return [
        (by_kind[a, b, group, "total indirect"], total)
        for (a, b, group, kind), total in by_kind.items()
        if kind == "total" and {(a, b, group, "total indirect"), (a, b, group, "direct")} <= set(by_kind)
    ]


def _warn_of_ratios(names: Sequence[str], ratios: pd.Series[float], totals: pd.DataFrame) -> None:
    for name, ratio, low, high in zip(names, ratios, totals["ci_low"], totals["ci_high"], strict=True):
        if not 0.0 <= ratio <= 1.0:
            python_warnings.warn(
                f"{name}: direct and indirect effect have opposite signs, so the ratio {ratio:.3f} is not a share.",
                PsmAnalysisWarning,
                stacklevel=3,
            )
        elif low <= 0.0 <= high:
            python_warnings.warn(
                f"{name}: the total effect does not differ from 0, so the share of it that is mediated is unstable.",
                PsmAnalysisWarning,
                stacklevel=3,
            )
