"""``longitudinal_invariance``: the ladder over waves of a panel."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from psm_analysis._options import InvarianceRule
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.invariance.climb import Plan, climb, higher_order_means
from psm_analysis.invariance.ladder import Step, ladder
from psm_analysis.invariance.result import InvarianceResult
from psm_analysis.invariance.rules import check_rule
from psm_analysis.invariance.wave_data import Panel, Waves, make_panel
from psm_analysis.invariance.wave_model import check_model, wave_blocks, wave_text
from psm_analysis.moments.ordered_categories import ordered_columns
from psm_analysis.sem.fit import cfa, fit_table
from psm_analysis.sem.partable import TableOptions, build_table
from psm_analysis.sem.result import SemResult
from psm_analysis.sem.roles import Roles, find_roles
from psm_analysis.sem.syntax import parse_model

SHAPING = ("std_lv", "orthogonal", "parameterization")
PASSED = ("estimator", "missing", "information", "se", "test", "cluster", "sampling_weights", "auxiliary")
INCOMPLETE = (None, "ML", "MLR", "MLF")


def longitudinal_invariance(
    model: str,
    data: pd.DataFrame,
    *,
    waves: Waves,
    id: str | None = None,
    steps: Sequence[str] | None = None,
    rule: InvarianceRule | Mapping[str, float] = "chen2007",
    partial: bool = False,
    release: Sequence[str] = (),
    residual_lag: int | None = None,
    **options: Any,
) -> InvarianceResult:
    """Test measurement invariance over waves of the same persons.

    The waves are one model of a single group. Every factor has a variable per wave, and these covary freely; residuals
    of the same item covary between waves; what a step makes equal is equal over waves. Latent means of the first wave
    are 0; later ones are free once intercepts are equal, and are then changes of level.

    Parameters
    ----------
    model
        The measurement model of one wave.
    data
        Wide (one row per person) or long (one row per person and wave).
    waves
        Wide data: the columns of each wave in order, by a pattern, ``{"2021": "{item}_t1", "2023": "{item}_t2"}``, or
        by mappings from item to column. Long data: the column of the waves, taken in ascending (or category) order.
    id
        Long data: the column of the persons.
    steps, rule, partial, release
        As :func:`invariance`.
    residual_lag
        How many waves apart residuals of the same item (and disturbances of the same lower-order factor) may be to
        covary: None for any, 0 for none.
    **options
        Of :func:`cfa`: ``estimator, ordered, parameterization, missing, std_lv, orthogonal, cluster, sampling_weights,
        auxiliary, information, se, test``. Incomplete panels are fitted by ``missing="fiml"`` (ordinal items:
        ``pairwise``) unless another treatment is asked for.

    Returns
    -------
    InvarianceResult
        As :func:`invariance`; ``.latent_means()`` are changes since the first wave. ``.steps["metric"].model`` is the
        text of the whole model.

    Raises
    ------
    OptionError
        For fewer than two waves, an item without column in a wave, unknown steps, rules or options.
    DataError
        For columns that are not there, a person twice in a wave, categories that a wave does not use.
    ModelError
        For a model with observed predictors, or a first step without solution (a later one is a row ``no solution``).

    References
    ----------
    Meredith, W., & Horn, J. (2001). The role of factorial invariance in modeling growth and change. In New methods for
    the analysis of change (pp. 203-240). American Psychological Association.
    Liu, Y., Millsap, R. E., West, S. G., Tein, J.-Y., Tanaka, R., & Grimm, K. J. (2017). Testing measurement invariance
    in longitudinal data with ordered-categorical measures. Psychological Methods, 22, 486-506.
    In R: ``semTools::measEq.syntax(longFacNames =, longIndNames =, auto = "all")``.

    Examples
    --------
    >>> import numpy as np, pandas as pd, psm_analysis as psm
    >>> rng = np.random.default_rng(1)
    >>> person = rng.normal(size=(500, 1))
    >>> rows = []
    >>> for wave in (1, 2):
    ...     f = 0.8 * person + 0.6 * rng.normal(size=(500, 1)) + 0.3 * (wave == 2)
    ...     y = pd.DataFrame(f * [1, 0.8, 0.9, 0.7] + rng.normal(size=(500, 4)) * 0.6, columns=["a", "b", "c", "d"])
    ...     rows.append(y.assign(person=np.arange(500), wave=wave))
    >>> found = psm.longitudinal_invariance("f =~ a + b + c + d", pd.concat(rows), waves="wave", id="person")
    >>> found.table["decision"].tolist()
    ['holds', 'holds', 'holds', 'holds']
    >>> found.latent_means()[["factor", "wave", "estimate"]].round(1).values.tolist()
    [['f', '2', 0.3]]
    """
    check_rule(rule)
    _check_options(options, residual_lag)
    roles = find_roles(parse_model(model).terms)
    check_model(roles, roles.indicators)
    given = _ordered(options.get("ordered", ()), roles)
    keep = [str(options[name]) for name in ("cluster", "sampling_weights") if options.get(name) is not None]
    panel = make_panel(data, roles.indicators, waves=waves, person=id, keep=keep)
    ordered = given if isinstance(options.get("ordered"), bool) else _with_columns(given, roles, panel)
    thresholds = {item: _categories(panel, item) - 1 for item in ordered}
    blocks = wave_blocks(roles, panel.columns)
    theta = options.get("parameterization") == "theta"
    rungs = ladder(steps, ordinal=bool(ordered), theta=theta)
    arguments = _arguments(options, panel, [block.names[item] for block in blocks.members for item in ordered])

    def fit(step: Step, freed: Sequence[str], before: SemResult | None) -> SemResult:
        chosen = TableOptions(
            meanstructure=True,
            std_lv=bool(options.get("std_lv", False)),
            orthogonal=bool(options.get("orthogonal", False)),
            group_labels=tuple(str(g + 1) for g in range(len(blocks.members))),
            ordered=tuple(thresholds.items()),
            theta=theta,
            group_equal=step.equal,
            group_partial=tuple(freed),
        )
        one_wave = model + higher_order_means(model, step, len(blocks.members))
        text = wave_text(build_table(parse_model(one_wave), chosen), blocks, lag=residual_lag)
        return _fitted(text, panel, arguments, before)

    return climb(Plan(rungs, fit, lambda _: blocks, rule, partial, tuple(release)))


def _fitted(text: str, panel: Panel, arguments: Mapping[str, Any], before: SemResult | None) -> SemResult:
    """Fit the model of all waves; what is known of the sample from the step before is used again."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", PsmAnalysisWarning)
        if before is not None and (before.spec.likelihood or before.sample.groups[0].ordinal is not None):
            table = build_table(parse_model(text), before.table.options)
            return fit_table(table, before.sample, model=text, spec=before.spec)
        return cfa(text, panel.frame, **arguments)


def _arguments(options: Mapping[str, Any], panel: Panel, ordered: Sequence[str]) -> dict[str, Any]:
    arguments = {name: options[name] for name in (*PASSED, "parameterization") if name in options}
    columns = [column for mine in panel.columns.values() for column in mine.values()]
    if "missing" not in options and panel.frame[columns].isna().any(axis=None):
        if ordered:
            arguments["missing"] = "pairwise"
        elif options.get("estimator") in INCOMPLETE:
            arguments["missing"] = "fiml"
    return arguments | {"meanstructure": True} | ({"ordered": list(ordered)} if ordered else {})


def _check_options(options: Mapping[str, Any], lag: int | None) -> None:
    known = (*SHAPING, *PASSED, "ordered", "meanstructure")
    for name in options:
        if name not in known:
            raise OptionError(
                f"The option {name!r} is not available over waves.",
                where=f"argument {name!r}",
                remedy=f"It can be: {', '.join(sorted(known))}.",
            )
    if lag is not None and (not isinstance(lag, int) or lag < 0):
        raise OptionError(
            f"residual_lag={lag!r} is no number of waves.",
            where="argument 'residual_lag'",
            remedy="Give 0, 1, 2, ... or None.",
        )


def _ordered(given: Sequence[str] | bool, roles: Roles) -> tuple[str, ...]:
    """Return the ordinal items in the order of the model."""
    if isinstance(given, bool):
        return roles.indicators if given else ()
    names = (given,) if isinstance(given, str) else tuple(given)
    unknown = [name for name in names if name not in roles.indicators]
    if unknown:
        raise OptionError(
            f"The ordinal variable {unknown[0]!r} is not in the model.",
            where="argument 'ordered'",
            remedy="Name items as the model does.",
        )
    return tuple(name for name in roles.indicators if name in names)


def _with_columns(given: Sequence[str], roles: Roles, panel: Panel) -> tuple[str, ...]:
    """Return the ordinal items, those included that some wave has as an ordered Categorical."""
    found = {
        item
        for columns in panel.columns.values()
        for item, column in columns.items()
        if ordered_columns(panel.frame, [column])
    }
    return tuple(name for name in roles.indicators if name in found or name in given)


def _categories(panel: Panel, item: str) -> int:
    """Return the number of categories of an ordinal item, which every wave must use all of."""
    found = {wave: set(panel.frame[columns[item]].dropna().unique()) for wave, columns in panel.columns.items()}
    whole = set().union(*found.values())
    for wave, used in found.items():
        if used != whole:
            unused = sorted(whole - used, key=str)[0]
            raise DataError(
                f"Nobody chose category {unused:g} of {item!r} in wave {wave!r}."
                if isinstance(unused, (int, float, np.number))
                else f"The category {unused!r} of {item!r} is not there in wave {wave!r}.",
                where=f"column {panel.columns[wave][item]!r}",
                remedy="Merge this category with its neighbour in all waves.",
            )
    return len(whole)
