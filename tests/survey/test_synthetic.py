"""The synthetic survey: determinism, known population values recovered, careless rows, missing answers, files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import psm_analysis as psm
from psm_analysis.errors import FileError, OptionError
from psm_analysis.instruments.registry import get_instrument
from psm_analysis.scoring.rules import score_scales
from psm_analysis.survey import synthetic_population as population
from psm_analysis.survey.synthetic import PublicServiceSurvey, make_public_service_survey
from psm_analysis.survey.synthetic_files import main, write_survey
from psm_analysis.survey.synthetic_responses import draw_factors, draw_people, item_order

SHIPPED = Path(__file__).parents[2] / "data" / "synthetic"


@pytest.fixture(scope="module")
def survey() -> PublicServiceSurvey:
    return make_public_service_survey(8000, seed=7)


@pytest.fixture(scope="module")
def latent() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    people = draw_people(60_000, rng)
    return pd.DataFrame(draw_factors(people, rng, wave=1, moments=population.latent_moments()))


def attentive(survey: PublicServiceSurvey, wave: int) -> pd.DataFrame:
    frame = survey.waves[wave - 1]
    careless = survey.careless[survey.careless["wave"] == wave]["person_id"]
    return frame[~frame["person_id"].isin(careless)]


def test_implied_moments_are_those_of_the_draws(latent: pd.DataFrame) -> None:
    implied = population.latent_moments().covariance
    drawn = latent[list(implied.columns)].cov()
    assert np.abs(drawn.to_numpy() - implied.to_numpy()).max() < 0.05
    np.testing.assert_allclose(np.diag(implied.loc[["psm", "burnout", "turnover"], ["psm", "burnout", "turnover"]]), 1)


def test_first_order_correlations_are_those_of_the_draws(latent: pd.DataFrame) -> None:
    implied = population.first_order_correlations()
    drawn = latent[list(implied.columns)].corr()
    assert np.abs(drawn.to_numpy() - implied.to_numpy()).max() < 0.04
    assert implied.loc["aps", "cpv"] == pytest.approx(0.85 * 0.88)


def test_regression_of_latent_turnover_gives_the_paths(latent: pd.DataFrame) -> None:
    names = list(population.EFFECTS["turnover"])
    design = np.column_stack([np.ones(len(latent)), latent[names]])
    slopes = np.linalg.lstsq(design, latent["turnover"].to_numpy(), rcond=None)[0][1:]
    np.testing.assert_allclose(slopes, list(population.EFFECTS["turnover"].values()), atol=0.025)


def test_indirect_effects_are_products_of_paths(survey: PublicServiceSurvey) -> None:
    paths = survey.paths.set_index("lhs")["estimate"]
    assert paths["indirect_psm"] == pytest.approx(-0.25 * 0.45)
    assert paths["total_psm"] == pytest.approx(-0.25 * 0.45 - 0.15)
    assert paths["index_burden:ei"] == pytest.approx(-0.12 * 0.45)


def test_same_seed_gives_the_same_data_and_another_does_not() -> None:
    first, again, other = (make_public_service_survey(60, seed=seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first.data, again.data)
    assert not first.data["psm1"].equals(other.data["psm1"])


def test_answers_stay_in_the_response_scales(survey: PublicServiceSurvey) -> None:
    for name in ("psm16", "wleis16", "olbi", "turnover3", "admin_burden", "org_support", "training_access"):
        instrument = get_instrument(name)
        scores = score_scales(survey.waves[0], instrument)
        assert scores.notna().mean().min() > 0.9
        for item in instrument.item_ids:
            assert set(survey.waves[0][item].dropna()) == set(instrument.response_of(item).codes)


def test_scales_of_the_population_match_the_shipped_keys() -> None:
    for measure in population.MEASURES:
        instrument = get_instrument(measure.instrument)
        assert set(instrument.subscale(measure.factor).items) == set(measure.items)
        assert set(measure.reversed_items) == set(instrument.reverse_items) & set(measure.items)
        assert (measure.minimum, measure.maximum) == (
            instrument.response_of(measure.items[0]).minimum,
            instrument.response_of(measure.items[0]).maximum,
        )


def test_reversed_items_correlate_with_the_rest_only_after_recoding(survey: PublicServiceSurvey) -> None:
    frame = attentive(survey, 1)
    assert frame["olbi2"].corr(frame["olbi5"]) < -0.2
    assert frame["support4"].corr(frame["support1"]) < -0.3
    scores = score_scales(frame, "olbi")
    burden = score_scales(frame, "admin_burden")["burden"]
    assert scores["exhaustion"].corr(burden) > 0.2


def test_one_item_drifts_in_wave_3(survey: PublicServiceSurvey) -> None:
    first, third = attentive(survey, 1), attentive(survey, 3)
    stayed = first[first["person_id"].isin(third["person_id"])]
    items = [f"psm{number}" for number in range(1, 17)]
    shift = third[items].mean() - stayed[items].mean()
    assert shift.idxmax() == survey.drift["item"] == "psm7"
    assert shift["psm7"] > 0.25
    assert shift.drop("psm7").abs().max() < 0.15


def test_people_stay_partly_the_same(survey: PublicServiceSurvey) -> None:
    merged = attentive(survey, 1).merge(attentive(survey, 2), on="person_id", suffixes=("", "_later"))
    assert 0.3 < merged["psm1"].corr(merged["psm1_later"]) < 0.7
    assert (merged["age_later"] - merged["age"] == 1).all()
    assert (merged["gender_later"] == merged["gender"]).all()


def test_nonresponse_and_attrition_follow_the_answers(survey: PublicServiceSurvey) -> None:
    frame = attentive(survey, 1)
    burden = frame[[f"burden{number}" for number in range(1, 5)]]
    assert burden.notna().all(axis=None)
    missing = frame[list(item_order())].isna().mean(axis=1)
    high = burden.mean(axis=1) > 4
    assert missing[high].mean() > 1.5 * missing[~high].mean()
    stays = frame["person_id"].isin(survey.waves[1]["person_id"])
    assert frame.loc[~stays, "turnover1"].mean() > frame.loc[stays, "turnover1"].mean() + 0.1
    assert set(survey.waves[2]["person_id"]) < set(survey.waves[1]["person_id"])


def test_careless_respondents_answer_fast_and_fail_the_check(survey: PublicServiceSurvey) -> None:
    frame = survey.waves[0].set_index("person_id")
    careless = survey.careless.query("wave == 1").set_index("person_id")
    assert len(careless) / len(frame) == pytest.approx(0.10, abs=0.015)
    rest = frame.drop(index=careless.index)
    assert frame.loc[careless.index, "duration"].median() < 0.5 * rest["duration"].median()
    assert (frame.loc[careless.index, "check1"] == 4).mean() < 0.4 < 0.9 < (rest["check1"] == 4).mean()
    strings = frame.loc[careless.index[careless["kind"] == "long_string"], [f"psm{n}" for n in range(1, 7)]]
    assert (strings.nunique(axis=1) == 1).all()


def test_townships_lie_in_counties_and_share_burden(survey: PublicServiceSurvey) -> None:
    frame = survey.waves[0]
    assert (frame.groupby("township")["county"].nunique() == 1).all()
    burden = score_scales(frame, "admin_burden")["burden"]
    groups = burden.groupby(frame["township"])
    size = groups.size().mean()
    between = groups.mean().var() - burden.var() / size
    assert 0.05 < between / burden.var() < 0.25


def test_careless_rows_damage_the_factor_model_of_the_shipped_wave() -> None:
    frame = pd.read_csv(SHIPPED / "wave1.csv")
    named = json.loads((SHIPPED / "population.json").read_text(encoding="utf-8"))["careless"]["wave1"]
    clean = frame[~frame["person_id"].isin([person for people in named.values() for person in people])]
    model = get_instrument("psm16").model()
    fits = {name: psm.cfa(model, data).fit_measures for name, data in (("clean", clean), ("all", frame))}
    assert fits["clean"]["cfi"] > 0.98
    assert fits["clean"]["pvalue"] > 0.05
    assert fits["all"]["cfi"] < fits["clean"]["cfi"] - 0.03
    assert psm.cfa(get_instrument("psm16").model("one-factor"), clean).fit_measures["cfi"] < 0.85


@pytest.mark.parametrize(("n", "waves"), [(5, 1), (100, 0), (100, 4)])
def test_bad_sizes_are_refused(n: int, waves: int) -> None:
    with pytest.raises(OptionError):
        make_public_service_survey(n, waves=waves)


def test_shipped_files_are_what_the_generator_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [Path(line).name for line in printed] == [
        "wave1.csv",
        "wave2.csv",
        "wave3.csv",
        "wave1.sav",
        "population.json",
    ]
    for name in ("wave1.csv", "wave2.csv", "wave3.csv", "population.json"):
        assert (tmp_path / name).read_bytes() == (SHIPPED / name).read_bytes()
    written, shipped = (pyreadstat.read_sav(str(folder / "wave1.sav"))[0] for folder in (tmp_path, SHIPPED))
    pd.testing.assert_frame_equal(written, shipped)
    assert "synthetic" in (SHIPPED / "README.md").read_text(encoding="utf-8").splitlines()[0]


def test_sav_has_chinese_labels_and_no_time_stamp(tmp_path: Path) -> None:
    small = make_public_service_survey(40, waves=1, seed=2)
    hashes = []
    for folder in ("a", "b"):
        write_survey(small, tmp_path / folder)
        hashes.append(hashlib.sha256((tmp_path / folder / "wave1.sav").read_bytes()).hexdigest())
    assert hashes[0] == hashes[1]
    frame, meta = pyreadstat.read_sav(str(tmp_path / "a" / "wave1.sav"), user_missing=True)
    assert meta.column_names_to_labels["township"] == "乡镇"
    assert meta.variable_value_labels["olbi1"][1.0] == "非常同意"
    assert meta.missing_ranges["olbi1"] == [{"lo": 9.0, "hi": 9.0}]
    gaps = small.waves[0]["olbi1"].isna()
    assert (frame.loc[gaps.to_numpy(), "olbi1"] == 9).all()
    assert list(frame.columns) == list(small.waves[0].columns)


def test_population_file_names_the_careless(tmp_path: Path) -> None:
    small = make_public_service_survey(80, waves=2, seed=2)
    write_survey(small, tmp_path)
    content = json.loads((tmp_path / "population.json").read_text(encoding="utf-8"))
    named = {person for kinds in content["careless"].values() for people in kinds.values() for person in people}
    assert named == set(small.careless["person_id"])
    assert content["drift"] == {"item": "psm7", "wave": 3, "size": 0.5}
    assert len(content["thresholds"]["wleis1"]) == 6


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(FileError, match="folder cannot be made"):
        write_survey(make_public_service_survey(20, waves=1, seed=1), tmp_path / "taken")


def test_survey_prints_itself() -> None:
    small = make_public_service_survey(30, waves=1, seed=1)
    assert {"lhs", "op", "rhs", "estimate"} == set(small.tidy().columns)
    assert "drift_item" in small.summary()
    assert len(small.data) == 30
