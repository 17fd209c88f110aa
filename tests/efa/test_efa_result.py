"""What a person does with an exploratory factor analysis, and what it says when the data are no good."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.efa.schmid_leiman import schmid_leiman
from psm_analysis.efa.scores import score_weights
from psm_analysis.errors import DataError, ModelError, OptionError, PsmAnalysisWarning

PHI = np.array([[1, 0.4, 0.3], [0.4, 1, 0.5], [0.3, 0.5, 1]])
PATTERN = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.75]]))
R = PATTERN @ PHI @ PATTERN.T
np.fill_diagonal(R, 1.0)


def answers(n=400, seed=1):
    values = np.random.default_rng(seed).standard_normal((n, 12)) @ np.linalg.cholesky(R).T
    return pd.DataFrame(values, columns=[f"q{j}" for j in range(1, 13)])


@pytest.mark.parametrize("extraction", ["minres", "uls", "ml", "gls", "wls", "pa"])
def test_oblique_population_is_recovered(extraction):
    found = psm.efa(R, 3, extraction=extraction, nobs=500)
    within = 0.02 if extraction == "pa" else 1e-4
    order = [int(np.argmax(np.abs(PATTERN[:, j] @ found.loadings.to_numpy()))) for j in range(3)]
    np.testing.assert_allclose(found.loadings.to_numpy()[:, order], PATTERN, atol=within)
    np.testing.assert_allclose(found.factor_correlations.to_numpy()[np.ix_(order, order)], PHI, atol=within)
    np.testing.assert_allclose(found.communalities, (PATTERN**2).sum(1), atol=within)


def test_communalities_and_variance_take_account_of_factor_correlations():
    found = psm.efa(answers(), 3, rotation="oblimin")
    unrotated = psm.efa(answers(), 3, rotation="none")
    pd.testing.assert_series_equal(found.communalities, unrotated.communalities)
    assert found.variance_explained["ss_loadings"].sum() == pytest.approx(found.communalities.sum())
    assert found.variance_explained["cumulative"].iloc[-1] == pytest.approx(found.communalities.mean())
    phi = found.factor_correlations.to_numpy()
    expected = np.diag(found.loadings.to_numpy() @ phi @ found.loadings.to_numpy().T)
    np.testing.assert_allclose(found.communalities, expected)
    assert found.fit_measures == pytest.approx(unrotated.fit_measures)


def test_factors_are_ordered_and_signed_whatever_the_order_and_sign_of_items():
    data = answers()
    one = psm.efa(data, 3)
    assert (np.diff(one.variance_explained["ss_loadings"]) <= 1e-5).all()
    assert (one.loadings.sum() > 0).all()
    two = psm.efa(data[data.columns[::-1]], 3)
    np.testing.assert_allclose(two.loadings.loc[one.loadings.index], one.loadings, atol=1e-3)


def test_matrix_and_answers_agree():
    data = answers()
    from_matrix = psm.efa(data.corr(), 3, nobs=len(data))
    from_answers = psm.efa(data, 3)
    pd.testing.assert_frame_equal(from_matrix.loadings, from_answers.loadings)
    assert from_matrix.fit_measures == pytest.approx(from_answers.fit_measures)


def test_without_the_number_of_cases_there_is_no_chi_square():
    found = psm.efa(R, 3)
    assert "chisq" not in found.fit_measures
    assert {"df", "rmsr", "objective"} <= set(found.fit_measures)
    assert "RMSR" in found.summary()


def test_scores_have_the_properties_they_are_chosen_for():
    data = answers(2000)
    found = psm.efa(data, 3, extraction="ml")
    phi = found.factor_correlations.to_numpy()
    scores = {m: found.factor_scores(method=m) for m in ("regression", "bartlett", "tenberge", "anderson_rubin")}
    np.testing.assert_allclose(scores["tenberge"].corr(), phi, atol=1e-8)
    np.testing.assert_allclose(scores["anderson_rubin"].cov(), np.eye(3), atol=1e-8)
    np.testing.assert_allclose(found.score_weights("bartlett").T @ found.loadings, np.eye(3), atol=1e-8)
    np.testing.assert_allclose(scores["regression"].var(), found.determinacy["r_squared"], atol=1e-8)
    assert scores["regression"].index.equals(data.index)


def test_scores_of_new_answers_use_the_old_means():
    data = answers()
    found = psm.efa(data, 3)
    old = found.factor_scores()
    pd.testing.assert_frame_equal(found.factor_scores(data.iloc[:5]), old.iloc[:5])
    holed = data.iloc[:5].copy()
    holed.iloc[2, 3] = np.nan
    assert list(found.factor_scores(holed).index) == [0, 1, 3, 4]
    with pytest.raises(DataError, match="q3"):
        found.factor_scores(data.drop(columns="q3"))
    with pytest.raises(DataError, match="matrix"):
        psm.efa(R, 3).factor_scores(data)


def test_scores_refuse_to_divide_by_nothing():
    with pytest.raises(OptionError, match="not positive"):
        score_weights(np.array([[1.0], [0.5], [0.5]]), np.eye(3), method="bartlett")


def test_result_protocol():
    found = psm.efa(answers(), 3)
    tidy = found.tidy()
    assert len(tidy) == 36
    assert {"item", "factor", "estimate", "communality"} <= set(tidy.columns)
    assert found.glance().loc[0, "df"] == 33
    text = found.summary()
    assert "Factor correlations" in text
    assert "chi-square(33)" in text
    assert "<table" in found._repr_html_()
    assert found.loadings_table(cut=0.3).isna().sum().sum() >= 20
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.nobs = 3
    assert np.allclose(np.diag(found.residuals), found.uniquenesses)


def test_random_starts_are_reported():
    found = psm.efa(answers(), 3, rotation="geominQ", n_starts=10, seed=1)
    assert found.rotation_minima >= 1
    targeted = psm.efa(answers(2000), 3, rotation="targetQ", n_starts=5, seed=1, rotation_options={"target": PATTERN})
    np.testing.assert_allclose(np.sort(targeted.loadings, axis=0)[-4:].mean(0), 0.71, atol=0.05)


def test_spearman_and_polychoric():
    data = answers(600).apply(lambda column: np.digitize(column, [-1, -0.3, 0.4, 1.1]) + 1)
    pearson, spearman, polychoric = (
        psm.efa(data, 3, correlation=kind).communalities.mean() for kind in ("pearson", "spearman", "polychoric")
    )
    assert polychoric > pearson
    assert abs(spearman - pearson) < 0.1
    assert polychoric == pytest.approx((PATTERN**2).sum() / 12, abs=0.04)


@pytest.mark.parametrize(
    ("data", "k", "error", "message"),
    [
        (np.eye(4) * 0.5 + 0.5, 2, ModelError, "at most 1 factor"),
        (np.eye(5) * 0.5 + 0.5, 5, ModelError, "not identified"),
        (np.eye(5) * 0.5 + 0.5, 0, OptionError, "n_factors=0"),
        (np.eye(5) * 0.5 + 0.5, 1.5, OptionError, "whole number"),
        (answers().assign(q3=1.0), 2, DataError, "q3"),
        (answers().assign(q4=np.nan), 2, DataError, "q4"),
        (answers().assign(q5="a"), 2, DataError, "q5"),
    ],
)
def test_what_cannot_be_analysed_is_named(data, k, error, message):
    with pytest.raises(error, match=message):
        psm.efa(data, k)


def test_wrong_options():
    with pytest.raises(OptionError, match="minres"):
        psm.efa(R, 2, extraction="minre")
    with pytest.raises(OptionError, match="varimax"):
        psm.efa(R, 2, rotation="varimx")
    with pytest.raises(OptionError, match="answers"):
        psm.efa(R, 2, correlation="polychoric")
    with pytest.raises(OptionError, match="nobs"):
        psm.efa(answers(), 2, nobs=300)


def test_heywood_case_is_kept_on_the_result():
    S = np.full((5, 5), 0.3) + 0.7 * np.eye(5)
    S[0, 1] = S[1, 0] = 0.85
    S[0, 2] = S[2, 0] = 0.6
    with pytest.warns(PsmAnalysisWarning, match="Heywood case: the communality of x1"):
        found = psm.efa(S, 1, extraction="ml", nobs=200)
    assert len(found.warnings) == 1
    assert "Heywood" in found.summary()


def test_fewer_cases_than_items_and_singular_matrix():
    few = answers(10)
    with pytest.warns(PsmAnalysisWarning) as caught:
        found = psm.efa(few, 1)
    texts = [str(one.message) for one in caught]
    assert any("no more cases (10) than items (12)" in text for text in texts)
    assert any("singular" in text for text in texts)
    assert set(texts) == set(found.warnings)
    assert "chisq" not in found.fit_measures
    with pytest.raises(DataError, match="singular"):
        psm.efa(few, 1, extraction="ml")


def test_saturated_model_says_so():
    with pytest.warns(PsmAnalysisWarning, match="no degrees of freedom"):
        found = psm.efa(np.eye(3) * 0.5 + 0.5, 1, nobs=100)
    assert "pvalue" not in found.fit_measures


def test_schmid_leiman_of_a_second_order_population():
    gamma = np.array([0.8, 0.7, 0.6])
    phi = np.outer(gamma, gamma)
    np.fill_diagonal(phi, 1.0)
    S = PATTERN @ phi @ PATTERN.T
    np.fill_diagonal(S, 1.0)
    found = schmid_leiman(psm.efa(S, 3, nobs=500))
    np.testing.assert_allclose(found.loadings["g"], PATTERN @ gamma, atol=1e-3)
    np.testing.assert_allclose(found.communalities, (PATTERN**2).sum(1), atol=1e-3)
    general = (PATTERN @ gamma) ** 2
    assert found.explained_common_variance == pytest.approx(general.sum() / (PATTERN**2).sum(), abs=1e-3)
    assert len(found.tidy()) == 48
    with pytest.raises(ModelError, match="correlated factors"):
        schmid_leiman(psm.efa(S, 3, rotation="varimax"))
    two = schmid_leiman(psm.efa(S[:8, :8], 2))
    assert two.second_order.iloc[0] == pytest.approx(two.second_order.iloc[1])
    assert two.warnings


def test_subpackage_and_function_share_their_name():
    import psm_analysis.efa

    called = psm_analysis.efa(R, 3)
    assert called.n_factors == 3


def _or_the_reason(call):
    try:
        return call()
    except OptionError as error:
        return str(error)


@pytest.mark.parametrize(("extraction", "rotation"), [("minres", "varimax"), ("ml", "oblimin")])
def test_factor_analyzer_agrees_or_says_why_not(extraction, rotation):
    package = pytest.importorskip("factor_analyzer")
    before = package.factor_analyzer.check_array
    options = {"extraction": extraction, "rotation": rotation}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        other = _or_the_reason(lambda: psm.efa(answers(), 3, engine="factor_analyzer", **options))
    assert package.factor_analyzer.check_array is before
    if isinstance(other, str):
        assert "scikit-learn" in other
        return
    own = psm.efa(answers(), 3, **options)
    np.testing.assert_allclose(other.loadings, own.loadings, atol=2e-3)
    np.testing.assert_allclose(other.communalities, own.communalities, atol=2e-3)


def test_the_same_block_in_a_structural_model_has_the_same_loadings():
    data = answers()
    own = psm.efa(data, 3, extraction="ml", rotation="quartimin", n_starts=10, seed=1)
    fit = psm.cfa(own.to_syntax(), data, rotation="quartimin")
    found = fit.tidy().query("op == '=~'").pivot(index="rhs", columns="lhs", values="std_all")
    found = found.loc[own.loadings.index].to_numpy()
    overlap = found.T @ own.loadings.to_numpy()
    order = np.abs(overlap).argmax(axis=0)
    assert sorted(order) == [0, 1, 2]
    turned = found[:, order] * np.sign(overlap[order, [0, 1, 2]])
    np.testing.assert_allclose(turned, own.loadings, atol=1e-3)
    assert fit.fit_measures["df"] == own.fit_measures["df"]
    assert psm.efa(data, 1).to_syntax().startswith("F1 =~ ")


def test_factor_analyzer_knows_less():
    pytest.importorskip("factor_analyzer")
    with pytest.raises(OptionError, match="no extraction 'gls'"):
        psm.efa(R, 3, engine="factor_analyzer", extraction="gls")
    with pytest.raises(OptionError, match="no rotation 'bifactor'"):
        psm.efa(R, 3, engine="factor_analyzer", rotation="bifactor")
