"""Figures of the model project."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.moments.correlations import correlations
from psm_analysis.report.path_diagram import path_diagram
from psm_analysis.report.plot_heatmap import correlation_heatmap
from psm_analysis.report.plot_likert import likert_plot
from psm_analysis.report.plot_loadings import loadings_plot
from psm_analysis.report.style import figure_style, finish
from psm_analysis.sem.result import SemResult
from psm_analysis.studies.model_project_measurement import SCALES, tested_loadings
from psm_analysis.studies.model_project_models import scale_model, structure
from psm_analysis.studies.model_project_sample import ProjectSample
from psm_analysis.studies.model_project_words import names, titled

FACTORS = (
    "aps", "cpv", "com", "ss", "sea", "oea", "uoe", "roe",
    "exhaustion", "disengagement", "turnover", "burden", "support", "training",
)  # fmt: skip
LINE = 15


def likert(sample: ProjectSample, lang: Language, *, instrument: str) -> Any:
    """Draw the distribution of the answers to a scale, of those who stay."""
    known = sample.instrument(instrument)
    scale = known.response_of(known.item_ids[0])
    name = names(lang)[SCALES[instrument]]
    return likert_plot(
        sample.items(instrument),
        codes=scale.codes,
        labels=list(scale.code_labels(lang).values()) if len(scale.codes) <= 5 else None,
        item_labels={item.id: item.label.get(lang) for item in known.items},
        title=titled((f"Answers: {name.title()}", f"作答分布：{name}"), lang),
        lang=lang,
    )


def heatmap(sample: ProjectSample, lang: Language) -> Any:
    """Draw the correlations of all subscale scores."""
    labels = _labels(sample, lang)
    return correlation_heatmap(
        correlations(sample.scores()[list(FACTORS)]).matrix,
        labels={name: labels[name] for name in FACTORS},
        title=titled(("Correlations of the Subscales", "分量表相关"), lang),
        lang=lang,
    )


def loadings(sample: ProjectSample, lang: Language, *, instrument: str) -> Any:
    """Draw the standardized loadings of the correlated factors with their intervals."""
    fit = scale_model(sample, instrument, kind="correlated")
    standardized = fit.standardized()
    tidy = fit.tidy().assign(std_ci_low=standardized["ci_low"], std_ci_high=standardized["ci_high"])
    name = names(lang)[SCALES[instrument]]
    labels = names(lang, sample.instrument(instrument))
    return loadings_plot(
        tidy,
        labels=_wrapped(labels, fit, lang) | {item: labels[item] for item in sample.instrument(instrument).item_ids},
        title=titled((f"Loadings: {name.title()}", f"因子载荷：{name}"), lang),
        lang=lang,
    )


def measurement_diagram(sample: ProjectSample, lang: Language, *, instrument: str) -> Any:
    """Draw the path diagram of the correlated factors of a scale; items are named by their ids."""
    fit = scale_model(sample, instrument, kind="correlated")
    name = names(lang)[SCALES[instrument]]
    labels = _wrapped(names(lang, sample.instrument(instrument)), fit, lang)
    title = titled((f"Measurement Model: {name.title()}", f"测量模型：{name}"), lang)
    return _entitled(path_diagram(tested_loadings(fit), labels=labels, lang=lang), title)


def structural_diagram(sample: ProjectSample, lang: Language) -> Any:
    """Draw the structural part of the model: conditions, PSM and EI, burnout, turnover intention."""
    fit = structure(sample, "partial")
    title = titled(("Structural Model", "结构模型"), lang)
    labels = _wrapped(names(lang), fit, lang)
    return _entitled(path_diagram(fit.tidy(), labels=labels, indicators=False, lang=lang), title)


def _labels(sample: ProjectSample, lang: Language) -> dict[str, str]:
    return names(lang, *sample.wave.instruments)


def _wrapped(labels: dict[str, str], fit: SemResult, lang: Language) -> dict[str, str]:
    """Return the names of the factors of a model, broken into lines that fit an ellipse."""
    rows: pd.DataFrame = fit.tidy()
    factors = dict.fromkeys(rows.loc[rows["op"] == "=~", "lhs"])
    return {name: labels[name] if lang == "zh" else fill(labels[name], LINE) for name in factors}


def _entitled(figure: Any, title: str) -> Any:
    with figure_style([title]):
        axes = figure.axes[0]
        axes.text(0.0, 1.01, title, transform=axes.transAxes, ha="left", va="bottom", fontsize=10)
        return finish(figure)
