"""The model project: complete, synthetic by name, right about the known population, fitted once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.studies import model_project_models as models
from psm_analysis.studies.model_project_invariance import group_ladder, wave_ladder
from psm_analysis.studies.model_project_measurement import factor_correlations
from psm_analysis.studies.model_project_sample import ProjectSample, default_data

STUDY = psm.model_project()
TABLES = list(STUDY.tables)
FIGURES = list(STUDY.figures)


@pytest.fixture(scope="module")
def sample() -> ProjectSample:
    return ProjectSample(default_data())


def test_enough_tables_and_figures_for_a_paper() -> None:
    assert len(TABLES) >= 12
    assert len(FIGURES) >= 5
    assert psm.get_study("model_project").id == "model_project"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_that_the_data_are_synthetic(name: str, lang: str) -> None:
    table = STUDY.table(name, lang=lang)  # type: ignore[arg-type]
    word = "合成数据" if lang == "zh" else "Synthetic Data"
    assert word in table.title
    assert ("虚构" if lang == "zh" else "invented") in table.note
    assert table.number == str(TABLES.index(name) + 1)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_that_the_data_are_synthetic(name: str) -> None:
    axes = STUDY.figure(name).axes[0]
    texts = [axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)]
    assert any("Synthetic Data" in text for text in texts)


@pytest.mark.parametrize("name", TABLES)
def test_chinese_tables_have_no_english_names(name: str) -> None:
    text = STUDY.table(name, lang="zh").to_text().lower()
    assert not any(word in text for word in ("motivation", "burnout", "turnover", "model", "maximum", "standard"))


def test_nothing_is_fitted_twice(sample: ProjectSample) -> None:
    first = models.structure(sample, "partial")
    assert models.structure(sample, "partial") is first
    assert sample.wave is sample.wave
    assert ProjectSample(default_data()).found == {}


def test_screening_leaves_out_careless_and_keeps_honest_respondents(sample: ProjectSample) -> None:
    careless = {person for kind in sample.population["careless"]["wave1"].values() for person in kind}
    truly = sample.wave.data["person_id"].isin(careless)
    assert (truly & ~sample.keep).sum() > 0.8 * truly.sum()
    assert (~truly & ~sample.keep).sum() < 10
    table = STUDY.table("screening")
    assert str(int(sample.keep.sum())) in table.note


@pytest.mark.parametrize(("instrument", "df"), [("psm16", (104, 98, 100, 88)), ("wleis16", (104, 98, 100, 88))])
def test_competing_models_have_the_degrees_of_freedom_of_sixteen_items(
    sample: ProjectSample, instrument: str, df: tuple[int, ...]
) -> None:
    fits = [models.scale_model(sample, instrument, kind=kind) for kind in models.KINDS]
    assert tuple(int(fit.fit_measures["df"]) for fit in fits) == df
    assert fits[0].fit_measures["cfi"] < 0.80
    assert all(fit.fit_measures["cfi"] > 0.99 and not fit.warnings for fit in fits[1:])


def test_factor_correlations_are_near_the_population(sample: ProjectSample) -> None:
    found = factor_correlations(models.joint_model(sample))
    known = pd.DataFrame(sample.population["factor_correlations"]).loc[found.index, found.columns]
    gaps = np.abs(found - known).to_numpy()[np.tril_indices(8, -1)]
    assert gaps.max() < 0.15
    assert gaps.mean() < 0.05


def test_loadings_are_a_little_below_the_population(sample: ProjectSample) -> None:
    known = {row["item"]: row["loading"] for row in sample.population["loadings"]}
    for instrument in ("psm16", "wleis16"):
        tidy = models.scale_model(sample, instrument, kind="correlated").tidy().query("op == '=~'")
        gaps = tidy["std_all"].to_numpy() - tidy["rhs"].map(known).to_numpy(float)
        assert np.abs(gaps).max() < 0.13
        assert -0.06 < gaps.mean() < 0.01


def test_effects_are_the_products_and_sums_they_are_called(sample: ProjectSample) -> None:
    tidy = models.structure(sample, "partial").tidy().set_index("label")["estimate"]
    assert tidy["indirect_psm"] == pytest.approx(tidy["a_psm"] * tidy["b"])
    assert tidy["total_ei"] == pytest.approx(tidy["a_ei"] * tidy["b"] + tidy["c_ei"])


def test_paths_to_burnout_cover_the_population(sample: ProjectSample) -> None:
    frame = STUDY.table("recovery").frame
    to_burnout = frame[frame["path"].str.endswith("→ Burnout")]
    assert len(to_burnout) == 5
    assert (to_burnout["kept_inside"] == "yes").all()
    assert frame["kept_inside"].eq("yes").mean() > 0.7


def test_structural_models_are_nested(sample: ProjectSample) -> None:
    fits = [models.structure(sample, name) for name in ("measurement", "partial", "full")]
    chisq = [fit.fit_measures["chisq"] for fit in fits]
    assert chisq == sorted(chisq)
    assert [int(fit.fit_measures["df"]) for fit in fits] == [254, 255, 259]


def test_regressions_are_clustered_by_township(sample: ProjectSample) -> None:
    fit = models.hierarchical(sample)
    assert fit.cluster == "township"
    assert fit.steps["r_squared"].is_monotonic_increasing
    assert models.ordinal(sample).glance()["n_clusters"].item() == sample.wave.data["township"].nunique()


def test_the_panel_has_each_person_in_every_wave_with_every_answer(sample: ProjectSample) -> None:
    panel = sample.panel("psm16")
    assert panel.notna().all(axis=None)
    assert all(sorted(waves) == [1, 2, 3] for _, waves in panel.groupby("person_id")["wave"])
    assert panel["person_id"].nunique() == len(panel) // 3


def test_only_the_item_that_drifts_is_released(sample: ProjectSample) -> None:
    found, drift = wave_ladder(sample, partial=True), sample.population["drift"]
    assert found.released()[["step", "parameter"]].to_numpy().tolist() == [["scalar", f"{drift['item']} ~ 1"]]
    largest = found.dmacs().nlargest(1, "dmacs").iloc[0]
    assert (largest["item"], largest["wave"]) == (drift["item"], str(drift["wave"]))
    assert 0.2 < largest["dmacs"] < drift["size"]


def test_degrees_of_freedom_of_the_ladders_are_those_counted_by_hand(sample: ProjectSample) -> None:
    moments, free = 48 * 49 // 2, 36 + 48 + 3 * 16 + 12 * 13 // 2
    configural = moments - free
    waves = wave_ladder(sample, partial=False).table["df"].tolist()
    assert waves == [configural, configural + 24, configural + 48, configural + 80]
    assert wave_ladder(sample, partial=True).table["df"].tolist()[2:] == [configural + 46, configural + 78]
    assert group_ladder(sample, "gender").table["df"].tolist() == [196, 208, 220, 236]
    assert group_ladder(sample, "grade").table["df"].tolist() == [392, 428, 464, 512]


def test_latent_means_have_the_sign_of_the_population_once_the_item_is_released(sample: ProjectSample) -> None:
    true = 0.88 * sample.population["latent_means"]["wave3"]["psm"]
    naive, released = (
        wave_ladder(sample, partial=partial).latent_means().set_index(["factor", "wave"]).loc[("cpv", "3")]
        for partial in (False, True)
    )
    assert naive["d"] > 0 > released["d"]
    assert released["ci_low"] < true * released["estimate"] / released["d"] < released["ci_high"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(psm.PsmAnalysisError, match=r"synthetic/wave1\.csv"):
        psm.model_project(tmp_path).table("screening")
