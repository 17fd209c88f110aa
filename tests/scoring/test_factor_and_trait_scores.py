"""Ten Berge and expected a posteriori scores: frozen, stored, and equal to those of the fits they come from."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.errors import ModelError, OptionError
from psm_analysis.scoring.eap import expected_a_posteriori
from psm_analysis.scoring.model import ItemResponse
from psm_analysis.workflows.factor_scales import ten_berge

ONE_FACTOR = "f =~ support1 + support2 + support3 + support4"
WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"


@pytest.fixture(scope="module")
def wave() -> psm.SurveyWave:
    return psm.read_survey(WAVES / "wave1.csv", instruments=["psm16", "olbi", "org_support"])


@pytest.fixture(scope="module")
def new() -> psm.SurveyWave:
    return psm.read_survey(WAVES / "wave2.csv", instruments=["psm16", "olbi", "org_support"])


@pytest.fixture(scope="module")
def eap(wave) -> psm.ScoringModel:
    return psm.calibrate(wave, "org_support", method="eap")


def test_ten_berge_scores_keep_the_factor_covariances(wave) -> None:
    model = psm.calibrate(wave, "psm16", method="tenberge")
    fit = psm.cfa(psm.get_instrument("psm16").model(), wave.items("psm16"), meanstructure=True)
    rows = wave.data.loc[wave.items("psm16").dropna().index]
    scores = model.score(rows)[[scale.id for scale in model.scales]]
    W = np.array([scale.weights for scale in model.scales])
    Sigma = fit.implied()["cov"].loc[list(model.item_ids), list(model.item_ids)].to_numpy()
    phi = fit.tidy().query("op == '~~'").set_index(["lhs", "rhs"])["estimate"]
    Phi = np.array([[phi.get((a, b), phi.get((b, a))) for b in scores] for a in scores])
    np.testing.assert_allclose(W @ Sigma @ W.T, Phi, atol=1e-10)
    np.testing.assert_allclose(scores.mean(), 0.0, atol=1e-8)


def test_ten_berge_weights_are_those_of_psych() -> None:
    """R, psych 2.2.9: factor.scores(R, f = L, Phi = Phi, method = "tenBerge")$weights."""
    L = np.array([[0.8, 0.1], [0.7, 0.0], [0.6, 0.1], [0.1, 0.6], [0.0, 0.7]])
    Phi = np.array([[1.0, 0.4], [0.4, 1.0]])
    R = L @ Phi @ L.T
    np.fill_diagonal(R, 1.0)
    by_psych = [
        [0.63472643748485, 0.31707362504620, 0.23252509334746, 0.00591045034624, -0.04497659283103],
        [0.0737933374412, -0.0449765928310, 0.0475234134131, 0.4822028717487, 0.6494877653098],
    ]
    np.testing.assert_allclose(ten_berge(SimpleNamespace(Sigma=R, C=Phi, D=L @ Phi), 2), by_psych, atol=1e-9)


def test_standard_errors_of_factor_scores(wave) -> None:
    """cov(W y - eta) by simulation of eta and y from the fitted model."""
    fit = psm.cfa(ONE_FACTOR, wave.items("org_support"), meanstructure=True)
    est = fit.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    items = [f"support{j}" for j in range(1, 5)]
    rng = np.random.default_rng(3)
    eta = rng.normal(size=400_000) * np.sqrt(est["f", "~~", "f"])
    noise = rng.normal(size=(len(eta), 4)) * np.sqrt([est[i, "~~", i] for i in items])
    y = eta[:, None] * np.array([est["f", "=~", i] for i in items]) + noise
    for method in ("regression", "bartlett", "tenberge"):
        scale = psm.calibrate(wave, "org_support", model=ONE_FACTOR, method=method).scales[0]
        assert scale.std_error == pytest.approx(np.std(y @ np.array(scale.weights) - eta), rel=0.01)


def test_eap_scores_are_those_of_the_graded_response_model(wave, new, eap) -> None:
    fit = psm.graded_response(wave.items("org_support"))
    expected = fit.person_scores(new.items("org_support"))
    scores = eap.score(new.data)
    np.testing.assert_allclose(scores.loc[expected.index, "support"], expected["estimate"], atol=1e-11)
    np.testing.assert_allclose(scores.loc[expected.index, "support_se"], expected["std_error"], atol=1e-11)
    assert scores.drop(index=expected.index)["support"].isna().all()


def test_eap_scores_of_an_ordinal_fit(wave, new) -> None:
    model = psm.calibrate(wave, "org_support", method="eap", model=ONE_FACTOR)
    fit = psm.cfa(ONE_FACTOR, wave.items("org_support"), ordered=True, std_lv=True)
    expected = fit.factor_scores(new.items("org_support"), method="eap", std_errors=True)
    scores = model.score(new.data).loc[expected.index]
    np.testing.assert_allclose(scores["f"], expected["f"], atol=1e-5)
    np.testing.assert_allclose(scores["f_se"], expected["f_std_error"], atol=1e-4)


def test_eap_by_brute_force() -> None:
    items = (ItemResponse("logit", 1.3, (1.0, -0.5), (1, 2, 3)), ItemResponse("probit", 0.7, (0.2,), (0, 1)))
    theta = np.linspace(-8, 8, 20_001)
    first = 1 / (1 + np.exp(-(1.3 * theta - 0.5)))
    second = norm.cdf(-(0.7 * theta + 0.2))
    density = np.exp(-(theta**2) / 2) * first * second
    mean = (theta * density).sum() / density.sum()
    sd = np.sqrt((density * (theta - mean) ** 2).sum() / density.sum())
    found = expected_a_posteriori(items, np.array([[3.0, 0.0]]), n_nodes=61)
    np.testing.assert_allclose(np.ravel(found), [mean, sd], atol=1e-8)


def test_many_items_in_blocks_are_scored_as_one_by_one() -> None:
    """Sixteen items make four blocks; a category that is all but impossible, and rows with gaps, included."""
    rng = np.random.default_rng(8)
    items = tuple(
        ItemResponse("logit", a, (d + 2.0, d, d - 1.0, d - 40.0), (1, 2, 3, 4, 5))
        for a, d in zip(rng.uniform(0.5, 4, 16), rng.normal(size=16), strict=True)
    )
    answers = rng.integers(1, 6, (200, 16)).astype(float)
    answers[rng.random(answers.shape) < 0.2] = np.nan
    answers[0] = np.nan
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    for row, mean, error in zip(answers, *expected_a_posteriori(items, answers, n_nodes=41), strict=True):
        if np.isnan(row).all():
            assert np.isnan([mean, error]).all()
            continue
        given = []
        for item, x in zip(items, row, strict=True):
            edges = np.array([np.inf, *item.intercepts, -np.inf]) + item.slope * nodes[:, None]
            if not np.isnan(x):  # F(a) - F(b) = F(a) F(-b) (1 - exp(b - a))
                a, b = edges[:, int(x) - 1], edges[:, int(x)]
                given.append(expit(a) * expit(-b) * -np.expm1(b - a))
        log = np.log(weights) + np.log(np.maximum(given, 1e-300)).sum(axis=0)
        posterior = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
        assert mean == pytest.approx(posterior @ nodes, abs=1e-9)
        assert error == pytest.approx(np.sqrt(posterior @ (nodes - posterior @ nodes) ** 2), abs=1e-9)


def test_a_row_has_the_same_bits_whatever_is_scored_with_it(new, eap) -> None:
    whole = eap.score(new.data)
    parts = pd.concat([eap.score(new.data.iloc[i : i + 7]) for i in range(0, 70, 7)])
    pd.testing.assert_frame_equal(parts, whole.iloc[:70], check_exact=True)


def test_a_code_nobody_gave_counts_as_the_one_below() -> None:
    item = (ItemResponse("logit", 1.0, (0.5,), (1, 3)),)
    rows = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    mean, _ = expected_a_posteriori(item, rows, n_nodes=61)
    assert mean[0] == mean[1] == mean[2] < mean[3] == mean[4]


def test_eap_models_are_stored_and_scored_in_files(tmp_path: Path, eap) -> None:
    stored = eap.save(tmp_path / "m.json")
    assert psm.load_scoring_model(stored) == eap
    frame = pd.read_csv(WAVES / "wave2.csv", dtype={"person_id": str})
    frame.loc[[2, 5], "support1"] = [9.0, np.inf]
    frame.to_parquet(tmp_path / "in.parquet")
    reports = []
    for kind in ("csv", "parquet"):
        call = ["score", str(tmp_path / "in.parquet"), "--model", str(stored), "--out", str(tmp_path / f"o.{kind}")]
        assert main([*call, "--id", "person_id"]) == 1
        assert main([*call, "--id", "person_id", "--bad-values", "missing"]) == 0
        reports.append(json.loads((tmp_path / f"o.{kind}.run.json").read_text("utf-8")))
    assert [report.pop("engine") for report in reports] == ["pandas", "arrow"]
    assert reports[0] == reports[1]
    found, again = pd.read_parquet(tmp_path / "o.parquet"), pd.read_csv(tmp_path / "o.csv")
    pd.testing.assert_frame_equal(
        found.drop(columns="flags"), again.drop(columns="flags"), check_dtype=False, rtol=1e-14, atol=0
    )


def test_what_eap_cannot_do_is_refused(wave, eap) -> None:
    with pytest.raises(OptionError, match="not linear"):
        eap.to_sql()
    with pytest.raises(ModelError, match="one factor"):
        psm.calibrate(wave, "psm16", method="eap", model=psm.get_instrument("psm16").model())
