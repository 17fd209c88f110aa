"""Characteristic and information curves of a graded response model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis.report.frames import check_names, require_frame
from psm_analysis.report.plot_likert import likert_colours
from psm_analysis.report.style import BLUE, GREY, INK, LIGHT, figure_style, finish, new_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

WORDS = {
    "trait": {"en": "Trait", "zh": "潜在特质"},
    "probability": {"en": "Probability", "zh": "概率"},
    "information": {"en": "Information", "zh": "信息量"},
    "std_error": {"en": "Standard error", "zh": "标准误"},
    "test": {"en": "whole scale", "zh": "全量表"},
    "item": {"en": "single items", "zh": "单个题目"},
}
PER_ROW = 4


def item_curves_plot(
    curves: pd.DataFrame, *, item_labels: Mapping[str, str] | None = None, title: str = "", lang: Language = "en"
) -> Figure:
    """Draw the probability of every answer against the trait, one panel per item.

    A category that is nowhere the most likely answer could be merged with a neighbour; flat curves belong to items
    that discriminate little.

    Parameters
    ----------
    curves
        ``graded_response(...).category_curves()``: item, category, theta, probability.
    item_labels
        Names of items to print.
    title
        Above the figure.
    lang
        "en" or "zh".

    Returns
    -------
    matplotlib.figure.Figure
        One panel per item.

    Raises
    ------
    DataError
        If a column is missing.
    OptionError
        If `item_labels` names an item that is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"item": "psm1", "category": [1, 2] * 2, "theta": [0.0, 0.0, 1.0, 1.0],
    ...     "probability": [0.5, 0.5, 0.2, 0.8]})
    >>> len(item_curves_plot(frame).axes)
    1
    """
    check_option(lang, Language, name="lang")
    frame = require_frame(curves, ["item", "category", "theta", "probability"], what="the curves")
    items = list(dict.fromkeys(frame["item"]))
    check_names(list(item_labels or {}), items, what="item_labels")
    shown = {item: str((item_labels or {}).get(item, item)) for item in items}
    answers = sorted(frame["category"].unique())
    colours = dict(zip(answers, likert_colours(len(answers)), strict=True))
    across = min(len(items), PER_ROW)
    down = -(-len(items) // across)
    with figure_style([title, *shown.values(), WORDS["trait"][lang], WORDS["probability"][lang]]):
        figure = new_figure(max(0.8 + 1.9 * across, 3.8), 1.1 + 1.6 * down)
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, item in zip(panels, items, strict=False):
            _draw_item(axes, frame[frame["item"] == item], colours=colours)
            axes.set_title(shown[item])
        for axes in panels[len(items) :]:
            axes.remove()
        figure.supxlabel(WORDS["trait"][lang], fontsize=9)
        figure.supylabel(WORDS["probability"][lang], fontsize=9)
        handles = [panels[0].plot([], [], color=colours[a], linewidth=2.5, label=f"{a:g}")[0] for a in answers]
        if title:
            figure.suptitle(title, fontsize=10)
        figure.tight_layout(rect=(0, 0, 1, 0.98 - 0.22 / figure.get_figheight()))
        top = 1.0 - (0.28 if title else 0.04) / figure.get_figheight()
        figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, top), ncols=len(answers), borderpad=0)
        return finish(figure)


def information_plot(information: pd.DataFrame, *, title: str = "", lang: Language = "en") -> Figure:
    """Draw the information of the items and of the scale against the trait, and the standard error below.

    Where the information is high the scale tells people apart; a self-report of public service motivation often tells
    little about people far above the mean, for want of harder items.

    Parameters
    ----------
    information
        ``graded_response(...).information_curves()``: theta, a column per item, test, std_error.
    title
        Above the figure.
    lang
        "en" or "zh".

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: information, and standard error.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"theta": [-1.0, 1.0], "psm1": [0.4, 0.6], "test": [0.4, 0.6], "std_error": [1.6, 1.3]})
    >>> len(information_plot(frame).axes)
    2
    """
    check_option(lang, Language, name="lang")
    frame = require_frame(information, ["theta", "test", "std_error"], what="the information curves")
    items = [str(name) for name in frame.columns if name not in ("theta", "test", "std_error")]
    words = {name: texts[lang] for name, texts in WORDS.items()}
    with figure_style([title, *items, *words.values()]):
        figure = new_figure(5.2, 4.4)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
        theta = frame["theta"].to_numpy()
        for place, name in enumerate(items):
            upper.plot(theta, frame[name], color=GREY, linewidth=0.7, label=words["item"] if place == 0 else None)
        _name_peak(upper, frame, items=items)
        upper.plot(theta, frame["test"], color=BLUE, linewidth=1.8, label=words["test"])
        upper.set_ylabel(words["information"])
        upper.set_ylim(bottom=0.0)
        upper.legend(loc="upper right")
        lower.plot(theta, frame["std_error"], color=INK, linewidth=1.2)
        lower.set_ylim(0.0, min(2.0, 1.1 * float(frame["std_error"].max())))
        lower.set_ylabel(words["std_error"])
        lower.set_xlabel(words["trait"])
        upper.set_title(title)
        figure.align_ylabels()
        figure.tight_layout()
        return finish(figure)


def _draw_item(axes: Any, frame: pd.DataFrame, *, colours: Mapping[float, str]) -> None:
    for answer, own in frame.groupby("category"):
        axes.plot(own["theta"], own["probability"], color=colours[float(str(answer))], linewidth=1.4)
    axes.axhline(0.5, color=LIGHT, linewidth=0.6, zorder=0)
    axes.set_ylim(0.0, 1.0)
    axes.locator_params(axis="both", nbins=5, integer=False)


def _name_peak(axes: Any, frame: pd.DataFrame, *, items: list[str]) -> None:
    """Name the most informative item at its peak."""
    values = frame[items].to_numpy(dtype=float)
    at, item = np.unravel_index(values.argmax(), values.shape)
    place = (float(frame["theta"].iloc[at]), float(values[at, item]))
    style = {"ha": "center", "va": "bottom", "fontsize": 7.5, "color": INK}
    axes.annotate(items[item], place, xytext=(0, 2), textcoords="offset points", **style)
