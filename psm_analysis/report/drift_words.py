"""What each check of drift asks, its threshold, its source, and how its outcome is said, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psm_analysis._options import Language

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CheckWords:
    """Name, rule and source of a check; what is said of one subject beyond the threshold, and if there is none."""

    name: Pair
    rule: Pair
    source: str
    breach: Pair
    fine: Pair


CHECKS: dict[str, CheckWords] = {
    "shift": CheckWords(
        ("Shift apart from the scale", "相对量表的偏移"),
        ("0.20 SD or more, p < .01 / items", "≥ 0.20 个标准差，且 p < .01 / 题数"),
        "Cohen (1988), small effect; Shealy & Stout (1993)",
        ("answered {way} than its scale explains", "得分比量表水平所能解释的{way}"),
        ("No item moved apart from its scale.", "没有题项偏离其量表。"),
    ),
    "functioning": CheckWords(
        ("Differential item functioning (dMACS)", "题项功能差异（dMACS）"),
        ("0.20 or more, freed by a score test, p < .01 / items", "≥ 0.20，且经得分检验释放（p < .01 / 题数）"),
        "Nye & Drasgow (2011); Nye et al. (2019)",
        ("measures otherwise than in the reference", "测量方式与基准波次不同"),
        ("Every item measures as in the reference.", "各题项的测量方式与基准波次一致。"),
    ),
    "discrimination": CheckWords(
        ("Discrimination (item-rest correlation)", "区分度（题总相关）"),
        ("fall of 0.30 or more in Fisher's z, apart from its scale, p < .01 / items",
         "Fisher z 相对量表下降 ≥ 0.30，且 p < .01 / 题数"),
        "Cohen (1988), medium q",
        ("hangs together less with its scale than before", "与量表的一致性低于以前"),
        ("Every item hangs together with its scale as before.", "各题项与量表的一致性与以前相当。"),
    ),
    "against": CheckWords(
        ("Runs against its scale", "与量表方向相反"),
        ("item-rest correlation below −.10 and 0 by two errors", "题总相关低于 −.10，且超过两倍标准误"),
        "Nunnally & Bernstein (1994); limits are ours",
        ("runs against its scale: miscoded or not turned round?", "与量表方向相反：可能编码有误或未反向计分"),
        ("Every item runs with its scale.", "各题项与量表方向一致。"),
    ),
    "missing": CheckWords(
        ("Left out more often", "缺失增多"),
        ("5 points of a hundred above the reference, p < .01 / items", "比基准高 5 个百分点以上，且 p < .01 / 题数"),
        "Schafer (1999)",
        ("left out more often", "缺失明显增多"),
        ("No item is left out more often than before.", "没有题项的缺失多于以前。"),
    ),
    "distribution": CheckWords(
        ("Distribution of answers (PSI)", "作答分布（PSI）"),
        ("0.25 or more, p < .01 / items", "≥ 0.25，且 p < .01 / 题数"),
        "Siddiqi (2006); Yurdakul & Naranjo (2020)",
        ("answers are distributed otherwise", "作答分布不同"),
        ("Answers are distributed as in the reference.", "作答分布与基准波次相近。"),
    ),
    "jensen_shannon": CheckWords(
        ("Distribution of answers (Jensen–Shannon)", "作答分布（JS 散度）"),
        ("0.045 bits or more, p < .01 / items", "≥ 0.045 比特，且 p < .01 / 题数"),
        "Lin (1991); equals PSI 0.25 for small changes",
        ("answers are distributed otherwise", "作答分布不同"),
        ("Answers are distributed as in the reference.", "作答分布与基准波次相近。"),
    ),
    "mean": CheckWords(
        ("Mean of the item", "题项均值"),
        ("half a standard deviation or more, p < .01 / items", "≥ 半个标准差，且 p < .01 / 题数"),
        "Norman et al. (2003)",
        ("the mean is {way}", "均值{way}"),
        ("No mean moved by half a standard deviation.", "没有题项均值变动达半个标准差。"),
    ),
    "reliability": CheckWords(
        ("Reliability (alpha)", "信度（α）"),
        ("a fall of .05 or more, p < .01 / scales", "下降 .05 以上，且 p < .01 / 量表数"),
        "van Zyl, Neudecker & Nel (2000); the margin is ours",
        ("less reliable than before", "信度低于以前"),
        ("Scales are as reliable as before.", "各量表信度与以前相当。"),
    ),
    "rmsea": CheckWords(
        ("Fit of the frozen model: RMSEA", "冻结模型拟合：RMSEA"),
        ("above .08, or reference + .015 if that is more", "高于 .08（或基准值 + .015，取较大者）"),
        "Browne & Cudeck (1993); Chen (2007)",
        ("the frozen model fits badly, RMSEA {number}", "冻结模型拟合不佳，RMSEA {number}"),
        ("The frozen model fits.", "冻结模型拟合可接受。"),
    ),
    "cfi": CheckWords(
        ("Fit of the frozen model: CFI", "冻结模型拟合：CFI"),
        ("below .90, or reference − .010 if that is less", "低于 .90（或基准值 − .010，取较小者）"),
        "Bentler & Bonett (1980); Chen (2007)",
        ("the frozen model fits badly, CFI {number}", "冻结模型拟合不佳，CFI {number}"),
        ("The frozen model fits.", "冻结模型拟合可接受。"),
    ),
    "srmr": CheckWords(
        ("Fit of the frozen model: SRMR", "冻结模型拟合：SRMR"),
        (
            "above .08, or reference + .030 if that is more, beside sampling error",
            "高于 .08（或基准值 + .030，取较大者），另计抽样误差",
        ),
        "Hu & Bentler (1999); Chen (2007); Maydeu-Olivares (2017)",
        ("the frozen model fits badly, SRMR {number}", "冻结模型拟合不佳，SRMR {number}"),
        ("The frozen model fits.", "冻结模型拟合可接受。"),
    ),
    "invariance": CheckWords(
        ("Invariance from reference to wave", "与基准波次的测量不变性"),
        ("CFI falls by .010 and RMSEA rises by .015 or SRMR by .030 (metric), .010 (scalar)",
         "CFI 下降 .010，且 RMSEA 上升 .015 或 SRMR 上升 .030（载荷）、.010（截距）"),
        "Chen (2007); Byrne et al. (1989)",
        ("invariance does not hold at this step", "该步的测量不变性不成立"),
        ("Both steps hold (the table names what was freed).", "各步成立（释放的参数见表）。"),
    ),
    "empty": CheckWords(
        ("Rows without any answer", "完全未作答的行"),
        ("5 points of a hundred above the reference, p < .01", "比基准高 5 个百分点以上，且 p < .01"),
        "Schafer (1999)",
        ("{value} of the rows have no answer at all", "{value} 的行完全未作答"),
        ("Hardly more rows than before are without any answer.", "完全未作答的行没有明显增多。"),
    ),
    "careless": CheckWords(
        ("Careless answering", "草率作答"),
        ("more than 12 rows of a hundred with two flags, p < .01", "超过 12% 的行有两个以上标记，且 p < .01"),
        "Meade & Craig (2012)",
        ("{value} of the rows look careless", "{value} 的行疑似草率作答"),
        ("Few rows look careless.", "疑似草率作答的行不多。"),
    ),
}  # fmt: skip
WITH_SCALE: Pair = (
    "moved together with its scale: the people may differ, not the item",
    "随整个量表一起变动：可能是人群不同，而非题项变化",
)
NOT_JUDGED: Pair = ("Not judged.", "未作判断。")
WAYS: dict[str, tuple[Pair, Pair]] = {
    "shift": (("lower", "偏低"), ("higher", "偏高")),
    "mean": (("lower", "下降"), ("higher", "上升")),
}


def reason(check: str, value: float, *, lang: Language = "en") -> str:
    """Say what is the matter with one subject that is beyond the threshold of a check.

    Examples
    --------
    >>> reason("shift", 0.4), reason("careless", 0.25)
    ('answered higher than its scale explains', '25.0% of the rows look careless')
    """
    place = lang == "zh"
    low, high = WAYS.get(check, (("", ""), ("", "")))
    text = CHECKS[check].breach[place]
    return text.format(way=(high if value > 0 else low)[place], value=f"{value:.1%}", number=f"{value:.3f}")


def doubtful_reference(listed: str) -> Pair:
    """Say that items hardly belong to their scale in the reference itself."""
    return (
        f"In the reference itself, hardly related to the rest of the scale: {listed}. An item may be miscoded there, "
        "or not turned round; what is compared with it says little. Check the reference before the wave.",
        f"在基准波次中与量表其余部分几乎无关的题项：{listed}。可能在基准中编码有误或未反向计分，与之比较意义不大；请先核对基准。",
    )


def unread_cells(column: str, count: int, *, found: str) -> Pair:
    """Say that cells of a column could not be read and count as missing."""
    return (
        f"Column {column}: {count} cells hold no code ({found}) and count as missing. Correct the file first.",
        f"列 {column}：{count} 个单元格不是编码（{found}），按缺失处理。请先更正文件。",
    )


def nobody_answered(items: str) -> Pair:
    """Say that the measurement model was not judged because items have no answers."""
    return (
        f"Nobody answered {items}: the measurement model was not judged.",
        f"无人回答 {items}：未判断测量模型。",
    )


def too_few(rows: int, least: int) -> Pair:
    """Say that there are too few complete rows for a model of covariances."""
    return (
        f"{rows} complete rows are fewer than {least}, too few to judge a model of covariances.",
        f"完整作答仅 {rows} 行，少于 {least} 行，不足以判断协方差模型。",
    )


def no_model(problem: str) -> Pair:
    """Say that the reference has no measurement model, or that it cannot be fitted to the wave."""
    return f"The measurement model was not judged: {problem}", f"未判断测量模型：{problem}"


def conclusion(
    drifting: Sequence[str],
    *,
    absent: Sequence[str],
    moved: int,
    other: Sequence[str],
    n_items: int,
    reserved: bool,
    lang: Language,
) -> list[str]:
    """Say in sentences what the checks together mean and what to do, the most important first."""
    zh = lang == "zh"
    gone = [item for item in drifting if item in absent]
    said = _missing(gone, zh) + _drifting([item for item in drifting if item not in absent], n_items, zh)
    if moved:
        many = "s" * (moved > 1)
        english = f"{moved} item{many} moved together with the scale: the people may differ, not the item{many}."
        said.append(f"{moved} 个题项随整个量表一起变动：可能是人群或态度不同，而非题项的问题。" if zh else english)
    if other:
        said.append(f"超出阈值：{'；'.join(other)}。" if zh else f"Beyond a threshold: {'; '.join(other)}.")
    fine = (
        "The wave answers the items as the reference did: no check is beyond its threshold. Scores can be compared.",
        "本波次的作答与基准波次一致：没有检查超出阈值，得分可以直接比较。",
    )
    partly = (
        "No check is beyond its threshold, but not everything could be judged; read the reservations before scores are "
        "compared.",
        "没有检查超出阈值，但并非全部都能判断；比较得分前请先看保留意见。",
    )
    return said or [partly[zh] if reserved else fine[zh]]


def _missing(items: Sequence[str], zh: bool) -> list[str]:
    if not items:
        return []
    names = ("、" if zh else ", ").join(items)
    return [
        f"无人回答 {names}：是否已删除？可用其余题项作锚题链接（psm.link），或按缺失规则计分。"
        if zh
        else f"Nobody answered {names}: dropped from the questionnaire? Link the waves by the other items (psm.link)."
    ]


def _drifting(items: Sequence[str], n_items: int, zh: bool) -> list[str]:
    names, n = ("、" if zh else ", ").join(items), len(items)
    if not n:
        return []
    if 2 * n >= n_items:
        return [
            f"{n_items} 个题项中有 {n} 个漂移（{names}）："
            "编码错误、另一版问卷或未反向计分比真实变化更有可能。请先核对编码与问卷，不要比较得分。"
            if zh
            else f"{n} of {n_items} items drift ({names}): an error of coding, another form or items not turned round "
            "is likelier than a real change. Check coding and questionnaire first; do not compare scores."
        ]
    return [
        f"{n} 个题项漂移：{names}。比较得分前，请核对其措辞、翻译、次序和编码。"
        if zh
        else f"{n} item{'s drift' if n > 1 else ' drifts'}: {names}. "
        "Check wording, translation, order and coding before scores are compared."
    ]
