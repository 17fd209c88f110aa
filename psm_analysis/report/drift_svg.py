"""Figures of the drift page as SVG text: they need no file, no font of their own and no network."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

import pandas as pd

from psm_analysis.report.numbers import format_decimal, is_missing
from psm_analysis.report.style import BLUE as PLAIN
from psm_analysis.report.style import GREY, INK, LIGHT, ORANGE, RED

PANEL, HEIGHT, GAP = 216, 110, 20


def answer_panels(distributions: pd.DataFrame, *, drifting: Collection[str], legend: tuple[str, str], alt: str) -> str:
    """Draw one panel per item: the share of each code in the reference (grey) and in the new wave (coloured).

    Examples
    --------
    >>> shares = pd.DataFrame({"item": ["a", "a"], "code": [1, 2], "reference": [0.5, 0.5], "new": [0.2, 0.8]})
    >>> answer_panels(shares, drifting=(), legend=("before", "now"), alt="answers").count("<rect")
    6
    """
    items = list(dict.fromkeys(distributions["item"]))
    across = min(4, max(len(items), 2))
    down = -(-len(items) // across)
    top = max(0.1, float(distributions[["reference", "new"]].max().max()))
    parts = [_legend(legend)]
    for place, item in enumerate(items):
        x, y = (place % across) * (PANEL + GAP), 34 + (place // across) * (HEIGHT + 42)
        own = distributions[distributions["item"] == item]
        parts.append(_panel(own, x=x, y=y, top=top, name=item, colour=RED if item in drifting else PLAIN))
    width, height = across * (PANEL + GAP) - GAP, 34 + down * (HEIGHT + 42)
    return _svg(parts, width=width, height=height, alt=alt)


def _legend(names: tuple[str, str]) -> str:
    before = f'<rect x="0" y="4" width="12" height="12" fill="{LIGHT}"/>{_text(18, 14, names[0])}'
    at = 34 + 8 * _width(names[0])
    return f'{before}<rect x="{at}" y="4" width="12" height="12" fill="{PLAIN}"/>{_text(at + 18, 14, names[1])}'


def _width(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


def _panel(own: pd.DataFrame, *, x: float, y: float, top: float, name: str, colour: str) -> str:
    slot = PANEL / len(own)
    wide = 0.38 * slot
    base = y + HEIGHT
    weight = ' font-weight="700"' if colour == RED else ""
    parts = [
        _text(x, y + 2, ("▲ " if colour == RED else "") + name, fill=colour if colour == RED else INK, more=weight)
    ]
    rows: list[dict[Any, Any]] = own.to_dict("records")
    for k, row in enumerate(rows):
        left = x + (k + 0.5) * slot
        for value, fill, at in ((row["reference"], LIGHT, left - wide), (row["new"], colour, left)):
            tall = 0.0 if is_missing(value) else (HEIGHT - 16) * float(value) / top
            title = f"<title>{escape(name)}, {row['code']}: {format_decimal(100 * value, 1)}%</title>"
            parts.append(
                f'<rect x="{at:.1f}" y="{base - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
                f'fill="{fill}">{title}</rect>'
            )
        parts.append(_text(left, base + 14, str(row["code"]), anchor="middle", fill=GREY))
    parts.append(f'<line x1="{x}" x2="{x + PANEL}" y1="{base}" y2="{base}" stroke="{INK}" stroke-width="0.8"/>')
    return "".join(parts)


def bars(
    names: Sequence[str], values: Sequence[float], *, limit: float, drifting: Collection[str], title: str, alt: str
) -> str:
    """Draw a horizontal bar per item from zero, dashed lines at the threshold (on both sides if values are signed).

    Examples
    --------
    >>> bars(["a"], [0.1], limit=0.25, drifting=(), title="PSI", alt="PSI of one item").count("stroke-dasharray")
    1
    """
    known = [0.0 if is_missing(value) else float(value) for value in values]
    signed = min(known, default=0.0) < -1e-9
    reach = (1.5 if signed else 1.15) * max([limit, *map(abs, known)])
    label, plot, row = 14 + 7.5 * max(map(_width, names), default=1), 250.0, 18
    zero = label + plot / 2 if signed else label
    unit = plot / 2 / reach if signed else plot / reach
    bottom = 30 + row * len(names)
    parts = [_text(0, 12, title, more=' font-weight="600"')]
    for place, (name, value, given) in enumerate(zip(names, known, values, strict=True)):
        y = 24 + row * place
        colour = RED if name in drifting else PLAIN
        mark = _text(label - 8, y + 11, name, anchor="end", fill=RED if name in drifting else INK)
        start = min(zero, zero + unit * value)
        parts.append(
            f'{mark}<rect x="{start:.1f}" y="{y}" width="{abs(unit * value):.1f}" height="12" fill="{colour}"/>'
        )
        at, anchor = (zero + unit * value + 4, "start") if value >= 0 else (zero + unit * value - 4, "end")
        shown = "–" if is_missing(given) else format_decimal(value, 2)
        parts.append(_text(at, y + 10, shown, anchor=anchor, fill=GREY, size=10))
    parts.append(_line(zero, bottom, colour=INK))
    for edge in (limit, -limit) if signed else (limit,):
        parts.append(
            _line(zero + unit * edge, bottom, colour=ORANGE, more=' stroke-dasharray="4 3" stroke-width="1.5"')
        )
        parts.append(
            _text(zero + unit * edge, bottom + 13, format_decimal(edge, 2), anchor="middle", fill=GREY, size=10)
        )
    return _svg(parts, width=label + plot + 46, height=bottom + 18, alt=alt)


def _line(x: float, bottom: float, *, colour: str, more: str = "") -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{bottom}" stroke="{colour}"{more}/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = INK, size: int = 12, more: str = ""
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{fill}" font-size="{size}"{more}>{escape(text)}</text>'


def _svg(parts: Sequence[str], *, width: float, height: float, alt: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(alt, quote=True)}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="max-width:{width:.0f}px" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
