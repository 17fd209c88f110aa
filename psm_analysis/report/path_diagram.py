"""The path diagram of a model: ellipses, boxes, arrows and coefficients, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psm_analysis._options import Language, check_choice
from psm_analysis.errors import require
from psm_analysis.report.frames import PARAMETER, Tidied, check_names, one_group, require_frame, with_standardized
from psm_analysis.report.layout import significance_note
from psm_analysis.report.numbers import format_decimal, stars
from psm_analysis.report.path_geometry import Node
from psm_analysis.report.path_layout import lay_out
from psm_analysis.report.path_model import PathEdge, PathModel, read_model
from psm_analysis.report.path_routes import LABEL_SIZE, Route, route_edges
from psm_analysis.report.path_sizes import BOX_SIZE, FACTOR_SIZE
from psm_analysis.report.path_text import LINE, text_meter
from psm_analysis.report.style import GREY, INK, figure_style, finish, new_figure
from psm_analysis.report.words import join_notes, word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FACTOR_FILL = "#E8F0F7"
LABEL_BACKGROUND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.95}
MARGIN = 0.15


def path_diagram(
    tidy: pd.DataFrame | Tidied,
    *,
    values: str = "std_all",
    labels: Mapping[str, str] | None = None,
    indicators: bool = True,
    group: str | None = None,
    note: bool = True,
    lang: Language = "en",
) -> Figure:
    """Draw the path diagram of a model.

    Latent variables are ellipses, observed ones boxes; loadings and regressions are arrows, covariances curves with two
    heads. Exogenous variables stand left and outcomes right, indicators beside their factor. Stars mark ``*`` p < .05,
    ``**`` p < .01, ``***`` p < .001; structural arrows with p ≥ .05 are dashed. Outcomes carry their explained
    variance,
    one minus the standardized residual variance.

    Parameters
    ----------
    tidy
        A tidy() frame, or result.standardized(), whose stars are those of the standardized coefficients themselves.
    values
        "std_all" or "estimate".
    labels
        Printed name of a variable; a line break in it is kept.
    indicators
        False leaves the measurement part out.
    group
        Which group of a frame with several.
    note
        Whether the line that explains the coefficients is drawn below.

    Raises
    ------
    DataError
        If there is nothing to draw.
    OptionError
        If `labels` names a variable that is not in the model, or `group` is missing or unknown.

    Examples
    --------
    >>> tidy = pd.DataFrame({"lhs": ["exit", "exit"], "op": ["~", "~"], "rhs": ["psm", "burnout"],
    ...                      "estimate": [-0.2, 0.5], "std_all": [-0.18, 0.47], "p_value": [0.03, 0.0001]})
    >>> figure = path_diagram(tidy)
    >>> [text.get_text() for text in figure.axes[0].texts][:5]
    ['psm', 'exit', 'burnout', '−.18*', '.47***']
    """
    check_choice(values, ("std_all", "estimate"), name="values")
    tidy = one_group(with_standardized(require_frame(tidy, PARAMETER, what="the tidy frame")), group)
    model = read_model(tidy, values, indicators=indicators)
    check_names(list(labels or {}), [*map(str, {*tidy["lhs"], *tidy["rhs"]})], what="labels")
    texts = {edge: _coefficient(edge, values) for edge in model.edges}
    below = _note(model, values=values, lang=lang) if note else ""
    with figure_style([*(labels or {}).values(), *model.latents, *model.observed, below]):
        measure = text_meter()
        layout = lay_out(model, labels or {}, measure=measure)
        routes = route_edges(model, layout, texts=texts, measure=measure)
        figure, axes = _canvas(list(layout.nodes.values()), routes, note=below)
        for name in (*model.latents, *model.observed):
            _draw_node(axes, layout.nodes[name], item=name in dict(model.owners))
        for route in routes:
            _draw_route(axes, route, text=texts[route.edge])
        return finish(figure)


def _coefficient(edge: PathEdge, values: str) -> str:
    if edge.value is None:
        return ""
    number = format_decimal(edge.value, 2, leading_zero=values == "estimate")
    return number + stars(edge.p_value)


def _note(model: PathModel, *, values: str, lang: Language) -> str:
    legend = "".join(run.text for run in significance_note(lang))
    kind = word("figure_standardized" if values == "std_all" else "figure_raw", lang)
    dashed = any(_is_dashed(edge) for edge in model.edges)
    starred = any(stars(edge.p_value) for edge in model.edges)
    return join_notes(kind, legend if starred else "", word("figure_dashed", lang) if dashed else "", lang=lang)


def _is_dashed(edge: PathEdge) -> bool:
    return edge.kind != "loading" and edge.p_value is not None and edge.p_value >= 0.05


def _canvas(nodes: Sequence[Node], routes: Sequence[Route], *, note: str) -> tuple[Figure, Any]:
    corners = [(node.x + s * node.width / 2, node.y + s * node.height / 2) for node in nodes for s in (-1, 1)]
    corners += [tuple(point) for route in routes for point in route.curve.points()]
    corners += [(route.label[0] + s * 0.25, route.label[1]) for route in routes for s in (-1, 1)]
    low, high = np.min(corners, axis=0) - MARGIN, np.max(corners, axis=0) + MARGIN
    if note:
        low = low - np.array([0.0, 0.3])
        high = np.array([max(high[0], low[0] + 4.6), high[1]])
    figure = new_figure(float(high[0] - low[0]), float(high[1] - low[1]))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.axis("off")
    if note:
        figure.text(MARGIN / (high[0] - low[0]), 0.12 / (high[1] - low[1]), note, fontsize=7.5, color=GREY)
    return figure, axes


def _draw_node(axes: Any, node: Node, *, item: bool) -> None:
    patches = require("matplotlib.patches", purpose="figures")
    style = {"edgecolor": INK, "linewidth": 0.8 if item else 1.0, "zorder": 3}
    if node.latent:
        shape = patches.Ellipse((node.x, node.y), node.width, node.height, facecolor=FACTOR_FILL, **style)
    else:
        corner = (node.x - node.width / 2, node.y - node.height / 2)
        shape = patches.Rectangle(corner, node.width, node.height, facecolor="white", **style)
    axes.add_patch(shape)
    axes.text(
        node.x, node.y, node.text, ha="center", va="center", rotation=90 if node.rotated else 0, zorder=4,
        fontsize=BOX_SIZE if item and not node.latent else FACTOR_SIZE, linespacing=LINE, rotation_mode="anchor",
    )  # fmt: skip


def _draw_route(axes: Any, route: Route, *, text: str) -> None:
    patches, paths = require("matplotlib.patches", purpose="figures"), require("matplotlib.path")
    loading = route.edge.kind == "loading"
    curve = paths.Path([route.curve.start, route.curve.control, route.curve.end], [1, 3, 3])
    axes.add_patch(
        patches.FancyArrowPatch(
            path=curve,
            arrowstyle="<|-|>" if route.edge.kind == "covariance" else "-|>",
            mutation_scale=6.5 if loading else 9.0,
            color=GREY if loading else INK,
            linewidth={"loading": 0.65, "covariance": 0.8}.get(route.edge.kind, 1.0),
            linestyle=(0, (4, 2.5)) if _is_dashed(route.edge) else "solid",
            shrinkA=0,
            shrinkB=0,
            zorder=1 if loading else 2,
        )
    )
    if text:
        axes.text(
            *route.label, text, ha="center", va="center", fontsize=LABEL_SIZE, rotation=90 if route.turned else 0,
            rotation_mode="anchor", zorder=5, bbox=LABEL_BACKGROUND,
        )  # fmt: skip
