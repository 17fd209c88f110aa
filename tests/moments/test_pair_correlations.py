"""Correlations of pairs against scipy, normality tests and distances, and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError, PsmAnalysisWarning
from psm_analysis.moments.correlations import correlation_matrix
from psm_analysis.moments.sample import read_sample


@pytest.fixture
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = np.round(rng.standard_normal((80, 4)) + rng.standard_normal((80, 1)) + 3)
    x[rng.random(x.shape) < 0.1] = np.nan
    return pd.DataFrame(x, columns=["甲", "乙", "丙", "丁"])


@pytest.mark.parametrize(
    ("method", "reference"),
    [("pearson", stats.pearsonr), ("spearman", stats.spearmanr), ("kendall", stats.kendalltau)],
)
def test_estimates_and_p_values_agree_with_scipy(answers: pd.DataFrame, method: str, reference) -> None:
    result = psm.correlations(answers, method=method)
    for a in answers:
        for b in answers:
            if a != b:
                both = answers[[a, b]].dropna()
                expected = reference(both[a], both[b])
                assert result.n.loc[a, b] == len(both)
                assert result.matrix.loc[a, b] == pytest.approx(expected.statistic, abs=1e-12)
                assert result.p_value.loc[a, b] == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


def test_pearson_interval_agrees_with_scipy(answers: pd.DataFrame) -> None:
    result = psm.correlations(answers, missing="listwise", level=0.9)
    complete = answers.dropna()
    ends = stats.pearsonr(complete["甲"], complete["丁"]).confidence_interval(0.9)
    assert result.ci_low.loc["甲", "丁"] == pytest.approx(ends.low, abs=1e-12)
    assert result.ci_high.loc["甲", "丁"] == pytest.approx(ends.high, abs=1e-12)
    assert (result.n == len(complete)).all().all()


def test_pairwise_covariances_are_those_of_pandas(answers: pd.DataFrame) -> None:
    matrix, n = correlation_matrix(read_sample(answers))
    np.testing.assert_allclose(matrix, answers.corr(), atol=1e-12)
    assert n[0, 0] == answers["甲"].count()


def test_polychoric_method_and_tidy(answers: pd.DataFrame) -> None:
    result = psm.correlations(answers, method="polychoric")
    np.testing.assert_allclose(result.matrix, psm.polychoric(answers).correlations)
    tidy = result.tidy()
    assert len(tidy) == 6
    assert tidy.columns[:3].tolist() == ["lhs", "rhs", "estimate"]
    assert tidy["p_value"].between(0, 1).all()
    assert "polychoric" in result.summary()


def test_unknown_options_are_named(answers: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="Did you mean 'pearson'"):
        psm.correlations(answers, method="person")
    with pytest.raises(OptionError, match="missing="):
        psm.correlations(answers, missing="fiml")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([3, 3, 3, 3], "constant"),
        ([np.nan] * 4, "no answers"),
        (["1", "2", "x", "4"], "not numeric"),
        ([1, 2, np.inf, 4], "infinite"),
    ],
)
@pytest.mark.parametrize("function", [psm.correlations, psm.mardia, psm.mahalanobis, psm.little_mcar])
def test_bad_columns_are_named_by_every_function(function, column: list, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        function(pd.DataFrame({"好": [1, 2, 4, 3], "坏": column}))
    assert "'坏'" in caught.value.where


def test_nullable_integers_and_booleans_are_read() -> None:
    frame = pd.DataFrame({"a": pd.array([1, 2, None], dtype="Int64"), "b": [True, False, True]})
    sample = read_sample(frame)
    assert np.isnan(sample.values[2, 0])
    assert sample.values[:, 1].tolist() == [1.0, 0.0, 1.0]


def test_duplicate_names_and_empty_tables() -> None:
    with pytest.raises(DataError, match="same name"):
        psm.describe(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match="no rows"):
        psm.describe(pd.DataFrame({"a": []}))


def test_describe_warns_about_a_constant_item_and_orders_as_given() -> None:
    with pytest.warns(PsmAnalysisWarning, match="乙"):
        table = psm.describe(pd.DataFrame({"乙": [2, 2, 2], "甲": [1, 2, 4]}))
    assert table.index.tolist() == ["乙", "甲"]
    assert table.index.name == "item"
    x = np.array([1.0, 2.0, 4.0])
    assert table.loc["甲", "skew"] == pytest.approx(stats.skew(x) * (2 / 3) ** 1.5)
    assert table.loc["甲", "kurtosis"] == pytest.approx((stats.kurtosis(x) + 3) * (2 / 3) ** 2 - 3)
    assert table.loc["甲", "mad"] == pytest.approx(1.4826)


def test_mahalanobis_of_incomplete_rows_uses_what_was_answered(answers: pd.DataFrame) -> None:
    distances = psm.mahalanobis(answers)
    assert distances.index.equals(answers.index)
    assert distances.notna().all()
    complete = answers.dropna()
    centred = complete - complete.mean()
    expected = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(complete.cov()), centred)
    np.testing.assert_allclose(psm.mahalanobis(complete), expected, rtol=1e-9)


def test_collinear_items_and_too_few_rows_are_named() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((30, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "sum": x.sum(axis=1), "c": rng.standard_normal(30)})
    with pytest.raises(DataError, match="combination") as caught:
        psm.mahalanobis(frame)
    assert "sum" in caught.value.where
    with pytest.raises(DataError, match="not enough"):
        psm.mardia(frame.iloc[:3])


def test_henze_zirkler_accepts_normal_and_rejects_skewed_data() -> None:
    rng = np.random.default_rng(5)
    p_values = [psm.henze_zirkler(pd.DataFrame(rng.standard_normal((80, 3)))).p_value for _ in range(100)]
    assert 0.4 < np.mean(p_values) < 0.6
    assert psm.henze_zirkler(pd.DataFrame(rng.exponential(size=(80, 3)))).p_value < 1e-4


def test_henze_zirkler_by_its_definition() -> None:
    x = np.random.default_rng(6).standard_normal((12, 2))
    n, p = x.shape
    inverse = np.linalg.inv(np.cov(x.T, ddof=0))
    b2 = (1 / np.sqrt(2) * (n * (2 * p + 1) / 4) ** (1 / (p + 4))) ** 2
    pairs = sum(np.exp(-b2 / 2 * (a - b) @ inverse @ (a - b)) for a in x for b in x) / n
    own = sum(np.exp(-b2 / (2 * (1 + b2)) * (a - x.mean(0)) @ inverse @ (a - x.mean(0))) for a in x)
    expected = pairs - 2 * (1 + b2) ** (-p / 2) * own + n * (1 + 2 * b2) ** (-p / 2)
    assert psm.henze_zirkler(pd.DataFrame(x)).statistic == pytest.approx(expected, rel=1e-10)


def test_spearman_with_missing_answers_ranks_the_cases_of_each_pair() -> None:
    rng = np.random.default_rng(8)
    latent = rng.standard_normal((200, 1)) + rng.standard_normal((200, 4))
    few = pd.DataFrame(np.digitize(latent, [-1.5, 0.0, 0.7]) / 3.0, columns=list("abcd"))
    many = pd.DataFrame(latent.round(1), columns=list("abcd"))
    for frame in (few, many):
        holes = frame.mask(rng.random(frame.shape) < 0.2)
        expected = holes.corr(method="spearman").to_numpy()
        np.testing.assert_allclose(psm.correlations(holes, method="spearman").matrix, expected, atol=1e-12)
