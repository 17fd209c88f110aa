"""The correlation matrix as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psm_analysis._options import Language
from psm_analysis.errors import require
from psm_analysis.report.builders_correlation import check_correlations
from psm_analysis.report.frames import check_names
from psm_analysis.report.numbers import format_decimal
from psm_analysis.report.style import figure_style, finish, new_figure
from psm_analysis.report.words import word

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def correlation_heatmap(
    correlations: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    values: bool | None = None,
    title: str = "",
    lang: Language = "en",
) -> Figure:
    """Draw the lower triangle of a correlation matrix, red for negative and blue for positive.

    Parameters
    ----------
    correlations
        Square, with the same names on both axes.
    labels
        Printed name of a variable.
    values
        Whether every coefficient is printed in its cell; by default up to 25 variables.

    Raises
    ------
    DataError
        If the matrix is not a correlation matrix.

    Examples
    --------
    >>> r = pd.DataFrame([[1, 0.3], [0.3, 1]], index=["psm", "ei"], columns=["psm", "ei"])
    >>> len(correlation_heatmap(r).axes)
    2
    """
    r = check_correlations(correlations)
    check_names(list(labels or {}), list(r.index), what="labels")
    names = [(labels or {}).get(name, name) for name in r.index]
    shown = len(r) <= 25 if values is None else values
    seaborn = require("seaborn", purpose="figures")
    with figure_style([*names, title, word("figure_correlation", lang)]):
        size = 1.6 + 0.36 * len(r)
        figure = new_figure(size + 0.9, size)
        axes = figure.add_subplot()
        texts = np.vectorize(lambda value: format_decimal(value, 2, leading_zero=False), otypes=[object])(r.to_numpy())
        seaborn.heatmap(
            r.to_numpy(),
            mask=np.triu(np.ones(r.shape, dtype=bool), k=1),
            annot=texts if shown else False,
            fmt="",
            annot_kws={"fontsize": 7},
            vmin=-1,
            vmax=1,
            cmap="RdBu",
            square=True,
            linewidths=0.6,
            linecolor="white",
            xticklabels=names,
            yticklabels=names,
            cbar_kws={"shrink": 0.6, "label": word("figure_correlation", lang), "ticks": [-1, -0.5, 0, 0.5, 1]},
            ax=axes,
        )
        axes.tick_params(length=0)
        axes.set_xticks(axes.get_xticks(), names, rotation=45, ha="right", rotation_mode="anchor")
        if title:
            axes.set_title(title, loc="left")
        return finish(figure)
