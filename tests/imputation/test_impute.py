"""Chained equations: what they fill, that they repeat, and that pooling mends what complete rows get wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm


def holes(n: int = 150, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = np.round(2.0 * rng.normal(size=(n, 1)) + rng.normal(size=(n, 3)))
    frame = pd.DataFrame(rows, columns=["年龄", "b c", "d"], index=[f"P{i}" for i in range(n)])
    return frame.mask(rng.random(frame.shape) < 0.15).dropna(how="all")


def test_gaps_are_filled_and_answers_kept() -> None:
    data = holes()
    before = np.random.get_state()[1].tolist()  # type: ignore[union-attr,index]
    frames = psm.impute(data, n=2, seed=4, burn_in=2, skip=1)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[union-attr,index]
    for frame in frames:
        assert frame.columns.equals(data.columns)
        assert frame.index.equals(data.index)
        assert not frame.isna().any().any()
        assert frame[data.notna()].equals(data)
        assert set(frame["d"]) <= set(data["d"].dropna())
    assert not frames[0].equals(frames[1])
    again = psm.impute(data, n=2, seed=4, burn_in=2, skip=1)
    assert all(a.equals(b) for a, b in zip(frames, again, strict=True))
    assert not psm.impute(data, n=2, seed=5, burn_in=2, skip=1)[0].equals(frames[0])


def test_complete_data_are_left_alone() -> None:
    data = holes().dropna()
    assert all(frame.equals(data) for frame in psm.impute(data, n=2, seed=1))


def test_rows_without_any_answer_are_left_out() -> None:
    data = holes()
    data.iloc[3] = np.nan
    with pytest.warns(psm.PsmAnalysisWarning, match="1 of .* rows have no answer"):
        frames = psm.impute(data, n=2, seed=1, burn_in=2)
    assert "P3" not in frames[0].index


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 1}, "n=1"),
        ({"seed": None}, "seed=None"),
        ({"data": holes().assign(e=np.nan)}, "no answers"),
        ({"data": holes().assign(e="x")}, "not numeric"),
        ({"data": holes().assign(e=np.inf)}, "infinite"),
    ],
)
def test_what_cannot_be_imputed_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=message):
        psm.impute(**{"data": holes(), "n": 2, "seed": 1, **change})  # type: ignore[arg-type]


@pytest.mark.slow
def test_pooling_mends_what_missing_at_random_does_to_complete_rows() -> None:
    people = psm.population(
        "y ~ 0.5*x + 0.3*z\nx ~~ 1*x\nz ~~ 1*z\nx ~~ 0.5*z", missing={"x": 0.4}, missing_by="y", missing_slope=1.5
    )
    pooled, listwise = [], []
    for number in range(12):
        data = people.generate(400, seed=3, replicate=number)
        frames = psm.impute(data, n=5, seed=number)
        for found, kept in ((psm.pool("y ~ b*x + z", frames), pooled), (psm.sem("y ~ b*x + z", data), listwise)):
            kept.append(found.tidy().set_index("label").loc["b", "estimate"])
    assert abs(np.mean(pooled) - 0.5) < 0.04
    assert np.mean(listwise) < np.mean(pooled)


def test_an_imputation_without_a_solution_is_told_with_its_reason() -> None:
    """Before, an error in one imputation ended the pooling of all."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(rng.normal(size=(150, 1)) + rng.normal(size=(150, 4)), columns=list("甲乙丙丁"))
    frames = [rows + 0.05 * rng.normal(size=rows.shape) for _ in range(4)]
    model = "动机 =~ 甲 + 乙 + 丙 + 丁"
    with pytest.warns(psm.PsmAnalysisWarning, match="1 of 4 imputations have no solution.*the same value in every row"):
        found = psm.pool(model, [*frames[:3], frames[3].assign(甲=2.0)])
    assert found.failed == 1
    np.testing.assert_allclose(found.tidy()["estimate"], psm.pool(model, frames[:3]).tidy()["estimate"])
    with pytest.raises(psm.PsmAnalysisError, match="the same value in every row"):
        psm.pool(model, [frame.assign(甲=2.0) for frame in frames])
