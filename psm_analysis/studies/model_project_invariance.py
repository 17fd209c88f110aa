"""Tables of measurement invariance: over gender, establishment and grade, and over the three waves of the panel."""

from __future__ import annotations

from typing import Any

from psm_analysis._options import Language
from psm_analysis.invariance.fit import invariance
from psm_analysis.invariance.longitudinal import longitudinal_invariance
from psm_analysis.invariance.result import InvarianceResult
from psm_analysis.report.builders import data_table
from psm_analysis.report.builders_invariance import invariance_table
from psm_analysis.report.catalogue import known_column
from psm_analysis.report.columns import Column
from psm_analysis.report.tables import Table
from psm_analysis.report.words import word
from psm_analysis.studies.model_project_sample import ProjectSample
from psm_analysis.studies.model_project_words import names, noted, pick, titled

INSTRUMENT = "psm16"
GROUPS = {"gender": ("Gender", "性别"), "establishment": ("Establishment", "编制"), "grade": ("Grade", "职级")}
ALPHA = 0.01


def group_ladder(sample: ProjectSample, group: str) -> InvarianceResult:
    """Climb the ladder over a grouping of the first wave, with those who answered every item."""
    model = sample.instrument(INSTRUMENT).model("correlated")
    rows = sample.items(INSTRUMENT).join(sample.wave.data[group]).dropna()
    return sample.once(f"invariance {group}", lambda: invariance(model, rows, group=group))


def wave_ladder(sample: ProjectSample, *, partial: bool) -> InvarianceResult:
    """Climb the ladder over the waves, by Chen's rule; with `partial`, by difference tests, releasing what drifts."""
    settings: dict[str, Any] = {"rule": {"p": ALPHA}, "partial": True} if partial else {}
    return sample.once(
        f"invariance waves {partial}",
        lambda: longitudinal_invariance(
            sample.instrument(INSTRUMENT).model("correlated"),
            sample.panel(INSTRUMENT),
            waves="wave",
            id="person_id",
            **settings,
        ),
    )


def ladders(sample: ProjectSample, lang: Language) -> Table:
    """Return the steps over gender, establishment, grade and waves, by the rule of Chen (2007)."""
    fits = {pick(label, lang): group_ladder(sample, group) for group, label in GROUPS.items()}
    waves = fits[pick(("Waves 1 to 3", "三轮调查"), lang)] = wave_ladder(sample, partial=False)
    rows = sample.items(INSTRUMENT).dropna().shape[0]
    note = (
        f"Maximum likelihood, complete answers: {rows} respondents of wave 1 in the groups, "
        f"{waves.steps['configural'].nobs} persons in the waves. Chen (2007): a step fails if CFI falls by .010 and "
        "RMSEA rises by .015 or SRMR by .030 (metric) or .010 (later).",
        f"极大似然估计，完整作答：组别为第一轮 {rows} 人，三轮为 {waves.steps['configural'].nobs} 人。"
        "Chen（2007）：CFI 下降 .010 且 RMSEA 上升 .015，或 SRMR 上升 .030（载荷）或 .010（其后），则不成立。",
    )
    title = (f"Measurement Invariance: {names('en')['psm'].title()}", f"{names('zh')['psm']}：测量等值性")
    return invariance_table(
        {name: fit.tidy() for name, fit in fits.items()},
        title=titled(title, lang),
        note=noted(lang, note),
        lang=lang,
    )


def drifting(sample: ProjectSample, lang: Language) -> Table:
    """Return the steps over waves with difference tests and partial release."""
    found = wave_ladder(sample, partial=True)
    largest = found.dmacs().nlargest(1, "dmacs").iloc[0]
    note = (
        f"{found.steps['configural'].nobs} persons with complete answers in all waves. A step fails if its difference "
        "test has p < .01; then the equality with the largest score statistic is given up. In wave "
        f"{largest['wave']} {largest['item']} is {largest['intercept_difference']:.2f} points higher than in wave 1 at "
        f"the same motivation (dMACS = {largest['dmacs']:.2f}).",
        f"三轮作答均完整者 {found.steps['configural'].nobs} 人。"
        "若差异检验 p < .01 则该步不成立，并释放得分检验统计量最大的等值约束。动机水平相同时，"
        f"第 {largest['wave']} 轮 {largest['item']} 比第一轮高 {largest['intercept_difference']:.2f} 分"
        f"（dMACS = {largest['dmacs']:.2f}）。",
    )
    title = ("The Item That Drifts: Partial Invariance Over Waves", "漂移的题项：跨轮部分等值")
    return invariance_table(found.tidy(), title=titled(title, lang), note=noted(lang, note), lang=lang)


def change(sample: ProjectSample, lang: Language) -> Table:
    """Return changes of the factor means since the first wave, from the partially invariant model."""
    means = wave_ladder(sample, partial=True).latent_means()
    printed = names(lang, sample.instrument(INSTRUMENT))
    heading = pick(("Wave {}", "第 {} 轮"), lang)
    note = (
        "Changes since wave 1 in points of the first item of each factor; d is in standard deviations of the factor.",
        "相对第一轮的变化，以各因子首个题项的分值为单位；d 以因子标准差为单位。",
    )
    return data_table(
        means.assign(
            factor=[printed[name] for name in means["factor"]],
            wave=[heading.format(wave) for wave in means["wave"]],
        ),
        columns=[
            known_column("factor", lang=lang),
            known_column("estimate", lang=lang),
            known_column("std_error", lang=lang),
            Column("ci_low", word("ci", lang), "ci", upper="ci_high"),
            known_column("p_value", lang=lang),
            Column("d", "d", "decimal", italic=True),
        ],
        group_by="wave",
        title=titled(("Change of the Latent Means Over Waves", "潜变量均值的跨轮变化"), lang),
        note=noted(lang, note),
        lang=lang,
    )
