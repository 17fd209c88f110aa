"""The power curve: power by number of respondents, with its simulation error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis.report.frames import require_frame
from psm_analysis.report.style import BLUE, GREEN, GREY, LIGHT, ORANGE, RED, figure_style, finish, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {"nobs": {"en": "Respondents", "zh": "样本量"}, "power": {"en": "Power", "zh": "检验力"}}
COLOURS = (BLUE, RED, GREEN, ORANGE, GREY)
MARKERS = ("o", "s", "^", "D", "v")


def power_plot(
    curve: pd.DataFrame,
    *,
    target: float | None = 0.80,
    nobs: int | None = None,
    title: str = "",
    lang: Language = "en",
) -> Figure:
    """Draw power against the number of respondents; bars are 95 percent limits of the simulation error.

    Parameters
    ----------
    curve
        ``power_curve(...)`` or ``find_sample_size(...).tidy()``: columns nobs, power, ci_low, ci_high; a line per value
        of ``parameter``, and the fitted curve where there is a column ``fitted``.
    target
        Power of the horizontal line; None for no line.
    nobs
        Number of respondents of the vertical line, such as ``find_sample_size(...).nobs``.
    title
        Above the figure.
    lang
        "en" or "zh".

    Returns
    -------
    matplotlib.figure.Figure
        One panel.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"nobs": [100, 200], "power": [0.6, 0.9], "ci_low": [0.5, 0.8], "ci_high": [0.7, 0.95]})
    >>> len(power_plot(frame, nobs=160).axes)
    1
    """
    check_option(lang, Language, name="lang")
    frame = require_frame(curve, ["nobs", "power", "ci_low", "ci_high"], what="the power curve")
    names = list(dict.fromkeys(frame["parameter"])) if "parameter" in frame else [""]
    with figure_style([title, *map(str, names), *(words[lang] for words in WORDS.values())]):
        figure = new_figure(5.0, 3.2)
        axes = figure.add_subplot()
        if target is not None:
            axes.axhline(target, color=LIGHT, linewidth=0.8, zorder=0)
        if nobs is not None:
            axes.axvline(nobs, color=LIGHT, linewidth=0.8, zorder=0)
            axes.annotate(f"N = {nobs}", (nobs, 0.02), xytext=(4, 0), textcoords="offset points", color=GREY)
        for place, name in enumerate(names):
            part = frame if "parameter" not in frame else frame[frame["parameter"] == name]
            _draw(axes, part.sort_values("nobs"), place, label=str(name))
        axes.set(xlabel=WORDS["nobs"][lang], ylabel=WORDS["power"][lang], ylim=(0.0, 1.03))
        axes.set_title(title, loc="left")
        if names != [""]:
            axes.legend(loc="lower right")
        figure.tight_layout()
        return finish(figure)


def _draw(axes: Axes, part: pd.DataFrame, place: int, *, label: str) -> None:
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    nobs, power = part["nobs"].to_numpy(dtype=float), part["power"].to_numpy(dtype=float)
    reach = [power - part["ci_low"].to_numpy(dtype=float), part["ci_high"].to_numpy(dtype=float) - power]
    joined = "fitted" not in part
    axes.errorbar(
        nobs, power, yerr=reach, fmt=marker, color=colour, markersize=4, capsize=2, linewidth=0.8, label=label or None
    )
    line = power if joined else part["fitted"].to_numpy(dtype=float)
    axes.plot(nobs, line, color=colour, linewidth=1.0)
