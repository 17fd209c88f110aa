"""Tables and figures of moderation, sensitivity and method bias, from frames alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

LABELS = {"x": "公共服务动机", "w": "领导支持", "y": "离职意向"}


@pytest.fixture
def curve() -> pd.DataFrame:
    """A slope 0.5 w with the band of width 1: it differs from 0 beyond -1 and 1."""
    w = np.linspace(-3.0, 3.0, 61)
    numbers = {"moderator_value": w, "estimate": 0.5 * w, "ci_low": 0.5 * w - 0.5, "ci_high": 0.5 * w + 0.5}
    return pd.DataFrame({"predictor": "x", "moderator": "w", "outcome": "y"} | numbers).assign(
        significant=lambda frame: frame["moderator_value"].abs() > 1.0 + 1e-9
    )


@pytest.fixture
def lines() -> pd.DataFrame:
    rows = [("x", "w", "y", w, x, w * x) for w in (-1.0, 0.0, 1.0) for x in (-2.0, 2.0)]
    return pd.DataFrame(
        rows, columns=["predictor", "moderator", "outcome", "moderator_value", "predictor_value", "predicted"]
    )


@pytest.fixture
def effects() -> pd.DataFrame:
    rows = [
        ("x -> m -> y", "indirect", -1.0, 0.1),
        ("x -> m -> y", "indirect", 1.0, 0.3),
        ("x -> y: direct", "direct", -1.0, 0.05),
        ("x -> m -> y", "index of moderated mediation", np.nan, 0.1),
    ]
    frame = pd.DataFrame(rows, columns=["effect", "kind", "moderator_value", "estimate"])
    return frame.assign(
        moderator="w",
        group="",
        std_error=0.05,
        statistic=2.0,
        p_value=0.04,
        ci_low=frame["estimate"] - 0.1,
        ci_high=frame["estimate"] + 0.1,
    )


def test_johnson_neyman_shades_where_the_slope_differs_from_0(curve: pd.DataFrame) -> None:
    axes = psm.johnson_neyman_plot(curve, bounds=(-1.0, 1.0)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["−1.00", "1.00"]
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    assert spans == [(-3.0, -1.0), (1.0, 3.0)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["differs from 0", "does not differ from 0"]


def test_johnson_neyman_reads_bounds_off_the_curve(curve: pd.DataFrame) -> None:
    axes = psm.johnson_neyman_plot(curve, labels=LABELS, lang="zh").axes[0]
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    np.testing.assert_allclose(spans, [(-3.0, -1.05), (1.05, 3.0)])
    assert axes.get_ylabel() == "公共服务动机对离职意向的斜率"
    everywhere = psm.johnson_neyman_plot(curve.assign(significant=True), bounds=(np.nan, np.nan)).axes[0]
    assert len(everywhere.patches) == 1
    assert not everywhere.texts
    assert not psm.johnson_neyman_plot(curve.assign(significant=False)).axes[0].patches


def test_simple_slopes_are_lines_named_by_the_moderator(lines: pd.DataFrame) -> None:
    axes = psm.simple_slopes_plot(lines).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["1.00", "0.00", "−1.00"]
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["−1.00"] == [2.0, -2.0]
    named = psm.simple_slopes_plot(lines, names=["低", "中", "高"], labels=LABELS, lang="zh").axes[0]
    assert named.get_legend().get_title().get_text() == "领导支持"
    with pytest.raises(psm.PsmAnalysisError, match="2 names were given for 3 values"):
        psm.simple_slopes_plot(lines, names=["low", "high"])


def test_sensitivity_marks_no_confounder_and_no_effect() -> None:
    rho = np.array([-0.5, 0.0, 0.5])
    numbers = {"rho": rho, "estimate": 0.2 - rho, "ci_low": 0.1 - rho, "ci_high": 0.3 - rho}
    frame = pd.DataFrame({"effect": "x -> m -> y"} | numbers)
    axes = psm.sensitivity_plot(frame).axes[0]
    assert [text.get_text() for text in axes.texts] == ["no confounder", "ρ = .20"]
    assert "ρ = .23" in [text.get_text() for text in psm.sensitivity_plot(frame, rho_zero=0.23).axes[0].texts]
    away = frame[frame["rho"] < 0.0]
    assert not psm.sensitivity_plot(away, lang="zh").axes[0].texts


def test_figures_fit_on_their_paper(curve: pd.DataFrame, lines: pd.DataFrame) -> None:
    long = {"x": "Public service motivation", "w": "Support of the leaders", "y": "Turnover intention"}
    for figure in (psm.johnson_neyman_plot(curve, labels=long), psm.simple_slopes_plot(lines, labels=long)):
        box = figure.get_tightbbox()
        assert box.x0 >= 0.0
        assert box.y0 >= 0.0
        assert box.x1 <= figure.get_figwidth()
        assert box.y1 <= figure.get_figheight()


def test_conditional_effects_with_the_value_of_the_moderator(effects: pd.DataFrame) -> None:
    table = psm.conditional_effects_table(effects, labels=LABELS, level=0.9)
    text = table.to_text()
    rows = [line.split() for line in text.splitlines()]
    assert ["Indirect", "-1.00", "0.10", "0.05", "2.00", ".040", "[0.00,", "0.20]"] in rows
    assert [group.label for group in table.groups] == ["公共服务动机 → m → 离职意向", "公共服务动机 → 离职意向"]
    assert [group.first for group in table.groups] == [0, 3]
    assert "90% CI" in text
    assert "per unit of 领导支持" in " ".join(text.split())
    both = pd.concat([effects.assign(group="a"), effects.assign(group="b")], ignore_index=True)
    assert [group.label for group in psm.conditional_effects_table(both).groups][::2] == [
        "a: x → m → y",
        "b: x → m → y",
    ]
    assert "有调节的中介指数" in psm.conditional_effects_table(effects, lang="zh").to_text()


def test_robustness_values_by_outcome() -> None:
    names = ["x", "m", "y"]
    r = pd.DataFrame([[1, 0.5, 0.4], [0.5, 1, 0.6], [0.4, 0.6, 1]], names, names)
    fit = psm.sem("m ~ x; y ~ m + x", sample_cov=r, sample_nobs=200)
    found = psm.omitted_variable_robustness(fit, share=0.5, level=0.9)
    table = psm.robustness_table(found.tidy(), labels={"m": "Burnout"}, share=found.share, level=found.level)
    assert [(group.label, group.first) for group in table.groups] == [("→ Burnout", 0), ("→ y", 1)]
    text = " ".join(table.to_text().split())
    assert "takes away 50 % of the estimate" in text
    assert "significance at 0.1" in text
    value = found.tidy()["robustness_significance"].iloc[0]
    assert f"{value:.3f}"[1:] in text
    assert "稳健性" in psm.robustness_table(found.tidy(), lang="zh").to_text()
    with pytest.raises(psm.PsmAnalysisError, match="robustness"):
        psm.robustness_table(fit.tidy())


def test_method_bias_in_both_languages() -> None:
    numbers = ("df", "chisq", "cfi", "rmsea", "srmr", "share", "statistic", "df_diff", "p_value", "delta_cfi")
    blank = dict.fromkeys(numbers, np.nan) | dict.fromkeys(("compared_with", "test", "measures", "difference_test"), "")
    fitted = {"df": 49, "chisq": 182.14, "cfi": 0.937, "rmsea": 0.08, "srmr": 0.15}
    fitted |= {"test": "yuan.bentler.mplus", "measures": "robust"}
    tested = {"compared_with": "Baseline", "statistic": 20.5, "df_diff": 1, "p_value": 1e-4, "delta_cfi": 0.05}
    frame = pd.DataFrame(
        [
            blank | {"model": "Harman", "share": 0.42, "decision": "not one factor"},
            blank | fitted | {"model": "Baseline", "decision": ""},
            blank | fitted | tested | {"model": "Method-C", "decision": "present"}
            | {"difference_test": "satorra.bentler.2001"},
            blank | fitted | tested | {"model": "Method-R", "decision": "undecided"}
            | {"difference_test": "satorra.bentler.2010"},
        ]
    )  # fmt: skip
    text = " ".join(psm.method_bias_table(frame, number=3).to_text().split())
    assert "182.14 49 .937 .080 .150 - Baseline 20.50 1 < .001 .050 present" in text
    assert "χ² is scaled (Yuan–Bentler); CFI and RMSEA are robust." in text
    assert "TLI" not in text
    assert "Δχ² is scaled (Satorra & Bentler, 2001). For Method-R: Δχ² is scaled (Satorra & Bentler, 2010)." in text
    chinese = psm.method_bias_table(frame, lang="zh").to_text()
    for word in ("共同方法偏差检验", "基线模型", "无法判定", "比较对象"):
        assert word in chinese
    with pytest.raises(psm.PsmAnalysisError, match="no column 'share'"):
        psm.method_bias_table(frame.drop(columns="share"))
