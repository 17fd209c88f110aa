"""Tables that describe the sample of the model project: response quality, respondents, items, scales."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.moments.correlations import correlations
from psm_analysis.moments.descriptives import describe
from psm_analysis.reliability.alpha import alpha
from psm_analysis.report.builders import data_table, screening_table
from psm_analysis.report.builders_correlation import correlation_table
from psm_analysis.report.columns import CellStyle, Column, Spanner
from psm_analysis.report.tables import Table
from psm_analysis.studies.model_project_models import CONSTRUCTS
from psm_analysis.studies.model_project_sample import CONTROLS, MAX_FLAGS, ProjectSample
from psm_analysis.studies.model_project_words import names, noted, pick, titled

INSTRUMENTS = {
    "psm": "psm16",
    "ei": "wleis16",
    "burnout": "olbi",
    "turnover": "turnover3",
    "burden": "admin_burden",
    "support": "org_support",
    "training": "training_access",
}
CHECKS: dict[str, tuple[str, str]] = {
    "long_string": ("Longest run of one answer", "最长连续相同作答"),
    "variability": ("Variability within the person", "个体内变异"),
    "even_odd": ("Even–odd consistency", "奇偶一致性"),
    "synonyms": ("Psychometric synonyms", "心理测量同义词"),
    "antonyms": ("Psychometric antonyms", "心理测量反义词"),
    "mahalanobis": ("Mahalanobis distance, p", "马氏距离 p 值"),
    "seconds_per_item": ("Seconds per item", "每题用时（秒）"),
    "duplicate": ("Answers equal to another's", "与他人作答完全相同"),
    "attention": ("Attention checks failed", "注意力检测失败次数"),
}
GROUPS = ("gender", "establishment", "grade")
YEARS = ("age", "tenure")


def screening(sample: ProjectSample, lang: Language) -> Table:
    """Return the table of response quality: what each check flags."""
    rows = sample.screening.tidy()
    rows = rows[rows["computed"] > 0]
    sign = {"below": "<", "from": "≥"}
    frame = pd.DataFrame(
        {
            "check": [pick(CHECKS[name], lang) for name in rows["check"]],
            "rule": [f"{sign[way]} {limit:.3g}" for way, limit in zip(rows["flags"], rows["threshold"], strict=True)],
            "flagged": rows["flagged"],
            "percent": 100 * rows["share"],
        }
    )
    kept, everybody = int(sample.keep.sum()), len(sample.keep)
    left_out = everybody - kept
    note = noted(
        lang,
        (
            f"N = {everybody}. A flag is a reason to look and not to delete. The {left_out} respondents with "
            f"{MAX_FLAGS + 1} or more flags are left out of later tables, unless they say otherwise; {kept} remain.",
            f"N = {everybody}。标记仅提示复核，不等于删除。有 {MAX_FLAGS + 1} 个及以上标记的 {left_out} 名受访者不进入"
            f"后续各表（另有说明者除外），余 {kept} 人。",
        ),
    )
    return screening_table(frame, title=titled(("Response Quality", "作答质量"), lang), note=note, lang=lang)


def respondents(sample: ProjectSample, lang: Language) -> Table:
    """Return the table of respondents: all of them, and those who stay."""
    book, data = sample.wave.codebook, sample.wave.data
    known = {variable.name: variable for variable in book.variables}
    rows: list[dict[str, object]] = []
    for name in GROUPS:
        values = {float(code): text.get(lang) for code, text in known[name].values.items()}
        for code, label in sorted(values.items()):
            chosen = data[name] == code
            rows.append({"variable": known[name].label.get(lang), "level": label} | _share(chosen, sample.keep))
    styles = []
    for name in YEARS:
        for level, value in (("M", "mean"), ("SD", "std")):
            styles.append(len(rows))
            both = {"all_n": getattr(data[name], value)(), "kept_n": getattr(data.loc[sample.keep, name], value)()}
            rows.append({"variable": known[name].label.get(lang), "level": level} | both)
    table = data_table(
        pd.DataFrame(rows),
        title=titled(("Respondents", "受访者构成"), lang),
        columns=[
            Column("level", pick(("Characteristic", "特征"), lang)),
            Column("all_n", "n", "integer", italic=True),
            Column("all_percent", "%", "decimal", decimals=1),
            Column("kept_n", "n", "integer", italic=True),
            Column("kept_percent", "%", "decimal", decimals=1),
        ],
        group_by="variable",
        note=noted(lang, _places(sample)),
        lang=lang,
    )
    spanners = (
        Spanner(pick(("All", "全部"), lang), ("all_n", "all_percent")),
        Spanner(pick(("Analysed", "纳入分析"), lang), ("kept_n", "kept_percent")),
    )
    means = CellStyle(tuple(styles), ("all_n", "kept_n"), kind="decimal", decimals=1)
    empty = CellStyle(tuple(styles), ("all_percent", "kept_percent"), empty="")
    return replace(table, spanners=spanners, styles=(means, empty))


def _share(chosen: pd.Series, keep: pd.Series) -> dict[str, object]:
    kept = chosen[keep]
    return {
        "all_n": int(chosen.sum()),
        "all_percent": 100 * float(chosen.mean()),
        "kept_n": int(kept.sum()),
        "kept_percent": 100 * float(kept.mean()),
    }


def _places(sample: ProjectSample) -> tuple[str, str]:
    counties, townships = (sample.wave.data[name].nunique() for name in ("county", "township"))
    return (
        f"Respondents work in {townships} townships of {counties} counties.",
        f"受访者来自 {counties} 个县的 {townships} 个乡镇。",
    )


def items(sample: ProjectSample, lang: Language) -> Table:
    """Return the descriptive statistics of the items of PSM and EI, and how each goes with its subscale."""
    parts = []
    for construct in ("psm", "ei"):
        instrument = sample.instrument(INSTRUMENTS[construct])
        answers = sample.items(instrument.id)
        table = describe(answers)[["n", "mean", "sd", "skew", "kurtosis"]].assign(
            missing=answers.isna().sum(), scale=names(lang)[construct]
        )
        for part in instrument.subscales:
            inside = alpha(answers[list(part.items)]).items
            table.loc[list(part.items), "item_rest_r"] = inside["item_rest_r"]
        parts.append(table.rename(index=names(lang, instrument)))
    frame = pd.concat(parts)[["scale", "n", "missing", "mean", "sd", "skew", "kurtosis", "item_rest_r"]]
    note = (
        "Skewness and kurtosis are 0 for a normal distribution. The item–rest correlation is with the other items of "
        "the subscale.",
        "正态分布的偏度与峰度为 0。题总相关为该题与同一分量表其余题目之和的相关。",
    )
    return data_table(
        frame.rename_axis("item"),
        title=titled(("Items of the Two Scales", "两个量表的题项描述"), lang),
        group_by="scale",
        note=noted(lang, note),
        lang=lang,
    )


def scale_correlations(sample: ProjectSample, lang: Language) -> Table:
    """Return means, deviations and correlations of the scale scores and controls, alpha on the diagonal."""
    variables = [*CONSTRUCTS, *CONTROLS]
    scores = sample.scores()[variables]
    found = correlations(scores)
    alphas = {name: alpha(sample.items(instrument)).alpha for name, instrument in INSTRUMENTS.items()}
    labels = names(lang)
    pairs = int(found.n.to_numpy().min())
    few = pick((f" ({pairs} or more in each correlation)", f"（每个相关系数至少 {pairs} 人）"), lang)
    nobs = f"N = {len(scores)}{few if pairs < len(scores) else ''}"
    note = (f"{nobs}. Scale scores are means of the answered items.", f"{nobs}。量表得分为已答题项的均值。")
    return correlation_table(
        found.matrix,
        means=scores.mean(),
        sds=scores.std(),
        reliabilities=alphas,
        p_values=found.p_value,
        labels={name: labels[name] for name in variables},
        title=titled(("Means, Standard Deviations, and Correlations", "各量表的均值、标准差与相关系数"), lang),
        note=noted(lang, note),
        lang=lang,
    )
