"""Expected values: R 4.2, lm(), anova(), sandwich::vcovCL(type = "HC1") on the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm

BLOCKS = [["age", "grade"], ["psm", "burnout"]]
TERMS = ["(constant)", "age", "grade[deputy]", "grade[head]", "psm", "burnout"]


def test_coefficients_are_those_of_r(survey: pd.DataFrame) -> None:
    tidy = psm.hierarchical_regression(survey, "stay", blocks=BLOCKS).models[1].tidy().set_index("term")
    assert list(tidy.index) == TERMS
    expected = [1.5016668941448, 0.0287375348428, -0.1414648350187, 0.2663519134746, 0.4114232507871, -0.5223249297121]
    assert tidy["estimate"].to_numpy() == pytest.approx(expected, rel=1e-9)
    errors = [0.33064029443324, 0.00705462634697, 0.19098810042983, 0.18720127833984, 0.0793990405001, 0.06973332339687]
    assert tidy["std_error"].to_numpy() == pytest.approx(errors, rel=1e-9)
    assert tidy.loc["psm", "p_value"] == pytest.approx(4.74569462740e-07, rel=1e-8)


def test_change_in_r_squared(survey: pd.DataFrame) -> None:
    steps = psm.hierarchical_regression(survey, "stay", blocks=BLOCKS).steps
    assert steps["r_squared"].tolist() == pytest.approx([0.089948626765, 0.288156764437], rel=1e-10)
    assert steps["adj_r_squared"].iloc[1] == pytest.approx(0.272946438891, rel=1e-10)
    assert steps["f_change"].iloc[1] == pytest.approx(32.57789, rel=1e-6)
    assert steps["p_change"].iloc[1] == pytest.approx(3.2981e-13, rel=1e-4)
    assert steps["statistic"].iloc[1] == pytest.approx(18.9448124277, rel=1e-10)
    assert (steps["df1_change"].tolist(), steps["df2"].tolist()) == ([3, 2], [236, 234])


def test_change_in_r_squared_follows_its_formula(survey: pd.DataFrame) -> None:
    first, second = psm.hierarchical_regression(survey, "stay", blocks=BLOCKS).steps.to_dict("records")
    change = (second["r_squared"] - first["r_squared"]) / 2 / ((1 - second["r_squared"]) / 234)
    assert second["f_change"] == pytest.approx(change, rel=1e-10)
    assert second["delta_r_squared"] == pytest.approx(second["r_squared"] - first["r_squared"])


def test_standardized_coefficients(survey: pd.DataFrame) -> None:
    raw = psm.hierarchical_regression(survey, "stay", blocks=BLOCKS).models[1].tidy().set_index("term")
    scores = (
        psm.hierarchical_regression(survey, "stay", blocks=BLOCKS, standardize=True).models[1].tidy().set_index("term")
    )
    assert raw.loc[["age", "psm", "burnout"], "beta"].tolist() == pytest.approx(
        [0.2324357238869, 0.3056534911431, -0.4362536453018], rel=1e-9
    )
    assert scores["estimate"].iloc[1:].to_numpy() == pytest.approx(raw["beta"].iloc[1:].to_numpy(), rel=1e-9)
    assert scores["statistic"].iloc[1:].to_numpy() == pytest.approx(raw["statistic"].iloc[1:].to_numpy(), rel=1e-9)
    assert np.isnan(raw.loc["(constant)", "beta"])


def test_cluster_robust_errors(survey: pd.DataFrame) -> None:
    fit = psm.hierarchical_regression(survey, "stay", blocks=BLOCKS, cluster="township")
    errors = [
        0.33042065485534,
        0.00677913716434,
        0.21307090458452,
        0.17673471536545,
        0.09272984077709,
        0.06625989716930,
    ]
    assert fit.models[1].tidy()["std_error"].to_numpy() == pytest.approx(errors, rel=1e-9)
    last = fit.steps.iloc[1]
    assert last["f_change"] == pytest.approx(43.1770593698, rel=1e-9)
    assert (last["df2"], last["n_clusters"]) == (23, 24)


def test_every_model_uses_the_same_rows(survey: pd.DataFrame) -> None:
    holes = survey.copy()
    holes.loc[:19, "burnout"] = np.nan
    fit = psm.hierarchical_regression(holes, "stay", blocks={"controls": ["age"], "strain": ["burnout"]})
    assert fit.steps["nobs"].tolist() == [220, 220]
    assert fit.n_dropped == 20
    assert fit.tidy()["model"].tolist() == ["controls"] * 2 + ["strain"] * 3


def test_category_order_decides_the_reference(survey: pd.DataFrame) -> None:
    ordered = survey.assign(grade=pd.Categorical(survey["grade"], ["head", "clerk", "deputy"]))
    terms = psm.hierarchical_regression(ordered, "stay", blocks=[["grade"]]).tidy()["term"].tolist()
    assert terms == ["(constant)", "grade[clerk]", "grade[deputy]"]


def test_data_are_not_changed(survey: pd.DataFrame) -> None:
    before = survey.copy()
    psm.hierarchical_regression(survey, "stay", blocks=BLOCKS, cluster="township", standardize=True)
    pd.testing.assert_frame_equal(survey, before)


@pytest.mark.parametrize(
    ("change", "blocks", "words"),
    [
        ({}, [["psn"]], ["'psn'", "Did you mean 'psm'?"]),
        ({"twice": "2 * age - 3"}, [["age", "twice"]], ["exact linear combination of age", "'twice'"]),
        ({"stay": "0 * age + 3"}, [["age"]], ["same value 3", "'stay'"]),
        ({"one": "0 * age + 1"}, [["one"]], ["constant", "'one'"]),
        ({"big": "age / 0"}, [["big"]], ["infinite", "'big'"]),
    ],
)
def test_unusable_columns_are_named(
    survey: pd.DataFrame, change: dict[str, str], blocks: list[list[str]], words: list[str]
) -> None:
    data = survey.assign(**{name: survey.eval(text) for name, text in change.items()})
    with pytest.raises(psm.PsmAnalysisError) as raised:
        psm.hierarchical_regression(data, "stay", blocks=blocks)
    for word in words:
        assert word in str(raised.value)


def test_collinear_indicators_are_named(survey: pd.DataFrame) -> None:
    data = survey.assign(head=(survey["grade"] == "head").astype(int), deputy=(survey["grade"] == "deputy").astype(int))
    with pytest.raises(psm.PsmAnalysisError, match="exact linear combination"):
        psm.hierarchical_regression(data, "stay", blocks=[["grade", "head"]])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"blocks": []}, "no block"),
        ({"blocks": [["age"], []]}, "empty"),
        ({"blocks": [["age"], ["age"]]}, "used twice"),
        ({"blocks": [["stay"]]}, "used twice"),
        ({"blocks": [["age"]], "cluster": "townhsip"}, "Did you mean 'township'"),
    ],
)
def test_impossible_requests(survey: pd.DataFrame, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=words):
        psm.hierarchical_regression(survey, "stay", **arguments)  # type: ignore[arg-type]


def test_one_cluster_only(survey: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="one cluster"):
        psm.hierarchical_regression(survey.query("township == 3"), "stay", blocks=[["psm"]], cluster="township")


def test_text_outcome_and_too_few_rows(survey: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="not numeric; its first value is"):
        psm.hierarchical_regression(survey, "grade", blocks=[["psm"]])
    with pytest.raises(psm.PsmAnalysisError, match="3 complete rows"):
        psm.hierarchical_regression(survey.head(3), "stay", blocks=[["psm", "burnout"]])
    with pytest.raises(psm.PsmAnalysisError, match="No row has a value"):
        psm.hierarchical_regression(survey.assign(psm=np.nan), "stay", blocks=[["psm"]])
