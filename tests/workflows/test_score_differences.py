"""Group differences of the dossier: values of R, hand calculation, and groups that cannot be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.instruments.model import Text
from psm_analysis.survey.codebook import Variable
from psm_analysis.survey.wave import SurveyWave
from psm_analysis.workflows.score_differences import compare_groups, score_differences

SCORES = pd.Series([3.2, 4.1, 2.8, 3.9, 4.4, 2.1, 3.0, 2.5, 4.8, 4.9, 4.2, 4.6, 3.7], name="score")
GROUPS = pd.Series(list("aaaaabbbccccc"), name="unit")
R_T = (2.91086740961, 5.72436699981, 0.02845756518)
R_F = (14.027590108276, 2.0, 5.855994656687, 0.005843768185)
GENDER = Variable(
    "gender", "gender", "group", Text("Gender", "性别"), values={"1": Text("men", "男"), "2": Text("women", "女")}
)
GRADE = Variable("grade", "grade", "group", Text("Grade", "职级"))


def wave_of(frame: pd.DataFrame, *variables: Variable) -> SurveyWave:
    book = psm.wave_from_frame(frame, instruments="psm16").codebook
    return psm.wave_from_frame(frame, codebook=replace(book, variables=variables), instruments="psm16")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return psm.make_public_service_survey(900, waves=1, seed=3).data


def test_two_groups_agree_with_r() -> None:
    """R 4.2.2: t.test(score ~ unit), units a and b."""
    row = compare_groups(SCORES[:8], GROUPS[:8])[0]
    assert row["test"] == "t"
    np.testing.assert_allclose([row["statistic"], row["df2"], row["p_value"]], R_T, rtol=1e-6)
    pooled = np.sqrt((4 * SCORES[:5].var() + 2 * SCORES[5:8].var()) / 6)
    assert row["effect"] == pytest.approx((SCORES[:5].mean() - SCORES[5:8].mean()) / pooled)


def test_three_groups_agree_with_r() -> None:
    """R 4.2.2: oneway.test(score ~ unit); omega squared from its F by hand."""
    rows = compare_groups(SCORES, GROUPS)
    assert [row["n"] for row in rows] == [5, 3, 5]
    found = [rows[0][name] for name in ("statistic", "df1", "df2", "p_value")]
    np.testing.assert_allclose(found, R_F, rtol=1e-6)
    assert rows[2]["effect"] == pytest.approx(2 * (R_F[0] - 1) / (2 * (R_F[0] - 1) + 13))


def test_no_difference_is_an_omega_of_zero() -> None:
    row = compare_groups(pd.Series([1.0, 2, 3] * 3, name="x"), pd.Series(list("aaabbbccc"), name="g"))[0]
    assert row["effect"] == 0.0


def test_groups_of_one_and_groups_without_variance_are_named() -> None:
    single = pd.Series(list("aaaaabbbccccd"), name="unit")
    with pytest.warns(psm.PsmAnalysisWarning, match="Group 'd' of 'unit' has 1 score"):
        assert [row["group"] for row in compare_groups(SCORES, single)] == ["a", "b", "c"]
    with pytest.warns(psm.PsmAnalysisWarning, match="all scores of a group are equal"):
        rows = compare_groups(pd.Series([1.0, 1, 2, 3], name="x"), pd.Series(list("aabb"), name="g"))
    assert [row["mean"] for row in rows] == [1.0, 2.5]
    assert np.isnan(rows[0]["p_value"])
    with pytest.warns(psm.PsmAnalysisWarning, match="fewer than two groups"):
        compare_groups(SCORES[:5], GROUPS[:5])


def test_missing_groups_are_counted_and_labels_follow_the_language(frame: pd.DataFrame) -> None:
    holes = frame.assign(gender=frame["gender"].where(frame.index % 10 != 0))
    holes.loc[5, "gender"] = 3
    wave = wave_of(holes, GENDER)
    with (
        pytest.warns(psm.PsmAnalysisWarning, match="90 respondents have no value of 'gender'"),
        pytest.warns(psm.PsmAnalysisWarning, match="Groups of one respondent are left out of 'gender': 3"),
    ):
        table = score_differences(wave, "psm16", items=wave.items("psm16"), lang="zh")
    assert table["group"].tolist() == ["男", "女"] * 5
    assert set(table["variable"]) == {"性别"}
    scores = psm.score_scales(frame, "psm16")
    assert table["mean"].iloc[0] == pytest.approx(scores.loc[holes["gender"] == 1, "aps"].mean())


def test_the_dossier_has_the_table(frame: pd.DataFrame) -> None:
    dossier = psm.validate_scale(wave_of(frame, GENDER, GRADE), "psm16", seed=1, n_iterations=10)
    assert set(dossier.groups["test"]) == {"t", "F"}
    assert "groups" in set(dossier.tidy()["step"])
    text = dossier.tables["groups"].to_text()
    assert "Gender" in text
    assert "ω² =" in text
