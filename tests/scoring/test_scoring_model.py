"""The frozen scoring model: hand computations, refusals, storage, the two commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.errors import DataError, FileError

WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"
SUPPORT = ["support1", "support2", "support3", "support4"]  # the fourth is reversed, codes 1-5


@pytest.fixture(scope="module")
def wave() -> object:
    return psm.read_survey(WAVES / "wave1.csv", instruments=["psm16", "org_support"])


@pytest.fixture(scope="module")
def model(wave):
    return psm.calibrate(wave, "org_support", groups=["gender"])


def people(*rows: list[object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=SUPPORT)


@pytest.mark.parametrize(
    ("method", "complete", "one_missing"),
    [("mean", 4.0, 4.0), ("sum", 16.0, np.nan), ("prorated", 16.0, 16.0), ("pomp", 75.0, 75.0)],
)
def test_scores_equal_hand_computations(wave, method: str, complete: float, one_missing: float) -> None:
    scores = psm.calibrate(wave, "org_support", method=method).score(
        people([5, 4, 3, 2], [4, None, 4, 2], [None, None, None, None])
    )
    np.testing.assert_allclose(scores["support"], [complete, one_missing, np.nan])
    assert scores["support_n"].tolist() == [4, 3, 0]
    assert scores["flags"].iloc[2] == "all_missing"


def test_t_and_standard_error(wave, model) -> None:
    reference = psm.score_scales(wave.data, "org_support")["support"]
    row = model.score(people([5, 4, 3, 2])).iloc[0]
    assert row["support_t"] == pytest.approx(50 + 10 * (4 - reference.mean()) / reference.std())
    alpha = psm.alpha(wave.items("org_support").dropna()).alpha
    assert row["support_se"] == pytest.approx(reference.std() * np.sqrt(1 - alpha))


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_factor_scores_equal_those_of_the_fit(wave, method: str) -> None:
    frozen = psm.calibrate(wave, "psm16", method=method)
    fit = psm.cfa(psm.get_instrument("psm16").model(), wave.items("psm16"), meanstructure=True)
    new = psm.read_survey(WAVES / "wave2.csv", instruments="psm16")
    expected = fit.factor_scores(new.items("psm16"), method=method)
    scores = frozen.score(new.data)
    np.testing.assert_allclose(scores.loc[expected.index, expected.columns], expected, atol=1e-12)
    assert scores.drop(index=expected.index)[list(expected.columns)].isna().all(axis=None)


def test_order_and_other_columns_do_not_matter(model) -> None:
    rows = people([5, 4, 3, 2], [1, 2, 2, 5])
    shuffled = rows[SUPPORT[::-1]].assign(姓名=["甲", "乙"])
    pd.testing.assert_frame_equal(model.score(rows), model.score(shuffled))
    assert model.score(shuffled, id="姓名")["姓名"].tolist() == ["甲", "乙"]


def test_all_problems_are_named_at_once(model) -> None:
    rows = people(["4 - agree", 9, np.inf, 3], [4, -9, 3, 3]).rename(columns={"support4": "suport4"})
    with pytest.raises(DataError) as caught:
        model.score(rows.assign(id=[7, 7]), id="id")
    text = str(caught.value)
    for part in ("4 - agree", "9, -9", "inf", "Did you mean 'suport4'", "1 id occurs more than once"):
        assert part in text


def test_bad_values_are_set_missing_or_dropped(model) -> None:
    rows = people(["4 - agree", 4, 4, 2], [5, 4, 3, 2])
    kept = model.score(rows, bad_values="missing")
    assert kept["support"].tolist() == [4.0, 4.0]
    assert kept["flags"].tolist() == ["bad_value", ""]
    assert model.score(rows, bad_values="drop").index.tolist() == [1]


def test_another_coding_is_refused_whatever_the_policy(model) -> None:
    with pytest.raises(DataError, match="coded 0-4 instead of 1-5: add 1"):
        model.score(people([0, 0, 0, 0], [3, 3, 3, 3]), bad_values="missing")


def test_a_stored_model_is_the_same(model, tmp_path: Path) -> None:
    path = model.save(tmp_path / "model.json")
    assert psm.load_scoring_model(path) == model
    with pytest.raises(FileError, match="exists"):
        model.save(path)
    first = path.read_bytes()
    assert model.save(path, overwrite=True).read_bytes() == first


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda c: c["model"].update(method="sum"), "hash"),
        (lambda c: c.update(schema=99), "schema 99"),
        (lambda c: c["model"].update(extra=1), "'model.extra' is unknown"),
        (lambda c: c["model"].pop("scales"), "'model.scales' is absent"),
        (lambda c: c["model"].update(items=3), "wrong type"),
    ],
)
def test_an_edited_model_is_refused(model, tmp_path: Path, edit, reason: str) -> None:
    path = model.save(tmp_path / "model.json")
    content = json.loads(path.read_text("utf-8"))
    edit(content)
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(FileError, match=reason):
        psm.load_scoring_model(path)


def test_check_scores_are_recomputed(model, tmp_path: Path) -> None:
    from psm_analysis.scoring.store import _digest

    content = json.loads(model.save(tmp_path / "model.json").read_text("utf-8"))
    content["model"]["check"]["scores"][0][0] += 0.5
    content["sha256"] = _digest({key: value for key, value in content.items() if key != "sha256"})
    (tmp_path / "model.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(FileError, match="scores it gave when it was frozen"):
        psm.load_scoring_model(tmp_path / "model.json")


@pytest.fixture
def stored(model, tmp_path: Path) -> Path:
    return model.save(tmp_path / "model.json")


def test_the_commands_give_the_same_bytes_and_a_report(tmp_path: Path) -> None:
    stored, out = str(tmp_path / "m.json"), tmp_path / "scores.csv"
    assert main(["calibrate", str(WAVES / "wave1.csv"), "--instrument", "psm16", "--out", stored]) == 0
    call = ["score", str(WAVES / "wave3.csv"), "--model", stored, "--out", str(out), "--id", "person_id"]
    assert main(call) == 0
    first = out.read_bytes()
    assert main(call) == 1
    assert main([*call, "--overwrite"]) == 0
    assert out.read_bytes() == first
    report = json.loads((tmp_path / "scores.csv.run.json").read_text("utf-8"))
    assert (report["rows_in"], report["rows_out"], report["bad_answers"]) == (837, 837, {})
    frame = pd.read_csv(WAVES / "wave3.csv")
    frame.to_parquet(tmp_path / "wave3.parquet")
    other = tmp_path / "other.csv"
    call[1], call[5] = str(tmp_path / "wave3.parquet"), str(other)
    assert main(call) == 0
    assert other.read_bytes() == first


def test_formulas_in_texts_are_neutralised(stored: Path, tmp_path: Path) -> None:
    people([5, 4, 3, 2]).assign(who="=cmd()").to_csv(tmp_path / "in.csv", index=False)
    call = ["score", str(tmp_path / "in.csv"), "--model", str(stored), "--out", str(tmp_path / "o.csv"), "--id", "who"]
    assert main(call) == 0
    assert pd.read_csv(tmp_path / "o.csv")["who"].item() == "'=cmd()"


@pytest.mark.parametrize("fault", ["ragged.csv", "truncated.parquet"])
def test_a_damaged_file_leaves_nothing_behind(stored: Path, tmp_path: Path, fault: str) -> None:
    rows = people(*[[5, 4, 3, 2]] * 3)
    if fault == "ragged.csv":
        text = rows.to_csv(index=False).splitlines()
        (tmp_path / fault).write_text("\n".join([*text[:2], text[2] + ",9", *text[3:]]))
    else:
        (tmp_path / fault).write_bytes(rows.to_parquet()[:-40])
    out = tmp_path / "o.csv"
    before = sorted(tmp_path.iterdir())
    assert main(["score", str(tmp_path / fault), "--model", str(stored), "--out", str(out)]) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_cannot_be_written_is_one_message(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people([5, 4, 3, 2]).to_csv(tmp_path / "in.csv", index=False)
    out = tmp_path / "absent" / "o.csv"
    assert main(["score", str(tmp_path / "in.csv"), "--model", str(stored), "--out", str(out)]) == 1
    assert "cannot be written" in capsys.readouterr().err
