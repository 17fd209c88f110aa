"""What a study of common method bias found: one table, correlations, reliability, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis._results import Result, format_number
from psm_analysis.sem.result import SemResult

SENSITIVITY = ("sensitivity_05", "sensitivity_01")


@dataclass(frozen=True, slots=True, repr=False)
class MethodBias(Result):
    """Tests of common method bias.

    Attributes
    ----------
    frame
        One row per model; see :meth:`tidy`.
    correlations
        One row per pair of factors: ``first, second, measurement`` (the correlation in the plain model) and the same
        correlation with method variance taken out: ``method_factor``, ``marker``, ``partialled``, and by Method-S
        ``sensitivity_05, sensitivity_01`` (nan where the solution is inadmissible).
    reliability
        One row per factor: ``factor, total, substantive, method, method_percent``: omega of the marker model chosen,
        divided into what the factor and what the marker contribute; empty without a marker.
    fits
        Name of the model to its fit.
    chosen
        The marker model that was kept: ``Method-C``, ``Method-U`` or ``Baseline``; blank without a marker, or where
        the models with the marker have no solution.
    alpha
        Level of the tests.
    warnings
        What is doubtful.
    """

    frame: pd.DataFrame
    correlations: pd.DataFrame
    reliability: pd.DataFrame
    fits: Mapping[str, SemResult]
    chosen: str
    alpha: float
    warnings: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per model.

        Columns: ``model, df, chisq, cfi, rmsea, srmr, share`` (of the items' variance that is the method's; Harman: of
        the first component), ``compared_with, statistic, df_diff, p_value, delta_cfi, decision`` (``present``,
        ``absent``, ``biasing``, ``harmless``, ``not one factor``, ``one factor``, ``no solution``, ``undecided`` where
        the difference has no test, or blank), ``test, measures, difference_test``: which chi-square, which fit measures
        and which test of the difference these are. Chi-square is scaled where the estimator scales; the scaled
        difference is that of Satorra and Bentler (2001), or of 2010 where its scaling factor is not positive.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: models fitted, the marker model chosen, shares, and the largest change of a correlation."""
        shares = self.frame.set_index("model")["share"]
        row = {"models": len(self.fits), "chosen": self.chosen, "harman": shares["Harman"]}
        row |= {"method_factor": shares["Method factor, equal"], "largest_change": self.largest_change}
        return pd.DataFrame([row | {"alpha": self.alpha}])

    @property
    def largest_change(self) -> float:
        """The largest change of a factor correlation when method variance is taken out; nan for one factor.

        As estimated; how far it may go is :attr:`largest_sensitivity`.
        """
        if self.correlations.empty:
            return float("nan")
        adjusted = self.correlations.drop(columns=["first", "second", "measurement", *SENSITIVITY], errors="ignore")
        return float(adjusted.sub(self.correlations["measurement"], axis=0).abs().max().max())

    @property
    def largest_sensitivity(self) -> float:
        """The largest difference of a factor correlation by Method-S from that by the marker; nan without Method-S."""
        if not {"marker", *SENSITIVITY} <= set(self.correlations):
            return float("nan")
        return float(self.correlations[[*SENSITIVITY]].sub(self.correlations["marker"], axis=0).abs().max().max())

    def verdict(self, lang: Language = "en") -> str:
        """Return what the tests say, in plain words.

        Parameters
        ----------
        lang
            "en" or "zh".
        """
        check_option(lang, Language, name="lang")
        decisions = self.frame.set_index("model")["decision"]
        equal, free = (decisions[f"Method factor, {kind}"] for kind in ("equal", "free"))
        only_free = equal == "absent" and free == "present"
        parts = [_harman(self.frame, lang), _said("factor", "uneven" if only_free else equal, lang)]
        if "Method-C" in decisions:
            found = "present" if self.chosen.startswith("Method") else decisions["Method-C"]
            parts.append(_said("marker", found, lang).format(model=self.chosen))
        if "Method-R" in decisions:
            parts.append(_said("bias", decisions["Method-R"], lang))
        if "Correlated uniqueness" in decisions:
            parts.append(_said("wording", decisions["Correlated uniqueness"], lang))
        if self.largest_change == self.largest_change:
            parts.append(_WORDS["change"][lang == "zh"].format(change=self.largest_change))
        if self.largest_sensitivity == self.largest_sensitivity:
            parts.append(_WORDS["sensitivity"][lang == "zh"].format(change=self.largest_sensitivity))
        return ("" if lang == "zh" else " ").join(parts)

    def summary(self) -> str:
        """Return the table, the correlations of the factors and the verdict as text."""
        pairs = self.correlations.to_string(index=False, float_format=format_number)
        middle = "" if self.correlations.empty else f"Correlations of the factors\n\n{pairs}\n\n"
        return f"{Result.summary(self)}\n\n{middle}{self.verdict()}"

    def _repr_html_(self) -> str:
        pairs = self.correlations.to_html(index=False, float_format=format_number, border=0, na_rep="")
        middle = "" if self.correlations.empty else f"<p>Correlations of the factors</p>{pairs}"
        return f"{Result._repr_html_(self)}{middle}<p>{self.verdict()}</p>"


def _harman(frame: pd.DataFrame, lang: Language) -> str:
    share = float(frame.loc[frame["model"] == "Harman", "share"].iloc[0])
    return _WORDS["harman"][lang == "zh"].format(percent=100.0 * share)


def _said(about: str, decision: str, lang: Language) -> str:
    """Return the sentence of a decision; one that has none was not reached."""
    key = f"{about}_{decision.replace(' ', '_')}"
    return _WORDS[key if key in _WORDS else f"{about}_undecided"][lang == "zh"]


_WORDS: dict[str, tuple[str, str]] = {
    "harman": (
        "The first unrotated component holds {percent:.1f} % of the variance of the items; that it is below 50 % "
        "proves nothing, for the test misses all but overwhelming method variance.",
        "未旋转的第一主成分解释了题项变异的 {percent:.1f}%；低于 50% 并不能证明不存在共同方法偏差，"
        "该检验只能发现极强的方法变异。",
    ),
    "factor_present": (
        "An unmeasured method factor improves fit: the items share variance beyond their factors, of method or "
        "of content.",
        "加入未测量的方法因子后拟合显著改善：题项之间存在超出各自因子的共同变异，可能来自方法，也可能来自内容。",
    ),
    "factor_absent": (
        "An unmeasured method factor does not improve fit.",
        "加入未测量的方法因子后拟合没有显著改善。",
    ),
    "factor_uneven": (
        "An unmeasured method factor of equal loadings does not improve fit, one of free loadings does: some items "
        "share variance beyond their factors, which is more often content or wording than a method common to all.",
        "等载荷的未测量方法因子没有改善拟合，自由载荷的方法因子则有改善：部分题项之间存在超出各自因子的共同变异，"
        "多来自内容或措辞，而非所有题项共有的方法。",
    ),
    "factor_no_solution": (
        "The model with an unmeasured method factor has no solution.",
        "含未测量方法因子的模型没有得到解。",
    ),
    "factor_undecided": (
        "Whether an unmeasured method factor improves fit could not be tested.",
        "加入未测量的方法因子后拟合是否改善无法检验。",
    ),
    "marker_present": (
        "Items share variance with the marker ({model}): there is method variance.",
        "题项与标记变量有共同变异（{model}）：存在方法变异。",
    ),
    "marker_absent": (
        "Items share no variance with the marker: no method variance of the kind that it catches.",
        "题项与标记变量没有共同变异：未发现标记变量所能反映的方法变异。",
    ),
    "marker_no_solution": (
        "The model in which the items share variance with the marker has no solution: the marker decides nothing.",
        "题项与标记变量有共同变异的模型没有得到解：标记变量法无法作出判断。",
    ),
    "marker_undecided": (
        "Whether the items share variance with the marker could not be tested.",
        "题项与标记变量是否有共同变异无法检验。",
    ),
    "bias_biasing": (
        "It biases the correlations of the factors (Method-R fits worse): report those that are corrected.",
        "方法变异使因子间相关产生偏差（Method-R 拟合更差）：应报告校正后的相关。",
    ),
    "bias_harmless": (
        "It does not bias the correlations of the factors (Method-R fits as well).",
        "方法变异未使因子间相关产生显著偏差（Method-R 拟合没有变差）。",
    ),
    "bias_undecided": (
        "Whether it biases the correlations of the factors could not be tested.",
        "方法变异是否使因子间相关产生偏差无法检验。",
    ),
    "wording_present": (
        "Reversed wording adds shared variance: keep the residual covariances of reversed items in the model.",
        "反向措辞带来额外的共同变异：模型中应保留反向题项的残差相关。",
    ),
    "wording_absent": ("Reversed wording adds no shared variance.", "反向措辞没有带来额外的共同变异。"),
    "wording_undecided": (
        "Whether reversed wording adds shared variance could not be tested.",
        "反向措辞是否带来额外的共同变异无法检验。",
    ),
    "wording_no_solution": (
        "The model with residual covariances of the reversed items has no solution.",
        "含反向题项残差相关的模型没有得到解。",
    ),
    "bias_no_solution": ("Method-R has no solution.", "Method-R 模型没有得到解。"),
    "change": (
        "Taking method variance out changes a correlation of factors by {change:.2f} at most.",
        "去除方法变异后，因子间相关最多改变 {change:.2f}。",
    ),
    "sensitivity": (
        "With as much method variance as its intervals allow (Method-S) the corrected correlations change by another "
        "{change:.2f} at most.",
        "若方法变异取其置信区间的上限（Method-S），校正后的相关最多再改变 {change:.2f}。",
    ),
}
