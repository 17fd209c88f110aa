"""The dictionary of every word that a table or a figure prints, in English and in Chinese."""

from __future__ import annotations

from psm_analysis._options import Language, check_option
from psm_analysis.errors import OptionError

WORDS: dict[str, tuple[str, str]] = {
    "table": ("Table", "表"),
    "note": ("Note.", "注："),
    "section": ("Section", "部分"),
    "model": ("Model", "模型"),
    "estimator": ("Estimator", "估计方法"),
    "variable": ("Variable", "变量"),
    "item": ("Item", "题项"),
    "scale": ("Scale", "量表"),
    "factor": ("Factor", "因子"),
    "group": ("Group", "组别"),
    "level": ("Level", "层次"),
    "parameter": ("Parameter", "参数"),
    "predictor": ("Predictor", "预测变量"),
    "effect": ("Effect", "效应"),
    "term": ("Term", "项"),
    "index": ("Index", "指标"),
    "indicator": ("Indicator", "指标"),
    "threshold": ("Threshold", "阈值"),
    "flagged": ("Flagged", "标记数"),
    "percent": ("%", "%"),
    "source": ("Source", "来源"),
    "check": ("Check", "检查"),
    "flags": ("Flags", "标记条件"),
    "label": ("Label", "标签"),
    "description": ("Description", "说明"),
    "computed": ("Computed", "计算数"),
    "share": ("Share", "比例"),
    "trimmed": ("Trimmed M", "截尾均值"),
    "range": ("Range", "全距"),
    "column": ("Column", "列"),
    "rule": ("Rule", "规则"),
    "count": ("Count", "计数"),
    "quantity": ("Quantity", "统计量"),
    "printed": ("Printed", "原文"),
    "recomputed": ("Recomputed", "重算"),
    "difference": ("Difference", "差值"),
    "verdict": ("Verdict", "结论"),
    "agrees": ("agrees", "一致"),
    "differs": ("differs", "不一致"),
    "estimate": ("Estimate", "估计值"),
    "std_error": ("SE", "SE"),
    "ci": ("95% CI", "95% CI"),
    "ci90": ("90% CI", "90% CI"),
    "statistic": ("z", "z"),
    "mean": ("M", "M"),
    "sd": ("SD", "SD"),
    "n": ("n", "n"),
    "nobs": ("N", "N"),
    "missing": ("Missing", "缺失"),
    "median": ("Median", "中位数"),
    "minimum": ("Min", "最小值"),
    "maximum": ("Max", "最大值"),
    "skewness": ("Skewness", "偏度"),
    "kurtosis": ("Kurtosis", "峰度"),
    "item_rest_r": ("Item–rest r", "题总相关"),
    "alpha_if_dropped": ("α if dropped", "删除后 α"),
    "n_items": ("Items", "题数"),
    "average_r": ("Mean r", "平均相关"),
    "communality": ("h²", "h²"),
    "converged": ("Converged", "收敛"),
    "loadings": ("Factor loadings", "因子载荷"),
    "second_order": ("Higher-order loadings", "高阶载荷"),
    "regressions": ("Regressions", "回归路径"),
    "covariances": ("Covariances", "协方差"),
    "variances": ("Variances", "方差"),
    "intercepts": ("Intercepts and means", "截距与均值"),
    "thresholds": ("Thresholds", "阈值参数"),
    "scales": ("Scale factors", "尺度因子"),
    "defined": ("Defined parameters", "定义参数"),
    "intercept": ("Intercept", "截距"),
    "clusters": ("Clusters", "群组数"),
    "log_likelihood": ("Log likelihood", "对数似然"),
    "step": ("Step", "步骤"),
    "decision": ("Decision", "判定"),
    "released": ("Released", "释放参数"),
    "step_configural": ("Configural", "形态等值"),
    "step_thresholds": ("Thresholds", "阈值等值"),
    "step_metric": ("Metric", "载荷等值"),
    "step_scalar": ("Scalar", "截距等值"),
    "step_strict": ("Strict", "残差等值"),
    "step_residual_covariances": ("Residual covariances", "残差协方差等值"),
    "step_variances": ("Factor variances", "因子方差等值"),
    "step_covariances": ("Factor covariances", "因子协方差等值"),
    "step_means": ("Factor means", "因子均值等值"),
    "step_regressions": ("Regressions", "回归系数等值"),
    "decision_holds": ("holds", "成立"),
    "decision_partial": ("partial", "部分成立"),
    "decision_fails": ("fails", "不成立"),
    "compared_with": ("Compared with", "比较对象"),
    "decision_present": ("present", "存在"),
    "decision_absent": ("absent", "不存在"),
    "decision_biasing": ("biasing", "有偏差"),
    "decision_harmless": ("harmless", "无偏差"),
    "decision_one factor": ("one factor", "单因子"),
    "decision_not one factor": ("not one factor", "非单因子"),
    "decision_no solution": ("no solution", "无解"),
    "decision_undecided": ("undecided", "无法判定"),
    "bias_Harman": ("Harman", "Harman 单因子检验"),
    "bias_Measurement model": ("Measurement model", "测量模型"),
    "bias_One factor": ("One factor", "单因子模型"),
    "bias_Method factor, equal": ("Method factor, equal", "方法因子（等载荷）"),
    "bias_Method factor, free": ("Method factor, free", "方法因子（自由载荷）"),
    "bias_Correlated uniqueness": ("Correlated uniqueness", "相关独特性"),
    "bias_Marker CFA": ("Marker CFA", "标记变量 CFA"),
    "bias_Baseline": ("Baseline", "基线模型"),
    "title_method_bias": ("Tests of Common Method Bias", "共同方法偏差检验"),
    "note_method_bias": (
        "Share = share of the items' variance that the method explains (Harman: that the first unrotated component "
        "explains); Δ = change from the model compared with; CFI = comparative fit index; RMSEA = root mean square "
        "error of approximation; SRMR = standardized root mean square residual.",
        "比例为方法解释的题项变异比例（Harman 检验为未旋转的第一主成分）；Δ 为与比较对象之差；CFI 为比较拟合指数；"
        "RMSEA 为近似误差均方根；SRMR 为标准化残差均方根。",
    ),
    "note_marker_models": (
        "CFA = confirmatory factor analysis; C = equal loadings of all items on the marker; U = free loadings; "
        "R = factor covariances fixed at those of the baseline; S = loadings on the marker fixed at the outer ends of "
        "their 95 and 99 % intervals.",
        "CFA 为验证性因子分析；C 为所有题项在标记变量上等载荷；U 为自由载荷；R 为因子协方差固定为基线模型的值；"
        "S 为标记变量载荷固定在其 95%、99% 置信区间的外端。",
    ),
    "note_difference": ("{of}Δχ² is scaled ({scaling}).", "{of}Δχ² 为校正差值（{scaling}）。"),
    "kind_indirect": ("Indirect", "间接效应"),
    "kind_total indirect": ("Total indirect", "总间接效应"),
    "kind_direct": ("Direct", "直接效应"),
    "kind_total": ("Total", "总效应"),
    "kind_index of moderated mediation": ("Index of moderated mediation", "有调节的中介指数"),
    "kind_difference": ("Difference, highest less lowest", "差值（最高减最低）"),
    "title_conditional": ("Conditional Effects", "条件效应"),
    "note_conditional": (
        "Effects at values of the moderator {moderator}; SE = standard error; CI = confidence interval.",
        "各效应取调节变量{moderator}不同取值处的值；SE 为标准误；CI 为置信区间。",
    ),
    "note_index": (
        "The index of moderated mediation is the change of the indirect effect per unit of {moderator}.",
        "有调节的中介指数为{moderator}每增加一个单位时间接效应的变化。",
    ),
    "path": ("Path", "路径"),
    "partial_r_squared": ("Partial R²", "偏 R²"),
    "robustness": ("RV", "RV"),
    "robustness_significance": ("RV (sig.)", "RV（显著性）"),
    "title_robustness": ("Robustness to Omitted Variables", "对遗漏变量的稳健性"),
    "note_robustness": (
        "RV = robustness value: an omitted variable that explains this share of the residual variance of both "
        "predictor and outcome takes away {share} % of the estimate, or (sig.) its significance at {alpha}; "
        "SE = standard error.",
        "RV 为稳健性值：遗漏变量若能同时解释预测变量和结果变量剩余变异的这一比例，估计值即减少 {share}%，"
        "或（显著性）不再于 {alpha} 水平显著；SE 为标准误。",
    ),
    "title_invariance": ("Measurement Invariance", "测量等值性"),
    "note_invariance": (
        "Every step keeps what the steps above made equal; Δ compares it with the step above.",
        "每一步保留以上各步的等值约束；Δ 为与上一步之差。",
    ),
    "title_fit": ("Fit of the Models", "模型拟合指标"),
    "title_parameters": ("Parameter Estimates", "参数估计"),
    "title_loadings": ("Standardized Factor Loadings", "标准化因子载荷"),
    "title_matrix": ("Factor Loadings", "因子载荷"),
    "title_correlations": ("Means, Standard Deviations, and Correlations", "均值、标准差与相关系数"),
    "title_correlations_only": ("Correlations", "相关系数"),
    "title_descriptives": ("Descriptive Statistics", "描述统计"),
    "title_reliability": ("Reliability", "信度"),
    "title_regression": ("Regression Models", "回归模型"),
    "title_comparison": ("Printed and Recomputed Values", "原文数值与重算数值"),
    "title_screening": ("Screening of the Responses", "作答质量筛查"),
    "title_effects": ("Direct, Indirect, and Total Effects", "直接、间接与总效应"),
    "note_alpha": ("Reliability coefficients are in parentheses on the diagonal.", "对角线括号内为信度系数。"),
    "note_se": ("Standard errors are in parentheses.", "括号内为标准误。"),
    "note_beta": ("β = completely standardized estimate.", "β 为完全标准化估计值。"),
    "note_fixed": (
        "Parameters without a standard error were fixed.",
        "未给出标准误的参数为固定参数。",
    ),
    "note_bold": (
        "Loadings of {limit} or more in absolute value are in bold.",
        "绝对值不小于 {limit} 的载荷以粗体显示。",
    ),
    "note_cutoff": ("Loadings below {limit} in absolute value are not shown.", "绝对值小于 {limit} 的载荷未列出。"),
    "note_marker": (
        "Loadings that were fixed to set the scale of their factor carry no test.",
        "为确定因子尺度而固定的载荷不作检验。",
    ),
    "note_delta": ("Δ compares each model with the one above it.", "Δ 为该模型与上一模型之差。"),
    "note_scaled": (
        "{of}χ² is scaled ({scaling}); {measures} are {kind}.",
        "{of}χ² 为校正值（{scaling}）；{measures} 为{kind}。",
    ),
    "measures_tli": ("CFI, TLI, and RMSEA", "CFI、TLI 与 RMSEA"),
    "measures_no_tli": ("CFI and RMSEA", "CFI 与 RMSEA"),
    "of_models": ("For {names}: ", "{names}："),
    "standard": ("unscaled", "未校正值"),
    "scaled": ("scaled", "校正值"),
    "robust": ("robust", "稳健值"),
    "note_fit": (
        "CFI = comparative fit index; TLI = Tucker–Lewis index; RMSEA = root mean square error of approximation; "
        "CI = confidence interval; SRMR = standardized root mean square residual.",
        "CFI 为比较拟合指数；TLI 为 Tucker–Lewis 指数；RMSEA 为近似误差均方根；"
        "CI 为置信区间；SRMR 为标准化残差均方根。",
    ),
    "note_not_converged": ("Not converged: {names}.", "未收敛：{names}。"),
    "note_screening": (
        "A flag marks a response for a closer look; no response was dropped.",
        "标记仅表示需要复核，未删除任何作答。",
    ),
    "figure_slope": ("Slope of {outcome} on {predictor}", "{predictor}对{outcome}的斜率"),
    "figure_significant": ("differs from 0", "显著不为 0"),
    "figure_open": ("does not differ from 0", "不显著"),
    "figure_predicted": ("{outcome}, difference from average", "{outcome}，与平均水平之差"),
    "figure_effect": ("Indirect effect", "间接效应"),
    "figure_rho": ("Residual correlation ρ of mediator and outcome", "中介变量与结果变量的残差相关 ρ"),
    "figure_no_confounder": ("no confounder", "无混淆变量"),
    "figure_percent": ("Percentage of responses", "回答百分比"),
    "figure_loading": ("Standardized loading", "标准化载荷"),
    "figure_estimate": ("Estimate", "估计值"),
    "figure_correlation": ("Correlation", "相关系数"),
    "figure_standardized": ("Standardized coefficients.", "标准化系数。"),
    "figure_raw": ("Unstandardized coefficients.", "非标准化系数。"),
    "figure_dashed": ("Dashed: p ≥ .05.", "虚线：p ≥ .05。"),
}


def word(key: str, lang: Language = "en") -> str:
    """Return the word `key` of the dictionary in the language asked for.

    Examples
    --------
    >>> word("variances"), word("variances", "zh")
    ('Variances', '方差')
    """
    check_option(lang, Language, name="lang")
    if key not in WORDS:
        raise OptionError(f"The dictionary of the report has no word {key!r}.", where="psm_analysis.report.words")
    return WORDS[key][lang == "zh"]


def join_notes(*notes: str, lang: Language = "en") -> str:
    """Join sentences of a note: with a space in English, without one in Chinese.

    Examples
    --------
    >>> join_notes("One.", "", "Two.")
    'One. Two.'
    """
    return ("" if lang == "zh" else " ").join(note for note in notes if note)
