"""Regression models side by side: estimates with stars, standard errors in parentheses, fit below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.errors import DataError
from psm_analysis.report.columns import CellStyle, Column, RowGroup
from psm_analysis.report.frames import check_names, require_models
from psm_analysis.report.tables import Table
from psm_analysis.report.words import WORDS, join_notes, word

STATISTICS: dict[str, tuple[str, str, int]] = {
    "r_squared": ("R²", "coefficient", 3),
    "adj_r_squared": ("R² (adj.)", "coefficient", 3),
    "delta_r_squared": ("ΔR²", "coefficient", 3),
    "f_change": ("ΔF", "decimal", 2),
    "pseudo_r_squared": ("R² (McFadden)", "coefficient", 3),
    "f_statistic": ("F", "decimal", 2),
    "logl": ("log_likelihood", "decimal", 2),
    "aic": ("AIC", "decimal", 2),
    "bic": ("BIC", "decimal", 2),
    "clusters": ("clusters", "integer", 0),
    "n_clusters": ("clusters", "integer", 0),
    "nobs": ("nobs", "integer", 0),
}
INTERCEPTS = ("Intercept", "intercept", "const", "(Intercept)")


def regression_table(
    models: Mapping[str, pd.DataFrame] | pd.DataFrame,
    glances: Mapping[str, pd.DataFrame] | pd.DataFrame | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    terms: Sequence[str] | None = None,
    statistics: Sequence[str] | None = None,
    decimals: int = 2,
    title: str = "",
    number: int | str = "",
    note: str = "",
    lang: Language = "en",
) -> Table:
    """Set regression models side by side, one column each.

    Parameters
    ----------
    models
        Name -> tidy(): term, estimate, std_error, p_value; or one frame whose column `model` names them.
    glances
        Name -> glance(): any of r_squared, adj_r_squared, delta_r_squared, f_change, pseudo_r_squared, f_statistic,
        logl, aic, bic, n_clusters, nobs; or one frame whose column `model` names them.
    labels
        Printed name of a term.
    terms
        Which terms, in which order; by default all as they appear, intercepts last.
    statistics
        Which statistics below the terms; by default those that a model has.
    decimals
        Places after the point of estimates and standard errors.

    Raises
    ------
    DataError
        If a frame has no column term, estimate, std_error or p_value, or names a term twice.
    OptionError
        If `glances`, `terms` or `statistics` name something that is not there.

    Examples
    --------
    >>> tidy = pd.DataFrame({"term": ["psm"], "estimate": [-0.31], "std_error": [0.05], "p_value": [1e-6]})
    >>> print(regression_table({"Burnout": tidy}, {"Burnout": pd.DataFrame({"nobs": [512]})}).to_text())
    Regression Models
    ──────────────────────────
    Predictor      Burnout
    ──────────────────────────
    psm        -0.31*** (0.05)
    ──────────────────────────
    N                512
    ──────────────────────────
    Note. Standard errors are in parentheses.
    *p < .05. **p < .01. ***p < .001.
    """
    tidies = {name: _by_term(frame, name) for name, frame in _models(models).items()}
    everything = list(dict.fromkeys(term for tidy in tidies.values() for term in tidy.index))
    everything.sort(key=lambda term: term in INTERCEPTS)
    check_names(terms or (), everything, what="terms")
    chosen = list(terms) if terms is not None else everything
    fits = require_models(_by_model(glances), what="glances") if glances is not None else {}
    check_names(list(fits), list(tidies), what="glances")
    below = _statistics(fits, statistics)
    cells: dict[str, list[Any]] = {"term": _term_labels(chosen, labels or {}, lang=lang)}
    cells["term"] += [_label(name, lang) for name in below]
    for name, tidy in tidies.items():
        cells |= _cells(name, tidy.reindex(chosen), values=_values(fits.get(name), below))
    styles = [
        CellStyle((len(chosen) + row,), kind=STATISTICS[name][1], decimals=STATISTICS[name][2])  # type: ignore[arg-type]
        for row, name in enumerate(below)
    ]
    columns = [
        Column(f"{name}.estimate", name, "stars", decimals=decimals, p=f"{name}.p", se=f"{name}.se") for name in tidies
    ]
    return Table.from_frame(
        pd.DataFrame(cells),
        columns=[Column("term", word("predictor", lang)), *columns],
        title=title or word("title_regression", lang),
        groups=[RowGroup("", len(chosen))] if below else [],
        styles=styles,
        note=join_notes(note, word("note_se", lang), lang=lang),
        missing="",
        number=str(number),
        lang=lang,
    )


def _by_model(frames: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    if not isinstance(frames, pd.DataFrame) or "model" not in frames:
        return frames  # type: ignore[return-value]
    return {str(name): rows for name, rows in frames.groupby("model", sort=False)}


def _models(models: Mapping[str, pd.DataFrame] | pd.DataFrame) -> dict[str, pd.DataFrame]:
    return require_models(_by_model(models), ("term", "estimate", "std_error", "p_value"), what="models")


def _by_term(tidy: pd.DataFrame, name: str) -> pd.DataFrame:
    indexed = tidy.assign(term=tidy["term"].astype(str)).set_index("term")
    if indexed.index.has_duplicates:
        twice = sorted(set(indexed.index[indexed.index.duplicated()]))
        raise DataError(
            f"Terms appear twice: {', '.join(twice)}.",
            where=f"models[{name!r}]",
            remedy="Give one model per frame, with the outcome or equation in the name of the model.",
        )
    return indexed


def _statistics(fits: Mapping[str, pd.DataFrame], wanted: Sequence[str] | None) -> list[str]:
    present = [name for name in STATISTICS if any(name in fit and fit[name].notna().any() for fit in fits.values())]
    if wanted is None:
        return present
    check_names(wanted, present, what="statistics")
    return list(wanted)


def _label(name: str, lang: Language) -> str:
    label = STATISTICS[name][0]
    return word(label, lang) if label in WORDS else label


def _term_labels(terms: Sequence[str], labels: Mapping[str, str], *, lang: Language) -> list[str]:
    return [labels.get(term, word("intercept", lang) if term in INTERCEPTS else term) for term in terms]


def _values(fit: pd.DataFrame | None, names: Sequence[str]) -> list[Any]:
    return [fit[name].iloc[0] if fit is not None and name in fit else None for name in names]


def _cells(name: str, tidy: pd.DataFrame, *, values: list[Any]) -> dict[str, list[Any]]:
    empty: list[Any] = [None] * len(values)
    return {
        f"{name}.estimate": [*tidy["estimate"], *values],
        f"{name}.se": [*tidy["std_error"], *empty],
        f"{name}.p": [*tidy["p_value"], *empty],
    }
