"""Each check of drift: what it finds, what it leaves alone, and what it says."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.cli import main
from psm_analysis.errors import DataError, FileError
from psm_analysis.workflows.drift_structure import residual_variance

ITEMS = [f"psm{j}" for j in range(1, 17)]
WAVES = Path(__file__).resolve().parents[2] / "data" / "synthetic"


def answers(n: int = 1500, *, seed: int, level: float = 0.0) -> pd.DataFrame:
    """Return answers of four correlated factors, whose mean is `level`, in five categories."""
    rng = np.random.default_rng(seed)
    factors = np.repeat(level + rng.normal(size=(n, 1)) * 0.5 + rng.normal(size=(n, 4)) * 0.8, 4, axis=1)
    values = np.clip(np.rint(3 + factors + 0.7 * rng.normal(size=(n, 16))), 1, 5)
    return pd.DataFrame(values, columns=ITEMS)


def wave(frame: pd.DataFrame) -> psm.SurveyWave:
    return psm.wave_from_frame(frame, instruments="psm16")


@pytest.fixture(scope="module")
def model() -> psm.ScoringModel:
    return psm.calibrate(wave(answers(seed=1)), "psm16")


def test_a_change_of_the_people_moves_no_item(model) -> None:
    report = psm.drift(model, wave(answers(seed=2, level=0.7)))
    assert report.drifting == ()
    assert report.items["smd"].min() > 0.5
    assert report.items["shift"].abs().max() < 0.1
    assert (report.items["psi"] > 0.25).all()
    assert set(report.items["verdict"]) == {"moved together with its scale: the people may differ, not the item"}
    assert "16 items moved together with the scale" in " ".join(report.verdict())


def test_the_steps_are_those_of_the_rows(model) -> None:
    old, new = answers(seed=1), answers(900, seed=3)
    steps = psm.drift(model, wave(new)).invariance.set_index("step")
    rows = pd.concat([old.assign(time="old"), new.assign(time="new")], ignore_index=True)
    text = psm.get_instrument("psm16").model()
    ladder = psm.invariance(text, rows, group="time", steps=("configural", "metric", "scalar")).table.set_index("step")
    for name in ("chisq", "df", "cfi", "rmsea", "srmr"):
        np.testing.assert_allclose(steps[name], ladder[name], rtol=1e-6)


def test_a_weaker_loading_is_found_though_no_mean_moves(model) -> None:
    new = answers(seed=4)
    new["psm10"] = np.random.default_rng(5).permutation(new["psm10"].to_numpy())
    report = psm.drift(model, wave(new))
    assert report.drifting == ("psm10",)
    row = report.items.set_index("item").loc["psm10"]
    assert abs(row["shift"]) < 0.1
    assert row["psi"] < 0.05
    assert row["dmacs"] > 0.2
    assert "com =~ psm10" in report.invariance.set_index("step").loc["metric", "released"]


def test_a_garbled_item_is_found_where_the_model_is_not_judged(model) -> None:
    """Half of the answers to one item belong to other people: too few rows for the model, no mean moves."""
    new = answers(190, seed=4)
    mixed = np.random.default_rng(5).permutation(len(new))[:130]
    new.loc[mixed, "psm10"] = np.roll(new.loc[mixed, "psm10"].to_numpy(), 1)
    report = psm.drift(model, wave(new))
    assert report.fit == {}
    assert report.drifting == ("psm10",)
    row = report.items.set_index("item").loc["psm10"]
    fisher = np.arctanh([row["rest_r_reference"], row["rest_r"]])
    others = report.items.set_index("item").loc[["psm9", "psm11", "psm12"]]
    falls = np.arctanh(others["rest_r_reference"]) - np.arctanh(others["rest_r"])
    own = fisher[0] - fisher[1]
    assert row["rest_r_fall"] == pytest.approx(own - np.median([own, *falls]), abs=1e-12)
    z = row["rest_r_fall"] / math.sqrt(1 / 187 + 1 / 1497)
    assert row["p_rest_r"] == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)), rel=1e-9)
    assert row["verdict"] == "hangs together less with its scale than before"


def test_more_noise_in_all_items_is_no_fault_of_one(model) -> None:
    new = answers(seed=41) + np.random.default_rng(7).integers(-1, 2, (1500, 16))
    report = psm.drift(model, wave(new.clip(1, 5)))
    checks = report.checks.set_index("check")
    assert not checks.loc["discrimination", "breach"].any()
    assert checks.loc["reliability", "breach"].all()


def test_an_item_that_was_not_turned_round_is_named(model) -> None:
    new = answers(seed=6)
    new["psm3"] = 6 - new["psm3"]
    report = psm.drift(model, wave(new))
    assert report.drifting == ("psm3",)
    assert "runs against its scale" in report.items.set_index("item").loc["psm3", "verdict"]


def test_answers_left_out_more_often_are_named(model) -> None:
    new = answers(seed=7)
    new.loc[:200, "psm12"] = np.nan
    report = psm.drift(model, wave(new))
    assert report.breaches == ("psm12: left out more often",)


def test_an_item_that_nobody_answered_leaves_the_others_judged(model) -> None:
    new = answers(seed=8)
    new["psm5"] = np.nan
    report = psm.drift(model, wave(new))
    assert report.drifting == ("psm5",)
    assert report.items.set_index("item")["shift"].drop("psm5").notna().all()
    assert report.warnings == ("Nobody answered psm5: the measurement model was not judged.",)
    assert report.warnings[0] in report.summary()
    assert report.verdict()[0].startswith("Nobody answered psm5: dropped from the questionnaire?")
    assert "nan" not in report.to_html().lower()


def test_persons_who_answered_nothing_are_no_drift_of_items(model) -> None:
    new = answers(seed=15)
    new.iloc[:300] = np.nan
    report = psm.drift(model, wave(new))
    assert report.drifting == ()
    assert report.breaches == ("20.0% of the rows have no answer at all",)
    assert report.items["missing"].max() == 0


def test_an_item_that_is_doubtful_in_the_reference_is_named() -> None:
    old = answers(seed=16)
    old["psm3"] = np.random.default_rng(17).integers(1, 6, len(old)).astype(float)
    report = psm.drift(psm.calibrate(wave(old), "psm16"), wave(old))
    assert report.breaches == ()
    assert "hardly related to the rest of the scale: psm3 (r = 0.0" in report.verdict()[-1]


def test_few_rows_are_not_judged_by_a_model_of_covariances(model) -> None:
    report = psm.drift(model, wave(answers(5, seed=9)))
    assert report.breaches == ()
    assert "5 complete rows are fewer than 200" in report.warnings[0]
    assert report.verdict()[0].startswith("No check is beyond its threshold, but not everything could be judged")
    with pytest.raises(DataError, match="0 persons with an answer"):
        psm.drift(model, wave(answers(5, seed=9) * np.nan))


def test_text_in_the_cells_is_said_to_be_unread(model, tmp_path: Path) -> None:
    new = answers(300, seed=18).astype(object)
    new["psm3"] = new["psm3"].map({1.0: "1 非常不同意", 2.0: "2", 3.0: "3", 4.0: "4", 5.0: "5"})
    new.to_csv(tmp_path / "labels.csv", index=False)
    report = psm.drift(model, psm.read_survey(tmp_path / "labels.csv", instruments="psm16"))
    assert "Column psm3" in report.warnings[0]
    assert "1 非常不同意" in report.warnings[0]


def test_a_wave_of_another_coding_is_refused_in_words(model) -> None:
    with pytest.raises(DataError, match="coded 0-4 instead of 1-5: add 1"):
        psm.drift(model, wave(answers(seed=10) - 1))


def test_the_index_and_the_divergence_are_those_of_their_formulas(model) -> None:
    report = psm.drift(model, wave(answers(seed=11, level=0.3)))
    shares = report.distributions
    old, new = shares[shares["item"] == "psm1"]["reference"], shares[shares["item"] == "psm1"]["new"]
    middle = (old + new) / 2
    entropy = [-(p * np.log2(p)).sum() for p in (middle, old, new)]
    row = report.items.set_index("item").loc["psm1"]
    assert row["psi"] == pytest.approx(((new - old) * np.log(new / old)).sum(), rel=1e-12)
    assert row["jensen_shannon"] == pytest.approx(entropy[0] - (entropy[1] + entropy[2]) / 2, rel=1e-9)
    limit = report.checks.query("check == 'jensen_shannon'")["threshold"].iloc[0]
    assert limit == pytest.approx(0.25 / (8 * math.log(2)))


class Page(HTMLParser):
    """Reads the text of a page and the addresses in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.addresses: list[str | None] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize(("lang", "said"), [("en", "1 item drifts: psm7"), ("zh", "1 个题项漂移：psm7")])
def test_the_page_needs_nothing_else_and_says_the_verdict_first(model, lang: str, said: str, tmp_path: Path) -> None:
    new = answers(seed=12)
    new["psm7"] = np.minimum(new["psm7"] + 1, 5)
    path = psm.drift(model, wave(new)).save(tmp_path / "report.html", lang=lang)
    text = path.read_text("utf-8")
    page = Page()
    page.feed(text)
    assert page.addresses == []
    assert "url(" not in text
    assert "<script" not in text
    words = "".join(page.text)
    assert 0 < words.index(said) < words.index("Cohen (1988)")
    assert text.count("<svg") == text.count('role="img"') == 3
    assert bool(re.search("[\u4e00-\u9fff]", words)) == (lang == "zh")
    with pytest.raises(FileError, match="exists"):
        psm.drift(model, wave(new)).save(path)


def test_names_of_the_wave_are_text_in_the_page(model) -> None:
    report = psm.drift(model, psm.wave_from_frame(answers(200, seed=13), instruments="psm16", name="<b>2026</b>"))
    assert "<b>2026</b>" not in report.to_html()


def test_the_overview_has_every_check_with_threshold_and_source(model) -> None:
    for lang in ("en", "zh"):
        overview = psm.drift(model, wave(answers(200, seed=14))).overview(lang)
        assert set(overview["check"]) >= set(psm.drift(model, wave(answers(200, seed=14))).checks["check"])
        assert (overview[["threshold", "source", "verdict"]] != "").all(axis=None)


def test_score_writes_the_page_and_ends_with_3_when_asked(tmp_path: Path, capsys) -> None:
    stored, out, page = (str(tmp_path / name) for name in ("model.json", "scores.csv", "drift.html"))
    assert main(["calibrate", str(WAVES / "wave1.csv"), "--instrument", "psm16", "--out", stored]) == 0
    call = ["score", str(WAVES / "wave3.csv"), "--model", stored, "--id", "person_id", "--drift", page]
    assert main([*call, "--out", out, "--fail-on-drift"]) == 3
    assert "1 item drifts: psm7" in capsys.readouterr().out
    assert "psm7" in Path(page).read_text("utf-8")
    assert main([*call, "--out", str(tmp_path / "again.csv")]) == 1
    assert not (tmp_path / "again.csv").exists()
    assert main([*call, "--out", out, "--overwrite", "--lang", "zh"]) == 0
    assert "漂移报告" in Path(page).read_text("utf-8")


@pytest.mark.slow
def test_false_alarms_are_rare_in_waves_that_did_not_change() -> None:
    """Thirty references and waves of 400 persons from one population: 13 checks, any alarm counts."""
    alarms = []
    for seed in range(30):
        frozen = psm.calibrate(wave(answers(800, seed=1000 + seed)), "psm16")
        alarms.append(bool(psm.drift(frozen, wave(answers(400, seed=2000 + seed))).breaches))
    assert sum(alarms) <= 1


def test_what_sampling_adds_to_srmr() -> None:
    """Means and covariances of two samples of one normal population, 400 times."""
    rng = np.random.default_rng(11)
    root = np.linalg.cholesky(0.5 * np.eye(5) + 0.5)
    squares = []
    for _ in range(400):
        old, new = (rng.standard_normal((n, 5)) @ root.T * [1, 2, 3, 4, 5] for n in (3000, 2000))
        S, sd = np.cov(new, rowvar=False), new.std(axis=0, ddof=1)
        gaps = (S - np.cov(old, rowvar=False)) / np.outer(sd, sd)
        squares.append([*gaps[np.tril_indices(5)] ** 2, *((new - old.mean(axis=0)).mean(axis=0) / sd) ** 2])
    expected = residual_variance(root @ root.T, n_old=3000, n_new=2000)
    assert np.mean(squares) == pytest.approx(expected, rel=0.06)


def test_the_limit_of_srmr_heeds_sampling(model) -> None:
    small, large = (psm.drift(model, wave(answers(n, seed=6))).checks.set_index("check") for n in (250, 900))
    before = model.measurement.srmr
    noise = residual_variance(np.array(model.reference.covariance), n_old=model.measurement.nobs, n_new=250)
    assert small.loc["srmr", "threshold"] == pytest.approx(np.sqrt(max(0.08, before + 0.03) ** 2 + noise), rel=1e-9)
    assert small.loc["srmr", "threshold"] > large.loc["srmr", "threshold"]
    assert not small.loc["srmr", "breach"]
