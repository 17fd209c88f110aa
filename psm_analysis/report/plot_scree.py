"""The scree plot: observed eigenvalues beside those of data without factors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from psm_analysis._options import Language, ScreeKind, check_option
from psm_analysis.report.frames import require_frame
from psm_analysis.report.style import BLUE, GREY, LIGHT, figure_style, finish, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {
    "observed": {"en": "observed", "zh": "观测值"},
    "mean": {"en": "simulated, mean", "zh": "模拟均值"},
    "percentile": {"en": "simulated, percentile", "zh": "模拟百分位数"},
    "component": {"en": "Component", "zh": "成分"},
    "factor": {"en": "Factor", "zh": "因子"},
    "eigenvalue": {"en": "Eigenvalue", "zh": "特征值"},
}


def scree_plot(
    parallel: pd.DataFrame, *, kind: ScreeKind = "component", title: str = "", lang: Language = "en"
) -> Figure:
    """Draw observed eigenvalues against the mean and the percentile of simulated ones.

    As many components (or factors) are worth keeping as lie above the line of the percentile before the first that
    does not.

    Parameters
    ----------
    parallel
        ``retention(...).parallel``: index number; columns component, component_mean, component_percentile, and the
        same for factor.
    kind
        "component" or "factor".
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
    >>> columns = ["component", "component_mean", "component_percentile"]
    >>> frame = pd.DataFrame([[2.0, 1.1, 1.2], [0.6, 1.0, 1.05], [0.4, 0.9, 0.95]], columns=columns, index=[1, 2, 3])
    >>> len(scree_plot(frame).axes)
    1
    """
    check_option(kind, ScreeKind, name="kind")
    check_option(lang, Language, name="lang")
    frame = require_frame(parallel, [kind, f"{kind}_mean", f"{kind}_percentile"], what="the parallel frame")
    texts = [title, *(words[lang] for words in WORDS.values())]
    with figure_style(texts):
        figure = new_figure(5.0, 3.2)
        axes = figure.add_subplot()
        number = frame.index.to_numpy()
        axes.axhline(1.0 if kind == "component" else 0.0, color=LIGHT, linewidth=0.8, zorder=0)
        for column, style, colour in ((f"{kind}_mean", ":", GREY), (f"{kind}_percentile", "--", GREY)):
            label = WORDS[column.split("_")[1]][lang]
            axes.plot(number, frame[column].to_numpy(), linestyle=style, color=colour, linewidth=1.0, label=label)
        axes.plot(number, frame[kind].to_numpy(), "o-", color=BLUE, markersize=4, label=WORDS["observed"][lang])
        axes.set_xlabel(WORDS[kind][lang])
        axes.set_ylabel(WORDS["eigenvalue"][lang])
        axes.set_title(title)
        axes.locator_params(axis="x", integer=True)
        axes.legend()
        figure.tight_layout()
        return finish(figure)
