"""Standardized loadings as points with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._options import Language
from psm_analysis.errors import DataError
from psm_analysis.report.frames import PARAMETER, Tidied, one_group, require_frame, with_standardized
from psm_analysis.report.style import BLUE, GREY, LIGHT, figure_style, finish, new_figure
from psm_analysis.report.words import word

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def loadings_plot(
    tidy: pd.DataFrame | Tidied,
    *,
    standardized: bool = True,
    labels: Mapping[str, str] | None = None,
    group: str | None = None,
    title: str = "",
    lang: Language = "en",
) -> Figure:
    """Draw the loadings of a model, factor by factor, with their intervals.

    Parameters
    ----------
    tidy
        A tidy() frame, or result.standardized(), whose intervals are those of the standardized loadings themselves.
    standardized
        Whether std_all or estimate is drawn.
    labels
        Printed name of an item or a factor.
    group
        Which group of a frame with several.

    Raises
    ------
    DataError
        If the model has no loading.

    Notes
    -----
    From a tidy() frame a standardized loading has the interval of the estimate, rescaled by std_all / estimate, which
    treats the standard deviations as known; a fixed loading has none.

    Examples
    --------
    >>> tidy = pd.DataFrame({"lhs": ["ei"], "op": ["=~"], "rhs": ["ei1"], "estimate": [0.9], "std_all": [0.7]})
    >>> len(loadings_plot(tidy).axes)
    1
    """
    value = "std_all" if standardized else "estimate"
    tidy = one_group(with_standardized(require_frame(tidy, PARAMETER, what="the tidy frame")), group)
    rows = tidy[tidy["op"] == "=~"].reset_index(drop=True)
    if rows.empty:
        raise DataError("The model has no loading.", where="rows with op '=~'", remedy="Give a measurement model.")
    names = dict(labels or {})
    factors = list(dict.fromkeys(rows["lhs"]))
    places = [row + 0.8 * factors.index(factor) for row, factor in enumerate(rows["lhs"])]
    items = [names.get(item, item) for item in rows["rhs"]]
    axis = word("figure_loading" if standardized else "figure_estimate", lang)
    with figure_style([*items, *(names.get(factor, factor) for factor in factors), axis, title]):
        figure = new_figure(5.6, 1.0 + 0.21 * places[-1] + 0.3)
        axes = figure.add_subplot()
        _draw_points(axes, rows, places=places, value=value)
        name_blocks(axes, [names.get(factor, factor) for factor in rows["lhs"]], places=places)
        axes.set_yticks(places, items)
        axes.set_ylim(places[-1] + 0.7, -0.7)
        axes.set_xlabel(axis)
        if title:
            axes.set_title(title, loc="left")
        return finish(figure)


def loading_limits(rows: pd.DataFrame, value: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper limits of the drawn loadings, NaN where a loading has none."""
    missing = np.full(len(rows), np.nan)
    if value == "std_all" and {"std_ci_low", "std_ci_high"} <= set(rows.columns):
        return rows["std_ci_low"].to_numpy(dtype=float), rows["std_ci_high"].to_numpy(dtype=float)
    if not {"ci_low", "ci_high", "std_error"} <= set(rows.columns):
        return missing, missing
    estimate, error = rows["estimate"].to_numpy(dtype=float), rows["std_error"].to_numpy(dtype=float)
    tested = np.isfinite(error) & (error > 0) & (estimate != 0)
    scale = np.divide(rows[value].to_numpy(dtype=float), estimate, out=missing.copy(), where=tested)
    limits = rows[["ci_low", "ci_high"]].to_numpy(dtype=float) * scale[:, None]
    return limits.min(axis=1), limits.max(axis=1)


def _draw_points(axes: Any, rows: pd.DataFrame, *, places: list[float], value: str) -> None:
    points = rows[value].to_numpy(dtype=float)
    low, high = loading_limits(rows, value)
    axes.hlines(places, low, high, color=GREY, lw=1.2)
    axes.plot(points, places, "o", color=BLUE, ms=5, mec="white", mew=0.6)
    smallest, largest = np.nanmin([*points, *low, 0.0]), np.nanmax([*points, *high, 1.0])
    axes.set_xlim(smallest - 0.05 if smallest < 0 else 0.0, largest + 0.03)
    axes.grid(axis="x", color=LIGHT, lw=0.5)
    axes.set_axisbelow(True)
    if smallest < 0:
        axes.axvline(0, color=GREY, lw=0.8)


def name_blocks(axes: Any, blocks: Sequence[str], *, places: Sequence[float]) -> None:
    """Write the name of every block of rows, a factor or a subscale, to the right of its rows."""
    beside = {"transform": axes.get_yaxis_transform(), "clip_on": False}
    for block in dict.fromkeys(blocks):
        own = [place for place, name in zip(places, blocks, strict=True) if name == block]
        middle = (own[0] + own[-1]) / 2
        axes.text(1.02, middle, block, va="center", fontsize=8.5, **beside)
        axes.plot([1.005, 1.005], [own[0] - 0.4, own[-1] + 0.4], color=GREY, lw=0.9, **beside)
