"""A factor analysis beside factor_analyzer: who agrees, who does not, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.efa.result import EfaResult

ITEMS = [f"psm{i}" for i in range(1, 17)]


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    return psm.make_public_service_survey(500, waves=1, seed=5).data[ITEMS]


@pytest.mark.parametrize(("extraction", "rotation"), [("minres", "oblimin"), ("ml", "varimax"), ("uls", "promax")])
def test_both_engines_agree(answers: pd.DataFrame, extraction: str, rotation: str) -> None:
    options = {"normalize": True} if rotation == "varimax" else {}
    result = psm.efa(answers, 4, extraction=extraction, rotation=rotation, rotation_options=options)  # type: ignore[arg-type]
    check = psm.crosscheck(result)
    row = check.glance().iloc[0]
    assert row["engine_other"] == "factor_analyzer"
    assert row["agree"], check.summary()
    assert 0 < row["largest_difference"] < 1e-3
    assert row["largest_communality_difference"] < 1e-4


def test_factors_in_another_order_and_sign_are_matched(answers: pd.DataFrame) -> None:
    result: EfaResult = psm.efa(answers, 4)
    check = result.crosscheck()
    order = [2, 0, 3, 1]
    other = check.second
    turned = pd.DataFrame(
        other.loadings.to_numpy()[:, order] * [1, -1, 1, -1], index=other.loadings.index, columns=other.loadings.columns
    )
    again = replace(check, second=replace(other, loadings=turned))
    np.testing.assert_array_equal(again.matched.to_numpy(), check.matched.to_numpy())
    assert again.largest_difference == check.largest_difference


def test_a_stricter_tolerance_and_the_other_direction(answers: pd.DataFrame) -> None:
    result = psm.efa(answers, 4, engine="factor_analyzer")
    strict = psm.crosscheck(result, tolerance=1e-12)
    assert not bool(strict.glance()["agree"].iloc[0])
    assert "DO NOT AGREE" in strict.summary()
    assert strict.glance()["engine_other"].iloc[0] == "native"


def test_what_factor_analyzer_lacks_is_refused(answers: pd.DataFrame) -> None:
    with pytest.raises(psm.PsmAnalysisError, match="no extraction 'pa'"):
        psm.crosscheck(psm.efa(answers, 4, extraction="pa"))
    with pytest.raises(psm.PsmAnalysisError, match="no rotation 'bifactor'"):
        psm.crosscheck(psm.efa(answers, 4, rotation="bifactor"))
    with pytest.raises(psm.PsmAnalysisError, match="tolerance"):
        psm.crosscheck(psm.efa(answers, 4), tolerance=0.0)
    for fit in (psm.efa(answers, 4), psm.cfa("f =~ psm1 + psm2 + psm3 + psm4", answers)):
        with pytest.raises(psm.PsmAnalysisError, match="tolerance"):
            psm.crosscheck(fit, tolerance="small")  # type: ignore[call-overload]
    with pytest.raises(psm.PsmAnalysisError, match="argument 'result'"):
        psm.crosscheck(answers)  # type: ignore[call-overload]


LOADINGS = np.array([[0.8, 0.0], [0.7, 0.1], [0.0, 0.6], [0.1, 0.5]])
GAPS = np.full((4, 2), np.nan)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: psm.procrustes(LOADINGS, np.eye(4)[:, :1] @ np.array([[1.0, 0.0]]), oblique=True), "apart"),
        (lambda: psm.procrustes(LOADINGS, np.ones((4, 2)), oblique=True), "apart"),
        (lambda: psm.procrustes(LOADINGS, GAPS), "argument 'target'"),
        (lambda: psm.procrustes(LOADINGS, np.ones((4, 3))), "one column per factor"),
        (lambda: psm.congruence(LOADINGS, GAPS), "argument 'right'"),
        (lambda: psm.congruence(LOADINGS, np.full((4, 2), "a")), "no number"),
        (lambda: psm.congruence(LOADINGS, LOADINGS[:3]), "same items"),
        (lambda: psm.rotate(GAPS), "finite matrix"),
        (lambda: psm.rotate([["a"]]), "no number"),  # type: ignore[arg-type]
        (lambda: psm.schmid_leiman(LOADINGS), "a result of efa"),  # type: ignore[arg-type]
    ],
)
def test_loadings_that_are_none(call: Callable[[], object], words: str) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=words):
        call()


def test_congruence_of_two_samples_and_a_target(answers: pd.DataFrame) -> None:
    first, second = psm.efa(answers[::2], 4), psm.efa(answers[1::2], 4)
    likeness = psm.congruence(first.loadings, second.loadings).abs()
    assert sorted(likeness.to_numpy().argmax(axis=1)) == [0, 1, 2, 3]
    assert (likeness.max(axis=1) > 0.85).all()
    target = np.kron(np.eye(4), np.ones((4, 1)))
    turned, phi = psm.procrustes(first.unrotated, target, oblique=True)
    assert (np.diag(psm.congruence(turned, target)) > 0.9).all()
    assert phi[np.tril_indices(4, -1)].min() > 0.2
    assert psm.schmid_leiman(first).explained_common_variance == pytest.approx(
        psm.omega(answers[::2], 4).explained_common_variance, abs=1e-6
    )
