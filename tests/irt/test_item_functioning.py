"""Differential item functioning: the difference that is there is found, and only that one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.irt.proportional_odds import proportional_odds


def survey(n: int, *, seed: int, shift: float = 0.0, slope: float = 1.5) -> tuple[pd.DataFrame, list[str]]:
    rng = np.random.default_rng(seed)
    member = np.arange(n) % 2
    trait = rng.standard_normal(n) + 0.5 * member
    slopes = np.full((n, 6), 1.5)
    slopes[member == 1, 2] = slope
    latent = slopes * trait[:, None] + rng.logistic(size=(n, 6))
    latent[:, 2] += shift * member
    names = [f"i{j}" for j in range(6)]
    return pd.DataFrame(np.digitize(latent, [-1.5, 0.0, 1.5]) + 1.0, columns=names), ["ab"[k] for k in member]


def test_uniform_difference() -> None:
    found = psm.item_functioning(*survey(1000, seed=1, shift=1.0))
    assert found["p_total_adjusted"].idxmin() == "i2"
    assert found.loc["i2", "p_uniform"] < 1e-6 < 0.01 < found.loc["i2", "p_nonuniform"]
    assert found.loc["i2", "log_odds"] > 0.6
    others = found.drop(index="i2")
    assert (others["r_squared_change"] < 0.01).all()
    assert found["df"].tolist() == [1] * 6


def test_nonuniform_difference() -> None:
    found = psm.item_functioning(*survey(1500, seed=2, slope=0.4))
    assert found.loc["i2", "p_nonuniform"] < 1e-6


def test_level_when_there_is_no_difference() -> None:
    p = np.concatenate([psm.item_functioning(*survey(300, seed=seed))["p_uniform"] for seed in range(25)])
    assert (p < 0.05).mean() < 0.10


@pytest.mark.filterwarnings("ignore:The mean of [1-4] items matches groups")
def test_an_item_that_differs_does_not_match_the_others() -> None:
    share, pure = [], []
    for seed in range(12):
        sample = survey(600, seed=seed, shift=1.5)
        share.append((psm.item_functioning(*sample, purify=False)["p_uniform"].drop("i2") < 0.05).mean())
        found = psm.item_functioning(*sample)
        assert not found.loc["i2", "anchor"]
        pure.append((found["p_uniform"].drop("i2") < 0.05).mean())
    assert np.mean(pure) < 0.12 < np.mean(share)


def test_a_last_step_that_gains_nothing_ends_the_search_and_separation_is_told() -> None:
    rng = np.random.default_rng(1031)  # the last step was 1.2e-8, just above the limit of then, and went on for ever
    member = np.repeat([0, 1], 300)
    trait = rng.normal(size=600) + 0.5 * member
    slopes = np.linspace(1.2, 2.4, 4)
    latent = slopes * trait[:, None] + rng.logistic(size=(600, 4))
    latent[:, 0] += 0.6 * member
    cuts = slopes[:, None] * (np.array([-1.5, -0.5, 0.5, 1.5]) + np.linspace(-0.5, 0.5, 4)[:, None])
    answers = (latent[:, :, None] > cuts).sum(axis=2)
    score = answers.mean(axis=1)
    X = np.column_stack([(score - score.mean()) / score.std(), member])
    assert proportional_odds(answers[:, 3], X, name="a")[0] == pytest.approx(-630.0544353, abs=1e-6)  # statsmodels
    x = np.arange(40.0)[:, None]
    with pytest.raises(psm.PsmAnalysisError, match="separates"):
        proportional_odds((x[:, 0] > 19).astype(int), x, name="a")


def test_proportional_odds_agrees_with_the_regression_part() -> None:
    data, group = survey(400, seed=3, shift=0.5)
    frame = data.assign(x=data[["i0", "i1"]].mean(axis=1), g=np.array(group) == "b").astype(float)
    expected = psm.ordered_logit(frame, "i2", predictors=["x", "g"])
    loglik, slopes = proportional_odds(frame["i2"].to_numpy().astype(int) - 1, frame[["x", "g"]].to_numpy(), name="i2")
    assert loglik == pytest.approx(expected.glance().loc[0, "logl"], abs=1e-6)
    np.testing.assert_allclose(slopes, expected.tidy()["estimate"].iloc[:2], atol=1e-5)


def test_trait_missing_answers_and_errors() -> None:
    data, group = survey(400, seed=4, shift=1.0)
    scores = psm.graded_response(data, n_nodes=21, tolerance=1e-2).person_scores()["estimate"]
    assert psm.item_functioning(data, group, trait=scores)["p_total"].idxmin() == "i2"
    holes = data.copy()
    holes.iloc[:50, 2] = np.nan
    holes.iloc[399] = np.nan
    found = psm.item_functioning(holes, group)
    assert found.loc["i2", "n"] == 349
    assert found.loc["i0", "n"] == 399
    with pytest.raises(psm.PsmAnalysisError, match="399 values"):
        psm.item_functioning(data, group[:-1])
    with pytest.raises(psm.PsmAnalysisError, match="1 group"):
        psm.item_functioning(data, ["a"] * 400)


def test_a_short_scale_and_groups_apart_are_told_and_the_remedy_holds_its_level() -> None:
    data, group = survey(400, seed=5)
    short = data[["i0", "i1", "i3", "i4"]]
    with pytest.warns(psm.PsmAnalysisWarning, match=r"The mean of 4 items .* graded_functioning"):
        psm.item_functioning(short, group, purify=False)
    psm.item_functioning(short, list("ab" * 100 + "ba" * 100), purify=False)
    psm.item_functioning(short, group, trait=data.mean(axis=1))
