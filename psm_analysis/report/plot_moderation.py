"""Figures of an interaction: the slope over the moderator, and lines at values of the moderator."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis.errors import OptionError
from psm_analysis.report.frames import require_frame
from psm_analysis.report.numbers import format_decimal
from psm_analysis.report.style import BLUE, GREEN, GREY, INK, LIGHT, ORANGE, RED, figure_style, finish, new_figure
from psm_analysis.report.words import word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PATH = ("predictor", "moderator", "outcome", "moderator_value")
STROKES = ((BLUE, "-"), (GREY, "--"), (RED, "-."), (GREEN, ":"), (ORANGE, "-"), (INK, "--"))


def johnson_neyman_plot(
    curve: pd.DataFrame,
    *,
    bounds: Sequence[float] = (),
    labels: Mapping[str, str] | None = None,
    title: str = "",
    lang: Language = "en",
) -> Figure:
    """Draw the slope of a predictor over its moderator, with its band and the region of significance shaded.

    Parameters
    ----------
    curve
        ``simple_slopes(...).curve()``: predictor, moderator, outcome, moderator_value, estimate, ci_low, ci_high,
        significant.
    bounds
        Exact bounds of the region, ``(slopes.region.low, slopes.region.high)``; without them they are read off the
        curve, exact to the distance of its points. Those outside of the curve are not drawn.
    labels
        Printed name of a variable.
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
    >>> frame = pd.DataFrame({"predictor": "x", "moderator": "w", "outcome": "y", "moderator_value": [0.0, 1.0],
    ...     "estimate": [0.0, 0.5], "ci_low": [-0.1, 0.3], "ci_high": [0.1, 0.7], "significant": [False, True]})
    >>> len(johnson_neyman_plot(frame).axes)
    1
    """
    check_option(lang, Language, name="lang")
    needed = (*PATH, "estimate", "ci_low", "ci_high", "significant")
    frame = require_frame(curve, needed, what="the curve").sort_values("moderator_value")
    names = _names(frame, labels or {})
    slope = _lines(word("figure_slope", lang).format(**names), lang)
    said = {True: word("figure_significant", lang), False: word("figure_open", lang)}
    with figure_style([title, slope, *names.values(), *said.values()]):
        figure = new_figure(5.2, 3.6)
        axes = figure.add_subplot()
        x = frame["moderator_value"].to_numpy(dtype=float)
        edges = _edges(frame, bounds)
        axes.axhline(0.0, color=INK, linewidth=0.8, zorder=1)
        for left, right in zip([x[0], *edges], [*edges, x[-1]], strict=True):
            middle = 0.5 * (left + right)
            _stretch(axes, frame, (left, right), bool(frame["significant"].iloc[np.abs(x - middle).argmin()]), said)
        _name_edges(axes, edges)
        axes.set(xlabel=names["moderator"], ylabel=slope, xlim=(x[0], x[-1]))
        axes.set_title(title, loc="left", pad=18 if title else 6)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, borderaxespad=0.0)
        figure.tight_layout()
        return finish(figure)


def _edges(frame: pd.DataFrame, bounds: Sequence[float]) -> list[float]:
    """Return where the region begins or ends inside the curve: the bounds given, or halfway between two points."""
    x = frame["moderator_value"].to_numpy(dtype=float)
    if len(bounds):
        return sorted(float(bound) for bound in bounds if x[0] < bound < x[-1])
    holds = frame["significant"].to_numpy(dtype=bool)
    return [float(0.5 * (x[i] + x[i + 1])) for i in np.flatnonzero(holds[:-1] != holds[1:])]


def _stretch(
    axes: Axes, frame: pd.DataFrame, ends: tuple[float, float], significant: bool, said: Mapping[bool, str]
) -> None:
    """Draw the slope and its band between two ends."""
    x = frame["moderator_value"].to_numpy(dtype=float)
    here = np.unique([*ends, *x[(x > ends[0]) & (x < ends[1])]])
    low, high, middle = (np.interp(here, x, frame[name].to_numpy(float)) for name in ("ci_low", "ci_high", "estimate"))
    colour = BLUE if significant else GREY
    known = axes.get_legend_handles_labels()[1]
    label = None if said[significant] in known else said[significant]
    axes.fill_between(here, low, high, color=colour, alpha=0.28, linewidth=0, label=label, zorder=2)
    axes.plot(here, middle, color=colour, linewidth=1.6, zorder=3)
    if significant:
        axes.axvspan(*ends, color=BLUE, alpha=0.06, linewidth=0, zorder=0)


def _name_edges(axes: Axes, edges: Sequence[float]) -> None:
    """Mark the bounds of the region and print them above the panel."""
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "xytext": (0, 3)}
    sides = ("right", "left") if len(edges) == 2 else ("center",) * len(edges)
    for edge, side in zip(edges, sides, strict=True):
        axes.axvline(edge, color=BLUE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=2)
        axes.annotate(format_decimal(edge), (edge, 1.0), ha=side, va="bottom", fontsize=8, color=BLUE, **place)


def simple_slopes_plot(
    lines: pd.DataFrame,
    *,
    names: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    title: str = "",
    lang: Language = "en",
) -> Figure:
    """Draw the outcome over the predictor, one line per value of the moderator.

    Parameters
    ----------
    lines
        ``simple_slopes(...).lines()``: predictor, moderator, outcome, moderator_value, predictor_value, predicted.
    names
        What the values of the moderator are called, from the lowest to the highest; by default their numbers.
    labels
        Printed name of a variable.
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
    OptionError
        If there are not as many names as values.

    Examples
    --------
    >>> frame = pd.DataFrame({"predictor": "x", "moderator": "w", "outcome": "y", "moderator_value": [0.0, 0.0],
    ...     "predictor_value": [-2.0, 2.0], "predicted": [-1.0, 1.0]})
    >>> [text.get_text() for text in simple_slopes_plot(frame, names=["low"]).axes[0].get_legend().get_texts()]
    ['low']
    """
    check_option(lang, Language, name="lang")
    frame = require_frame(lines, (*PATH, "predictor_value", "predicted"), what="the lines")
    values = sorted(frame["moderator_value"].unique())
    if len(names) not in (0, len(values)):
        raise OptionError(
            f"{len(names)} names were given for {len(values)} values of the moderator.",
            where="argument 'names'",
            remedy=f"Give one for each of {', '.join(format_decimal(value) for value in values)}.",
        )
    called = list(names) or [format_decimal(value) for value in values]
    variables = _names(frame, labels or {})
    predicted = _lines(word("figure_predicted", lang).format(**variables), lang)
    with figure_style([title, predicted, *called, *variables.values()]):
        figure = new_figure(5.4, 3.4)
        axes = figure.add_subplot()
        axes.axhline(0.0, color=LIGHT, linewidth=0.8, zorder=0)
        for place, (value, name) in reversed(list(enumerate(zip(values, called, strict=True)))):
            colour, style = STROKES[place % len(STROKES)]
            part = frame[frame["moderator_value"] == value].sort_values("predictor_value")
            x, y = part["predictor_value"].to_numpy(dtype=float), part["predicted"].to_numpy(dtype=float)
            axes.plot(x, y, color=colour, linestyle=style, linewidth=1.6, label=name)
        axes.set(xlabel=variables["predictor"], ylabel=predicted)
        axes.set_title(title, loc="left")
        legend = axes.legend(title=variables["moderator"], loc="center left", bbox_to_anchor=(1.0, 0.5))
        legend.get_title().set_fontsize(8.5)
        figure.tight_layout()
        return finish(figure)


def _names(frame: pd.DataFrame, labels: Mapping[str, str]) -> dict[str, str]:
    """Return what the three variables are called in print."""
    shown = {part: str(frame[part].iloc[0]) for part in ("predictor", "moderator", "outcome")}
    return {part: labels.get(name, name) for part, name in shown.items()}


def _lines(label: str, lang: Language) -> str:
    """Return a label of the upright axis in lines that are not longer than the axis."""
    return textwrap.fill(label, 18 if lang == "zh" else 36)
