"""Expected: the printed lavaan output; the figures that differ by rounding are named one by one."""

from __future__ import annotations

import pytest

import psm_analysis as psm
from psm_analysis.studies import byrne_mbi as byrne
from psm_analysis.studies.consistency import EQUAL

ROUNDED = {"model1": {"baseline_chisq", "logl", "aic", "bic", "bic2"}, "model2": set(), "model3": {"chisq"}}


@pytest.mark.parametrize("model", list(byrne.MODELS))
def test_fit_measures_equal_the_printed_ones(model: str) -> None:
    frame = byrne.fit_measures(model).set_index("quantity")
    assert set(frame.index[frame["verdict"] != EQUAL]) <= ROUNDED[model]
    assert frame["difference"].abs().max() < 0.003


def test_chi_square_of_the_hypothesised_model() -> None:
    measures = byrne.fit("model1").fit_measures
    assert measures["chisq"] == pytest.approx(1012.654, abs=5e-4)
    assert measures["df"] == 206


def test_loadings_and_factor_correlations_equal_the_printed_ones() -> None:
    frame = byrne.loadings()
    assert len(frame) == 25
    assert (frame["verdict"] == EQUAL).all()


def test_robust_figures_are_listed_and_not_compared() -> None:
    study = psm.get_study("byrne_mbi")
    table = study.table("not_recomputed")
    assert len(table.frame) == 13
    assert "answers themselves" in table.note
    assert "chisq_scaled" not in set(study.comparison()["quantity"])


def test_models_improve_by_the_released_parameters() -> None:
    first, second, third = (byrne.fit(model).fit_measures["chisq"] for model in byrne.MODELS)
    assert first - second == pytest.approx(1012.654 - 584.871, abs=2e-3)
    assert second - third == pytest.approx(584.871 - 545.846, abs=3e-3)


def test_unknown_model() -> None:
    with pytest.raises(psm.PsmAnalysisError, match="Did you mean 'model"):
        byrne.fit("model4")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_text_prints_chi_square(lang: str) -> None:
    assert "1012.654" in psm.get_study("byrne_mbi").text(lang)  # type: ignore[arg-type]


def test_rounding_of_the_covariances_explains_bic() -> None:
    table = psm.rounding_range(byrne.covariance(), byrne.likelihood_from, decimals=6, draws=20, seed=1)
    half = table.set_index("quantity")["half_range"]
    difference = byrne.fit_measures("model1").set_index("quantity").loc["bic", "difference"]
    assert 0.001 < half["bic"] < 0.0025
    assert abs(difference) < 1.6 * half["bic"]
