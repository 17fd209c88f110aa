"""Indirect effects against ``:=`` definitions, products by hand and resampling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

SERIAL = """
M1 ~ a1*X
M2 ~ a2*X + d*M1
Y ~ c*X + b1*M1 + b2*M2
X =~ x1 + x2 + x3
via1 := a1*b1
via2 := a2*b2
serial := a1*d*b2
indirect := via1 + via2 + serial
total := c + indirect
"""


@pytest.fixture(scope="module")
def fit():  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(7)
    n = 400
    X = rng.normal(size=n)
    M1 = 0.5 * X + rng.normal(size=n)
    M2 = 0.3 * X + 0.4 * M1 + rng.normal(size=n)
    Y = 0.2 * X + 0.3 * M1 + 0.4 * M2 + rng.normal(size=n)
    items = {f"x{i}": X + rng.normal(size=n) * 0.6 for i in (1, 2, 3)}
    return psm.sem(SERIAL, pd.DataFrame({"M1": M1, "M2": M2, "Y": Y} | items))


NAMES = {
    "X -> M1 -> Y": "via1",
    "X -> M2 -> Y": "via2",
    "X -> M1 -> M2 -> Y": "serial",
    "X -> Y: total indirect": "indirect",
    "X -> Y: total": "total",
}


def test_effects_are_those_that_the_model_could_define(fit) -> None:  # type: ignore[no-untyped-def]
    found = psm.indirect_effects(fit, predictor="X", outcome="Y").tidy().set_index("effect")
    defined, std = fit.tidy().set_index("lhs"), fit.standardized().set_index("lhs")
    assert len(found) == 6
    for name, label in NAMES.items():
        for column in ("estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"):
            assert found.loc[name, column] == pytest.approx(defined.loc[label, column], rel=1e-8, abs=1e-12)
        assert found.loc[name, "std_all"] == pytest.approx(std.loc[label, "estimate"], rel=1e-8)
        assert found.loc[name, "std_all_std_error"] == pytest.approx(std.loc[label, "std_error"], rel=1e-8)
    direct = fit.tidy().query("lhs == 'Y' and rhs == 'X'")["estimate"].iloc[0]
    assert found.loc["X -> Y: direct", "estimate"] == pytest.approx(direct, rel=1e-12)
    assert found["kind"].tolist()[-3:] == ["total indirect", "direct", "total"]


def test_all_pairs_with_an_indirect_effect_by_default(fit) -> None:  # type: ignore[no-untyped-def]
    pairs = psm.indirect_effects(fit).tidy()[["predictor", "outcome"]].drop_duplicates().to_numpy().tolist()
    assert sorted(map(tuple, pairs)) == [("M1", "Y"), ("X", "M2"), ("X", "Y")]


def test_monte_carlo_and_bootstrap_intervals(fit) -> None:  # type: ignore[no-untyped-def]
    delta = psm.indirect_effects(fit, predictor="X", outcome="Y").tidy()
    drawn = psm.indirect_effects(fit, predictor="X", outcome="Y", interval="monte-carlo", seed=3).tidy()
    np.testing.assert_allclose(drawn["std_error"], delta["std_error"], rtol=0.05)
    replicates = fit.bootstrap(400, seed=1, ci="bca")
    found = psm.indirect_effects(fit, predictor="X", outcome="Y", bootstrap=replicates)
    table = replicates.tidy().set_index("lhs")
    frame = found.tidy().set_index("effect")
    for name, label in NAMES.items():
        for column in ("std_error", "ci_low", "ci_high", "std_all_ci_low", "std_all_ci_high"):
            assert frame.loc[name, column] == pytest.approx(table.loc[label, column], rel=1e-8, abs=1e-10)
    assert found.glance()["replicates"].iloc[0] == 400


def test_replicates_of_clusters_give_intervals_of_effects() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"unit": np.repeat(np.arange(40), 10), "x": rng.normal(size=400)})
    shared = np.repeat(rng.normal(size=40), 10)
    data["m"] = 0.5 * data["x"] + shared + rng.normal(size=400)
    data["y"] = 0.4 * data["m"] + shared + rng.normal(size=400)
    fit = psm.sem("m ~ a*x\ny ~ b*m\nab := a*b", data, cluster="unit", estimator="MLR")
    replicates = fit.bootstrap(200, seed=2, kind="cluster")
    found = psm.indirect_effects(fit, predictor="x", outcome="y", bootstrap=replicates).tidy().set_index("effect")
    defined = replicates.tidy().set_index("lhs").loc["ab"]
    for column in ("estimate", "std_error", "ci_low", "ci_high"):
        assert found.loc["x -> m -> y", column] == pytest.approx(defined[column], rel=1e-8)
    with pytest.raises(psm.PsmAnalysisError, match="as if the model held"):
        psm.indirect_effects(fit, bootstrap=psm.sem("m ~ x\ny ~ m", data).bootstrap(20, seed=1, kind="bollen-stine"))


def test_effects_are_printed(fit) -> None:  # type: ignore[no-untyped-def]
    found = psm.indirect_effects(fit, predictor="X", outcome="Y")
    text = psm.effects_table(found, labels={"X": "Burden"}).to_text()
    assert "Burden → M1 → M2 → Y" in text
    assert "Burden → Y: total indirect" in text
    assert text == psm.effects_table(found.tidy(), labels={"X": "Burden"}).to_text()
    assert "X → Y：总效应" in psm.effects_table(found, lang="zh").to_text()
    assert "Whole" in psm.effects_table(found, labels={"X -> Y: total": "Whole"}).to_text()


def test_groups_have_their_own_effects(holzinger: pd.DataFrame) -> None:
    fit = psm.sem("x4 ~ x1\nx7 ~ x4 + x1", holzinger, group="school")
    frame = psm.indirect_effects(fit).tidy()
    assert frame["group"].unique().tolist() == fit.group_labels
    assert frame["effect"].iloc[0] == f"x1 -> x4 -> x7 [{fit.group_labels[0]}]"


def test_refusals(fit, holzinger: pd.DataFrame) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(psm.PsmAnalysisError, match="'Z' has no part"):
        psm.indirect_effects(fit, predictor="Z")
    with pytest.raises(psm.PsmAnalysisError, match="no indirect effect"):
        psm.indirect_effects(fit, predictor="Y")
    with pytest.raises(psm.PsmAnalysisError, match="needs replicates of rows or clusters"):
        psm.indirect_effects(fit, interval="bootstrap")
    other = psm.sem("x4 ~ x1\nx7 ~ x4 + x1", holzinger)
    with pytest.raises(psm.PsmAnalysisError, match="another fit"):
        psm.indirect_effects(fit, bootstrap=other.bootstrap(2, seed=1))


LAVAAN = {
    "difference": [0.05308660661, 0.04831522170, -0.041609487837, 0.1477827011],
    "path": [0.07347355947, 0.10396597829],
    "share": [0.9201105760, 0.1344503093, 0.6565928121, 1.1836283400],
}
MODERATED = "x4 ~ x1\nx7 ~ x4 + x1"


def test_groups_are_compared_as_by_lavaan(holzinger: pd.DataFrame) -> None:
    """lavaan 0.6-14: ``:=`` of products with labels by group, and lavTestWald."""
    found = psm.group_differences(psm.sem(MODERATED, holzinger, group="school"))
    frame = found.tidy().set_index(["effect", "kind"])
    indirect = frame.loc[("x1 -> x4 -> x7", "indirect")]
    columns = ["estimate", "std_error", "ci_low", "ci_high"]
    np.testing.assert_allclose(indirect[columns].astype(float), LAVAAN["difference"], rtol=2e-6)
    np.testing.assert_allclose(frame.loc[("x1 -> x4", "path"), columns[:2]].astype(float), LAVAAN["path"], rtol=2e-6)
    test = found.tests.set_index("effect").loc["x1 -> x4 -> x7"]
    np.testing.assert_allclose([test["statistic"], test["p_value"]], [1.20726324069, 0.271874808159], rtol=2e-6)
    assert (indirect["group"], indirect["other_group"], test["df"]) == ("Pasteur", "Grant-White", 1)
    drawn = psm.group_differences(psm.sem(MODERATED, holzinger, group="school"), interval="monte-carlo", seed=1)
    np.testing.assert_allclose(drawn.tidy()["std_error"], found.tidy()["std_error"], rtol=0.05)


def test_equal_paths_do_not_differ(holzinger: pd.DataFrame) -> None:
    fit = psm.sem(MODERATED, holzinger, group="school", group_equal=["regressions"])
    found = psm.group_differences(fit)
    assert (found.tidy()["std_error"] < 1e-12).all()
    assert (found.tests["df"] == 0).all()
    assert found.tests["p_value"].isna().all()


def test_share_that_is_mediated(holzinger: pd.DataFrame) -> None:
    """lavaan 0.6-14: ``pm := a*b/(a*b + d)``."""
    frame = psm.indirect_effects(psm.sem("x4 ~ x1\nx5 ~ x4 + x1", holzinger)).proportion_mediated()
    columns = ["estimate", "std_error", "ci_low", "ci_high"]
    np.testing.assert_allclose(frame[columns].to_numpy()[0], LAVAAN["share"], rtol=2e-6)
    unstable = psm.indirect_effects(psm.sem(MODERATED, holzinger))
    with pytest.warns(psm.PsmAnalysisWarning, match="unstable"):
        unstable.proportion_mediated()
    opposite = psm.indirect_effects(psm.sem(MODERATED, holzinger[holzinger["school"] == "Pasteur"]))
    with pytest.warns(psm.PsmAnalysisWarning, match="opposite signs"):
        opposite.proportion_mediated()
    chain = psm.indirect_effects(psm.sem("x4 ~ x1\nx5 ~ x4", holzinger))
    with pytest.raises(psm.PsmAnalysisError, match="both direct and indirect"):
        chain.proportion_mediated()


def test_what_cannot_be_compared(fit, holzinger: pd.DataFrame) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(psm.PsmAnalysisError, match="one group"):
        psm.group_differences(fit)
    measured = psm.cfa("f =~ x1 + x2 + x3", holzinger, group="school")
    with pytest.raises(psm.PsmAnalysisError, match="no regressions"):
        psm.group_differences(measured)
    groups = psm.sem(MODERATED, holzinger, group="school")
    with pytest.raises(psm.PsmAnalysisError, match="no path between"):
        psm.group_differences(groups, predictor="x7", outcome="x1")
    with pytest.raises(psm.PsmAnalysisError, match="n=1"):
        psm.group_differences(groups, interval="monte-carlo", n=1)


def test_paths_that_run_in_a_circle_are_refused(holzinger: pd.DataFrame) -> None:
    fit = psm.sem("x4 ~ x1 + x7\nx7 ~ x2 + x4\nx9 ~ x7", holzinger)
    with pytest.raises(psm.PsmAnalysisError, match="in a circle"):
        psm.indirect_effects(fit)
