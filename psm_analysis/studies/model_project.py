"""The model project on the synthetic survey: from the answers to every table of the paper."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from psm_analysis.studies import model_project_description as description
from psm_analysis.studies import model_project_figures as figures
from psm_analysis.studies import model_project_invariance as comparability
from psm_analysis.studies import model_project_measurement as measurement
from psm_analysis.studies import model_project_power as power
from psm_analysis.studies import model_project_recovery as recovery
from psm_analysis.studies import model_project_structure as structure
from psm_analysis.studies.model_project_sample import ProjectSample, default_data
from psm_analysis.studies.spec import Study

ID = "model_project"
PSM, EI = "psm16", "wleis16"


def model_project(data: str | Path | None = None) -> Study:
    """Return the study of the model project.

    Public service motivation and emotional intelligence are validated, then related to burnout and turnover intention.
    Nothing is read before a table or figure is asked for; every model is fitted once and shared by all of them.

    Parameters
    ----------
    data
        Folder that holds ``synthetic/wave1.csv`` to ``wave3.csv``, ``synthetic/population.json`` and
        ``codebooks/synthetic.toml``; by default that of the package.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        From a table or figure, if a file of the survey is missing.

    Examples
    --------
    >>> study = model_project()
    >>> study.table("screening").title
    'Response Quality (Synthetic Data)'
    """
    sample = ProjectSample(default_data() if data is None else Path(data))
    return Study(
        id=ID,
        title="Public service motivation, emotional intelligence, burnout and turnover intention (synthetic survey)",
        citation="The model project of psm_analysis on a synthetic survey of public servants in three waves.",
        source="data/synthetic/wave1.csv to wave3.csv, written by psm_analysis.survey.synthetic with a fixed seed.",
        licence="MIT, as the package.",
        tables=_tables(sample),
        figures=_figures(sample),
        why={"en": _WHY_EN, "zh": _WHY_ZH},
    )


def _tables(sample: ProjectSample) -> dict[str, Any]:
    return {
        "screening": partial(description.screening, sample),
        "respondents": partial(description.respondents, sample),
        "items": partial(description.items, sample),
        "correlations": partial(description.scale_correlations, sample),
        "careless_fit": partial(measurement.carelessness, sample),
        "psm_models": partial(measurement.competing, sample, instrument=PSM),
        "psm_loadings": partial(measurement.loadings, sample, instrument=PSM),
        "ei_models": partial(measurement.competing, sample, instrument=EI),
        "ei_loadings": partial(measurement.loadings, sample, instrument=EI),
        "subscale_validity": partial(measurement.subscale_validity, sample),
        "construct_validity": partial(measurement.construct_validity, sample),
        "structure_fit": partial(structure.structure_fit, sample),
        "paths": partial(structure.paths, sample),
        "effects": partial(structure.effects, sample),
        "regressions": partial(structure.regressions, sample),
        "ordered_logit": partial(structure.ordered, sample),
        "recovery": partial(recovery.recovery, sample),
        "effect_intervals": partial(power.effect_intervals, sample),
        "power": partial(power.power, sample),
        "psm_invariance": partial(comparability.ladders, sample),
        "psm_drift": partial(comparability.drifting, sample),
        "psm_change": partial(comparability.change, sample),
    }


def _figures(sample: ProjectSample) -> dict[str, Any]:
    return {
        "psm_answers": partial(figures.likert, sample, instrument=PSM),
        "ei_answers": partial(figures.likert, sample, instrument=EI),
        "correlations": partial(figures.heatmap, sample),
        "psm_loadings": partial(figures.loadings, sample, instrument=PSM),
        "ei_loadings": partial(figures.loadings, sample, instrument=EI),
        "psm_diagram": partial(figures.measurement_diagram, sample, instrument=PSM),
        "ei_diagram": partial(figures.measurement_diagram, sample, instrument=EI),
        "structural_diagram": partial(figures.structural_diagram, sample),
        "power": partial(power.power_figure, sample),
    }


_WHY_EN = (
    "Every respondent is invented, so the population values are known: the table 'recovery' sets estimates beside "
    "them. They differ by sampling error, by careless respondents that screening does not find, and because answers "
    "in five or seven categories are treated as continuous, which lowers loadings a little."
)
_WHY_ZH = (
    "所有受访者均为虚构，因此总体值已知：recovery 表将估计值与之并列。"
    "二者的差异来自抽样误差、未被筛出的草率作答，"
    "以及将五级或七级作答视为连续变量（使载荷略偏低）。"
)

STUDY = model_project()
