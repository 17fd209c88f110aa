"""What the tables and figures of the model project print, in English and in Chinese."""

from __future__ import annotations

from psm_analysis._options import Language
from psm_analysis.instruments.model import Instrument

NAMES: dict[str, tuple[str, str]] = {
    "psm": ("Public service motivation", "公共服务动机"),
    "ei": ("Emotional intelligence", "情绪智力"),
    "burnout": ("Burnout", "职业倦怠"),
    "turnover": ("Turnover intention", "离职意向"),
    "burden": ("Administrative burden", "行政负担"),
    "support": ("Organisational support", "组织支持与容错"),
    "training": ("Access to training", "培训与交流机会"),
    "age": ("Age (years)", "年龄（岁）"),
    "grade": ("Grade (1–4)", "职级（1–4）"),
    "female": ("Female", "女性"),
    "off_establishment": ("Off the establishment", "编外"),
}
SYNTHETIC = (
    "Synthetic data: every respondent and every answer is invented.",
    "合成数据：所有受访者及其作答均为虚构。",
)
TITLE_SYNTHETIC = (" (Synthetic Data)", "（合成数据）")


def pick(pair: tuple[str, str], lang: Language) -> str:
    """Return the English or the Chinese text of a pair.

    Examples
    --------
    >>> pick(("yes", "是"), "zh")
    '是'
    """
    return pair[lang == "zh"]


def titled(pair: tuple[str, str], lang: Language) -> str:
    """Return a title that says that the data are synthetic.

    Examples
    --------
    >>> titled(("Fit", "拟合"), "en")
    'Fit (Synthetic Data)'
    """
    return pick(pair, lang) + pick(TITLE_SYNTHETIC, lang)


def noted(lang: Language, *pairs: tuple[str, str]) -> str:
    """Return a note that begins by saying that the data are synthetic."""
    return ("" if lang == "zh" else " ").join(pick(pair, lang) for pair in (SYNTHETIC, *pairs))


def names(lang: Language, *instruments: Instrument) -> dict[str, str]:
    """Return the printed names of constructs and controls, and of the subscales and items of some instruments."""
    found = {part.id: part.name.get(lang) for known in instruments for part in known.subscales}
    found |= {item.id: item.label.get(lang) for known in instruments for item in known.items}
    return found | {name: pick(pair, lang) for name, pair in NAMES.items()}
