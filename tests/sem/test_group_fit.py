"""What each group contributes to the misfit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import psm_analysis as psm
from psm_analysis.errors import OptionError

TWO = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + c(a, a)*x6"

# lavaan 0.6-14 on R 4.2.2: fit@test[[k]]$stat.group of the same model and data, group = "school"
LAVAAN = {
    "ML": (25.22706, 3.978763, None, None),
    "MLR": (25.22706, 3.978763, 26.363145, 4.157945),
    "MLM": (25.22706, 3.978763, 24.476964, 3.860460),
    "MLMV": (25.22706, 3.978763, 23.373994, 4.165232),
}


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
@pytest.mark.parametrize("estimator", LAVAAN)
def test_contributions_are_those_of_lavaan(holzinger: pd.DataFrame, estimator: str) -> None:
    fit = psm.cfa(TWO, holzinger, group="school", estimator=estimator)  # type: ignore[arg-type]
    frame = fit.group_fit()
    first, second, *scaled = LAVAAN[estimator]
    assert frame["group"].tolist() == ["Pasteur", "Grant-White"]
    assert frame["nobs"].tolist() == [156, 145]
    assert frame["chisq"].to_numpy() == pytest.approx([first, second], abs=1e-4)
    assert frame["chisq"].sum() == pytest.approx(fit.fit_measures["chisq"])
    if scaled[0] is not None:
        assert frame["chisq_scaled"].to_numpy() == pytest.approx(scaled, abs=1e-4)
        assert frame["chisq_scaled"].sum() == pytest.approx(fit.fit_measures["chisq_scaled"])
    # lavResiduals(fit, summary = TRUE) of lavaan 0.6-14
    assert frame["srmr"].to_numpy() == pytest.approx([0.05544234, 0.02564482], abs=1e-5)
    assert np.average(frame["srmr"], weights=frame["nobs"]) == pytest.approx(fit.fit_measures["srmr"])
    assert frame["share"].sum() == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
@pytest.mark.parametrize("estimator", ["ULS", "DWLS", "GLS", "WLS"])
def test_contributions_without_equalities_are_those_of_the_groups_alone(
    holzinger: pd.DataFrame, estimator: str
) -> None:
    model = "f =~ x1 + x2 + x4 + x5"
    both = psm.cfa(model, holzinger, group="school", estimator=estimator)  # type: ignore[arg-type]
    for label, chisq in both.group_fit().set_index("group")["chisq"].items():
        alone = psm.cfa(model, holzinger[holzinger["school"] == label], estimator=estimator, meanstructure=True)  # type: ignore[arg-type]
        assert chisq == pytest.approx(alone.fit_measures["chisq"], rel=1e-3)
    assert both.group_fit()["chisq"].sum() == pytest.approx(both.fit_measures["chisq"])


def test_ordinal_groups(holzinger: pd.DataFrame) -> None:
    items = ["x1", "x2", "x4", "x5"]
    coded = holzinger[items].apply(lambda x: pd.cut(x, 3, labels=False)).assign(school=holzinger["school"])
    fit = psm.cfa("f =~ x1 + x2 + x4 + x5", coded, ordered=True, group="school")
    frame = fit.group_fit()
    assert frame["chisq"].sum() == pytest.approx(fit.fit_measures["chisq"])
    assert frame["chisq_scaled"].sum() == pytest.approx(fit.fit_measures["chisq_scaled"])
    assert np.average(frame["srmr"], weights=frame["nobs"]) == pytest.approx(fit.fit_measures["srmr"])


def test_one_group_is_the_whole(holzinger: pd.DataFrame) -> None:
    fit = psm.cfa("f =~ x1 + x2 + x4 + x5", holzinger)
    frame = fit.group_fit()
    assert frame["chisq"].item() == pytest.approx(fit.fit_measures["chisq"])
    assert frame["share"].item() == 1.0


@pytest.mark.filterwarnings("ignore::psm_analysis.errors.PsmAnalysisWarning")
def test_the_summary_shows_them(holzinger: pd.DataFrame) -> None:
    text = psm.cfa(TWO, holzinger, group="school", estimator="MLR").summary()
    assert "Contributions to chi-square:" in text
    assert "26.363" in text
    assert "25.227" in text
    assert "Contributions" not in psm.cfa("f =~ x1 + x2 + x4 + x5", holzinger).summary()


def test_levels_are_not_groups(golden_data) -> None:  # type: ignore[no-untyped-def]
    data = golden_data("twolevel.csv")
    fit = psm.sem("level: 1\nfw =~ y1 + y2 + y3\nlevel: 2\nfb =~ y1 + y2 + y3", data, cluster="cluster")
    with pytest.raises(OptionError, match="Fit by group"):
        fit.group_fit()
