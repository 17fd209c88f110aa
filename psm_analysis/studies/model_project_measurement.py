"""Tables of the measurement models: competing models, loadings with reliabilities, validity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from psm_analysis._options import Language, ModelKind
from psm_analysis.reliability.factor import reliability
from psm_analysis.reliability.validity import htmt
from psm_analysis.report.builders import data_table
from psm_analysis.report.builders_loadings import loadings_table
from psm_analysis.report.builders_models import fit_table
from psm_analysis.report.columns import CellStyle, Column
from psm_analysis.report.tables import Table
from psm_analysis.sem.result import SemResult
from psm_analysis.studies.model_project_models import KINDS, MEASUREMENT, joint_model, scale_model, structure
from psm_analysis.studies.model_project_sample import ProjectSample
from psm_analysis.studies.model_project_words import names, noted, pick, titled

MODEL_NAMES: dict[ModelKind, tuple[str, str]] = {
    "one-factor": ("One factor", "单因子"),
    "correlated": ("Four correlated factors", "四因子相关"),
    "second-order": ("Second-order factor", "二阶因子"),
    "bifactor": ("Bifactor", "双因子"),
}
SCALES = {"psm16": "psm", "wleis16": "ei"}


def competing(sample: ProjectSample, lang: Language, *, instrument: str) -> Table:
    """Return the fit of the four measurement models of a scale."""
    fits = {kind: scale_model(sample, instrument, kind=kind) for kind in KINDS}
    name, nobs = names(lang)[SCALES[instrument]], fits["correlated"].nobs
    note = (
        f"Maximum likelihood, N = {nobs} complete rows. The second-order model is nested in the model of correlated "
        "factors and in the bifactor model.",
        f"极大似然估计，完整作答 N = {nobs}。二阶模型嵌套于四因子相关模型和双因子模型。",
    )
    return fit_table(
        {pick(MODEL_NAMES[kind], lang): fit.glance() for kind, fit in fits.items()},
        title=titled((f"Competing Models: {name.title()}", f"{name}：竞争模型比较"), lang),
        note=noted(lang, note),
        lang=lang,
    )


def carelessness(sample: ProjectSample, lang: Language) -> Table:
    """Return the fit of one model with and without the flagged respondents."""
    frames = {}
    for instrument, construct in SCALES.items():
        for screened, words in ((False, ("all respondents", "全部受访者")), (True, ("screened", "筛查后"))):
            label = f"{names(lang)[construct]}{pick((': ', '：'), lang)}{pick(words, lang)}"
            frames[label] = scale_model(sample, instrument, kind="correlated", screened=screened).glance()
    title = ("What Careless Answers Do to Fit: Four Correlated Factors", "草率作答对拟合的影响：四因子相关模型")
    return fit_table(
        frames,
        title=titled(title, lang),
        note=noted(lang),
        lang=lang,
    )


def loadings(sample: ProjectSample, lang: Language, *, instrument: str) -> Table:
    """Return the standardized loadings of the four correlated factors, with alpha, omega and AVE below them."""
    fit = scale_model(sample, instrument, kind="correlated")
    known = sample.instrument(instrument)
    name = names(lang)[SCALES[instrument]]
    note = (
        f"N = {fit.nobs}. α, ω and AVE (average variance extracted) are those of the factor in the column.",
        f"N = {fit.nobs}。α、ω 与 AVE（平均方差抽取量）为该列因子的数值。",
    )
    return loadings_table(
        tested_loadings(fit),
        reliabilities=reliability(fit),
        labels=names(lang, known),
        title=titled((f"Standardized Loadings: {name.title()}", f"{name}：标准化因子载荷"), lang),
        note=noted(lang, note),
        lang=lang,
    )


def tested_loadings(fit: SemResult) -> pd.DataFrame:
    """Return the tidy frame with the tests of the standardized solution, which the first loadings have too."""
    standardized = fit.standardized()
    return fit.tidy().assign(p_value=standardized["p_value"])


def subscale_validity(sample: ProjectSample, lang: Language) -> Table:
    """Return convergent and discriminant validity of the eight subscales of PSM and EI."""
    fit = joint_model(sample)
    parts = [part for name in SCALES for part in sample.instrument(name).subscales]
    ratios = htmt({part.id: part.items for part in parts}, sample.items())
    labels = names(lang, *(sample.instrument(name) for name in SCALES))
    title = ("Convergent and Discriminant Validity of the Subscales", "分量表的聚合效度与区分效度")
    return _validity(fit, ratios, labels=labels, title=titled(title, lang), lang=lang)


def construct_validity(sample: ProjectSample, lang: Language) -> Table:
    """Return convergent and discriminant validity of the seven constructs of the structural model."""
    fit = structure(sample, "measurement")
    ratios = htmt(MEASUREMENT, sample.scores())
    title = ("Convergent and Discriminant Validity of the Constructs", "构念的聚合效度与区分效度")
    return _validity(fit, ratios, labels=names(lang), title=titled(title, lang), lang=lang)


def _validity(fit: SemResult, ratios: pd.DataFrame, *, labels: dict[str, str], title: str, lang: Language) -> Table:
    """Set correlations below, the root of AVE on, and HTMT above the diagonal, beside omega and AVE."""
    coefficients = reliability(fit)
    factors = list(coefficients.index)
    matrix = factor_correlations(fit).loc[factors, factors].to_numpy(copy=True)
    matrix[np.triu_indices(len(factors), 1)] = ratios.loc[factors, factors].to_numpy()[np.triu_indices(len(factors), 1)]
    np.fill_diagonal(matrix, np.sqrt(coefficients["ave"]))
    columns = [str(place) for place in range(1, len(factors) + 1)]
    frame = pd.DataFrame(matrix, columns=columns)
    frame.insert(0, "factor", [f"{place}. {labels[name]}" for place, name in enumerate(factors, 1)])
    frame.insert(1, "omega", coefficients["omega"].to_numpy())
    frame.insert(2, "ave", coefficients["ave"].to_numpy())
    note = (
        f"Maximum likelihood, N = {fit.nobs}. On the diagonal, in bold, the square root of AVE; below it the "
        "correlations of the factors; above it the heterotrait–monotrait ratios (HTMT). Fornell and Larcker (1981) ask "
        "that the bold figure exceed the correlations in its row and column; Henseler et al. (2015) ask for HTMT below "
        ".85.",
        f"极大似然估计，N = {fit.nobs}。对角线粗体为 AVE 的平方根，下方为因子相关，上方为异质–单质比率（HTMT）。"
        "Fornell 与 Larcker（1981）要求粗体数值大于其所在行列的相关系数；Henseler 等（2015）要求 HTMT 小于 .85。",
    )
    shown = [Column("factor", pick(("Factor", "因子"), lang))]
    shown += [Column(name, label, "coefficient") for name, label in (("omega", "ω"), ("ave", "AVE"))]
    table = data_table(
        frame,
        columns=[*shown, *(Column(name, name, "coefficient") for name in columns)],
        title=title,
        note=noted(lang, note),
        lang=lang,
    )
    return bold_diagonal(table, columns)


def bold_diagonal(table: Table, columns: list[str]) -> Table:
    """Return the table with the diagonal of some columns in bold."""
    return replace(table, styles=tuple(CellStyle((row,), (name,), bold=True) for row, name in enumerate(columns)))


def factor_correlations(fit: SemResult) -> pd.DataFrame:
    """Return the estimated correlations of the factors of a measurement model."""
    rows = fit.tidy()
    factors = list(dict.fromkeys(rows.loc[rows["op"] == "=~", "lhs"]))
    pairs = rows[(rows["op"] == "~~") & rows["lhs"].isin(factors) & rows["rhs"].isin(factors)]
    matrix = pd.DataFrame(np.eye(len(factors)), index=factors, columns=factors)
    for lhs, rhs, value in zip(pairs["lhs"], pairs["rhs"], pairs["std_all"], strict=True):
        matrix.loc[lhs, rhs] = matrix.loc[rhs, lhs] = value
    return matrix
