"""Items of a scale at a glance: how they were answered, and how each goes with the others of its subscale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis.report.frames import require_frame
from psm_analysis.report.plot_likert import draw_shares
from psm_analysis.report.plot_loadings import name_blocks
from psm_analysis.report.style import BLUE, GREY, LIGHT, figure_style, finish, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 0.30
WORDS = {
    "rest": {"en": "Item-rest correlation", "zh": "题项与其余题项的相关"},
    "answers": {"en": "Answers (%)", "zh": "作答（%）"},
}


def item_plot(
    items: pd.DataFrame,
    frequencies: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    lang: Language = "en",
) -> Figure:
    """Draw the distribution of the answers to every item beside its correlation with the rest of its subscale.

    Items that run against their subscale, or that hardly go with it (below 0.30, the dashed line), stand out, and so
    do items that nearly everybody answers alike.

    Parameters
    ----------
    items
        ``item_analysis(...).items``: index item, columns subscale and item_rest_r.
    frequencies
        ``item_analysis(...).frequencies``: index item, a column per answer, shares of 1.
    labels
        Printed name of an item or a subscale.
    title
        Above the figure.
    lang
        "en" or "zh".

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.

    Raises
    ------
    DataError
        If a column or an item is missing.

    References
    ----------
    Nunnally, J. C., & Bernstein, I. H. (1994). Psychometric theory (3rd ed.). McGraw-Hill (the 0.30).

    Examples
    --------
    >>> items = pd.DataFrame({"subscale": ["psm", "psm"], "item_rest_r": [0.5, 0.5]}, index=["psm1", "psm2"])
    >>> shares = pd.DataFrame({1.0: [0.2, 0.3], 2.0: [0.8, 0.7]}, index=["psm1", "psm2"])
    >>> len(item_plot(items, shares).axes)
    2
    """
    check_option(lang, Language, name="lang")
    items = require_frame(items, ("subscale", "item_rest_r"), what="the frame of items")
    shares = 100.0 * require_frame(frequencies, what="the frame of frequencies").reindex(items.index)
    names = dict(labels or {})
    shown = [names.get(str(item), str(item)) for item in items.index]
    answers = [f"{answer:g}" for answer in shares.columns]
    subscales = [names.get(str(name), str(name)) for name in items["subscale"]]
    texts = {key: words[lang] for key, words in WORDS.items()}
    with figure_style([*shown, *subscales, *texts.values(), title]):
        figure = new_figure(8.0, 1.25 + 0.3 * len(shown))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.7, 1.0))
        draw_shares(left, shares, names=answers)
        left.set_yticks(range(len(shown)), shown)
        left.set_ylim(len(shown) - 0.4, -0.6)
        left.set_xlabel(texts["answers"])
        left.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(answers), handlelength=0.9, columnspacing=1.1)
        _draw_correlations(right, items["item_rest_r"].to_numpy(dtype=float))
        name_blocks(right, subscales, places=range(len(shown)))
        right.set_xlabel(texts["rest"])
        if title:
            figure.suptitle(title, x=0.01, ha="left")
        return finish(figure)


def _draw_correlations(axes: Any, values: np.ndarray) -> None:
    axes.plot(values, range(len(values)), "o", color=BLUE, ms=5, mec="white", mew=0.6)
    axes.axvline(LEAST, color=GREY, lw=0.9, ls="--")
    axes.axvline(0.0, color=GREY, lw=0.8)
    axes.set_xlim(min(0.0, float(np.nanmin(values)) - 0.05), 1.02)
    axes.grid(axis="x", color=LIGHT, lw=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
