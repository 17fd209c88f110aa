"""Every rotation of psych::fa, after `uls` on Spearman and polychoric matrices, equal up to order and sign."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

import psm_analysis as psm
from psm_analysis.rotation import rotate
from psm_analysis.rotation.methods import METHODS, criterion_of

GOLDEN = Path(__file__).parents[1] / "golden"
VALUES = json.loads((GOLDEN / "values" / "rotations.json").read_text())
ROWS = pd.read_csv(GOLDEN / "data" / "survey.csv")
SCALES = {"spearman": "ei", "polychoric": "psm"}
CASES = [(kind, rotation) for kind in SCALES for rotation in VALUES[kind]]


@pytest.fixture(scope="module")
def matrices() -> dict[str, pd.DataFrame]:
    answers = {kind: ROWS.filter(regex=f"^{scale}") for kind, scale in SCALES.items()}
    return {kind: psm.correlations(frame, method=kind).matrix for kind, frame in answers.items()}


@pytest.mark.filterwarnings("ignore:Rotation 'simplimax' did not converge")
@pytest.mark.parametrize(("kind", "rotation"), CASES)
def test_loadings_are_those_of_psych_up_to_order_and_sign(matrices, kind: str, rotation: str) -> None:
    expected = np.array(VALUES[kind][rotation])
    found = psm.efa(matrices[kind], 4, extraction="uls", rotation=rotation, nobs=len(ROWS)).loadings.to_numpy()
    rows, columns = linear_sum_assignment(-np.abs(found.T @ expected))
    turned = found[:, rows[np.argsort(columns)]]
    np.testing.assert_allclose(turned * np.sign((turned * expected).sum(0)), expected, atol=1.5e-3)


@pytest.mark.parametrize(("kind", "rotation"), [case for case in CASES if case[1] in METHODS])
def test_the_criterion_is_no_worse_than_that_of_psych(kind: str, rotation: str) -> None:
    """Both from the same unrotated loadings; those that are normalised are compared after normalisation."""
    unrotated, expected = (np.array(VALUES[kind][name]) for name in ("none", rotation))
    lengths = np.sqrt((unrotated**2).sum(axis=1, keepdims=True)) if METHODS[rotation].normalize else 1.0
    criterion = criterion_of(rotation, shape=(16, 4), given={})
    found = rotate(unrotated, method=rotation).loadings
    assert float(criterion(found / lengths)[0]) <= float(criterion(expected / lengths)[0]) + 1e-6
