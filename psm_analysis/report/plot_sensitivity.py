"""The figure of an indirect effect under unmeasured confounding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._options import Language, check_option
from psm_analysis.report.frames import Tidied, require_frame
from psm_analysis.report.numbers import format_decimal
from psm_analysis.report.style import BLUE, INK, LIGHT, RED, figure_style, finish, new_figure
from psm_analysis.report.words import word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def sensitivity_plot(
    tidy: pd.DataFrame | Tidied, *, rho_zero: float | None = None, title: str = "", lang: Language = "en"
) -> Figure:
    """Draw an indirect effect over the residual correlation of mediator and outcome, with its band.

    The point at ``rho = 0`` is the model without a confounder; the other is where the effect is 0.

    Parameters
    ----------
    tidy
        ``mediation_sensitivity(...).tidy()``: effect, rho, estimate, ci_low, ci_high.
    rho_zero
        Where the effect is 0, ``sensitivity.rho_zero``; without it, read off the curve.
    title
        Above the figure; by default the path.
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
    >>> frame = pd.DataFrame({"effect": "x -> m -> y", "rho": [-0.5, 0.0, 0.5], "estimate": [0.5, 0.2, -0.1],
    ...     "ci_low": [0.4, 0.1, -0.2], "ci_high": [0.6, 0.3, 0.0]})
    >>> sensitivity_plot(frame).axes[0].get_title(loc="left")
    'x → m → y'
    """
    check_option(lang, Language, name="lang")
    needed = ("effect", "rho", "estimate", "ci_low", "ci_high")
    frame = require_frame(tidy, needed, what="the tidy frame").sort_values("rho")
    heading = title or str(frame["effect"].iloc[0]).replace("->", "→")
    words = {name: word(f"figure_{name}", lang) for name in ("effect", "rho", "no_confounder")}
    with figure_style([heading, *words.values()]):
        figure = new_figure(5.2, 3.4)
        axes = figure.add_subplot()
        rho, estimate = (frame[name].to_numpy(dtype=float) for name in ("rho", "estimate"))
        axes.axhline(0.0, color=INK, linewidth=0.8, zorder=1)
        low, high = frame["ci_low"].to_numpy(dtype=float), frame["ci_high"].to_numpy(dtype=float)
        axes.fill_between(rho, low, high, color=BLUE, alpha=0.22, linewidth=0, zorder=1)
        axes.plot(rho, estimate, color=BLUE, linewidth=1.6, zorder=3)
        if rho[0] <= 0.0 <= rho[-1]:
            axes.axvline(0.0, color=LIGHT, linewidth=0.8, zorder=0)
            _mark(axes, (0.0, float(np.interp(0.0, rho, estimate))), words["no_confounder"], colour=BLUE)
        crossing = _crossing(rho, estimate) if rho_zero is None else rho_zero
        if crossing is not None and rho[0] <= crossing <= rho[-1]:
            _mark(axes, (crossing, 0.0), f"ρ = {format_decimal(crossing, leading_zero=False)}", colour=RED)
        axes.set(xlabel=words["rho"], ylabel=words["effect"])
        if rho[0] < rho[-1]:
            axes.set_xlim(float(rho[0]), float(rho[-1]))
        axes.set_title(heading, loc="left")
        figure.tight_layout()
        return finish(figure)


def _crossing(rho: NDArray[np.float64], effect: NDArray[np.float64]) -> float | None:
    """Return where the effect changes its sign, between two points of the curve along a straight line."""
    changes = np.flatnonzero(np.sign(effect[:-1]) * np.sign(effect[1:]) <= 0.0)
    if not len(changes) or effect[changes[0]] == effect[changes[0] + 1]:
        return None
    i = int(changes[0])
    return float(rho[i] - effect[i] * (rho[i + 1] - rho[i]) / (effect[i + 1] - effect[i]))


def _mark(axes: Axes, place: tuple[float, float], text: str, *, colour: str) -> None:
    axes.plot(*place, "o", color=colour, markersize=5, zorder=4)
    style: dict[str, Any] = {"fontsize": 8, "color": colour, "zorder": 5}
    axes.annotate(text, place, xytext=(6, 6), textcoords="offset points", **style)
