"""The drift report as one self-contained page: the verdict first, then checks, figures and tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from psm_analysis._options import Language
from psm_analysis.report.drift_svg import answer_panels, bars
from psm_analysis.report.numbers import format_decimal, format_integer, format_p, is_missing

PHRASES: dict[str, tuple[str, str]] = {
    "title": ("Drift report", "漂移报告"),
    "fine": ("No drift found", "未发现漂移"),
    "drift": ("Look before you compare", "比较前请先核查"),
    "checks": ("The checks", "各项检查"),
    "figures": ("Items at a glance", "题项概览"),
    "answers": ("Answers: reference and this wave", "作答分布：基准与本波次"),
    "items": ("Items in numbers", "题项数值"),
    "scales": ("Reliability of the scales", "量表信度"),
    "model": ("The frozen measurement model", "冻结的测量模型"),
    "notes": ("Reservations", "保留意见"),
    "reference": ("Reference", "基准"),
    "new": ("This wave (red: drifting)", "本波次（红色：漂移）"),
    "shift": ("Shift apart from the scale (SD)", "相对量表的偏移（标准差）"),
    "psi": ("Population stability index", "群体稳定性指数（PSI）"),
    "dashed": (
        "Dashed: threshold. Answers to reversed items are turned round.",
        "虚线为阈值。反向题已反向计分。",
    ),
    "fixed": (
        "All parameters at the estimates of the reference: χ²({df}) = {chisq}, p {p}, RMSEA {rmsea} [{low}, {high}], "
        "CFI {cfi}, SRMR {srmr}. In large waves χ² is always significant; the thresholds are those of the indices.",
        "全部参数固定于基准估计值：χ²({df}) = {chisq}，p {p}，RMSEA {rmsea} [{low}, {high}]，CFI {cfi}，SRMR {srmr}。"
        "大样本中 χ² 总是显著，故以拟合指标为阈值。",
    ),
    "about": (
        "A threshold crossed is a reason to look, not a proof. Each needs an effect that matters and, where it "
        "has a test, p < .01 divided by the number of items or scales.",
        "超出阈值只说明需要核查，并非证明。各检查既要求效应有实际意义，也要求（如有检验）p < .01 除以题数或量表数。",
    ),
}
FACTS = (
    ("instrument", ("Instrument", "工具")),
    ("nobs", ("Persons", "人数")),
    ("complete", ("Complete rows", "完整作答")),
    ("reference_nobs", ("Persons in the reference", "基准人数")),
    ("items", ("Items", "题数")),
)
Format = Callable[[Any], str]
Columns = Sequence[tuple[str, tuple[str, str], Format]]


def _two(value: Any) -> str:
    return format_decimal(value, 2)


def _three(value: Any) -> str:
    return format_decimal(value, 3, leading_zero=False)


def _percent(value: Any) -> str:
    return "" if is_missing(value) else format_decimal(100 * float(value), 1)


CHECK_COLUMNS: Columns = (
    ("name", ("Check", "检查"), str),
    ("threshold", ("Threshold", "阈值"), str),
    ("source", ("Source", "来源"), str),
    ("verdict", ("Verdict", "结论"), str),
)
ITEM_COLUMNS: Columns = (
    ("item", ("Item", "题项"), str),
    ("mean_reference", ("M ref.", "基准均值"), _two),
    ("mean", ("M", "均值"), _two),
    ("smd", ("Diff. (SD)", "差异（SD）"), _two),
    ("psi", ("PSI", "PSI"), _two),
    ("jensen_shannon", ("JS (bits)", "JS（比特）"), _three),
    ("missing_reference", ("Missing ref. %", "基准缺失 %"), _percent),
    ("missing", ("Missing %", "缺失 %"), _percent),
    ("rest_r", ("Rest r", "题总相关"), _two),
    ("shift", ("Shift (SD)", "偏移（SD）"), _two),
    ("dmacs", ("dMACS", "dMACS"), _two),
    ("verdict", ("Verdict", "结论"), str),
)
SCALE_COLUMNS: Columns = (
    ("scale", ("Scale", "量表"), str),
    ("items", ("Items", "题数"), format_integer),
    ("alpha_reference", ("α ref.", "基准 α"), _three),
    ("alpha", ("α", "α"), _three),
    ("statistic", ("z", "z"), _two),
    ("p_value", ("p", "p"), format_p),
)
STEP_COLUMNS: Columns = (
    ("step", ("Step", "步骤"), str),
    ("chisq", ("χ²", "χ²"), _two),
    ("df", ("df", "df"), format_integer),
    ("cfi", ("CFI", "CFI"), _three),
    ("rmsea", ("RMSEA", "RMSEA"), _three),
    ("srmr", ("SRMR", "SRMR"), _three),
    ("delta_cfi", ("ΔCFI", "ΔCFI"), _three),
    ("delta_rmsea", ("ΔRMSEA", "ΔRMSEA"), _three),
    ("p_value", ("p (Δχ²)", "p（Δχ²）"), format_p),
    ("released", ("Released", "释放"), str),
    ("decision", ("Decision", "结论"), str),
)
DECISIONS = {"holds": "成立", "partial": "部分成立", "fails": "不成立"}
STEPS = {"configural": "形态", "metric": "载荷", "scalar": "截距"}
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 "Helvetica Neue", Arial, "Noto Sans", "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", sans-serif; color: #1A1A1A; background: #fff;
  max-width: 960px; margin: 2.2em auto; padding: 0 1.4em; }
h1 { font-size: 1.7em; margin: 0 0 .1em; } h2 { font-size: 1.15em; margin: 2em 0 .5em; }
.facts { color: #555; margin: 0 0 1.2em; } .facts b { color: #1A1A1A; font-weight: 600; margin-right: 1.2em; }
.verdict { border-left: 6px solid #009E73; background: #F0F8F5; padding: .8em 1.2em; break-inside: avoid; }
.verdict.drift { border-color: #D55E00; background: #FDF3EC; }
.verdict strong { font-size: 1.15em; } .verdict p { margin: .3em 0; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 1.2px solid #1A1A1A; padding: .35em .6em .35em 0;
  vertical-align: bottom; }
td { border-bottom: 1px solid #E4E4E4; padding: .35em .6em .35em 0; vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; padding-left: .5em; } th.n { white-space: normal; }
tr.breach td { background: #FDF3EC; } tr.breach td:first-child { font-weight: 700; }
.note { color: #555; font-size: 13px; } svg { width: 100%; height: auto; display: block; font-family: inherit; }
.pair { display: flex; flex-wrap: wrap; gap: 1.5em; } .pair > * { flex: 1 1 380px; } .scroll { overflow-x: auto; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } h2 { break-after: avoid; }
  tr, svg { break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def drift_page(
    *,
    facts: Mapping[str, Any],
    verdict: Sequence[str],
    drifting: Collection[str],
    overview: pd.DataFrame,
    items: pd.DataFrame,
    distributions: pd.DataFrame,
    scales: pd.DataFrame,
    steps: pd.DataFrame,
    notes: Sequence[str],
    lang: Language,
) -> str:
    """Return the page; the frames are those of a drift report, with verdicts in the language of the page."""
    zh = lang == "zh"
    beyond = bool(facts["breaches"])
    title = f"{_say('title', lang)}{'：' if zh else ': '}{facts['wave']}"
    broken = [verdict != ("如前" if zh else "as before") for verdict in items["verdict"]]
    parts = [
        f"<h1>{escape(title)}</h1>",
        _facts(facts, lang),
        _verdict_box(verdict, beyond=beyond, lang=lang),
        _section("checks", _table(overview, CHECK_COLUMNS, marked=overview["breaches"] > 0, lang=lang), lang),
        f'<p class="note">{escape(_say("about", lang))}</p>',
        _section("figures", _figures(items, drifting, lang), lang),
        _section("answers", _answers(distributions, drifting, lang), lang),
        _section("items", _table(items, ITEM_COLUMNS, marked=broken, lang=lang), lang),
    ]
    if not scales.empty:
        less = [row != "as before" for row in scales["verdict"]]
        parts.append(_section("scales", _table(scales, SCALE_COLUMNS, marked=less, lang=lang), lang))
    if not steps.empty:
        parts.append(_section("model", _fixed(facts["fit"], lang) + _steps(steps, lang), lang))
    if notes:
        parts.append(_section("notes", "".join(f"<p>{escape(note)}</p>" for note in notes), lang))
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if zh else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def _say(key: str, lang: Language) -> str:
    return PHRASES[key][lang == "zh"]


def _section(key: str, content: str, lang: Language) -> str:
    return f"<section>\n<h2>{escape(_say(key, lang))}</h2>\n{content}\n</section>"


def _facts(facts: Mapping[str, Any], lang: Language) -> str:
    shown = [f"{name[lang == 'zh']} <b>{escape(str(facts[key]))}</b>" for key, name in FACTS]
    return f'<p class="facts">{" ".join(shown)}</p>'


def _verdict_box(verdict: Sequence[str], *, beyond: bool, lang: Language) -> str:
    head = ("▲ " if beyond else "✓ ") + _say("drift" if beyond else "fine", lang)
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in verdict)
    return f'<div class="verdict{" drift" if beyond else ""}" role="status"><strong>{escape(head)}</strong>{said}</div>'


def _figures(items: pd.DataFrame, drifting: Collection[str], lang: Language) -> str:
    names = [str(name) for name in items["item"]]
    drawn = [
        bars(names, items[key].tolist(), limit=limit, drifting=drifting, title=_say(key, lang), alt=_say(key, lang))
        for key, limit in (("shift", 0.2), ("psi", 0.25))
    ]
    return f'<div class="pair">{"".join(drawn)}</div><p class="note">{escape(_say("dashed", lang))}</p>'


def _answers(distributions: pd.DataFrame, drifting: Collection[str], lang: Language) -> str:
    legend = (_say("reference", lang), _say("new", lang))
    return answer_panels(distributions, drifting=drifting, legend=legend, alt=_say("answers", lang))


def _fixed(fit: Mapping[str, float], lang: Language) -> str:
    p = format_p(fit["pvalue"])
    text = _say("fixed", lang).format(
        df=format_integer(fit["df"]),
        chisq=_two(fit["chisq"]),
        p=p if p[:1] in "<>" else f"= {p}",
        low=_three(fit["rmsea_ci_lower"]),
        high=_three(fit["rmsea_ci_upper"]),
        **{name: _three(fit[name]) for name in ("rmsea", "cfi", "srmr")},
    )
    return f"<p>{escape(text)}</p>"


def _steps(steps: pd.DataFrame, lang: Language) -> str:
    marked = steps["decision"] != "holds"
    if lang == "zh":
        steps = steps.assign(decision=steps["decision"].map(DECISIONS), step=steps["step"].map(STEPS))
    return _table(steps, STEP_COLUMNS, marked=marked, lang=lang)


def _table(frame: pd.DataFrame, columns: Columns, *, marked: Sequence[bool] | pd.Series, lang: Language) -> str:
    """Return a table with a header row; numbers stand right, marked rows are those to look at."""
    kinds = [' class="n"' if form is not str else "" for _, _, form in columns]
    head = "".join(
        f'<th scope="col"{kind}>{name[lang == "zh"]}</th>' for (_, name, _), kind in zip(columns, kinds, strict=True)
    )
    rows = []
    for row, mark in zip(frame.to_dict("records"), marked, strict=True):
        cells = "".join(
            f"<td{kind}>{escape(form(row[key]))}</td>" for (key, _, form), kind in zip(columns, kinds, strict=True)
        )
        rows.append(f'<tr class="breach">{cells}</tr>' if mark else f"<tr>{cells}</tr>")
    body = "\n".join(rows)
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
