"""Distribution of the answers: bars that diverge from the middle of the response scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._options import Language
from psm_analysis.errors import DataError, OptionError, require
from psm_analysis.report.frames import check_names, require_frame
from psm_analysis.report.numbers import format_decimal
from psm_analysis.report.style import INK, figure_style, finish, new_figure
from psm_analysis.report.words import word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEUTRAL = "#DDDDDD"


def likert_plot(
    frame: pd.DataFrame,
    *,
    codes: Sequence[int],
    labels: Sequence[str] | None = None,
    item_labels: Mapping[str, str] | None = None,
    title: str = "",
    lang: Language = "en",
) -> Figure:
    """Draw the distribution of the answers to Likert items as diverging stacked bars.

    Parameters
    ----------
    frame
        Items in columns, answers as codes; missing answers are left out of the percentages, item by item.
    codes
        The codes of the response scale from low to high; a middle code of an odd number is drawn on both sides of zero.
    labels
        What the codes mean, in the same order.
    item_labels
        Printed name of an item.

    Raises
    ------
    DataError
        If an answer is not among the codes, or an item has no answer.
    OptionError
        If `labels` has another length than `codes`.

    References
    ----------
    Heiberger, R. M., & Robbins, N. B. (2014). Design of diverging stacked bar charts for Likert scales and other
    applications. Journal of Statistical Software, 57(5).

    Examples
    --------
    >>> answers = pd.DataFrame({"psm1": [1, 2, 3, 3], "psm2": [3, 3, 2, None]})
    >>> len(likert_plot(answers, codes=[1, 2, 3]).axes)
    1
    """
    shares = answer_shares(frame, codes)
    names = [str(code) for code in codes] if labels is None else [str(label) for label in labels]
    if len(names) != len(codes):
        raise OptionError(
            f"There are {len(codes)} codes and {len(names)} labels.",
            where="argument 'labels'",
            remedy="Give one label for every code, in the same order.",
        )
    check_names(list(item_labels or {}), list(shares.index), what="item_labels")
    items = [(item_labels or {}).get(item, item) for item in shares.index]
    with figure_style([*names, *items, title, word("figure_percent", lang)]):
        figure = new_figure(7.2, 1.25 + 0.3 * len(items))
        axes = figure.add_subplot()
        draw_shares(axes, shares, names=names)
        axes.set_yticks(range(len(items)), items)
        axes.invert_yaxis()
        axes.set_xlabel(word("figure_percent", lang))
        if title:
            axes.set_title(title, loc="left", pad=26)
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=len(names),
            handlelength=0.9,
            columnspacing=1.1,
            borderaxespad=0.2,
        )
        return finish(figure)


def answer_shares(frame: pd.DataFrame, codes: Sequence[int]) -> pd.DataFrame:
    """Return the percentage of every code among the answers to every item: items by codes."""
    frame = require_frame(frame, what="the answers").rename(columns=str)
    if len(set(codes)) != len(codes) or len(codes) < 2:
        raise OptionError("codes must be at least two different numbers.", where="argument 'codes'")
    rows = {}
    for item in frame.columns:
        answers = frame[item].dropna()
        strange = sorted({str(value) for value in answers[~answers.isin(list(codes))]})
        if strange or answers.empty:
            outside = f"Answers are not on the response scale: {', '.join(strange[:5])}."
            raise DataError(
                outside if strange else "No answer is left.",
                where=f"column {item!r}",
                remedy="Give the codes of the scale in codes=, and mark missing answers as missing.",
            )
        rows[item] = [100.0 * float((answers == code).mean()) for code in codes]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(codes))


def likert_colours(n: int) -> list[str]:
    """Return `n` colours from brown over grey to blue-green, safe for colour-blind readers."""
    seaborn, colors = require("seaborn", purpose="figures"), require("matplotlib.colors")
    side = n // 2
    palette = seaborn.color_palette("BrBG", 2 * side + 5)
    chosen: list[Any] = [*palette[1 : side + 1], *([NEUTRAL] if n % 2 else []), *palette[-side - 1 : -1]]
    return [colors.to_hex(colour) for colour in chosen]


def draw_shares(axes: Any, shares: pd.DataFrame, *, names: Sequence[str]) -> None:
    """Draw percentages of answers (items by answers) as bars that diverge from the middle answer."""
    values = shares.to_numpy()
    n = values.shape[1]
    middle = values[:, n // 2] / 2 if n % 2 else np.zeros(len(values))
    start = -(values[:, : n // 2].sum(axis=1) + middle)
    rows = np.arange(len(values))
    left = start.copy()
    for place, colour in enumerate(likert_colours(n)):
        style = {"height": 0.74, "color": colour, "edgecolor": "white", "lw": 0.5}
        axes.barh(rows, values[:, place], left=left, label=names[place], **style)
        _write_percentages(axes, values[:, place], left=left, dark=place in (0, n - 1) and n > 3)
        left += values[:, place]
    axes.axvline(0, color=INK, lw=0.7, zorder=0)
    limit = 10 * np.ceil(max(-start.min(), left.max()) / 10)
    low, high = -10 * np.ceil(-start.min() / 10), 10 * np.ceil(left.max() / 10)
    axes.set_xlim(low, high)
    step = 20 if limit > 40 else 10
    ticks = [tick for tick in range(-100, 101, step) if low <= tick <= high]
    axes.set_xticks(ticks, [str(abs(tick)) for tick in ticks])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _write_percentages(axes: Any, widths: np.ndarray, *, left: np.ndarray, dark: bool) -> None:
    for row, (width, begin) in enumerate(zip(widths, left, strict=True)):
        if width >= 6:
            text = format_decimal(width, 0)
            axes.text(
                begin + width / 2, row, text, ha="center", va="center", fontsize=7, color="white" if dark else INK
            )
