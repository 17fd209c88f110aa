"""What the study finds beside what is true: estimates and the known values of the synthetic population."""

from __future__ import annotations

import numpy as np
import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.builders import data_table
from psm_analysis.report.columns import Column
from psm_analysis.report.tables import Table
from psm_analysis.sem.result import SemResult
from psm_analysis.studies.model_project_models import structure
from psm_analysis.studies.model_project_sample import ProjectSample
from psm_analysis.studies.model_project_structure import effect_name
from psm_analysis.studies.model_project_words import NAMES, noted, pick, titled

TITLE = ("Estimates and the Known Population Values", "估计值与已知总体值")
NOTE = (
    "Completely standardized estimates with intervals by the delta method. A 95% interval misses the population value "
    "once in twenty times if its assumptions hold. Here they hold only in part: some careless respondents remain, "
    "respondents of one township resemble each other, and the population also has moderated paths and effects of age "
    "and establishment.",
    "完全标准化估计值，区间由 delta 法得到。若假设成立，95% 区间平均每二十次有一次不包含总体值。此处假设仅部分成立："
    "仍有少量草率作答者，同一乡镇的受访者彼此相似，且总体中还有调节路径以及年龄与编制的效应。",
)


def recovery(sample: ProjectSample, lang: Language) -> Table:
    """Set the standardized estimates, with and without flagged rows, beside the population values of the survey."""
    everybody, screened = (_standardized(structure(sample, "partial", screened=flag)) for flag in (False, True))
    known = _known(sample)
    frame = pd.DataFrame({"path": [_path_name(path, lang) for path in known.index], "population": known.to_numpy()})
    for part, found in (("all", everybody), ("kept", screened)):
        for name in ("estimate", "ci_low", "ci_high"):
            frame[f"{part}_{name}"] = found.loc[known.index, name].to_numpy()
        inside = frame["population"].between(frame[f"{part}_ci_low"], frame[f"{part}_ci_high"])
        frame[f"{part}_inside"] = np.where(inside, pick(("yes", "是"), lang), pick(("no", "否"), lang))
    return data_table(frame, columns=_columns(lang), title=titled(TITLE, lang), note=noted(lang, NOTE), lang=lang)


def _columns(lang: Language) -> list[Column]:
    covered = pick(("Covers", "包含"), lang)
    parts = {"all": ("All", "全部"), "kept": ("Screened", "筛查后")}
    columns = [
        Column("path", pick(("Path or effect", "路径或效应"), lang)),
        Column("population", pick(("Population", "总体值"), lang), "coefficient"),
    ]
    for part, words in parts.items():
        columns += [
            Column(f"{part}_estimate", pick(words, lang), "coefficient"),
            Column(f"{part}_ci_low", "95% CI", "ci", upper=f"{part}_ci_high", leading_zero=False),
            Column(f"{part}_inside", covered),
        ]
    return columns


def _standardized(fit: SemResult) -> pd.DataFrame:
    rows = fit.standardized()
    rows = rows[rows["op"].isin(["~", ":="])]
    keys = rows["lhs"].where(rows["op"] == ":=", rows["lhs"] + " ~ " + rows["rhs"])
    return rows.assign(key=keys).set_index("key")


def _known(sample: ProjectSample) -> pd.Series:
    """Return the population values of the paths and effects that the model has."""
    paths = {
        (row["lhs"] if row["op"] == ":=" else f"{row['lhs']} ~ {row['rhs']}"): float(row["estimate"])
        for row in sample.population["paths"]
    }
    fitted = _standardized(structure(sample, "partial")).index
    return pd.Series({key: paths[key] for key in fitted if key in paths})


def _path_name(key: str, lang: Language) -> str:
    if " ~ " not in key:
        return effect_name(key, lang)
    outcome, predictor = key.split(" ~ ")
    return f"{pick(NAMES[predictor], lang)} → {pick(NAMES[outcome], lang)}"
