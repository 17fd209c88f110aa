"""Differences of scale scores between groups: means, Welch's tests and effect sizes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from psm_analysis._model_names import group_name
from psm_analysis._options import Language
from psm_analysis.errors import PsmAnalysisWarning
from psm_analysis.scoring.rules import score_scales
from psm_analysis.survey.codebook import Variable
from psm_analysis.survey.wave import SurveyWave

FEWEST = 2
Scores = NDArray[np.float64]
LABELS = ("variable", "scale", "group")
TEST = ("test", "statistic", "df1", "df2", "p_value", "effect_size", "effect")
COLUMNS = (*LABELS, "n", "mean", "sd", *TEST)


def score_differences(wave: SurveyWave, instrument: str, *, items: pd.DataFrame, lang: Language = "en") -> pd.DataFrame:
    r"""Compare the scores of an instrument between the groups of every variable that the codebook calls a group.

    Two groups: Welch's t test and Cohen's :math:`d = (m_1 - m_2) / s_p`, with the pooled standard deviation and groups
    in the order of their codes. More groups: Welch's F test and
    :math:`\omega^2 = \nu_1 (F - 1) / (\nu_1 (F - 1) + N)`, set to zero where negative. p values are not adjusted for
    the number of tests, and the clustering of respondents in units is not considered.

    Parameters
    ----------
    wave, instrument
        The wave, and the id of an instrument in it.
    items
        The answers to the items of the instrument, turned round; its index says which respondents are compared.
    lang
        Language of the names of variables, scales and groups.

    Returns
    -------
    DataFrame
        One row per variable, scale and group: n, mean, sd, and the test of the scale (the same in all its groups).
        Empty if there is no group variable.

    Warns
    -----
    PsmAnalysisWarning
        If a group has fewer than two scores and is left out, respondents belong to no group, or there is no test.

    References
    ----------
    Welch, B. L. (1951). On the comparison of several mean values. Biometrika, 38, 330-336. Maxwell, S. E., Delaney,
    H. D., & Kelley, K. (2018). Designing experiments and analyzing data (3rd ed.). The R calls are ``t.test`` and
    ``oneway.test``.
    """
    variables = [v for v in wave.codebook.variables if v.role == "group" and v.name in wave.data]
    if not variables:
        return pd.DataFrame(columns=list(COLUMNS))
    definition = wave.instrument(instrument)
    scores = score_scales(items, definition, reversed_already=True)
    names = {definition.factor: "总分" if lang == "zh" else "Total"}
    names |= {part.id: part.name.get(lang) for part in definition.subscales}
    rows: list[dict[str, object]] = []
    for variable in variables:
        groups = _labels(wave.data.loc[items.index, variable.name], variable, lang=lang)
        if groups.isna().any():
            _warn(f"{int(groups.isna().sum())} respondents have no value of {variable.name!r} and are not compared.")
        groups = _without_single(groups)
        for scale in scores:
            title = {
                "variable": variable.label.get(lang) or variable.name,
                "scale": names.get(str(scale)) or str(scale),
            }
            rows += [{**title, **row} for row in compare_groups(scores[scale], groups)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _without_single(groups: pd.Series) -> pd.Series:
    sizes = groups.value_counts(sort=False)
    single = [str(label) for label in sizes.index[sizes < FEWEST]]
    if single:
        _warn(f"Groups of one respondent are left out of {groups.name!r}: {', '.join(single)}.")
    return groups.cat.set_categories([label for label in groups.cat.categories if label not in single])


def compare_groups(scores: pd.Series, groups: pd.Series) -> list[dict[str, object]]:
    """Return a row per group with n, mean and sd of the scores and the test of their difference.

    Examples
    --------
    >>> rows = compare_groups(pd.Series([1.0, 2, 3, 2, 4, 6], name="x"), pd.Series(list("aaabbb"), name="g"))
    >>> [row["mean"] for row in rows], round(rows[0]["effect"], 3)
    ([2.0, 4.0], -1.265)
    """
    order = (
        list(groups.cat.categories) if isinstance(groups.dtype, pd.CategoricalDtype) else sorted(set(groups.dropna()))
    )
    parts = {str(label): scores[groups == label].dropna().to_numpy(dtype=float) for label in order}
    for label in [label for label, part in parts.items() if len(part) < FEWEST]:
        n = len(parts.pop(label))
        _warn(f"Group {label!r} of {groups.name!r} has {n} score(s) of {scores.name!r} and is left out.")
    where = f"{scores.name!r} by {groups.name!r}"
    test = _test(list(parts.values()), where=where)
    return [
        {"group": label, "n": len(part), "mean": float(part.mean()), "sd": float(part.std(ddof=1)), **test}
        for label, part in parts.items()
    ]


def _test(parts: Sequence[Scores], *, where: str) -> dict[str, object]:
    none = {
        "test": "",
        **dict.fromkeys(("statistic", "df1", "df2", "p_value"), np.nan),
        "effect_size": "",
        "effect": np.nan,
    }
    if len(parts) < FEWEST:
        _warn(f"{where}: fewer than two groups can be compared, so there is no test.")
        return none
    if any(np.ptp(part) == 0 for part in parts):
        _warn(f"{where}: all scores of a group are equal, so Welch's test is not defined.")
        return none
    return _two_groups(*parts) if len(parts) == FEWEST else _several_groups(parts)


def _two_groups(first: Scores, second: Scores) -> dict[str, object]:
    from scipy.stats import ttest_ind

    found = ttest_ind(first, second, equal_var=False)
    freedom = len(first) + len(second) - 2
    pooled = ((len(first) - 1) * first.var(ddof=1) + (len(second) - 1) * second.var(ddof=1)) / freedom
    return {
        "test": "t",
        "statistic": float(found.statistic),
        "df1": 1.0,
        "df2": float(found.df),
        "p_value": float(found.pvalue),
        "effect_size": "d",
        "effect": float((first.mean() - second.mean()) / np.sqrt(pooled)),
    }


def _several_groups(parts: Sequence[Scores]) -> dict[str, object]:
    from statsmodels.stats.oneway import anova_oneway

    found = anova_oneway(list(parts), use_var="unequal")
    explained = found.df_num * (found.statistic - 1)
    return {
        "test": "F",
        "statistic": float(found.statistic),
        "df1": float(found.df_num),
        "df2": float(found.df_denom),
        "p_value": float(found.pvalue),
        "effect_size": "ω²",
        "effect": max(0.0, float(explained / (explained + sum(map(len, parts))))),
    }


def _labels(values: pd.Series, variable: Variable, *, lang: Language) -> pd.Series:
    """Return the group of each respondent by its label, as categories in the order of the codes."""
    codes = sorted(set(values.dropna()), key=lambda code: (isinstance(code, str), code))
    texts = {code: _label(code, variable, lang=lang) for code in codes}
    ordered = list(dict.fromkeys(texts.values()))
    return pd.Series(pd.Categorical(values.map(texts), categories=ordered), index=values.index, name=variable.name)


def _label(code: object, variable: Variable, *, lang: Language) -> str:
    plain = group_name(code)
    known = variable.values.get(plain)
    return (known.get(lang) if known is not None else "") or plain


def _warn(text: str) -> None:
    warnings.warn(text, PsmAnalysisWarning, stacklevel=3)
