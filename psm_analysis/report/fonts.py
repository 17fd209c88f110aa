"""Fonts of figures: what is installed, and a fallback for Chinese text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache

from psm_analysis.errors import PsmAnalysisWarning, require

LATIN_FAMILIES = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")
CJK_FAMILIES = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Noto Sans CJK JP", "Noto Sans SC",
    "Heiti SC", "STHeiti",
    "Noto Serif CJK SC", "Noto Serif CJK JP", "Source Han Serif SC", "SimSun", "NSimSun", "KaiTi", "FangSong", "STSong",
    "Songti SC", "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip
CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_warned: set[str] = set()


def has_cjk(texts: Iterable[str]) -> bool:
    """Say whether any of the texts holds a Chinese, Japanese or full-width character.

    Examples
    --------
    >>> has_cjk(["psm", "公共"]), has_cjk(["psm – β"])
    (True, False)
    """
    return any(CJK.search(str(text)) for text in texts)


@lru_cache(maxsize=1)
def installed_families() -> frozenset[str]:
    """Return the font families that matplotlib finds on this computer."""
    manager = require("matplotlib.font_manager", purpose="figures")
    return frozenset(entry.name for entry in manager.fontManager.ttflist)


def cjk_family() -> str | None:
    """Return the first known family with Chinese characters that is installed."""
    installed = installed_families()
    return next((family for family in CJK_FAMILIES if family in installed), None)


def figure_families(texts: Iterable[str]) -> list[str]:
    """Return the families to draw these texts with: Latin first, a Chinese one as fallback where it is needed.

    Warns
    -----
    PsmAnalysisWarning
        Once in a session, if a text is Chinese and no Chinese font is installed.
    """
    installed = installed_families()
    families = [family for family in LATIN_FAMILIES if family in installed] or ["sans-serif"]
    if not has_cjk(texts):
        return families
    chinese = cjk_family()
    if chinese is not None:
        return [*families, chinese]
    if "cjk" not in _warned:
        _warned.add("cjk")
        warnings.warn(
            "No Chinese font is installed, so Chinese text in figures will be drawn as boxes. "
            "Install one, such as Noto Sans CJK, and start again.",
            PsmAnalysisWarning,
            stacklevel=2,
        )
    return families
