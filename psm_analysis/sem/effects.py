"""``indirect_effects``: what one variable does to another, directly and through mediators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psm_analysis._options import EffectInterval, check_option
from psm_analysis._results import Result
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.sem import tables
from psm_analysis.sem.arrays import Array
from psm_analysis.sem.bootstrap_intervals import deviations, interval
from psm_analysis.sem.bootstrap_result import BootstrapResult, summarised
from psm_analysis.sem.effect_paths import Effect, effects_between, product_slopes, products
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.standardize import standardized, standardized_jacobian


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
    """

    frame: pd.DataFrame
    interval: EffectInterval
    level: float
    replicates: int

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
    check_option(interval, EffectInterval, name="interval")
    if bootstrap is not None:
        interval, level = "bootstrap", bootstrap.level
    _check(result, interval, bootstrap)
    effects = effects_between(result.table, predictor=predictor, outcome=outcome)
    exogenous = frozenset(result.table.roles.exogenous_observed)
    values = result.estimates
    std = standardized(result.problem, values, kind="std_all", exogenous=exogenous)
    if bootstrap is not None:
        raw, scaled = _from_bootstrap(effects, bootstrap)
        count = len(bootstrap.values)
    elif interval == "monte-carlo":
        draws = _draws(result, n, seed)
        drawn_std = standardized(result.problem, draws, kind="std_all", exogenous=exogenous)
        raw = _from_draws(products(effects, draws), products(effects, values), level)
        scaled = _from_draws(products(effects, drawn_std), products(effects, std), level)
        count = n
    else:
        raw = _delta(effects, values, tables.selection(result.problem), result.free_vcov, level)
        jacobian = standardized_jacobian(result.problem, result.solution.x, kind="std_all", exogenous=exogenous)
        scaled = _delta(effects, std, jacobian, result.free_vcov, level)
        count = 0
    names = pd.DataFrame([_name(effect, result.group_labels) for effect in effects])
    renamed = scaled[["estimate", "std_error", "ci_low", "ci_high"]]
    renamed.columns = pd.Index(["std_all", "std_all_std_error", "std_all_ci_low", "std_all_ci_high"])
    return IndirectEffects(pd.concat([names, raw, renamed], axis=1), interval, level, count)


def _check(result: SemResult, interval: EffectInterval, bootstrap: BootstrapResult | None) -> None:
    if not result.converged:
        raise ModelError("The fit did not converge, so it has no effects.", where="indirect_effects")
    if interval == "bootstrap" and (bootstrap is None or bootstrap.kind != "ordinary"):
        raise OptionError(
            "interval='bootstrap' needs the replicates of an ordinary bootstrap.",
            where="argument 'bootstrap'",
            remedy="Give bootstrap=fit.bootstrap(2000, seed=1).",
        )
    if bootstrap is not None and bootstrap.fit is not result:
        raise OptionError(
            "The replicates belong to another fit.", where="argument 'bootstrap'", remedy="Bootstrap this fit."
        )


def _name(effect: Effect, groups: Sequence[str]) -> dict[str, str]:
    label = groups[effect.group - 1]
    name = f"{effect.name} [{label}]" if label else effect.name
    row = {"effect": name, "kind": effect.kind, "predictor": effect.predictor, "outcome": effect.outcome}
    return row | {"group": label}


def _delta(effects: Sequence[Effect], values: Array, jacobian: Array, vcov: Array, level: float) -> pd.DataFrame:
    slopes = product_slopes(effects, values) @ jacobian
    errors = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, vcov, slopes), 0.0))
    return tables.inference_frame(products(effects, values), errors, level)


def _draws(result: SemResult, n: int, seed: int) -> Array:
    """Return draws of all parameters of the table from the sampling distribution of the free ones."""
    values, vectors = np.linalg.eigh(result.free_vcov)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = np.random.default_rng(seed).normal(size=(n, len(values)))
    return result.problem.expand(result.solution.x + noise @ root.T)


def _from_draws(draws: Array, estimate: Array, level: float) -> pd.DataFrame:
    frame = tables.inference_frame(estimate, deviations(draws), level)
    frame["ci_low"], frame["ci_high"] = interval(draws, estimate, ci="percentile", level=level)
    return frame


def _from_bootstrap(effects: Sequence[Effect], bootstrap: BootstrapResult) -> tuple[pd.DataFrame, pd.DataFrame]:
    problem, exogenous = bootstrap.fit.problem, frozenset(bootstrap.fit.table.roles.exogenous_observed)

    def scaled(values: Array) -> Array:
        return products(effects, standardized(problem, values, kind="std_all", exogenous=exogenous))

    found = []
    for function in (lambda values: products(effects, values), scaled):
        _, estimate, low, high, error = summarised(bootstrap, function)
        found.append(tables.inference_frame(estimate, error, bootstrap.level).assign(ci_low=low, ci_high=high))
    return found[0], found[1]
