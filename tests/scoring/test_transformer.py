"""The scikit-learn transformer and the pandas accessor give the scores of the model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import psm_analysis as psm
from psm_analysis.errors import DataError, OptionError

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"


@pytest.fixture(scope="module")
def wave() -> psm.SurveyWave:
    return psm.read_survey(WAVES / "wave1.csv", instruments=["psm16", "org_support"])


@pytest.fixture(scope="module")
def model(wave) -> psm.ScoringModel:
    return psm.calibrate(wave, "org_support")


class AnyWidth(psm.PsychometricScorer):
    """Reads any numbers as answers to the four items, so that the checks of scikit-learn have something to score."""

    def _frame(self, X: Any) -> pd.DataFrame:
        values = np.asarray(X, dtype=float) if hasattr(X, "__array__") and not hasattr(X, "toarray") else X
        if isinstance(values, np.ndarray) and values.ndim == 2 and values.size:
            if values.shape[1] != self.n_features_in_:
                raise ValueError(f"X has {values.shape[1]} features, not {self.n_features_in_}")
            values = np.clip(np.rint(values[:, np.arange(4) % values.shape[1]]), 1, 5)
        return super()._frame(values)


@pytest.mark.filterwarnings("ignore:Skipping check")
def test_the_checks_of_scikit_learn(model) -> None:
    """With the width of its items the scorer passes all; as it is, it fails only where another width is given."""
    found = check_estimator(AnyWidth(model), on_fail=None)
    assert [(row["check_name"], row["exception"]) for row in found if row["status"] == "failed"] == []
    assert sum(row["status"] == "passed" for row in found) > 30
    strict = check_estimator(psm.PsychometricScorer(model), on_fail=None)
    assert all("needs the 4 items" in str(row["exception"]) for row in strict if row["status"] == "failed")


def test_scores_names_and_output(wave, model) -> None:
    rows = wave.data
    scorer = psm.PsychometricScorer(model).fit(rows)
    expected = model.score(rows)["support"]
    np.testing.assert_array_equal(scorer.transform(rows)[:, 0], expected)
    np.testing.assert_array_equal(scorer.transform(rows[list(model.item_ids)].to_numpy(float))[:, 0], expected)
    assert scorer.get_feature_names_out().tolist() == ["support"]
    framed = clone(scorer).set_params(columns="all").set_output(transform="pandas").fit_transform(rows)
    pd.testing.assert_frame_equal(framed, model.score(rows).drop(columns="flags"), check_dtype=False)


def test_pipelines_and_stored_models(wave, model, tmp_path: Path) -> None:
    stored = model.save(tmp_path / "m.json")
    rows = wave.data[wave.data["support4"].notna() & wave.data["turnover1"].notna()]
    pipe = make_pipeline(psm.PsychometricScorer(str(stored)), LinearRegression())
    assert len(cross_val_score(pipe, rows, rows["turnover1"], cv=3)) == 3


def test_policies_and_refusals(model) -> None:
    rows = pd.DataFrame([[5, 4, 3, 2], [9, 4, 3, 2]], columns=list(model.item_ids))
    kept = psm.PsychometricScorer(model).fit(rows).transform(rows)[:, 0]
    np.testing.assert_allclose(kept, [4.0, 11 / 3])
    with pytest.raises(DataError, match="9 in row 1"):
        psm.PsychometricScorer(model, bad_values="refuse").fit(rows)
    with pytest.raises(DataError, match="'support4' is missing"):
        psm.PsychometricScorer(model).fit(rows.drop(columns="support4"))
    with pytest.raises(OptionError, match="no scoring model"):
        psm.PsychometricScorer().fit(rows)
    with pytest.raises(OptionError, match="3 is no scoring model"):
        psm.PsychometricScorer(3).fit(rows)
    with pytest.raises(OptionError, match="cannot drop rows"):
        psm.PsychometricScorer(model, bad_values="drop").fit(rows)
    with pytest.raises(NotFittedError):
        psm.PsychometricScorer(model).transform(rows)


def test_the_accessor(wave, model, tmp_path: Path) -> None:
    rows = wave.data
    expected = model.score(rows, id="person_id")
    pd.testing.assert_frame_equal(rows.psm.score(model, id="person_id"), expected)
    pd.testing.assert_frame_equal(rows.psm.score(model.save(tmp_path / "m.json"), id="person_id"), expected)
    pd.testing.assert_frame_equal(rows.psm.score_scales("org_support"), psm.score_scales(rows, "org_support"))


def test_importing_the_package_imports_no_scikit_learn() -> None:
    code = "import sys, psm_analysis; print('sklearn' in sys.modules, 'pyarrow.parquet' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split()[0] == "False"


def test_a_column_named_psm_keeps_its_name() -> None:
    frame = pd.DataFrame({"psm": [1, 2], "ei": [3, 4]})
    assert frame.psm.tolist() == [1, 2]
    frame.psm = [5, 6]
    assert frame["psm"].tolist() == frame.psm.tolist() == [5, 6]
    assert frame.assign(double=lambda rows: rows.psm * 2)["double"].tolist() == [10, 12]
    with pytest.raises(psm.PsmAnalysisError, match="Make a column"):
        frame[["ei"]].psm = [1, 2]
