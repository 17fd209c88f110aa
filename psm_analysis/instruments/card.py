"""An instrument as a person reads it: a short card in English or Chinese."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from psm_analysis._options import Language

if TYPE_CHECKING:
    from psm_analysis.instruments.model import Instrument, ResponseScale

Rows = list[tuple[str, str]]

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "items": "Items", "scale": "Response scale", "reversed": "Reversed items", "none": "none", "scoring": "Scoring",
        "mean": "mean", "sum": "sum", "total": "and a total", "missing": "at least {0} answered",
        "unknown": "items not known", "no_key": "key not known, cannot be scored",
        "citation": "Cite", "licence": "Licence", "permission": "Permission", "key": "Key read in", "note": "Note",
        "unverified": "not verified in a source", "colon": ": ", "comma": ", ",
    },
    "zh": {
        "items": "题目", "scale": "作答选项", "reversed": "反向题", "none": "无", "scoring": "计分",
        "mean": "均值", "sum": "总和", "total": "另计总分", "missing": "至少作答{0}", "unknown": "题目未知",
        "no_key": "计分键未知，不能计分",
        "citation": "引用", "licence": "版权", "permission": "使用许可", "key": "计分键来源", "note": "说明",
        "unverified": "未经来源核实", "colon": "：", "comma": "，",
    },
}  # fmt: skip


def card_text(instrument: Instrument, *, lang: Language) -> str:
    """Return the card as text, one line per fact."""
    title, rows = _card(instrument, lang=lang)
    return "\n".join([title, *(f"  {label}{_WORDS[lang]['colon']}{value}" for label, value in rows)])


def card_html(instrument: Instrument, *, lang: Language) -> str:
    """Return the card as an HTML table."""
    title, rows = _card(instrument, lang=lang)
    style = "text-align:left;vertical-align:top"
    body = "".join(
        f'<tr><th style="{style};white-space:nowrap">{escape(label)}</th><td style="{style}">{escape(value)}</td></tr>'
        for label, value in rows
    )
    return f"<h4>{escape(title)}</h4><table>{body}</table>"


def _card(instrument: Instrument, *, lang: Language) -> tuple[str, Rows]:
    words = _WORDS[lang]
    flag = f" [{words['unverified']}]"
    key = "" if instrument.verified else flag
    rows = [(part.name.get(lang), _item_list(part.items) or words["unknown"]) for part in instrument.subscales]
    rows.insert(0, (words["items"], f"{len(instrument.items)}{key}"))
    rows += [
        (words["scale"], _scale(scale, lang=lang) + _flag(scale.verified, flag)) for scale in instrument.response_scales
    ]
    if instrument.structure_only:
        rows.append((words["scoring"], words["no_key"]))
    else:
        rows.append((words["reversed"], (words["comma"].join(instrument.reverse_items) or words["none"]) + key))
        rows.append((words["scoring"], _scoring(instrument, words=words, flag=flag)))
    doi = f" https://doi.org/{instrument.doi}" + _flag(instrument.source.doi_verified, flag) if instrument.doi else ""
    rows += [
        (words["citation"], instrument.citation + doi),
        (words["licence"], instrument.licence),
        (words["permission"], instrument.permission),
        (words["key"], instrument.key_source),
    ]
    rows += [(words["note"], note.text + _flag(note.verified, flag)) for note in instrument.notes]
    return f"{instrument.name.get(lang)} ({instrument.id}, {instrument.version})", rows


def _flag(verified: bool, flag: str) -> str:
    return "" if verified else flag


def _item_list(items: tuple[str, ...]) -> str:
    return " ".join(items)


def _scale(scale: ResponseScale, *, lang: Language) -> str:
    return " | ".join(
        f"{code}" if label == str(code) else f"{code} {label}" for code, label in scale.code_labels(lang).items()
    )


def _scoring(instrument: Instrument, *, words: dict[str, str], flag: str) -> str:
    rule = instrument.missing_rule
    amount = f"{rule.minimum:.0%}" if rule.kind == "proportion" else f"{rule.minimum:g}"
    scored = words[instrument.scoring] + _flag(instrument.scoring_verified, flag)
    total = [words["total"]] if instrument.total and len(instrument.subscales) > 1 else []
    return words["comma"].join([scored, *total, words["missing"].format(amount) + _flag(rule.verified, flag)])
