"""Bootstrap intervals of the indirect effects of the model project, and the power to find them again."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.builders import data_table
from psm_analysis.report.columns import Column
from psm_analysis.report.plot_power import power_plot
from psm_analysis.report.tables import Table
from psm_analysis.sem.bootstrap_result import BootstrapResult
from psm_analysis.sem.fit import sem
from psm_analysis.simulation.population import Population, population
from psm_analysis.simulation.sample_size import crossing, power_curve
from psm_analysis.studies.model_project_models import STRUCTURES, structure
from psm_analysis.studies.model_project_sample import ProjectSample
from psm_analysis.studies.model_project_structure import effect_name
from psm_analysis.studies.model_project_words import noted, pick, titled

SEED, REPLICATES = 1, 2_000
EFFECTS = ("indirect_psm", "indirect_ei", "indirect_burden", "indirect_support", "indirect_training")
SIZES, SAMPLES, TARGET = (150, 300, 600, 1_200), 500, 0.80
INTERVALS: dict[str, tuple[str, str]] = {
    "delta": ("Delta", "delta 法"),
    "rows": ("Bootstrap", "自助法"),
    "townships": ("Bootstrap of townships", "按乡镇自助"),
}


def resampled(sample: ProjectSample, what: str) -> BootstrapResult:
    """Return the bootstrap of the structural model: of ``rows`` (BCa), or of whole ``townships`` (percentile)."""
    if what == "rows":
        fit = structure(sample, "partial")
        return sample.once("bootstrap rows", lambda: fit.bootstrap(REPLICATES, seed=SEED, ci="bca"))
    return sample.once("bootstrap townships", lambda: _townships(sample))


def _townships(sample: ProjectSample) -> BootstrapResult:
    fit = sem(STRUCTURES["partial"], sample.scores(), cluster="township")
    return fit.bootstrap(REPLICATES, seed=SEED, kind="cluster")


def effect_intervals(sample: ProjectSample, lang: Language) -> Table:
    """Return the indirect effects with intervals by the delta method and by two bootstraps."""
    fit = structure(sample, "partial")
    frames = {"delta": fit.tidy()} | {what: resampled(sample, what).tidy() for what in ("rows", "townships")}
    rows = {what: frame[frame["op"] == ":="].set_index("lhs").loc[list(EFFECTS)] for what, frame in frames.items()}
    table = pd.DataFrame({"effect": [effect_name(name, lang) for name in EFFECTS]})
    table["estimate"] = rows["delta"]["estimate"].to_numpy()
    columns = [Column("effect", pick(("Effect", "效应"), lang)), Column("estimate", "b", "decimal", italic=True)]
    for what, frame in rows.items():
        table[f"low_{what}"], table[f"high_{what}"] = frame["ci_low"].to_numpy(), frame["ci_high"].to_numpy()
        columns.append(Column(f"low_{what}", pick(INTERVALS[what], lang), "ci", upper=f"high_{what}"))
    count = resampled(sample, "townships").fit.sample.groups[0].clusters
    townships = 0 if count is None else int(count.max()) + 1
    note = (
        f"Effects on turnover intention with 95% intervals, N = {fit.nobs}. Bootstrap: {REPLICATES:,} resamples of "
        f"rows (bias-corrected and accelerated), and of the {townships} townships (percentile). Seed {SEED}.",
        f"对离职意向的效应与 95% 区间，N = {fit.nobs}。自助法：{REPLICATES:,} 次个案重抽样（BCa 区间），"
        f"以及对 {townships} 个乡镇的整群重抽样（百分位区间）。随机种子 {SEED}。",
    )
    return data_table(
        table,
        columns=columns,
        title=titled(("Indirect Effects With Bootstrap Intervals", "间接效应与自助法区间"), lang),
        note=noted(lang, note),
        lang=lang,
    )


def truth(sample: ProjectSample) -> Population:
    """Return the population of the power study: that in which the estimates of the structural model are true."""
    return sample.once("power population", lambda: population(structure(sample, "partial")))


def curve(sample: ProjectSample) -> pd.DataFrame:
    """Return the power to find each indirect effect in samples of several sizes."""
    return sample.once(
        "power curve",
        lambda: power_curve(
            truth(sample), STRUCTURES["partial"], nobs=SIZES, parameters=EFFECTS, seed=SEED, replicates=SAMPLES
        ),
    )


def power(sample: ProjectSample, lang: Language) -> Table:
    """Return power by size, and the size for a power of .80, of every indirect effect."""
    wide = curve(sample).pivot(index="parameter", columns="nobs", values="power").loc[list(EFFECTS)]
    table = pd.DataFrame({"effect": [effect_name(name, lang) for name in EFFECTS]})
    columns = [Column("effect", pick(("Effect", "效应"), lang))]
    for size in SIZES:
        table[f"n{size}"] = wide[size].to_numpy()
        columns.append(Column(f"n{size}", f"N = {size}", "coefficient"))
    points = {name: rows.to_dict("records") for name, rows in curve(sample).groupby("parameter")}
    table["needed"] = [math.ceil(crossing(points[name], TARGET)[0]) for name in EFFECTS]
    columns.append(Column("needed", pick(("N for .80", "检验力 .80 所需 N"), lang), "integer"))
    note = (
        f"Population: the estimates of the structural model. Maximum likelihood, two-sided z tests at .05, {SAMPLES} "
        "samples of each size; the simulation error of a power is at most .02. N for .80 is read off the fitted curve.",
        f"总体：结构模型的估计值。极大似然估计，双侧 z 检验（.05），每种样本量模拟 {SAMPLES} 次；"
        "检验力的模拟误差不超过 .02。检验力 .80 所需 N 由拟合曲线求得。",
    )
    return data_table(
        table,
        columns=columns,
        title=titled(("Power to Find the Indirect Effects", "发现间接效应的检验力"), lang),
        note=noted(lang, note),
        lang=lang,
    )


def power_figure(sample: ProjectSample, lang: Language) -> Any:
    """Draw power against the number of respondents, one line per indirect effect."""
    frame = curve(sample)
    named = frame.assign(parameter=[effect_name(name, lang) for name in frame["parameter"]])
    return power_plot(
        named, title=titled(("Power to Find the Indirect Effects", "发现间接效应的检验力"), lang), lang=lang
    )
