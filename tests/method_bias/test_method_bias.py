"""Method bias against lavaan 0.6-14, and what it says of populations with and without it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.method_bias.measurement import measurement_of

TEXT = "A =~ a1 + a2 + a3 + a4\nB =~ b1 + b2 + b3 + b4"
MARKER = ["m1", "m2", "m3"]
LAVAAN = {
    "Measurement model": [19, 15.19227979, 1.00000000, 0.01822934],
    "Marker CFA": [41, 48.97873971, 0.99621786, 0.02549965],
    "Baseline": [49, 182.14167619, 0.93688725, 0.15583919],
    "Method-C": [48, 50.30905065, 0.99890545, 0.02854548],
    "Method-U": [41, 43.39152358, 0.99886635, 0.02352344],
    "Method-R": [49, 64.19794123, 0.99279577, 0.05418271],
}


REFERENCE = json.loads(
    (Path(__file__).resolve().parents[1] / "golden" / "values" / "method_bias.json").read_text(encoding="utf-8")
)


def survey(seed: int = 1, *, style: float = 0.6, n: int = 500) -> pd.DataFrame:
    """Two unrelated factors and a marker, all items with the same response style."""
    rng = np.random.default_rng(seed)
    common, a, b = rng.normal(size=(3, n))
    factors = (("a", a), ("b", b))
    data = {f"{f}{i}": v + style * common + rng.normal(size=n) for f, v in factors for i in (1, 2, 3, 4)}
    return pd.DataFrame(data | {f"m{i}": common + rng.normal(size=n) for i in (1, 2, 3)})


@pytest.fixture(scope="module")
def biased() -> psm.MethodBias:
    return psm.method_bias(TEXT, survey(), marker=MARKER)


def test_marker_sequence_is_that_of_lavaan(biased: psm.MethodBias) -> None:
    frame = biased.tidy().set_index("model")
    for name, expected in LAVAAN.items():
        np.testing.assert_allclose(
            frame.loc[name, ["df", "chisq", "cfi", "srmr"]].astype(float), expected, rtol=2e-5, atol=1e-7
        )
    assert frame.loc["Method-R", "statistic"] == pytest.approx(64.19794123 - 50.30905065, rel=1e-4)


@pytest.fixture(scope="module")
def rows(golden_data: Any) -> pd.DataFrame:
    return golden_data("marker.csv")


def answers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as answers of four categories."""
    return 1 + (rows > -1.2).astype(int) + (rows > 0.1) + (rows > 1.3)


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
@pytest.mark.parametrize(
    ("name", "options"), [("continuous", {}), ("robust", {"estimator": "MLR"}), ("ordinal", {"ordered": True})]
)
def test_every_model_of_the_sequence_is_that_of_lavaan(rows: pd.DataFrame, name: str, options: dict[str, Any]) -> None:
    """tests/golden/generate/method_bias.R: Method-S, reliability, correlations; ordinal and robust too."""
    expected = REFERENCE[name]
    found = psm.method_bias(TEXT, answers(rows) if name == "ordinal" else rows, marker=MARKER, **options)
    frame = found.tidy().set_index("model")
    for model, measures in expected["fits"].items():
        got = found.fits[model].fit_measures
        for measure, value in measures.items():
            assert got[measure.replace(".", "_")] == pytest.approx(value, rel=5e-5, abs=2e-6), (model, measure)
        assert frame.loc[model, "chisq"] == pytest.approx(measures.get("chisq.scaled", measures["chisq"]), rel=5e-5)
    for model, (statistic, df, p_value) in expected["differences"].items():
        row = frame.loc[model]
        assert [row["statistic"], row["df_diff"]] == pytest.approx([statistic, df], rel=2e-4), model
        assert row["p_value"] == pytest.approx(p_value, rel=5e-3, abs=1e-12), model
    row = found.correlations.iloc[0]
    sources = {"marker": "Method-C", "sensitivity_05": "Method-S(.05)", "sensitivity_01": "Method-S(.01)"}
    for column, model in sources.items():
        assert row[column] == pytest.approx(expected["correlations"][model], abs=2e-5)
    parts = found.reliability.set_index("factor")
    for k, factor in enumerate(("A", "B")):
        assert parts.loc[factor, "substantive"] == pytest.approx(expected["substantive"][k], abs=2e-5)
        assert parts.loc[factor, "method"] == pytest.approx(expected["method"][k], abs=2e-5)


def test_method_s_in_words(biased: psm.MethodBias) -> None:
    row = biased.correlations.iloc[0]
    gaps = [abs(row[name] - row["marker"]) for name in ("sensitivity_05", "sensitivity_01")]
    assert gaps[0] < gaps[1] == biased.largest_sensitivity
    assert "(Method-S)" in biased.verdict()
    clean = psm.method_bias(TEXT, survey(style=0.0), marker=MARKER)
    assert not set(clean.tidy()["model"]) & {"Method-S(.05)", "Method-S(.01)"}
    assert np.isnan(clean.largest_sensitivity)


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
@pytest.mark.parametrize("ordinal", [False, True])
def test_reversed_wording_is_that_of_lavaan(rows: pd.DataFrame, ordinal: bool) -> None:
    data, name = (answers(rows), "ordinal") if ordinal else (rows, "continuous")
    found = psm.method_bias(TEXT, data, reversed_items=["a3", "a4", "b4"], **({"ordered": True} if ordinal else {}))
    row = found.tidy().set_index("model").loc["Correlated uniqueness"]
    expected = REFERENCE["wording"][name]
    assert [row["statistic"], row["df_diff"]] == pytest.approx(expected[:2], rel=2e-4)
    assert row["p_value"] == pytest.approx(expected[2], rel=5e-3)
    assert row["decision"] == "present"


def test_a_method_factor_of_some_items_is_told_from_one_of_all(rows: pd.DataFrame) -> None:
    found = psm.method_bias(TEXT, rows)
    decisions = found.tidy().set_index("model")["decision"]
    assert decisions[["Method factor, equal", "Method factor, free"]].tolist() == ["absent", "present"]
    assert "one of free loadings does" in found.verdict()
    assert "等载荷" in found.verdict("zh")
    assert "Correlations of the factors" in found.summary()
    assert found.verdict() in found._repr_html_()


def test_reliability_is_divided_as_by_hand(biased: psm.MethodBias) -> None:
    """From lavaan's standardizedSolution of Method-C."""
    columns = ["total", "substantive", "method"]
    expected = [[0.85642645, 0.67253609, 0.18389036], [0.84073464, 0.64097364, 0.19976099]]
    np.testing.assert_allclose(biased.reliability[columns], expected, rtol=2e-5)


def test_harman_is_the_first_eigenvalue(biased: psm.MethodBias) -> None:
    assert biased.tidy()["share"].iloc[0] == pytest.approx(0.42229913, rel=1e-7)


def test_correlations_are_corrected(biased: psm.MethodBias) -> None:
    """The factors are unrelated in the population; style makes them correlate by .36 / 1.36 = .26."""
    row = biased.correlations.iloc[0]
    assert row["measurement"] == pytest.approx(0.265, abs=0.1)
    assert abs(row["marker"]) < 0.1
    assert abs(row["partialled"]) < 0.1
    data = survey()
    fit = psm.cfa(f"{TEXT}\nM =~ m1 + m2 + m3", data, std_lv=True).tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    r, am, bm = fit["A", "~~", "B"], fit["A", "~~", "M"], fit["B", "~~", "M"]
    partial = (r - am * bm) / np.sqrt((1 - am**2) * (1 - bm**2))
    assert row["partialled"] == pytest.approx(partial, abs=1e-5)


def test_verdict_in_words(biased: psm.MethodBias) -> None:
    assert biased.chosen == "Method-C"
    assert "there is method variance" in biased.verdict()
    assert "biases the correlations" in biased.verdict()
    assert "proves nothing" in biased.verdict()
    assert "存在方法变异" in biased.verdict("zh")
    assert biased.verdict() in biased.summary()


def test_without_method_variance_nothing_is_found() -> None:
    clean = psm.method_bias(TEXT, survey(style=0.0), marker=MARKER)
    assert clean.chosen == "Baseline"
    assert "no method variance" in clean.verdict()
    assert clean.tidy().set_index("model").loc["Method-R", "decision"] == "harmless"
    assert clean.largest_change < 0.1


@pytest.mark.slow
def test_the_marker_test_errs_as_often_as_it_says() -> None:
    """Baseline against Method-C without method variance: 5 % of 200 samples, give or take three standard errors."""
    parts = measurement_of(TEXT, marker=MARKER, reversed_items=())

    def p_value(data: pd.DataFrame) -> float:
        first = psm.cfa(parts.with_marker(), data, std_lv=True).tidy().set_index(["lhs", "op", "rhs"])["estimate"]
        fixed = {m: (float(first[parts.marker_name, "=~", m]), float(first[m, "~~", m])) for m in MARKER}
        texts = (parts.baseline(fixed), parts.marked(fixed, equal=True))
        fits = [psm.cfa(text, data, std_lv=True) for text in texts]
        return float(psm.compare(*fits).tidy()["p_value"].iloc[-1])

    rate = np.mean([p_value(survey(seed, style=0.0, n=400)) < 0.05 for seed in range(200)])
    assert abs(rate - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 200)


def test_reversed_wording_is_found() -> None:
    rng = np.random.default_rng(3)
    data = survey(style=0.0)
    wording = rng.normal(size=len(data))
    for item in ("a3", "a4", "b4"):
        data[item] = -(data[item] + 0.7 * wording)
    found = psm.method_bias(TEXT, data, reversed_items=["a3", "a4", "b4"])
    frame = found.tidy().set_index("model")
    assert frame.loc["Correlated uniqueness", "decision"] == "present"
    by_hand = psm.cfa(f"{TEXT}\na3 ~~ a4 + b4\na4 ~~ b4", data).fit_measures
    assert frame.loc["Correlated uniqueness", "chisq"] == pytest.approx(by_hand["chisq"], rel=1e-6)
    assert found.reliability.empty
    assert "Reversed wording adds" in found.verdict()


def test_method_factor_holds_the_measurement_model() -> None:
    """With items that point both ways too, where a careless start ends in a solution of the method alone."""
    data = survey(style=0.5)
    data[["b1", "b2", "b3", "b4"]] *= -1
    frame = psm.method_bias(TEXT, data).tidy().set_index("model")
    assert frame.loc["Method factor, equal", "statistic"] > -1e-4
    assert frame.loc["Method factor, free", "statistic"] > -1e-4


def test_one_factor_has_no_free_method_factor() -> None:
    with pytest.warns(psm.PsmAnalysisWarning, match="not identified"):
        found = psm.method_bias("A =~ a1 + a2 + a3 + a4", survey())
    frame = found.tidy().set_index("model")
    assert "One factor" not in frame.index
    assert frame.loc["Method factor, free", "decision"] == "no solution"
    assert np.isnan(found.largest_change)


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", {}, "matter of the measurement model"),
        ("A =~ a1 + a2 + a3\nB =~ b1", {}, "has one item"),
        ("A =~ a1 + a2\nB =~ b1 + b2\nG =~ A + B", {}, "factor of factors"),
        (TEXT, {"marker": ["m1"]}, "no measurement model"),
        (TEXT, {"marker": "m1"}, "list of different items"),
        (TEXT, {"marker": ["a1", "m1"]}, "correlated by construction"),
        (TEXT, {"marker": ["m1", "total"]}, "correlated by construction"),
        (TEXT, {"reversed_items": ["a9", "a1"]}, "'a9' is not in the model"),
        (TEXT, {"reversed_items": ["a1"]}, "two reversed items or more"),
        (TEXT, {"alpha": 2.0}, "between 0 and 1"),
        (TEXT, {"group": "m1"}, "one group at a time"),
        (TEXT, {"marker": ["m1", "m9"]}, "'m9'"),
    ],
)
def test_refusals(text: str, options: dict[str, object], match: str) -> None:
    data = survey(n=100)
    data["total"] = data[["a1", "a2", "a3", "a4"]].mean(axis=1)
    with pytest.raises(psm.PsmAnalysisError, match=match):
        psm.method_bias(text, data, **options)  # type: ignore[arg-type]


def heavy_tails(seed: int) -> pd.DataFrame:
    """Sixty answers with rare extremes, where the scaled difference of 2001 is not defined."""
    rng = np.random.default_rng(seed)
    common, a, b = rng.normal(size=(3, 60))
    factors = (("a", a), ("b", b))
    return pd.DataFrame(
        {f"{f}{i}": v + 0.3 * common + rng.standard_t(2.5, size=60) for f, v in factors for i in (1, 2, 3)}
    )


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_undefined_scaled_differences_are_tested_in_another_way() -> None:
    text, data = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", heavy_tails(4)
    found = psm.method_bias(text, data, estimator="MLR")
    one = psm.cfa("G =~ a1 + a2 + a3 + b1 + b2 + b3", data, std_lv=True, estimator="MLR")
    plain = psm.cfa(text, data, std_lv=True, estimator="MLR")
    assert np.isnan(psm.compare(plain, one).tidy()["statistic"].iloc[-1])
    row = found.tidy().set_index("model").loc["One factor"]
    assert row["difference_test"] == "satorra.2000"
    expected = psm.compare(plain, one, method="satorra.2000").tidy().iloc[-1]
    assert row["statistic"] == pytest.approx(expected["statistic"], rel=1e-4)
    assert row["decision"] == "not one factor"
    assert row["chisq"] == pytest.approx(one.fit_measures["chisq_scaled"], rel=1e-5)


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_what_has_no_test_is_undecided(biased: psm.MethodBias) -> None:
    text, data = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", heavy_tails(7)
    found = psm.method_bias(text, data, estimator="MLR", missing="fiml")
    assert found.tidy().set_index("model").loc["One factor", "decision"] == "undecided"
    assert any("no test" in warning for warning in found.warnings)
    frame = biased.tidy()
    frame.loc[frame["model"].str.startswith("Method factor"), "decision"] = "undecided"
    untested = replace(biased, frame=frame)
    assert "could not be tested" in untested.verdict()
    assert "无法检验" in untested.verdict("zh")


def test_no_decision_is_unknown_to_the_verdict(biased: psm.MethodBias) -> None:
    for decision in ("undecided", "no solution", "", "something else"):
        frame = biased.tidy()
        frame.loc[frame["model"].str.startswith("Method"), "decision"] = decision
        for chosen in ("Baseline", "Method-C", ""):
            for lang in ("en", "zh"):
                assert replace(biased, frame=frame, chosen=chosen).verdict(lang)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_negative_robust_correction_has_no_interval_but_a_fit() -> None:
    """Before, the square root of the correction failed."""
    found = psm.method_bias("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", heavy_tails(0), estimator="MLR")
    limits = [fit.fit_measures["rmsea_ci_upper_robust"] for fit in found.fits.values()]
    assert np.isnan(limits).any()
    assert np.isfinite(limits).any()


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
@pytest.mark.parametrize(
    ("seed", "model", "decision"), [(1, "Method factor, equal", "absent"), (4, "One factor", "undecided")]
)
def test_a_difference_that_cannot_be_tested_ends_no_study(seed: int, model: str, decision: str) -> None:
    """Before, singular information or moments of one model ended the whole study with an error."""
    text = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3"
    found = psm.method_bias(text, heavy_tails(seed), estimator="MLR", missing="fiml")
    row = found.tidy().set_index("model").loc[model]
    assert row["decision"] == decision
    if decision == "undecided":
        assert any(note.startswith(f"{model}: its difference from") for note in found.warnings)
    else:
        measures = found.fits[model].fit_measures, found.fits["Measurement model"].fit_measures
        assert measures[0]["chisq"] == pytest.approx(measures[1]["chisq"], abs=1e-3)
        assert (row["statistic"], row["p_value"]) == (0.0, 1.0)


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_a_marker_without_a_model_is_told_and_the_rest_is_given(biased: psm.MethodBias) -> None:
    rows = survey().rename(columns={"m1": "标记1"}).assign(标记1=3.0)
    found = psm.method_bias(TEXT, rows, marker=["标记1", "m2", "m3"])
    frame, whole = found.tidy().set_index("model"), biased.tidy().set_index("model")
    marked = ["Marker CFA", "Baseline", "Method-C", "Method-U"]
    assert (frame.loc[marked, "decision"] == "no solution").all()
    assert any(note.startswith("Marker CFA: ") and "标记1" in note for note in found.warnings)
    plain = ["Measurement model", "One factor", "Method factor, equal", "Method factor, free"]
    np.testing.assert_allclose(frame.loc[plain, "chisq"].astype(float), whole.loc[plain, "chisq"].astype(float))
    assert found.chosen == ""
    assert found.reliability.empty
    assert "the marker decides nothing" in found.verdict()
    assert "marker" not in found.correlations
