"""The one style of every figure: restrained, safe for colour-blind readers, never set globally."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psm_analysis.errors import require
from psm_analysis.report.fonts import figure_families

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GREY, LIGHT = "#1A1A1A", "#6E6E6E", "#C9C9C9"
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
"""Okabe and Ito (2008), Color universal design."""


@contextmanager
def figure_style(texts: Iterable[str] = ()) -> Iterator[None]:
    """Draw with the style of the package inside this block; the settings of matplotlib are as before after it."""
    matplotlib = require("matplotlib", purpose="figures")
    settings = {
        "font.family": figure_families(texts),
        "font.size": 9.0,
        "axes.titlesize": 10.0,
        "axes.labelsize": 9.0,
        "axes.edgecolor": INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "xtick.labelsize": 8.0,
        "ytick.labelsize": 8.0,
        "legend.fontsize": 8.0,
        "legend.frameon": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.dpi": 100.0,
        "text.usetex": False,
        "path.simplify": True,
    }
    with matplotlib.rc_context(settings), _without_glyph_warnings():
        yield


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
            yield
    finally:
        logger.setLevel(level)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure in inches that no window and no notebook shows by itself."""
    pyplot = require("matplotlib.pyplot", purpose="figures")
    figure: Figure = pyplot.figure(figsize=(width, height))
    pyplot.close(figure)
    return figure


def finish(figure: Figure) -> Figure:
    """Lay the figure out while the style holds, so that nothing of it is left to later settings."""
    figure.draw_without_rendering()
    return figure
