"""Sizes of the texts of a path diagram, measured with the fonts they are drawn with."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from psm_analysis.errors import require
from psm_analysis.report.fonts import CJK
from psm_analysis.report.render_text import display_width

Measure = Callable[[str, float], tuple[float, float]]
LINE = 1.3


def text_meter() -> Measure:
    """Return a function (text, points) -> (width, height) in inches, in the font family set at this moment."""
    agg = require("matplotlib.backends.backend_agg", purpose="figures")
    fonts = require("matplotlib.font_manager")
    renderer: Any = agg.RendererAgg(10, 10, 72)

    def measure(text: str, size: float) -> tuple[float, float]:
        prop = fonts.FontProperties(size=size)
        lines = text.split("\n")
        widths = [renderer.get_text_width_height_descent(line, prop, ismath=False)[0] for line in lines]
        return max(widths) / 72, len(lines) * size * LINE / 72

    return measure


def wrap_label(text: str, width: int) -> str:
    """Break a label into lines of about equal length, none longer than `width` cells where words allow it.

    Examples
    --------
    >>> wrap_label("Attraction to policy making", 16)
    'Attraction to\\npolicy making'
    >>> wrap_label("参与公共政策制定的动机", 12)
    '参与公共政策\\n制定的动机'
    """
    if "\n" in text or display_width(text) <= width:
        return text
    lines = -(-display_width(text) // width)
    tries = (_broken(text, target) for target in range(-(-display_width(text) // lines), width + 1))
    return next((wrapped for wrapped in tries if wrapped.count("\n") < lines), _broken(text, width))


def _broken(text: str, width: int) -> str:
    wrapped, line = [], ""
    for piece in re.findall(CJK.pattern + r"|[^\s\u2e80-\uffef]+\s*|\s+", text):
        if line and display_width(line + piece.rstrip()) > width:
            wrapped.append(line.strip())
            line = piece
        else:
            line += piece
    return "\n".join([*wrapped, line.strip()])
