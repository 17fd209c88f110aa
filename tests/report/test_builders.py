"""Tables made from tidy() and glance() frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError

Snapshot = Callable[[str, str], None]


def worse(glance: pd.DataFrame) -> pd.DataFrame:
    return glance.assign(chisq=312.264, df=27, cfi=0.677, converged=False)


def test_fit_table(glance: pd.DataFrame, snapshot: Snapshot) -> None:
    table = psm.fit_table({"One factor": worse(glance), "Three factors": glance}, differences="previous", number=2)
    snapshot("fit.txt", table.to_text() + "\n")
    snapshot("fit_zh.txt", psm.fit_table({"三因子": glance}, number=2, lang="zh").to_text() + "\n")
    difference = table.frame.iloc[1]
    assert difference["chisq_diff"] == pytest.approx(226.9585)
    assert difference["df_diff"] == 3
    assert difference["p_diff"] == pytest.approx(6.3e-49, rel=0.02)


def test_fit_table_says_what_is_scaled(glance: pd.DataFrame) -> None:
    scaled = glance.assign(test="scaled.shifted", measures="scaled", df=10.25)
    plain = glance.assign(test="standard", measures="standard")
    table = psm.fit_table({"One": scaled, "Two": plain})
    assert "For One: χ² is scaled (scaled and shifted); CFI, TLI, and RMSEA are scaled." in table.note
    assert "10.25" in table.to_text()
    assert "is scaled" not in psm.fit_table({"Two": plain}).note
    with pytest.raises(psm.PsmAnalysisError, match="is not a chi-square"):
        psm.fit_table({"a": scaled, "b": scaled}, differences="previous")


def test_fit_table_takes_scaled_differences_from_outside(glance: pd.DataFrame) -> None:
    robust = glance.assign(estimator="MLM")
    models = {"a": robust, "b": robust}
    with pytest.raises(OptionError, match="MLM chi-squares is not a chi-square"):
        psm.fit_table(models, differences="previous")
    given = pd.DataFrame({"chisq_diff": [8.2], "df_diff": [3], "p_value": [0.042]}, index=["b"])
    assert "8.20    3  .042" in psm.fit_table(models, differences=given).to_text()
    with pytest.raises(OptionError, match="names 'c'"):
        psm.fit_table(models, differences=given.rename(index={"b": "c"}))


def test_estimator_is_shown_where_models_differ(glance: pd.DataFrame) -> None:
    keys = [column.key for column in psm.fit_table({"a": glance, "b": glance.assign(estimator="MLR")}).columns]
    assert keys[:2] == ["model", "estimator"]
    assert "nobs" not in keys


def test_parameter_table(structural_tidy: pd.DataFrame, snapshot: Snapshot) -> None:
    table = psm.parameter_table(
        structural_tidy, sections=["regressions", "covariances", "defined"], labels={"olbi": "Burnout"}, number=3
    )
    snapshot("parameters.txt", table.to_text() + "\n")


def test_fixed_parameters_have_no_test(cfa_tidy: pd.DataFrame) -> None:
    frame = psm.parameter_table(cfa_tidy, sections=["loadings"]).frame
    assert frame["std_error"].isna().tolist() == [True, False, False, False] * 2
    assert frame.loc[frame["std_error"].isna(), "ci_low"].isna().all()


def test_groups_become_headings(cfa_tidy: pd.DataFrame) -> None:
    both = pd.concat([cfa_tidy.assign(group="county"), cfa_tidy.assign(group="city")])
    labels = [group.label for group in psm.parameter_table(both, sections=["loadings", "covariances"]).groups]
    assert labels == ["county: Factor loadings", "county: Covariances", "city: Factor loadings", "city: Covariances"]
    with pytest.raises(OptionError, match="Choose one with group=: county, city"):
        psm.loadings_table(both)
    assert len(psm.loadings_table(both, group="city").cells) == 8


def test_effects_table(structural_tidy: pd.DataFrame) -> None:
    text = psm.effects_table(structural_tidy, labels={"indirect": "PSM → burnout → exit"}).to_text()
    assert "PSM → burnout → exit     -0.15  0.05  -2.91  < .001  [-0.24, -0.05]  -0.15" in text
    with pytest.raises(DataError, match="defines no effect"):
        psm.effects_table(structural_tidy[structural_tidy["op"] != ":="])


def test_loadings_table_from_a_model(cfa_tidy: pd.DataFrame, snapshot: Snapshot) -> None:
    reliabilities = pd.DataFrame({"alpha": [0.78, 0.81], "ave": [0.48, 0.52]}, index=["psm", "ei"])
    snapshot("loadings.txt", psm.loadings_table(cfa_tidy, reliabilities=reliabilities).to_text() + "\n")


def test_loadings_table_from_a_standardized_solution(cfa_tidy: pd.DataFrame) -> None:
    solution = cfa_tidy.drop(columns=["std_lv", "std_all"]).assign(p_value=0.0001)
    table = psm.loadings_table(solution)
    assert ".71***" in table.to_text()
    assert "carry no test" not in table.note


def test_loadings_table_from_a_matrix() -> None:
    matrix = pd.DataFrame({"PA1": [0.712, 0.08], "PA2": [-0.11, 0.645]}, index=["ei1", "ei2"])
    table = psm.loadings_table(matrix, cutoff=0.1, bold=0.4, communalities={"ei1": 0.52, "ei2": 0.42})
    assert "ei1   .71  -.11  .52" in table.to_text()
    assert "ei2     -   .65  .42" in table.to_text()
    assert r"\textbf{.71}" in table.to_latex()
    assert "Loadings below .10" in table.note
    with pytest.raises(DataError, match="numeric"):
        psm.loadings_table(matrix.assign(PA1=["a", "b"]))


@pytest.fixture
def correlations() -> pd.DataFrame:
    names = ["psm", "ei", "exit"]
    return pd.DataFrame([[1, 0.3, -0.2], [0.3, 1, 0.05], [-0.2, 0.05, 1]], index=names, columns=names)


def test_correlation_table(correlations: pd.DataFrame, snapshot: Snapshot) -> None:
    table = psm.correlation_table(
        correlations,
        means={"psm": 3.2, "ei": 3.7, "exit": 2.1},
        sds={"psm": 0.61, "ei": 0.7, "exit": 1.02},
        reliabilities={"psm": 0.9, "ei": 0.88},
        nobs=100,
        labels={"psm": "公共服务动机"},
        number=1,
    )
    snapshot("correlations.txt", table.to_text() + "\n")
    assert table.frame["1.p"].tolist()[1:] == pytest.approx([0.0024257334, 0.0460362865], abs=1e-9)


def test_correlations_without_tests_have_no_stars(correlations: pd.DataFrame) -> None:
    table = psm.correlation_table(correlations)
    assert "*" not in table.to_text()
    assert "< .05" not in table.to_html()


@pytest.mark.parametrize("change", ["names", "asymmetric", "beyond"])
def test_what_is_no_correlation_matrix(correlations: pd.DataFrame, change: str) -> None:
    wrong = correlations.astype(float)
    if change == "names":
        wrong.columns = ["psm", "exit", "ei"]
    else:
        wrong.iloc[0, 1] = 0.4 if change == "asymmetric" else 4.0
    with pytest.raises(DataError):
        psm.correlation_table(wrong)


def test_correlation_options(correlations: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="both given"):
        psm.correlation_table(correlations, p_values=correlations, nobs=10)
    with pytest.raises(OptionError, match="Did you mean 'psm'"):
        psm.correlation_table(correlations, means={"psm1": 3.0})


@pytest.fixture
def regressions() -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    def tidy(terms: list[str]) -> pd.DataFrame:
        values = np.linspace(0.31, -0.2, len(terms))
        p_values = np.linspace(0.0001, 0.2, len(terms))
        return pd.DataFrame({"term": terms, "estimate": values, "std_error": 0.052, "p_value": p_values})

    models = {"Model 1": tidy(["Intercept", "age"]), "Model 2": tidy(["Intercept", "age", "psm"])}
    glances = {
        name: pd.DataFrame({"r_squared": [r], "nobs": [512]}) for name, r in zip(models, (0.1, 0.2), strict=True)
    }
    return models, glances


def test_regression_table(regressions, snapshot: Snapshot) -> None:  # type: ignore[no-untyped-def]
    models, glances = regressions
    table = psm.regression_table(models, glances, labels={"psm": "Public service motivation"}, number=4)
    snapshot("regression.txt", table.to_text() + "\n")
    assert "Model 2 SE" in table.to_csv().splitlines()[0]


def test_regression_table_from_one_long_frame(regressions) -> None:  # type: ignore[no-untyped-def]
    models, glances = regressions
    long = pd.concat([frame.assign(model=name) for name, frame in models.items()])
    fits = pd.concat([frame.assign(model=name) for name, frame in glances.items()])
    assert psm.regression_table(long, fits) == psm.regression_table(models, glances)


def test_regression_errors(regressions) -> None:  # type: ignore[no-untyped-def]
    models, glances = regressions
    with pytest.raises(DataError, match="Terms appear twice: age"):
        psm.regression_table({"m": pd.concat([models["Model 1"]] * 2).iloc[[1, 3]]})
    with pytest.raises(OptionError, match="names 'PSM'"):
        psm.regression_table(models, glances, terms=["PSM"])
    with pytest.raises(OptionError, match="at least one"):
        psm.regression_table({})


def test_comparison_table() -> None:
    frame = pd.DataFrame(
        {
            "quantity": ["χ²", "CFI"],
            "printed": [1012.654, 0.86],
            "recomputed": [1012.65449, 0.8571],
            "verdict": [True, False],
            "decimals": [3, 2],
        }
    )
    lines = psm.comparison_table(frame).to_text().splitlines()
    assert lines[4].split() == ["χ²", "1012.654", "1012.654", "0.000", "agrees"]
    assert lines[5].split() == ["CFI", "0.86", "0.86", "0.00", "differs"]
    assert "不一致" in psm.comparison_table(frame, lang="zh").to_text()
    with pytest.raises(DataError, match="no column 'recomputed'"):
        psm.comparison_table(frame[["printed"]])


def test_comparison_keeps_printed_text() -> None:
    frame = pd.DataFrame({"what": ["a"], "printed": ["ns"], "recomputed": [0.2]})
    assert "ns" in psm.comparison_table(frame).to_text()


def test_descriptives_screening_and_reliability() -> None:
    items = pd.DataFrame({"n": [512], "mean": [3.204], "sd": [0.9], "min": [1], "skewness": [-0.001]}, index=["psm1"])
    assert psm.descriptives_table(items).to_text().splitlines()[-2].split() == [
        "psm1",
        "512",
        "3.20",
        "0.90",
        "1",
        "0.00",
    ]
    checks = pd.DataFrame({"check": ["longstring"], "threshold": [8.0], "flagged": [12], "share": [0.0234]})
    assert psm.screening_table(checks, lang="zh").columns[2].label == "标记数"
    omega = pd.DataFrame({"alpha": [0.91], "ave": [0.5]}, index=["psm"])
    assert psm.reliability_table(omega, labels={"psm": "公共服务动机"}).cells[0][0] == "公共服务动机"
    for builder in (psm.descriptives_table, psm.screening_table, psm.reliability_table):
        with pytest.raises(DataError):
            builder(pd.DataFrame({"x": [1.0]}))
        with pytest.raises(DataError, match="not a DataFrame"):
            builder([1, 2])


def test_tables_and_figures_take_results_too() -> None:
    noise = np.random.default_rng(1).normal(size=(200, 5))
    data = pd.DataFrame(noise[:, :4] + noise[:, 4:], columns=list("abcd"))
    fit = psm.sem("f =~ a + b + c\nd ~ p*f\ntwice := 2*p", data)
    explored = psm.efa(data, 1)
    for of_result, of_frame in (
        (psm.parameter_table(fit), psm.parameter_table(fit.tidy())),
        (psm.loadings_table(fit), psm.loadings_table(fit.tidy())),
        (psm.effects_table(fit), psm.effects_table(fit.tidy())),
        (psm.fit_table({"A": fit}), psm.fit_table({"A": fit.glance()})),
        (psm.loadings_table(explored), psm.loadings_table(explored.loadings)),
    ):
        assert of_result == of_frame
    assert len(psm.path_diagram(fit).axes) == len(psm.path_diagram(fit.tidy()).axes)
    with pytest.raises(DataError, match="is AlphaResult, not a DataFrame with chisq, df"):
        psm.fit_table({"A": psm.alpha(data)})


def test_data_table_groups_and_guesses() -> None:
    frame = pd.DataFrame(
        {"scale": ["b", "a", "b"], "item": ["x", "y", "z"], "hits": [1, 2, 3], "w": [0.5, 1.25, np.nan]}
    )
    table = psm.data_table(frame, title="T", group_by="scale", decimals={"w": 1}, labels={"w": "Weight"})
    assert [(group.label, group.first) for group in table.groups] == [("b", 0), ("a", 2)]
    assert [column.kind for column in table.columns] == ["text", "integer", "decimal"]
    assert table.to_csv().splitlines()[1] == "b,x,1,0.5"
    with pytest.raises(OptionError, match="names 'hit'"):
        psm.data_table(frame, title="T", labels={"hit": "x"})
