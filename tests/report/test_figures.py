"""Figures: what they show, that they are reproducible, and that nothing collides."""

from __future__ import annotations

import warnings
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.report import fonts
from psm_analysis.report.plot_likert import answer_shares, likert_colours
from psm_analysis.report.plot_loadings import loading_limits


@pytest.fixture
def answers() -> pd.DataFrame:
    return pd.DataFrame({"psm1": [1, 2, 3, 3, 3], "psm2": [3, 3, 2, np.nan, 1]})


def test_likert_shares_leave_missing_answers_out(answers: pd.DataFrame) -> None:
    shares = answer_shares(answers, [1, 2, 3])
    assert shares.loc["psm1"].tolist() == [20.0, 20.0, 60.0]
    assert shares.loc["psm2"].tolist() == [25.0, 25.0, 50.0]


def test_likert_bars_diverge_from_the_middle(answers: pd.DataFrame) -> None:
    axes = psm.likert_plot(answers, codes=[1, 2, 3], labels=["no", "so-so", "yes"]).axes[0]
    first = axes.containers[1][0]
    assert first.get_x() == pytest.approx(-10)
    assert first.get_width() == pytest.approx(20)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["no", "so-so", "yes"]


def test_likert_errors(answers: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="not on the response scale: 3"):
        psm.likert_plot(answers, codes=[1, 2])
    with pytest.raises(OptionError, match="3 codes and 1 labels"):
        psm.likert_plot(answers, codes=[1, 2, 3], labels=["x"])
    with pytest.raises(DataError, match="no rows"):
        psm.likert_plot(answers.head(0), codes=[1, 2, 3])


def test_every_response_scale_has_distinct_colours() -> None:
    for n in range(2, 12):
        assert len(set(likert_colours(n))) == n


def test_heatmap_writes_the_lower_triangle() -> None:
    r = pd.DataFrame([[1, -0.42], [-0.42, 1]], index=["a", "b"], columns=["a", "b"])
    texts = [text.get_text() for text in psm.correlation_heatmap(r).axes[0].texts]
    assert texts == ["1.00", "−.42", "1.00"]


def test_loadings_plot_rescales_intervals(cfa_tidy: pd.DataFrame) -> None:
    rows = cfa_tidy[cfa_tidy["op"] == "=~"].assign(std_all=lambda frame: frame["estimate"] / 2)
    low, high = loading_limits(rows, "std_all")
    assert np.isnan(low[0])
    assert (high - low)[1] == pytest.approx(1.96 * 0.05)
    figure = psm.loadings_plot(cfa_tidy, labels={"psm1": "题项一"}, lang="zh")
    assert figure.axes[0].get_yticklabels()[0].get_text() == "题项一"


def test_files_are_the_same_bytes_every_time(cfa_tidy: pd.DataFrame, tmp_path: Path) -> None:
    first = psm.save_figure(psm.path_diagram(cfa_tidy), tmp_path / "a", stem="path")
    again = psm.save_figure(psm.path_diagram(cfa_tidy), tmp_path / "b", stem="path")
    assert [path.suffix for path in first] == [".png", ".svg", ".pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert b"<dc:date>" not in first[1].read_bytes()


def test_settings_of_matplotlib_are_left_alone(cfa_tidy: pd.DataFrame) -> None:
    before = dict(mpl.rcParams)
    psm.path_diagram(cfa_tidy)
    psm.loadings_plot(cfa_tidy)
    assert dict(mpl.rcParams) == before


def test_no_figure_stays_open(cfa_tidy: pd.DataFrame) -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    psm.path_diagram(cfa_tidy)
    assert pyplot.get_fignums() == before


def test_one_warning_if_there_is_no_chinese_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "cjk_family", lambda: None)
    monkeypatch.setattr(fonts, "_warned", set())
    with pytest.warns(PsmAnalysisWarning, match="No Chinese font") as caught:
        chosen = [fonts.figure_families(["公共服务动机"]) for _ in range(2)]
    assert chosen[0] == chosen[1]
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fonts.figure_families(["psm"])


def test_chinese_text_gets_a_fallback_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "installed_families", lambda: frozenset({"DejaVu Sans", "SimHei"}))
    assert fonts.figure_families(["情绪智力"]) == ["DejaVu Sans", "SimHei"]
    assert fonts.figure_families(["EI"]) == ["DejaVu Sans"]


def rectangles(figure, shapes: type) -> list:  # type: ignore[no-untyped-def, type-arg]
    return [patch.get_extents() for patch in figure.axes[0].patches if isinstance(patch, shapes)]


def test_thirty_two_items_and_five_factors_do_not_collide(structural_tidy: pd.DataFrame) -> None:
    from matplotlib.patches import Ellipse, Rectangle

    figure = psm.path_diagram(structural_tidy, labels={"psm": "公共服务动机"}, lang="zh")
    figure.draw_without_rendering()
    boxes, ellipses = rectangles(figure, Rectangle), rectangles(figure, Ellipse)
    assert len(boxes) == 32
    assert len(ellipses) == 5
    shapes = [*boxes, *ellipses]
    assert not any(first.overlaps(second) for first, second in combinations(shapes, 2))
    coefficients = [text.get_window_extent() for text in figure.axes[0].texts if text.get_zorder() == 5]
    assert len(coefficients) == 32 + 6 + 2
    assert not any(label.overlaps(shape) for label in coefficients for shape in shapes)
    whole = figure.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 for box in [*shapes, *coefficients])


def test_texts_fit_into_their_shapes(structural_tidy: pd.DataFrame) -> None:
    from matplotlib.patches import Rectangle

    figure = psm.path_diagram(structural_tidy)
    boxes = rectangles(figure, Rectangle)
    words = [text.get_window_extent() for text in figure.axes[0].texts if text.get_zorder() == 4]
    inside = [
        any(box.x0 <= w.x0 and w.x1 <= box.x1 and box.y0 <= w.y0 and w.y1 <= box.y1 for box in boxes) for w in words
    ]
    assert sum(inside) == 32


def test_tests_show_as_stars_and_dashes(structural_tidy: pd.DataFrame) -> None:
    figure = psm.path_diagram(structural_tidy)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "−.12*" in texts
    assert ".52***" in texts
    assert "olbi\nR² = .45" in texts
    from matplotlib.patches import FancyArrowPatch

    arrows = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    assert sum(arrow.get_linestyle() not in ("solid", "-") for arrow in arrows) == 1
    assert "Dashed" in figure.texts[0].get_text()


def test_path_diagram_errors(cfa_tidy: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="names 'psm9'"):
        psm.path_diagram(cfa_tidy, labels={"psm9": "x"})
    with pytest.raises(DataError, match="nothing to draw"):
        psm.path_diagram(cfa_tidy[cfa_tidy["lhs"] == cfa_tidy["rhs"]])
    with pytest.raises(DataError, match="no column 'op'"):
        psm.path_diagram(cfa_tidy.drop(columns="op"))
    both = pd.concat([cfa_tidy.assign(group="a"), cfa_tidy.assign(group="b")])
    with pytest.raises(OptionError, match="group=: a, b"):
        psm.path_diagram(both)
    assert psm.path_diagram(both, group="a").axes
